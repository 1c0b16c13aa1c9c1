//! The file of credentials, read and written.

use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

use super::credential::{Credential, Mechanism, Protocol, Secret};
use crate::folder::{self, AUTH_FILE, CONFIG_FILE};
use crate::{Error, ErrorKind};

/// The path of the user's file of credentials, whether or not it is there.
///
/// # Errors
/// Kind `Config` when neither `XDG_CONFIG_HOME` nor `HOME` is set.
pub fn path() -> Result<PathBuf, Error> {
    Ok(folder::folder()?.join(AUTH_FILE))
}

/// Reads the credentials in the user's file.
///
/// An entry that cannot be used, of an unknown mechanism say, is among them: [`Credential::problem`] says what is wrong with
/// it, and [`select`](super::select) fails where it is the one to use.
///
/// # Errors
/// Kind `Credential`: there is no such file, others may read it, or it is not TOML with a table `[[auth]]`.
pub fn load() -> Result<Vec<Credential>, Error> {
    let folder = folder::folder()?;
    match find(&folder)? {
        Some((file, document)) => read(&file, document.get("auth")),
        None => Err(Error::new(
            ErrorKind::Credential,
            format!("there are no credentials: no file {}", shown(&folder.join(AUTH_FILE))),
        )
        .help(super::GET_ONE)),
    }
}

/// Reads the credentials in the user's file; none where there is no such file.
pub(super) fn load_if_any() -> Result<Vec<Credential>, Error> {
    match find(&folder::folder()?)? {
        Some((file, document)) => read(&file, document.get("auth")),
        None => Ok(Vec::new()),
    }
}

/// The credentials in `file`.
///
/// # Errors
/// As [`load`].
pub fn load_from(file: &Path) -> Result<Vec<Credential>, Error> {
    let document = open(file)?.ok_or_else(|| wrong(file, "there is no such file"))?;
    read(file, document.get("auth"))
}

/// The user's credentials, to be changed and saved.
///
/// ```
/// use hop_kafka::Credential;
/// use hop_kafka::auth::{CredentialStore, load_from};
///
/// let folder = tempfile::tempdir()?;
/// let mut store = CredentialStore::open_in(folder.path())?;
/// store.add(Credential::new("ada-1234", "secret").hostname("kafka.scimma.org"), false)?;
/// store.save()?;
/// assert_eq!(load_from(&folder.path().join("auth.toml"))?, store.credentials());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What else the file holds, comments and names that hop does not know, is kept. Older forms are written in today's form,
/// and credentials that stood in `config.toml` are moved.
pub struct CredentialStore {
    folder: PathBuf,
    /// What else the file holds.
    document: DocumentMut,
    /// The entries as they stand in the file, and what they say.
    entries: Vec<Entry>,
    credentials: Vec<Credential>,
}

