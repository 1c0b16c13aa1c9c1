//! Who asks: the credential of a request.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::client::Failure;
use super::scram::{Hash, Scram};
use crate::auth::token::{TokenFailure, TokenSource};
use crate::auth::{Credential, Mechanism, Secret};
use crate::{Error, ErrorKind};

/// A token is replaced after this part of its life.
const SPENT: f64 = 0.8;

/// The credential of requests, in the form in which they carry it.
#[derive(Debug)]
pub(crate) enum Login {
    /// None.
    Anonymous,
    Scram(Scram),
    Bearer(Tokens),
}

impl Login {
    /// Makes the login of a credential. PLAIN has none: the password would be sent.
    ///
    /// # Errors
    /// Kind `Credential` or `Tls`: the credential cannot be used.
    pub(crate) fn of(credential: Option<&Credential>, scope: Option<&str>) -> Result<Self, Error> {
        let Some(credential) = credential else { return Ok(Self::Anonymous) };
        if let Some(source) = credential.token_source(scope)? {
            return Ok(Self::Bearer(Tokens { source, last: Mutex::default() }));
        }
        let hash = match credential.mechanism_in_use() {
            Mechanism::ScramSha256 => Hash::Sha256,
            Mechanism::ScramSha512 => Hash::Sha512,
            _ => return Ok(Self::Anonymous),
        };
        let scram = Scram::new(hash, credential.username(), credential.secret().reveal());
        scram.map(Self::Scram).map_err(|why| {
            Error::new(ErrorKind::Credential, format!("the credential {credential} cannot be used over HTTP: {why}"))
        })
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

/// Tokens, each used for most of its life.
#[derive(Debug)]
pub(crate) struct Tokens {
    source: TokenSource,
    /// The last token, and until when it is used. Locked while a token is fetched, so that it is fetched once.
    last: Mutex<Option<(Secret, Instant)>>,
}

impl Tokens {
    /// Returns a token, and whether it was fetched just now. A command that makes one is ended at the deadline.
    pub(super) fn get(&self, deadline: Instant) -> Result<(Secret, bool), Failure> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, until)) = &*last
            && Instant::now() < *until
        {
            return Ok((token.clone(), false));
        }
        let token = self.source.fetch(&|| Instant::now() >= deadline).map_err(|failure| {
            let is_passing = !failure.is_for_good();
            let TokenFailure { kind, what, help, .. } = failure;
            Failure { kind, what, help, is_passing }
        })?;
        *last = Some((token.text().clone(), Instant::now() + token.life().mul_f64(SPENT)));
        Ok((token.text().clone(), true))
    }

    /// Forgets a token that was refused.
    pub(super) fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
