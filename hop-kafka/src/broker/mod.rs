//! Profiles of brokers: which one a URL names, and what is known of it.

mod file;
mod host;

use std::path::PathBuf;
use std::sync::Once;

use hop_core::{Registry, TopicRules};

pub use self::host::HostPattern;
use crate::auth::{Mechanism, Protocol};
use crate::folder::{self, BROKERS_FILE};
use crate::url::DEFAULT_PORT;
use crate::{Credential, Error, ErrorKind, Url};

/// The profiles that come with this crate.
const BUILT_IN: &str = include_str!("profiles.toml");

/// What is known of a public alert broker: how to log in, which model reads which topic, what it keeps and allows.
///
/// A reader finds the profile by the host in its URL. The rules for topics apply to messages without `_format`; GCN, for
/// one, sends no header that says what a message is.
///
/// ```
/// use hop_kafka::Broker;
///
/// let url = "kafka://kafka.gcn.nasa.gov/gcn.notices.svom.voevent.grm".parse()?;
/// let gcn = Broker::built_in().into_iter().find(|broker| broker.serves(&url));
/// let rules = gcn.as_ref().map(Broker::rules);
/// let rule = rules.and_then(|rules| rules.find("gcn.notices.svom.voevent.grm"));
/// assert_eq!(rule.map(|rule| rule.label()), Some("voevent"));
/// # Ok::<(), hop_kafka::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Broker {
    /// A short name, as in `hop auth add --broker gcn`.
    pub name: String,
    /// The name that people know it by.
    pub title: String,
    /// The names of its hosts.
    pub hosts: Vec<HostPattern>,
    /// The port.
    pub port: u16,
    /// How the connection is encrypted; `None` where the broker asks for no credential.
    pub protocol: Option<Protocol>,
    /// How clients log in; `None` where the broker asks for no credential.
    pub mechanism: Option<Mechanism>,
    /// Where tokens come from.
    pub token_endpoint: Option<String>,
    /// What a token is good for. The broker's clients do not ask for it, and neither does hop unless the property
    /// `sasl.oauthbearer.scope` is set.
    pub scope: Option<String>,
    /// Which names of groups the broker accepts.
    pub group: GroupRule,
    /// How many days a message stays.
    pub retention_days: Option<u32>,
    /// The size of the largest message, in bytes.
    pub largest_message: Option<u64>,
    /// The schema registry.
    pub registry: Option<String>,
    /// The topic whose messages show that the broker lives.
    pub heartbeat: Option<String>,
    /// The names of the settings that only others than the broker's makers state.
    pub third_hand: Vec<String>,
    rules: TopicRules,
    /// The user's file that the rules are from, if they are.
    rules_file: Option<PathBuf>,
}

/// Which names of groups a broker accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum GroupRule {
    /// Any.
    #[default]
    Any,
    /// Those that start with the username.
    StartsWithUsername,
}

impl GroupRule {
    /// Returns the rule in a word: `any` or `username`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::StartsWithUsername => "username",
        }
    }
}

impl Broker {
    /// Returns the profiles that come with this crate.
    pub fn built_in() -> Vec<Self> {
        // A test reads the file; there is nothing that could be wrong with it here.
        file::read(BUILT_IN, None, &[]).unwrap_or_default()
    }

    /// Returns the profiles of the user's `brokers.toml`, and those that come with this crate.
    ///
    /// # Errors
    /// Kind `Config`: the user's file cannot be read, or is not as it should be.
    pub fn all() -> Result<Vec<Self>, Error> {
        let built_in = Self::built_in();
        let Ok(path) = Self::path() else { return Ok(built_in) };
        let wrong = |what: String| Error::new(ErrorKind::Config, format!("{}: {what}", path.display()));
        let Some(text) = folder::read(&path).map_err(|problem| wrong(problem.to_string()))? else {
            return Ok(built_in);
        };
        let own = file::read(&text, Some(&path), &built_in).map_err(wrong)?;
        if own.is_empty() {
            // The file is read more than once by most programs.
            static LOGGED: Once = Once::new();
            let file = path.display();
            LOGGED.call_once(|| {
                tracing::warn!(
                    target: "hop",
                    "{file} holds no broker: add one, `[name]` with its `hosts` in the line after, or remove the file"
                );
            });
        }
        Ok(Self::with_built_in(own, built_in))
    }

