//! Which models there are: those of this crate, those linked in, those added by hand.

use std::any::TypeId;
use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, OnceLock};

use crate::framing;
use crate::names;
use crate::plugins::{Plugin, crate_ident};
use crate::version::Lineage;
use crate::{
    AnyModel, Blob, Content, Error, ErrorKind, Framing, FramingRegistration, JsonBlob, MessageModel, SchemaSource,
    Value,
};

/// The longest label a model may have, in bytes.
const LONGEST_LABEL: usize = 64;

type Read = fn(Content<'_>) -> Result<Box<dyn AnyModel>, Error>;

/// A model as the registry knows it: its label, where it comes from, and how to read it.
///
/// The derive submits one for each model; a model made by hand does so itself:
///
/// ```
/// # use bytes::Bytes;
/// # use hop_core::{Content, Error, MessageModel, Value};
/// # #[derive(Debug)]
/// # struct Telegram;
/// # impl MessageModel for Telegram {
/// #     const FORMAT: &'static str = "telegram";
/// #     fn decode(_: Content<'_>) -> Result<Self, Error> { Ok(Self) }
/// #     fn encode(&self) -> Result<Bytes, Error> { Ok(Bytes::new()) }
/// #     fn fields(&self) -> Result<Value, Error> { Ok(Value::Null) }
/// # }
/// hop_core::register!(Telegram);
///
/// assert!(hop_core::Registry::linked()?.get("Telegram").is_some());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Registration {
    format: &'static str,
    aliases: &'static [&'static str],
    version: Option<u32>,
    older: Option<&'static Lineage>,
    type_name: &'static str,
    crate_name: &'static str,
    crate_version: &'static str,
    type_id: fn() -> TypeId,
    decode: Read,
    load: Read,
    from_fields: fn(Value) -> Result<Box<dyn AnyModel>, Error>,
    schema: fn() -> Option<Value>,
    example: fn() -> Option<Box<dyn AnyModel>>,
}

inventory::collect!(Registration);

impl Registration {
    /// The registration of `M`, which is `type_name` of version `crate_version` of the crate `crate_name`.
    ///
    /// [`register!`](crate::register) fills these in.
    pub const fn of<M: MessageModel>(
        type_name: &'static str,
        crate_name: &'static str,
        crate_version: &'static str,
    ) -> Self {
        Self {
            format: M::FORMAT,
            aliases: M::ALIASES,
            version: M::VERSION.number(),
            older: M::VERSION.lineage(),
            type_name,
            crate_name,
            crate_version,
            type_id: TypeId::of::<M>,
            decode: decode::<M>,
            load: load::<M>,
            from_fields: from_fields::<M>,
            schema: M::schema,
            example: example::<M>,
        }
    }

    /// The label.
    pub const fn format(&self) -> &'static str {
        self.format
    }

    /// The other labels that its content comes under, [`MessageModel::ALIASES`].
    pub const fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// The version of its format, where messages state it; see [`MessageModel::VERSION`].
    pub const fn version(&self) -> Option<u32> {
        self.version
    }

    /// The type's name, without its path.
    pub const fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The crate that the model is in.
    pub const fn crate_name(&self) -> &'static str {
        self.crate_name
    }

    /// The version of that crate.
    pub const fn crate_version(&self) -> &'static str {
        self.crate_version
    }

    /// Whether this is the model `M`.
    pub fn is<M: MessageModel>(&self) -> bool {
        (self.type_id)() == TypeId::of::<M>()
    }

    /// All labels that this model itself claims.
    fn labels(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.format).chain(self.aliases.iter().copied())
    }

    /// The older models that this one takes the place of, the newest first.
    fn ancestors(&self) -> impl Iterator<Item = &'static Lineage> {
        self.older.into_iter().flat_map(Lineage::models)
    }

    /// A model from its wire form.
    ///
    /// # Errors
    /// As [`MessageModel::decode`].
    pub fn decode(&self, content: Content<'_>) -> Result<Box<dyn AnyModel>, Error> {
        (self.decode)(content)
    }

    /// A model from its file form.
    ///
    /// # Errors
    /// As [`MessageModel::load`].
    pub fn load(&self, file: Content<'_>) -> Result<Box<dyn AnyModel>, Error> {
        (self.load)(file)
    }

    /// A model from its fields.
    ///
    /// # Errors
    /// As [`MessageModel::from_fields`].
    pub fn from_fields(&self, fields: Value) -> Result<Box<dyn AnyModel>, Error> {
        (self.from_fields)(fields)
    }

    /// The JSON Schema of the fields, [`MessageModel::schema`].
    pub fn schema(&self) -> Option<Value> {
        (self.schema)()
    }

    /// A small message of this kind, [`MessageModel::example`].
    pub fn example(&self) -> Option<Box<dyn AnyModel>> {
        (self.example)()
    }
}

