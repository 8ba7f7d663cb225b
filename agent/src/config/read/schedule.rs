use std::{cell::Cell, collections::BTreeMap, ops::Range, sync::Arc};

use karaul_wire::Segment;
use toml::{Spanned, de::DeValue};

use super::{
    Report, choose,
    table::Table,
    value::{Checked, Wrong, each},
};
use crate::config::{
    Holidays, Schedule, Site, Span,
    keys::Key,
    units::{SpanError, day_span},
};

/// Which days, Monday being 0, a key of a schedule speaks of.
const KEYS: [(&str, Range<usize>); 10] = [
    ("monday", 0..1),
    ("tuesday", 1..2),
    ("wednesday", 2..3),
    ("thursday", 3..4),
    ("friday", 4..5),
    ("saturday", 5..6),
    ("sunday", 6..7),
    ("weekdays", 0..5),
    ("weekend", 5..7),
    ("every_day", 0..7),
];

/// The schedules of the document, and which of them are used.
pub(super) struct Schedules {
    entries: BTreeMap<String, Entry>,
    /// One of them has spans for holidays.
    for_holidays: bool,
}

struct Entry {
    /// `None` if something is wrong with it.
    schedule: Option<Arc<Schedule>>,
    /// Where to say that it is not used; `None` if something else was said.
    place: Option<(String, Range<usize>)>,
    used: Cell<bool>,
}

/// Reads all schedules. Without the site and its time zone they are read, but not given out.
pub(super) fn schedules(root: &Table<'_>, site: Option<&Site>) -> Schedules {
    let mut for_holidays = false;
    let entries = root.named("schedule").into_iter().map(|(name, found)| {
        let used = Cell::new(false);
        let Some((id, table)) = found else { return (name, Entry { schedule: None, place: None, used }) };
        let on_holidays = table.get("holiday", spans).map(|mut spans| {
            join(&mut spans);
            spans
        });
        let days = days(&table, on_holidays.as_ref().is_some_and(|spans| !spans.is_empty()));
        for_holidays |= table.has("holiday");
        if table.has("holiday") && site.is_some_and(|site| site.holidays.is_empty()) {
            let what = "the site has no holidays, so these spans never hold";
            table.warning("holiday", what, "add holidays = [\"every 01-01\"] with all of them to [site]");
        }
        let schedule = days.zip(site).map(|(days, site)| {
            let holidays = on_holidays.map(|spans| Holidays { days: site.holidays.clone(), spans });
            Arc::new(Schedule { id, time_zone: site.time_zone.clone(), days, holidays })
        });
        (name, Entry { schedule, place: Some((table.place, table.span)), used })
    });
    let entries = entries.collect();
    Schedules { entries, for_holidays }
}

impl Schedules {
    /// The schedule that a rule names.
    pub(super) fn find(&self, name: &str, rule: &Table<'_>) -> Option<Arc<Schedule>> {
        if let Some(entry) = self.entries.get(name) {
            entry.used.set(true);
            return entry.schedule.clone();
        }
        if self.entries.values().any(|entry| entry.place.is_none()) {
            // It may be the one whose header is wrong, which was reported.
            return None;
        }
        let names: Vec<&str> = self.entries.keys().map(String::as_str).collect();
        let remedy = match name.parse::<Segment>() {
            Ok(id) => format!("add [schedule.{id}], or remove the line to arm the rule always"),
            Err(_) => "remove the line to arm the rule always".to_owned(),
        };
        rule.undefined("schedule", "there is no such schedule", choose(name, &names, &remedy));
        None
    }

    /// Warns about holidays of the site that no schedule knows.
    pub(super) fn warn_unused_holidays(&self, table: &Table<'_>) {
        if table.has("holidays") && !self.for_holidays {
            let what = "holidays: no schedule has spans for them, so they are days like others".to_owned();
            let remedy = "add for example holiday = [] to a schedule that is not on then, or remove it";
            table.report.idle(&table.place, &table.span_of("holidays"), what, remedy);
        }
    }

    pub(super) fn warn_unused(&self, report: &Report<'_>) {
        let unused = self.entries.values().filter(|entry| !entry.used.get());
        for (place, span) in unused.filter_map(|entry| entry.place.as_ref()) {
            let what = "no rule uses this schedule".to_owned();
            report.idle(place, span, what, "name it in schedule of a rule, or remove it");
        }
    }
}

/// The spans of the week. The keys of a schedule add up. A schedule that is on on holidays needs none.
fn days(table: &Table<'_>, on_holidays: bool) -> Option<[Vec<Span>; 7]> {
    let mut days: [Vec<Span>; 7] = Default::default();
    let mut whole = true;
    let mut empty = !on_holidays;
    for (name, range) in KEYS {
        if !table.has(name) {
            continue;
        }
        empty = false;
        let Some(spans) = table.get(name, spans) else {
            whole = false;
            continue;
        };
        for day in range {
            days[day].extend(&spans);
        }
    }
    if empty && (table.is_empty() || table.has("holiday")) {
        let remedy = "add for example every_day = [\"22:00-06:00\"]";
        table.report.absence(&table.place, &table.span, "the schedule is never on".to_owned(), Some(remedy.to_owned()));
        return None;
    }
    days.iter_mut().for_each(join);
    (whole && !empty).then_some(days)
}

fn spans(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Vec<Span>> {
    let mut spans = Vec::new();
    each(key, value, |text, at| match day_span(text) {
        Ok(span) => {
            spans.push(span);
            Ok(())
        }
        Err(why) => {
            let (what, remedy) = match why {
                SpanError::Form => {
                    ("a span HH:MM-HH:MM is wanted", "for example \"19:00-07:30\", which ends the next day")
                }
                SpanError::Empty => ("the span ends where it begins", "write \"00:00-24:00\" for the whole day"),
            };
            Err(Wrong { what: what.to_owned(), remedy: Some(remedy.to_owned()), at: Some(at) })
        }
    })?;
    Ok(spans)
}

/// Sorts the spans of a day and joins those that overlap or touch.
fn join(spans: &mut Vec<Span>) {
    spans.sort_by_key(|span| span.start);
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans.drain(..) {
        match joined.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    *spans = joined;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_joined() {
        let span = |start, end| Span { start, end };
        let mut spans = vec![span(600, 700), span(0, 60), span(60, 90), span(650, 660), span(800, 900)];
        join(&mut spans);
        assert_eq!(spans, [span(0, 90), span(600, 700), span(800, 900)]);
    }
}
