//! Versions of a model: which one it is, and which older ones it reads.

use std::any::TypeId;
use std::error::Error as StdError;
use std::fmt;

use crate::error::shorten;
use crate::{Content, Error, ErrorKind, Headers, MessageModel, Value, header};

/// Which version of its format the model `M` is, and which older versions it reads; [`MessageModel::VERSION`].
///
/// The version of a message stands in its header [`format-version`](header::VERSION), a number in decimal digits. The
/// content is that of the model and nothing else, whatever the codec, so that who knows no versions reads it as ever.
///
/// | the message says | what happens |
/// |---|---|
/// | the version of the model | the model reads it |
/// | an older version that it knows | the older model reads it, and it is converted |
/// | any other version | an error that names it, and the versions that are known |
/// | nothing, as files do and messages from before there were versions | the model reads it, or else the newest older one that can |
///
/// Where nothing is said, content that fits several versions is read as the newest of them. So a version that changes what
/// a field means, and not what it is called, has to be told by the header: mark the messages, `version = 1`, before there
/// is a second version.
///
/// ```standalone_crate
/// # #[cfg(feature = "derive")] {
/// use hop_core::{Encoder, HopModel, MessageModel, Registry};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize, HopModel)]
/// #[hop(format = "donut")]
/// struct DonutV1 { flavor: String }
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "donut", version = 2, upgrade_from = DonutV1)]
/// struct Donut { flavors: Vec<String> }
///
/// impl From<DonutV1> for Donut {
///     fn from(old: DonutV1) -> Self {
///         Self { flavors: vec![old.flavor] }
///     }
/// }
///
/// let sent = Encoder::new().encode(&DonutV1 { flavor: "maple".into() })?;
/// let received = Registry::linked()?.decode(&sent.headers, (&sent.content).into())?;
/// assert_eq!(received.model.downcast_ref(), Some(&Donut { flavors: vec!["maple".into()] }));
///
/// let sent = Encoder::new().encode(&Donut { flavors: vec!["maple".into()] })?;
/// assert_eq!(sent.headers.get("format-version"), Some(&b"2"[..]));
/// # }
/// # Ok::<(), hop_core::Error>(())
/// ```
///
/// A model made by hand sets [`MessageModel::VERSION`], and leaves `decode`, `load` and `from_fields` to it:
///
/// ```
/// # use bytes::Bytes;
/// use hop_core::{Content, Error, MessageModel, Value, Version};
///
/// # #[derive(Debug)]
/// # struct Telegram(String);
/// # impl MessageModel for Telegram {
/// #     const FORMAT: &'static str = "telegram";
/// #     fn decode(content: Content<'_>) -> Result<Self, Error> { Ok(Self(content.as_str("telegram")?.to_owned())) }
/// #     fn encode(&self) -> Result<Bytes, Error> { Ok(self.0.clone().into()) }
/// #     fn fields(&self) -> Result<Value, Error> { Ok(Value::Null) }
/// # }
/// /// Telegrams of one line.
/// #[derive(Debug)]
/// struct Line(String);
///
/// impl TryFrom<Telegram> for Line {
///     type Error = &'static str;
///
///     fn try_from(old: Telegram) -> Result<Self, &'static str> {
///         if old.0.contains('\n') { Err("it has several lines") } else { Ok(Self(old.0)) }
///     }
/// }
///
/// impl MessageModel for Line {
///     const FORMAT: &'static str = "telegram";
///     const VERSION: Version<Self> = Version::new(2).upgrade_from::<Telegram>();
///
///     fn decode(content: Content<'_>) -> Result<Self, Error> {
///         Self::VERSION.decode(content, |content| match content.as_str("telegram")?.strip_prefix("2 ") {
///             Some(line) => Ok(Self(line.to_owned())),
///             None => Err(Error::new(hop_core::ErrorKind::Invalid, "telegram").expected("`2 ` and a line")),
///         })
///     }
///     // …
/// #     fn encode(&self) -> Result<Bytes, Error> { Ok(format!("2 {}", self.0).into()) }
/// #     fn fields(&self) -> Result<Value, Error> { Ok(Value::Null) }
/// }
///
/// assert_eq!(Line::decode("2 Nova".into())?.0, "Nova");
/// assert_eq!(Line::decode("Nova".into())?.0, "Nova");
/// assert_eq!(
///     Line::decode("Nova\nCygni".into()).unwrap_err().to_string(),
///     "telegram: expected version 2 or 1, found neither (version 2: expected `2 ` and a line) \
///      (version 1: does not turn into version 2: it has several lines)",
/// );
/// # Ok::<(), Error>(())
/// ```
pub struct Version<M> {
    number: Option<u32>,
    older: Option<Older<M>>,
}

