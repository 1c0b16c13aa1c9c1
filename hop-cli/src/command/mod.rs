//! One module a command.

pub(crate) mod archive;
pub(crate) mod auth;
pub(crate) mod broker;
pub(crate) mod brokers;
pub(crate) mod completions;
pub(crate) mod configure;
pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod generate;
pub(crate) mod help;
pub(crate) mod journal;
pub(crate) mod lag;
pub(crate) mod list_topics;
pub(crate) mod man;
pub(crate) mod models;
pub(crate) mod new;
pub(crate) mod offsets;
pub(crate) mod publish;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod show;
pub(crate) mod subscribe;
pub(crate) mod validate;
pub(crate) mod version;
pub(crate) mod watch;
