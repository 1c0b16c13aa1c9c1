//! What some brokers wrap around content: a compression, the number of a schema, a container of their own.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::names;
use crate::{Content, Error, ErrorKind, Outgoing, SchemaSource};

/// The most framings around one another.
const MOST_LAYERS: usize = 4;

/// A message as it came, with what a [`Framing`] may need beside the content.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The content, with its limits and headers.
    pub content: Content<'a>,
    /// The key of the record.
    pub key: Option<&'a [u8]>,
    /// The topic that the record was read from.
    pub topic: Option<&'a str>,
}

/// Takes off what a broker wraps around content, so that any model reads what is inside, and puts it around again.
///
/// ```
/// use hop_core::{Error, ErrorKind, Frame, Framing};
///
/// /// A checksum of four bytes before the content.
/// #[derive(Debug)]
/// struct Summed;
///
/// impl Framing for Summed {
///     fn name(&self) -> &str {
///         "summed"
///     }
///
///     fn unwrap(&self, frame: &Frame<'_>) -> Result<bytes::Bytes, Error> {
///         let all = frame.content.to_bytes();
///         if all.len() < 4 {
///             return Err(Error::new(ErrorKind::Malformed, "summed").expected("4 bytes of checksum"));
///         }
///         Ok(all.slice(4..))
///     }
/// }
/// ```
pub trait Framing: fmt::Debug + Send + Sync {
    /// Returns the name that rules in files give it.
    fn name(&self) -> &str;

    /// Returns the content inside.
    ///
    /// # Errors
    /// When the content is not in this frame, or what it refers to cannot be found.
    fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error>;

    /// Puts the frame around a message to `topic`: around its content, or into its key or headers.
    ///
    /// # Errors
    /// Kind `Unsupported` unless the framing can be written; and when the content is not what the framing is for.
    fn wrap(&self, topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
        let _ = message;
        Err(Error::new(ErrorKind::Unsupported, self.name().to_owned())
            .expected("a framing that can be written")
            .found(format!("one for reading alone, in a message to `{topic}`")))
    }

    /// Returns true if [`unwrap`](Self::unwrap) or [`wrap`](Self::wrap) may wait for a network or a disk; neither is then
    /// called on the thread of whoever reads or writes.
    fn may_wait(&self) -> bool {
        false
    }

    /// Returns true if unwrapping this message would not wait, because what it takes is known by now.
    fn can_unwrap_at_once(&self, frame: &Frame<'_>) -> bool {
        let _ = frame;
        !self.may_wait()
    }

    /// Wraps a message as [`wrap`](Self::wrap) does, if that does not wait, because what it takes is known by now.
    ///
    /// # Errors
    /// The message itself, unchanged, when wrapping it would wait. The inner result is that of [`wrap`](Self::wrap).
    fn wrap_at_once(&self, topic: &str, message: Outgoing) -> Result<Result<Outgoing, Error>, Outgoing> {
        if self.may_wait() { Err(message) } else { Ok(self.wrap(topic, message)) }
    }
}

/// A framing as the [`Registry`](crate::Registry) knows it: its name, and how it is made.
///
/// [`register_framings!`](crate::register_framings) submits one, so that rules in files and on the command line find it.
#[derive(Clone, Copy)]
pub struct FramingRegistration {
    name: &'static str,
    crate_name: &'static str,
    make: MakeFraming,
}

/// Makes a framing that looks schemas up in the source, where it needs any.
type MakeFraming = fn(Option<&Arc<dyn SchemaSource>>) -> Result<Arc<dyn Framing>, Error>;

inventory::collect!(FramingRegistration);

impl FramingRegistration {
    /// Makes the registration of a framing of the crate `crate_name`.
    pub const fn new(name: &'static str, crate_name: &'static str, make: MakeFraming) -> Self {
        Self { name, crate_name, make }
    }

    /// Returns the name of the framing.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the crate that the framing is in.
    pub const fn crate_name(&self) -> &'static str {
        self.crate_name
    }
}

impl fmt::Debug for FramingRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.crate_name)
    }
}

