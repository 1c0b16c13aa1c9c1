//! One model under each codec, as its author would write it.

use std::collections::BTreeMap;

use hop_core::codec::{Cbor, Json, MessagePack, Text};
use hop_core::{HopModel, Registration, registration};
use hop_models::codec::{Avro, Confluent, Derived, SingleObject, Xml};
use serde::{Deserialize, Serialize};

hop_models::avsc!(pub(crate) SightingSchema = "../../../fixtures/codec/sighting.avsc");

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Band {
    G,
    R,
    I,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Epoch {
    pub(crate) at: String,
    pub(crate) flux: f32,
}

macro_rules! sightings {
    ($($name:ident($format:literal, $codec:ty);)*) => {
        $(
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, HopModel)]
            #[hop(format = $format, codec = $codec)]
            #[serde(rename = "Sighting")]
            pub(crate) struct $name {
                pub(crate) id: String,
                pub(crate) ra: f64,
                pub(crate) dec: f64,
                pub(crate) far: f64,
                pub(crate) magnitude: Option<f32>,
                pub(crate) band: Band,
                pub(crate) epochs: Vec<Epoch>,
                pub(crate) counts: BTreeMap<String, i64>,
                #[serde(with = "serde_bytes")]
                pub(crate) stamp: Vec<u8>,
                pub(crate) retracted: bool,
            }
        )*

        /// All of them.
        pub(crate) fn models() -> Vec<Registration> {
            vec![$(registration!($name),)* registration!(InXml), registration!(InText)]
        }
    };
}

sightings! {
    InJson("sighting-json", Json);
    InMessagePack("sighting-msgpack", MessagePack);
    InCbor("sighting-cbor", Cbor);
    InAvro("sighting-avro", Avro);
    InAvroFile("sighting-avro-file", Avro<SightingSchema>);
    InConfluent("sighting-confluent", Avro<SightingSchema, Confluent<7>>);
    InSingleObject("sighting-single-object", Avro<SightingSchema, SingleObject>);
    InDerivedObject("sighting-derived-object", Avro<Derived, SingleObject>);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "sighting-xml", codec = Xml)]
#[serde(rename = "Sighting")]
pub(crate) struct InXml {
    #[serde(rename = "@ivorn")]
    pub(crate) ivorn: String,
    pub(crate) title: String,
    pub(crate) position: Position,
    #[serde(default)]
    pub(crate) param: Vec<Param>,
    #[serde(default)]
    pub(crate) instrument: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    #[serde(rename = "@unit")]
    pub(crate) unit: String,
    pub(crate) ra: f64,
    pub(crate) dec: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Param {
    #[serde(rename = "@name")]
    pub(crate) name: String,
    #[serde(rename = "@value")]
    pub(crate) value: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "sighting-text", codec = Text)]
pub(crate) struct InText(pub(crate) String);

macro_rules! trees {
    ($($name:ident($format:literal, $codec:ty);)*) => {
        $(
            /// A model that holds itself.
            #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, HopModel)]
            #[hop(format = $format, codec = $codec)]
            #[serde(rename = "Tree")]
            pub(crate) struct $name {
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                pub(crate) a: Vec<$name>,
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                pub(crate) b: Vec<$name>,
            }
        )*

        /// Those that hold themselves.
        pub(crate) fn trees() -> Vec<Registration> {
            vec![$(registration!($name)),*]
        }
    };
}

trees! {
    JsonTree("tree-json", Json);
    MessagePackTree("tree-msgpack", MessagePack);
    CborTree("tree-cbor", Cbor);
    AvroTree("tree-avro", Avro);
    ConfluentTree("tree-confluent", Avro<Derived, Confluent<7>>);
    XmlTree("tree-xml", Xml);
}
