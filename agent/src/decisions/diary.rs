use std::collections::HashMap;

use super::{
    AT_LEAST_EVERY, PAUSE,
    record::{Record, State},
    rounded,
};
use crate::{
    clock::Stamp,
    rules::{Heard, Shortfall, Subject},
    track::Track,
};

/// Makes spans of what the rules of one camera say at each look.
#[derive(Debug)]
pub struct Diary {
    rules: Vec<String>,
    labels: Vec<String>,
    open: HashMap<Key, Span>,
}

type Key = (Option<(usize, Subject)>, State);

#[derive(Debug)]
struct Span {
    from: Stamp,
    until: Stamp,
    looks: u32,
    class: Option<u16>,
    best: Option<Shortfall>,
    bbox: Option<[f32; 4]>,
}

impl Diary {
    /// `rules` are the ids of the camera's rules, `labels` the model's.
    #[must_use]
    pub fn new(rules: Vec<String>, labels: Vec<String>) -> Self {
        Self { rules, labels, open: HashMap::new() }
    }

    /// Takes what was said at one look at these tracks.
    pub fn look(&mut self, at: Stamp, heard: &[Heard], tracks: &[Track]) {
        self.note((None, State::Looked), at, None, None);
        for heard in heard {
            let state = heard.short.map_or(State::Fired, |short| State::Short(short.unmet));
            let track = match heard.subject {
                Subject::Track(id) => tracks.iter().find(|track| track.id == id),
                Subject::Whole | Subject::Spot(_) => None,
            };
            self.note((Some((heard.rule, heard.subject)), state), at, track, heard.short);
        }
    }

    /// Takes what became of a rule that fired.
    pub fn outcome(&mut self, at: Stamp, rule: usize, subject: Subject, state: State, object: Option<&Track>) {
        self.note((Some((rule, subject)), state), at, object, None);
    }

    fn note(&mut self, key: Key, at: Stamp, track: Option<&Track>, short: Option<Shortfall>) {
        let new = || Span { from: at, until: at, looks: 0, class: None, best: None, bbox: None };
        let span = self.open.entry(key).or_insert_with(new);
        span.until = at;
        span.looks = span.looks.saturating_add(1);
        span.class = track.map(|track| track.class).or(span.class);
        let nearer = match (&span.best, &short) {
            (Some(best), Some(new)) => (new.value - new.limit).abs() <= (best.value - best.limit).abs(),
            _ => true,
        };
        if nearer {
            span.best = short;
            let share = |value: f32| (value * 1e3).round() / 1e3;
            span.bbox = track.map(|t| [t.bbox.x, t.bbox.y, t.bbox.w, t.bbox.h].map(share));
        }
    }

    /// The spans that are over, or long enough to be written down.
    pub fn take(&mut self, now: Stamp) -> Vec<Record> {
        let due = |span: &Span| {
            now.mono.saturating_sub(span.until.mono) > PAUSE
                || span.until.mono.saturating_sub(span.from.mono) >= AT_LEAST_EVERY
        };
        let Self { rules, labels, open } = self;
        let done = open.extract_if(|_, span| due(span));
        in_order(done.map(|(key, span)| record(rules, labels, key, &span)).collect())
    }

    /// All spans: nobody looks any more.
    pub fn end(&mut self) -> Vec<Record> {
        let Self { rules, labels, open } = self;
        in_order(open.drain().map(|(key, span)| record(rules, labels, key, &span)).collect())
    }
}

/// A map has no order, and two runs over one recording have to write the same.
fn in_order(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by(|a, b| (a.from, &a.rule, a.state, a.about).cmp(&(b.from, &b.rule, b.state, b.about)));
    records
}

