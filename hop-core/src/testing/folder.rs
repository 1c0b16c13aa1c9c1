//! Folders of fixtures, and the tests that are made of them.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::Failures;
use super::fixture::Case;
use super::hostile::survive;
use crate::{Registration, Registry};

/// Writes what is missing in a fixture, if it is set and not empty.
const BLESS: &str = "HOP_BLESS";

/// Holds each fixture below `folder` to the models of `registry`; how many there were.
///
/// Each is decoded by the ladder and must give the format, the route and the fields of its `model.json`, or the error
/// that stands there. The model is encoded, which gives `content.*` again (or `encoded.*`); decoded once more, which gives
/// the same fields; and goes through its file form and back.
///
/// # Errors
/// All that went wrong, case by case. A folder without a fixture is an error too.
pub fn round_trips(folder: impl AsRef<Path>, registry: &Registry) -> Result<usize, Failures> {
    each(folder.as_ref(), |case| case.check(registry))
}

/// Feeds each model of `registry` the content of each fixture below `folder`, cut short and with bytes changed; how many
/// fixtures there were.
///
/// An error is a good answer, and so is another model. A panic is not. What is changed is the same in each run.
///
/// # Errors
/// The models that panicked, with the content that made them.
pub fn survives(folder: impl AsRef<Path>, registry: &Registry) -> Result<usize, Failures> {
    each(folder.as_ref(), |case| {
        let content = case.content()?;
        registry.iter().try_for_each(|model| survive(model, &content))
    })
}

/// One model and the folder of its fixtures: what [`fixtures!`](crate::fixtures) makes tests of.
#[derive(Debug, Clone, Copy)]
pub struct Fixtures {
    model: Registration,
    folder: &'static str,
}

impl Fixtures {
    /// The fixtures of `model` below `folder`.
    pub const fn new(model: Registration, folder: &'static str) -> Self {
        Self { model, folder }
    }

    /// Tries the fixture in the folder `name`: it comes round, as [`round_trips`] has it, and broken it [`survives`].
    ///
    /// Where `HOP_BLESS` is set and there is no `model.json`, what is missing is written first: what comes out into
    /// `model.json`, the label into `headers.json` where the content needs one, and `encoded.*` and `file.*` where those
    /// forms differ. What is there stays as it is, and content that does not decode is not blessed.
    ///
    /// # Errors
    /// What went wrong.
    pub fn case(&self, name: &str) -> Result<(), Failures> {
        self.try_case(name, is_blessing())
    }

    pub(super) fn try_case(&self, name: &str, bless: bool) -> Result<(), Failures> {
        let registry = self.registry()?;
        one(name, || self.attempt(&registry, &Path::new(self.folder).join(name), bless))
    }

    /// Tries the fixtures that are not among the `known` ones, those that the compiler saw: none is left out because
    /// nothing was compiled since it came.
    ///
    /// Where there is no fixture at all, and `HOP_BLESS` is set, the model's example becomes the first.
    ///
    /// # Errors
    /// What went wrong, case by case; and that there are none.
    pub fn others(&self, known: &[&str]) -> Result<(), Failures> {
        self.try_others(known, is_blessing())
    }

    pub(super) fn try_others(&self, known: &[&str], bless: bool) -> Result<(), Failures> {
        let registry = self.registry()?;
        let folder = Path::new(self.folder);
        let mut others = cases(folder)?;
        if others.is_empty() && bless {
            one("example", || Case::write_example(&self.model, &folder.join("example")))?;
            others = cases(folder)?;
        }
        if others.is_empty() {
            return Err(none(folder));
        }
        others.retain(|case| !known.contains(&&*name(folder, case)));
        all(folder, others, |case| self.attempt(&registry, case, bless)).map(drop)
    }

    fn registry(&self) -> Result<Registry, Failures> {
        Ok(Registry::builder().models([self.model]).build()?)
    }

    fn attempt(&self, registry: &Registry, folder: &Path, bless: bool) -> Result<(), String> {
        let case = Case::new(folder);
        if bless {
            case.bless(&self.model, registry)?;
        }
        case.check(registry)?;
        survive(&self.model, &case.content()?)
    }
}

fn is_blessing() -> bool {
    std::env::var_os(BLESS).is_some_and(|value| !value.is_empty())
}

/// Tries each fixture below `folder`.
fn each(folder: &Path, check: impl Fn(&Case<'_>) -> Result<(), String>) -> Result<usize, Failures> {
    let cases = cases(folder)?;
    if cases.is_empty() {
        return Err(none(folder));
    }
    all(folder, cases, |case| check(&Case::new(case)))
}

fn all(folder: &Path, cases: Vec<PathBuf>, attempt: impl Fn(&Path) -> Result<(), String>) -> Result<usize, Failures> {
    let mut failures = Failures { cases: cases.len(), failed: Vec::new() };
    for case in cases {
        if let Err(failure) = one(&name(folder, &case), || attempt(&case)) {
            failures.failed.extend(failure.failed);
        }
    }
    if failures.failed.is_empty() { Ok(failures.cases) } else { Err(failures) }
}

pub(super) fn one(name: &str, attempt: impl FnOnce() -> Result<(), String>) -> Result<(), Failures> {
    let outcome = catch_unwind(AssertUnwindSafe(attempt)).unwrap_or_else(|_| Err("a model panicked".into()));
    outcome.map_err(|reason| Failures { cases: 1, failed: vec![(name.to_owned(), reason)] })
}

fn none(folder: &Path) -> Failures {
    Failures::one(folder.display().to_string(), "no folder with a `content.*` or a `model.json`")
}

/// The path of a case below the folder, as the tests have it.
fn name(folder: &Path, case: &Path) -> String {
    let below = case.strip_prefix(folder).unwrap_or(case);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// The folders of all cases. `fixtures!` looks for the same ones.
fn cases(folder: &Path) -> Result<Vec<PathBuf>, Failures> {
    let mut cases = Vec::new();
    find(folder, &mut cases).map_err(|reason| Failures::one(folder.display().to_string(), reason))?;
    Ok(cases)
}

fn find(folder: &Path, cases: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = entries(folder)?;
    if entries.iter().any(|path| is_part(path, "content") || path.file_name().is_some_and(|name| name == "model.json"))
    {
        cases.push(folder.to_owned());
    }
    entries.iter().filter(|path| path.is_dir()).try_for_each(|path| find(path, cases))
}

/// Whether this is the file of this stem, whatever its extension.
pub(super) fn is_part(path: &Path, stem: &str) -> bool {
    path.file_stem().is_some_and(|name| name == stem) && path.is_file()
}

/// What is in a folder, in the order of the names.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let told = |error| format!("{}: {error}", folder.display());
    let mut entries = fs::read_dir(folder)
        .map_err(told)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(told)?;
    entries.sort();
    Ok(entries)
}
