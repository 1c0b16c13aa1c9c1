//! What an event has that the schema of VOEvent 2.0 does not allow.

mod rules;
mod types;

use std::fmt;

use hop_core::Location;

use self::rules::{Child, Content, Rule, VOEVENT};
use super::VoEvent;
use super::legacy::NAMESPACE;
use super::xml::Element;

/// More violations than anyone reads are not looked for.
const MOST: usize = 100;
/// The namespace of the attributes that any document may have.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Something in an event that the schema of VOEvent 2.0 does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    path: String,
    location: Location,
    message: String,
}

impl Violation {
    /// Returns the place as a path of elements and the attribute, such as `VOEvent/What/Param[2]/@dataType`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the place in the text: line and column of the element.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Returns what is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Writes the line and column, the path, and what is wrong.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Location::Text { line, column, .. } = self.location {
            write!(f, "{line}:{column}: ")?;
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl VoEvent {
    /// Returns what the schema of VOEvent 2.0 does not allow in this event, in document order; nothing for a valid one.
    ///
    /// Many events in use are not valid, and are read all the same. Events of other versions are held to 2.0 as well, and
    /// say so first. At most 100 violations are returned.
    ///
    /// ```
    /// # use hop_core::MessageModel;
    /// # use hop_models::VoEvent;
    /// let event = VoEvent::decode(
    ///     r#"<v:VOEvent xmlns:v="http://www.ivoa.net/xml/VOEvent/v2.0" ivorn="ivo://a/b#c" version="2.0"><Why/></v:VOEvent>"#.into(),
    /// )?;
    /// assert_eq!(
    ///     event.validate()[0].to_string(),
    ///     "1:94: VOEvent/Why: `Why` has to hold at least one of `Name`, `Concept`, `Inference`, `Description` and `Reference`"
    /// );
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    ///
    /// Source: VOEvent 2.0, `VOEvent-v2.0.xsd`.
    pub fn validate(&self) -> Vec<Violation> {
        let root = self.root();
        let mut check = Check { scopes: Vec::new(), path: Vec::new(), found: Vec::new() };
        check.declare(root);
        let (prefix, _) = split(root.qualified_name());
        if check.namespace(prefix) != Some(NAMESPACE) {
            check.path.push("VOEvent".to_owned());
            check.report(root, None, format!("`VOEvent` has to be in the namespace `{NAMESPACE}`"));
            check.path.pop();
        }
        check.element(root, "VOEvent".to_owned(), &VOEVENT);
        check.found
    }
}

/// A walk over an event. The rules are no deeper than a few elements, so it may recurse.
struct Check<'a> {
    /// Namespaces in scope: their prefixes, empty for the default, and how deep they were declared.
    scopes: Vec<(&'a str, std::borrow::Cow<'a, str>, usize)>,
    path: Vec<String>,
    found: Vec<Violation>,
}

impl<'a> Check<'a> {
    fn report(&mut self, element: Element<'a>, attribute: Option<&str>, message: String) {
        if self.found.len() < MOST {
            let mut path = self.path.join("/");
            if let Some(attribute) = attribute {
                path.push_str("/@");
                path.push_str(attribute);
            }
            self.found.push(Violation { path, location: element.location(), message });
        }
    }

    fn declare(&mut self, element: Element<'a>) {
        for attribute in element.attributes() {
            let name = attribute.qualified_name();
            let prefix = if name == "xmlns" { Some("") } else { name.strip_prefix("xmlns:") };
            if let Some(prefix) = prefix {
                self.scopes.push((prefix, attribute.value(), self.path.len()));
            }
        }
    }

    /// The namespace of a prefix; `None` where there is none.
    fn namespace(&self, prefix: &str) -> Option<&str> {
        if prefix == "xml" {
            return Some("http://www.w3.org/XML/1998/namespace");
        }
        let found = self.scopes.iter().rev().find(|(declared, ..)| *declared == prefix);
        found.map(|(_, namespace, _)| &**namespace).filter(|namespace| !namespace.is_empty())
    }

    fn element(&mut self, element: Element<'a>, step: String, rule: &'static Rule) {
        if self.found.len() >= MOST {
            return;
        }
        self.path.push(step);
        self.attributes(element, rule);
        self.content(element, rule);
        self.path.pop();
        let depth = self.path.len();
        self.scopes.retain(|(.., declared)| *declared <= depth || depth == 0);
    }

