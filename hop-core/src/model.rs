//! What a message model is: the typed trait that authors implement, and its erased twin that the registry hands out.

use std::any::Any;
use std::fmt;

use bytes::Bytes;

use crate::summary::Summary;
use crate::{Content, Error, Value, Version};

/// A type that messages of one format turn into, and back.
///
/// Most models derive it (`#[derive(HopModel)]`, feature `derive`). By hand it takes a label, the two directions of the
/// wire, and the fields to show:
///
/// ```
/// use bytes::Bytes;
/// use hop_core::{Content, Error, MessageModel, Value};
///
/// /// Plain text under a label of its own.
/// #[derive(Debug, Clone, PartialEq)]
/// struct Telegram(String);
///
/// impl MessageModel for Telegram {
///     const FORMAT: &'static str = "telegram";
///
///     fn decode(content: Content<'_>) -> Result<Self, Error> {
///         Ok(Self(content.as_str(Self::FORMAT)?.to_owned()))
///     }
///
///     fn encode(&self) -> Result<Bytes, Error> {
///         Ok(self.0.clone().into())
///     }
///
///     fn fields(&self) -> Result<Value, Error> {
///         Ok(Value::object([("text", self.0.as_str().into())]))
///     }
/// }
///
/// let telegram = Telegram::decode("Nova in Cygnus".into())?;
/// assert_eq!(telegram.encode()?, "Nova in Cygnus");
/// # Ok::<(), Error>(())
/// ```
///
/// A message has two forms. `decode` and `encode` are the wire: the content of a Kafka record. `load` and `dump` are the
/// file that a person keeps on disk. They are the same unless the model says otherwise; a GCN circular is text in a file
/// and JSON on the wire.
///
/// Content comes from the network: `decode` and `load` return an [`Error`] for anything they cannot read, and never panic.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message model",
    label = "derive `HopModel` for `{Self}`, or write `impl MessageModel for {Self}`"
)]
pub trait MessageModel: fmt::Debug + Send + Sync + Sized + 'static {
    /// The label in the `_format` header: lower case, at most 64 of `a-z`, `0-9`, `-`, `_`, `.`.
    const FORMAT: &'static str;

    /// Other labels that content of this model comes under; it is sent under [`FORMAT`](Self::FORMAT).
    const ALIASES: &'static [&'static str] = &[];

    /// Which version of its format this is, and which older ones it reads.
    const VERSION: Version<Self> = Version::UNMARKED;

    /// The model from its wire form.
    ///
    /// # Errors
    /// When the content is not this model's.
    fn decode(content: Content<'_>) -> Result<Self, Error>;

    /// The wire form.
    ///
    /// # Errors
    /// When the model holds something its format cannot express.
    fn encode(&self) -> Result<Bytes, Error>;

    /// Returns the label that the wire form is sent under: [`FORMAT`](Self::FORMAT) unless overridden.
    ///
    /// It is another one where the wire form is a wider format that readers know without this model: a notice that is JSON
    /// is sent as `json`. Such a model is found by a rule for its topic, not by the header.
    fn sent_as(&self) -> &'static str {
        Self::FORMAT
    }

    /// Returns true if the message is to have no value: null, which a compacted topic takes for the deletion of the key.
    /// It is then sent without calling [`encode`](Self::encode). No model but [`Blob`](crate::Blob) is ever null unless it
    /// says so here.
    fn is_null(&self) -> bool {
        false
    }

    /// The model from its file form; the wire form unless overridden.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    fn load(file: Content<'_>) -> Result<Self, Error> {
        Self::decode(file)
    }

    /// The file form; the wire form unless overridden.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn dump(&self) -> Result<Bytes, Error> {
        self.encode()
    }

    /// The fields by name, for people and programs that do not know the type.
    ///
    /// # Errors
    /// When the fields cannot be shown as values.
    fn fields(&self) -> Result<Value, Error>;

    /// The model from its fields, as envelopes from before hop-client 0.6 carry them.
    ///
    /// Unless overridden, the fields are written as JSON and decoded as the wire form.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    fn from_fields(fields: Value) -> Result<Self, Error> {
        let content = fields.to_json()?;
        Self::decode(content.as_slice().into())
    }

    /// The [JSON Schema](https://json-schema.org) of the [`fields`](Self::fields), for programs that do not have the type;
    /// `None` where the model has none to show.
    ///
    /// A derived model has one by itself, with the feature `schema`; see [`schema`](crate::schema).
    fn schema() -> Option<Value> {
        None
    }

    /// Says what, where and when: the answer to show first, whatever the format.
    ///
    /// Unless overridden it says only the label. See [`Summary`](crate::Summary).
    fn summary(&self) -> Summary {
        Summary::new(Self::FORMAT)
    }

    /// A small message of this kind, for demonstrations and self-tests; `None` where the model has none to show.
    fn example() -> Option<Self> {
        None
    }
}