impl std::fmt::Debug for CredentialStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialStore")
            .field("folder", &self.folder)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl CredentialStore {
    /// The user's credentials; none where there is no file yet.
    ///
    /// # Errors
    /// Kind `Credential`: the file is there and cannot be used, since others may read it or it is not as it should be.
    pub fn open() -> Result<Self, Error> {
        Self::open_in(&folder::folder()?)
    }

    /// The same in another folder than the user's, where `auth.toml` is.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in(folder: &Path) -> Result<Self, Error> {
        let (file, mut found) = find(folder)?.unwrap_or_else(|| (folder.join(AUTH_FILE), DocumentMut::new()));
        let credentials = match found.get("auth") {
            None => Vec::new(),
            auth => read(&file, auth)?,
        };
        let entries = entries(found.remove("auth"));
        // Of the general file only the credentials are taken.
        let document = if file.ends_with(AUTH_FILE) { found } else { DocumentMut::new() };
        Ok(Self { folder: folder.to_owned(), document, entries, credentials })
    }

    /// The credentials, in order.
    pub fn credentials(&self) -> &[Credential] {
        &self.credentials
    }

    /// Whether there is a credential with the same username for the same broker.
    pub fn contains(&self, credential: &Credential) -> bool {
        self.place(credential).is_some()
    }

    fn place(&self, credential: &Credential) -> Option<usize> {
        let same = |other: &Credential| {
            other.username == credential.username && other.has_broker_of(credential) && !other.has_no_name()
        };
        self.credentials.iter().rposition(same)
    }

    /// Adds a credential, or puts it in the place of the one with the same username and hostname. Returns whether there
    /// was one.
    ///
    /// # Errors
    /// Kind `Credential`: there is one already, and it is not to be overwritten; or the credential cannot be used.
    pub fn add(&mut self, credential: Credential, overwrite: bool) -> Result<bool, Error> {
        credential.check()?;
        let found = self.place(&credential);
        match found {
            Some(_) if !overwrite => {
                return Err(Error::new(ErrorKind::Credential, format!("there is a credential {credential} already"))
                    .help("remove it first, or overwrite it"));
            }
            Some(at) => {
                if let Some(Entry::Table(table)) = self.entries.get_mut(at) {
                    write(&credential, table);
                }
                self.credentials[at] = credential;
            }
            None => {
                let mut table = Table::new();
                write(&credential, &mut table);
                self.entries.push(Entry::Table(table));
                self.credentials.push(credential);
            }
        }
        Ok(found.is_some())
    }

    /// Takes out the credential of this name: a username, or a username and a hostname as in `ada-1234@kafka.scimma.org`;
    /// or the one at this place in the file, the first being `#1`.
    ///
    /// # Errors
    /// Kind `Credential`: there is none, or more than one; then they are listed.
    pub fn remove(&mut self, name: &str) -> Result<Credential, Error> {
        let split = name.rsplit_once('@').map(|(username, host)| match host {
            "" => Credential::new(username, ""),
            _ => Credential::new(username, "").hostname(host),
        });
        let is_it = |credential: &Credential| {
            credential.username == name
                || split
                    .as_ref()
                    .is_some_and(|named| credential.username == named.username && credential.has_broker_of(named))
        };
        let mut found: Vec<usize> = (0..self.credentials.len()).filter(|at| is_it(&self.credentials[*at])).collect();
        if found.is_empty() {
            let place = name.strip_prefix('#').and_then(|number| number.parse::<usize>().ok()?.checked_sub(1));
            found.extend(place.filter(|at| *at < self.credentials.len()));
        }
        let error = |what: &str, which: Vec<&Credential>| {
            let listed: Vec<String> = which.into_iter().map(ToString::to_string).collect();
            let listed = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
            Error::new(ErrorKind::Credential, format!("{what} `{}`: {listed}", name.escape_debug()))
        };
        match found[..] {
            [at] => {
                self.entries.remove(at);
                Ok(self.credentials.remove(at))
            }
            [] => Err(error("no credential has the name; there are, beside", self.credentials.iter().collect())),
            _ => {
                Err(error("several credentials have the name", found.iter().map(|at| &self.credentials[*at]).collect())
                    .help("say which one, as in `username@hostname`; `username@` for the one without a hostname; or `#2` for the second in the file"))
            }
        }
    }

    /// Writes the file: whole or not at all, readable by its owner alone from the first byte.
    ///
    /// # Errors
    /// Kind `Credential`, saying why it could not be written; the file is as it was then.
    pub fn save(&self) -> Result<(), Error> {
        let file = self.folder.join(AUTH_FILE);
        let mut document = self.document.clone();
        document.insert("auth", written(&self.entries));
        let text = document.to_string();
        // A file that does not read back as what was meant is worse than none.
        let read_back = folder::parse(&text).map_err(|what| wrong(&file, &what));
        if read_back.and_then(|document| read(&file, document.get("auth")))? != self.credentials {
            return Err(wrong(&file, "what was to be written does not read back; this is a bug in hop"));
        }
        folder::replace(&file, &text).map_err(|problem| wrong(&file, &format!("not written: {problem}")))?;
        self.prune()
    }

    /// Takes credentials out of `config.toml`, where they are not read once there is a file of their own.
    fn prune(&self) -> Result<(), Error> {
        let file = self.folder.join(CONFIG_FILE);
        let failed = |what: &str| wrong(&file, &format!("old credentials could not be taken out of it: {what}"));
        let Some(text) = folder::read(&file).map_err(|problem| failed(&problem.to_string()))? else { return Ok(()) };
        let mut document = folder::parse(&text).map_err(|what| failed(&what))?;
        if document.remove("auth").is_none() {
            return Ok(());
        }
        folder::replace(&file, &document.to_string()).map_err(|problem| failed(&problem.to_string()))
    }
}

/// An entry as it stands in the file.
enum Entry {
    Table(Table),
    /// What is not a table, and so not a credential.
    Other(Value),
}

/// The entries in any of the forms in which credentials stand.
fn entries(auth: Option<Item>) -> Vec<Entry> {
    match auth {
        Some(Item::ArrayOfTables(tables)) => tables.into_iter().map(Entry::Table).collect(),
        Some(Item::Table(mut table)) => {
            // It may have been written as `auth.username = …`.
            table.set_dotted(false);
            table.set_implicit(false);
            vec![Entry::Table(table)]
        }
        Some(Item::Value(Value::InlineTable(table))) => vec![Entry::Table(table.into_table())],
        Some(Item::Value(Value::Array(array))) => {
            let entry = |value| match value {
                Value::InlineTable(table) => Entry::Table(table.into_table()),
                other => Entry::Other(other),
            };
            array.into_iter().map(entry).collect()
        }
        _ => Vec::new(),
    }
}

