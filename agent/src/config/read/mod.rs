//! From the text of a config file to a [`Config`], or to all that is wrong with it.

mod broker;
mod camera;
mod command;
mod filter;
mod geometry;
mod inference;
mod kind;
mod login;
mod measure;
mod output;
mod rule;
mod schedule;
mod site;
mod syntax;
mod table;
mod value;
mod wanted;

use std::{
    cell::RefCell,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::DeTable;

use self::{inference::Models, syntax::Damage, table::Table};
use super::{Config, Level, Problem, Secrets, keys::ROOT, source::Source};

/// What the text refers to outside itself.
pub(super) struct Surroundings {
    /// Folder of the config file; paths are relative to it.
    pub(super) folder: PathBuf,
    /// systemd's `$CREDENTIALS_DIRECTORY`.
    pub(super) credentials: Option<PathBuf>,
    /// What to do with passwords.
    pub(super) secrets: Secrets,
}

impl Surroundings {
    /// A path from the config.
    fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }

    /// A path as messages show it: short where it lies beside the config.
    fn show(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }
}

/// Reads a whole document. There is a config if no problem is an error.
pub(super) fn document(source: &Source, text: &str, around: &Surroundings) -> (Option<Config>, Vec<Problem>) {
    let report = Report { source, found: RefCell::default() };
    let (root, broken) = DeTable::parse_recoverable(text);
    let damage = syntax::report(&report, text, &broken);
    let syntax_problems = report.found.take();
    let config = if damage < Damage::Structure { read(&report, root.get_ref(), around) } else { None };
    let mut problems = report.found.into_inner();
    if damage > Damage::None {
        // What the parser made of a broken line is not to be judged, and what seems to be
        // absent may be just what it could not read.
        let broken_line = |p: &Problem| syntax_problems.iter().any(|s| s.line == p.line);
        problems.retain(|p| !broken_line(p) && (damage == Damage::Values || !p.absence));
        problems.extend(syntax_problems);
    }
    let usable = problems.iter().all(|p| p.level != Level::Error);
    if !usable {
        // What seems to be of no use may be what an error was meant to refer to.
        problems.retain(|p| p.level == Level::Error || !p.absence);
    }
    (config.filter(|_| usable), problems)
}

fn read(report: &Report<'_>, root: &DeTable<'_>, around: &Surroundings) -> Option<Config> {
    let root = Table::root(report, ROOT, root);
    root.check_keys();
    let site_table = root.child("site");
    let site = site_table.as_ref().and_then(site::site);
    let broker = root.child("broker").and_then(|table| broker::broker(&table, around));
    let storage = root.child("storage").and_then(|table| site::storage(&table, around));
    let inference = root.child("inference").and_then(|table| inference::inference(&table, around));
    let test = root.child("test").and_then(|table| site::test(&table));
    let path = site.as_ref().map(|site| &site.path);
    let output = root.child("output").and_then(|table| output::output(&table, path));
    let schedules = schedule::schedules(&root, site.as_ref());
    let models = Models::new(inference.as_ref().map(|i| i.models.as_path()), around);
    let languages = site.as_ref().map_or(&[][..], |site| &site.languages);
    let context = camera::Context { around, languages, models: &models, schedules: &schedules, site: site.as_ref() };
    let cameras = camera::cameras(&root, &context);
    schedules.warn_unused(report);
    site_table.iter().for_each(|table| schedules.warn_unused_holidays(table));
    let cameras_known = report.found.borrow().iter().all(|p| p.level != Level::Error);
    let known = cameras_known.then_some(cameras.as_slice());
    let commands = root.child("command").and_then(|table| command::commands(&table, around, site.as_ref(), known));
    Some(Config {
        site: site?,
        broker: broker?,
        storage: storage?,
        commands: commands?,
        inference: inference?,
        test: test?,
        output: output?,
        cameras,
    })
}

/// Collects problems while the reader goes on.
struct Report<'a> {
    source: &'a Source,
    found: RefCell<Vec<Problem>>,
}

impl Report<'_> {
    fn error(&self, place: &str, span: &Range<usize>, what: String, remedy: Option<String>) {
        self.push(Level::Error, false, place, span, what, remedy);
    }

    /// An error that says that something is not there.
    fn absence(&self, place: &str, span: &Range<usize>, what: String, remedy: Option<String>) {
        self.push(Level::Error, true, place, span, what, remedy);
    }

    fn warning(&self, place: &str, span: &Range<usize>, what: String, remedy: &str) {
        self.push(Level::Warning, false, place, span, what, Some(remedy.to_owned()));
    }

    /// A warning that nothing makes use of something.
    fn idle(&self, place: &str, span: &Range<usize>, what: String, remedy: &str) {
        self.push(Level::Warning, true, place, span, what, Some(remedy.to_owned()));
    }

    fn push(
        &self,
        level: Level,
        absence: bool,
        place: &str,
        span: &Range<usize>,
        what: String,
        remedy: Option<String>,
    ) {
        let message = if place.is_empty() { what } else { format!("{place}: {what}") };
        let line = Some(self.source.line(span.start));
        self.found.borrow_mut().push(Problem { level, line, message, remedy, span: Some(span.clone()), absence });
    }
}

/// What people write for words that do not look alike.
const MEANT: [(&str, &str); 9] = [
    ("kz", "kk"), // the country's code for the language's
    ("human", "person"),
    ("people", "person"),
    ("bike", "bicycle"),
    ("motorbike", "motorcycle"),
    ("alarm", "critical"),
    ("high", "critical"),
    ("medium", "warning"),
    ("low", "info"),
];

/// "did you mean": the candidate that is nearest to the word, if one is near enough.
fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    /// Found by trying usual slips: two letters swapped in a word of four still pass,
    /// another word of the same length does not.
    const NEAR: f64 = 0.6;
    /// No name is as long, and comparing takes the product of both lengths.
    const MAX: usize = 64;
    if word.len() > MAX {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    let word = plain(word);
    let likeness = |candidate: &str| {
        let meant = MEANT.contains(&(word.as_str(), candidate));
        if meant { 1.0 } else { strsim::normalized_damerau_levenshtein(&word, &plain(candidate)) }
    };
    candidates
        .into_iter()
        .map(|c| (likeness(c), c))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

/// The remedy for a name that is not among those that exist.
pub(crate) fn choose(word: &str, candidates: &[&str], none: &str) -> String {
    /// More are not listed.
    const MAX: usize = 12;
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        return format!("did you mean \"{near}\"?");
    }
    if candidates.is_empty() {
        return none.to_owned();
    }
    let mut list: Vec<String> = candidates.iter().take(MAX).map(|c| format!("\"{c}\"")).collect();
    if candidates.len() > MAX {
        list.push(format!("… ({} in all)", candidates.len()));
    }
    format!("there is {}", list.join(", "))
}
