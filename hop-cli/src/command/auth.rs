use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use hop_core::escape_controls;
use hop_kafka::auth::{self, CredentialStore};
use hop_kafka::{Broker, Credential};

use super::decode::read;
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  hop auth add hop-credentials.csv
  hop auth list")]
pub(crate) enum Auth {
    /// Print the path of the file of credentials.
    Locate,
    /// List the credentials: their usernames, and the brokers they are for.
    List,
    /// Add a credential, from a CSV file or as it is typed in.
    ///
    /// Without a file it asks for username, password, hostname and token endpoint; where standard input is no terminal,
    /// each is a line of it. A password is never an argument, which everybody on the machine could see.
    Add(AddCredential),
    /// Remove a credential.
    Remove {
        /// The username, or username and hostname as in `ada-1234@kafka.scimma.org`, or `#2` for the second in the file.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddCredential {
    /// A CSV file whose header row names the fields, such as Hopskotch's web site hands out; `-` for standard input.
    #[arg(value_name = "CSV FILE")]
    pub(crate) file: Option<PathBuf>,

    /// The broker that the credential is for, by its name in `hop brokers`: only username and password are asked for, which
    /// GCN calls client ID and client secret.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub(crate) broker: Option<String>,

    /// Overwrite the credential that has the same username and hostname.
    #[arg(long)]
    pub(crate) force: bool,
}

pub(crate) fn run(options: Auth) -> Result<ExitCode, Failure> {
    match options {
        Auth::Locate => output::located(&auth::path()?)?,
        Auth::List => list()?,
        Auth::Add(options) => add(&options)?,
        Auth::Remove { name } => {
            let mut store = CredentialStore::open()?;
            let removed = store.remove(&name)?;
            store.save()?;
            tracing::info!(target: "hop", "removed {removed}");
            tracing::info!(target: "hop", "wrote {}", output::path(&auth::path()?));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to the standard error where to get a credential, unless one is set up; and what is wrong with the file, if it cannot
/// be used.
pub(crate) fn advise() {
    let problem = match auth::load() {
        Ok(credentials) if credentials.iter().any(|credential| credential.problem().is_none()) => return,
        Ok(credentials) => credentials.iter().find_map(|one| Some(format!("the credential {one} {}", one.problem()?))),
        // A file that is not there is what the advice is about.
        Err(error) if auth::path().is_ok_and(|path| path.exists()) => Some(error.to_string()),
        Err(_) => None,
    };
    if let Some(problem) = problem {
        output::complain(problem);
    }
    output::complain(
        "No valid credential data found; get a credential (Hopskotch: https://my.hop.scimma.org, GCN: \
         https://gcn.nasa.gov/quickstart) and add it with `hop auth add`",
    );
}

fn list() -> Result<(), Failure> {
    let store = CredentialStore::open()?;
    let credentials = store.credentials();
    let width =
        credentials.iter().map(|credential| escape_controls(credential.username()).chars().count()).max().unwrap_or(0);
    for (at, credential) in credentials.iter().enumerate() {
        let name = match credential.username() {
            // `remove` takes its place in the file.
            "" => format!("#{}", at + 1).into(),
            name => escape_controls(name),
        };
        let problem = credential.problem().map(|problem| format!(": {problem}")).unwrap_or_default();
        match credential.host() {
            Some(host) => output::line(format_args!("{name:width$} for {}{problem}", escape_controls(host)))?,
            None => output::line(format_args!("{name}{problem}"))?,
        }
    }
    // For people; a program finds nothing where there is nothing.
    if credentials.is_empty() && io::stdout().is_terminal() {
        output::line("There are no credentials; `hop auth add` adds one.")?;
    }
    Ok(())
}

fn add(options: &AddCredential) -> Result<(), Failure> {
    // Before anything is asked: a file that cannot be used is known at once.
    let mut store = CredentialStore::open()?;
    let credentials = match &options.file {
        Some(file) => {
            let named = |what: String| io::Error::other(format!("{}: {what}", file.display()));
            let content = read(file).map_err(|error| named(error.to_string()))?;
            let text = std::str::from_utf8(&content).map_err(|_| named("it is not UTF-8".to_owned()))?;
            auth::read_csv(text)?
        }
        None => vec![asked(options.broker.as_deref())?],
    };
    let mut said = Vec::new();
    for credential in credentials {
        let name = credential.to_string();
        // As in hop-client, this is said, and no failure.
        if !options.force && store.contains(&credential) {
            output::complain(format_args!("there is a credential {name} already; overwrite it with `--force`"));
            continue;
        }
        let overwritten = store.add(credential, options.force)?;
        said.push(format!("{} {name}", if overwritten { "overwrote" } else { "added" }));
    }
    if said.is_empty() {
        return Ok(());
    }
    store.save()?;
    for line in said {
        tracing::info!(target: "hop", "{line}");
    }
    tracing::info!(target: "hop", "wrote {}", output::path(&auth::path()?));
    Ok(())
}

/// What is typed in, or comes line by line.
fn asked(broker: Option<&str>) -> Result<Credential, Failure> {
    let broker = broker.map(Broker::named).transpose()?;
    let typed = io::stdin().is_terminal();
    let line = |prompt: &str| -> io::Result<String> {
        if typed {
            let mut err = io::stderr().lock();
            write!(err, "{prompt}: ")?;
            err.flush()?;
        }
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    };
    let needed = |what: &str, text: String| match text.is_empty() {
        true => Err(Failure::Usage(format!("the {what} may not be empty"))),
        false => Ok(text),
    };
    let (user, pass) = match &broker {
        Some(broker) if broker.token_endpoint.is_some() => ("Client ID", "Client secret"),
        _ => ("Username", "Password"),
    };
    if let Some(broker) = broker.as_ref().filter(|broker| broker.mechanism.is_none()) {
        // Says that none is needed, before anything is asked.
        broker.credential("", "")?;
    }
    let username = needed(&user.to_lowercase(), line(user)?)?;
    // The terminal shows nothing of it.
    let password = if typed { rpassword::prompt_password(format!("{pass}: "))? } else { line(pass)? };
    let password = needed(&pass.to_lowercase(), password)?;
    if let Some(broker) = &broker {
        return Ok(broker.credential(username, password)?);
    }
    let mut credential = Credential::new(username, password);
    let mut hostname = line("Hostname (empty for any broker)")?;
    if let Some(host) = hostname.strip_prefix("kafka://") {
        tracing::warn!(target: "hop", "the hostname is taken without `kafka://`");
        hostname = host.trim_end_matches('/').to_owned();
    }
    if !hostname.is_empty() {
        credential = credential.hostname(hostname);
    }
    let endpoint = line("Token endpoint (empty if there is none)")?;
    if !endpoint.is_empty() {
        credential = credential.token_endpoint(endpoint);
    }
    Ok(credential)
}