// One of each for every model, and so as little as can be.

fn decode<M: MessageModel>(content: Content<'_>) -> Result<Box<dyn AnyModel>, Error> {
    boxed(M::decode(content))
}

fn load<M: MessageModel>(content: Content<'_>) -> Result<Box<dyn AnyModel>, Error> {
    boxed(M::load(content))
}

fn from_fields<M: MessageModel>(fields: Value) -> Result<Box<dyn AnyModel>, Error> {
    boxed(M::from_fields(fields))
}

fn boxed<M: MessageModel>(model: Result<M, Error>) -> Result<Box<dyn AnyModel>, Error> {
    match model {
        Ok(model) => Ok(Box::new(model)),
        Err(error) => Err(error),
    }
}

fn example<M: MessageModel>() -> Option<Box<dyn AnyModel>> {
    match M::example() {
        Some(model) => Some(Box::new(model)),
        None => None,
    }
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.type_name, self.crate_name, self.crate_version)
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.format)
    }
}

/// The [`Registration`] of a model of this crate, with the crate's name and version.
///
/// ```
/// # use hop_core::{Blob, Registration};
/// const BLOB: Registration = hop_core::registration!(Blob);
/// assert_eq!(BLOB.format(), "blob");
/// ```
#[macro_export]
macro_rules! registration {
    ($model:ty) => {
        $crate::Registration::of::<$model>(
            ::core::stringify!($model),
            ::core::env!("CARGO_PKG_NAME"),
            ::core::env!("CARGO_PKG_VERSION"),
        )
    };
}

/// Registers models of this crate, so that every program that links the crate finds them. The derive does it by itself.
///
/// A crate that is only listed in `Cargo.toml` is not linked, and registers nothing: no error and no warning, in debug
/// and in release alike. The program must name it, if only by
///
/// ```
/// # extern crate hop_core as donut_model;
/// use donut_model as _;
/// ```
///
/// [`plugins!`](crate::plugins) names it too, and makes sure that it registered something.
///
/// Nor does a library register anything in a program of another language that links it statically and takes only the
/// objects it calls: link it whole (`--whole-archive`), or as a shared library. Where the linker cannot be trusted,
/// [`Registry::builder`] takes models by hand: `Registry::builder().models([registration!(Donut)])`. The order of linking
/// plays no part: two crates that claim one label are the same error in any.
#[macro_export]
macro_rules! register {
    ($($model:ty),+ $(,)?) => {$(
        $crate::__private::inventory::submit! { $crate::registration!($model) }
    )+};
}

/// The models of `hop-core` itself, in every registry.
const BUILT_IN: [Registration; 2] = [crate::registration!(Blob), crate::registration!(JsonBlob)];

/// The models by label; by default there are none, not even the built-in ones.
///
/// Labels are matched without regard to case.
#[derive(Default)]
pub struct Registry {
    /// In the order of their labels.
    registrations: Vec<Registration>,
    by_label: ByLabel,
    /// In the order of their names.
    framings: Vec<FramingRegistration>,
}

/// Where in the list the model with a label stands.
type ByLabel = HashMap<&'static str, usize, BuildHasherDefault<LabelHasher>>;

/// FNV-1a, in 64 bits. The labels that are in the map come from authors of models, so nobody can fill it with collisions.
struct LabelHasher(u64);

impl Default for LabelHasher {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Hasher for LabelHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Registry {
    /// Every model that the linker put into this program, and `blob` and `json`.
    ///
    /// It is made once; the first call costs a walk over the registrations.
    ///
    /// # Errors
    /// As [`RegistryBuilder::build`].
    pub fn linked() -> Result<&'static Self, Error> {
        static LINKED: OnceLock<Registry> = OnceLock::new();
        if let Some(registry) = LINKED.get() {
            return Ok(registry);
        }
        let registry = Self::builder().linked().build()?;
        Ok(LINKED.get_or_init(|| registry))
    }

