//! Who asks, whether the broker takes that, and what may be done.

use std::time::SystemTime;

use hop_kafka::auth::{self, Protocol};
use hop_kafka::{Credential, ErrorKind, Right};

use super::{Patient, Report, Status, Step, age};
use crate::failure::Failure;

/// Looks at credential, token, TLS and log-in; returns whether the broker answers questions.
pub(super) async fn log_in(patient: &Patient<'_>, report: &mut Report) -> Result<bool, Failure> {
    let credential = match credential(patient, report)? {
        Ok(credential) => credential,
        Err(()) => {
            for name in ["token", "tls", "login"] {
                report.add(Step::skipped(name, "there is no credential to log in with"))?;
            }
            return Ok(false);
        }
    };
    let token = match patient.hop.fetch_token(&patient.url).await {
        Ok(None) => Step::skipped("token", "the credential takes none"),
        Ok(Some(token)) => {
            Step::ok("token", format!("one came for `{}`, good for {}", token.principal, age(token.life)))
        }
        Err(error) => Step::error("token", &error),
    };
    let has_token = token.status != Status::Failed;
    report.add(token)?;
    if !has_token {
        for name in ["tls", "login"] {
            report.add(Step::skipped(name, "there is no token to log in with"))?;
        }
        return Ok(false);
    }
    let is_encrypted = credential.as_ref().is_some_and(|credential| credential.security().0 == Protocol::SaslSsl);
    match patient.hop.list_topics(format!("kafka://{}", address(patient))).await {
        Ok(topics) => {
            report.add(match is_encrypted {
                true => Step::ok("tls", "the broker's certificate is trusted, and is for this host"),
                false => Step::ok("tls", "none: the connection is not encrypted"),
            })?;
            let who =
                credential.map_or_else(|| "without a credential".to_owned(), |one| format!("as `{}`", one.username()));
            report.add(Step::ok("login", format!("the broker answers {who}; {} topics can be seen", topics.len())))?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::Tls => {
            report.add(Step::error("tls", &error))?;
            report.add(Step::skipped("login", "there is no connection by TLS"))?;
            Ok(false)
        }
        Err(error) => {
            report.add(Step::skipped("tls", "not known, since the log-in fails"))?;
            report.add(Step::error("login", &error))?;
            Ok(false)
        }
    }
}

/// The broker in the URL, and the user, without topics.
pub(super) fn address(patient: &Patient<'_>) -> String {
    let url = patient.url.to_string();
    let rest = url.strip_prefix("kafka://").unwrap_or(&url);
    rest.split('/').next().unwrap_or_default().to_owned()
}

/// Looks for the credential; that there is none is an error unless authentication is off.
fn credential(patient: &Patient<'_>, report: &mut Report) -> Result<Result<Option<Credential>, ()>, Failure> {
    const NAME: &str = "credential";
    if patient.options.no_auth {
        report.add(Step::ok(NAME, "none: authentication is off (`--no-auth`)"))?;
        return Ok(Ok(None));
    }
    let found = auth::load().and_then(|credentials| auth::select(&credentials, &patient.url));
    let credential = match found {
        Ok(credential) => credential,
        Err(error) => {
            let mut step = Step::error(NAME, &error);
            step.advice = Some(match step.advice {
                None => "add one with `hop auth add`, or turn authentication off with `--no-auth`".to_owned(),
                Some(advice) if advice.ends_with("authentication off") => format!("{advice} with `--no-auth`"),
                Some(advice) => advice,
            });
            report.add(step)?;
            return Ok(Err(()));
        }
    };
    let (protocol, mechanism) = credential.security();
    let tls = if protocol == Protocol::SaslSsl { "over TLS" } else { "without TLS" };
    let changed = auth::path().map(|path| std::fs::metadata(path).ok().and_then(|file| file.modified().ok()));
    let changed = match changed {
        Ok(Some(at)) => {
            let since = SystemTime::now().duration_since(at).unwrap_or_default();
            format!("; the file was changed {} ago", age(since))
        }
        _ => String::new(),
    };
    let mut step = Step::ok(NAME, format!("{credential}, {} {tls}{changed}", mechanism.as_str()));
    if let Some(profile) = &patient.profile
        && let Some(wanted) = profile.mechanism.filter(|wanted| *wanted != mechanism)
    {
        step.status = Status::Attention;
        step = step.advise(format!("{} wants {}: check `mechanism` of the credential", profile.title, wanted.as_str()));
    }
    report.add(step)?;
    Ok(Ok(Some(credential)))
}

/// Looks at the rights on each topic and its limit; returns the topics that can be read.
pub(super) async fn topics(patient: &Patient<'_>, report: &mut Report) -> Result<Vec<String>, Failure> {
    const NAME: &str = "topic";
    if patient.url.topics().is_empty() {
        report.add(Step::skipped(NAME, "the URL names none"))?;
        return Ok(Vec::new());
    }
    let there: Vec<String> = match patient.hop.list_topics(patient.url.to_string()).await {
        Ok(topics) => topics.into_iter().map(|topic| topic.name).collect(),
        Err(error) => {
            report.add(Step::error(NAME, &error))?;
            return Ok(Vec::new());
        }
    };
    // Topics of nights are those that there are.
    let mut names = there.clone();
    for topic in patient.url.topics() {
        if topic.contains("{date}") {
            let (before, after) = topic.split_once("{date}").unwrap_or((topic, ""));
            if !there.iter().any(|name| name.starts_with(before) && name.ends_with(after)) {
                report.add(Step::failed(NAME, format!("there is no topic `{topic}` of any night"), MISSING))?;
            }
        } else if !names.contains(topic) {
            names.push(topic.clone());
        }
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let url = format!("kafka://{}/{}", address(patient), names.join(","));
    let rights = match patient.hop.topic_rights(url).await {
        Ok(rights) => rights.into_iter().map(|topic| (topic.topic, Some(topic.rights))).collect(),
        // Not every broker tells them.
        Err(error) => {
            tracing::debug!(target: "hop", %error, "the rights are not told");
            names.into_iter().map(|name| (name, None)).collect::<Vec<_>>()
        }
    };
    let mut readable = Vec::new();
    for (topic, rights) in rights {
        let step = match rights {
            Some(Err(error)) => {
                let mut step = Step::error(NAME, &error);
                step.saw = format!("`{topic}`: {}", step.saw);
                step
            }
            Some(Ok(Some(rights))) => may(patient, &topic, &rights),
            Some(Ok(None)) | None if there.contains(&topic) => {
                Step::ok(NAME, format!("`{topic}` is there; the broker does not tell what may be done with it"))
            }
            Some(Ok(None)) | None => Step::failed(NAME, format!("`{topic}`: there is no such topic"), MISSING),
        };
        if step.status != Status::Failed {
            readable.push(topic.clone());
        }
        let is_there = there.contains(&topic);
        report.add(step)?;
        if is_there {
            report.add(size(patient, &topic).await)?;
        }
    }
    Ok(if patient.options.write { Vec::new() } else { readable })
}

const MISSING: &str = "check the topic's name; it may also be one that you are not allowed to see";

/// Says what may be done with a topic, and whether that is what is wanted.
fn may(patient: &Patient<'_>, topic: &str, rights: &[Right]) -> Step {
    const NAME: &str = "topic";
    let (reads, writes) = (rights.contains(&Right::Read), rights.contains(&Right::Write));
    let can = match (reads, writes) {
        (true, true) => "may be read and written to",
        (true, false) => "may be read, and not written to",
        (false, true) => "may be written to, and not read",
        (false, false) => "may neither be read nor written to",
    };
    let saw = format!("`{topic}` {can}");
    match (patient.options.write, reads, writes) {
        (false, true, _) | (true, _, true) => Step::ok(NAME, saw),
        (false, ..) => {
            Step::failed(NAME, saw, "ask the topic's owner for permission to read it, or use another credential")
        }
        (true, ..) => {
            Step::failed(NAME, saw, "ask the topic's owner for permission to write to it, or use another credential")
        }
    }
}

/// Asks for the largest message that a topic takes.
async fn size(patient: &Patient<'_>, topic: &str) -> Step {
    const NAME: &str = "size";
    let out = match patient.hop.publish(format!("kafka://{}/{topic}", address(patient))).await {
        Ok(out) => out,
        Err(error) => return Step::error(NAME, &error),
    };
    let asked = out.max_message_bytes(topic).await;
    // Nothing was sent.
    let _closed = out.close_within(std::time::Duration::from_secs(1)).await;
    let known = patient.profile.as_ref().and_then(|profile| profile.largest_message);
    match asked {
        Ok(limit) => {
            let known = known.filter(|known| *known != limit as u64);
            let known = known.map_or_else(String::new, |known| format!("; {known} was known of this broker"));
            Step::ok(NAME, format!("`{topic}` takes messages of up to {limit} bytes{known}"))
        }
        Err(error) => {
            let known = known.map_or_else(String::new, |known| format!("; {known} bytes are known of this broker"));
            Step::skipped(NAME, format!("the broker does not tell ({}){known}", error.kind()))
        }
    }
}

/// Looks at the group.
pub(super) async fn group(patient: &Patient<'_>, report: &mut Report) -> Result<(), Failure> {
    const NAME: &str = "group";
    let Some(group) = &patient.options.group_id else {
        return report.add(Step::skipped(NAME, "none is named; `--group-id` looks at one"));
    };
    let username = patient.hop.username(&patient.url).ok().flatten();
    if let Some(profile) = &patient.profile
        && let Err(error) = profile.check_group(group, username.as_deref())
    {
        return report.add(Step::error(NAME, &error));
    }
    let described = patient.hop.group(patient.url.to_string(), group).describe().await;
    report.add(match described {
        Ok(found) => {
            let members = if found.members == 1 { "1 member".to_owned() } else { format!("{} members", found.members) };
            let saw = format!("`{group}` has {members} ({})", found.state.to_lowercase());
            match found.rights {
                Some(rights) if !rights.contains(&Right::Read) => Step::failed(
                    NAME,
                    format!("`{group}` may not be joined"),
                    "use a group that starts with the username",
                ),
                _ => Step::ok(NAME, saw),
            }
        }
        Err(error) if matches!(error.kind(), ErrorKind::Authorization) => Step::error(NAME, &error),
        Err(error) => {
            tracing::debug!(target: "hop", %error, "the group is not told");
            Step::skipped(NAME, format!("the broker does not tell who is in `{group}`"))
        }
    })
}
