//! The code for a model; for a type that is none, its mistakes and a stand-in.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::DeriveInput;
use syn::ext::IdentExt;

use crate::model::{Model, Refused};

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    match Model::of(input) {
        Ok(model) => expand(&model),
        Err(refused) => stand_in(input, &refused),
    }
}

fn expand(model: &Model<'_>) -> TokenStream {
    let Model { ident, format, example, krate } = model;
    let name = ident.unraw().to_string();
    // All on the type's name: a missing trait is then one error there, and not one for each method.
    let via = quote_spanned!(ident.span()=> <Self as #krate::__private::Via<#krate::codec::Json>>);
    let example = example.as_ref().map(|example| {
        quote! {
            fn example() -> ::core::option::Option<Self> {
                ::core::option::Option::Some(#example())
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #krate::MessageModel for #ident {
            const FORMAT: &'static str = #format;

            fn decode(content: #krate::Content<'_>) -> ::core::result::Result<Self, #krate::Error> {
                #via::decode(content)
            }

            fn encode(&self) -> ::core::result::Result<#krate::__private::Bytes, #krate::Error> {
                #via::encode(self)
            }

            fn fields(&self) -> ::core::result::Result<#krate::Value, #krate::Error> {
                #via::fields(self)
            }

            fn from_fields(fields: #krate::Value) -> ::core::result::Result<Self, #krate::Error> {
                #via::from_fields(fields)
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
        let expanded = derive(&parse_quote! {
            #[derive(Debug, Serialize, Deserialize, HopModel)]
            #[hop(format = "donut")]
            struct Donut {
                category: String,
                flavor: String,
                has_filling: bool,
            }
        });
        let shown = prettyplease::unparse(&syn::parse2(expanded).unwrap());
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/expand/donut.rs");
        if std::env::var_os("HOP_BLESS").is_some() {
            std::fs::write(file, &shown).unwrap();
        }
        let expected = std::fs::read_to_string(file).unwrap_or_default();
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