    /// A registry put together by hand. `blob` and `json` are in it from the start.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder {
            registrations: BUILT_IN.to_vec(),
            replacements: Vec::new(),
            plugins: Vec::new(),
            framings: Vec::new(),
        }
    }

    /// The model labelled `label`, in any case.
    pub fn get(&self, label: &str) -> Option<&Registration> {
        let at = self.by_label.get(label).or_else(|| self.get_in_lower_case(label))?;
        self.registrations.get(*at)
    }

    fn get_in_lower_case(&self, label: &str) -> Option<&usize> {
        // What is longer than any label need not be copied to be compared.
        let mut lower = [0; LONGEST_LABEL];
        let lower = lower.get_mut(..label.len())?;
        lower.copy_from_slice(label.as_bytes());
        lower.make_ascii_lowercase();
        self.by_label.get(std::str::from_utf8(lower).ok()?)
    }

    /// The model labelled `label`, or an error that lists the labels there are.
    ///
    /// # Errors
    /// Kind `UnknownFormat`.
    pub fn require(&self, label: &str) -> Result<&Registration, Error> {
        self.get(label).ok_or_else(|| {
            Error::new(ErrorKind::UnknownFormat, "registry")
                .found(format!("unknown format `{}`", label.escape_debug()))
                .help(names::advice(label, self.labels(), ""))
        })
    }

    /// Makes the framing called `name`: one that is linked, or several joined by `+`, the innermost first, such as
    /// `confluent+gzip`. Those that need schemas look them up in `schemas`.
    ///
    /// # Errors
    /// Kind `UnknownFormat`, with the names there are; and when the framing needs schemas and has no source.
    pub fn framing(&self, name: &str, schemas: Option<&Arc<dyn SchemaSource>>) -> Result<Arc<dyn Framing>, Error> {
        framing::named(&self.framings, name, schemas)
    }

    /// Checks that the framing called `name` is linked.
    ///
    /// # Errors
    /// Kind `UnknownFormat`, with the names there are.
    pub fn require_framing(&self, name: &str) -> Result<(), Error> {
        framing::parts(&self.framings, name).map(drop)
    }

    /// Returns the framings in the order of their names.
    pub fn framings(&self) -> std::slice::Iter<'_, FramingRegistration> {
        self.framings.iter()
    }

    /// The labels in alphabetical order.
    pub fn labels(&self) -> impl Iterator<Item = &'static str> {
        self.iter().map(Registration::format)
    }

    /// The models in the order of their labels.
    pub fn iter(&self) -> std::slice::Iter<'_, Registration> {
        self.registrations.iter()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.registrations).finish()
    }
}

impl<'a> IntoIterator for &'a Registry {
    type Item = &'a Registration;
    type IntoIter = std::slice::Iter<'a, Registration>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Puts a [`Registry`] together.
///
/// ```
/// # use hop_core::{Registry, MessageModel, Content, Error, Value};
/// # #[derive(Debug)]
/// # struct Telegram;
/// # impl MessageModel for Telegram {
/// #     const FORMAT: &'static str = "telegram";
/// #     fn decode(_: Content<'_>) -> Result<Self, Error> { Ok(Self) }
/// #     fn encode(&self) -> Result<bytes::Bytes, Error> { Ok(bytes::Bytes::new()) }
/// #     fn fields(&self) -> Result<Value, Error> { Ok(Value::Null) }
/// # }
/// let registry = Registry::builder().models([hop_core::registration!(Telegram)]).build()?;
/// assert_eq!(registry.labels().collect::<Vec<_>>(), ["blob", "json", "telegram"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RegistryBuilder {
    registrations: Vec<Registration>,
    replacements: Vec<Registration>,
    plugins: Vec<Plugin>,
    framings: Vec<FramingRegistration>,
}

impl RegistryBuilder {
    /// Adds framings, for rules that name them.
    #[must_use]
    pub fn framings(mut self, framings: impl IntoIterator<Item = FramingRegistration>) -> Self {
        self.framings.extend(framings);
        self
    }

    /// Adds models.
    #[must_use]
    pub fn models(mut self, models: impl IntoIterator<Item = Registration>) -> Self {
        self.registrations.extend(models);
        self
    }

    /// Adds models that take the place of any others under their labels, hop's own included, wherever those come from.
    ///
    /// Without this, a second model under one label is an error: no crate takes a label from another by being linked.
    ///
    /// ```
    /// # use hop_core::{Registry, MessageModel, Content, Error, Value};
    /// # #[derive(Debug)]
    /// # struct Text;
    /// # impl MessageModel for Text {
    /// #     const FORMAT: &'static str = "blob";
    /// #     fn decode(_: Content<'_>) -> Result<Self, Error> { Ok(Self) }
    /// #     fn encode(&self) -> Result<bytes::Bytes, Error> { Ok(bytes::Bytes::new()) }
    /// #     fn fields(&self) -> Result<Value, Error> { Ok(Value::Null) }
    /// # }
    /// const TEXT: hop_core::Registration = hop_core::registration!(Text); // labelled `blob`
    ///
    /// let error = Registry::builder().models([TEXT]).build().unwrap_err();
    /// assert!(error.to_string().starts_with("registry: expected one model labelled `blob`"));
    ///
    /// let registry = Registry::builder().replace([TEXT]).build()?;
    /// assert_eq!(registry.require("blob")?.type_name(), "Text");
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn replace(mut self, models: impl IntoIterator<Item = Registration>) -> Self {
        self.replacements.extend(models);
        self
    }

