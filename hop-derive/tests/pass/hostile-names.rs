// Nothing in scope can get between the derived code and what it means.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused_qualifications, clippy::all)]

//! A crate with every lint on.

/// Nothing is in scope, and what is has the wrong meaning.
pub mod bare {
    #![no_implicit_prelude]
    #![allow(dead_code, unused_macros)]

    mod hop_core {}
    mod core {}
    mod std {}
    struct Result;
    struct Value;
    struct Error;
    struct Via;
    macro_rules! env {
        ($($tokens:tt)*) => {
            compile_error!("the wrong env!")
        };
    }

    /// A model.
    #[derive(::std::fmt::Debug, ::serde::Serialize, ::serde::Deserialize, ::hop_core::HopModel)]
    pub struct Telegram {
        /// Named as derived code might name things.
        pub content: u8,
        /// The same.
        pub fields: u8,
    }

    impl Telegram {
        /// Of the type, and not of the model.
        pub const FORMAT: u8 = 1;

        /// The same.
        pub fn decode() {}

        /// The same.
        pub fn encode(&self) {}

        /// The same.
        pub fn fields(&self) {}

        /// The same.
        pub fn from_fields() {}
    }
}

fn main() {
    let telegram = hop_core::Registry::linked().unwrap().require("telegram").unwrap();
    let model = telegram.decode(r#"{"content": 1, "fields": 2}"#.into()).unwrap();
    assert_eq!(model.encode().unwrap(), r#"{"content": 1, "fields": 2}"#);

    // Within a function, and by a path to a re-export.
    mod facade {
        pub use hop_core as alerts;
    }
    #[derive(Debug, serde::Serialize, serde::Deserialize, facade::alerts::HopModel)]
    #[hop(crate = facade::alerts)]
    struct Local {}
    assert!(hop_core::Registry::linked().unwrap().get("local").is_some());
}
