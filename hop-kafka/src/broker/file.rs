//! Profiles as a file has them.

use std::path::Path;

use hop_core::{TopicRule, TopicRules};
use toml_edit::{Item, TableLike, Value};

use super::{Broker, GroupRule, HostPattern};
use crate::SchemaRegistry;
use crate::auth::token::endpoint_url;
use crate::auth::{Mechanism, Protocol};
use crate::folder;
use crate::url::{DEFAULT_PORT, is_topic};

/// The settings of a broker.
const SETTINGS: [&str; 14] = [
    "title",
    "hosts",
    "port",
    "protocol",
    "mechanism",
    "token_endpoint",
    "scope",
    "group",
    "retention_days",
    "largest_message",
    "registry",
    "heartbeat",
    "third_hand",
    "topics",
];

/// Reads profiles, from the user's `file` or those of this crate; `like` in one names an earlier one, or one of `others`, whose
/// settings it takes where it has none.
pub(super) fn read(text: &str, file: Option<&Path>, others: &[Broker]) -> Result<Vec<Broker>, String> {
    let document = folder::parse(text)?;
    let mut brokers: Vec<Broker> = Vec::new();
    for (name, item) in document.iter() {
        let table = item.as_table_like().ok_or_else(|| {
            format!("`{name}` is not a table: write `[{name}]`, with its settings in the lines after it")
        })?;
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!("`{}` is not a name of a broker: choose one without spaces", name.escape_debug()));
        }
        if let Some(other) = brokers.iter().find(|broker| broker.is_called(name)) {
            return Err(format!(
                "`{name}` and `{}` are one name, since upper and lower case are the same in it: rename one",
                other.name
            ));
        }
        let like = match table.get("like") {
            None => None,
            Some(like) => {
                let earlier = || brokers.iter().chain(others);
                let found = like.as_str().and_then(|like| earlier().find(|broker| broker.is_called(like)));
                Some(found.cloned().ok_or_else(|| {
                    let names: Vec<_> = earlier().map(|broker| broker.name.as_str()).collect();
                    format!("`like` of `{name}` is not the name of an earlier broker: those are {}", names.join(", "))
                })?)
            }
        };
        let broker = broker(name, table, file, like)?;
        for other in &brokers {
            if let Some(host) = broker.hosts.iter().find(|host| other.hosts.contains(host)) {
                return Err(format!(
                    "`hosts` of `{name}`: `{host}` is one of `{}` too, which would always be chosen: remove it from one",
                    other.name
                ));
            }
        }
        brokers.push(broker);
    }
    Ok(brokers)
}

fn broker(name: &str, table: &dyn TableLike, file: Option<&Path>, like: Option<Broker>) -> Result<Broker, String> {
    let mut broker = like.unwrap_or_else(|| Broker {
        name: String::new(),
        title: name.to_owned(),
        hosts: Vec::new(),
        port: DEFAULT_PORT,
        protocol: None,
        mechanism: None,
        token_endpoint: None,
        scope: None,
        group: GroupRule::Any,
        retention_days: None,
        largest_message: None,
        registry: None,
        heartbeat: None,
        third_hand: Vec::new(),
        rules: TopicRules::default(),
        rules_file: None,
    });
    name.clone_into(&mut broker.name);
    if !table.contains_key("hosts") {
        return Err(format!(
            "`{name}` has no `hosts`: list the names of its hosts, as in `hosts = [\"kafka.example.org\"]`"
        ));
    }
    for (key, item) in table.iter() {
        let wrong = |expected: &str| format!("`{key}` of `{name}` is not {expected}");
        let text = || item.as_str().filter(|text| !text.trim().is_empty()).ok_or_else(|| wrong("text"));
        match key {
            "like" => {}
            "title" => broker.title = text()?.to_owned(),
            "token_endpoint" => {
                let url = text()?;
                endpoint_url(url).map_err(|what| format!("`{key}` of `{name}` {what}"))?;
                broker.token_endpoint = Some(url.to_owned());
            }
            "scope" => broker.scope = Some(text()?.to_owned()),
            "heartbeat" => {
                let topic = text()?;
                if !is_topic(topic) {
                    return Err(wrong("the name of a topic: letters, digits, `.`, `_` and `-`"));
                }
                broker.heartbeat = Some(topic.to_owned());
            }
            "registry" => {
                let url = text()?;
                SchemaRegistry::new(url).map_err(|error| format!("`{key}` of `{name}`: {error}"))?;
                broker.registry = Some(url.to_owned());
            }
            "protocol" => {
                broker.protocol = match text()? {
                    "SASL_SSL" => Some(Protocol::SaslSsl),
                    "SASL_PLAINTEXT" => Some(Protocol::SaslPlaintext),
                    "none" => None,
                    _ => return Err(wrong("SASL_SSL, SASL_PLAINTEXT or none")),
                }
            }
            "mechanism" => {
                let known = [Mechanism::ScramSha512, Mechanism::ScramSha256, Mechanism::Plain, Mechanism::OAuthBearer];
                let found = known.into_iter().find(|known| item.as_str() == Some(known.as_str()));
                broker.mechanism = Some(
                    found.ok_or_else(|| wrong(&format!("one of {}", known.map(|known| known.as_str()).join(", "))))?,
                );
            }
            "group" => {
                broker.group = match text()? {
                    "any" => GroupRule::Any,
                    "username" => GroupRule::StartsWithUsername,
                    _ => return Err(wrong("`any` or `username`")),
                }
            }
            "port" => broker.port = positive(item).ok_or_else(|| wrong("a port: a number from 1 to 65535"))?,
            "retention_days" => {
                let days = positive(item)
                    .ok_or_else(|| wrong("a number of days, 1 or more; leave it out if none is known"))?;
                broker.retention_days = Some(days);
            }
            "largest_message" => {
                let bytes = positive(item)
                    .ok_or_else(|| wrong("a number of bytes, 1 or more; leave it out if none is known"))?;
                broker.largest_message = Some(bytes);
            }
            "third_hand" => {
                let names = texts(item).ok_or_else(|| wrong("a list of names of settings"))?;
                if let Some(unknown) = names.iter().find(|name| !SETTINGS.contains(&name.as_str())) {
                    let unknown = unknown.escape_debug();
                    return Err(wrong(&format!(
                        "a list of names of settings: `{unknown}` is none of {}",
                        SETTINGS.join(", ")
                    )));
                }
                broker.third_hand = names;
            }
            "hosts" => {
                let hosts = texts(item)
                    .filter(|hosts| !hosts.is_empty())
                    .ok_or_else(|| wrong("a list of one or more names, as in `[\"kafka.example.org\"]`"))?;
                let parsed = hosts.iter().map(|host| HostPattern::parse(host));
                broker.hosts =
                    parsed.collect::<Result<_, hop_core::Error>>().map_err(|error| wrong(&error.to_string()))?;
            }
            "topics" => {
                topics(&mut broker, item).map_err(|what| format!("`topics` of `{name}`: {what}"))?;
                broker.rules_file = file.map(Path::to_owned);
            }
            _ => return Err(wrong(&format!("a setting of a broker: those are like, {}", SETTINGS.join(", ")))),
        }
    }
    settle_login(&mut broker, table)?;
    Ok(broker)
}

