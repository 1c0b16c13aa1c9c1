//! What librdkafka calls back while a consumer is made and closed; in between, the worker reads its events.

use std::sync::Arc;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

use super::session::Session;

/// The context of a consumer.
pub(super) struct Context {
    pub(super) session: Arc<Session>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.session.complaint.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.session.note_error(&error, reason);
    }
}

impl ConsumerContext for Context {}
