//! What a reader hands over.

use hop_core::{AnyModel, MessageModel, Record, Route};

/// One message: the model, the way it was found, and the record as it was received.
#[derive(Debug)]
pub struct Alert {
    /// The model.
    pub model: Box<dyn AnyModel>,
    /// By which rung of the ladder it was found.
    pub route: Route,
    /// Topic, partition, offset, timestamp, key, headers, and the content byte for byte.
    pub record: Record,
}

impl Alert {
    /// The model as an `M`, if it is one.
    pub fn get<M: MessageModel>(&self) -> Option<&M> {
        self.model.downcast_ref()
    }

    /// The model as an owned `M`, or the alert back.
    ///
    /// # Errors
    /// The alert unchanged, when its model is of another type.
    pub fn into_model<M: MessageModel>(self) -> Result<M, Box<Self>> {
        let Self { model, route, record } = self;
        match model.downcast() {
            Ok(model) => Ok(*model),
            Err(model) => Err(Box::new(Self { model, route, record })),
        }
    }
}

/// One message of a reader for a single format.
#[derive(Debug)]
pub struct Typed<M> {
    /// The model.
    pub model: M,
    /// Topic, partition, offset, timestamp, key, headers, and the content byte for byte.
    pub record: Record,
}
