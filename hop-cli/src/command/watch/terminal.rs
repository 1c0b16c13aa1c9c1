//! The terminal while the screen is shown, and as it was before.

use std::io;

use ratatui::{DefaultTerminal, Frame};

use crate::output;

/// The screen. Dropping it gives the terminal back as it was; a panic does too.
pub(super) struct Screen {
    terminal: DefaultTerminal,
    /// What goes to the standard error would tear the screen, and is shown on it instead.
    _stderr: output::stderr::Taken,
}

impl Screen {
    pub(super) fn enter() -> io::Result<Self> {
        let stderr = output::stderr::take();
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self { terminal, _stderr: stderr }),
            Err(error) => {
                ratatui::restore();
                Err(error)
            }
        }
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
