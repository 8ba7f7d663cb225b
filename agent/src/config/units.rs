//! Durations, sizes and times of day as people write them.

use std::{ops::RangeInclusive, time::Duration};

use jiff::civil::Time;

use super::{Distance, Pace, Span};

/// Reads `500ms`, `2s`, `5m`, `1h` or `1.5s`; a blank before the unit is allowed.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let milliseconds = match unit {
        "ms" => 1.0,
        "s" => 1e3,
        "m" | "min" => 60e3,
        "h" => 3_600e3,
        _ => return None,
    };
    // Whole milliseconds; the cast saturates, far above every range.
    Some(Duration::from_millis((number * milliseconds).round() as u64))
}

/// Writes a duration as [`duration`] reads it.
pub(crate) fn show_duration(duration: Duration) -> String {
    match duration.as_millis() {
        ms if ms % 1000 != 0 => format!("{ms}ms"),
        ms if ms != 0 && ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms != 0 && ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms => format!("{}s", ms / 1000),
    }
}

/// Distances that make sense, in metres.
pub(super) const METRES: RangeInclusive<f64> = 0.1..=1000.0;
/// Distances that make sense, in heights of an object's box.
pub(super) const HEIGHTS: RangeInclusive<f64> = 0.1..=100.0;
/// Speeds that make sense, in km/h.
pub(super) const KM_PER_HOUR: RangeInclusive<f64> = 0.5..=500.0;
/// Speeds that make sense, in heights of an object's box each second.
pub(super) const HEIGHTS_PER_SECOND: RangeInclusive<f64> = 0.1..=50.0;

/// Reads `2m` or `1.5heights`.
pub(super) fn distance(text: &str) -> Option<Distance> {
    match split_unit(text)? {
        (number, "m") if METRES.contains(&number) => Some(Distance::Metres(number)),
        (number, "heights" | "height") if HEIGHTS.contains(&number) => Some(Distance::Heights(number)),
        _ => None,
    }
}

/// Reads `20km/h` or `1.5heights/s`.
pub(super) fn pace(text: &str) -> Option<Pace> {
    match split_unit(text)? {
        (number, "km/h") if KM_PER_HOUR.contains(&number) => Some(Pace::KmPerHour(number)),
        (number, "heights/s" | "height/s") if HEIGHTS_PER_SECOND.contains(&number) => {
            Some(Pace::HeightsPerSecond(number))
        }
        _ => None,
    }
}

/// Units of size: binary ones count in 1024, decimal ones in 1000 (IEC 80000-13).
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads `64 MiB`, `2GiB`, `1.5 GB` to bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let (_, bytes) = SIZES.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    // Exact for anything that fits a disk; the cast saturates.
    Some((number * bytes as f64).round() as u64)
}

/// Writes a size as [`size`] reads it.
pub(super) fn show_size(bytes: u64) -> String {
    let unit = SIZES.into_iter().find(|(_, unit)| bytes != 0 && bytes.is_multiple_of(*unit));
    let (name, unit) = unit.unwrap_or(("B", 1));
    format!("{} {name}", bytes / unit)
}

fn split_unit(text: &str) -> Option<(f64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number = text[..digits].parse().ok()?;
    Some((number, text[digits..].trim_start_matches(' ')))
}

/// Why a text is no span of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpanError {
    /// Not `HH:MM-HH:MM` between `00:00` and `24:00`.
    Form,
    /// Ends where it begins.
    Empty,
}

/// Reads `19:00-07:30`, which ends in the next day.
pub(super) fn day_span(text: &str) -> Result<Span, SpanError> {
    const MIDNIGHT: u16 = 1440;
    let (start, end) = text.split_once(['-', '–']).ok_or(SpanError::Form)?;
    let (start, end) = (minute(start.trim()).ok_or(SpanError::Form)?, minute(end.trim()).ok_or(SpanError::Form)?);
    if start == MIDNIGHT {
        return Err(SpanError::Form);
    }
    if start == end {
        return Err(SpanError::Empty);
    }
    Ok(Span { start, end: if start < end { end } else { MIDNIGHT + end } })
}

/// `"08:00"`, before midnight.
pub(super) fn time_of_day(text: &str) -> Option<Time> {
    let minutes = i8::try_from(minute(text)? % 60).ok()?;
    let hours = i8::try_from(minute(text)? / 60).ok()?;
    Time::new(hours, minutes, 0, 0).ok()
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u16>().ok());
    let (hour, minute) = (two_digits(hour)??, two_digits(minute)??);
    ((hour < 24 && minute < 60) || (hour == 24 && minute == 0)).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations() {
        let ms = |text| duration(text).map(|d| d.as_millis());
        assert_eq!(ms("500ms"), Some(500));
        assert_eq!(ms("2s"), Some(2000));
        assert_eq!(ms("1.5 s"), Some(1500));
        assert_eq!(ms("5m"), Some(300_000));
        assert_eq!(ms("1h"), Some(3_600_000));
        for wrong in ["", "2", "s", "2 sec", "-2s", "2s ", "1e3s", "..s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("64 MiB"), Some(64 << 20));
        assert_eq!(size("2gib"), Some(2 << 30));
        assert_eq!(size("1.5 GB"), Some(1_500_000_000));
        assert_eq!(size("64"), None);
        assert_eq!(size("64 M"), None);
        assert_eq!(show_size(64 << 20), "64 MiB");
        assert_eq!(show_size(0), "0 B");
    }

    #[test]
    fn spans_over_midnight_go_on_in_the_next_day() {
        let span = |start, end| Span { start, end };
        assert_eq!(day_span("08:00-12:30"), Ok(span(480, 750)));
        assert_eq!(day_span("19:00-07:30"), Ok(span(1140, 1440 + 450)));
        assert_eq!(day_span("00:00-24:00"), Ok(span(0, 1440)));
        assert_eq!(day_span("19:00-00:00"), Ok(span(1140, 1440)));
        assert_eq!(day_span("08:00-08:00"), Err(SpanError::Empty));
        for wrong in ["", "8:00-9:00", "24:00-08:00", "08:00-24:01", "08:60-09:00", "08:00", "08-09", "+8:00-09:00"] {
            assert_eq!(day_span(wrong), Err(SpanError::Form), "{wrong}");
        }
        assert_eq!(time_of_day("08:05"), Time::new(8, 5, 0, 0).ok());
        assert_eq!(["24:00", "8:00", "08:60", ""].map(time_of_day), [None; 4]);
    }

    #[test]
    fn distances_and_speeds() {
        assert_eq!(distance("2m"), Some(Distance::Metres(2.0)));
        assert_eq!(distance("1.5 heights"), Some(Distance::Heights(1.5)));
        assert_eq!(distance("1height"), Some(Distance::Heights(1.0)));
        assert_eq!(["2", "m", "2 metres", "0m", "1001m", "0.05heights", "-2m"].map(distance), [None; 7]);
        assert_eq!(pace("20km/h"), Some(Pace::KmPerHour(20.0)));
        assert_eq!(pace("1.8heights/s"), Some(Pace::HeightsPerSecond(1.8)));
        assert_eq!(["20", "20km", "20m/s", "0.1km/h", "501 km/h", "2heights", "51heights/s"].map(pace), [None; 7]);
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read(ms in 0u64..10_000_000_000, bytes in 0u64..(1 << 45)) {
            let shown = show_duration(Duration::from_millis(ms));
            prop_assert_eq!(duration(&shown).map(|d| d.as_millis() as u64), Some(ms));
            prop_assert_eq!(size(&show_size(bytes)), Some(bytes));
        }
    }
}
