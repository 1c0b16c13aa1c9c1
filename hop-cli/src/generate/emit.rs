//! The Rust of a module.

use std::collections::HashMap;

use super::name::{self, Convention, Names};
use super::shape::{Branch, Choice, Field, Id, Presence, Shape, Shapes, Symbol, Type};
use super::{Module, docs};

/// The names of the types of a module.
pub(super) struct TypeNames(HashMap<Id, String>);

impl TypeNames {
    /// Names for `root`, which may be given, and all that it needs.
    pub(super) fn of(shapes: &Shapes, root: Id, given: Option<&str>) -> Self {
        let mut names = Names::without(&name::TAKEN);
        let mut of = HashMap::new();
        for id in shapes.needed(root) {
            let item = &shapes.items[id];
            let own = name::type_name(&item.known_as, "Message");
            let mut wanted = vec![own.clone()];
            if !item.within.is_empty() {
                wanted.push(format!("{}{own}", name::type_name(&item.within, "")));
            }
            if let (true, Some(given)) = (id == root, given) {
                wanted = vec![given.to_owned()];
            }
            let name = names.give(&wanted);
            if id == root {
                // The type of its schema.
                names.give(&[format!("{name}Schema")]);
            }
            of.insert(id, name);
        }
        Self(of)
    }

    pub(super) fn get(&self, id: Id) -> &str {
        self.0.get(&id).map_or("Unnamed", String::as_str)
    }
}

/// The text of a module.
pub(super) fn module(module: &Module<'_>) -> String {
    let mut body = String::new();
    let mut writer = Writer { module, circles: module.shapes.circles(), out: &mut body };
    for id in module.shapes.needed(module.root) {
        writer.item(id);
    }
    // Before the schema is there: its words are no types.
    let uses = uses(&body);
    if let Some((schema, place)) = &module.avsc {
        let mut avsc = String::from("hop_models::avsc!(\n");
        avsc.push_str(&format!("    /// What messages of [`{}`] are written by.\n", module.names.get(module.root)));
        avsc.push_str(&format!("    pub {schema} = {place}\n);\n\n"));
        body.insert_str(0, &avsc);
    }
    let mut out = String::new();
    docs::lines(&module.docs, "//!", &mut out);
    out.push_str("//!\n");
    let from = docs::code(&module.file);
    let from = from.trim_end_matches('.');
    out.push_str(&format!("//! {} from {from}; to change it, generate it again.\n\n", super::MARK));
    out.push_str(&uses);
    out + body.trim_end_matches('\n') + "\n"
}

/// A schema that stands in the module, as `avsc!` takes it.
pub(super) fn text(schema: &str) -> String {
    let hashes = (1..).map(|count| "#".repeat(count)).find(|hashes| !schema.contains(&format!("\"{hashes}")));
    let hashes = hashes.unwrap_or_default();
    format!("text r{hashes}\"{schema}\"{hashes}")
}

/// What the body needs, in the order in which rustfmt puts it.
fn uses(body: &str) -> String {
    // Types are named in code; the words of a schema stand behind slashes, and its keys in attributes of serde.
    let is_code = |line: &&str| !["///", "#[serde("].iter().any(|start| line.trim_start().starts_with(start));
    let code: Vec<&str> = body.lines().filter(is_code).map(types_in).collect();
    let named = |name: &str| {
        let is_it = |word: &str| word == name;
        code.iter().any(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(is_it))
    };
    let mut out = String::new();
    if named("BTreeMap") {
        out.push_str("use std::collections::BTreeMap;\n\n");
    }
    let core: Vec<&str> = ["Integer", "Object", "UuidString", "Value"].into_iter().filter(|name| named(name)).collect();
    out.push_str(&match core.as_slice() {
        [] => "use hop_core::HopModel;\n".to_owned(),
        core => format!("use hop_core::{{HopModel, {}}};\n", core.join(", ")),
    });
    if named("Avro") {
        out.push_str("use hop_models::codec::Avro;\n");
    }
    out.push_str("use serde::{Deserialize, Serialize};\n");
    match (named("ByteArray"), named("ByteBuf")) {
        (true, true) => out.push_str("use serde_bytes::{ByteArray, ByteBuf};\n"),
        (true, false) => out.push_str("use serde_bytes::ByteArray;\n"),
        (false, true) => out.push_str("use serde_bytes::ByteBuf;\n"),
        (false, false) => {}
    }
    out.push('\n');
    out
}

