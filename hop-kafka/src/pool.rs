//! A few threads for work that may wait for a network or a disk.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Error;
use crate::blocking::spawn;

/// How many threads a pool has at most.
const MOST_THREADS: usize = 4;
/// How long a thread without work waits for more before it ends.
const IDLE: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs on at most four threads, which start when they are needed and end a second after.
///
/// The jobs of one lane run one after another, in the order in which they came.
pub(crate) struct Pool {
    name: &'static str,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Signalled when a job comes, or the pool is dropped.
    work: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Ready>,
    /// The jobs that wait in each lane that a thread runs or that is ready.
    lanes: HashMap<Arc<str>, VecDeque<Job>>,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

/// What a thread takes next.
enum Ready {
    Job(Job),
    Lane(Arc<str>),
}

impl Pool {
    /// Makes a pool that has no threads yet; `name` is that of its threads.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, shared: Arc::default() }
    }

    /// Runs a job, after those that came before it in its lane.
    ///
    /// # Errors
    /// Kind `Kafka` when there can be no thread. Jobs that no thread takes are dropped.
    pub(crate) fn run(&self, lane: Option<&str>, job: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let mut state = self.shared.lock();
        state.add(lane, Box::new(job));
        if state.idle > 0 {
            self.shared.work.notify_one();
        }
        if state.ready.len() <= state.idle || state.threads >= MOST_THREADS {
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        let shared = Arc::clone(&self.shared);
        spawn(self.name, move || shared.work()).or_else(|error| {
            let mut state = self.shared.lock();
            state.threads -= 1;
            if state.threads > 0 {
                return Ok(());
            }
            let dropped = (std::mem::take(&mut state.ready), std::mem::take(&mut state.lanes));
            drop(state);
            drop(dropped);
            Err(error)
        })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.work.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.name).finish_non_exhaustive()
    }
}

impl State {
    fn add(&mut self, lane: Option<&str>, job: Job) {
        let Some(lane) = lane else { return self.ready.push_back(Ready::Job(job)) };
        match self.lanes.get_mut(lane) {
            Some(jobs) => jobs.push_back(job),
            None => {
                let lane: Arc<str> = lane.into();
                self.lanes.insert(Arc::clone(&lane), VecDeque::from([job]));
                self.ready.push_back(Ready::Lane(lane));
            }
        }
    }

    fn next_of(&mut self, lane: &str) -> Option<Job> {
        self.lanes.get_mut(lane).and_then(VecDeque::pop_front)
    }

    /// Puts a lane back in line if it has more jobs.
    fn put_back(&mut self, lane: Arc<str>) {
        if self.lanes.get(&lane).is_some_and(|jobs| !jobs.is_empty()) {
            self.ready.push_back(Ready::Lane(lane));
        } else {
            self.lanes.remove(&lane);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole life of a thread.
    fn work(&self) {
        while let Some(ready) = self.next() {
            match ready {
                Ready::Job(job) => run(job),
                Ready::Lane(lane) => {
                    let job = self.lock().next_of(&lane);
                    if let Some(job) = job {
                        run(job);
                    }
                    self.lock().put_back(lane);
                }
            }
        }
    }

    /// Waits for work; `None` when the thread is to end.
    fn next(&self) -> Option<Ready> {
        let mut state = self.lock();
        if state.ready.is_empty() && !state.is_closed {
            state.idle += 1;
            let waited = self.work.wait_timeout_while(state, IDLE, |state| state.ready.is_empty() && !state.is_closed);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
        }
        let next = state.ready.pop_front();
        if next.is_none() {
            state.threads -= 1;
        }
        next
    }
}

fn run(job: Job) {
    // Whoever waits for the job learns of a panic from the channel that the job drops.
    let _outcome = catch_unwind(AssertUnwindSafe(job));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_lane_keeps_its_order_and_the_threads_are_few() {
        let pool = Pool::new("hop-test");
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (sender, receiver) = mpsc::channel();
        for number in 0..10_000 {
            let lane = format!("lane {}", number % 7);
            let (sender, running, most) = (sender.clone(), Arc::clone(&running), Arc::clone(&most));
            pool.run((number % 8 != 7).then_some(&lane), move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                if number % 100 == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                running.fetch_sub(1, Ordering::SeqCst);
                sender.send(number).unwrap();
            })
            .unwrap();
        }
        drop((sender, pool));
        let done: Vec<i32> = receiver.iter().collect();
        assert_eq!(done.len(), 10_000);
        for lane in 0..7 {
            let of_lane: Vec<_> = done.iter().filter(|number| *number % 7 == lane && *number % 8 != 7).collect();
            assert!(of_lane.is_sorted(), "lane {lane}");
        }
        assert!((2..=MOST_THREADS).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    }

    #[test]
    fn a_job_that_waits_holds_up_its_own_lane_alone_and_a_panic_nothing() {
        let pool = Pool::new("hop-test");
        let (release, released) = mpsc::channel::<()>();
        let (sender, receiver) = mpsc::channel();
        pool.run(Some("a"), || panic!("meant to")).unwrap();
        pool.run(Some("a"), move || _ = released.recv()).unwrap();
        for (lane, number) in [(Some("a"), 1), (Some("b"), 2), (Some("b"), 3), (None, 4)] {
            let sender = sender.clone();
            pool.run(lane, move || sender.send(number).unwrap()).unwrap();
        }
        let mut first = [(); 3].map(|()| receiver.recv_timeout(Duration::from_secs(10)).unwrap());
        first.sort_unstable();
        assert_eq!(first, [2, 3, 4]);
        drop(release);
        assert_eq!(receiver.recv_timeout(Duration::from_secs(10)), Ok(1));
    }

    #[test]
    fn the_threads_end_when_there_is_nothing_to_do() {
        let pool = Pool::new("hop-test");
        pool.run(None, || ()).unwrap();
        let shared = Arc::clone(&pool.shared);
        let ended = || {
            (0..100).any(|_| {
                std::thread::sleep(Duration::from_millis(50));
                shared.lock().threads == 0
            })
        };
        assert!(ended());
        pool.run(None, || ()).unwrap();
        drop(pool);
        assert!(ended());
    }
}
