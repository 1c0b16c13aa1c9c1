//! Which model reads the messages of a topic that state no format.

mod pattern;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Framing, Registry, SchemaSource};

pub use self::pattern::TopicPattern;

/// A rule: messages of these topics are read by this model, if they carry no `_format`.
///
/// ```
/// use hop_core::TopicRule;
///
/// let voevents = TopicRule::new("gcn.classic.voevent.*", "voevent")?;
/// // A publisher that labels wrongly: the rule goes before the header.
/// let gwalerts = TopicRule::new("igwn.gwalert", "gwalert")?.before_header();
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct TopicRule {
    pattern: Arc<TopicPattern>,
    label: Box<str>,
    framing: Option<Around>,
    before_header: bool,
}

/// The framing of a rule.
#[derive(Debug, Clone)]
enum Around {
    Named(Box<str>),
    Made(Arc<dyn Framing>),
}

impl TopicRule {
    /// Makes the rule that the model labelled `label` reads the topics that `pattern` stands for.
    ///
    /// # Errors
    /// Kind `Invalid`: no topic fits the pattern.
    pub fn new(pattern: &str, label: impl Into<Box<str>>) -> Result<Self, Error> {
        let pattern = Arc::new(pattern.parse()?);
        Ok(Self { pattern, label: label.into(), framing: None, before_header: false })
    }

    /// Takes this framing off the content before the model reads it.
    pub fn framed(mut self, framing: Arc<dyn Framing>) -> Self {
        self.framing = Some(Around::Made(framing));
        self
    }

    /// Takes the framing of that name off the content before the model reads it; see [`Registry::framing`].
    ///
    /// [`TopicRules::with_framings`] makes it.
    pub fn framed_as(mut self, name: impl Into<Box<str>>) -> Self {
        self.framing = Some(Around::Named(name.into()));
        self
    }

    /// Applies the rule to messages that carry a `_format` too, whatever it says.
    pub fn before_header(mut self) -> Self {
        self.before_header = true;
        self
    }

    /// Returns the pattern of the topics.
    pub fn pattern(&self) -> &TopicPattern {
        &self.pattern
    }

    /// Returns the label of the model.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the framing of the content, if it has one that is made.
    pub fn framing(&self) -> Option<&dyn Framing> {
        match &self.framing {
            Some(Around::Made(framing)) => Some(&**framing),
            _ => None,
        }
    }

    /// Returns the name of the framing, if the content has one.
    pub fn framing_name(&self) -> Option<&str> {
        match self.framing.as_ref()? {
            Around::Named(name) => Some(name),
            Around::Made(framing) => Some(framing.name()),
        }
    }

    /// Checks that model and framing are in `registry`.
    fn require(&self, registry: &Registry) -> Result<(), Error> {
        registry.require(&self.label)?;
        match &self.framing {
            Some(Around::Named(name)) => registry.require_framing(name),
            _ => Ok(()),
        }
    }

    fn about(&self, error: Error) -> Error {
        error.about(format!("the rule for topic {:?}", self.pattern))
    }

    /// Returns true if the rule applies to messages that carry a `_format` too.
    pub fn is_before_header(&self) -> bool {
        self.before_header
    }

    pub(crate) fn shared_pattern(&self) -> Arc<TopicPattern> {
        Arc::clone(&self.pattern)
    }
}

/// Rules for topics, the one to ask first at the front; see [`Registry::decode_record`].
///
/// The more specific pattern goes first: a name without `*` and `{date}`, then the pattern with more characters written out.
///
/// ```
/// use hop_core::{TopicRule, TopicRules};
///
/// let rules = TopicRules::new([
///     TopicRule::new("gcn.notices.**", "json")?,
///     TopicRule::new("gcn.notices.svom.voevent.*", "voevent")?,
/// ])?;
/// assert_eq!(rules.find("gcn.notices.svom.voevent.grm").map(|rule| rule.label()), Some("voevent"));
/// assert_eq!(rules.find("gcn.notices.dsa110.frb").map(|rule| rule.label()), Some("json"));
/// assert!(rules.find("gcn.circulars").is_none());
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct TopicRules(Arc<[TopicRule]>);

impl TopicRules {
    /// Checks the rules and sorts them.
    ///
    /// # Errors
    /// Kind `Duplicate` for two rules that fit one topic, neither of them
    /// more specific than the other.
    pub fn new(rules: impl IntoIterator<Item = TopicRule>) -> Result<Self, Error> {
        let mut ranked: Vec<_> = rules.into_iter().map(|rule| (rule.pattern.rank(), rule)).collect();
        ranked.sort_by(|(one, _), (other, _)| one.cmp(other));
        for equals in ranked.chunk_by(|(one, _), (other, _)| one == other) {
            if let Some((rule, other)) = find_tie(equals.iter().map(|(_, rule)| rule)) {
                return Err(tie(rule, other));
            }
        }
        Ok(Self(ranked.into_iter().map(|(_, rule)| rule).collect()))
    }

