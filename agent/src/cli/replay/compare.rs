use std::{collections::BTreeMap, fmt};

use super::expected::Event;

/// An incident that was opened.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// Rule id.
    pub(super) rule: String,
    /// Seconds from the recording's start.
    pub(super) at: f64,
}

/// How a recording compared with what was expected.
#[derive(Debug, Default)]
pub(super) struct Report {
    hits: Vec<(Event, Found)>,
    misses: Vec<Event>,
    false_alarms: Vec<Found>,
}

/// How often a rule was right and wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Incidents that were expected.
    pub(super) hits: usize,
    /// What was expected and did not come.
    pub(super) misses: usize,
    /// Incidents that nobody expected.
    pub(super) false_alarms: usize,
}

/// Counts by camera and rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally(BTreeMap<(String, String), Counts>);

/// Pairs what was expected with what was found, each at most once, in the order of time.
pub(super) fn compare(expected: &[Event], found: &[Found]) -> Report {
    let mut expected = expected.to_vec();
    // The one that must be met first chooses first; that pairs as many as possible.
    expected.sort_by(|a, b| a.when.bounds().1.total_cmp(&b.when.bounds().1));
    let mut rest = found.to_vec();
    rest.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut report = Report::default();
    for event in expected {
        let (from, to) = event.when.bounds();
        let fits = |f: &Found| f.rule == event.rule && (from..=to).contains(&f.at);
        match rest.iter().position(fits) {
            Some(i) => report.hits.push((event, rest.remove(i))),
            None => report.misses.push(event),
        }
    }
    report.false_alarms = rest;
    report
}

impl Report {
    /// Nothing missed, nothing too much.
    pub(super) fn is_good(&self) -> bool {
        self.misses.is_empty() && self.false_alarms.is_empty()
    }

    /// Everything together.
    pub(super) fn counts(&self) -> Counts {
        Counts { hits: self.hits.len(), misses: self.misses.len(), false_alarms: self.false_alarms.len() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (Event { rule, when }, found) in &self.hits {
            writeln!(f, "hit          {rule:<20} expected {:<20} found {:.1} s", when.to_string(), found.at)?;
        }
        for Event { rule, when } in &self.misses {
            writeln!(f, "miss         {rule:<20} expected {when}")?;
        }
        for found in &self.false_alarms {
            writeln!(f, "false alarm  {:<20} {:<29} found {:.1} s", found.rule, "", found.at)?;
        }
        Ok(())
    }
}

impl Counts {
    /// Which share of the incidents was expected, in whole percent, rounded down.
    pub(super) fn precision(self) -> Option<usize> {
        (100 * self.hits).checked_div(self.hits + self.false_alarms)
    }

    /// Which share of what was expected came, in whole percent, rounded down.
    pub(super) fn recall(self) -> Option<usize> {
        (100 * self.hits).checked_div(self.hits + self.misses)
    }

    fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.false_alarms += other.false_alarms;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = |count, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let hits = several(self.hits, "hit", "hits");
        let misses = several(self.misses, "miss", "misses");
        write!(f, "{hits}, {misses}, {}", several(self.false_alarms, "false alarm", "false alarms"))
    }
}