fn record(rules: &[String], labels: &[String], (whom, state): Key, span: &Span) -> Record {
    // Conditions without a value have no limit either.
    let best = span.best.filter(|best| best.value != 0.0 || best.limit != 0.0);
    let best = best.map(|best| rounded(best.value, best.limit, 1e3));
    Record {
        from: span.from.wall,
        until: Stamp::after(span.from.wall, span.until.mono.saturating_sub(span.from.mono)).wall,
        looks: span.looks,
        state,
        rule: whom.and_then(|(rule, _)| rules.get(rule).cloned()),
        about: whom.map(|(_, subject)| subject.into()),
        class: span.class.and_then(|class| labels.get(usize::from(class)).cloned()),
        value: best.map(|(value, _)| value),
        limit: best.map(|(_, limit)| limit),
        bbox: span.bbox,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::{rules::Unmet, vision::Rect};

    fn at(seconds: f64) -> Stamp {
        Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs_f64(seconds))
    }

    fn track(id: u64, x: f32) -> Track {
        Track {
            id,
            class: 0,
            bbox: Rect { x, y: 0.5, w: 0.1, h: 0.2 },
            score: 0.8,
            score_max: 0.8,
            seen: true,
            lost: false,
            first_seen: Duration::ZERO,
            last_seen: Duration::ZERO,
        }
    }

    fn dwell(value: f64) -> Heard {
        let short = Some(Shortfall { unmet: Unmet::Dwell, value, limit: 2.0 });
        Heard { rule: 0, subject: Subject::Track(7), short }
    }

    fn diary() -> Diary {
        Diary::new(vec!["night".to_owned()], vec!["person".to_owned()])
    }

    #[test]
    fn a_span_tells_how_near_it_came() {
        let mut diary = diary();
        for (t, value, x) in [(0.0, 0.0, 0.1), (0.2, 0.8, 0.2), (0.4, 1.8, 0.3), (0.6, 0.2, 0.4)] {
            diary.look(at(t), &[dwell(value)], &[track(7, x)]);
            assert_eq!(diary.take(at(t)), []);
        }
        let records = diary.take(at(5.7));
        let lines: Vec<_> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        assert_eq!(
            lines,
            [
                r#"{"from":"1970-01-01T00:00:00Z","until":"1970-01-01T00:00:00.6Z","looks":4,"state":"looked"}"#,
                r#"{"from":"1970-01-01T00:00:00Z","until":"1970-01-01T00:00:00.6Z","looks":4,"state":"dwell","rule":"night","about":{"track":7},"class":"person","value":1.8,"limit":2.0,"box":[0.3,0.5,0.1,0.2]}"#,
            ]
        );
        let back: Vec<Record> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(back, records);
    }

    #[test]
    fn conditions_that_take_turns_are_one_span_each() {
        let mut diary = diary();
        let unseen = Heard { short: Some(Shortfall { unmet: Unmet::Unseen, value: 0.0, limit: 0.0 }), ..dwell(0.0) };
        for n in 0..20 {
            let heard = if n % 2 == 0 { dwell(0.5) } else { unseen };
            diary.look(at(f64::from(n) * 0.2), &[heard], &[track(7, 0.1)]);
        }
        let mut states: Vec<_> =
            diary.end().into_iter().map(|record| (record.state, record.looks, record.value)).collect();
        states.sort_by_key(|(state, ..)| *state);
        let short = State::Short;
        assert_eq!(
            states,
            [(State::Looked, 20, None), (short(Unmet::Unseen), 10, None), (short(Unmet::Dwell), 10, Some(0.5))]
        );
    }

    #[test]
    fn what_goes_on_is_written_every_minute() {
        let mut diary = diary();
        let mut written = Vec::new();
        for second in 0..150 {
            diary.look(at(f64::from(second)), &[], &[]);
            written.extend(diary.take(at(f64::from(second))));
        }
        assert_eq!(written.iter().map(|record| record.looks).collect::<Vec<_>>(), [61, 61]);
        assert_eq!(diary.end()[0].looks, 28);
    }

    #[test]
    fn a_rule_that_fired_and_was_held_back_is_both() {
        let mut diary = diary();
        diary.look(at(0.0), &[Heard { short: None, ..dwell(0.0) }], &[track(7, 0.1)]);
        diary.outcome(at(0.0), 0, Subject::Track(7), State::Cooldown, Some(&track(7, 0.1)));
        let states: Vec<_> = diary.end().into_iter().map(|record| record.state).collect();
        assert_eq!(states, [State::Looked, State::Fired, State::Cooldown]);
    }
}