/// How `M` is made of an older model.
struct Older<M> {
    lineage: &'static Lineage,
    decode: fn(Content<'_>) -> Result<M, Error>,
    load: fn(Content<'_>) -> Result<M, Error>,
    from_fields: fn(Value) -> Result<M, Error>,
}

impl<M> Copy for Version<M> {}

impl<M> Clone for Version<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Older<M> {}

impl<M> Clone for Older<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Version<M> {
    /// The only version so far, which its messages do not state: it counts as version 1.
    pub const UNMARKED: Self = Self { number: None, older: None };

    /// Version `number`, from 1, which messages state.
    ///
    /// # Panics
    /// Where `number` is 0; in a constant this is an error of the compiler's.
    #[allow(clippy::panic, reason = "for constants, where it does not compile")]
    pub const fn new(number: u32) -> Self {
        if number == 0 {
            panic!("versions count from 1");
        }
        Self { number: Some(number), older: None }
    }

    /// The number; `None` where messages do not state it.
    pub const fn number(&self) -> Option<u32> {
        self.number
    }

    /// The older models that this one reads, the newest first.
    pub(crate) const fn lineage(&self) -> Option<&'static Lineage> {
        match self.older {
            Some(older) => Some(older.lineage),
            None => None,
        }
    }
}

impl<M: MessageModel> Version<M> {
    /// The same version, which also reads what `Old` reads, its older versions included.
    ///
    /// The registry then gives `M` for the labels of `Old` too, and does not take `Old` beside it. It does so where
    /// both are in one crate: a model of another crate keeps its labels.
    ///
    /// # Panics
    /// Where `Old` is not an older version; in a constant this is an error of the compiler's.
    #[must_use]
    #[allow(clippy::panic, reason = "for constants, where it does not compile")]
    pub const fn upgrade_from<Old: MessageModel>(self) -> Self
    where
        M: UpgradeFrom<Old>,
    {
        if unmarked_is_first(self.number) <= Of::<Old>::LINEAGE.number {
            panic!("the model to upgrade from is not of an older version: give the newer one a higher `version`");
        }
        let older = Older {
            lineage: &Of::<Old>::LINEAGE,
            decode: |content| upgrade(Old::decode(content)?),
            load: |file| upgrade(Old::load(file)?),
            from_fields: |fields| upgrade(Old::from_fields(fields)?),
        };
        Self { number: self.number, older: Some(older) }
    }

    /// The model in `content`: read by `newest`, or by the older model that wrote it.
    ///
    /// # Errors
    /// Kind `Unsupported` where the message states a version that is not known; else what the models say.
    pub fn decode(&self, content: Content<'_>, newest: fn(Content<'_>) -> Result<M, Error>) -> Result<M, Error> {
        match self.older {
            Some(older) => self.read(content, newest, older.decode),
            None => match self.known().refusal(M::FORMAT, content.headers()) {
                None => newest(content),
                Some(error) => Err(error),
            },
        }
    }

    /// As [`decode`](Self::decode), for the file form.
    ///
    /// # Errors
    /// As there.
    pub fn load(&self, file: Content<'_>, newest: fn(Content<'_>) -> Result<M, Error>) -> Result<M, Error> {
        match self.older {
            Some(older) => self.read(file, newest, older.load),
            None => self.decode(file, newest),
        }
    }

    /// As [`decode`](Self::decode), for the fields that an envelope carries.
    ///
    /// # Errors
    /// As there.
    pub fn from_fields(&self, fields: Value, newest: fn(&Value) -> Result<M, Error>) -> Result<M, Error> {
        match (newest(&fields), self.older) {
            (Err(error), Some(older)) => either(error, M::FORMAT, self.known(), || (older.from_fields)(fields)),
            (read, _) => read,
        }
    }

    /// Whether there are no older versions.
    pub(crate) const fn is_alone(&self) -> bool {
        self.older.is_none()
    }

    fn read(
        &self,
        content: Content<'_>,
        newest: fn(Content<'_>) -> Result<M, Error>,
        older: fn(Content<'_>) -> Result<M, Error>,
    ) -> Result<M, Error> {
        match reader(content.headers(), M::FORMAT, self.known())? {
            Reader::Newest => newest(content),
            Reader::Older => older(content),
            Reader::Any => match newest(content) {
                Err(error) => either(error, M::FORMAT, self.known(), || older(content)),
                read => read,
            },
        }
    }

    pub(crate) const fn known(&self) -> Known {
        Known { newest: unmarked_is_first(self.number), older: self.lineage() }
    }
}

impl<M> fmt::Debug for Version<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older: Vec<u32> = self.lineage().into_iter().flat_map(Lineage::numbers).collect();
        f.debug_struct("Version").field("number", &self.number).field("older", &older).finish()
    }
}

/// Who reads a message.
enum Reader {
    Newest,
    Older,
    /// The newest, or else the older.
    Any,
}

/// The versions that a model reads.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    newest: u32,
    older: Option<&'static Lineage>,
}

impl Known {
    /// What is wrong with the version that a message states, for a model without older ones.
    pub(crate) fn refusal(self, format: &'static str, headers: &Headers) -> Option<Error> {
        reader(headers, format, self).err()
    }

