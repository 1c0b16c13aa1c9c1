//! Blocking a thread on a future, with or without an asynchronous runtime around it.

use std::cell::{Cell, RefCell};
use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::coop::unconstrained;

use crate::time::deadline;
use crate::{Error, ErrorKind};

/// Starts a thread that is never joined.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| Error::new(ErrorKind::Kafka, format!("starting the thread {name}: {error}")))
}

/// An output that can say that waiting for it failed: what the futures of this crate return, and any `Result` whose error
/// is made from an [`Error`], such as `anyhow::Error` or `Box<dyn std::error::Error>`.
#[diagnostic::on_unimplemented(
    message = "a future that is blocked on has to end in a `Result`, so that a wait that fails can be an error of it",
    label = "ends in a `{Self}`",
    note = "end an `async` block with `Ok::<_, hop_kafka::Error>(value)`"
)]
pub trait FromError {
    /// Makes the output of a wait that failed.
    fn from_error(error: Error) -> Self;
}

impl<T, E: From<Error>> FromError for Result<T, E> {
    fn from_error(error: Error) -> Self {
        Err(error.into())
    }
}

impl<T, E: From<Error>> FromError for Option<Result<T, E>> {
    fn from_error(error: Error) -> Self {
        Some(Err(error.into()))
    }
}

impl<T, E: From<Error>> FromError for Vec<Result<T, E>> {
    fn from_error(error: Error) -> Self {
        vec![Err(error.into())]
    }
}

/// Blocks this thread until the future is ready, and returns its output.
///
/// ```
/// use hop_core::JsonBlob;
/// use hop_kafka::{EmbeddedBroker, StartPosition, Stream, block_on};
///
/// let broker = EmbeddedBroker::start()?;
/// let hop = Stream::builder().no_auth().start_at(StartPosition::Earliest).build()?;
/// let out = block_on(hop.publish(broker.url("events")))?;
/// block_on(out.write(&JsonBlob::default()).send())?;
/// let mut alerts = block_on(hop.subscribe(broker.url("events")))?;
/// assert!(block_on(alerts.next()).is_some_and(|alert| alert.is_ok()));
/// # Ok::<(), hop_kafka::Error>(())
/// ```
///
/// The futures of this crate need no runtime: its own threads make them ready. They can be blocked on in any thread, in a
/// task of either of tokio's runtimes, and in `spawn_blocking`. In a task of the multi-thread runtime other tasks go on
/// meanwhile (`block_in_place`); in a current-thread runtime, as in other executors of one thread, they stand still.
///
/// # Errors
/// Those of the future. Kind `Usage` when the thread is the one that has to make the future ready: in a current-thread
/// runtime, a future that waits for something other than this crate, such as tokio's timers, sockets, channels or tasks.
/// [`block_on_within`] accepts these too.
pub fn block_on<F>(future: F) -> F::Output
where
    F: IntoFuture,
    F::Output: FromError,
{
    wait(future.into_future(), None).unwrap_or_else(|_stuck| {
        FromError::from_error(
            Error::new(
                ErrorKind::Usage,
                "blocking inside a current-thread runtime: the future waits for something that this thread itself may \
                 have to do",
            )
            .help(format!("{STARVED}; await the future instead, or block inside of `spawn_blocking`")),
        )
    })
}

/// Blocks this thread until the future is ready, for at most the duration given.
///
/// Otherwise the same as [`block_on`].
///
/// # Errors
/// Those of the future. Kind `TimedOut` when it is not ready in time; it is dropped then.
pub fn block_on_within<F>(future: F, within: Duration) -> F::Output
where
    F: IntoFuture,
    F::Output: FromError,
{
    wait(future.into_future(), Some(deadline(within))).unwrap_or_else(|stuck| {
        let error = Error::new(ErrorKind::TimedOut, format!("the wait ended after {within:?}"));
        FromError::from_error(if stuck.starved { error.help(STARVED) } else { error })
    })
}

const STARVED: &str = "timers, sockets and tasks of a current-thread runtime stand still while one of its tasks blocks";

/// Blocks this thread on a future of this crate; `None` when it is not ready by the deadline.
pub(crate) fn block_on_until<F: Future>(future: F, deadline: Instant) -> Option<F::Output> {
    wait(future, Some(deadline)).ok()
}

/// The future was not ready by the deadline, or nothing could ever have woken the thread.
struct Stuck {
    /// The future waited for something that this thread may have had to do.
    starved: bool,
}

/// Wakes the thread that blocks.
struct Signal {
    thread: Thread,
    woken: AtomicBool,
}

