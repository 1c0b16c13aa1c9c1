//! Every model of this crate keeps the promises of any; see [`hop_core::testing::conforms`].

use hop_core::registration;
use hop_core::testing::{Failures, conforms};
use hop_models::{AvroBlob, Circular, External, TextNotice, VoEvent};

#[test]
fn voevent_conforms() -> Result<(), Failures> {
    conforms::<VoEvent>(registration!(VoEvent), []).map(drop)
}

#[test]
fn circular_conforms() -> Result<(), Failures> {
    conforms::<Circular>(registration!(Circular), []).map(drop)
}

#[test]
fn text_notice_conforms() -> Result<(), Failures> {
    conforms::<TextNotice>(registration!(TextNotice), []).map(drop)
}

#[test]
fn avro_conforms() -> Result<(), Failures> {
    conforms::<AvroBlob>(registration!(AvroBlob), []).map(drop)
}

#[test]
fn external_conforms() -> Result<(), Failures> {
    conforms::<External>(registration!(External), []).map(drop)
}