    /// The newest first.
    fn numbers(self) -> Vec<u32> {
        std::iter::once(self.newest).chain(self.older.into_iter().flat_map(Lineage::numbers)).collect()
    }
}

/// Who reads a message with these headers.
fn reader(headers: &Headers, format: &'static str, known: Known) -> Result<Reader, Error> {
    let Some(stated) = headers.get(header::VERSION) else { return Ok(Reader::Any) };
    // What is not UTF-8 is no number either.
    let stated = std::str::from_utf8(stated).unwrap_or("\u{FFFD}");
    match stated.parse() {
        Ok(number) if number == known.newest => Ok(Reader::Newest),
        Ok(number) if known.numbers().contains(&number) => Ok(Reader::Older),
        _ => Err(unknown(format, &known.numbers(), stated)),
    }
}

/// A model that another one turns into; every `From` and `TryFrom` is one.
#[diagnostic::on_unimplemented(
    message = "`{Old}` does not turn into `{Self}`, which is to upgrade from it",
    label = "write `impl From<{Old}> for {Self}`, or `TryFrom` with an error that can be printed",
    note = "impl From<{Old}> for {Self} {{ fn from(old: {Old}) -> Self {{ … }} }}"
)]
pub trait UpgradeFrom<Old>: Sized {
    /// The newer model.
    ///
    /// # Errors
    /// What the conversion says.
    fn upgrade_from(old: Old) -> Result<Self, Box<dyn StdError + Send + Sync>>;
}

#[diagnostic::do_not_recommend]
impl<Old, M> UpgradeFrom<Old> for M
where
    M: TryFrom<Old, Error: Into<Box<dyn StdError + Send + Sync>>>,
{
    fn upgrade_from(old: Old) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        Self::try_from(old).map_err(Into::into)
    }
}

/// A model and those before it, without their types.
pub(crate) struct Lineage {
    pub(crate) format: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) type_id: fn() -> TypeId,
    number: u32,
    older: Option<&'static Lineage>,
}

impl Lineage {
    /// This model, and those before it.
    pub(crate) fn models(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |model| model.older)
    }

    fn numbers(&self) -> impl Iterator<Item = u32> {
        self.models().map(|model| model.number)
    }
}

/// Holds the lineage of `M` where a reference to it is for ever.
struct Of<M>(std::marker::PhantomData<M>);

impl<M: MessageModel> Of<M> {
    const LINEAGE: Lineage = Lineage {
        format: M::FORMAT,
        aliases: M::ALIASES,
        type_id: TypeId::of::<M>,
        number: unmarked_is_first(M::VERSION.number),
        older: M::VERSION.lineage(),
    };
}

const fn unmarked_is_first(number: Option<u32>) -> u32 {
    match number {
        Some(number) => number,
        None => 1,
    }
}

fn upgrade<M: MessageModel + UpgradeFrom<Old>, Old: MessageModel>(old: Old) -> Result<M, Error> {
    M::upgrade_from(old).map_err(|reason| {
        let number = unmarked_is_first(M::VERSION.number);
        Error::new(ErrorKind::Invalid, M::FORMAT)
            .found(format!("does not turn into version {number}: {}", shorten(&reason.to_string())))
            .source(reason)
    })
}

/// `3, 2 or 1`
fn listed(numbers: &[u32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    match numbers.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cold]
fn unknown(format: &'static str, known: &[u32], stated: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format)
        .expected(format!("version {}, which this program knows", listed(known)))
        .found(format!("version {}", shorten(&stated.escape_debug().to_string())))
        .help("a newer release of the model's crate may know it")
}

/// What the older model makes of content that the newest refused, or what both say of it.
#[cold]
fn either<M>(
    newest: Error,
    format: &'static str,
    known: Known,
    older: impl FnOnce() -> Result<M, Error>,
) -> Result<M, Error> {
    // What is beyond the limits is so for any version.
    if newest.kind() == ErrorKind::Limit {
        return Err(newest);
    }
    older().map_err(|older| neither(format, &known.numbers(), newest, &older))
}

/// What each version says of content that is none of them.
#[derive(Debug)]
struct Reasons(Vec<String>);

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl StdError for Reasons {}

fn neither(format: &'static str, known: &[u32], newest: Error, older: &Error) -> Error {
    /// A chain of versions may be long, and a message must not be.
    const MOST: usize = 4;
    let reason = |number: u32, error: &Error| format!("(version {number}: {})", shorten(&error.details().to_string()));
    let [number, before, ..] = known else { return newest };
    let mut reasons = vec![reason(*number, &newest)];
    match older.source_ref::<Reasons>() {
        Some(earlier) => reasons.extend(earlier.0.iter().cloned()),
        None => reasons.push(reason(*before, older)),
    }
    reasons.truncate(MOST);
    let none = if known.len() == 2 { "neither" } else { "none of them" };
    let reasons = Reasons(reasons);
    Error::new(newest.kind(), format)
        .expected(format!("version {}", listed(known)))
        .found(format!("{none} {reasons}"))
        .source(reasons)
}
