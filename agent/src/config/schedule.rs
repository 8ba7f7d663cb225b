use jiff::{Timestamp, civil::Weekday, tz::TimeZone};
use karaul_wire::Segment;

/// `[schedule.<id>]`: the times of a week in which a rule is armed, in the site's
/// time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Its id.
    pub id: Segment,
    /// The site's time zone.
    pub time_zone: TimeZone,
    /// Spans of each day, Monday first.
    pub days: [Vec<Span>; 7],
}

/// Part of a day in minutes of local wall-clock time, `start <= t < end`.
///
/// `end` may be at most 1440 (midnight). A span over midnight is stored as two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First minute of the day.
    pub start: u16,
    /// First minute no longer in it.
    pub end: u16,
}

impl Schedule {
    /// Is the schedule on at this time?
    ///
    /// Wall-clock times that a change to summer time skips are never on; those that
    /// the change back repeats are on both times.
    #[must_use]
    pub fn is_on(&self, at: Timestamp) -> bool {
        let local = at.to_zoned(self.time_zone.clone());
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let day = usize::from(local.weekday().since(Weekday::Monday).unsigned_abs());
        self.days[day].iter().any(|span| (span.start..span.end).contains(&minute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evenings(zone: &str) -> Schedule {
        let mut days: [Vec<Span>; 7] = Default::default();
        days[0] = vec![Span { start: 19 * 60, end: 1440 }];
        days[1] = vec![Span { start: 0, end: 7 * 60 + 30 }];
        Schedule { id: "evenings".parse().unwrap(), time_zone: TimeZone::get(zone).unwrap(), days }
    }

    #[test]
    fn it_is_read_in_the_sites_time_zone() {
        let s = evenings("Asia/Almaty"); // UTC+5 all year since 2024
        let on = |t: &str| s.is_on(t.parse().unwrap());
        assert!(!on("2026-11-23T13:59:59Z")); // Monday 18:59:59
        assert!(on("2026-11-23T14:00:00Z"));
        assert!(on("2026-11-23T18:59:59Z"));
        assert!(on("2026-11-24T02:29:59Z"));
        assert!(!on("2026-11-24T02:30:00Z")); // Tuesday 07:30
        assert!(!on("2026-11-22T15:00:00Z")); // Sunday
    }

    #[test]
    fn it_follows_daylight_saving() {
        let s = evenings("Europe/Berlin");
        assert!(s.is_on("2026-07-06T17:00:00Z".parse().unwrap())); // Monday 19:00 CEST
        assert!(!s.is_on("2026-12-07T17:00:00Z".parse().unwrap())); // Monday 18:00 CET
    }
}
