//! `fixtures!`: a test of each folder with a message.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Token, Type};

/// What `hop_core::fixtures!` hands on: where hop-core is, the model, and the folder.
pub(crate) struct Fixtures {
    krate: TokenStream,
    model: Type,
    folder: LitStr,
}

impl Parse for Fixtures {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate;
        syn::parenthesized!(krate in input);
        let krate = krate.parse()?;
        let wanted = "write `fixtures!(Donut, \"fixtures/donut\")`: a model, and the folder of its fixtures, in quotes";
        let told = |error: Error| Error::new(error.span(), wanted);
        let model = input.parse().map_err(told)?;
        input.parse::<Token![,]>().map_err(told)?;
        let folder = input.parse().map_err(told)?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(Error::new(input.span(), wanted));
        }
        Ok(Self { krate, model, folder })
    }
}

/// The tests, in a module of the model's name.
///
/// # Errors
/// When there is no such folder, or no type that could be a model.
pub(crate) fn tests(Fixtures { krate, model, folder }: &Fixtures) -> syn::Result<TokenStream> {
    let module = module(model)?;
    let path = folder.value();
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default().join(&path);
    if !root.is_dir() {
        return Err(Error::new(
            folder.span(),
            format!("there is no folder `{path}` beside Cargo.toml: make it, with a folder for each message"),
        ));
    }
    let mut cases = Vec::new();
    find(&root, String::new(), &mut cases)
        .map_err(|error| Error::new(folder.span(), format!("the folder `{path}` cannot be read: {error}")))?;
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let mut taken = HashSet::from([OTHERS.to_owned()]);
    let functions = names.iter().map(|name| {
        let function = Ident::new(&function(name, &mut taken), Span::call_site());
        quote! {
            #[test]
            fn #function() -> ::core::result::Result<(), #krate::testing::Failures> {
                FIXTURES.case(#name)
            }
        }
    });
    // One that goes away is noticed by the compiler, and the tests are made anew.
    let files = cases.iter().map(|case| format!("/{path}/{}", case.file));
    let others = Ident::new(OTHERS, Span::call_site());
    Ok(quote! {
        #[cfg(test)]
        mod #module {
            #[allow(unused_imports)]
            use super::*;

            const FIXTURES: #krate::testing::Fixtures = #krate::testing::Fixtures::new(
                #krate::registration!(#model),
                ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path),
            );

            #(const _: &[u8] = ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #files));)*

            #(#functions)*

            #[test]
            fn #others() -> ::core::result::Result<(), #krate::testing::Failures> {
                FIXTURES.others(&[#(#names),*])
            }
        }
    })
}

/// The test of what came after the tests were made.
const OTHERS: &str = "none_is_left_out";

/// `SnewsAlert` to `snews_alert_fixtures`.
fn module(model: &Type) -> syn::Result<Ident> {
    let mut inner = model;
    while let Type::Group(group) = inner {
        inner = &group.elem;
    }
    let Type::Path(path) = inner else {
        return Err(Error::new_spanned(model, "a model is a struct or an enum: write its name, or the path to it"));
    };
    let mut module = String::new();
    if let Some(segment) = path.path.segments.last() {
        for letter in segment.ident.unraw().to_string().chars() {
            if letter.is_uppercase() && !module.is_empty() && !module.ends_with('_') {
                module.push('_');
            }
            module.extend(letter.to_lowercase());
        }
    }
    Ok(Ident::new(&format!("{module}_fixtures"), Span::call_site()))
}

/// The name of the test of a case, which no other has.
fn function(case: &str, taken: &mut HashSet<String>) -> String {
    let letter = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let mut name: String = case.chars().map(letter).collect();
    // Neither a number nor a keyword.
    if !name.starts_with(|c: char| c.is_alphabetic()) || syn::parse_str::<Ident>(&name).is_err() {
        name.insert_str(0, "case_");
    }
    let mut unique = name.clone();
    let mut count = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{name}_{count}");
        count += 1;
    }
    unique
}

struct Case {
    /// The path of the folder below that of the model, with slashes.
    name: String,
    /// A file of it.
    file: String,
}

/// The folders with a `content.*` or a `model.json`; `hop_core::testing` looks for the same ones.
fn find(folder: &Path, name: String, cases: &mut Vec<Case>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let below = |entry: &std::fs::DirEntry| {
        let text = entry.file_name().to_string_lossy().into_owned();
        if name.is_empty() { text } else { format!("{name}/{text}") }
    };
    let is_part = |entry: &&std::fs::DirEntry| {
        let path = entry.path();
        let named = path.file_stem().is_some_and(|stem| stem == "content") || entry.file_name() == "model.json";
        named && path.is_file()
    };
    if let Some(file) = entries.iter().find(is_part) {
        cases.push(Case { name: name.clone(), file: below(file) });
    }
    for entry in &entries {
        if entry.path().is_dir() {
            find(&entry.path(), below(entry), cases)?;
        }
    }
    Ok(())
}