/// Registers framings of this crate, so that rules find them by name in every program that links the crate.
///
/// ```
/// # use std::sync::Arc;
/// # use hop_core::{Error, Frame, Framing, FramingRegistration};
/// # #[derive(Debug)]
/// # struct Summed;
/// # impl Framing for Summed {
/// #     fn name(&self) -> &str { "summed" }
/// #     fn unwrap(&self, frame: &Frame<'_>) -> Result<bytes::Bytes, Error> { Ok(frame.content.to_bytes()) }
/// # }
/// hop_core::register_framings!(FramingRegistration::new("summed", "my-crate", |_schemas| Ok(Arc::new(Summed))));
///
/// assert_eq!(hop_core::Registry::linked()?.framing("summed", None)?.name(), "summed");
/// # Ok::<(), Error>(())
/// ```
#[macro_export]
macro_rules! register_framings {
    ($($registration:expr),+ $(,)?) => {$(
        $crate::__private::inventory::submit! { $registration }
    )+};
}

/// Makes the framing called `name`: one of `known`, or several joined by `+`, the innermost first.
pub(crate) fn named(
    known: &[FramingRegistration],
    name: &str,
    schemas: Option<&Arc<dyn SchemaSource>>,
) -> Result<Arc<dyn Framing>, Error> {
    let parts = parts(known, name)?;
    let mut layers = parts.iter().map(|part| (part.make)(schemas)).collect::<Result<Vec<_>, Error>>()?;
    match (layers.pop(), layers.is_empty()) {
        (Some(only), true) => Ok(only),
        (last, _) => {
            layers.extend(last);
            Ok(Arc::new(Layers { name: name.into(), layers }))
        }
    }
}

/// Returns the framings that a name is made of.
pub(crate) fn parts(known: &[FramingRegistration], name: &str) -> Result<Vec<FramingRegistration>, Error> {
    let unknown = |part: &str| {
        Error::new(ErrorKind::UnknownFormat, "registry")
            .found(format!("unknown framing `{}`", part.escape_debug()))
            .help(match known {
                [] => "link a crate that registers it, such as hop-models".to_owned(),
                _ => {
                    let names = known.iter().map(FramingRegistration::name);
                    names::advice(part, names, "; several are joined by `+`, the innermost first")
                }
            })
    };
    let parts: Vec<_> = name
        .split('+')
        .map(|part| known.iter().find(|framing| framing.name == part).copied().ok_or_else(|| unknown(part)))
        .collect::<Result<_, _>>()?;
    match parts.len() {
        1..=MOST_LAYERS => Ok(parts),
        many => Err(Error::new(ErrorKind::Limit, "framing")
            .expected(format!("at most {MOST_LAYERS} around one another"))
            .found(many.to_string())),
    }
}

/// Framings around one another.
#[derive(Debug)]
struct Layers {
    name: Box<str>,
    /// The innermost first.
    layers: Vec<Arc<dyn Framing>>,
}

impl Framing for Layers {
    fn name(&self) -> &str {
        &self.name
    }

    fn unwrap(&self, frame: &Frame<'_>) -> Result<Bytes, Error> {
        let mut inside: Option<Bytes> = None;
        for layer in self.layers.iter().rev() {
            let next = match &inside {
                None => layer.unwrap(frame)?,
                Some(bytes) => layer.unwrap(&Frame { content: frame.content.with_bytes(bytes), ..*frame })?,
            };
            inside = Some(next);
        }
        Ok(inside.unwrap_or_else(|| frame.content.to_bytes()))
    }

    fn wrap(&self, topic: &str, message: Outgoing) -> Result<Outgoing, Error> {
        self.layers.iter().try_fold(message, |message, layer| layer.wrap(topic, message))
    }

    fn may_wait(&self) -> bool {
        self.layers.iter().any(|layer| layer.may_wait())
    }

    fn can_unwrap_at_once(&self, frame: &Frame<'_>) -> bool {
        // What the inner ones need is known only when the outer ones are off.
        let mut outermost_first = self.layers.iter().rev();
        outermost_first.next().is_none_or(|layer| layer.can_unwrap_at_once(frame))
            && !outermost_first.any(|layer| layer.may_wait())
    }

    fn wrap_at_once(&self, topic: &str, message: Outgoing) -> Result<Result<Outgoing, Error>, Outgoing> {
        // The outer layers are given what the inner ones have made of it.
        let original = self.layers.iter().skip(1).any(|layer| layer.may_wait()).then(|| message.clone());
        let mut wrapped = message;
        for layer in &self.layers {
            wrapped = match layer.wrap_at_once(topic, wrapped) {
                Ok(Ok(wrapped)) => wrapped,
                Ok(Err(error)) => return Ok(Err(error)),
                Err(unwrapped) => return Err(original.unwrap_or(unwrapped)),
            };
        }
        Ok(Ok(wrapped))
    }
}
