//! Crates of models that a program names, so that they are linked, and missed where they bring none.

use crate::{Error, ErrorKind};

/// A crate that [`plugins!`](crate::plugins) names.
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    crate_name: &'static str,
    named_in: &'static str,
}

inventory::collect!(Plugin);

impl Plugin {
    /// The crate `crate_name`, that the crate `named_in` wants models of.
    #[doc(hidden)]
    pub const fn new(crate_name: &'static str, named_in: &'static str) -> Self {
        Self { crate_name, named_in }
    }

    /// Its name as code writes it.
    pub(crate) fn crate_ident(&self) -> String {
        crate_ident(self.crate_name)
    }

    #[cold]
    pub(crate) fn registered_nothing(&self) -> Error {
        Error::new(ErrorKind::Unlinked, "plugins")
            .expected(format!("models of `{}`, which `{}` names", self.crate_name, self.named_in))
            .found("none registered")
            .help(
                "see that the crate derives `HopModel` or calls `register!`, that the features with its models are on, \
                 and, where it is renamed, write `plugins!(name = \"package\")`",
            )
    }
}

/// A crate's name as code writes it.
pub(crate) fn crate_ident(name: &str) -> String {
    name.replace('-', "_")
}

/// Links the crates it names, and has [`Registry::linked`](crate::Registry::linked) make sure that each of them registered
/// a model.
///
/// ```
/// # mod app {
/// # extern crate hop_core as donut_model;
/// hop_core::plugins!(donut_model = "hop-core");
/// # }
///
/// assert!(hop_core::Registry::linked().is_ok());
/// ```
///
/// A crate is given as code names it, `plugins!(donut_model, ztf_model)`. Where that is not the name of the package,
/// because `Cargo.toml` renames it, the package is given too: `plugins!(donuts = "donut-model")`.
///
/// A crate that registers nothing, or whose registrations the linker dropped, is an error of kind `Unlinked` when the
/// registry is made: at the start of the program, and not when the first message that it should have read comes as a blob.
#[macro_export]
macro_rules! plugins {
    ($($name:ident $(= $package:literal)?),+ $(,)?) => {$(
        #[allow(unused_imports)]
        use $name as _;

        $crate::__private::inventory::submit! {
            $crate::__private::Plugin::new(
                $crate::__package!($name $($package)?),
                ::core::env!("CARGO_PKG_NAME"),
            )
        }
    )+};
}

/// The package that a crate is of.
#[doc(hidden)]
#[macro_export]
macro_rules! __package {
    ($name:ident) => {
        ::core::stringify!($name)
    };
    ($name:ident $package:literal) => {
        $package
    };
}
