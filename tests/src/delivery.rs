use std::{collections::BTreeMap, path::Path};

use karaul_stage::Heard;
use karaul_wire::{AlertEvent, Phase};
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

/// What arrived, with repetitions taken out, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Each alert once, by sequence number.
    pub alerts: BTreeMap<u64, AlertEvent>,
    /// How many arrived more than once.
    pub repeated: usize,
    /// Everything that breaks the promise: holes in the numbering, which begins with 1, the same
    /// number for two messages, revisions out of order or missing, messages of unknown form.
    pub faults: Vec<String>,
}

impl Delivered {
    /// The opening alerts, in order.
    pub fn opened(&self) -> impl Iterator<Item = &AlertEvent> {
        self.alerts.values().filter(|a| a.data.incident.phase == Phase::Open)
    }

    /// Incidents that have been opened and not closed.
    #[must_use]
    pub fn still_open(&self) -> Vec<Uuid> {
        let closed: Vec<_> = self
            .alerts
            .values()
            .filter(|a| a.data.incident.phase == Phase::Close)
            .map(|a| a.data.incident.id)
            .collect();
        self.opened().map(|a| a.data.incident.id).filter(|id| !closed.contains(id)).collect()
    }

    /// Looks into the outbox of an agent that has stopped: a loss at the end can only be seen
    /// there. Nothing may wait, and the last number given out is the last that arrived.
    ///
    /// # Panics
    /// If there is no outbox in the folder.
    #[must_use]
    pub fn and_all_sent(mut self, state: &Path) -> Self {
        let path = state.join("outbox.sqlite");
        let outbox = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let number = |sql: &str| -> i64 {
            outbox.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
        };
        let waiting = number("SELECT count(*) FROM message");
        if waiting > 0 {
            self.faults.push(format!("{waiting} messages still wait in the outbox"));
        }
        let given = number("SELECT value FROM number WHERE name = 'sequence'").cast_unsigned();
        let arrived = self.alerts.keys().next_back().copied().unwrap_or(0);
        if given != arrived {
            self.faults.push(format!("the last number given out is {given}, the last that arrived {arrived}"));
        }
        self
    }
}

/// Holds what a subscriber heard against the promise: every number once, no hole, the
/// steps of each incident in order.
#[must_use]
pub fn delivered(heard: &[Heard]) -> Delivered {
    let mut all = Delivered::default();
    let mut revisions: BTreeMap<Uuid, u32> = BTreeMap::new();
    for message in heard {
        let event = match message {
            Heard::Alert(event) => event,
            Heard::Other(topic, payload) if topic.contains("/alert/") => {
                all.faults.push(format!("no alert: {topic} {payload}"));
                continue;
            }
            _ => continue,
        };
        match all.alerts.get(&event.sequence.0) {
            Some(before) if before.id == event.id => {
                all.repeated += 1;
                continue;
            }
            Some(before) => {
                all.faults.push(format!("number {} for both {} and {}", event.sequence, before.id, event.id))
            }
            None => {}
        }
        let incident = &event.data.incident;
        let revision = revisions.entry(incident.id).or_default();
        if incident.rev != *revision + 1 {
            all.faults.push(format!("incident {}: revision {} after {revision}", incident.id, incident.rev));
        }
        *revision = incident.rev;
        all.alerts.insert(event.sequence.0, (**event).clone());
    }
    // Before the first there was nothing.
    let numbers: Vec<u64> = [0].into_iter().chain(all.alerts.keys().copied()).collect();
    for pair in numbers.windows(2) {
        if pair[1] != pair[0] + 1 {
            all.faults.push(format!("nothing between numbers {} and {}", pair[0], pair[1]));
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use karaul_wire::Alert;

    use super::*;

    fn alert(sequence: u64, incident: u128, rev: u32) -> Heard {
        let mut alert = Alert::example();
        alert.incident.id = Uuid::from_u128(incident);
        alert.incident.rev = rev;
        alert.incident.phase = if rev == 1 { Phase::Open } else { Phase::Close };
        let now = alert.incident.opened;
        let id = Uuid::from_u128(u128::from(sequence));
        Heard::Alert(Box::new(AlertEvent::alert(id, String::new(), now, now, sequence, alert)))
    }

    #[test]
    fn repetitions_are_counted_and_losses_are_faults() {
        let good = delivered(&[alert(1, 1, 1), alert(1, 1, 1), alert(2, 2, 1), alert(3, 1, 2)]);
        assert_eq!((good.faults.len(), good.repeated, good.alerts.len()), (0, 1, 3));
        assert_eq!(good.still_open(), [Uuid::from_u128(2)]);
        assert_eq!(delivered(&[alert(1, 1, 1), alert(3, 2, 1)]).faults, ["nothing between numbers 1 and 3"]);
        assert_eq!(delivered(&[alert(2, 2, 1)]).faults, ["nothing between numbers 0 and 2"]);
        assert_eq!(delivered(&[alert(1, 1, 2)]).faults.len(), 1);
    }

    #[test]
    fn a_loss_at_the_end_is_seen_in_the_outbox() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Connection::open(folder.path().join("outbox.sqlite")).unwrap();
        let tables = "CREATE TABLE message (row); CREATE TABLE number (name, value); \
                      INSERT INTO number VALUES ('sequence', 2)";
        outbox.execute_batch(tables).unwrap();
        let faults = |heard: &[Heard]| delivered(heard).and_all_sent(folder.path()).faults;
        assert_eq!(faults(&[alert(1, 1, 1), alert(2, 1, 2)]), Vec::<String>::new());
        assert_eq!(faults(&[alert(1, 1, 1)]), ["the last number given out is 2, the last that arrived 1"]);
        outbox.execute("INSERT INTO message VALUES (1)", []).unwrap();
        assert_eq!(faults(&[alert(1, 1, 1), alert(2, 1, 2)]), ["1 messages still wait in the outbox"]);
    }
}
