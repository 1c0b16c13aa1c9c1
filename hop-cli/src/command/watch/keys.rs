//! Keys, read on a thread of their own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

/// How soon the thread sees that nobody reads keys any more.
const SLICE: Duration = Duration::from_millis(100);

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Leave,
    /// The alert so many lines further down, or up.
    Move(isize),
    Newest,
    Oldest,
    /// The details so many lines further down, or up.
    Scroll(isize),
    /// Shows what comes, or lets it wait.
    Pause,
    /// The terminal has another size.
    Resize,
}

pub(super) struct Keys {
    acts: mpsc::UnboundedReceiver<Act>,
    over: Arc<AtomicBool>,
}

impl Keys {
    pub(super) fn listen() -> io::Result<Self> {
        let (send, acts) = mpsc::unbounded_channel();
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        std::thread::Builder::new().name("hop-keys".to_owned()).spawn(move || {
            while !ends.load(Ordering::Acquire) {
                let event = match event::poll(SLICE) {
                    Ok(false) => continue,
                    Ok(true) => event::read(),
                    Err(error) => Err(error),
                };
                // Without a terminal there is nobody to show anything to: the channel ends, and with it the command.
                let Ok(event) = event else { return };
                if let Some(act) = act(&event)
                    && send.send(act).is_err()
                {
                    return;
                }
            }
        })?;
        Ok(Self { acts, over })
    }

    /// The next key that means something; `None` once the terminal is gone.
    pub(super) async fn next(&mut self) -> Option<Act> {
        self.acts.recv().await
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

fn act(event: &Event) -> Option<Act> {
    const PAGE: isize = 10;
    let key = match event {
        Event::Resize(..) => return Some(Act::Resize),
        Event::Key(key) if key.kind != KeyEventKind::Release => key,
        _ => return None,
    };
    Some(match key.code {
        // The terminal makes no signals of keys while the screen is shown.
        KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => Act::Leave,
        KeyCode::Char('q') | KeyCode::Esc => Act::Leave,
        KeyCode::Up | KeyCode::Char('k') => Act::Move(-1),
        KeyCode::Down | KeyCode::Char('j') => Act::Move(1),
        KeyCode::PageUp => Act::Move(-PAGE),
        KeyCode::PageDown => Act::Move(PAGE),
        KeyCode::Home | KeyCode::Char('g') => Act::Newest,
        KeyCode::End | KeyCode::Char('G') => Act::Oldest,
        KeyCode::Right | KeyCode::Char('l') => Act::Scroll(PAGE),
        KeyCode::Left | KeyCode::Char('h') => Act::Scroll(-PAGE),
        KeyCode::Char(' ' | 'p') => Act::Pause,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyEvent;

    use super::*;

    #[test]
    fn every_way_to_leave_leaves() {
        let key = |code, modifiers| act(&Event::Key(KeyEvent::new(code, modifiers)));
        for (code, modifiers) in [
            (KeyCode::Char('q'), KeyModifiers::NONE),
            (KeyCode::Esc, KeyModifiers::NONE),
            (KeyCode::Char('c'), KeyModifiers::CONTROL),
            (KeyCode::Char('d'), KeyModifiers::CONTROL),
        ] {
            assert_eq!(key(code, modifiers), Some(Act::Leave));
        }
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
    }
}