    /// Adds the profiles of this crate to the user's own, without those whose names the user has taken.
    fn with_built_in(own: Vec<Self>, built_in: Vec<Self>) -> Vec<Self> {
        let is_replaced = |profile: &Self| own.iter().any(|broker| broker.is_called(&profile.name));
        let others: Vec<Self> = built_in.into_iter().filter(|profile| !is_replaced(profile)).collect();
        own.into_iter().chain(others).collect()
    }

    /// Returns true if this is the broker's name, in any case.
    fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Returns the path of the user's `brokers.toml`, whether or not it exists.
    ///
    /// # Errors
    /// Kind `Config` when neither `XDG_CONFIG_HOME` nor `HOME` is set.
    pub fn path() -> Result<PathBuf, Error> {
        Ok(folder::folder()?.join(BROKERS_FILE))
    }

    /// Returns the profile of the broker that `url` names; the user's own goes first.
    ///
    /// # Errors
    /// Those of [`all`](Self::all).
    pub fn of(url: &Url) -> Result<Option<Self>, Error> {
        Ok(Self::all()?.into_iter().find(|broker| broker.serves(url)))
    }

    /// Returns the profile called `name`.
    ///
    /// # Errors
    /// Those of [`all`](Self::all), and kind `Usage` when no profile has the name.
    pub fn named(name: &str) -> Result<Self, Error> {
        let mut all = Self::all()?;
        match all.iter().position(|broker| broker.is_called(name)) {
            Some(at) => Ok(all.swap_remove(at)),
            None => {
                let names: Vec<_> = all.iter().map(|broker| broker.name.as_str()).collect();
                Err(Error::new(ErrorKind::Usage, format!("no broker is called `{}`", name.escape_debug()))
                    .help(format!("the names are {}", names.join(", "))))
            }
        }
    }

    /// Returns true if `url` names one of the broker's hosts.
    pub fn serves(&self, url: &Url) -> bool {
        self.hosts.iter().any(|pattern| pattern.matches(url.host()))
    }

    /// Returns the rules for topics.
    pub fn rules(&self) -> &TopicRules {
        &self.rules
    }

    /// Checks that the models and framings of the rules are in `registry`, where the rules are the user's own. Those of this
    /// crate's profiles name models that a program need not link.
    ///
    /// # Errors
    /// Kind `Config`, naming the file, the rule and the name that is near.
    pub fn check_rules(&self, registry: &Registry) -> Result<(), Error> {
        self.check_own(&self.rules, registry)
    }

    /// Checks rules of the user's file.
    fn check_own(&self, rules: &TopicRules, registry: &Registry) -> Result<(), Error> {
        let Some(file) = &self.rules_file else { return Ok(()) };
        let wrong = |error: hop_core::Error| {
            Error::new(ErrorKind::Config, format!("{}: `topics` of `{}`: {error}", file.display(), self.name))
        };
        rules.require(registry).map_err(wrong)
    }

    /// Returns `own`, then the broker's rules: those that read messages of these topics.
    pub(crate) fn rules_after(
        &self,
        own: &TopicRules,
        topics: &[String],
        registry: &Registry,
    ) -> Result<TopicRules, Error> {
        if self.rules_file.is_none() {
            return Ok(own.before(&self.rules.linked_in(registry)).for_topics(topics));
        }
        let rules = own.before(&self.rules).for_topics(topics);
        // Those before are checked already.
        self.check_own(&rules, registry)?;
        Ok(rules)
    }