/// A [`MessageModel`] of which only the label is known; what dispatch by `_format` returns.
///
/// Every model is one, by a blanket implementation. `dyn AnyModel` is asked for the type with `is`, `downcast_ref` or
/// `downcast`:
///
/// ```
/// use hop_core::{AnyModel, Blob};
///
/// let model: Box<dyn AnyModel> = Box::new(Blob::from(&b"\x00\x01"[..]));
/// assert_eq!(model.format(), "blob");
/// assert_eq!(model.downcast_ref::<Blob>().map(|blob| blob.content.len()), Some(2));
/// ```
pub trait AnyModel: fmt::Debug + Send + Sync + Any {
    /// The label, [`MessageModel::FORMAT`].
    fn format(&self) -> &'static str;

    /// The number of the version, [`MessageModel::VERSION`], where messages state it.
    fn version(&self) -> Option<u32>;

    /// Whether the message is to have no value, [`MessageModel::is_null`].
    fn is_null(&self) -> bool;

    /// The wire form, [`MessageModel::encode`].
    ///
    /// # Errors
    /// As there.
    fn encode(&self) -> Result<Bytes, Error>;

    /// The label that it is sent under, [`MessageModel::sent_as`].
    fn sent_as(&self) -> &'static str;

    /// The file form, [`MessageModel::dump`].
    ///
    /// # Errors
    /// As there.
    fn dump(&self) -> Result<Bytes, Error>;

    /// The fields, [`MessageModel::fields`].
    ///
    /// # Errors
    /// As there.
    fn fields(&self) -> Result<Value, Error>;

    /// Says what, where and when, [`MessageModel::summary`].
    fn summary(&self) -> Summary;
}

impl<M: MessageModel> AnyModel for M {
    fn format(&self) -> &'static str {
        M::FORMAT
    }

    fn version(&self) -> Option<u32> {
        const { M::VERSION.number() }
    }

    fn is_null(&self) -> bool {
        MessageModel::is_null(self)
    }

    fn encode(&self) -> Result<Bytes, Error> {
        MessageModel::encode(self)
    }

    fn sent_as(&self) -> &'static str {
        MessageModel::sent_as(self)
    }

    fn dump(&self) -> Result<Bytes, Error> {
        MessageModel::dump(self)
    }

    fn fields(&self) -> Result<Value, Error> {
        MessageModel::fields(self)
    }

    fn summary(&self) -> Summary {
        MessageModel::summary(self)
    }
}

impl dyn AnyModel {
    /// Whether this is an `M`.
    pub fn is<M: MessageModel>(&self) -> bool {
        (self as &dyn Any).is::<M>()
    }

    /// The model as an `M`, if it is one.
    pub fn downcast_ref<M: MessageModel>(&self) -> Option<&M> {
        (self as &dyn Any).downcast_ref()
    }

    /// The model as an owned `M`, or itself back.
    ///
    /// # Errors
    /// The model unchanged, when it is of another type.
    pub fn downcast<M: MessageModel>(self: Box<Self>) -> Result<Box<M>, Box<Self>> {
        if self.is::<M>() {
            let any: Box<dyn Any> = self;
            // `is` has just said yes, so this cannot be the error.
            Ok(any.downcast().unwrap_or_else(|_| unreachable!("type checked above")))
        } else {
            Err(self)
        }
    }
}
