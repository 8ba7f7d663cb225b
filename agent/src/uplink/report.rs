//! What the link tells about itself.

use std::collections::BTreeMap;

use super::Version;

/// How the link is, and counters since the agent's start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkReport {
    /// The version in use, while there is a connection.
    pub connected: Option<Version>,
    /// The address in use as `host:port`, while there is a connection.
    pub address: Option<String>,
    /// The number of the present or the last connection, as in `status/box`; 0 if there was none.
    pub session: u64,
    /// Connections that were accepted.
    pub connections: u64,
    /// Alerts that the broker acknowledged.
    pub delivered: u64,
    /// Messages written again because their acknowledgement never came.
    pub resent: u64,
    /// Messages that the broker does not want, passed over for the time being.
    pub held: u64,
    /// Refusals of messages by the broker, those of the same message included.
    pub refused: u64,
    /// Alerts that the broker has acknowledged, saying that nobody subscribes to them (MQTT 5).
    pub unheard: u64,
    /// Times that another client with this box's path has taken its session over.
    pub taken_over: u64,
    /// Why there is no connection, or was none before the present one.
    pub last_error: Option<String>,
    /// What is wrong at present though alerts may flow: a sentence each, with the remedy.
    pub concerns: BTreeMap<Concern, String>,
}

/// What can be wrong with a link that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// Another box seems to have the same path.
    Rival,
    /// Commands or receipts are not heard.
    Deaf,
    /// A renewed file of `[broker]` is no use.
    Files,
    /// The box's certificate ends soon, or has ended.
    Validity,
    /// The first broker cannot be had; another one is in use.
    Fallback,
    /// The broker does not take a message, or one does harm.
    Refused,
    /// Nobody subscribes to alerts.
    Unheard,
}

impl LinkReport {
    /// The same with the counters of the links before added.
    #[must_use]
    pub fn after(self, before: &Self) -> Self {
        Self {
            connections: before.connections + self.connections,
            delivered: before.delivered + self.delivered,
            resent: before.resent + self.resent,
            refused: before.refused + self.refused,
            unheard: before.unheard + self.unheard,
            taken_over: before.taken_over + self.taken_over,
            ..self
        }
    }

    /// All concerns in one text, for `health/box`.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let texts: Vec<&str> = self.concerns.values().map(String::as_str).collect();
        (!texts.is_empty()).then(|| texts.join(" | "))
    }

    /// Notes or clears a concern. `true` if it is news.
    pub(super) fn concern(&mut self, what: Concern, sentence: Option<String>) -> bool {
        match sentence {
            Some(sentence) => self.concerns.insert(what, sentence.clone()) != Some(sentence),
            None => {
                self.concerns.remove(&what);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_go_on_over_links_and_the_rest_is_the_present_ones() {
        let [delivered, taken_over, held] = [2, 3, 4];
        let before = LinkReport { session: 1, delivered, taken_over, held, ..LinkReport::default() };
        let after = LinkReport { session: 2, delivered, ..LinkReport::default() }.after(&before);
        assert_eq!(after, LinkReport { session: 2, delivered: 4, taken_over: 3, ..LinkReport::default() });
    }

    #[test]
    fn a_concern_is_news_once_and_goes_away() {
        let mut report = LinkReport::default();
        assert_eq!(report.trouble(), None);
        assert!(report.concern(Concern::Deaf, Some("a".to_owned())));
        assert!(!report.concern(Concern::Deaf, Some("a".to_owned())));
        assert!(report.concern(Concern::Deaf, Some("b".to_owned())));
        assert!(report.concern(Concern::Rival, Some("c".to_owned())));
        assert_eq!(report.trouble().as_deref(), Some("c | b"));
        assert!(!report.concern(Concern::Deaf, None) && !report.concern(Concern::Rival, None));
        assert_eq!(report.trouble(), None);
    }
}
