//! The code for a model; for a type that is none, its mistakes and a stand-in.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::DeriveInput;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::model::{Model, Refused};

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    match Model::of(input) {
        Ok(model) => expand(&model),
        Err(refused) => stand_in(input, &refused),
    }
}

fn expand(model: &Model<'_>) -> TokenStream {
    let Model { ident, format, krate, .. } = model;
    let name = ident.unraw().to_string();
    // All on one token: a missing trait is then one error there, and not one for each method.
    let fields = quote_spanned!(ident.span()=> <Self as #krate::__private::Via>);
    let wire = match &model.codec {
        Some(codec) => quote_spanned!(codec.span()=> <Self as #krate::__private::By<#codec>>),
        None => fields.clone(),
    };
    let aliases = aliases(model);
    let version = version(model);
    let file = file_form(model, &wire);
    let example = model.example.as_ref().map(|example| {
        quote! {
            fn example() -> ::core::option::Option<Self> {
                let example: fn() -> Self = #example;
                ::core::option::Option::Some(example())
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #krate::MessageModel for #ident {
            const FORMAT: &'static str = #format;

            #aliases

            #version

            fn decode(content: #krate::Content<'_>) -> ::core::result::Result<Self, #krate::Error> {
                #wire::decode(content)
            }

            fn encode(&self) -> ::core::result::Result<#krate::__private::Bytes, #krate::Error> {
                #wire::encode(self)
            }

            #file

            fn fields(&self) -> ::core::result::Result<#krate::Value, #krate::Error> {
                #fields::fields(self)
            }

            fn from_fields(fields: #krate::Value) -> ::core::result::Result<Self, #krate::Error> {
                #fields::from_fields(fields)
            }

            fn schema() -> ::core::option::Option<#krate::Value> {
                use #krate::__private::Told as _;
                #krate::__private::Schema::<Self>::or(#fields::schema)
            }

            #example
        }

        #krate::__private::inventory::submit! {
            #krate::Registration::of::<#ident>(
                #name,
                ::core::env!("CARGO_PKG_NAME"),
                ::core::env!("CARGO_PKG_VERSION"),
            )
        }
    }
}

fn aliases(Model { aliases, .. }: &Model<'_>) -> Option<TokenStream> {
    (!aliases.is_empty()).then(|| quote!(const ALIASES: &'static [&'static str] = &[#(#aliases),*];))
}

fn version(Model { version, upgrade_from, krate, .. }: &Model<'_>) -> Option<TokenStream> {
    let version = version.as_ref()?;
    let value = quote!(#krate::Version::new(#version));
    let value = match upgrade_from {
        None => value,
        // What is wrong with the older model is said where it is named.
        Some(older) => respanned(quote!(#value.upgrade_from::<#older>()), older.span()),
    };
    Some(quote!(const VERSION: #krate::Version<Self> = #value;))
}

fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let at = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_iter().map(at).collect()
}

/// `load` and `dump`, where they are not what the trait says: the wire form, and of the newest version alone.
fn file_form(model: &Model<'_>, wire: &TokenStream) -> TokenStream {
    let Model { load, dump, upgrade_from, krate, .. } = model;
    let load = match (load, upgrade_from) {
        (None, None) => None,
        (None, Some(_)) => Some(quote!(#wire::load(file))),
        (Some(load), _) => Some(quote!(<Self as #krate::MessageModel>::VERSION.load(file, #load))),
    };
    let load = load.map(|load| {
        quote! {
            fn load(file: #krate::Content<'_>) -> ::core::result::Result<Self, #krate::Error> {
                #load
            }
        }
    });
    let dump = dump.as_ref().map(|dump| {
        quote! {
            fn dump(&self) -> ::core::result::Result<#krate::__private::Bytes, #krate::Error> {
                let dump: fn(&Self) -> ::core::result::Result<#krate::__private::Bytes, #krate::Error> = #dump;
                dump(self)
            }
        }
    });
    quote!(#load #dump)
}

/// The mistakes, and an `impl` that never runs: without it each use of the type as a model would be one more error.
fn stand_in(input: &DeriveInput, refused: &Refused) -> TokenStream {
    let Refused { error, krate } = refused;
    let error = error.to_compile_error();
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let given = where_clause.map(|clause| &clause.predicates).filter(|predicates| !predicates.is_empty());
    let given =
        given.map(|predicates| if predicates.trailing_punct() { quote!(#predicates) } else { quote!(#predicates,) });
    quote! {
        #error

        #[automatically_derived]
        impl #impl_generics #krate::MessageModel for #ident #ty_generics
        where
            #given
            // A bound over a lifetime is not checked here and now, where it would be the second error.
            for<'__hop> #ident #ty_generics: ::core::fmt::Debug + ::core::marker::Send + ::core::marker::Sync + 'static,
        {
            const FORMAT: &'static str = "";

            fn decode(_: #krate::Content<'_>) -> ::core::result::Result<Self, #krate::Error> {
                ::core::unreachable!()
            }

            fn encode(&self) -> ::core::result::Result<#krate::__private::Bytes, #krate::Error> {
                ::core::unreachable!()
            }

            fn fields(&self) -> ::core::result::Result<#krate::Value, #krate::Error> {
                ::core::unreachable!()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    /// What `#[derive(HopModel)]` writes, as a person would: short enough to read aloud.
    #[test]
    fn the_expansion_is_the_one_on_file() {
        held_to_file(
            "donut.rs",
            &parse_quote! {
                #[derive(Debug, Serialize, Deserialize, HopModel)]
                #[hop(format = "donut")]
                struct Donut {
                    category: String,
                    flavor: String,
                    has_filling: bool,
                }
            },
        );
    }

    #[test]
    fn the_expansion_with_every_key_is_the_one_on_file() {
        held_to_file(
            "every-key.rs",
            &parse_quote! {
                #[derive(Debug, Serialize, Deserialize, HopModel)]
                #[hop(format = "donut", aliases("doughnut", "krapfen"), version = 2, upgrade_from = DonutV1)]
                #[hop(codec = bakery::Recipe<1, 2>, load = Donut::from_file, dump = Donut::to_file)]
                #[hop(example = Donut::maple, crate = alerts)]
                struct Donut {
                    flavors: Vec<String>,
                }
            },
        );
    }

    fn held_to_file(name: &str, input: &DeriveInput) {
        let shown = prettyplease::unparse(&syn::parse2(derive(input)).unwrap());
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand").join(name);
        if std::env::var_os("HOP_BLESS").is_some() {
            std::fs::write(&file, &shown).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(shown, expected, "if the change is meant: HOP_BLESS=1 cargo test -p hop-derive");
    }

    #[test]
    fn fields_play_no_part() {
        let expand = |input: DeriveInput| derive(&input).to_string();
        assert_eq!(
            expand(parse_quote!(
                struct Donut {
                    flavor: String,
                }
            )),
            expand(parse_quote!(
                enum Donut {
                    Filled { with: String },
                    Ring,
                }
            )),
        );
    }
}
