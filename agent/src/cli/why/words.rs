use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    config::Rule,
    decisions::{About, Record, State, WRITTEN_WITHIN, rounded},
    rules::Unmet,
};

/// What is asked about.
pub(super) struct Asked<'a> {
    pub(super) camera: &'a str,
    pub(super) rules: &'a [&'a Rule],
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) zone: &'a TimeZone,
    pub(super) now: Timestamp,
}

/// The answer for people, rule by rule.
pub(super) fn table(asked: &Asked<'_>, records: &[Record]) -> String {
    let mut text = String::new();
    let (from, until) = (asked.from.to_zoned(asked.zone.clone()), asked.until.to_zoned(asked.zone.clone()));
    let span = format!("{} to {}", from.strftime("%Y-%m-%d %H:%M:%S"), until.strftime("%H:%M:%S %Z"));
    // Writing to a String does not fail.
    let _ = writeln!(text, "camera {}, {span}", asked.camera);
    // What is still to come is not asked for.
    let complete = asked.until.min(asked.now).checked_add(WRITTEN_WITHIN).unwrap_or(Timestamp::MAX);
    let is_complete = complete <= asked.now;
    // Conditions are told of pictures; what becomes of an incident may be so without any.
    let looked = || records.iter().filter(|r| matches!(r.state, State::Looked | State::Fired | State::Short(_)));
    let _ = match (looked().map(|record| record.from).min(), looked().map(|record| record.until).max()) {
        (Some(first), Some(last)) => {
            let (first, last) = (clock(asked, first), clock(asked, last));
            writeln!(text, "pictures were looked at from {first} to {last}")
        }
        _ if !is_complete => writeln!(text, "no picture is on record yet"),
        _ => writeln!(
            text,
            "no picture was looked at: the camera was blind, its detector rested, or the agent was off; see karaul ledger"
        ),
    };
    if !is_complete {
        let complete = clock(asked, complete);
        let _ =
            writeln!(text, "the last minute may be incomplete; all that is known now will be on record at {complete}");
    }
    for rule in asked.rules {
        let _ = writeln!(text, "\nrule {} ({})", rule.id, rule.kind.wire().as_str());
        let of_rule: Vec<&Record> = records.iter().filter(|r| r.rule.as_deref() == Some(rule.id.as_str())).collect();
        if of_rule.is_empty() {
            let _ = writeln!(text, "  nothing that counts for it was seen");
        }
        for record in of_rule {
            let (from, until) = (clock(asked, record.from), clock(asked, record.until));
            let when = if from == until { format!("{from}            ") } else { format!("{from} to {until}") };
            let _ = writeln!(text, "  {when}  {:<20}  {}", whom(record), sentence(record));
        }
    }
    text
}

fn clock(asked: &Asked<'_>, at: Timestamp) -> String {
    at.to_zoned(asked.zone.clone()).strftime("%H:%M:%S").to_string()
}

fn whom(record: &Record) -> String {
    match record.about {
        Some(About::Track(id)) => format!("{} {id}", record.class.as_deref().unwrap_or("object")),
        Some(About::Spot(id)) => format!("thing {id}"),
        Some(About::Whole) | None => "the whole".to_owned(),
    }
}

