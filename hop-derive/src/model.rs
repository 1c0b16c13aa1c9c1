//! What the derive was asked for, checked: after this, nothing can be wrong but the types of the fields.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Ident, LitInt, LitStr, Path, Type, parse_quote};

use crate::attr::Attrs;
use crate::mistakes::Mistakes;
use crate::{attr, label};

/// A model to be made.
pub(crate) struct Model<'a> {
    /// The type.
    pub(crate) ident: &'a Ident,
    /// Its label.
    pub(crate) format: LitStr,
    /// The labels that its content comes under besides.
    pub(crate) aliases: Vec<LitStr>,
    /// The codec, where it is not JSON.
    pub(crate) codec: Option<Type>,
    /// The function that reads the file form, where that is not the wire form.
    pub(crate) load: Option<Path>,
    /// The function that writes it.
    pub(crate) dump: Option<Path>,
    /// The version, where messages state it.
    pub(crate) version: Option<LitInt>,
    /// The model of the version before.
    pub(crate) upgrade_from: Option<Type>,
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
        let attrs = Attrs::of(&input.attrs, &mut mistakes);
        let attrs_are_clear = mistakes.is_empty();
        let format = match attrs.format.clone() {
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
        check_aliases(&attrs, &mut mistakes);
        check_version(&attrs, &input.ident, attrs_are_clear, &mut mistakes);
        check_shape(input, &mut mistakes);
        let Attrs { format: _, aliases, codec, load, dump, version, upgrade_from, example, krate } = attrs;
        let krate = krate.unwrap_or_else(default_crate);
        let ident = &input.ident;
        match mistakes.into_error() {
            None => Ok(Self { ident, format, aliases, codec, load, dump, version, upgrade_from, example, krate }),
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

fn check_aliases(attrs: &Attrs, mistakes: &mut Mistakes) {
    for (at, alias) in attrs.aliases.iter().enumerate() {
        let label = alias.value();
        if let Err(reason) = label::check(&label) {
            mistakes.add(alias, reason);
        } else if attrs.format.as_ref().is_some_and(|format| format.value() == label) {
            mistakes.add(alias, format!("`{label}` is the model's own label: leave it out of the aliases"));
        } else if attrs.aliases[..at].iter().any(|earlier| earlier.value() == label) {
            mistakes.add(alias, format!("the alias `{label}` is given twice: keep one"));
        }
    }
}

fn check_version(attrs: &Attrs, ident: &Ident, attrs_are_clear: bool, mistakes: &mut Mistakes) {
    let Some(older) = &attrs.upgrade_from else { return };
    match &attrs.version {
        Some(version) if version.base10_digits() == "1" => mistakes
            .add(version, "version 1 is the first, and upgrades from nothing: write `version = 2`, or a higher number"),
        None if attrs_are_clear => {
            mistakes.add(older, "a model that upgrades from another has a version: write `version = 2` beside this");
        }
        _ => {}
    }
    if matches!(older, Type::Path(older) if older.qself.is_none() && older.path.is_ident(ident)) {
        mistakes.add(
            older,
            format!("`{ident}` cannot upgrade from itself: name the older type, `upgrade_from = {ident}V1`"),
        );
    }
}

fn check_shape(input: &DeriveInput, mistakes: &mut Mistakes) {
    for parameter in &input.generics.params {
        match parameter {
            GenericParam::Lifetime(parameter) => mistakes.add(
                &parameter.lifetime,
                format!(
                    "a model owns what it holds, for it outlives the bytes that it is read from: without `{0}`, \
                     write `String` for `&{0} str`, and `Vec<u8>` for `&{0} [u8]`",
                    parameter.lifetime
                ),
            ),
            GenericParam::Type(parameter) => parameter_of(&parameter.ident, mistakes),
            GenericParam::Const(parameter) => parameter_of(&parameter.ident, mistakes),
        }
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

fn parameter_of(parameter: &Ident, mistakes: &mut Mistakes) {
    mistakes.add(
        parameter,
        format!(
            "a model is one concrete type, for it is made from a label alone, which says nothing about `{parameter}`: \
             put a type in its place, or derive `HopModel` for a struct that wraps the one with the parameter"
        ),
    );
}

fn check_fields(fields: &Fields, mistakes: &mut Mistakes) {
    for field in fields {
        attr::refuse(&field.attrs, "a field", mistakes);
    }
}
