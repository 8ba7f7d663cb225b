use std::time::Duration;

/// A step back by more than this is no reordering of pictures: the recording's own clock was set, or one of its time
/// stamps was wrong.
const BACK: Duration = Duration::from_secs(2);

/// Makes one time line of what a recording claims. A step ahead is believed, because recorders leave out what is
/// still; after a step back the line goes on where it was.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    latest: Duration,
    /// Added to what is claimed, since the last step back.
    added: Duration,
}

impl Timeline {
    /// The place of a picture that claims this time.
    pub(super) fn place(&mut self, claimed: Duration) -> Duration {
        let mut place = claimed.saturating_add(self.added);
        if place.saturating_add(BACK) < self.latest {
            self.added += self.latest - place;
            place = self.latest;
        }
        self.latest = self.latest.max(place);
        place
    }

    /// The place of one that claims none.
    pub(super) fn latest(&self) -> Duration {
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed<const N: usize>(claimed: [u64; N]) -> [u128; N] {
        let mut line = Timeline::default();
        claimed.map(|ms| line.place(Duration::from_millis(ms)).as_millis())
    }

    #[test]
    fn reordered_pictures_and_gaps_stay_as_they_are() {
        assert_eq!(placed([0, 120, 40, 80, 60_000, 60_040]), [0, 120, 40, 80, 60_000, 60_040]);
    }

    #[test]
    fn one_wrong_stamp_or_a_clock_that_was_set_back_stops_nothing() {
        assert_eq!(placed([0, 40, 90_000, 80, 120]), [0, 40, 90_000, 90_000, 90_040]);
        assert_eq!(placed([50_000, 50_040, 0, 40, 80]), [50_000, 50_040, 50_040, 50_080, 50_120]);
    }
}
