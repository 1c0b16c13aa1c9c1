//! What derived code names; not for people, and free to change with any version.

pub use bytes::Bytes;
#[cfg(feature = "testing")]
pub use hop_derive::fixtures;
pub use inventory;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Json;
pub use crate::plugins::Plugin;
use crate::reader::Target;
use crate::version::Known;
use crate::{Codec, Content, Error, MessageModel, Value};

/// A model whose fields are serde's: what `#[derive(HopModel)]` writes out where no codec is named.
///
/// Derived code goes through this one bound, so that a struct without serde's traits is one error in the derive's own
/// words; bounds on the pieces would be four, about traits that the author has not named.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fields to read and write: `HopModel` goes through serde",
    label = "derive serde's `Serialize` and `Deserialize` for `{Self}`",
    note = "#[derive(Debug, Serialize, Deserialize, HopModel)]"
)]
pub trait Via: Sized {
    /// [`MessageModel::decode`], from JSON.
    fn decode(content: Content<'_>) -> Result<Self, Error>;

    /// [`MessageModel::encode`], to JSON.
    fn encode(&self) -> Result<Bytes, Error>;

    /// [`MessageModel::load`] of a model that has older versions, whose file form is its wire form.
    fn load(file: Content<'_>) -> Result<Self, Error>;

    /// [`MessageModel::fields`].
    fn fields(&self) -> Result<Value, Error>;

    /// [`MessageModel::from_fields`].
    fn from_fields(fields: Value) -> Result<Self, Error>;

    /// [`MessageModel::schema`], as serde tells it, where the feature `schema` is on: a model takes its time to compile.
    fn schema() -> Option<Value>;
}

#[diagnostic::do_not_recommend]
impl<M: MessageModel + Serialize + DeserializeOwned> Via for M {
    fn decode(content: Content<'_>) -> Result<Self, Error> {
        // Most models have one version, and need not be compiled for more.
        if const { M::VERSION.is_alone() } {
            return read(Input::Json(M::FORMAT, const { M::VERSION.known() }, content));
        }
        <Self as By<Json>>::decode(content)
    }

    fn encode(&self) -> Result<Bytes, Error> {
        crate::codec::written(M::FORMAT, Value::of(self))
    }

    fn load(file: Content<'_>) -> Result<Self, Error> {
        <Self as By<Json>>::load(file)
    }

    fn fields(&self) -> Result<Value, Error> {
        about(M::FORMAT, Value::of(self))
    }

    fn from_fields(fields: Value) -> Result<Self, Error> {
        if const { M::VERSION.is_alone() } {
            return read(Input::Fields(M::FORMAT, &fields));
        }
        M::VERSION.from_fields(fields, |fields| read(Input::Fields(M::FORMAT, fields)))
    }

    #[cfg(feature = "schema")]
    fn schema() -> Option<Value> {
        Some(crate::schema::traced::<M>())
    }

    #[cfg(not(feature = "schema"))]
    fn schema() -> Option<Value> {
        None
    }
}

/// What a model labelled so is read from.
enum Input<'a> {
    Json(&'static str, Known, Content<'a>),
    Fields(&'static str, &'a Value),
}

fn read<M: DeserializeOwned>(input: Input<'_>) -> Result<M, Error> {
    let mut place = None;
    if let Some(error) = fill(input, &mut place) {
        return Err(error);
    }
    match place {
        Some(model) => Ok(model),
        None => Err(crate::reader::nothing()),
    }
}

/// Fills the place of a model; what is wrong where it is not filled.
fn fill(input: Input<'_>, model: &mut dyn for<'de> Target<'de>) -> Option<Error> {
    match input {
        Input::Json(format, known, content) => match known.refusal(format, content.headers()) {
            None => crate::json::read(format, content, model).err(),
            refusal => refusal,
        },
        Input::Fields(format, fields) => crate::value::read(fields, model).err().map(|error| error.about(format)),
    }
}

fn about(format: &'static str, fields: Result<Value, Error>) -> Result<Value, Error> {
    fields.map_err(|error| error.about(format))
}

/// A model whose wire form is the codec `C`'s: the same for one that is named.
pub trait By<C>: Sized {
    /// [`MessageModel::decode`].
    fn decode(content: Content<'_>) -> Result<Self, Error>;

    /// [`MessageModel::encode`].
    fn encode(&self) -> Result<Bytes, Error>;

    /// [`MessageModel::load`] of a model that has older versions, whose file form is its wire form.
    fn load(file: Content<'_>) -> Result<Self, Error>;
}

impl<C: Codec<M>, M: MessageModel> By<C> for M {
    fn decode(content: Content<'_>) -> Result<Self, Error> {
        if const { M::VERSION.is_alone() } {
            return match const { M::VERSION.known() }.refusal(M::FORMAT, content.headers()) {
                None => C::decode(M::FORMAT, content),
                Some(error) => Err(error),
            };
        }
        M::VERSION.decode(content, |content| C::decode(M::FORMAT, content))
    }

    fn encode(&self) -> Result<Bytes, Error> {
        C::encode(M::FORMAT, self)
    }

    fn load(file: Content<'_>) -> Result<Self, Error> {
        M::VERSION.load(file, |file| C::decode(M::FORMAT, file))
    }
}

/// The schema of a model: the one it derives from `schemars`, or else the one that serde tells.
///
/// Which of the two is settled where the model is derived. `or` is looked for on the type first, where it is for models that
/// are `JsonSchema` alone, and then on the trait, where it is for all.
#[derive(Debug)]
pub struct Schema<M>(std::marker::PhantomData<M>);

#[cfg(feature = "schema")]
impl<M: schemars::JsonSchema> Schema<M> {
    /// [`MessageModel::schema`].
    pub fn or(_told: fn() -> Option<Value>) -> Option<Value> {
        Value::of(&schemars::schema_for!(M)).ok()
    }
}

/// [`Schema::or`] of models that are not `JsonSchema`.
pub trait Told {
    /// [`MessageModel::schema`].
    fn or(told: fn() -> Option<Value>) -> Option<Value>;
}

impl<M> Told for Schema<M> {
    fn or(told: fn() -> Option<Value>) -> Option<Value> {
        told()
    }
}
