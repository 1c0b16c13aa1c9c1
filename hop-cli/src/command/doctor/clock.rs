//! Whether this machine's clock goes, and is right.

use std::time::{Duration, Instant, SystemTime};

use super::{Status, Step, age};

/// How long the clock is looked at, at least.
const LOOK: Duration = Duration::from_millis(200);
/// How far it may be off.
const OFF: Duration = Duration::from_secs(60);

/// The clock on the wall beside the one that nobody sets, and what messages say of the time.
pub(super) struct Clock {
    wall: SystemTime,
    steady: Instant,
    /// How far the newest message is ahead of this machine, its topic, and whether the broker itself sends it.
    ahead: Option<(Duration, String, bool)>,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { wall: SystemTime::now(), steady: Instant::now(), ahead: None }
    }

    /// Notes when a message was sent.
    pub(super) fn note(&mut self, topic: &str, at: SystemTime, is_heartbeat: bool) {
        let ahead = at.duration_since(SystemTime::now()).unwrap_or_default();
        if ahead > OFF && self.ahead.as_ref().is_none_or(|(known, ..)| *known < ahead) {
            self.ahead = Some((ahead, topic.to_owned(), is_heartbeat));
        }
    }

    pub(super) async fn examine(self) -> Step {
        const NAME: &str = "clock";
        const SET: &str = "set this machine's clock, and have it kept right (NTP)";
        tokio::time::sleep(LOOK.saturating_sub(self.steady.elapsed())).await;
        let steady = self.steady.elapsed();
        let now = SystemTime::now();
        let shown = jiff::Timestamp::try_from(now).map_or_else(|_| "no time".to_owned(), |now| format!("{now:.0}"));
        let wall = match now.duration_since(self.wall) {
            Ok(wall) => wall,
            Err(back) => {
                let back = age(back.duration());
                return Step::failed(NAME, format!("this machine's clock went back by {back}, to {shown}"), SET);
            }
        };
        if wall < steady / 2 {
            return Step::failed(NAME, format!("this machine's clock stands still at {shown}"), SET);
        }
        if wall.abs_diff(steady) > Duration::from_secs(1) + steady / 10 {
            let by = age(wall.abs_diff(steady));
            return Step::failed(NAME, format!("this machine's clock jumped by {by}, to {shown}"), SET);
        }
        match self.ahead {
            Some((ahead, topic, is_heartbeat)) => {
                let saw =
                    format!("it is {shown} here, and the newest message of `{topic}` is {} ahead of that", age(ahead));
                let status = if is_heartbeat { Status::Failed } else { Status::Attention };
                Step::new(NAME, status, saw).advise(format!("{SET}; or the clock of who sent it is wrong"))
            }
            None => Step::ok(NAME, format!("it goes, and shows {shown}")),
        }
    }
}
