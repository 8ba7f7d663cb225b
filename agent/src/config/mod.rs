//! What an installer writes in TOML, as values that are valid by construction.
//!
//! The types below hold only what has been checked: ids are [`Segment`](karaul_wire::Segment)s,
//! zones are simple polygons, every name that is used is defined, every secret has been read.
//! Nothing downstream checks any of it again.
//!
//! `keys` is the catalogue of what may be written and the one place for defaults, `read` goes
//! through a document with it and gathers [`Problems`], `schema` makes the JSON Schema for
//! editors from it.

mod camera;
mod command;
mod draft;
mod holiday;
mod keys;
mod kind;
mod output;
mod problem;
mod read;
mod rule;
#[cfg(test)]
pub(crate) mod sample;
mod schedule;
mod schema;
mod site;
mod source;
#[cfg(test)]
mod tests;
mod units;
mod url;

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

pub use camera::{Camera, CameraUrl, Clips, Decoder, Decoding, Detection, Sight, Transport};
pub use command::{CommandKey, Commands, Role};
pub use holiday::{Holiday, HolidayError};
pub use kind::{Direction, Distance, Pace, RuleKind, Same};
pub use output::{HomeAssistant, Onvif, Output};
pub use problem::{Level, Problem, Problems};
pub use rule::{BoxPoint, Escalation, Filter, Light, Line, Rule, Zone};
pub use schedule::{Daily, Holidays, Schedule, Span};
pub use schema::schema;
pub use site::{Address, Broker, Delivery, Identity, Inference, Provider, Site, Storage, Test};
pub use url::UrlError;

pub(crate) use self::{draft::Draft, read::choose, units::duration, units::show_duration};

use self::{read::Surroundings, source::Source};

/// The whole description of a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the box stands and which languages it speaks.
    pub site: Site,
    /// Where alerts go.
    pub broker: Broker,
    /// What may lie on the disk.
    pub storage: Storage,
    /// Who may command the box, and what.
    pub commands: Commands,
    /// How models are run.
    pub inference: Inference,
    /// Test incidents on schedule.
    pub test: Test,
    /// What else is published.
    pub output: Output,
    /// The cameras, in the order of the file; at least one, ids unique.
    pub cameras: Vec<Camera>,
}

/// What is done with the passwords that a config refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are read; one that cannot be read is an error. For the daemon.
    Required,
    /// They are read; one that cannot be read is a warning, and its login is left out, as
    /// whoever checks a config may not be allowed to see its passwords.
    Tried,
    /// They are not read, and all logins are left out. For work on recordings.
    Ignored,
}

/// What came of reading a config file.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The config, if no problem is an error.
    pub config: Option<Config>,
    /// Errors and warnings.
    pub problems: Problems,
}

impl Config {
    /// Reads a config file and the passwords and model manifests that it refers to. Looks at no
    /// model's ONNX file and at nothing on the network. Warnings go to the log.
    ///
    /// # Errors
    /// All problems at once, with the warnings among them, if there is an error.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        Self::load_with(path, Secrets::Required)
    }

    /// As [`Config::load`], with a say about passwords.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with(path: &Path, secrets: Secrets) -> Result<Self, Problems> {
        let Outcome { config, problems } = Self::read(path, secrets);
        let Some(config) = config else { return Err(problems) };
        for problem in problems.list() {
            let line = problem.line.unwrap_or_default();
            let remedy = problem.remedy.as_deref().unwrap_or_default();
            tracing::warn!(file = %path.display(), line, remedy, "{}", problem.message);
        }
        Ok(config)
    }

    /// Reads a config file and tells errors and warnings alike.
    #[must_use]
    pub fn read(path: &Path, secrets: Secrets) -> Outcome {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        match read_text(path) {
            Ok(text) => Self::parse(path, &text, credentials, secrets),
            Err(why) => Outcome { config: None, problems: Problems::unreadable(path, &why) },
        }
    }

    fn parse(path: &Path, text: &str, credentials: Option<PathBuf>, secrets: Secrets) -> Outcome {
        let source = Source::new(path.display().to_string(), text);
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let (config, list) = read::document(&source, text, &Surroundings { folder, credentials, secrets });
        Outcome { config, problems: Problems::new(source, list) }
    }
}

/// Why a text file cannot be read.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("this is not a file")]
    NotAFile,
    #[error("the file is larger than 1 MiB")]
    TooLarge,
    #[error("line {0} is not UTF-8 text")]
    NotUtf8(usize),
}

/// Reads a text file. Pipes and devices are refused, as they could block for ever.
fn read_text(path: &Path) -> Result<String, FileError> {
    /// Far above any config; keeps a wrong file from filling the memory.
    const MAX_LEN: u64 = 1 << 20;
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(FileError::NotAFile);
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(FileError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        FileError::NotUtf8(good.iter().filter(|b| **b == b'\n').count() + 1)
    })
}
