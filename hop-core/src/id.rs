//! Fresh message ids: version 4 UUIDs from the operating system's random numbers, fetched for many at once.

use std::cell::RefCell;

use uuid::{Builder, Uuid};

const ID: usize = 16;
/// One system call for so many ids.
const AT_ONCE: usize = 64;

/// Random bytes that no id was made of yet.
struct Pool {
    bytes: [u8; ID * AT_ONCE],
    used: usize,
    /// The process that fetched them: after a fork the child must not make the same ids.
    process: u64,
}

thread_local! {
    static POOL: RefCell<Pool> =
        const { RefCell::new(Pool { bytes: [0; ID * AT_ONCE], used: ID * AT_ONCE, process: 0 }) };
}

/// Returns the bytes of a UUID that no other message has.
pub(crate) fn fresh_id() -> [u8; ID] {
    let random = fork::process().and_then(|process| POOL.try_with(|pool| pool.borrow_mut().next(process)).ok()?);
    match random {
        Some(random) => Builder::from_random_bytes(random).into_uuid().into_bytes(),
        None => Uuid::new_v4().into_bytes(),
    }
}

impl Pool {
    fn next(&mut self, process: u64) -> Option<[u8; ID]> {
        if self.used == self.bytes.len() || self.process != process {
            self.used = self.bytes.len();
            getrandom::fill(&mut self.bytes).ok()?;
            (self.used, self.process) = (0, process);
        }
        let id = self.bytes.get(self.used..self.used + ID)?.try_into().ok()?;
        self.used += ID;
        Some(id)
    }
}

#[cfg(unix)]
mod fork {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// How often the process has forked, counted in the children.
    static FORKS: AtomicU64 = AtomicU64::new(0);

    extern "C" fn count() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns a number that differs in parent and child; `None` where a fork would go unnoticed.
    pub(super) fn process() -> Option<u64> {
        static NOTICED: OnceLock<bool> = OnceLock::new();
        #[allow(unsafe_code)]
        // SAFETY: the function has the type that is asked for, lives as long as the program, and only adds to an atomic.
        let noticed = *NOTICED.get_or_init(|| unsafe { libc::pthread_atfork(None, None, Some(count)) } == 0);
        noticed.then(|| FORKS.load(Ordering::Relaxed))
    }
}

#[cfg(not(unix))]
mod fork {
    /// There is no fork.
    pub(super) const fn process() -> Option<u64> {
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_different_version_4_uuids_in_every_thread() {
        let make = || (0..1000).map(|_| fresh_id()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(make)).collect();
        let mut ids = make();
        ids.extend(threads.into_iter().flat_map(|thread| thread.join().unwrap()));
        assert!(ids.iter().all(|id| Uuid::from_bytes(*id).get_version_num() == 4));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 5000);
    }

    #[cfg(unix)]
    #[test]
    #[allow(unsafe_code)]
    fn a_child_of_a_fork_makes_other_ids() {
        use std::io::Read;
        use std::os::fd::FromRawFd;

        fresh_id();
        let mut pipe = [0; 2];
        // SAFETY: the child calls nothing that takes a lock or memory of its parent's other threads, writes to the pipe and
        // ends; the parent reads from its own end of it.
        let child = unsafe {
            assert_eq!(libc::pipe(pipe.as_mut_ptr()), 0);
            let child = libc::fork();
            if child == 0 {
                let id = fresh_id();
                libc::write(pipe[1], id.as_ptr().cast(), id.len());
                libc::_exit(0);
            }
            assert!(child > 0);
            libc::close(pipe[1]);
            std::fs::File::from_raw_fd(pipe[0])
        };
        let (mut theirs, mut child) = ([0; ID], child);
        child.read_exact(&mut theirs).unwrap();
        let ours: Vec<_> = (0..AT_ONCE).map(|_| fresh_id()).collect();
        assert!(!ours.contains(&theirs));
    }
}
