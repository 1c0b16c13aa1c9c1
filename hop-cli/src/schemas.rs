//! Where schemas are looked up, as the options say.

use std::path::Path;
use std::sync::Arc;

use hop_core::{SchemaChain, SchemaSource};
use hop_kafka::{Auth, SchemaRegistry};
use hop_models::framing::SchemaFolder;

use crate::failure::Failure;

/// Returns the sources: the folder, then the registry, which a credential of the user's file logs in to, whether or not the
/// broker is one without authentication.
pub(crate) fn source(
    folder: Option<&Path>,
    registry: Option<&str>,
    registering: bool,
) -> Result<Option<Arc<dyn SchemaSource>>, Failure> {
    let mut sources: Vec<Arc<dyn SchemaSource>> = Vec::new();
    if let Some(folder) = folder {
        sources.push(Arc::new(SchemaFolder::open(folder)?));
    }
    if let Some(url) = registry {
        sources.push(Arc::new(SchemaRegistry::with_auth(url, &Auth::File)?.registering(registering)));
    }
    Ok(match sources.is_empty() {
        true => None,
        false => Some(Arc::new(SchemaChain::new(sources))),
    })
}
