//! What the derive was asked for, checked: after this, nothing can be wrong but the types of the fields.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitStr, Path, parse_quote};

use crate::mistakes::Mistakes;
use crate::{attr, label};

/// A model to be made.
pub(crate) struct Model<'a> {
    /// The type.
    pub(crate) ident: &'a Ident,
    /// Its label.
    pub(crate) format: LitStr,
    /// The function that makes an example, if there is one.
    pub(crate) example: Option<Path>,
    /// Where hop-core is.
    pub(crate) krate: Path,
}

/// Where hop-core is, unless `#[hop(crate = …)]` says otherwise.
fn default_crate() -> Path {
    parse_quote!(::hop_core)
}

/// What stands in the way of a model, and where hop-core is all the same.
pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) krate: Path,
}

impl<'a> Model<'a> {
    /// The model that `input` describes.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub(crate) fn of(input: &'a DeriveInput) -> Result<Self, Refused> {
        let mut mistakes = Mistakes::default();
        let attrs = attr::Attrs::of(&input.attrs, &mut mistakes);
        let attrs_are_clear = mistakes.is_empty();
        let format = match attrs.format {
            Some(format) => {
                if let Err(reason) = label::check(&format.value()) {
                    mistakes.add(&format, reason);
                }
                format
            }
            None if attrs_are_clear => implied_format(&input.ident, &mut mistakes),
            // The label may be what could not be read: one from the name would be judged for nothing.
            None => LitStr::new("", Span::call_site()),
        };
        check_shape(input, &mut mistakes);
        let krate = attrs.krate.unwrap_or_else(default_crate);
        match mistakes.into_error() {
            None => Ok(Self { ident: &input.ident, format, example: attrs.example, krate }),
            Some(error) => Err(Refused { error, krate }),
        }
    }
}

/// The type's name in lower case, as hop-client names a model that does not name itself.
fn implied_format(ident: &Ident, mistakes: &mut Mistakes) -> LitStr {
    let name = ident.unraw();
    let format = name.to_string().to_lowercase();
    if let Err(reason) = label::check(&format) {
        mistakes
            .add(ident, format!("`{name}` does not give a label by itself ({reason}); write `#[hop(format = \"…\")]`"));
    }
    LitStr::new(&format, ident.span())
}

fn check_shape(input: &DeriveInput, mistakes: &mut Mistakes) {
    if !input.generics.params.is_empty() {
        mistakes.add(
            &input.generics,
            "a model is one concrete type: the registry makes it from a label alone; \
             derive `HopModel` on a type without parameters, or write `impl MessageModel` by hand",
        );
    }
    match &input.data {
        Data::Struct(data) => check_fields(&data.fields, mistakes),
        Data::Enum(data) => {
            for variant in &data.variants {
                attr::refuse(&variant.attrs, "a variant", mistakes);
                check_fields(&variant.fields, mistakes);
            }
        }
        Data::Union(data) => mistakes.add(
            data.union_token,
            "a union is no model: what it holds cannot be told from its bytes; use an enum, \
             or write `impl MessageModel` by hand",
        ),
    }
}

fn check_fields(fields: &Fields, mistakes: &mut Mistakes) {
    for field in fields {
        attr::refuse(&field.attrs, "a field", mistakes);
    }
}