/// A waker for one kind of wait, so that the references to it tell who waits.
struct Unpark(Arc<Signal>);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.woken.store(true, Ordering::Release);
        self.0.thread.unpark();
    }
}

fn wait<F: Future>(future: F, deadline: Option<Instant>) -> Result<F::Output, Stuck> {
    // Without this, tokio's own futures would stay pending once the task's cooperative budget is spent.
    let mut future = pin!(unconstrained(future));
    let signal = Arc::new(Signal { thread: std::thread::current(), woken: AtomicBool::new(false) });
    let foreign = Arc::new(Unpark(Arc::clone(&signal)));
    let waits = Rc::new(Waits {
        foreign: Waker::from(Arc::clone(&foreign)),
        own: Waker::from(Arc::new(Unpark(Arc::clone(&signal)))),
        is_direct: Cell::new(false),
        is_indirect: Cell::new(false),
    });
    if let Poll::Ready(output) = waits.poll(future.as_mut()) {
        return Ok(output);
    }
    let surroundings = Surroundings::of_this_thread();
    let mut go_on = || {
        loop {
            while !signal.woken.swap(false, Ordering::Acquire) {
                // `foreign` and `waits` hold one reference each; another one belongs to a wait for something else than hop.
                let starved = surroundings == Surroundings::CurrentThread
                    && !waits.is_indirect.get()
                    && (!waits.is_direct.get() || Arc::strong_count(&foreign) > 2);
                match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                    None if starved => return Err(Stuck { starved }),
                    None => std::thread::park(),
                    Some(Duration::ZERO) => return Err(Stuck { starved }),
                    Some(left) => std::thread::park_timeout(left),
                }
            }
            if let Poll::Ready(output) = waits.poll(future.as_mut()) {
                return Ok(output);
            }
        }
    };
    match surroundings {
        Surroundings::MultiThread => tokio::task::block_in_place(go_on),
        Surroundings::Thread | Surroundings::CurrentThread => go_on(),
    }
}

/// What else depends on the thread that blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Surroundings {
    /// Nothing, or nothing but a runtime that has other threads.
    Thread,
    /// A worker of the multi-thread runtime, which has to hand its tasks over first.
    MultiThread,
    /// All timers, sockets and tasks of a runtime.
    CurrentThread,
}

impl Surroundings {
    fn of_this_thread() -> Self {
        // A thread of `spawn_blocking` is not a worker, nor is the one in the multi-thread runtime's own `block_on`.
        if tokio::runtime::worker_index().is_none() {
            return Self::Thread;
        }
        match Handle::try_current().map(|handle| handle.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => Self::MultiThread,
            Ok(_) => Self::CurrentThread,
            Err(_) => Self::Thread,
        }
    }
}

/// What the future that is blocked on waits for: [`own`] futures, which threads of this crate make ready, or others.
struct Waits {
    /// The waker that the future is polled with.
    foreign: Waker,
    /// The waker that own futures are polled with in its place.
    own: Waker,
    /// Whether an own future was pending at the last poll.
    is_direct: Cell<bool>,
    /// Whether an own future was ever pending behind another waker, such as that of a `join_all`.
    is_indirect: Cell<bool>,
}

thread_local! {
    /// The waits of the innermost call that blocks this thread, while it polls.
    static WAITS: RefCell<Option<Rc<Waits>>> = const { RefCell::new(None) };
}

impl Waits {
    fn poll<F: Future>(self: &Rc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        struct Restore(Option<Rc<Waits>>);

        impl Drop for Restore {
            fn drop(&mut self) {
                WAITS.set(self.0.take());
            }
        }

        self.is_direct.set(false);
        let _restore = Restore(WAITS.replace(Some(Rc::clone(self))));
        future.poll(&mut Context::from_waker(&self.foreign))
    }
}

/// Polls something that a thread of this crate makes ready, whatever the polling thread does meanwhile.
///
/// Only such waits may be blocked on in a current-thread runtime.
pub(crate) fn poll_own<T>(context: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    let Some(waits) = WAITS.with_borrow(Clone::clone) else { return poll(context) };
    let is_direct = context.waker().will_wake(&waits.foreign) || context.waker().will_wake(&waits.own);
    let polled = if is_direct { poll(&mut Context::from_waker(&waits.own)) } else { poll(context) };
    if polled.is_pending() {
        if is_direct { waits.is_direct.set(true) } else { waits.is_indirect.set(true) }
    }
    polled
}

