//! GCN's binary notices: the topics `gcn.classic.binary.*`.
//!
//! A packet is 160 bytes: 40 signed integers of 32 bits, the most significant byte first. The words that all types have in
//! common are read by name; what words 9 to 38 mean depends on the type, and they are as they are.
//!
//! Definition: `https://gcn.gsfc.nasa.gov/sock_pkt_def_doc.html`.
//!
//! # Differences from hop-client
//! hop-client reads packets as a blob. They are sent as `blob`, which hop-client reads.

use bytes::Bytes;
use hop_core::sky::{Frame, Position};
use hop_core::time::Time;
use hop_core::{Content, Error, ErrorKind, Location, MessageModel, Value};

/// The length of a packet, in bytes and in words.
const BYTES: usize = 160;
const WORDS: usize = 40;

/// A binary notice, labelled `gcnpacket`; see [the module](self).
///
/// ```
/// use hop_models::GcnPacket;
///
/// let mut words = [0; 40];
/// words[..9].copy_from_slice(&[61, 7, 0, 6524100, 1227767, 20441, 6521322, 3366645, 85135]);
/// let packet = GcnPacket::new(words);
/// assert_eq!((packet.notice_type(), packet.trigger_number()), (61, 1227767));
/// assert_eq!(packet.time()?.to_string(), "2024-05-11T18:06:53.22Z");
/// assert_eq!((packet.position()?.stated().longitude, packet.position()?.stated().latitude), (336.6645, 8.5135));
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GcnPacket {
    words: [i32; WORDS],
}

impl GcnPacket {
    /// Makes a packet of its words.
    pub const fn new(words: [i32; WORDS]) -> Self {
        Self { words }
    }

    /// Returns all words.
    pub const fn words(&self) -> &[i32; WORDS] {
        &self.words
    }

    /// Returns the number of the notice's type, such as 61 for `SWIFT_BAT_GRB_POS_ACK`.
    pub const fn notice_type(&self) -> i32 {
        self.words[0]
    }

    /// Returns the number of the packet in its sequence.
    pub const fn serial_number(&self) -> i32 {
        self.words[1]
    }

    /// Returns the number of the trigger.
    pub const fn trigger_number(&self) -> i32 {
        self.words[4]
    }

    /// Returns when the event was: words 5 and 6, the truncated Julian day and the hundredths of a second of the day.
    ///
    /// # Errors
    /// Kind `Invalid`: no calendar has the day, or the day not the second.
    pub fn time(&self) -> Result<Time, Error> {
        /// The truncated Julian day of 1970-01-01.
        const EPOCH: i64 = 587;
        let (day, hundredths) = (i64::from(self.words[5]), self.words[6]);
        let wrong = || {
            Error::new(ErrorKind::Invalid, Self::FORMAT)
                .expected("a day and the hundredths of a second in it")
                .found(format!("{day} and {hundredths}"))
                .at(Location::Byte(20))
        };
        // A day with a leap second has one second more.
        let hundredths =
            u32::try_from(hundredths).ok().filter(|hundredths| *hundredths <= 8_640_100).ok_or_else(wrong)?;
        let seconds = (day - EPOCH) * 86_400 + i64::from(hundredths / 100);
        Time::from_unix(seconds, hundredths % 100 * 10_000_000).map_err(|_| wrong())
    }

    /// Returns the position: words 7 and 8, in ten-thousandths of a degree, in the epoch that the type has.
    ///
    /// # Errors
    /// Kind `Invalid`: types without a position have other words there.
    pub fn position(&self) -> Result<Position, Error> {
        let degrees = |word: i32| f64::from(word) / 10_000.0;
        Position::new(Frame::Unstated, degrees(self.words[7]), degrees(self.words[8]))
            .map_err(|error| error.about(Self::FORMAT).at(Location::Byte(28)))
    }
}

impl MessageModel for GcnPacket {
    const FORMAT: &'static str = "gcnpacket";

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        let bytes: &[u8; BYTES] = content.as_slice().try_into().map_err(|_| {
            Error::new(ErrorKind::Malformed, Self::FORMAT)
                .expected(format!("a packet of {BYTES} bytes"))
                .found(format!("{} bytes", content.len()))
        })?;
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = i32::from_be_bytes(*bytes);
        }
        Ok(Self { words })
    }

    fn encode(&self) -> Result<Bytes, Error> {
        Ok(self.words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>().into())
    }

    fn sent_as(&self) -> &'static str {
        "blob"
    }

    fn fields(&self) -> Result<Value, Error> {
        let words: Vec<Value> = self.words.iter().map(|word| Value::Int(i64::from(*word))).collect();
        Ok(Value::object([("words", words.into())]))
    }

    fn from_fields(fields: Value) -> Result<Self, Error> {
        let words = fields.get("words").and_then(Value::as_array).and_then(|words| {
            let words: Option<Vec<i32>> = words.iter().map(|word| i32::try_from(word.as_i64()?).ok()).collect();
            words?.try_into().ok()
        });
        words.map(Self::new).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, Self::FORMAT)
                .expected(format!("`words`, a list of {WORDS} integers of 32 bits"))
                .found("something else")
        })
    }

    /// Says the type alone: what a packet's time and position are of depends on it.
    fn summary(&self) -> hop_core::Summary {
        hop_core::Summary::new(format!("GCN packet of type {}", self.notice_type()))
    }

    fn example() -> Option<Self> {
        let mut words = [0; WORDS];
        let known = [61, 7, 0, 6_524_100, 1_227_767, 20_441, 6_521_322, 3_366_645, 85_135, 7_538, 281, 500];
        words[..known.len()].copy_from_slice(&known);
        words[WORDS - 1] = 10;
        Some(Self::new(words))
    }
}