    /// Puts these rules before `others`, however specific those are.
    #[must_use]
    pub fn before(&self, others: &Self) -> Self {
        match (self.0.is_empty(), others.0.is_empty()) {
            (true, _) => others.clone(),
            (_, true) => self.clone(),
            _ => Self(self.iter().chain(others.iter()).cloned().collect()),
        }
    }

    /// Leaves out the rules that read no message of these topics. `{date}` in the name of a topic stands for any date.
    ///
    /// ```
    /// use hop_core::{TopicRule, TopicRules};
    ///
    /// let rules = TopicRules::new([TopicRule::new("a.*", "json")?, TopicRule::new("a.b", "blob")?])?;
    /// assert_eq!(rules.for_topics(["a.b"]).iter().map(|rule| rule.label()).collect::<Vec<_>>(), ["blob"]);
    /// assert_eq!(rules.for_topics(["a.c"]).iter().map(|rule| rule.label()).collect::<Vec<_>>(), ["json"]);
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    #[must_use]
    pub fn for_topics<T: AsRef<str>>(&self, topics: impl IntoIterator<Item = T>) -> Self {
        let mut reads = vec![false; self.0.len()];
        for topic in topics {
            let Ok(topic) = topic.as_ref().parse::<TopicPattern>() else { continue };
            for (_, reads) in self.iter().zip(&mut reads).filter(|(rule, _)| rule.pattern.overlaps(&topic)) {
                *reads = true;
                // A name is read by the first rule that fits it, dates by different rules perhaps.
                if topic.is_name() {
                    break;
                }
            }
        }
        Self(self.iter().zip(reads).filter(|(_, reads)| *reads).map(|(rule, _)| rule.clone()).collect())
    }

    /// Leaves out the rules whose model or framing is not in `registry`.
    #[must_use]
    pub fn linked_in(&self, registry: &Registry) -> Self {
        Self(self.iter().filter(|rule| rule.require(registry).is_ok()).cloned().collect())
    }

    /// Checks that every rule's model and framing are in `registry`.
    ///
    /// # Errors
    /// Kind `UnknownFormat`, naming the rule and what is linked.
    pub fn require(&self, registry: &Registry) -> Result<(), Error> {
        self.iter().try_for_each(|rule| rule.require(registry).map_err(|error| rule.about(error)))
    }

    /// Makes the framings that the rules name, each to look up schemas in `schemas`.
    ///
    /// # Errors
    /// Those of [`Registry::framing`], naming the rule.
    pub fn with_framings(&self, registry: &Registry, schemas: Option<&Arc<dyn SchemaSource>>) -> Result<Self, Error> {
        let made = self.iter().map(|rule| match &rule.framing {
            Some(Around::Named(name)) => {
                let framing = registry.framing(name, schemas).map_err(|error| rule.about(error))?;
                Ok(rule.clone().framed(framing))
            }
            _ => Ok(rule.clone()),
        });
        made.collect::<Result<Arc<[TopicRule]>, Error>>().map(Self)
    }

    /// Returns the rule for `topic`.
    pub fn find(&self, topic: &str) -> Option<&TopicRule> {
        self.iter().find(|rule| rule.pattern.matches(topic))
    }

    /// Returns the rule for `topic` that goes before the `_format` header, if the topic's rule does.
    pub(crate) fn find_before_header(&self, topic: &str) -> Option<&TopicRule> {
        // Most streams have none, and then no pattern is matched.
        let any = self.iter().any(|rule| rule.before_header);
        any.then(|| self.find(topic)).flatten().filter(|rule| rule.before_header)
    }

    /// Returns the rules, the one to ask first at the front.
    pub fn iter(&self) -> std::slice::Iter<'_, TopicRule> {
        self.0.iter()
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for TopicRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for rule in self {
            map.entry(&rule.pattern, &rule.label);
        }
        map.finish()
    }
}

impl<'a> IntoIterator for &'a TopicRules {
    type Item = &'a TopicRule;
    type IntoIter = std::slice::Iter<'a, TopicRule>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Returns two rules that fit one topic, if there are any among these of one rank.
fn find_tie<'r>(rules: impl Iterator<Item = &'r TopicRule> + Clone) -> Option<(&'r TopicRule, &'r TopicRule)> {
    let mut names = HashMap::new();
    let mut rest = rules;
    while let Some(rule) = rest.next() {
        // Of names, which are all of one rank, only the same ones meet; there may be thousands.
        let other = match rule.pattern.is_name() {
            true => names.insert(rule.pattern.as_str(), rule),
            false => rest.clone().find(|other| other.pattern.overlaps(&rule.pattern)),
        };
        if let Some(other) = other {
            return Some((rule, other));
        }
    }
    None
}