/// A future that a thread of this crate makes ready, as [`poll_own`] has it.
pub(crate) async fn own<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(|context| poll_own(context, |context| future.as_mut().poll(context))).await
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::time::timeout;

    const SOON: Duration = Duration::from_secs(10);

    /// A future of ours, as it were: a thread makes it ready.
    fn answer(after: Duration) -> impl Future<Output = Result<u32, Error>> + Send {
        let (sender, receiver) = oneshot::channel();
        spawn("answer", move || {
            std::thread::sleep(after);
            let _received = sender.send(7);
        })
        .unwrap();
        async move { Ok(own(receiver).await.unwrap()) }
    }

    fn shortly() -> impl Future<Output = Result<u32, Error>> + Send {
        answer(Duration::from_millis(30))
    }

    /// A timer of tokio's.
    async fn sleep() -> Result<u32, Error> {
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok(7)
    }

    /// What blocking on the future comes to, or a panic when it hangs.
    fn within_seconds(test: impl FnOnce() + Send + 'static) {
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            test();
            sender.send(()).unwrap();
        });
        match receiver.recv_timeout(SOON) {
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
            _ => thread.join().unwrap(),
        }
    }

    fn current_thread() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn multi_thread(threads: usize) -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
    }

    fn is_seven(output: Result<u32, Error>) {
        assert_eq!(output.unwrap(), 7);
    }

    #[test]
    fn a_thread_without_a_runtime_blocks() {
        within_seconds(|| {
            is_seven(block_on(shortly()));
            is_seven(block_on_within(shortly(), Duration::MAX));
        });
    }

    #[test]
    fn a_task_of_the_multi_thread_runtime_blocks_while_others_go_on() {
        within_seconds(|| {
            let runtime = multi_thread(1);
            let work = async {
                let (sender, receiver) = oneshot::channel();
                tokio::spawn(async {
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    sender.send(7).unwrap();
                });
                is_seven(block_on(shortly()));
                is_seven(block_on(sleep()));
                is_seven(block_on(async { Ok::<_, Error>(receiver.await.unwrap()) }));
            };
            runtime.block_on(runtime.spawn(work)).unwrap();
            runtime.block_on(async {
                is_seven(block_on(shortly()));
                is_seven(block_on(sleep()));
            });
        });
    }

    #[test]
    fn a_task_of_a_current_thread_runtime_blocks_on_what_is_ours() {
        within_seconds(|| {
            let runtime = current_thread();
            let work = async {
                is_seven(block_on(shortly()));
                is_seven(block_on_within(shortly(), SOON));
                // Together, and behind wakers that are not ours.
                let both = futures_util::future::join_all([answer(Duration::from_millis(60)), answer(Duration::ZERO)]);
                block_on(async { Ok::<_, Error>(both.await) }).unwrap().into_iter().for_each(is_seven);
                let brief = Duration::from_millis(50);
                let pending = block_on(async { Ok::<_, Error>(timeout(brief, answer(SOON)).await.is_none()) });
                assert!(pending.unwrap());
            };
            runtime.block_on(runtime.spawn(work)).unwrap();
            runtime.block_on(async { is_seven(block_on(shortly())) });
        });
    }

    #[test]
    fn what_the_blocked_thread_would_have_to_do_is_an_error() {
        within_seconds(|| {
            let runtime = current_thread();
            let refused = |output: Result<u32, Error>| {
                let error = output.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
                assert!(error.to_string().contains("current-thread runtime"), "{error}");
            };
            runtime.block_on(async {
                refused(block_on(sleep()));
                refused(block_on(async { Ok(tokio::spawn(async { 7 }).await.unwrap()) }));
                // One of both would never come.
                refused(block_on(async { tokio::time::timeout(SOON, answer(SOON)).await.unwrap() }));
                refused(block_on(async {
                    is_seven(shortly().await);
                    sleep().await
                }));
                let error = block_on_within(sleep(), Duration::from_millis(100)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                assert!(error.to_string().contains("current-thread runtime"), "{error}");
            });
        });
    }

    #[test]
    fn a_thread_of_spawn_blocking_blocks_on_anything() {
        within_seconds(|| {
            for runtime in [current_thread(), multi_thread(1)] {
                let work = runtime.spawn_blocking(|| {
                    is_seven(block_on(shortly()));
                    is_seven(block_on(sleep()));
                });
                runtime.block_on(work).unwrap();
            }
        });
    }

    #[test]
    fn the_wait_is_not_longer_than_allowed() {
        let started = Instant::now();
        let error = block_on_within(answer(SOON), Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!((50..1000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_task_whose_budget_is_spent_still_gets_its_answer() {
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::coop::poll_proceed(&mut Context::from_waker(Waker::noop()))
                .map(|turn| turn.made_progress())
                .is_ready();
        }
        is_seven(block_on_within(shortly(), SOON));
    }
}
