//! Which credential is used for a URL.

use super::{Credential, GET_ONE};
use crate::url::Url;
use crate::{Error, ErrorKind};

/// Returns the credential that a stream to `url` uses.
///
/// One that names the broker comes before one that names none; a username in the URL must be its own. One that cannot be
/// used is passed over, with a warning, where another one fits as well.
///
/// ```
/// use hop_kafka::Credential;
/// use hop_kafka::auth::select;
///
/// let mine = [Credential::new("ada", "secret").hostname("kafka.scimma.org"), Credential::new("bob", "secret")];
/// assert_eq!(select(&mine, &"kafka://kafka.scimma.org:9092/t".parse()?)?.username(), "ada");
/// assert_eq!(select(&mine, &"kafka://bob@kafka.scimma.org/t".parse()?)?.username(), "bob");
/// # Ok::<(), hop_kafka::Error>(())
/// ```
///
/// # Errors
/// Kind `Credential`: none fits, or several do, which are listed with the URL to type for each; or the one that fits lacks
/// what its mechanism needs.
pub fn select(credentials: &[Credential], url: &Url) -> Result<Credential, Error> {
    let wanted = match url.username() {
        Some(username) => format!("{} with the username `{username}`", url.broker()),
        None => url.broker(),
    };
    let fitting_ones = fitting(credentials, url, url.username());
    let (usable, unusable): (Vec<_>, Vec<_>) =
        fitting_ones.into_iter().partition(|credential| credential.check().is_ok());
    for credential in unusable.iter().filter(|_| !usable.is_empty()) {
        tracing::warn!(target: "hop", "the credential {credential} {}", credential.problem().unwrap_or_default());
    }
    match if usable.is_empty() { unusable } else { usable }.as_slice() {
        [credential] => {
            credential.check()?;
            Ok((*credential).clone())
        }
        [] => {
            let error = Error::new(
                ErrorKind::Credential,
                format!("no credential fits {wanted}; there are: {}", list(credentials)),
            );
            // The username may be mistyped, or the port.
            let others = fitting(credentials, url, None);
            let on_other_ports: Vec<String> = credentials.iter().filter_map(|one| on_another_port(one, url)).collect();
            Err(if !others.is_empty() {
                error.help(format!("type {}", urls(url, &others)))
            } else if on_other_ports.is_empty() {
                error.help(GET_ONE)
            } else {
                error.help(format!("{}: no port means 9092", on_other_ports.join(", ")))
            })
        }
        several => {
            let error = Error::new(ErrorKind::Credential, format!("{} credentials fit {wanted}", several.len()));
            let twins =
                several.iter().any(|one| several.iter().filter(|other| one.username == other.username).count() > 1);
            Err(if twins {
                // No URL tells them apart.
                let all: Vec<String> = several.iter().map(ToString::to_string).collect();
                error.help(format!("remove all but one of {}", all.join(", ")))
            } else {
                error.help(format!("say which one in the URL: {}", urls(url, several)))
            })
        }
    }
}

fn fitting<'a>(credentials: &'a [Credential], url: &Url, username: Option<&str>) -> Vec<&'a Credential> {
    let named = |credential: &&Credential| username.is_none_or(|username| credential.username == username);
    let here = |credential: &&Credential| {
        credential.address().is_some_and(|(host, port)| host.eq_ignore_ascii_case(url.host()) && port == url.port())
    };
    let exact: Vec<&Credential> = credentials.iter().filter(here).filter(named).collect();
    if exact.is_empty() {
        credentials.iter().filter(|credential| credential.hostname.is_none()).filter(named).collect()
    } else {
        exact
    }
}

/// Says for which port a credential is that names the host of `url`, but not its port.
fn on_another_port(credential: &Credential, url: &Url) -> Option<String> {
    let (host, port) = credential.address()?;
    (host.eq_ignore_ascii_case(url.host()) && port != url.port())
        .then(|| format!("{credential} is for port {port}, not {}", url.port()))
}

/// What to type to get each of these.
fn urls(url: &Url, credentials: &[&Credential]) -> String {
    let typed = |credential: &&Credential| {
        let mut typed = url.clone();
        typed.set_username(&credential.username);
        typed.to_string()
    };
    credentials.iter().map(typed).collect::<Vec<_>>().join(" or ")
}

