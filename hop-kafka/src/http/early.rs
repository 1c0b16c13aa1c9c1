//! Answers that come before the request is sent whole.
//!
//! A server that does not take a message may say so, and close the connection, while the message is still being sent. Then
//! writing fails, or does not get on; the answer is there to be read all the same, and says more than "connection reset".

use std::time::Duration;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::NoAnswer;

/// How long the server may take nothing of a request before its answer is looked for; a quarter of the time that is left, if that
/// is shorter.
const STALLED: Duration = Duration::from_secs(30);

/// Makes connections that have an answer read although the request could not be sent whole.
#[derive(Debug)]
pub(super) struct EarlyAnswers;

impl<T: Transport> Connector<T> for EarlyAnswers {
    type Out = Patient<T>;

    fn connect(
        &self,
        _details: &ConnectionDetails<'_>,
        connection: Option<T>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(connection.map(|inner| Patient { inner, failed: None }))
    }
}

/// A connection whose failure to send is reported only where it has no answer either.
#[derive(Debug)]
pub(super) struct Patient<T> {
    inner: T,
    /// Why the rest of the request is not sent.
    failed: Option<ureq::Error>,
}

impl<T: Transport> Transport for Patient<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.failed.is_some() {
            return Ok(());
        }
        let within = (*timeout.after / 4).min(STALLED);
        match self.inner.transmit_output(amount, NextTimeout { after: within.into(), ..timeout }) {
            Err(error) if matches!(NoAnswer::of(&error), NoAnswer::Late | NoAnswer::Ended(_)) => {
                self.failed = Some(error);
                Ok(())
            }
            sent => sent,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        match self.inner.await_input(timeout) {
            Ok(true) => Ok(true),
            nothing => self.failed.take().map_or(nothing, Err),
        }
    }

    fn is_open(&mut self) -> bool {
        self.failed.is_none() && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
