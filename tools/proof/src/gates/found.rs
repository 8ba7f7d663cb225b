//! Incidents of one recording, held against those of another way to look at it.

use std::{fmt, time::Duration};

/// One incident, on the recording's time line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incident {
    pub(super) rule: String,
    pub(super) opened: Duration,
    pub(super) closed: Duration,
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {:.1} to {:.1} s", self.rule, self.opened.as_secs_f64(), self.closed.as_secs_f64())
    }
}

/// The same incident may be opened so much earlier, and so much later even if it is short.
const EARLIER: Duration = Duration::from_secs(2);
const LATER: Duration = Duration::from_secs(5);

/// What came of the comparison.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Match {
    /// By how much each that was found was opened later.
    pub(super) delays: Vec<Duration>,
    pub(super) missed: Vec<Incident>,
    /// Of the missed, so many began while another incident of their rule was open: one of two became one.
    pub(super) within: usize,
    /// So many were found that are none of those that were looked for.
    pub(super) further: usize,
}

/// Looks for each incident among others, each of which stands for one.
pub(super) fn matched(wanted: &[Incident], found: &[Incident]) -> Match {
    let mut left: Vec<&Incident> = found.iter().collect();
    let mut result = Match::default();
    for incident in wanted {
        let latest = incident.closed.max(incident.opened + LATER);
        let fits = |other: &Incident| {
            other.rule == incident.rule && other.opened + EARLIER >= incident.opened && other.opened <= latest
        };
        let nearest = (0..left.len())
            .filter(|index| fits(left[*index]))
            .min_by_key(|index| left[*index].opened.abs_diff(incident.opened));
        match nearest {
            Some(index) => result.delays.push(left.remove(index).opened.saturating_sub(incident.opened)),
            None => {
                let holds = |other: &Incident| {
                    other.rule == incident.rule && (other.opened..=other.closed).contains(&incident.opened)
                };
                result.within += usize::from(found.iter().any(holds));
                result.missed.push(incident.clone());
            }
        }
    }
    result.further = left.len();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(rule: &str, opened: u64, closed: u64) -> Incident {
        Incident { rule: rule.to_owned(), opened: Duration::from_secs(opened), closed: Duration::from_secs(closed) }
    }

    #[test]
    fn each_stands_for_one_and_the_nearest_is_taken() {
        let wanted = [incident("a", 10, 20), incident("a", 12, 20), incident("b", 12, 13), incident("a", 60, 70)];
        let found = [incident("a", 13, 20), incident("a", 11, 30), incident("b", 17, 18), incident("b", 90, 91)];
        let matched = matched(&wanted, &found);
        assert_eq!(matched.delays, [1, 1, 5].map(Duration::from_secs));
        assert_eq!((matched.missed, matched.within, matched.further), (vec![incident("a", 60, 70)], 0, 1));
    }

    #[test]
    fn two_that_became_one_are_missed_within_it() {
        let wanted = [incident("a", 10, 20), incident("a", 19, 30), incident("b", 19, 30)];
        let matched = matched(&wanted, &[incident("a", 10, 30)]);
        assert_eq!((matched.missed.len(), matched.within, matched.further), (2, 1, 0));
    }

    #[test]
    fn one_that_is_opened_when_it_is_over_is_missed() {
        let matched = matched(&[incident("a", 10, 11)], &[incident("a", 16, 17)]);
        assert_eq!((matched.delays.len(), matched.missed.len(), matched.further), (0, 1, 1));
    }
}