    fn attributes(&mut self, element: Element<'a>, rule: &'static Rule) {
        for attribute in element.attributes() {
            let name = attribute.qualified_name();
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            let (prefix, local) = split(name);
            if !prefix.is_empty() {
                let location = matches!(local, "schemaLocation" | "noNamespaceSchemaLocation");
                match self.namespace(prefix) {
                    Some(INSTANCE) if location => {}
                    Some(_) => self.report(element, Some(name), format!("the attribute `{name}` is not allowed here")),
                    None => self.report(element, Some(name), format!("the prefix `{prefix}` is not declared")),
                }
                continue;
            }
            let Some(known) = rule.attributes.iter().find(|known| known.name == local) else {
                let allowed = list(rule.attributes.iter().map(|known| known.name), "or");
                let allowed = if allowed.is_empty() { "no attributes".to_owned() } else { allowed };
                self.report(element, Some(local), format!("`{}` may have {allowed}, not `{}`", rule.name, cut(local)));
                continue;
            };
            if let Err(expected) = known.kind.check(&attribute.value()) {
                let message = format!("`{local}` has to be {expected}, not `{}`", cut(&attribute.value()));
                self.report(element, Some(local), message);
            }
        }
        for known in rule.attributes.iter().filter(|known| known.required) {
            if !element.attributes().any(|attribute| attribute.qualified_name() == known.name) {
                self.report(element, None, format!("`{}` has to have the attribute `{}`", rule.name, known.name));
            }
        }
    }

    fn content(&mut self, element: Element<'a>, rule: &'static Rule) {
        if let Content::Text(kind) = rule.content {
            if let Some(child) = element.children().next() {
                let message =
                    format!("`{}` holds text, not elements such as `{}`", rule.name, cut(child.qualified_name()));
                self.report(element, None, message);
            }
            if let Err(expected) = kind.check(&element.text().unwrap_or_default()) {
                let message =
                    format!("`{}` has to be {expected}, not `{}`", rule.name, cut(&element.text().unwrap_or_default()));
                self.report(element, None, message);
            }
            return;
        }
        if let Some(text) = element.text() {
            self.report(element, None, format!("`{}` holds elements, not text such as `{}`", rule.name, cut(&text)));
        }
        if matches!(rule.content, Content::Empty) && element.text().is_none() && element.has_characters() {
            self.report(element, None, format!("`{}` has to be empty", rule.name));
        }
        let children = rule.content.children();
        let mut counts = vec![0usize; children.len()];
        let mut last = 0;
        for child in element.children() {
            let (prefix, local) = split(child.qualified_name());
            self.path.push(cut(local));
            self.declare(child);
            let in_namespace = self.namespace(prefix).is_some();
            self.path.pop();
            let at = children.iter().position(|known| known.rule.name == local);
            let Some(at) = at else {
                let allowed = list(children.iter().map(|known| known.rule.name), "or");
                let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed };
                self.report(
                    child,
                    None,
                    format!("`{}` may hold {allowed}, not `{}`", rule.name, cut(child.qualified_name())),
                );
                continue;
            };
            let Some(known) = children.get(at) else { continue };
            if !prefix.is_empty() || in_namespace {
                let message = format!(
                    "`{}` has to be without a prefix and outside of any namespace",
                    cut(child.qualified_name())
                );
                self.report(child, None, message);
            }
            let count = counts.get_mut(at).map_or(1, |count| {
                *count += 1;
                *count
            });
            if !rule.content.repeats(known) && count > 1 {
                self.report(child, None, format!("`{}` may hold `{local}` once, and this is another", rule.name));
            }
            if matches!(rule.content, Content::Sequence(_)) && at < last {
                self.report(child, None, format!("`{local}` has to stand before `{}`", children[last].rule.name));
            }
            last = last.max(at);
            let step = if count > 1 { format!("{local}[{count}]") } else { local.to_owned() };
            self.element(child, step, known.rule);
        }
        self.missing(element, rule, children, &counts);
    }

    fn missing(&mut self, element: Element<'a>, rule: &'static Rule, children: &[Child], counts: &[usize]) {
        match rule.content {
            Content::Any { needs_one: true, .. } if counts.iter().all(|count| *count == 0) => {
                let names = list(children.iter().map(|known| known.rule.name), "and");
                let message = match children.len() {
                    1 => format!("`{}` has to hold {names}", rule.name),
                    _ => format!("`{}` has to hold at least one of {names}", rule.name),
                };
                self.report(element, None, message);
            }
            Content::All(_) | Content::Sequence(_) => {
                for (known, count) in children.iter().zip(counts) {
                    if known.required && *count == 0 {
                        self.report(element, None, format!("`{}` has to hold `{}`", rule.name, known.rule.name));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The prefix of a name, empty without one, and the rest.
fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// `` `a`, `b` and `c` ``.
fn list<'n>(names: impl Iterator<Item = &'n str>, last: &str) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [name] => name.clone(),
        [most @ .., name] => format!("{} {last} {name}", most.join(", ")),
    }
}

/// A text that is short enough for a message.
fn cut(text: &str) -> String {
    text.chars().take(60).collect::<String>().escape_debug().to_string()
}