fn list(credentials: &[Credential]) -> String {
    if credentials.is_empty() {
        return "none".to_owned();
    }
    let shown = |credential: &Credential| match credential.problem() {
        None => credential.to_string(),
        Some(problem) => format!("{credential} (which {problem})"),
    };
    credentials.iter().map(shown).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(credentials: &[Credential], text: &str) -> Result<String, String> {
        select(credentials, &text.parse().unwrap()).map(|found| found.username).map_err(|error| error.to_string())
    }

    #[test]
    fn the_broker_comes_before_anything_and_the_username_narrows() {
        let all = [
            Credential::new("any", "secret"),
            Credential::new("ada-1", "secret").hostname("kafka.example"),
            Credential::new("bob@b", "secret").hostname("kafka.example:9092"),
            Credential::new("eve", "secret").hostname("kafka.example:9999"),
        ];
        assert_eq!(pick(&all, "kafka://ada-1@kafka.example/t").as_deref(), Ok("ada-1"));
        assert_eq!(pick(&all, "kafka://bob%40b@KAFKA.example/t").as_deref(), Ok("bob@b"));
        assert_eq!(pick(&all, "kafka://kafka.example:9999/t").as_deref(), Ok("eve"));
        assert_eq!(pick(&all, "kafka://elsewhere/t").as_deref(), Ok("any"));
        assert_eq!(pick(&all, "kafka://any@kafka.example/t").as_deref(), Ok("any"));
        let several = pick(&all, "kafka://kafka.example/t").unwrap_err();
        assert_eq!(
            several,
            "2 credentials fit kafka.example:9092; say which one in the URL: kafka://ada-1@kafka.example:9092/t or \
             kafka://bob%40b@kafka.example:9092/t"
        );
        let none = pick(&all, "kafka://zoe@kafka.example:9999/t").unwrap_err();
        assert_eq!(
            none,
            "no credential fits kafka.example:9999 with the username `zoe`; there are: `any` for any broker, `ada-1` for \
             kafka.example, `bob@b` for kafka.example:9092, `eve` for kafka.example:9999; type \
             kafka://eve@kafka.example:9999/t"
        );
    }

    #[test]
    fn nothing_fits_another_broker_or_an_empty_list() {
        let one = [Credential::new("ada", "secret").hostname("[::1]:9092")];
        assert_eq!(pick(&one, "kafka://[::1]/t").as_deref(), Ok("ada"));
        let other = pick(&one, "kafka://[::2]/t").unwrap_err();
        assert!(
            other.starts_with("no credential fits [::2]:9092; there are: `ada` for [::1]:9092; get one"),
            "{other}"
        );
        assert!(pick(&[], "kafka://h/t").unwrap_err().contains("there are: none"));
    }

    #[test]
    fn a_host_that_fits_but_for_the_port_is_pointed_out() {
        let all = [Credential::new("ada", "1").hostname("h"), Credential::new("bob", "2").hostname("[::1]:9093")];
        for (url, hint) in [
            ("kafka://h:9093/t", "`ada` for h is for port 9092, not 9093: no port means 9092"),
            ("kafka://H:1/t", "`ada` for h is for port 9092, not 1: no port means 9092"),
            ("kafka://ada@h:9093/t", "`ada` for h is for port 9092, not 9093: no port means 9092"),
            ("kafka://[::1]/t", "`bob` for [::1]:9093 is for port 9093, not 9092: no port means 9092"),
        ] {
            let error = pick(&all, url).unwrap_err();
            assert!(error.ends_with(hint), "{error}");
        }
        assert!(!pick(&all, "kafka://other/t").unwrap_err().contains("no port means"));
    }

    #[test]
    fn one_that_cannot_be_used_is_passed_over_where_another_fits() {
        let all = [Credential::new("ada", "").hostname("h"), Credential::new("bob", "2").hostname("h")];
        assert_eq!(pick(&all, "kafka://h/t").as_deref(), Ok("bob"));
        assert_eq!(pick(&all, "kafka://ada@h/t").unwrap_err(), "the credential `ada` for h has no `password`");
    }

    #[test]
    fn twins_that_no_url_tells_apart_are_to_be_removed() {
        let twins = [Credential::new("ada", "1").hostname("h"), Credential::new("ada", "2").hostname("h:9092")];
        assert_eq!(
            pick(&twins, "kafka://ada@h/t").unwrap_err(),
            "2 credentials fit h:9092 with the username `ada`; remove all but one of `ada` for h, `ada` for h:9092"
        );
    }

    #[test]
    fn what_cannot_be_used_is_said_of_the_credential_that_is_taken_alone() {
        let all = [Credential::new("ada", "secret"), Credential::new("bob", "")];
        assert_eq!(pick(&all, "kafka://ada@h/t").as_deref(), Ok("ada"));
        assert_eq!(pick(&all, "kafka://bob@h/t").unwrap_err(), "the credential `bob` for any broker has no `password`");
    }
}