/// The entries as `[[auth]]`; as a list where one is not a table.
fn written(entries: &[Entry]) -> Item {
    let tables: Option<ArrayOfTables> = entries
        .iter()
        .map(|entry| match entry {
            Entry::Table(table) => Some(table.clone()),
            Entry::Other(_) => None,
        })
        .collect();
    match tables {
        // An empty list of tables leaves no trace, and hop-client wants one.
        Some(tables) if !tables.is_empty() => Item::ArrayOfTables(tables),
        _ => Item::Value(Value::Array(Array::from_iter(entries.iter().map(|entry| match entry {
            Entry::Table(table) => Value::InlineTable(table.clone().into_inline_table()),
            Entry::Other(value) => value.clone(),
        })))),
    }
}

/// The file with credentials in this folder: their own, else the general one where they stood in older times.
fn find(folder: &Path) -> Result<Option<(PathBuf, DocumentMut)>, Error> {
    let file = folder.join(AUTH_FILE);
    if let Some(document) = open(&file)? {
        return Ok(Some((file, document)));
    }
    let general = folder.join(CONFIG_FILE);
    // What else is wrong with the general file is no concern of who looks for credentials.
    let has_auth = folder::read(&general).ok().flatten().and_then(|text| folder::parse(&text).ok());
    if has_auth.is_none_or(|document| !document.contains_key("auth")) {
        return Ok(None);
    }
    Ok(open(&general)?.map(|document| (general, document)))
}

/// The document in `file`; `None` where there is no such file.
fn open(file: &Path) -> Result<Option<DocumentMut>, Error> {
    let metadata = match fs::metadata(file) {
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(|problem| wrong(file, &problem.to_string()))?,
    };
    folder::require_regular(&metadata).map_err(|problem| wrong(file, &problem.to_string()))?;
    check_permissions(&metadata).map_err(|mode| {
        wrong(file, &format!("others may read it (mode {mode:04o})")).help(format!("chmod 0600 {}", shown(file)))
    })?;
    let text = fs::read_to_string(file).map_err(|problem| wrong(file, &problem.to_string()))?;
    folder::parse(&text).map(Some).map_err(|what| wrong(file, &what))
}

fn wrong(file: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Credential, format!("{}: {what}", shown(file)))
}

/// The path, fit for a terminal.
fn shown(file: &Path) -> String {
    hop_core::escape_controls(&file.to_string_lossy()).into_owned()
}

/// The credentials under `auth`. One that cannot be used is there too, with what is wrong with it.
fn read(file: &Path, auth: Option<&Item>) -> Result<Vec<Credential>, Error> {
    let none = || wrong(file, "it has no `[[auth]]`");
    Ok(match auth {
        Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| entry(Some(table))).collect(),
        Some(Item::Value(Value::Array(array))) => {
            array.iter().map(|value| entry(value.as_inline_table().map(|table| table as &dyn TableLike))).collect()
        }
        Some(item) => vec![entry(Some(item.as_table_like().ok_or_else(none)?))],
        None => return Err(none()),
    })
}

/// The credential in one entry.
fn entry(table: Option<&dyn TableLike>) -> Credential {
    let Some(table) = table else {
        return Credential::faulty(String::new(), None, "it is not a table".to_owned());
    };
    let text = |name: &str| match table.get(name) {
        None => Ok(None),
        Some(item) => item.as_str().map(|text| Some(text.to_owned())).ok_or(format!("`{name}` is not a string")),
    };
    // hop-client wants both lines, with or without anything in them.
    let missing = ["username", "password"]
        .into_iter()
        .find(|name| !table.contains_key(name) && !table.contains_key("token_command"))
        .map(|name| format!("`{name}` is missing"));
    missing.map_or_else(|| credential(&text), Err).unwrap_or_else(|fault| {
        let known = |name| text(name).ok().flatten().filter(|text| !text.is_empty());
        Credential::faulty(known("username").unwrap_or_default(), known("hostname"), fault)
    })
}

