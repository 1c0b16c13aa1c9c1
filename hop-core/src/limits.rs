//! Bounds on what one message may cost to decode.

/// What decoding one message may cost at most; a message beyond them is an error of kind
/// [`Limit`](crate::ErrorKind::Limit), never an exhausted machine.
///
/// ```
/// use hop_core::{Content, Limits};
///
/// let limits = Limits { depth: 16, ..Limits::default() };
/// let content = Content::from(&b"[[]]"[..]).with_limits(&limits);
/// assert_eq!(content.limits().depth, 16);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of content. Default: 64 MiB.
    pub content: usize,
    /// Levels of nesting (JSON arrays and objects, XML elements, Avro values). Default: 1000, which is as deep as Python reads
    /// JSON, and never more.
    pub depth: usize,
    /// Values, the names of JSON, elements and attributes in one message. Default: 4,000,000.
    pub nodes: usize,
    /// Records in one Avro file. Default: 1,000,000.
    pub records: usize,
    /// Bytes that a compressed message may grow to. Default: 128 MiB.
    pub decompressed: usize,
}

impl Limits {
    /// The defaults, as a constant.
    pub const DEFAULT: Self =
        Self { content: 64 << 20, depth: 1000, nodes: 4_000_000, records: 1_000_000, decompressed: 128 << 20 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
