//! What was found when a journal was opened.

use std::fmt;
use std::ops::RangeInclusive;

/// What a journal held when it was opened, and what was wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// How many messages wait to be sent.
    pub waiting: usize,
    /// How many messages are put aside.
    pub refused: usize,
    /// Ends of files that were being written when the process or the machine stopped. Nothing that was accepted is in them,
    /// as far as the [`Durability`](crate::Durability) promises it.
    pub torn: Vec<Torn>,
    /// Bytes that are not records; each is found once, and copied into a file of its own.
    pub damage: Vec<Damage>,
    /// Numbers of the messages that were in the damage and had not been confirmed.
    pub lost: Vec<RangeInclusive<u64>>,
}

/// The end of a file that was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Torn {
    /// The file.
    pub file: String,
    /// How many bytes were cut.
    pub bytes: u64,
}

/// Bytes that are not a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// The file.
    pub file: String,
    /// Where in it they begin.
    pub at: u64,
    /// How many they are.
    pub bytes: u64,
    /// The file beside it that has a copy of them; `None` where nothing was to be written.
    pub copy: Option<String>,
}

impl Recovery {
    /// Returns true if nothing was cut off, damaged or lost.
    pub fn is_clean(&self) -> bool {
        self.torn.is_empty() && self.damage.is_empty() && self.lost.is_empty()
    }

    /// Returns how many messages were lost to damage.
    pub fn lost_messages(&self) -> u64 {
        self.lost.iter().map(|range| (range.end() - range.start()).saturating_add(1)).fold(0, u64::saturating_add)
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to send, {} put aside", messages(self.waiting), self.refused)?;
        for torn in &self.torn {
            write!(
                f,
                "; the last {} bytes of {} were cut off, which were being written when it stopped",
                torn.bytes, torn.file
            )?;
        }
        for damage in &self.damage {
            write!(f, "; {} bytes of {} from {} on are damaged", damage.bytes, damage.file, damage.at)?;
            if let Some(copy) = &damage.copy {
                write!(f, " and were copied to {copy}")?;
            }
        }
        match self.lost_messages() {
            0 => Ok(()),
            1 => f.write_str("; 1 message in the damage was lost"),
            lost => write!(f, "; {lost} messages in the damage were lost"),
        }
    }
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}