/// A credential by its fields, an empty one being as good as none. The error names fields and never quotes a value.
pub(super) fn credential(field: &dyn Fn(&str) -> Result<Option<String>, String>) -> Result<Credential, String> {
    let text = |name: &str| Ok::<_, String>(field(name)?.filter(|text| !text.is_empty()));
    let path = |name: &str| Ok::<_, String>(text(name)?.map(PathBuf::from));
    let protocol = match text("protocol")?.as_deref() {
        None | Some("SASL_SSL") => Protocol::SaslSsl,
        Some("SASL_PLAINTEXT") => Protocol::SaslPlaintext,
        Some(_) => return Err("`protocol` is neither SASL_SSL nor SASL_PLAINTEXT".to_owned()),
    };
    let (token_endpoint, token_command) = (text("token_endpoint")?, text("token_command")?.map(Secret::new));
    let mechanism = match text("mechanism")?.map(|name| name.replace('_', "-").to_ascii_uppercase()).as_deref() {
        None if token_endpoint.is_some() || token_command.is_some() => Mechanism::OAuthBearer,
        None | Some("SCRAM-SHA-512") => Mechanism::ScramSha512,
        Some("SCRAM-SHA-256") => Mechanism::ScramSha256,
        Some("PLAIN") => Mechanism::Plain,
        Some("OAUTHBEARER") => Mechanism::OAuthBearer,
        Some(_) => return Err("`mechanism` is none of SCRAM-SHA-512, SCRAM-SHA-256, PLAIN, OAUTHBEARER".to_owned()),
    };
    Ok(Credential {
        username: text("username")?.unwrap_or_default(),
        password: Secret::new(text("password")?.unwrap_or_default()),
        hostname: text("hostname")?,
        protocol,
        mechanism,
        ssl_ca_location: path("ssl_ca_location")?,
        ssl_certificate_location: path("ssl_certificate_location")?,
        ssl_key_location: path("ssl_key_location")?,
        ssl_key_password: text("ssl_key_password")?.map(Secret::new),
        token_endpoint,
        token_command,
        fault: None,
    })
}

/// Writes the fields into the table, and takes out those that the credential has not.
fn write(credential: &Credential, table: &mut Table) {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
    let fields = [
        ("username", Some(credential.username.clone())),
        ("password", Some(credential.password.reveal().to_owned())),
        ("hostname", credential.hostname.clone()),
        ("protocol", Some(credential.protocol.as_str().to_owned())),
        ("mechanism", Some(credential.mechanism.as_str().to_owned())),
        ("ssl_ca_location", path(&credential.ssl_ca_location)),
        ("ssl_certificate_location", path(&credential.ssl_certificate_location)),
        ("ssl_key_location", path(&credential.ssl_key_location)),
        ("ssl_key_password", secret(&credential.ssl_key_password)),
        ("token_endpoint", credential.token_endpoint.clone()),
        ("token_command", secret(&credential.token_command)),
    ];
    for (name, text) in fields {
        match text {
            None => {
                table.remove(name);
            }
            Some(text) => {
                let item = &mut table[name];
                let decor = item.as_value().map(|value| value.decor().clone());
                *item = Item::Value(quoted(&text));
                if let (Some(decor), Some(value)) = (decor, item.as_value_mut()) {
                    *value.decor_mut() = decor;
                }
            }
        }
    }
}

/// A string in the form that hop-client's reader, which is an old one with faults, gets right: without a backslash
/// wherever that can be. (It is wrong about text that starts with `""` and holds a `'`, in any form.)
fn quoted(text: &str) -> Value {
    let is_control = |character: char| character.is_ascii_control();
    let form = if !text.contains(|character| matches!(character, '"' | '\\') || is_control(character)) {
        format!("\"{text}\"")
    } else if !text.contains(|character| character == '\'' || is_control(character)) {
        format!("'{text}'")
    } else {
        let mut form = String::from("\"");
        for character in text.chars() {
            match character {
                '"' | '\\' => form.extend(['\\', character]),
                '\u{8}' => form.push_str("\\b"),
                '\t' => form.push_str("\\t"),
                '\n' => form.push_str("\\n"),
                '\u{c}' => form.push_str("\\f"),
                '\r' => form.push_str("\\r"),
                other if is_control(other) => form.push_str(&format!("\\u{:04x}", u32::from(other))),
                other => form.push(other),
            }
        }
        form + "\""
    };
    // It is a string of TOML; were it not, the library has a form of its own.
    form.parse().unwrap_or_else(|_| Value::from(text))
}

/// The mode, when others than the owner may do anything with the file.
#[cfg(unix)]
fn check_permissions(metadata: &fs::Metadata) -> Result<(), u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o7077 == 0 { Ok(()) } else { Err(mode) }
}

#[cfg(not(unix))]
fn check_permissions(_: &fs::Metadata) -> Result<(), u32> {
    Ok(())
}
