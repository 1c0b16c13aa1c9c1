//! The thread that gives a client its tokens, each before the last one runs out.

use std::ffi::CString;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rdkafka::bindings as native;
use rdkafka::client::{Client, ClientContext};

use super::{Token, TokenFailure, TokenSource};
use crate::blocking::spawn;
use crate::complaint::Complaint;
use crate::{Error, ErrorKind};

/// A token is replaced after this part of its life; brokers ask for the new one after nine tenths of it.
const SPENT: f64 = 0.8;
/// No token is asked for sooner after the last one.
const SHORTEST: Duration = Duration::from_secs(1);
/// Waiting after a failure that may pass: at first, and at most.
const PASSING: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// Waiting after a failure that asking again will not mend. Some providers lock out who insists.
const LASTING: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// A machine that slept finds its token run out no later than this after it woke.
const LONGEST_NAP: Duration = Duration::from_secs(15);

type Deliver = Box<dyn Fn(Result<&Token, &TokenFailure>) + Send>;

/// Keeps a client in tokens until it goes out of scope.
///
/// Then nothing is handed over any more and the client is let go of at once; a request for a token that is on its way
/// ends by itself, within its own time-out.
pub(crate) struct Refresher {
    shared: Arc<Shared>,
}

struct Shared {
    /// `None` once the client is gone.
    deliver: Mutex<Option<Deliver>>,
    stopped: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Deliver>> {
        self.deliver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the client, unless it is gone.
    fn tell(&self, fate: Result<&Token, &TokenFailure>) {
        if let Some(deliver) = &*self.lock() {
            deliver(fate);
        }
    }

    fn is_stopped(&self) -> bool {
        self.lock().is_none()
    }

    /// Waits by two clocks: the one on the wall, which goes on while the machine sleeps, and the one that nobody sets.
    /// Returns early when stopped.
    fn wait(&self, pause: Duration) {
        let (end, deadline) = (SystemTime::now() + pause, Instant::now() + pause);
        let mut deliver = self.lock();
        while deliver.is_some() {
            let left = end.duration_since(SystemTime::now()).unwrap_or_default();
            let left = left.min(deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return;
            }
            deliver = self
                .stopped
                .wait_timeout(deliver, left.min(LONGEST_NAP))
                .map_or_else(|poisoned| poisoned.into_inner().0, |(deliver, _)| deliver);
        }
    }
}

impl Refresher {
    /// Starts to fetch; what comes of it is told to `deliver`, which keeps the client alive and must be quick.
    ///
    /// # Errors
    /// Kind `Kafka` when there can be no thread.
    pub(crate) fn start(
        source: TokenSource,
        deliver: impl Fn(Result<&Token, &TokenFailure>) + Send + 'static,
    ) -> Result<Self, Error> {
        let shared = Arc::new(Shared { deliver: Mutex::new(Some(Box::new(deliver))), stopped: Condvar::new() });
        // What a time-out is to say as long as nothing else is known.
        shared.tell(Err(&TokenFailure::passing(
            ErrorKind::TimedOut,
            format!("no token has come yet from {source}"),
            "allow more time to connect",
        )));
        let for_thread = Arc::clone(&shared);
        spawn("hop-tokens", move || run(&source, &for_thread))?;
        Ok(Self { shared })
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        let client = self.shared.lock().take();
        self.shared.stopped.notify_all();
        // Outside of the lock: the last hold on a client may close it, which takes its time.
        drop(client);
    }
}

fn run(source: &TokenSource, shared: &Shared) {
    let mut failures = 0;
    while !shared.is_stopped() {
        let asked = Instant::now();
        let fetched = source.fetch(&|| shared.is_stopped());
        shared.tell(fetched.as_ref());
        let pause = match &fetched {
            Ok(token) => {
                failures = 0;
                let life = token.life();
                tracing::debug!(target: "hop", %source, took = ?asked.elapsed(), ?life, "a token came");
                life.mul_f64(SPENT).max(SHORTEST)
            }
            Err(_) if shared.is_stopped() => return,
            Err(failure) => {
                let (first, most) = if failure.is_for_good() { LASTING } else { PASSING };
                let pause = first.saturating_mul(1 << failures.min(10)).min(most);
                failures += 1;
                tracing::warn!(target: "hop", %failure, again_in = ?pause, "no token");
                pause
            }
        };
        shared.wait(pause);
    }
}

/// Gives the token to the client, or notes down why there is none.
pub(crate) fn hand_over<C: ClientContext>(
    client: &Client<C>,
    complaint: &Complaint,
    fate: Result<&Token, &TokenFailure>,
) {
    match fate {
        Ok(token) => match set(client, token) {
            Ok(()) => complaint.token_came(token.expires),
            Err(failure) => {
                tracing::error!(target: "hop", %failure, "the token is not taken");
                complaint.no_token(failure);
            }
        },
        Err(failure) => complaint.no_token(failure.clone()),
    }
}

#[allow(unsafe_code)]
fn set<C: ClientContext>(client: &Client<C>, token: &Token) -> Result<(), TokenFailure> {
    let refused =
        |why: &str| TokenFailure::lasting(format!("librdkafka does not take the token: {why}"), super::NOT_A_TOKEN);
    let text = CString::new(token.text.reveal()).map_err(|_| refused("there is a zero in it"))?;
    let principal = CString::new(token.principal.as_str()).map_err(|_| refused("there is a zero in its `sub`"))?;
    let expires = token.expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let expires = i64::try_from(expires).map_err(|_| refused("it lives too long"))?;
    // What it would say here may quote the token.
    let mut reason: [std::ffi::c_char; 1] = [0];
    // SAFETY: `client` owns the handle and outlives the call, which is safe from any thread; the strings end with a zero
    // and are copied; there are no extensions; the buffer is as long as it is said to be.
    let code = unsafe {
        native::rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            text.as_ptr(),
            expires,
            principal.as_ptr(),
            std::ptr::null_mut(),
            0,
            reason.as_mut_ptr(),
            reason.len(),
        )
    };
    match code {
        native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__STATE => {
            Err(refused("the mechanism is not OAUTHBEARER; a property changes it"))
        }
        code => Err(refused(&format!("code {}", code as i32))),
    }
}
