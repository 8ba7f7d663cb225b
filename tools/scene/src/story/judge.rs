//! What was told of a story, beside what had to be.

use std::time::Duration;

use super::Story;

/// What was told of a story.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// For each event that was told in its time: how many seconds after it was due, below zero before.
    pub delays: Vec<f32>,
    /// When the events were due that were not.
    pub missed: Vec<Duration>,
    /// What nothing calls for.
    pub further: Vec<Duration>,
}

impl Told {
    /// Whether everything was told, and nothing else.
    #[must_use]
    pub fn all_and_no_more(&self) -> bool {
        self.missed.is_empty() && self.further.is_empty()
    }
}

impl Story {
    /// Compares when its rule opened incidents in its first loop with when they were due.
    #[must_use]
    pub fn judge(self, opened: &[Duration]) -> Told {
        let mut told = Told { further: opened.to_vec(), ..Told::default() };
        for event in self.events() {
            let delay = |at: &Duration| at.as_secs_f32() - event.due.as_secs_f32();
            let fits = |at: &Duration| (-self.early()..=self.late()).contains(&delay(at));
            let near = (0..told.further.len()).filter(|i| fits(&told.further[*i]));
            let nearest = near.min_by(|a, b| delay(&told.further[*a]).abs().total_cmp(&delay(&told.further[*b]).abs()));
            match nearest {
                Some(i) => told.delays.push(delay(&told.further.remove(i))),
                None => told.missed.push(event.due),
            }
        }
        told
    }

    /// So many seconds before it is due it may be told, since a foot is not where somebody stands…
    const fn early(self) -> f32 {
        match self {
            // A car that comes to rest far away stays within half of its width long before it stands.
            Self::StoppedVehicle => 3.0,
            _ => 0.8,
        }
    }

    /// …and so many after.
    const fn late(self) -> f32 {
        match self {
            // What stands there has to settle, and its owner be away for ten seconds.
            Self::AbandonedObject | Self::RemovedObject => 12.0,
            _ => 2.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_told_once() {
        let due = Story::Intrusion.events()[0].due;
        let second = Duration::from_secs(1);
        assert_eq!(Story::Intrusion.events().len(), 1);
        assert!(Story::Intrusion.judge(&[due + second]).all_and_no_more());
        let told = Story::Intrusion.judge(&[due, due + second]);
        assert_eq!((told.delays, told.further), (vec![0.0], vec![due + second]), "the nearest is the one");
        let told = Story::Intrusion.judge(&[due + 3 * second]);
        assert_eq!((told.missed, told.further), (vec![due], vec![due + 3 * second]), "too late");
        assert_eq!(Story::Intrusion.judge(&[]).missed, [due]);
    }
}