/// Checks that what the table says of logging in is of one piece, and takes from a broker that is like it only what goes with
/// that.
fn settle_login(broker: &mut Broker, table: &dyn TableLike) -> Result<(), String> {
    let (name, says) = (&broker.name, |key: &str| table.contains_key(key));
    match (broker.protocol, broker.mechanism) {
        (None, Some(_)) if says("mechanism") => Err(format!(
            "`{name}` has a `mechanism`, and no `protocol` to log in by: add `protocol = \"SASL_SSL\"`, or remove it"
        )),
        (Some(_), None) => Err(format!(
            "`{name}` has a `protocol` to log in by, and no `mechanism`: add one, such as `mechanism = \"SCRAM-SHA-512\"`"
        )),
        (_, mechanism) if says("token_endpoint") && mechanism != Some(Mechanism::OAuthBearer) => Err(format!(
            "`{name}` has a `token_endpoint`, which goes with `mechanism = \"OAUTHBEARER\"` alone: set that, or remove it"
        )),
        (protocol, mechanism) => {
            if protocol.is_none() {
                broker.mechanism = None;
            }
            if protocol.is_none() || mechanism != Some(Mechanism::OAuthBearer) {
                (broker.token_endpoint, broker.scope) = (None, None);
            }
            Ok(())
        }
    }
}

fn topics(broker: &mut Broker, item: &Item) -> Result<(), String> {
    const EXPECTED: &str = "expected a list of { pattern, format, before_header, framing }";
    // A list of inline tables, or `[[name.topics]]`.
    let inline = item.as_array().into_iter().flat_map(|list| list.iter().map(Value::as_inline_table));
    let inline = inline.map(|table| table.map(|table| table as &dyn TableLike));
    let headed =
        item.as_array_of_tables().into_iter().flat_map(|list| list.iter().map(|table| Some(table as &dyn TableLike)));
    if item.as_array().is_none() && item.as_array_of_tables().is_none() {
        return Err(EXPECTED.to_owned());
    }
    broker.rules = TopicRules::default();
    let mut rules = Vec::new();
    for table in inline.chain(headed) {
        let table = table.ok_or(EXPECTED)?;
        let text = |name: &str| table.get(name).and_then(Item::as_str);
        let (pattern, format) = text("pattern").zip(text("format")).ok_or(EXPECTED)?;
        if let Some((name, _)) =
            table.iter().find(|(name, _)| !["pattern", "format", "before_header", "framing"].contains(name))
        {
            return Err(format!("`{name}`: {EXPECTED}"));
        }
        let mut rule = TopicRule::new(pattern, format).map_err(|error| error.to_string())?;
        match table.get("before_header").map(Item::as_bool) {
            None | Some(Some(false)) => {}
            Some(Some(true)) => rule = rule.before_header(),
            Some(None) => return Err(EXPECTED.to_owned()),
        }
        match text("framing") {
            None if table.contains_key("framing") => return Err(EXPECTED.to_owned()),
            None => {}
            Some(framing) => rule = rule.framed_as(framing),
        }
        rules.push(rule);
    }
    broker.rules = TopicRules::new(rules).map_err(|error| error.to_string())?;
    Ok(())
}

fn texts(item: &Item) -> Option<Vec<String>> {
    item.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// Returns a whole number above zero.
fn positive<N: TryFrom<i64>>(item: &Item) -> Option<N> {
    item.as_integer().filter(|number| *number > 0).and_then(|number| N::try_from(number).ok())
}
