use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// The incidents that a recording is expected to give, and no others.
///
/// ```json
/// [ { "rule": "fence", "at_s": 18.8, "tolerance_s": 1.0 } ]
/// ```
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Expected(Vec<Event>);

/// When an incident of a rule is expected to open.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// Rule id.
    rule: String,
    /// Seconds from the recording's start.
    at_s: f64,
    /// Seconds earlier or later that are still right.
    #[serde(default = "one_second")]
    tolerance_s: f64,
}

fn one_second() -> f64 {
    1.0
}

/// An incident that was opened.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// Rule id.
    pub(super) rule: String,
    /// Seconds from the recording's start.
    pub(super) at: f64,
}

/// Why there is nothing to compare with.
#[derive(Debug, thiserror::Error)]
pub enum ExpectedError {
    /// The file.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its content.
    #[error(
        "{path} is no list of expected incidents: {source}; write [{{ \"rule\": \"fence\", \"at_s\": 18.8, \"tolerance_s\": 1.0 }}]"
    )]
    Parse {
        /// Its path.
        path: PathBuf,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
}

impl Expected {
    /// Reads a file of expected incidents.
    ///
    /// # Errors
    /// If it cannot be read or is not one.
    pub(super) fn load(path: &Path) -> Result<Self, ExpectedError> {
        let text = fs::read_to_string(path).map_err(|source| ExpectedError::Read { path: path.to_owned(), source })?;
        serde_json::from_str(&text).map_err(|source| ExpectedError::Parse { path: path.to_owned(), source })
    }

    /// Pairs what was expected with what was found, each at most once, in the order of
    /// time.
    pub(super) fn compare(&self, found: &[Found]) -> Report {
        let mut expected = self.0.clone();
        // The one that must be met first chooses first; that pairs as many as possible.
        expected.sort_by(|a, b| (a.at_s + a.tolerance_s).total_cmp(&(b.at_s + b.tolerance_s)));
        let mut rest = found.to_vec();
        rest.sort_by(|a, b| a.at.total_cmp(&b.at));
        let mut report = Report::default();
        for event in expected {
            let fits = |f: &Found| f.rule == event.rule && (f.at - event.at_s).abs() <= event.tolerance_s;
            match rest.iter().position(fits) {
                Some(i) => report.hits.push((event, rest.remove(i))),
                None => report.misses.push(event),
            }
        }
        report.false_alarms = rest;
        report
    }
}

/// How a recording compared with what was expected.
#[derive(Debug, Default)]
pub(super) struct Report {
    hits: Vec<(Event, Found)>,
    misses: Vec<Event>,
    false_alarms: Vec<Found>,
}

impl Report {
    /// Nothing missed, nothing too much.
    pub(super) fn is_good(&self) -> bool {
        self.misses.is_empty() && self.false_alarms.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (event, found) in &self.hits {
            writeln!(f, "hit          {:<20} expected {:8.1} s, found {:8.1} s", event.rule, event.at_s, found.at)?;
        }
        for event in &self.misses {
            writeln!(f, "miss         {:<20} expected {:8.1} s ± {} s", event.rule, event.at_s, event.tolerance_s)?;
        }
        for found in &self.false_alarms {
            writeln!(f, "false alarm  {:<20}                      found {:8.1} s", found.rule, found.at)?;
        }
        let (hits, misses, alarms) = (self.hits.len(), self.misses.len(), self.false_alarms.len());
        writeln!(f, "{hits} hits, {misses} misses, {alarms} false alarms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: &str, at: f64) -> Found {
        Found { rule: rule.to_owned(), at }
    }

    fn counts(expected: &str, found: &[Found]) -> (usize, usize, usize) {
        let report = serde_json::from_str::<Expected>(expected).unwrap().compare(found);
        (report.hits.len(), report.misses.len(), report.false_alarms.len())
    }

    #[test]
    fn hits_misses_and_false_alarms_are_told_apart() {
        let expected = r#"[{"rule":"a","at_s":10},{"rule":"a","at_s":20,"tolerance_s":0.5},{"rule":"b","at_s":10}]"#;
        assert_eq!(counts(expected, &[found("a", 10.9), found("a", 20.6), found("b", 9.0)]), (2, 1, 1));
        assert_eq!(counts(expected, &[]), (0, 3, 0));
        assert_eq!(counts("[]", &[found("a", 1.0)]), (0, 0, 1));
    }

    #[test]
    fn one_incident_cannot_meet_two_expectations() {
        let expected = r#"[{"rule":"a","at_s":10,"tolerance_s":5},{"rule":"a","at_s":9,"tolerance_s":1}]"#;
        assert_eq!(counts(expected, &[found("a", 9.5), found("a", 12.0)]), (2, 0, 0));
        assert_eq!(counts(expected, &[found("a", 9.5)]), (1, 1, 0));
    }

    #[test]
    fn the_report_is_a_table() {
        let expected: Expected = serde_json::from_str(r#"[{"rule":"a","at_s":10},{"rule":"b","at_s":3}]"#).unwrap();
        let report = expected.compare(&[found("a", 10.4), found("c", 7.0)]);
        insta::assert_snapshot!(report.to_string(), @r"
        hit          a                    expected     10.0 s, found     10.4 s
        miss         b                    expected      3.0 s ± 1 s
        false alarm  c                                         found      7.0 s
        1 hits, 1 misses, 1 false alarms
        ");
        assert!(!report.is_good());
    }
}
