//! What is wrong with a config, for people.

use std::{fmt, ops::Range, path::Path};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::{
    FileError,
    source::{Source, redact_urls},
};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The config works, but probably not as meant.
    Warning,
    /// The config cannot be used.
    Error,
}

/// One problem: where, with which value, what is wrong, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// Line in the file, counted from 1; `None` if it concerns the file as a whole.
    pub line: Option<usize>,
    /// One sentence: the place in the document, the value, what is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Bytes of the original text.
    pub(super) span: Option<Range<usize>>,
    /// Says that something is absent, or of no use. Not to be trusted where the file's
    /// syntax is broken, as what was lost there may be just that.
    pub(super) absence: bool,
}

impl Problem {
    /// The problem in one line: `site.toml:12: camera "gate": …; …`.
    fn plain(&self, file: &str) -> String {
        let line = self.line.map(|n| format!("{n}:")).unwrap_or_default();
        let level = if self.level == Level::Warning { " warning:" } else { "" };
        let remedy = self.remedy.as_ref().map(|r| format!("; {r}")).unwrap_or_default();
        format!("{file}:{line}{level} {}{remedy}", self.message)
    }
}

/// Everything that is wrong with a config file, in the order of the file.
///
/// Its `Display` is the plain form: one line for each problem. No form shows a
/// secret that stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    source: Source,
    list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(source: Source, mut list: Vec<Problem>) -> Self {
        list.sort_by(|a, b| {
            let start = |p: &Problem| p.span.as_ref().map(|s| s.start);
            start(a).cmp(&start(b)).then(b.level.cmp(&a.level))
        });
        for problem in &mut list {
            // Messages are made from masked text; this is the second lock on the door.
            problem.message = redact_urls(&problem.message);
        }
        Self { source, list }
    }

    pub(super) fn unreadable(path: &Path, why: &FileError) -> Self {
        let remedy = match why {
            FileError::NotUtf8(_) => "save it as UTF-8",
            _ => "name an existing TOML file that this user may read",
        };
        let problem = Problem {
            level: Level::Error,
            line: None,
            message: why.to_string(),
            remedy: Some(remedy.to_owned()),
            span: None,
            absence: false,
        };
        Self { source: Source::new(path.display().to_string(), ""), list: vec![problem] }
    }

    /// All problems, in the order of the file.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// How many of them there are of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.list.iter().filter(|p| p.level == level).count()
    }

    /// The first errors in one sentence, for where there is no room for all.
    #[must_use]
    pub fn first_errors(&self) -> String {
        const SHOWN: usize = 2;
        let errors = || self.list.iter().filter(|p| p.level == Level::Error);
        let shown: Vec<String> = errors().take(SHOWN).map(|p| p.plain(&self.source.name)).collect();
        let more = errors().count().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" | and {more} more; run karaul check") } else { String::new() };
        format!("{}{more}", shown.join(" | "))
    }

    /// The problems with an excerpt of the file and an arrow at each place.
    ///
    /// `width` is that of the terminal in columns.
    #[must_use]
    pub fn fancy(&self, colour: bool, width: usize) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_links(false);
        let named = NamedSource::new(&self.source.name, self.source.masked().to_owned()).with_language("TOML");
        let mut out = String::new();
        for problem in &self.list {
            let shown = problem.span.as_ref().map(|span| self.source.shown(span));
            let report = Report { problem, source: &named, shown };
            if handler.render_report(&mut out, &report).is_err() {
                // Cannot happen with a string as target, but nothing may be lost.
                out.push_str(&problem.plain(&self.source.name));
                out.push('\n');
            }
        }
        out
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.list.iter().enumerate() {
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}{}", problem.plain(&self.source.name))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// One problem as miette wants it.
#[derive(Debug)]
struct Report<'a> {
    problem: &'a Problem,
    source: &'a NamedSource<String>,
    shown: Option<Range<usize>>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.level {
            Level::Warning => miette::Severity::Warning,
            Level::Error => miette::Severity::Error,
        })
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.problem.remedy.as_ref().map(|remedy| Box::new(remedy) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.shown.as_ref().map(|_| self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.shown.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, span))))
    }
}
