//! Credentials as Hopskotch's web site hands them out: a CSV file with a header row.

use super::Credential;
use super::store::credential;
use crate::{Error, ErrorKind};

/// The credentials in a CSV file: the header row has the names of auth.toml, each row after it is a credential.
///
/// ```
/// let found = hop_kafka::auth::read_csv("username,password,hostname\nada-1234,secret,kafka.scimma.org\n")?;
/// assert_eq!((found[0].username(), found[0].host()), ("ada-1234", Some("kafka.scimma.org")));
/// # Ok::<(), hop_kafka::Error>(())
/// ```
///
/// Columns of other names are passed over, and so are empty cells.
///
/// # Errors
/// Kind `Credential`: it is no such file, has no credential, or one cannot be used. No value is quoted.
pub fn read_csv(text: &str) -> Result<Vec<Credential>, Error> {
    let wrong = |what: String| {
        Error::new(ErrorKind::Credential, format!("the CSV file {what}"))
            .help("its first row names the columns, `username,password` and perhaps `hostname` and more")
    };
    // Spreadsheets put a byte-order mark before the first name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    // The library's errors are not passed on: they may quote.
    let names = reader.headers().map_err(|_| wrong("cannot be read".to_owned()))?.clone();
    let column = |name: &str| names.iter().position(|found| found.trim().eq_ignore_ascii_case(name));
    if column("username").is_none() {
        return Err(wrong("has no column `username`".to_owned()));
    }
    let mut found = Vec::new();
    for row in reader.records() {
        let at = found.len() + 1;
        let row = row.map_err(|_| wrong(format!("cannot be read in row {at}")))?;
        if row.len() > names.len() {
            return Err(wrong(format!("has more cells in row {at} than names; quote cells that hold commas")));
        }
        let cell = |name: &str| Ok(column(name).and_then(|column| row.get(column)).map(str::to_owned));
        let credential = credential(&cell).map_err(|what| wrong(format!("has a row {at} where {what}")))?;
        credential.check()?;
        found.push(credential);
    }
    if found.is_empty() { Err(wrong("has no row with a credential".to_owned())) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::super::{Mechanism, Protocol};
    use super::*;

    #[test]
    fn columns_go_by_their_names() {
        let text = "\u{feff}hostname,Password, username,note,mechanism,protocol,ssl_ca_location\r\n\
                    h:9093,\"se,c\"\"ret \",ada,x,SCRAM_SHA_256,SASL_PLAINTEXT,/ca.pem\r\nh,2,bob\r\n";
        let ada = Credential::new("ada", "se,c\"ret ")
            .hostname("h:9093")
            .mechanism(Mechanism::ScramSha256)
            .protocol(Protocol::SaslPlaintext)
            .ssl_ca_location("/ca.pem");
        assert_eq!(read_csv(text).unwrap(), [ada, Credential::new("bob", "2").hostname("h")]);
    }

    #[test]
    fn tokens_need_no_mechanism() {
        let text = "username,password,token_endpoint,token_command\nid,s,https://h/t,\nada,,,print-token\n";
        let expected = [
            Credential::new("id", "s").token_endpoint("https://h/t"),
            Credential::new("ada", "").token_command("print-token"),
        ];
        assert_eq!(read_csv(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_credential_is_refused_without_a_word_of_it() {
        for (text, why) in [
            ("", "has no column `username`"),
            ("user,password\nada,hunter2\n", "has no column `username`"),
            ("username,password\n", "has no row"),
            ("username,password\nada,hunter2,hunter2\n", "has more cells in row 1"),
            ("username,password\nada,\n", "has no `password`"),
            ("username,password\n,hunter2\n", "has no `username`"),
            ("username\nada\n", "has no `password`"),
            ("username,password,mechanism\nada,hunter2,hunter2\n", "`mechanism` is none of"),
            ("username,password,token_endpoint\nada,,https://h/t\n", "has no `password`"),
            ("username,password,token_endpoint\nada,hunter2,http://h/hunter2\n", "`https`"),
        ] {
            let error = read_csv(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credential);
            assert!(error.to_string().contains(why), "{text:?}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
