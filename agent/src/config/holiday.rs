use std::str::FromStr;

use jiff::civil::Date;

/// One entry of `holidays`: a day or several in a row, once or in each year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holiday {
    /// From the first day to the last, both with it: `"2026-03-21..2026-03-25"`.
    Once(Date, Date),
    /// From a month and day to another, in each year and perhaps over its end: `"every 12-31..01-02"`.
    EachYear((i8, i8), (i8, i8)),
}

/// Why a text is no holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HolidayError {
    /// Not one of the forms, or a day that no calendar has.
    #[error("this is no day of the calendar, year-month-day")]
    Form,
    /// Ends before it begins.
    #[error("it ends before it begins")]
    Order,
}

impl Holiday {
    /// Is this day one?
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        match *self {
            Self::Once(first, last) => (first..=last).contains(&day),
            Self::EachYear(first, last) => {
                let day = (day.month(), day.day());
                if first <= last { (first..=last).contains(&day) } else { day >= first || day <= last }
            }
        }
    }
}

impl FromStr for Holiday {
    type Err = HolidayError;

    fn from_str(text: &str) -> Result<Self, HolidayError> {
        if let Some(days) = text.strip_prefix("every ") {
            let (first, last) = days.split_once("..").unwrap_or((days, days));
            // The 29th of February is a day of some years.
            let day = |text: &str| exact(&format!("2024-{text}")).map(|day| (day.month(), day.day()));
            return Ok(Self::EachYear(day(first)?, day(last)?));
        }
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (first, last) = (exact(first)?, exact(last)?);
        if first <= last { Ok(Self::Once(first, last)) } else { Err(HolidayError::Order) }
    }
}

/// `2026-12-16` and nothing else that a date may be written as.
fn exact(text: &str) -> Result<Date, HolidayError> {
    text.parse().ok().filter(|date: &Date| date.to_string() == text).ok_or(HolidayError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(holiday: &str, day: &str) -> bool {
        holiday.parse::<Holiday>().unwrap().contains(day.parse().unwrap())
    }

    #[test]
    fn days_and_rows_of_days() {
        assert!(holds("2026-12-16", "2026-12-16") && !holds("2026-12-16", "2027-12-16"));
        assert!(holds("2026-03-21..2026-03-25", "2026-03-21") && holds("2026-03-21..2026-03-25", "2026-03-25"));
        assert!(!holds("2026-03-21..2026-03-25", "2026-03-26"));
        assert!(holds("every 12-16", "2031-12-16") && !holds("every 12-16", "2031-12-17"));
        assert!(holds("every 12-31..01-02", "2026-12-31") && holds("every 12-31..01-02", "2027-01-02"));
        assert!(!holds("every 12-31..01-02", "2027-01-03") && !holds("every 12-31..01-02", "2026-12-30"));
        assert!(holds("every 02-29", "2028-02-29") && !holds("every 02-29", "2027-02-28"));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "16.12.2026",
            "2026-02-29",
            "2026-12-16T08:00",
            "every",
            "every 13-01",
            "every 2026-12-16",
            "12-16",
            "..",
        ] {
            assert_eq!(text.parse::<Holiday>(), Err(HolidayError::Form), "{text}");
        }
        assert_eq!("2026-03-25..2026-03-21".parse::<Holiday>(), Err(HolidayError::Order));
    }
}
