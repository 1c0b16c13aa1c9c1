//! Profiles as a file has them.

use std::path::Path;

use hop_core::{TopicRule, TopicRules};
use toml_edit::{Item, TableLike, Value};

use super::{Broker, GroupRule, HostPattern};
use crate::SchemaRegistry;
use crate::auth::{Mechanism, Protocol};
use crate::folder;
use crate::url::DEFAULT_PORT;

/// Reads profiles, from the user's `file` or those of this crate; `like` in one names an earlier one, or one of `others`, whose settings it takes where it has none.
pub(super) fn read(text: &str, file: Option<&Path>, others: &[Broker]) -> Result<Vec<Broker>, String> {
    let document = folder::parse(text)?;
    let mut brokers: Vec<Broker> = Vec::new();
    for (name, item) in document.iter() {
        let table = item.as_table_like().ok_or_else(|| format!("`{name}` is not a table"))?;
        let like = match table.get("like") {
            None => None,
            Some(like) => Some(
                like.as_str()
                    .and_then(|like| brokers.iter().chain(others).find(|broker| broker.name == like))
                    .cloned()
                    .ok_or_else(|| format!("`like` of `{name}` is not the name of an earlier broker"))?,
            ),
        };
        brokers.push(broker(name, table, file, like)?);
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
        return Err(format!("`{name}` has no `hosts`"));
    }
    for (key, item) in table.iter() {
        let wrong = |expected: &str| format!("`{key}` of `{name}` is not {expected}");
        let text = || item.as_str().ok_or_else(|| wrong("text"));
        match key {
            "like" => {}
            "title" => broker.title = text()?.to_owned(),
            "token_endpoint" => broker.token_endpoint = Some(text()?.to_owned()),
            "scope" => broker.scope = Some(text()?.to_owned()),
            "heartbeat" => broker.heartbeat = Some(text()?.to_owned()),
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
                broker.mechanism = Some(found.ok_or_else(|| wrong("a mechanism of SASL that hop knows"))?);
            }
            "group" => {
                broker.group = match text()? {
                    "any" => GroupRule::Any,
                    "username" => GroupRule::StartsWithUsername,
                    _ => return Err(wrong("`any` or `username`")),
                }
            }
            "port" => broker.port = number(item).ok_or_else(|| wrong("a number of a port"))?,
            "retention_days" => broker.retention_days = Some(number(item).ok_or_else(|| wrong("a number of days"))?),
            "largest_message" => broker.largest_message = Some(number(item).ok_or_else(|| wrong("a number of bytes"))?),
            "third_hand" => broker.third_hand = texts(item).ok_or_else(|| wrong("a list of names of settings"))?,
            "hosts" => {
                let hosts = texts(item).ok_or_else(|| wrong("a list of names"))?;
                let parsed = hosts.iter().map(|host| HostPattern::parse(host));
                broker.hosts =
                    parsed.collect::<Result<_, hop_core::Error>>().map_err(|error| wrong(&error.to_string()))?;
            }
            "topics" => {
                topics(&mut broker, item).map_err(|what| format!("`topics` of `{name}`: {what}"))?;
                broker.rules_file = file.map(Path::to_owned);
            }
            _ => return Err(wrong("a setting of a broker")),
        }
    }
    Ok(broker)
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

fn number<N: TryFrom<i64>>(item: &Item) -> Option<N> {
    item.as_integer().and_then(|number| N::try_from(number).ok())
}
