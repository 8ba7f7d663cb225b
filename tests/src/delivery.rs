use std::collections::BTreeMap;

use karaul_stage::Heard;
use karaul_wire::{AlertEvent, Phase};
use uuid::Uuid;

/// What arrived, with repetitions taken out, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Each alert once, by sequence number.
    pub alerts: BTreeMap<u64, AlertEvent>,
    /// How many arrived more than once.
    pub repeated: usize,
    /// Everything that breaks the promise: holes in the numbering, the same number for two
    /// messages, revisions out of order or missing, messages of unknown form.
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
    let numbers: Vec<u64> = all.alerts.keys().copied().collect();
    for pair in numbers.windows(2) {
        if pair[1] != pair[0] + 1 {
            all.faults.push(format!("nothing between numbers {} and {}", pair[0], pair[1]));
        }
    }
    all
}

#[cfg(test)]
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
        assert_eq!(delivered(&[alert(1, 1, 2)]).faults.len(), 1);
    }
}
