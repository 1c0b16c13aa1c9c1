//! Rubin's schemas, whose numbers follow from their versions.

use std::sync::Arc;

use hop_core::{Error, SchemaChain, SchemaSource};

use super::{Confluent, EmbeddedSchemas};
use crate::avro::Schema;

/// Version 11.0 of Rubin's alerts: the record, and what it refers to.
const V11_0: [&str; 6] = [
    include_str!("../../schemas/lsst/lsst.v11_0.alert.avsc"),
    include_str!("../../schemas/lsst/lsst.v11_0.diaForcedSource.avsc"),
    include_str!("../../schemas/lsst/lsst.v11_0.diaObject.avsc"),
    include_str!("../../schemas/lsst/lsst.v11_0.diaSource.avsc"),
    include_str!("../../schemas/lsst/lsst.v11_0.mpc_orbits.avsc"),
    include_str!("../../schemas/lsst/lsst.v11_0.ssSource.avsc"),
];

/// Returns the number that Rubin's registry gives to the schema of that version: a hundred for each major, one for each
/// minor.
const fn number(major: u32, minor: u32) -> u32 {
    major * 100 + minor
}

/// Returns Rubin's schemas that are part of this crate, by their numbers in Rubin's registry: that of version 11.0 is 1100.
///
/// # Errors
/// Those of [`Schema::parse`].
pub fn rubin_schemas() -> Result<EmbeddedSchemas, Error> {
    let [alert, others @ ..] = V11_0;
    let schema = Schema::parse_with(alert, others)?;
    let mut schemas = EmbeddedSchemas::new();
    schemas.add(schema.text(), Some(number(11, 0)))?;
    Ok(schemas)
}

/// Makes [`Confluent`]'s framing as Rubin's broker has it: schemas are looked up in `source`, which is Rubin's registry or
/// none, then among [those of this crate](rubin_schemas). Only for messages of Rubin: in other registries its numbers stand for
/// other schemas.
pub fn rubin(source: Option<Arc<dyn SchemaSource>>) -> Confluent {
    let embedded = rubin_schemas().map(|schemas| Arc::new(schemas) as Arc<dyn SchemaSource>);
    // A test parses the schemas; there is nothing that could be wrong with them here.
    Confluent::named("rubin", Arc::new(SchemaChain::new(source.into_iter().chain(embedded))))
}

#[cfg(test)]
mod tests {
    use hop_core::SchemaId;

    use super::*;

    #[test]
    fn the_schema_of_version_11_0_is_number_1100() {
        let found = rubin_schemas().unwrap().schema(&SchemaId::Number(1100)).unwrap().unwrap();
        let schema = Schema::parse(&found.text).unwrap();
        assert_eq!(schema.json()["name"].as_str(), Some("lsst.v11_0.alert"));
    }
}