    /// Adds every model and framing that the linker put into this program, and the demands of
    /// [`plugins!`](crate::plugins).
    #[must_use]
    pub fn linked(mut self) -> Self {
        self.framings.extend(inventory::iter::<FramingRegistration>.into_iter().copied());
        self.plugins.extend(inventory::iter::<Plugin>.into_iter().copied());
        self.models(inventory::iter::<Registration>.into_iter().copied())
    }

    /// The registry. The same model twice is once, and the newest version of a model is there for the older ones.
    ///
    /// # Errors
    /// Kind `Duplicate`, naming both crates, when two models claim one label or two framings one name; kind `Reserved` when a label has characters
    /// or a length that are not allowed; kind `Unlinked` when a crate of [`plugins!`](crate::plugins) registered no model.
    pub fn build(self) -> Result<Registry, Error> {
        let Self { mut registrations, replacements, plugins, framings } = self;
        let crates: HashSet<String> =
            registrations.iter().chain(&replacements).map(|model| crate_ident(model.crate_name)).collect();
        if let Some(plugin) = plugins.iter().find(|plugin| !crates.contains(&plugin.crate_ident())) {
            return Err(plugin.registered_nothing());
        }
        let replaced: HashSet<&str> = replacements.iter().flat_map(Registration::labels).collect();
        registrations.retain(|model| !model.labels().any(|label| replaced.contains(label)));
        registrations.extend(replacements);
        let outdated: HashSet<(TypeId, &str)> = registrations
            .iter()
            .flat_map(|model| model.ancestors().map(|older| ((older.type_id)(), model.crate_name)))
            .collect();
        registrations.retain(|model| !outdated.contains(&((model.type_id)(), model.crate_name)));
        // Linking order differs from build to build; the registry and its errors must not.
        registrations.sort_by_key(|model| (model.format, model.crate_name, model.crate_version, model.type_name));
        registrations.dedup_by_key(|model| (model.format, (model.type_id)()));
        let by_label = by_label(&registrations)?;
        Ok(Registry { registrations, by_label, framings: each_once(framings)? })
    }
}

/// Sorts framings by their names; the same one may have been added twice.
fn each_once(mut framings: Vec<FramingRegistration>) -> Result<Vec<FramingRegistration>, Error> {
    framings.sort_by_key(|framing| (framing.name(), framing.crate_name()));
    framings.dedup_by_key(|framing| (framing.name(), framing.crate_name()));
    match framings.windows(2).find(|pair| pair[0].name() == pair[1].name()) {
        None => Ok(framings),
        Some(pair) => Err(Error::new(ErrorKind::Duplicate, "registry")
            .expected(format!("one framing called `{}`", pair[0].name()))
            .found(format!("two, of {} and {}", pair[0].crate_name(), pair[1].crate_name()))
            .help("link only one of the crates")),
    }
}

fn by_label(registrations: &[Registration]) -> Result<ByLabel, Error> {
    let mut by_label = ByLabel::with_capacity_and_hasher(registrations.len(), BuildHasherDefault::default());
    for (at, model) in registrations.iter().enumerate() {
        for label in model.labels() {
            check_label(model, label)?;
            if let Some(earlier) = by_label.insert(label, at).filter(|earlier| *earlier != at) {
                return Err(two_of(label, &registrations[earlier], model));
            }
        }
    }
    // Old labels come last: those of a model that is there in its own right, from another crate, stay with it.
    for (at, model) in registrations.iter().enumerate() {
        for older in model.ancestors() {
            for label in std::iter::once(older.format).chain(older.aliases.iter().copied()) {
                match by_label.entry(label) {
                    Entry::Vacant(vacant) => {
                        check_label(model, label)?;
                        vacant.insert(at);
                    }
                    Entry::Occupied(taken) if *taken.get() == at => {}
                    Entry::Occupied(taken) => {
                        let other: &Registration = &registrations[*taken.get()];
                        if (other.type_id)() != (older.type_id)() {
                            return Err(two_of(label, other, model));
                        }
                    }
                }
            }
        }
    }
    Ok(by_label)
}

fn two_of(label: &str, one: &Registration, other: &Registration) -> Error {
    Error::new(ErrorKind::Duplicate, "registry")
        .expected(format!("one model labelled `{label}`"))
        .found(format!("two: {one} and {other}"))
        .help(
            "give one of them another label, link only one of the crates, or choose with `Registry::builder().replace`",
        )
}

fn check_label(model: &Registration, label: &str) -> Result<(), Error> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    if !label.is_empty() && label.len() <= LONGEST_LABEL && label.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Reserved, "registry")
        .expected(format!("a label of 1 to {LONGEST_LABEL} of a-z, 0-9, `-`, `_`, `.`"))
        .found(format!("`{}` of {model}", label.escape_debug())))
}