impl Tally {
    /// These rules are told of, also if nothing comes of them.
    pub(super) fn expect<'a>(&mut self, camera: &str, rules: impl Iterator<Item = &'a str>) {
        for rule in rules {
            self.of(camera, rule);
        }
    }

    /// Counts a recording of this camera.
    pub(super) fn count(&mut self, camera: &str, report: &Report) {
        for (event, _) in &report.hits {
            self.of(camera, &event.rule).hits += 1;
        }
        for event in &report.misses {
            self.of(camera, &event.rule).misses += 1;
        }
        for found in &report.false_alarms {
            self.of(camera, &found.rule).false_alarms += 1;
        }
    }

    /// In the order of cameras and rules.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&str, &str, Counts)> {
        self.0.iter().map(|((camera, rule), counts)| (camera.as_str(), rule.as_str(), *counts))
    }

    /// Those of the rules for which it is true.
    pub(super) fn sum(&self, wanted: impl Fn(&str) -> bool) -> Counts {
        let mut sum = Counts::default();
        self.rules().filter(|(_, rule, _)| wanted(rule)).for_each(|(_, _, counts)| sum.add(counts));
        sum
    }

    fn of(&mut self, camera: &str, rule: &str) -> &mut Counts {
        self.0.entry((camera.to_owned(), rule.to_owned())).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::expected::When, *};

    fn found(rule: &str, at: f64) -> Found {
        Found { rule: rule.to_owned(), at }
    }

    fn at(rule: &str, at: f64, tolerance: f64) -> Event {
        Event { rule: rule.to_owned(), when: When::At(at, tolerance) }
    }

    fn counts(expected: &[Event], found: &[Found]) -> (usize, usize, usize) {
        let Counts { hits, misses, false_alarms } = compare(expected, found).counts();
        (hits, misses, false_alarms)
    }

    #[test]
    fn hits_misses_and_false_alarms_are_told_apart() {
        let expected = [at("a", 10.0, 1.0), at("a", 20.0, 0.5), at("b", 10.0, 1.0)];
        assert_eq!(counts(&expected, &[found("a", 10.9), found("a", 20.6), found("b", 9.0)]), (2, 1, 1));
        assert_eq!(counts(&expected, &[]), (0, 3, 0));
        assert_eq!(counts(&[], &[found("a", 1.0)]), (0, 0, 1));
        let window = [Event { rule: "a".to_owned(), when: When::Within(3.0, 4.0) }];
        assert_eq!(counts(&window, &[found("a", 3.0)]), (1, 0, 0));
        assert_eq!(counts(&window, &[found("a", 4.1)]), (0, 1, 1));
    }

    #[test]
    fn one_incident_cannot_meet_two_expectations() {
        let expected = [at("a", 10.0, 5.0), at("a", 9.0, 1.0)];
        assert_eq!(counts(&expected, &[found("a", 9.5), found("a", 12.0)]), (2, 0, 0));
        assert_eq!(counts(&expected, &[found("a", 9.5)]), (1, 1, 0));
    }

    #[test]
    fn the_report_is_a_table() {
        let window = Event { rule: "long-dwell".to_owned(), when: When::Within(30.0, 42.5) };
        let report = compare(&[at("a", 10.0, 1.0), at("b", 3.0, 1.0), window], &[found("a", 10.4), found("c", 7.0)]);
        insta::assert_snapshot!(report.to_string(), @r"
        hit          a                    expected 10.0 s ± 1 s         found 10.4 s
        miss         b                    expected 3.0 s ± 1 s
        miss         long-dwell           expected 30.0 s to 42.5 s
        false alarm  c                                                  found 7.0 s
        ");
        assert_eq!(report.counts().to_string(), "1 hit, 2 misses, 1 false alarm");
        assert!(!report.is_good() && compare(&[], &[]).is_good());
    }

    #[test]
    fn shares_are_rounded_down_so_that_all_is_all() {
        let counts = Counts { hits: 999, misses: 1, false_alarms: 0 };
        assert_eq!((counts.precision(), counts.recall()), (Some(100), Some(99)));
        let none = Counts::default();
        assert_eq!((none.precision(), none.recall()), (None, None));
    }

    #[test]
    fn recordings_are_counted_by_camera_and_rule() {
        let mut tally = Tally::default();
        tally.expect("gate", ["a", "quiet"].into_iter());
        tally.count("gate", &compare(&[at("a", 1.0, 1.0)], &[found("a", 1.0), found("b", 1.0)]));
        tally.count("roof", &compare(&[at("a", 1.0, 1.0)], &[]));
        let rules: Vec<String> =
            tally.rules().map(|(camera, rule, counts)| format!("{camera}/{rule}: {counts}")).collect();
        assert_eq!(
            rules,
            [
                "gate/a: 1 hit, 0 misses, 0 false alarms",
                "gate/b: 0 hits, 0 misses, 1 false alarm",
                "gate/quiet: 0 hits, 0 misses, 0 false alarms",
                "roof/a: 0 hits, 1 miss, 0 false alarms",
            ]
        );
        assert_eq!(tally.sum(|rule| rule == "a").to_string(), "1 hit, 1 miss, 0 false alarms");
    }
}
