//! An event as the dictionary that hop-client shows.

use std::borrow::Cow;
use std::collections::HashMap;

use hop_core::{Object, Text, Value};

use super::xml::{Document, Element, Step};

/// The fields that hop-client gives an event, in its order.
pub(super) const FIELDS: [&str; 11] =
    ["ivorn", "role", "version", "Who", "What", "WhereWhen", "How", "Why", "Citations", "Description", "Reference"];

/// What stands on the root element beside [`FIELDS`] is collected under this name.
pub(super) const EXTRA: &str = "_extra";

/// The role of an event that states none.
pub(super) const DEFAULT_ROLE: &str = "observation";
/// The version of an event that states none.
pub(super) const DEFAULT_VERSION: &str = "2.0";

/// The dictionary of the event in `document`.
pub(super) fn of(document: &Document) -> Value {
    match element(document) {
        Value::Object(object) => with_defaults(object),
        // An element without attributes and elements: its text, or nothing.
        Value::Null => with_defaults(Object::new()),
        text => with_defaults([(Text::from("#text"), text)].into_iter().collect()),
    }
}

/// All of [`FIELDS`], in order, with what hop-client puts where there is nothing; the rest under [`EXTRA`].
pub(super) fn with_defaults(found: Object) -> Value {
    let mut slots: [Option<Value>; FIELDS.len()] = Default::default();
    let mut extra = Vec::new();
    for (key, value) in found {
        match FIELDS.iter().position(|field| key == *field) {
            Some(at) => slots[at] = Some(value),
            None => extra.push((key, value)),
        }
    }
    let extra = Object::from(extra);
    let mut all = Vec::with_capacity(FIELDS.len() + 1);
    for (field, value) in FIELDS.into_iter().zip(slots) {
        let value = value.unwrap_or_else(|| match field {
            "ivorn" => extra.get("id").cloned().unwrap_or_default(),
            "role" => DEFAULT_ROLE.into(),
            "version" => DEFAULT_VERSION.into(),
            _ => Object::new().into(),
        });
        all.push((Text::from(field), value));
    }
    if !extra.is_empty() {
        all.push((EXTRA.into(), extra.into()));
    }
    Object::from(all).into()
}

/// An element that is being read.
struct Frame<'a> {
    name: &'a str,
    /// The node after its last.
    end: usize,
    entries: Entries<'a>,
    text: Option<Cow<'a, str>>,
}

impl<'a> Frame<'a> {
    fn open(element: Element<'a>, end: usize, own_prefix: Option<&str>) -> Self {
        let mut entries = Entries::default();
        for attribute in element.attributes() {
            // Other prefixes are those of other standards, such as XLink's, and say nothing about the event.
            let (prefix, name) = attribute.split();
            let is_own = match prefix {
                None => name != "xmlns",
                Some("xmlns") => false,
                prefix => prefix == own_prefix,
            };
            if is_own {
                entries.push(name, Text::from(attribute.value()).into());
            }
        }
        Self { name: element.name(), end, entries, text: None }
    }

    fn add_text(&mut self, piece: Cow<'a, str>) {
        match &mut self.text {
            None => self.text = Some(piece),
            Some(text) => text.to_mut().push_str(&piece),
        }
    }

    fn close(mut self) -> Value {
        let text = self.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if self.entries.list.is_empty() {
            return text.map_or(Value::Null, Value::from);
        }
        if let Some(text) = text {
            self.entries.push("#text", text.into());
        }
        self.entries.list.into_iter().map(|(key, value)| (Text::from(key), value)).collect::<Object>().into()
    }
}

/// Values by name, in the order of first appearance; a name that repeats has them in a list.
#[derive(Default)]
struct Entries<'a> {
    list: Vec<(&'a str, Value)>,
    /// Where names stand, once there are too many to walk over.
    places: HashMap<&'a str, usize>,
}

impl<'a> Entries<'a> {
    const WALKED: usize = 16;

    fn push(&mut self, key: &'a str, value: Value) {
        match self.place(key) {
            None => {
                if self.list.len() == Self::WALKED {
                    self.places = self.list.iter().enumerate().map(|(at, (key, _))| (*key, at)).collect();
                }
                if self.list.len() >= Self::WALKED {
                    self.places.insert(key, self.list.len());
                }
                self.list.push((key, value));
            }
            Some(at) => {
                let Some((_, slot)) = self.list.get_mut(at) else { return };
                match slot {
                    // What is pushed is never an array, so this one is of what came before.
                    Value::Array(values) => values.push(value),
                    first => *first = Value::Array(vec![std::mem::take(first), value]),
                }
            }
        }
    }

    fn place(&self, key: &str) -> Option<usize> {
        if self.list.len() > Self::WALKED {
            return self.places.get(key).copied();
        }
        // Most often it is the name that came last.
        self.list.iter().rposition(|(name, _)| *name == key)
    }
}

/// The root element as xmltodict has it, names without their prefixes.
fn element(document: &Document) -> Value {
    let root = document.root();
    let own_prefix = root.qualified_name().strip_suffix(root.name()).and_then(|prefix| prefix.strip_suffix(':'));
    let mut open: Vec<Frame<'_>> = Vec::with_capacity(16);
    let mut at = 0;
    loop {
        // Whatever ends here goes into what it stands in.
        while open.last().is_some_and(|frame| frame.end <= at) {
            let Some(done) = open.pop() else { break };
            let name = done.name;
            let value = done.close();
            match open.last_mut() {
                Some(parent) => parent.entries.push(name, value),
                None => return value,
            }
        }
        match document.step(at) {
            Some(Step::Element { element, end }) => open.push(Frame::open(element, end, own_prefix)),
            Some(Step::Text(text)) => {
                if let Some(frame) = open.last_mut() {
                    frame.add_text(text);
                }
            }
            None => return Value::Null,
        }
        at += 1;
    }
}