/// The part of a line of code that names types: not the name of a field or of a variant.
fn types_in(line: &str) -> &str {
    let code = line.trim_start();
    if code.starts_with("#[") {
        return code;
    }
    let start = if code.starts_with("pub ") {
        code.find(": ").or_else(|| code.starts_with("pub enum").then_some(code.len()))
    } else {
        code.find('(')
    };
    // A variant without content names no type.
    let rest = if code.starts_with("pub ") { code } else { "" };
    start.map_or(rest, |start| &code[start..])
}

struct Writer<'a> {
    module: &'a Module<'a>,
    /// The circle of each item.
    circles: Vec<usize>,
    out: &'a mut String,
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn item(&mut self, id: Id) {
        let item = &self.module.shapes.items[id];
        let name = self.module.names.get(id).to_owned();
        let known_as = docs::code(&item.known_as);
        self.docs(&item.docs, &known_as, "");
        let traits = match &item.shape {
            Shape::Record(fields) if !fields.is_empty() && fields.iter().all(|field| !field.is_required()) => {
                "Debug, Clone, PartialEq, Default, Serialize, Deserialize"
            }
            _ => "Debug, Clone, PartialEq, Serialize, Deserialize",
        };
        if id == self.module.root {
            self.line(&format!("#[derive({traits}, HopModel)]"));
            self.line(&format!("#[hop({})]", self.module.hop));
        } else {
            self.line(&format!("#[derive({traits})]"));
        }
        match &item.shape {
            Shape::Record(fields) => self.record(id, &name, fields),
            Shape::Enumeration(symbols) => self.enumeration(&name, symbols),
            Shape::Constant(text) => {
                let variant = name::type_name(text, "Empty");
                self.line(&format!("pub enum {name} {{"));
                self.line(&format!("    /// {}", docs::code(text)));
                if variant != *text {
                    self.line(&format!("    #[serde(rename = {text:?})]"));
                }
                self.line(&format!("    {variant},"));
                self.line("}");
            }
            Shape::Choice(choice) => self.choice(id, &name, choice),
            Shape::Alias(of) => {
                let of = self.written(id, of);
                self.line(&format!("pub struct {name}("));
                self.line("    /// The content.");
                self.line(&format!("    pub {of},"));
                self.line(");");
            }
            Shape::Pending => self.line(&format!("pub struct {name};")),
        }
        self.out.push('\n');
    }

    fn docs(&mut self, text: &str, otherwise: &str, indent: &str) {
        let before = self.out.len();
        docs::lines(text, &format!("{indent}///"), self.out);
        if self.out.len() == before {
            self.line(&format!("{indent}/// {otherwise}"));
        }
    }

    fn record(&mut self, id: Id, name: &str, fields: &[Field]) {
        if fields.is_empty() {
            self.line(&format!("pub struct {name} {{}}"));
            return;
        }
        let mut names = Names::without(&[]);
        let pairs: Vec<(String, String)> =
            fields.iter().map(|field| (names.give(&[name::field_name(&field.key)]), field.key.clone())).collect();
        let named: Vec<_> =
            pairs.iter().zip(fields).filter(|(_, field)| !field.rest).map(|(pair, _)| pair.clone()).collect();
        let convention = Convention::best(&named, Convention::field);
        self.rename_all(convention);
        self.line(&format!("pub struct {name} {{"));
        for ((rust, key), field) in pairs.iter().zip(fields) {
            self.docs(&field.docs, &docs::code(key), "    ");
            if field.rest {
                self.line("    #[serde(flatten)]");
            } else if convention.field(rust) != *key {
                self.line(&format!("    #[serde(rename = {key:?})]"));
            }
            let mut of = self.written(id, &field.of);
            if field.rest && field.of == Type::Map(Box::new(Type::Any)) {
                // In the order in which it came.
                of = "Object".to_owned();
            }
            match field.presence {
                Presence::Required => {}
                Presence::Nullable if matches!(field.of, Type::Option(_) | Type::Any | Type::Null) => {
                    self.line("    #[serde(default, deserialize_with = \"hop_core::nullable\")]");
                    self.line("    #[serde(skip_serializing_if = \"Option::is_none\")]");
                    of = format!("Option<{of}>");
                }
                Presence::Optional | Presence::Nullable => {
                    self.line("    #[serde(skip_serializing_if = \"Option::is_none\")]");
                    if !matches!(field.of, Type::Option(_)) {
                        of = format!("Option<{of}>");
                    }
                }
                Presence::Defaulted => self.line("    #[serde(default)]"),
            }
            self.line(&format!("    pub {}: {of},", name::written(rust)));
        }
        self.line("}");
    }

    fn rename_all(&mut self, convention: Convention) {
        if let Some(convention) = convention.as_str() {
            self.line(&format!("#[serde(rename_all = \"{convention}\")]"));
        }
    }

    fn enumeration(&mut self, name: &str, symbols: &[Symbol]) {
        let mut names = Names::without(&[]);
        let rust = |symbol: &Symbol| (names.give(&[name::type_name(&symbol.text, "Empty")]), symbol.text.clone());
        let pairs: Vec<(String, String)> = symbols.iter().map(rust).collect();
        let convention = Convention::best(&pairs, Convention::variant);
        let other = names.give(&["Other".to_owned(), "Unlisted".to_owned()]);
        self.allow_names(name, pairs.iter().map(|(rust, _)| rust.as_str()).chain([other.as_str()]));
        self.rename_all(convention);
        self.line(&format!("pub enum {name} {{"));
        for ((rust, text), symbol) in pairs.iter().zip(symbols) {
            self.docs(&symbol.docs, &docs::code(text), "    ");
            if convention.variant(rust) != *text {
                self.line(&format!("    #[serde(rename = {text:?})]"));
            }
            self.line(&format!("    {rust},"));
        }
        self.line("    /// One that the schema does not list, as it was sent.");
        self.line("    #[serde(untagged)]");
        self.line(&format!("    {other}(String),"));
        self.line("}");
    }

    fn choice(&mut self, id: Id, name: &str, choice: &Choice) {
        let mut names = Names::without(&[]);
        let variants: Vec<String> = choice.branches.iter().map(|branch| names.give(&[self.variant(branch)])).collect();
        self.allow_names(name, variants.iter().map(String::as_str));
        if !choice.tagged {
            self.line("#[serde(untagged)]");
        }
        self.line(&format!("pub enum {name} {{"));
        for (variant, branch) in variants.iter().zip(&choice.branches) {
            let known_as = match &branch.of {
                Type::Item(id) => self.module.shapes.items[*id].known_as.as_str(),
                _ => "",
            };
            let otherwise = if known_as.is_empty() { plain(&branch.of).to_owned() } else { docs::code(known_as) };
            self.docs(&branch.docs, &otherwise, "    ");
            let tag = branch.tag.as_deref().unwrap_or(known_as);
            if choice.tagged && tag != variant {
                self.line(&format!("    #[serde(rename = {tag:?})]"));
            }
            let mut of = self.written(id, &branch.of);
            // Records are large beside what else there may be.
            if self.is_record(&branch.of) && !of.starts_with("Box<") {
                of = format!("Box<{of}>");
            }
            self.line(&format!("    {variant}({of}),"));
        }
        self.line("}");
    }

    /// Clippy has names repeat nothing; those of a schema do.
    fn allow_names<'n>(&mut self, name: &str, variants: impl Iterator<Item = &'n str>) {
        let repeats =
            |variant: &str| variant.len() > name.len() && (variant.starts_with(name) || variant.ends_with(name));
        let variants: Vec<&str> = variants.collect();
        let word = |variant: &str, last: bool| {
            let starts: Vec<usize> =
                variant.char_indices().filter(|(_, c)| c.is_ascii_uppercase()).map(|(at, _)| at).collect();
            if last {
                starts.last().map(|at| variant[*at..].to_owned())
            } else {
                Some(variant[..*starts.get(1).unwrap_or(&variant.len())].to_owned())
            }
        };
        let alike = |last: bool| {
            let first = variants.first().map(|variant| word(variant, last));
            variants.len() > 2 && variants.iter().all(|variant| Some(word(variant, last)) == first)
        };
        if variants.iter().any(|variant| repeats(variant)) || alike(true) || alike(false) {
            self.line("#[allow(clippy::enum_variant_names, reason = \"they are the schema's\")]");
        }
    }

    fn is_record(&self, of: &Type) -> bool {
        matches!(of, Type::Item(id) if matches!(self.module.shapes.items[*id].shape, Shape::Record(_)))
    }

    fn variant(&self, branch: &Branch) -> String {
        if let Some(called) = &branch.called {
            return name::type_name(called, "Empty");
        }
        match &branch.of {
            Type::Null => "Null",
            Type::Bool => "Bool",
            Type::Int32 | Type::Int64 | Type::Integer => "Integer",
            Type::Float | Type::Double => "Number",
            Type::Text | Type::Uuid => "Text",
            Type::Bytes | Type::Fixed(_) => "Bytes",
            Type::List(_) => "List",
            Type::Array(..) | Type::Tuple(_) => "Array",
            Type::Map(_) => "Map",
            Type::Any | Type::Option(_) => "Other",
            Type::Item(id) => return self.module.names.get(*id).to_owned(),
        }
        .to_owned()
    }

    /// A type as it is written within the item `within`.
    fn written(&self, within: Id, of: &Type) -> String {
        let one = |of: &Type| self.written(within, of);
        match of {
            Type::Null => "()".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Int32 => "i32".to_owned(),
            Type::Int64 => "i64".to_owned(),
            Type::Integer => "Integer".to_owned(),
            Type::Float => "f32".to_owned(),
            Type::Double => "f64".to_owned(),
            Type::Text => "String".to_owned(),
            Type::Uuid => "UuidString".to_owned(),
            Type::Bytes => "ByteBuf".to_owned(),
            Type::Fixed(size) => format!("ByteArray<{size}>"),
            Type::Any => "Value".to_owned(),
            Type::List(of) => format!("Vec<{}>", self.unboxed(of)),
            Type::Map(of) => format!("BTreeMap<String, {}>", self.unboxed(of)),
            Type::Array(of, length) => format!("[{}; {length}]", one(of)),
            Type::Tuple(of) => format!("({})", of.iter().map(one).collect::<Vec<_>>().join(", ")),
            Type::Option(of) => format!("Option<{}>", one(of)),
            Type::Item(id) if self.circles.get(within) == Some(&self.circles[*id]) => {
                format!("Box<{}>", self.module.names.get(*id))
            }
            Type::Item(id) => self.module.names.get(*id).to_owned(),
        }
    }

    /// The same behind the pointer that a list or a map has.
    fn unboxed(&self, of: &Type) -> String {
        match of {
            Type::Item(id) => self.module.names.get(*id).to_owned(),
            Type::Option(inner) => format!("Option<{}>", self.unboxed(inner)),
            other => self.written(usize::MAX, other),
        }
    }
}

/// What a branch is, where nothing is said of it.
fn plain(of: &Type) -> &'static str {
    match of {
        Type::Null => "Nothing.",
        Type::Bool => "True or false.",
        Type::Int32 | Type::Int64 | Type::Integer => "A whole number.",
        Type::Float | Type::Double => "A number.",
        Type::Text | Type::Uuid => "Text.",
        Type::Bytes | Type::Fixed(_) => "Bytes.",
        Type::List(_) => "Several.",
        Type::Array(..) | Type::Tuple(_) => "So many.",
        Type::Map(_) => "Values by name.",
        Type::Any | Type::Option(_) | Type::Item(_) => "Anything.",
    }
}
