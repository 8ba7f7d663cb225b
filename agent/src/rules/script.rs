//! Plays for tests of rules: who is where at what time, on a simulated clock.

use std::time::Duration;

use jiff::Timestamp;

use super::{Change, Engine, Evidence, Findings, Ground, Look, Subject};
use crate::{
    clock::Stamp,
    config::{Light, Rule},
    scenery::Patch,
    track::{Track, TrackerSettings},
    vision::Rect,
};

/// As long as this after an object was last seen the real tracker remembers it.
const REMEMBERED: f64 = 6.0;

/// Somebody, or something, that is followed.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    id: u64,
    class: u16,
    size: (f32, f32),
    score: f32,
    /// Seconds and foot, in order of time; straight on in between.
    way: Vec<(f64, f32, f32)>,
    /// From and until when it is not seen.
    hidden: Vec<(f64, f64)>,
    /// From when on it has another size.
    sizes: Vec<(f64, f32, f32)>,
}

impl Actor {
    /// A person of this track who is at these places at these times, `(seconds, x, y)` of the foot, seen from the first time to the last.
    pub(crate) fn new(id: u64, way: &[(f64, f32, f32)]) -> Self {
        Self { id, class: 0, size: (0.1, 0.3), score: 0.8, way: way.to_vec(), hidden: Vec::new(), sizes: Vec::new() }
    }

    /// Who stays at one place for a time.
    pub(crate) fn standing(id: u64, place: (f32, f32), from: f64, until: f64) -> Self {
        Self::new(id, &[(from, place.0, place.1), (until, place.0, place.1)])
    }

    /// With a box of this width and height.
    pub(crate) fn sized(self, w: f32, h: f32) -> Self {
        Self { size: (w, h), ..self }
    }

    /// From this time on with a box of this width and height, for example because the person has fallen.
    pub(crate) fn then_sized(mut self, from: f64, w: f32, h: f32) -> Self {
        self.sizes.push((from, w, h));
        self
    }

    /// Of this class.
    pub(crate) fn of_class(self, class: u16) -> Self {
        Self { class, ..self }
    }

    /// With this score.
    pub(crate) fn scoring(self, score: f32) -> Self {
        Self { score, ..self }
    }

    /// Not seen during this time.
    pub(crate) fn hidden(mut self, from: f64, until: f64) -> Self {
        self.hidden.push((from, until));
        self
    }

    fn is_seen(&self, t: f64) -> bool {
        let (first, last) = (self.way[0].0, self.way[self.way.len() - 1].0);
        (first..=last).contains(&t) && !self.hidden.iter().any(|(from, until)| (*from..*until).contains(&t))
    }

    fn foot(&self, t: f64) -> (f32, f32) {
        let after = self.way.iter().position(|(at, ..)| *at >= t).unwrap_or(self.way.len() - 1).max(1);
        let (Some(b), a) = (self.way.get(after), self.way[after - 1]) else { return (self.way[0].1, self.way[0].2) };
        let share = if b.0 > a.0 { ((t - a.0) / (b.0 - a.0)).clamp(0.0, 1.0) as f32 } else { 1.0 };
        (a.1 + (b.1 - a.1) * share, a.2 + (b.2 - a.2) * share)
    }

    /// The track at this time as the tracker lists it, if it does. `looks` are the times of the looks so far.
    fn track(&self, looks: &[f64]) -> Option<Track> {
        let now = *looks.last()?;
        let first = looks.iter().copied().find(|t| self.is_seen(*t))?;
        let last = looks.iter().rev().copied().find(|t| self.is_seen(*t))?;
        // A track that ended does not come back, even if its object does: give it another id then.
        let gap = looks
            .iter()
            .filter(|t| self.is_seen(**t))
            .fold((first, 0.0_f64), |(before, most), t| (*t, most.max(*t - before)));
        if now - last > REMEMBERED || gap.1 > REMEMBERED {
            return None;
        }
        let (x, y) = self.foot(last);
        let (w, h) = self.sizes.iter().rev().find(|(from, ..)| last >= *from).map_or(self.size, |(_, w, h)| (*w, *h));
        let seconds = Duration::from_secs_f64;
        Some(Track {
            id: self.id,
            class: self.class,
            bbox: Rect { x: x - w / 2.0, y: y - h, w, h },
            score: self.score,
            score_max: self.score,
            seen: last == now,
            lost: now - last > TrackerSettings::default().lost_for.as_secs_f64(),
            first_seen: seconds(first),
            last_seen: seconds(last),
        })
    }
}

/// Something that a rule said, but for that it still holds.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Seconds from the beginning.
    pub(crate) at: f64,
    pub(crate) rule: usize,
    pub(crate) subject: Subject,
    pub(crate) change: Change,
    pub(crate) evidence: Evidence,
    /// The ids of its objects, the foremost first.
    pub(crate) objects: Vec<u64>,
}

/// What is played.
pub(crate) struct Play {
    pub(crate) rules: Vec<Rule>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) ground: Option<Ground>,
    /// What was put down or taken away at a time.
    pub(crate) patches: Box<dyn Fn(f64) -> Vec<Patch>>,
    pub(crate) light: Box<dyn Fn(f64) -> Option<Light>>,
    /// When the camera is blind: then nobody looks.
    pub(crate) blind: Vec<(f64, f64)>,
    pub(crate) start: Timestamp,
}

impl Play {
    pub(crate) fn new(rules: Vec<Rule>, actors: Vec<Actor>) -> Self {
        Self {
            rules,
            actors,
            ground: None,
            patches: Box::new(|_| Vec::new()),
            light: Box::new(|_| None),
            blind: Vec::new(),
            start: Timestamp::UNIX_EPOCH,
        }
    }

    /// Plays it for so many seconds at so many looks a second.
    pub(crate) fn run(&self, fps: f64, seconds: f64) -> Vec<Line> {
        let mut engine = Engine::new(&self.rules, self.ground.as_ref());
        let (mut looks, mut said, mut findings) = (Vec::new(), Vec::new(), Findings::default());
        let mut was_blind = false;
        for n in 0..=(seconds * fps).round() as u32 {
            let t = f64::from(n) / fps;
            let at = Stamp::after(self.start, Duration::from_secs_f64(t));
            let blind = self.blind.iter().any(|(from, until)| (*from..*until).contains(&t));
            if blind {
                if !was_blind {
                    engine.end_all(karaul_wire::CloseReason::Blind, &mut findings);
                }
            } else {
                looks.push(t);
                let tracks: Vec<Track> = self.actors.iter().filter_map(|actor| actor.track(&looks)).collect();
                let patches = (self.patches)(t);
                let look = Look {
                    at,
                    tracks: &tracks,
                    patches: &patches,
                    light: (self.light)(t),
                    aspect: 16.0 / 9.0,
                    troubled: false,
                };
                engine.observe(&look, &mut findings);
            }
            was_blind = blind;
            let told = findings.iter().filter(|finding| finding.change != Change::Holds);
            said.extend(told.map(|finding| Line {
                at: t,
                rule: finding.rule,
                subject: finding.subject,
                change: finding.change,
                evidence: finding.evidence,
                objects: findings.objects(finding).iter().map(|track| track.id).collect(),
            }));
            findings.clear();
        }
        said
    }

    /// When something began, in whole tenths of a second, and about what.
    pub(crate) fn begun(&self, fps: f64, seconds: f64) -> Vec<(f64, Subject)> {
        let begun = self.run(fps, seconds).into_iter().filter(|line| line.change == Change::Began);
        begun.map(|line| ((line.at * 10.0).round() / 10.0, line.subject)).collect()
    }
}
