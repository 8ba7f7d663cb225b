use std::sync::Arc;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use karaul_wire::Segment;

use super::Holiday;

/// `[schedule.<id>]`: the times of a week in which a rule is armed, in the site's
/// time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Its id.
    pub id: Segment,
    /// The site's time zone.
    pub time_zone: TimeZone,
    /// Spans that begin on each day, Monday first.
    pub days: [Vec<Span>; 7],
    /// `holiday`, if it has spans of their own for them; otherwise holidays are days like others.
    pub holidays: Option<Holidays>,
}

/// The holidays of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holidays {
    /// Those of the site.
    pub days: Arc<[Holiday]>,
    /// Spans that begin on such a day, instead of those of its day of the week.
    pub spans: Vec<Span>,
}

/// Part of a day in minutes of local wall-clock time since its midnight, `start <= t < end`.
///
/// One that goes on into the next day ends after minute 1440.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First minute of the day.
    pub start: u16,
    /// First minute no longer in it; at most 2880.
    pub end: u16,
}

/// A time of each day, in the site's time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Daily {
    /// Minutes after midnight by the clock on the wall.
    pub minute: u16,
    /// The site's time zone.
    pub time_zone: TimeZone,
}

impl Daily {
    /// The latest such time that is not after this one. On a day whose clocks skip it, it comes when they go on.
    #[must_use]
    pub fn latest(&self, at: Timestamp) -> Timestamp {
        let local = at.to_zoned(self.time_zone.clone());
        let minutes = i64::from(self.minute).minutes();
        // A day that cannot be reckoned with is one at the end of time.
        let on = |day: jiff::civil::Date| {
            let time = day.to_datetime(jiff::civil::Time::midnight()).checked_add(minutes).ok()?;
            Some(time.to_zoned(self.time_zone.clone()).ok()?.timestamp())
        };
        let today = on(local.date()).filter(|time| *time <= at);
        today.or_else(|| on(local.date().yesterday().ok()?)).unwrap_or(Timestamp::MIN)
    }
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
        let today = local.date();
        let begun_on =
            |day: Date, minute: u16| self.spans_of(day).iter().any(|span| (span.start..span.end).contains(&minute));
        // What began yesterday may go on, by the spans of yesterday.
        begun_on(today, minute) || today.yesterday().is_ok_and(|yesterday| begun_on(yesterday, minute + 1440))
    }

    /// The spans that begin on a day.
    fn spans_of(&self, day: Date) -> &[Span] {
        match &self.holidays {
            Some(holidays) if holidays.days.iter().any(|holiday| holiday.contains(day)) => &holidays.spans,
            _ => &self.days[usize::from(day.weekday().since(Weekday::Monday).unsigned_abs())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evenings(zone: &str) -> Schedule {
        let mut days: [Vec<Span>; 7] = Default::default();
        days[0] = vec![Span { start: 19 * 60, end: 1440 + 7 * 60 + 30 }];
        Schedule { id: "evenings".parse().unwrap(), time_zone: TimeZone::get(zone).unwrap(), days, holidays: None }
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
    fn a_time_of_each_day_is_the_latest_one() {
        let daily = Daily { minute: 4 * 60, time_zone: TimeZone::get("Asia/Almaty").unwrap() };
        let latest = |at: &str| daily.latest(at.parse().unwrap()).to_string();
        assert_eq!(latest("2026-11-22T23:00:00Z"), "2026-11-22T23:00:00Z"); // 04:00 on the 23rd
        assert_eq!(latest("2026-11-22T22:59:59Z"), "2026-11-21T23:00:00Z");
        // 02:30 does not exist on the day on which summer time begins: it comes at 03:30.
        let skipped = Daily { minute: 150, time_zone: TimeZone::get("Europe/Berlin").unwrap() };
        assert_eq!(skipped.latest("2026-03-29T12:00:00Z".parse().unwrap()).to_string(), "2026-03-29T01:30:00Z");
    }

    #[test]
    fn holidays_have_spans_of_their_own() {
        let mut s = evenings("Asia/Almaty");
        s.days = std::array::from_fn(|_| vec![Span { start: 19 * 60, end: 1440 + 7 * 60 }]);
        let days = ["every 12-16", "2026-12-18..2026-12-19"].map(|day| day.parse::<Holiday>().unwrap());
        s.holidays = Some(Holidays { days: Arc::new(days), spans: vec![Span { start: 600, end: 1440 + 600 }] });
        let on = |local: &str| s.is_on(format!("{local}+05:00").parse().unwrap());
        // What began on the evening before goes on into the holiday, and the holiday's into the day after.
        assert!(on("2026-12-15T23:00:00") && on("2026-12-16T06:59:59") && !on("2026-12-16T07:00:00"));
        assert!(!on("2026-12-16T09:59:59") && on("2026-12-16T10:00:00") && on("2026-12-17T09:59:59"));
        assert!(!on("2026-12-17T10:00:00") && !on("2026-12-17T18:59:00") && on("2026-12-17T19:00:00"));
        // Two holidays, one after the other.
        assert!(on("2026-12-18T06:00:00") && !on("2026-12-18T08:00:00") && on("2026-12-18T19:00:00"));
        assert!(on("2026-12-19T09:00:00") && on("2026-12-20T09:59:00") && !on("2026-12-20T10:00:00"));
        // Nothing at all on holidays.
        s.holidays.as_mut().unwrap().spans.clear();
        let on = |local: &str| s.is_on(format!("{local}+05:00").parse().unwrap());
        assert!(on("2026-12-16T06:00:00") && !on("2026-12-16T20:00:00") && !on("2026-12-17T06:00:00"));
    }

    #[test]
    fn a_night_with_a_change_of_the_clocks_is_on_throughout() {
        let mut s = evenings("Europe/Berlin");
        s.days = std::array::from_fn(|_| vec![Span { start: 22 * 60, end: 1440 + 6 * 60 }]);
        let hours = |from: &str, count: i64| {
            let from: Timestamp = from.parse().unwrap();
            (0..count).filter(|h| s.is_on(from + h.hours())).count()
        };
        // From noon to noon: a usual night has 8 hours, that of the 29th of March 7, that of the 25th of October 9.
        assert_eq!(hours("2026-03-20T11:00:00Z", 24), 8);
        assert_eq!(hours("2026-03-28T11:00:00Z", 23), 7);
        assert_eq!(hours("2026-10-24T10:00:00Z", 25), 9);
        // A holiday on such a day is that of the calendar at the site.
        let days = ["2026-10-25".parse::<Holiday>().unwrap()];
        s.holidays = Some(Holidays { days: Arc::new(days), spans: vec![Span { start: 120, end: 180 }] });
        let on = |at: &str| s.is_on(at.parse().unwrap());
        // 02:00 to 03:00 comes twice; the night that began on the 24th covers it all the same.
        assert!(on("2026-10-25T00:30:00Z") && on("2026-10-25T01:30:00Z") && on("2026-10-25T04:59:00Z"));
        assert!(!on("2026-10-25T21:30:00Z") && !on("2026-10-25T23:30:00Z"));
    }

    #[test]
    fn it_follows_daylight_saving() {
        let s = evenings("Europe/Berlin");
        assert!(s.is_on("2026-07-06T17:00:00Z".parse().unwrap())); // Monday 19:00 CEST
        assert!(!s.is_on("2026-12-07T17:00:00Z".parse().unwrap())); // Monday 18:00 CET
    }
}