fn tie(one: &TopicRule, other: &TopicRule) -> Error {
    let name = |rule: &TopicRule| format!("`{}` ({})", rule.pattern, rule.label);
    Error::new(ErrorKind::Duplicate, "topic rules")
        .expected("one rule for each topic")
        .found(format!("{} and {}, which fit the same topics", name(one), name(other)))
        .help("write more of the topic's name in one of the two patterns")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(list: &[(&str, &str)]) -> Result<TopicRules, Error> {
        TopicRules::new(list.iter().map(|(pattern, label)| TopicRule::new(pattern, *label).unwrap()))
    }

    #[test]
    fn the_most_specific_rule_goes_first() {
        let rules =
            rules(&[("**", "a"), ("gcn.**", "b"), ("gcn.*", "c"), ("gcn.notices.*", "d"), ("gcn.notices", "e")])
                .unwrap();
        for (topic, label) in
            [("x", "a"), ("gcn.x.y", "b"), ("gcn.x", "c"), ("gcn.notices.x", "d"), ("gcn.notices", "e"), ("gcn", "a")]
        {
            assert_eq!(rules.find(topic).unwrap().label(), label, "{topic}");
        }
    }

    #[test]
    fn a_name_goes_before_the_pattern_of_a_date() {
        let rules =
            rules(&[("a_{date}", "dated"), ("a_20261127", "named"), ("a_2026*", "year"), ("a_202611**", "month")]);
        let rules = rules.unwrap();
        for (topic, label) in [
            ("a_20261127", "named"),
            ("a_20261128", "dated"),
            ("a_2026112x", "month"),
            ("a_2026", ""),
            ("a_2026x", "year"),
        ] {
            assert_eq!(rules.find(topic).map_or("", |rule| rule.label()), label, "{topic}");
        }
        // The same place written in two ways is still a tie.
        assert!(
            TopicRules::new([TopicRule::new("a_{date}", "x").unwrap(), TopicRule::new("a_{date}", "y").unwrap()])
                .is_err()
        );
    }

    #[test]
    fn only_rules_that_read_a_topic_are_left() {
        let rules =
            rules(&[("**", "any"), ("a.*", "a"), ("a.b", "ab"), ("n_{date}", "night"), ("n_20261127", "one")]).unwrap();
        for (topics, labels) in [
            (&["a.b"][..], &["ab"][..]),
            (&["a.b", "a.c"], &["ab", "a"]),
            (&["x"], &["any"]),
            (&["n_20261127"], &["one"]),
            (&["n_20261128"], &["night"]),
            (&["n_{date}"], &["one", "night", "any"]),
            (&[], &[]),
        ] {
            let left: Vec<_> = rules.for_topics(topics).iter().map(|rule| rule.label().to_owned()).collect();
            assert_eq!(left, labels, "{topics:?}");
        }
    }

    #[test]
    fn ties_are_refused_and_equals_that_never_meet_are_not() {
        for tie in [[("a.*", "x"), ("*.a", "y")], [("a", "x"), ("a", "x")], [("a*", "x"), ("*a", "y")]] {
            assert_eq!(rules(&tie).unwrap_err().kind(), ErrorKind::Duplicate, "{tie:?}");
        }
        assert!(rules(&[("a.*", "x"), ("b.*", "y")]).is_ok());
    }

    #[test]
    fn thousands_of_rules_are_sorted_at_once() {
        let started = std::time::Instant::now();
        for form in ["name.of.topic.@", "survey@.*", "alerts.*.night@", "prefix_**.suffix_@_{date}"] {
            let patterns: Vec<String> = (1000..4000).map(|number| form.replace('@', &number.to_string())).collect();
            let list: Vec<_> = patterns.iter().map(|pattern| (pattern.as_str(), "a")).collect();
            assert_eq!(rules(&list).unwrap().iter().count(), 3000, "{form}");
            let again = [list.as_slice(), &list[1500..1501]].concat();
            assert_eq!(rules(&again).unwrap_err().kind(), ErrorKind::Duplicate, "{form}");
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(8), "{:?}", started.elapsed());
    }

    #[test]
    fn rules_of_ones_own_go_before_more_specific_ones_of_others() {
        let (own, others) = (rules(&[("**", "own")]).unwrap(), rules(&[("gcn.circulars", "other")]).unwrap());
        assert_eq!(own.before(&others).find("gcn.circulars").unwrap().label(), "own");
        assert_eq!(others.before(&own).find("gcn.circulars").unwrap().label(), "other");
        assert_eq!(others.before(&own).find("x").unwrap().label(), "own");
    }

    #[test]
    fn a_rule_for_a_label_that_is_not_linked_is_refused_or_left_out() {
        let registry = Registry::builder().build().unwrap();
        let rules = rules(&[("a", "json"), ("b", "nobody")]).unwrap();
        let error = rules.require(&registry).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownFormat);
        assert_eq!(error.to_string(), "the rule for topic `b`: unknown format `nobody`; linked: blob, json");
        assert_eq!(rules.linked_in(&registry).iter().count(), 1);
    }
}
