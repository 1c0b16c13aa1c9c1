use std::process::ExitCode;

use clap::{Args, CommandFactory as _};

use crate::failure::Failure;
use crate::output;

/// The pages of `hop help topics`.
const PAGES: [(&str, &str); 7] = [
    ("topics", include_str!("../../topics/topics.txt")),
    ("urls", include_str!("../../topics/urls.txt")),
    ("credentials", include_str!("../../topics/credentials.txt")),
    ("formats", include_str!("../../topics/formats.txt")),
    ("times", include_str!("../../topics/times.txt")),
    ("output", include_str!("../../topics/output.txt")),
    ("exit-codes", include_str!("../../topics/exit-codes.txt")),
];

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop help subscribe
  hop help topics
  hop help topics times")]
pub(crate) struct Help {
    /// A command; or `topics`, and the name of one.
    pub(crate) about: Vec<String>,
}

pub(crate) fn run(options: &Help) -> Result<ExitCode, Failure> {
    let mut about = options.about.iter().map(String::as_str);
    match (about.next(), about.next(), about.next()) {
        (Some("topics"), page, None) => {
            let page = page.unwrap_or("topics");
            let Some((_, text)) = PAGES.iter().find(|(name, _)| *name == page) else {
                let names: Vec<&str> = PAGES.iter().skip(1).map(|(name, _)| *name).collect();
                return Err(Failure::Usage(format!(
                    "there is no topic `{}`; the topics are {}",
                    page.escape_debug(),
                    names.join(", ")
                )));
            };
            output::line(text.trim_end())?;
        }
        _ => {
            let mut command = crate::args::Args::command();
            command.build();
            let mut found = &mut command;
            for name in &options.about {
                let there = found.find_subcommand(name).is_some();
                let Some(below) = found.find_subcommand_mut(name).filter(|_| there) else {
                    return Err(Failure::Usage(format!(
                        "there is no command `{}`; `hop --help` lists them, and `hop help topics` what they share",
                        name.escape_debug()
                    )));
                };
                found = below;
            }
            let help = found.render_long_help();
            output::line(help.to_string().trim_end())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