/// What was so, with the value that came nearest beside what the rule asks for.
fn sentence(record: &Record) -> String {
    let short = match record.state {
        State::Looked => return "looked at".to_owned(),
        State::Fired => return format!("all conditions were met ({} looks)", record.looks),
        State::Alerted => return "ALERT: an incident was opened".to_owned(),
        State::Cooldown => return "held back: the rule was silent after its last alert (cooldown)".to_owned(),
        State::Budget => {
            return "held back: counted in a summary, as the rule had told so many in this hour (budget)".to_owned();
        }
        State::Fixture => return "held back: an operator called this spot a false alarm".to_owned(),
        State::Settled => return "held back: a person had closed the incident while it went on".to_owned(),
        State::NoRoom => return "LOST: there was no room for the alert".to_owned(),
        State::Short(unmet) => unmet,
    };
    // As many digits as mean something.
    let (value, limit) = rounded(record.value.unwrap_or(0.0), record.limit.unwrap_or(0.0), 1e2);
    match short {
        Unmet::Schedule => "the rule was not armed: by its schedule".to_owned(),
        Unmet::Disarmed => "the rule was not armed: by a command, or by the mode of the site".to_owned(),
        Unmet::Light => "the rule was not armed: by the light".to_owned(),
        Unmet::Blind => "something was wrong with the picture, so nothing was concluded from it".to_owned(),
        Unmet::Score => format!("score {value}, min_score {limit}"),
        Unmet::KeepScore => format!("score {value}, keep_score {limit}"),
        Unmet::Confirm => format!("seen in {value} looks, confirm asks for {limit}"),
        Unmet::MinWidth => format!("width {value}, min_size asks for {limit}"),
        Unmet::MinHeight => format!("height {value}, min_size asks for {limit}"),
        Unmet::MaxWidth => format!("width {value}, max_size allows {limit}"),
        Unmet::MaxHeight => format!("height {value}, max_size allows {limit}"),
        Unmet::TooLow => format!("{value} m tall, min_height_m {limit}"),
        Unmet::TooTall => format!("{value} m tall, max_height_m {limit}"),
        Unmet::TooSlender => format!("width by height {value}, min_aspect {limit}"),
        Unmet::TooWide => format!("width by height {value}, max_aspect {limit}"),
        Unmet::Travel => format!("moved by {value} of the diagonal, min_travel {limit}"),
        Unmet::Age => format!("followed for {value} s, min_age {limit} s"),
        Unmet::Masked => "in a zone of masks".to_owned(),
        Unmet::Unseen => "followed, but not seen just then".to_owned(),
        Unmet::Lost => "lost from sight".to_owned(),
        Unmet::Outside => "not in the zone".to_owned(),
        Unmet::Dwell => format!("for {value} s, dwell asks for {limit} s"),
        Unmet::NotCrossed => "did not cross the line".to_owned(),
        Unmet::OtherWay => "crossed the line in a direction that does not count".to_owned(),
        Unmet::Count => format!("{value}, the rule asks for {limit}"),
        Unmet::Density => format!("{value} on a square metre, at_least_per_m2 {limit}"),
        Unmet::Present => format!("{value} there, at_least {limit}"),
        Unmet::Unchanged => "nothing was put down or taken away".to_owned(),
        Unmet::OwnerNear => format!("attended until {value} s ago, owner_away asks for {limit} s"),
        Unmet::Speed => format!("speed {value}, over {limit}"),
        Unmet::NoGround => "no ground there by camera.ground, so nothing could be measured".to_owned(),
        Unmet::Angle => format!("{value} degrees off the wrong way, tolerance {limit}"),
        Unmet::Distance => format!("{value} the wrong way, distance asks for {limit}"),
        Unmet::Moving => format!("moved by {value}, still is {limit}"),
        Unmet::Upright => format!("shape {value}, lying is {limit}"),
        Unmet::Double => "another box of somebody who has just crossed".to_owned(),
        Unmet::Interval => format!("{value} s after the one before, within {limit} s"),
        Unmet::First => "the first rule had not fired within the time".to_owned(),
        Unmet::Sound => "nothing was wrong with the camera".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{RuleKind, sample};

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn record(from: &str, until: &str, state: State) -> Record {
        Record {
            from: time(from),
            until: time(until),
            looks: 9,
            state,
            rule: Some("night".to_owned()),
            about: Some(About::Track(17)),
            class: Some("person".to_owned()),
            value: None,
            limit: None,
            bbox: None,
        }
    }

    fn answer(records: &[Record]) -> String {
        answer_at("2026-11-22T08:00:00Z", records)
    }

    fn answer_at(now: &str, records: &[Record]) -> String {
        let zone = sample::zone("yard", &[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]);
        let rule = sample::rule("night", RuleKind::Intrusion { zone, dwell: std::time::Duration::from_secs(2) });
        let almaty = TimeZone::get("Asia/Almaty").unwrap();
        let (from, until) = (time("2026-11-21T21:13:30Z"), time("2026-11-21T21:14:30Z"));
        let asked = Asked { camera: "gate", rules: &[&rule], from, until, zone: &almaty, now: time(now) };
        table(&asked, records)
    }

    #[test]
    fn what_goes_on_is_not_all_on_record_yet() {
        let outside = record("2026-11-21T21:13:52Z", "2026-11-21T21:14:09Z", State::Short(Unmet::Outside));
        let expected = "\
camera gate, 2026-11-22 02:13:30 to 02:14:30 +05
pictures were looked at from 02:13:52 to 02:14:09
the last minute may be incomplete; all that is known now will be on record at 02:15:36

rule night (intrusion)
  02:13:52 to 02:14:09  person 17             not in the zone
";
        assert_eq!(answer_at("2026-11-21T21:14:40Z", &[outside]), expected);
        let expected = "\
camera gate, 2026-11-22 02:13:30 to 02:14:30 +05
no picture is on record yet
the last minute may be incomplete; all that is known now will be on record at 02:15:36

rule night (intrusion)
  nothing that counts for it was seen
";
        assert_eq!(answer_at("2026-11-21T21:14:40Z", &[]), expected);
    }

    #[test]
    fn it_says_which_condition_failed_and_by_how_much() {
        let looked = Record {
            rule: None,
            about: None,
            class: None,
            ..record("2026-11-21T21:13:00Z", "2026-11-21T21:14:30Z", State::Looked)
        };
        let dwell = Record {
            value: Some(1.8),
            limit: Some(2.0),
            ..record("2026-11-21T21:14:01Z", "2026-11-21T21:14:04Z", State::Short(Unmet::Dwell))
        };
        let just = Record {
            value: Some(1.999),
            limit: Some(2.0),
            ..record("2026-11-21T21:14:10Z", "2026-11-21T21:14:12Z", State::Short(Unmet::Dwell))
        };
        let outside = record("2026-11-21T21:13:52Z", "2026-11-21T21:14:09Z", State::Short(Unmet::Outside));
        let fired = record("2026-11-21T21:14:20Z", "2026-11-21T21:14:20Z", State::Fired);
        let held = record("2026-11-21T21:14:20Z", "2026-11-21T21:14:20Z", State::Cooldown);
        let expected = "\
camera gate, 2026-11-22 02:13:30 to 02:14:30 +05
pictures were looked at from 02:13:00 to 02:14:30

rule night (intrusion)
  02:13:52 to 02:14:09  person 17             not in the zone
  02:14:01 to 02:14:04  person 17             for 1.8 s, dwell asks for 2 s
  02:14:10 to 02:14:12  person 17             for 1.99 s, dwell asks for 2 s
  02:14:20              person 17             all conditions were met (9 looks)
  02:14:20              person 17             held back: the rule was silent after its last alert (cooldown)
";
        assert_eq!(answer(&[looked, outside, dwell, just, fired, held]), expected);
    }

    #[test]
    fn nothing_on_record_is_said_too() {
        let expected = "\
camera gate, 2026-11-22 02:13:30 to 02:14:30 +05
no picture was looked at: the camera was blind, its detector rested, or the agent was off; see karaul ledger

rule night (intrusion)
  nothing that counts for it was seen
";
        assert_eq!(answer(&[]), expected);
    }
}
