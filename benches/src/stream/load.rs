//! What is written and read, and the sum by which it is known to have arrived.

use std::path::PathBuf;

use bytes::Bytes;
use hop_core::{AnyModel, MessageModel};
use serde::{Deserialize, Serialize};

use crate::{Outcome, inputs, peer};

/// Of a mix, so many messages are circulars before one is an alert.
const CIRCULARS: u64 = 9;

/// A kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Load {
    /// Circulars of 1.4 kB.
    Circular,
    /// Avro alerts of 70 kB.
    Alert,
    /// Nine circulars, then an alert, and so on.
    Mix,
    /// Circulars, one in twenty of which does not decode.
    Broken,
}

impl Load {
    /// Those that are compared.
    pub(crate) const COMPARED: [Self; 3] = [Self::Circular, Self::Alert, Self::Mix];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Circular => "circular",
            Self::Alert => "alert",
            Self::Mix => "mix",
            Self::Broken => "broken",
        }
    }

    pub(crate) const fn is_alert(self, number: u64) -> bool {
        match self {
            Self::Circular | Self::Broken => false,
            Self::Alert => true,
            Self::Mix => number % (CIRCULARS + 1) == CIRCULARS,
        }
    }

    const fn is_broken(self, number: u64) -> bool {
        matches!(self, Self::Broken) && number % 20 == 19
    }

    /// How many messages make about 400 MB, as 300,000 circulars do.
    pub(crate) const fn messages(self) -> u64 {
        match self {
            Self::Circular | Self::Broken => 300_000,
            Self::Alert => 6_000,
            Self::Mix => 50_000,
        }
    }
}

/// The messages of a load.
pub(crate) struct Messages {
    load: Load,
    circular: Bytes,
    alert: Bytes,
    /// Half a circular.
    broken: Bytes,
    models: [Box<dyn AnyModel>; 2],
}

impl Messages {
    pub(crate) fn new(load: Load) -> Outcome<Self> {
        let (circular, alert) = (inputs::circular(), inputs::alert()?);
        let content = MessageModel::encode(&circular)?;
        Ok(Self {
            load,
            broken: content.slice(..content.len() / 2),
            circular: content,
            alert: MessageModel::encode(&alert)?,
            models: [Box::new(circular), Box::new(alert)],
        })
    }

    /// The content of message `number`, and its label.
    pub(crate) fn content(&self, number: u64) -> (&Bytes, &'static str) {
        match (self.load.is_alert(number), self.load.is_broken(number)) {
            (true, _) => (&self.alert, "avro"),
            (false, true) => (&self.broken, "circular"),
            (false, false) => (&self.circular, "circular"),
        }
    }

    /// Message `number` before it is written.
    pub(crate) fn model(&self, number: u64) -> &dyn AnyModel {
        &*self.models[usize::from(self.load.is_alert(number))]
    }

    /// The bytes of a message, on average.
    pub(crate) fn bytes(&self) -> usize {
        (0..=CIRCULARS).map(|number| self.content(number).0.len()).sum::<usize>() / (CIRCULARS + 1) as usize
    }

    /// The sum of the first `count` messages, written in turn to `partitions` partitions from their beginnings.
    pub(crate) fn sum(&self, count: u64, partitions: u64) -> u64 {
        let part = |number| check(self.content(number).0, (number / partitions) as i64);
        (0..count).map(part).fold(0, u64::wrapping_add)
    }

    /// Writes the two contents to files, the circular's first.
    pub(crate) fn files(&self) -> Outcome<[PathBuf; 2]> {
        let folder = peer::root().join("target/bench");
        std::fs::create_dir_all(&folder)?;
        let files = [folder.join("stream-circular"), folder.join("stream-alert")];
        std::fs::write(&files[0], &self.circular)?;
        std::fs::write(&files[1], &self.alert)?;
        Ok(files)
    }
}

/// What one message adds to the sum of a reader: every side of a comparison computes it of each message that it is handed,
/// so that it has the whole content, and none twice or not at all.
pub(crate) fn check(content: &[u8], offset: i64) -> u64 {
    let eight = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let ends = eight(content.first_chunk()) ^ eight(content.last_chunk()).rotate_left(1);
    ends.wrapping_add(content.len() as u64).wrapping_mul(2 * offset as u64 + 1)
}
