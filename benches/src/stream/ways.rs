//! The ways of reading and writing that are measured.

use super::job::{Job, Report};
use super::{raw, read, write};
use crate::Outcome;

/// What is compared with what: the first way of each kind is the raw client's, to which the others are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reading from the beginning, without a group.
    Read,
    /// The same in a group of its own.
    Group,
    /// Queueing messages, then waiting until all are confirmed.
    Write,
    /// Waiting for each message to be confirmed.
    Send,
    /// From a writer to a reader, the next message when the one before has arrived.
    Latency,
    /// The same, 100 a second.
    Paced,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [Self::Read, Self::Group, Self::Write, Self::Send, Self::Latency, Self::Paced];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Group => "group",
            Self::Write => "write",
            Self::Send => "send",
            Self::Latency => "latency",
            Self::Paced => "paced",
        }
    }

    /// Whether it reads a topic that is filled beforehand.
    pub(crate) const fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Group)
    }

    /// Whether it is measured by the time of single messages.
    pub(crate) const fn is_timed(self) -> bool {
        matches!(self, Self::Send | Self::Latency | Self::Paced)
    }
}

/// What costs processor time beside moving bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    Decode,
    Encode,
}

pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) codec: Codec,
    pub(crate) run: fn(&Job) -> Outcome<Report>,
}

const fn way(name: &'static str, kind: Kind, codec: Codec, run: fn(&Job) -> Outcome<Report>) -> Way {
    Way { name, kind, codec, run }
}

pub(crate) const WAYS: &[Way] = &[
    way("read-raw", Kind::Read, Codec::None, raw::read),
    way("read-raw-default", Kind::Read, Codec::None, raw::read_default),
    way("read-raw-same", Kind::Read, Codec::None, raw::read_same),
    way("read-next", Kind::Read, Codec::Decode, read::next),
    way("read-typed", Kind::Read, Codec::Decode, read::typed),
    way("read-batch", Kind::Read, Codec::Decode, read::batch),
    way("read-record", Kind::Read, Codec::None, read::record),
    way("read-blocking", Kind::Read, Codec::Decode, read::blocking),
    way("read-until-eos", Kind::Read, Codec::Decode, read::until_eos),
    way("read-threads", Kind::Read, Codec::Decode, read::threads),
    way("group-raw", Kind::Group, Codec::None, raw::read),
    way("group-next", Kind::Group, Codec::Decode, read::next),
    way("group-typed", Kind::Group, Codec::Decode, read::typed),
    way("group-batch", Kind::Group, Codec::Decode, read::batch),
    way("group-record", Kind::Group, Codec::None, read::record),
    way("group-blocking", Kind::Group, Codec::Decode, read::blocking),
    way("group-until-eos", Kind::Group, Codec::Decode, read::until_eos),
    way("group-threads", Kind::Group, Codec::Decode, read::threads),
    way("write-raw", Kind::Write, Codec::None, raw::write),
    way("write-raw-same", Kind::Write, Codec::None, raw::write_same),
    way("write-queue", Kind::Write, Codec::Encode, write::queue),
    way("write-journal-each", Kind::Write, Codec::Encode, write::journal_each),
    way("write-journal-within", Kind::Write, Codec::Encode, write::journal_within),
    way("write-journal-system", Kind::Write, Codec::Encode, write::journal_system),
    way("send-raw", Kind::Send, Codec::None, raw::send),
    way("send-await", Kind::Send, Codec::Encode, write::send),
    way("latency-raw", Kind::Latency, Codec::None, raw::latency),
    way("latency-model", Kind::Latency, Codec::None, write::latency),
    way("paced-raw", Kind::Paced, Codec::None, raw::latency),
    way("paced-model", Kind::Paced, Codec::None, write::latency),
];
