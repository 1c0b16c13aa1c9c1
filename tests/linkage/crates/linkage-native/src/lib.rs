//! A library for programs in other languages, with the models of a crate that it names.

#![allow(unsafe_code, reason = "a function that C can call takes an unsafe attribute")]

hop_core::plugins!(linkage_named);

/// How many models are linked besides those of hop-core; -1 where there is no registry, because a crate that is named
/// registered nothing.
#[unsafe(no_mangle)]
pub extern "C" fn linkage_models() -> i32 {
    match hop_core::Registry::linked() {
        Ok(registry) => {
            registry.iter().filter(|model| model.crate_name() != "hop-core").count().try_into().unwrap_or(-1)
        }
        Err(_) => -1,
    }
}
