use std::str::FromStr;

use jiff::{Timestamp, civil, tz::TimeZone};

/// A time that somebody asks about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    /// By the clock on the wall at the site.
    Clock(civil::Time),
    /// Whole.
    Time(Timestamp),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::Time(time));
        }
        let is_clock = text.len() >= 4 && text.chars().all(|c| c.is_ascii_digit() || c == ':' || c == '.');
        let padded = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
        padded
            .parse::<civil::Time>()
            .ok()
            .filter(|_| is_clock)
            .map(Self::Clock)
            .ok_or_else(|| "a time is wanted, as in 02:14, 02:14:07 or 2026-11-22T02:14:07+05:00".to_owned())
    }
}

impl When {
    /// The moment: on that day, or else the latest such time that is not after now.
    pub(super) fn find(
        self,
        day: Option<civil::Date>,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<Timestamp, jiff::Error> {
        let clock = match self {
            Self::Time(time) => return Ok(time),
            Self::Clock(clock) => clock,
        };
        let on = |day: civil::Date| Ok::<_, jiff::Error>(day.to_datetime(clock).to_zoned(zone.clone())?.timestamp());
        if let Some(day) = day {
            return on(day);
        }
        let today = now.to_zoned(zone.clone()).date();
        let time = on(today)?;
        if time <= now { Ok(time) } else { on(today.yesterday()?) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, day: Option<&str>) -> String {
        let zone = TimeZone::get("Asia/Almaty").unwrap();
        let now = "2026-11-22T05:00:00Z".parse().unwrap(); // 10:00 at the site
        let when: When = text.parse().unwrap();
        when.find(day.map(|day| day.parse().unwrap()), &zone, now).unwrap().to_string()
    }

    #[test]
    fn a_time_of_day_is_the_latest_one() {
        assert_eq!(found("02:14", None), "2026-11-21T21:14:00Z");
        assert_eq!(found("2:14", None), "2026-11-21T21:14:00Z");
        assert_eq!(found("10:00", None), "2026-11-22T05:00:00Z");
        assert_eq!(found("10:00:01", None), "2026-11-21T05:00:01Z");
        assert_eq!(found("23:30", Some("2026-11-20")), "2026-11-20T18:30:00Z");
        assert_eq!(found("2026-11-22T02:14:07+05:00", None), "2026-11-21T21:14:07Z");
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        for text in ["yesterday", "2", "25:00", "02:14 am", "2026-11-22"] {
            let refused = text.parse::<When>().unwrap_err();
            assert_eq!(refused, "a time is wanted, as in 02:14, 02:14:07 or 2026-11-22T02:14:07+05:00", "{text}");
        }
    }
}
