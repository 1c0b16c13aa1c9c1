//! What derived code names; not for people, and free to change with any version.

pub use bytes::Bytes;
pub use inventory;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Codec, Content, Error, MessageModel, Value};

/// A model whose wire form is codec `C`'s, and whose fields are serde's: all that `#[derive(HopModel)]` writes out.
///
/// Derived code goes through this one bound, so that a struct without serde's traits is one error in the derive's own
/// words; bounds on the pieces would be four, about traits that the author has not named.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no codec: `HopModel` reads and writes its fields through serde",
    label = "derive serde's `Serialize` and `Deserialize` for `{Self}`",
    note = "#[derive(Debug, Serialize, Deserialize, HopModel)]"
)]
pub trait Via<C>: Sized {
    /// [`MessageModel::decode`].
    fn decode(content: Content<'_>) -> Result<Self, Error>;

    /// [`MessageModel::encode`].
    fn encode(&self) -> Result<Bytes, Error>;

    /// [`MessageModel::fields`].
    fn fields(&self) -> Result<Value, Error>;

    /// [`MessageModel::from_fields`].
    fn from_fields(fields: Value) -> Result<Self, Error>;
}

#[diagnostic::do_not_recommend]
impl<C: Codec<M>, M: MessageModel + Serialize + DeserializeOwned> Via<C> for M {
    fn decode(content: Content<'_>) -> Result<Self, Error> {
        C::decode(M::FORMAT, content)
    }

    fn encode(&self) -> Result<Bytes, Error> {
        C::encode(M::FORMAT, self)
    }

    fn fields(&self) -> Result<Value, Error> {
        Value::of(self).map_err(|error| error.about(M::FORMAT))
    }

    fn from_fields(fields: Value) -> Result<Self, Error> {
        fields.read().map_err(|error| error.about(M::FORMAT))
    }
}
