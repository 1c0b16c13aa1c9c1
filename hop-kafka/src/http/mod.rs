//! HTTP: what the token endpoint, the schema registry and the archive have in common.
//!
//! Requests block, so they are made on threads of their own. Each has a deadline that covers everything, from resolving the
//! name to the last byte, and a limit on the size of its answer. Redirections are never followed.

mod address;
mod agent;
mod client;
mod early;
mod login;
mod scram;
mod trust;

pub(crate) use self::address::Allowed;
pub(crate) use self::agent::{NoAnswer, config, is_this_machine};
pub(crate) use self::client::{Answer, Body, Client, Failure, Method};
pub(crate) use self::login::Login;
