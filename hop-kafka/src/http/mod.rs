//! HTTP: what the token endpoint and the schema registry have in common.
//!
//! Requests block, so they are made on threads of their own. Redirections are never followed.

mod agent;
mod trust;

pub(crate) use self::agent::{NoAnswer, config, is_this_machine};