    /// Makes a credential for the broker: its first host, its mechanism, its token endpoint.
    ///
    /// For GCN the username is the client's id and the password its secret.
    ///
    /// # Errors
    /// Kind `Usage` when the broker asks for no credential.
    pub fn credential(&self, username: impl Into<String>, password: impl Into<String>) -> Result<Credential, Error> {
        let (Some(protocol), Some(mechanism)) = (self.protocol, self.mechanism) else {
            return Err(Error::new(ErrorKind::Usage, format!("{} asks for no credential", self.title))
                .help("read it without authentication: `--no-auth`, or `no_auth()`"));
        };
        let mut credential = Credential::new(username, password).protocol(protocol);
        if let Some(host) = self.hosts.iter().find(|host| host.is_one()) {
            credential = credential.hostname(match self.port {
                DEFAULT_PORT => host.to_string(),
                port => format!("{host}:{port}"),
            });
        }
        Ok(match &self.token_endpoint {
            Some(endpoint) => credential.token_endpoint(endpoint),
            None => credential.mechanism(mechanism),
        })
    }

    /// Refuses a name of a group that the broker will refuse.
    ///
    /// # Errors
    /// Kind `Usage`, with a name that it accepts.
    pub fn check_group(&self, group: &str, username: Option<&str>) -> Result<(), Error> {
        match (self.group, username) {
            (GroupRule::StartsWithUsername, Some(username)) if !group.starts_with(username) => Err(Error::new(
                ErrorKind::Usage,
                format!("{} accepts only groups that start with the username, and `{group}` does not", self.title),
            )
            .help(format!("call it `{username}-{group}`"))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host: &str) -> Option<Broker> {
        let url = format!("kafka://{host}/t").parse().unwrap();
        Broker::built_in().into_iter().find(|broker| broker.serves(&url))
    }

    #[test]
    fn the_built_in_profiles_are_read_and_their_hosts_known() {
        assert_eq!(file::read(BUILT_IN, None, &[]).map(|all| all.len()), Ok(11));
        for (host, name) in [
            ("kafka.scimma.org", "hopskotch"),
            ("KAFKA.gcn.nasa.gov", "gcn"),
            ("kafka2.gcn.nasa.gov", "gcn"),
            ("kafka.test.gcn.nasa.gov", "gcn-test"),
            ("kafka1.dev.gcn.nasa.gov", "gcn-dev"),
            ("usdf-alert-stream-dev.lsst.cloud:9094", "rubin"),
            ("kafka-lsst.fink-broker.org:24499", "fink"),
            ("lasair-lsst-kafka_pub.lsst.ac.uk", "lasair"),
            ("kafka.alerce.science:9093", "alerce"),
            ("kafka.antares.noirlab.edu", "antares"),
            ("kaboom.caltech.edu:9093", "babamul"),
            ("public2.alerts.ztf.uw.edu:9094", "ztf"),
        ] {
            assert_eq!(of(host).map(|broker| broker.name).as_deref(), Some(name), "{host}");
        }
        assert!(of("localhost").is_none() && of("kafka.gcn.nasa.gov.example.org").is_none());
    }

    #[test]
    fn every_topic_of_gcn_has_its_model_on_each_of_its_brokers() {
        for host in ["kafka.gcn.nasa.gov", "kafka.test.gcn.nasa.gov", "kafka.dev.gcn.nasa.gov"] {
            let gcn = of(host).unwrap();
            for (topic, label, before_header) in [
                ("gcn.classic.text.FERMI_GBM_FIN_POS", "gcntextnotice", false),
                ("gcn.classic.voevent.SWIFT_BAT_GRB_POS_ACK", "voevent", false),
                ("gcn.classic.binary.INTEGRAL_WAKEUP", "gcnpacket", false),
                ("gcn.notices.svom.voevent.eclairs", "voevent", false),
                ("gcn.notices.icecube.gold_bronze_track_alerts", "gcnnotice", false),
                ("gcn.notices.einstein_probe.wxt.alert", "gcnnotice", false),
                ("gcn.circulars", "circular", false),
                ("gcn.circulars.grb", "circular", false),
                ("gcn.heartbeat", "json", false),
                ("igwn.gwalert", "gwalert", true),
            ] {
                let rule = gcn.rules().find(topic).unwrap();
                assert_eq!((rule.label(), rule.is_before_header()), (label, before_header), "{topic}");
            }
            assert!(gcn.rules().find("gcn.other").is_none());
        }
    }

    #[test]
    fn a_credential_has_what_the_broker_wants() {
        let gcn = of("kafka.test.gcn.nasa.gov").unwrap().credential("id", "secret").unwrap();
        assert_eq!(gcn.host(), Some("kafka.test.gcn.nasa.gov"));
        assert!(format!("{gcn:?}").contains("https://auth.test.gcn.nasa.gov/oauth2/token"), "{gcn:?}");
        assert!(format!("{gcn:?}").contains("OAuthBearer"), "{gcn:?}");
        let babamul = of("kaboom.caltech.edu").unwrap().credential("ada", "secret").unwrap();
        assert!(format!("{babamul:?}").contains("SaslPlaintext"), "{babamul:?}");
        assert_eq!(babamul.host(), Some("kaboom.caltech.edu:9093"));
        assert_eq!(of("kafka.lsst.ac.uk").unwrap().credential("a", "b").unwrap_err().kind(), ErrorKind::Usage);
    }

    #[test]
    fn a_group_that_will_be_refused_is_refused_with_the_right_form() {
        let hopskotch = of("kafka.scimma.org").unwrap();
        assert!(hopskotch.check_group("ada-night-watch", Some("ada")).is_ok());
        assert_eq!(
            hopskotch.check_group("night-watch", Some("ada")).unwrap_err().to_string(),
            "SCiMMA Hopskotch accepts only groups that start with the username, and `night-watch` does not; call it \
             `ada-night-watch`"
        );
        assert!(of("kafka.gcn.nasa.gov").unwrap().check_group("night-watch", Some("ada")).is_ok());
    }

    #[test]
    fn names_are_compared_without_regard_to_case() {
        let own = "[Mine]\nhosts = ['kafka.example.org']\nlike = 'GCN'\n[FINK]\nhosts = ['localhost']";
        let own = file::read(own, None, &Broker::built_in()).unwrap();
        assert_eq!(own[0].mechanism, Some(Mechanism::OAuthBearer));
        let all = Broker::with_built_in(own, Broker::built_in());
        let finks: Vec<&str> = all.iter().map(|broker| broker.name.as_str()).filter(|name| name.len() == 4).collect();
        assert_eq!(finks, ["Mine", "FINK"]);
        assert_eq!(all.len(), 12);
    }

    #[test]
    fn a_broker_takes_from_another_only_what_goes_with_its_own_login() {
        let read = |settings: &str| {
            let text = format!("[mine]\nhosts = ['localhost']\nlike = 'gcn'\n{settings}");
            file::read(&text, None, &Broker::built_in()).unwrap().remove(0)
        };
        let plain = read("mechanism = 'PLAIN'").credential("ada", "secret").unwrap();
        assert!(format!("{plain:?}").contains("Plain") && !format!("{plain:?}").contains("gcn.nasa.gov"), "{plain:?}");
        let open = read("protocol = 'none'");
        assert_eq!((open.mechanism, open.token_endpoint.clone()), (None, None));
        assert_eq!(open.credential("ada", "secret").unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(read("").token_endpoint.as_deref(), Some("https://auth.gcn.nasa.gov/oauth2/token"));
    }

    #[test]
    fn a_file_of_ones_own_adds_to_the_profiles_and_its_mistakes_are_named() {
        let own =
            "[mine]\nhosts = ['kafka.example.org']\nlike = 'gcn'\ntopics = [{ pattern = 'a.*', format = 'json' }]";
        let read = file::read(own, None, &Broker::built_in()).unwrap();
        assert_eq!((read[0].name.as_str(), read[0].mechanism), ("mine", Some(Mechanism::OAuthBearer)));
        assert_eq!(read[0].rules().find("a.b").map(|rule| rule.label().to_owned()).as_deref(), Some("json"));
        assert!(read[0].rules().find("gcn.circulars").is_none());
        for (text, wrong) in [
            ("[x]\ntitle = 'X'", "`x` has no `hosts`"),
            ("[x]\nhosts = ['a']\nmechanism = 'MD5'", "`mechanism` of `x`"),
            ("[x]\nhosts = ['a']\ncolour = 'red'", "`colour` of `x`"),
            ("[x]\nhosts = ['a']\nlike = 'nobody'", "`like` of `x`"),
            ("[x]\nhosts = ['a']\ntopics = [{ pattern = 'a' }]", "`topics` of `x`"),
            ("[x]\nhosts = ['a']\ntopics = [{ pattern = 'a b', format = 'json' }]", "`topics` of `x`"),
            ("x = 1", "`x`"),
            ("[x", "near line 1"),
            ("[x]", "`x` has no `hosts`: list"),
            ("['']\nhosts = ['a']", "`` is not a name of a broker"),
            ("['a b']\nhosts = ['a']", "`a b` is not a name of a broker"),
            ("[x]\nhosts = ['a']\n[X]\nhosts = ['b']", "`X` and `x` are one name"),
            ("[x]\nhosts = ['a', 'b']\n[y]\nhosts = ['B']", "`hosts` of `y`: `b` is one of `x` too"),
            ("[x]\nhosts = []", "`hosts` of `x` is not a list of one or more names"),
            ("[x]\nhosts = ['']", "`hosts` of `x`"),
            ("[x]\nhosts = ['a']\ntitle = ' '", "`title` of `x`"),
            ("[x]\nhosts = ['a']\nport = 0", "`port` of `x` is not a port: a number from 1 to 65535"),
            ("[x]\nhosts = ['a']\nport = 65536", "`port` of `x`"),
            ("[x]\nhosts = ['a']\nport = '9092'", "`port` of `x`"),
            ("[x]\nhosts = ['a']\nretention_days = 0", "`retention_days` of `x`"),
            ("[x]\nhosts = ['a']\nretention_days = -1", "`retention_days` of `x`"),
            ("[x]\nhosts = ['a']\nlargest_message = 0", "`largest_message` of `x`"),
            ("[x]\nhosts = ['a']\nheartbeat = 'a b'", "`heartbeat` of `x`"),
            ("[x]\nhosts = ['a']\nregistry = 'nowhere'", "`registry` of `x`"),
            ("[x]\nhosts = ['a']\nthird_hand = ['colour']", "`colour` is none of title, hosts"),
            ("[x]\nhosts = ['a']\nprotocol = 'SASL_SSL'", "`x` has a `protocol` to log in by, and no `mechanism`"),
            ("[x]\nhosts = ['a']\nmechanism = 'PLAIN'", "`x` has a `mechanism`, and no `protocol`"),
            (
                "[x]\nhosts = ['a']\nprotocol = 'SASL_SSL'\nmechanism = 'OAUTHBEARER'\ntoken_endpoint = 'nowhere'",
                "`token_endpoint` of `x` is no URL",
            ),
            (
                "[x]\nhosts = ['a']\nprotocol = 'SASL_SSL'\nmechanism = 'PLAIN'\ntoken_endpoint = 'https://a/t'",
                "`token_endpoint`, which goes with",
            ),
        ] {
            let error = file::read(text, None, &[]).unwrap_err();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }
}
