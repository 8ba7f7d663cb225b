use std::time::Duration;

use karaul_wire::CloseReason;

use super::{
    filter::{Sieve, Surroundings, point_of},
    ground::Ground,
    kinds::{self, Actor, Kind, Trouble, View},
    roster::Listed,
    statement::{Change, Evidence, Heard, Said, Shortfall, Statement, Subject, Unmet},
};
use crate::{
    clock::Stamp,
    config::{self, Light},
    scenery::Patch,
    track::Track,
};

/// Something that a rule has to say about one subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Index of the rule in the camera's list.
    pub rule: usize,
    /// What it is about.
    pub subject: Subject,
    /// What has changed.
    pub change: Change,
    /// Measured values beside their thresholds.
    pub evidence: Evidence,
    /// The objects that it is about, as they were in this picture, the foremost first: its part of [`Findings::objects`].
    objects: (usize, usize),
}

/// What the rules have to say. Its memory is used again.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    objects: Vec<Track>,
}

impl Findings {
    /// All findings, in order of the rules.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter()
    }

    /// The objects that a finding is about, the foremost first.
    #[must_use]
    pub fn objects(&self, finding: &Finding) -> &[Track] {
        &self.objects[finding.objects.0..finding.objects.1]
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.list.clear();
        self.objects.clear();
    }

    /// Is there nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn push(
        &mut self,
        rule: usize,
        subject: Subject,
        change: Change,
        evidence: Evidence,
        objects: &[Track],
    ) {
        let start = self.objects.len();
        self.objects.extend_from_slice(objects);
        self.list.push(Finding { rule, subject, change, evidence, objects: (start, self.objects.len()) });
    }
}

/// What there is to see at one look.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// When. Never runs backwards.
    pub at: Stamp,
    /// All live tracks, seen in this picture or not; one that is missing has ended.
    pub tracks: &'a [Track],
    /// What was put down or taken away in the zones of [`Engine::scenery_zones`].
    pub patches: &'a [Patch],
    /// How much light there is, if that is known.
    pub light: Option<Light>,
    /// The picture's width for each pixel of its height.
    pub aspect: f64,
    /// Something is wrong with the picture, so what is not seen may be there all the same.
    pub troubled: bool,
}

/// All rules of one camera.
#[derive(Debug)]
pub struct Engine {
    rules: Vec<Armed>,
    /// In which they are asked: sequences after those that they are made of.
    order: Vec<usize>,
    ground: Option<Ground>,
    actors: Vec<Actor>,
    said: Said,
    /// What the rules said at this look, for the sequences.
    told: Vec<kinds::Told>,
    heard: Vec<Heard>,
}

/// One rule with what it remembers.
#[derive(Debug)]
struct Armed {
    rule: config::Rule,
    sieve: Sieve,
    kind: Box<dyn Kind>,
    /// Somebody has disarmed it, whatever its schedule says.
    disarmed: bool,
    /// Subjects for which the condition is true, as last seen.
    active: Vec<Active>,
}

#[derive(Debug)]
struct Active {
    subject: Subject,
    /// The foremost object.
    object: Option<Track>,
    evidence: Evidence,
}

impl Engine {
    /// An engine for these rules; a finding's `rule` is an index into them.
    #[must_use]
    pub fn new(rules: &[config::Rule], ground: Option<&Ground>) -> Self {
        let mut sceneries = 0;
        let armed = rules.iter().map(|rule| {
            let kind = kinds::of(rule, sceneries);
            sceneries += usize::from(kinds::watches_scenery(&rule.kind));
            Armed { rule: rule.clone(), sieve: Sieve::default(), kind, disarmed: false, active: Vec::new() }
        });
        let is_sequence = |rule: &config::Rule| matches!(rule.kind, config::RuleKind::Sequence { .. });
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_by_key(|i| is_sequence(&rules[*i]));
        Self {
            rules: armed.collect(),
            order,
            ground: ground.cloned(),
            actors: Vec::new(),
            said: Said::default(),
            told: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// The zones in which the rules have to know what was put down or taken away, in the order in which patches count them.
    pub fn scenery_zones(rules: &[config::Rule]) -> Vec<super::geometry::Polygon> {
        rules
            .iter()
            .filter(|rule| kinds::watches_scenery(&rule.kind))
            .filter_map(|rule| rule.kind.zone())
            .map(|zone| zone.polygon.clone())
            .collect()
    }

    /// Looks at one picture and appends what there is to say.
    pub fn observe(&mut self, look: &Look<'_>, findings: &mut Findings) {
        self.told.clear();
        self.heard.clear();
        for &index in &self.order {
            let armed = &mut self.rules[index];
            if armed.kind.is_about_camera() {
                continue;
            }
            if let Some(unmet) = armed.unarmed(look.at, look.light) {
                armed.end_all(index, CloseReason::Disarmed, findings);
                armed.forget();
                self.heard.push(Heard { rule: index, subject: Subject::Whole, short: Some(Shortfall::of(unmet)) });
                continue;
            }
            if look.troubled && concludes_from_nothing(&armed.rule.kind) {
                armed.end_all(index, CloseReason::Blind, findings);
                armed.kind.interrupt();
                self.heard.push(Heard {
                    rule: index,
                    subject: Subject::Whole,
                    short: Some(Shortfall::of(Unmet::Blind)),
                });
                continue;
            }
            self.said.clear();
            armed.look(look, self.ground.as_ref(), &mut self.actors, &self.told, &mut self.said);
            armed.settle(index, look.tracks, &mut self.said, &mut self.told, findings);
            self.heard.extend(self.said.heard.iter().map(|(subject, short)| Heard {
                rule: index,
                subject: *subject,
                short: *short,
            }));
        }
    }

    /// Looks at the state of the camera, also while there are no pictures.
    pub fn watch(&mut self, at: Stamp, trouble: Trouble, findings: &mut Findings) {
        for (index, armed) in self.rules.iter_mut().enumerate().filter(|(_, armed)| armed.kind.is_about_camera()) {
            if armed.unarmed(at, None).is_some() {
                armed.end_all(index, CloseReason::Disarmed, findings);
                armed.forget();
                continue;
            }
            self.said.clear();
            armed.kind.watch(at, trouble, &mut self.said);
            armed.settle(index, &[], &mut self.said, &mut self.told, findings);
        }
    }

    /// What the rules thought at the last look, for whoever asks why one did not fire.
    #[must_use]
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// Disarms the rules for which `disarmed` is true and arms the others, on top of their schedules. What is
    /// true of a rule that is disarmed now ends.
    pub fn disarm(&mut self, disarmed: &[bool], findings: &mut Findings) {
        for (index, (armed, disarmed)) in self.rules.iter_mut().zip(disarmed).enumerate() {
            armed.disarmed = *disarmed;
            if *disarmed {
                armed.end_all(index, CloseReason::Disarmed, findings);
                armed.forget();
            }
        }
    }

    /// Ends everything that is true, for example because the camera went blind; what is about the camera itself ends only
    /// when nobody watches it any more.
    pub fn end_all(&mut self, reason: CloseReason, findings: &mut Findings) {
        for (index, armed) in self.rules.iter_mut().enumerate() {
            if reason == CloseReason::Blind && armed.kind.is_about_camera() {
                continue;
            }
            armed.end_all(index, reason, findings);
            // How many were inside before the camera went blind is still the best guess.
            if reason != CloseReason::Blind {
                armed.forget();
            } else {
                armed.kind.interrupt();
                armed.sieve.clear();
            }
        }
    }
}

impl Armed {
    /// Why the rule is not armed, if it is not.
    fn unarmed(&self, at: Stamp, light: Option<Light>) -> Option<Unmet> {
        let rule = &self.rule;
        if self.disarmed {
            Some(Unmet::Disarmed)
        } else if rule.schedule.as_ref().is_some_and(|s| !s.is_on(at.wall)) {
            Some(Unmet::Schedule)
        } else if light.is_some() && rule.light.is_some() && rule.light != light {
            Some(Unmet::Light)
        } else {
            None
        }
    }

    fn look(
        &mut self,
        look: &Look<'_>,
        ground: Option<&Ground>,
        actors: &mut Vec<Actor>,
        told: &[kinds::Told],
        said: &mut Said,
    ) {
        let filter = match (&self.rule.night, look.light) {
            (Some(night), Some(Light::Night)) => night,
            _ => &self.rule.filter,
        };
        let around = Surroundings { now: look.at.mono, ground, aspect: look.aspect };
        self.sieve.retain_listed(look.tracks);
        actors.clear();
        for track in look.tracks {
            // The classes of a night filter are those of the rule.
            if self.kind.wants(track.class) || filter.classes.contains(&track.class) {
                let (short, looks) = self.sieve.look(filter, track, around);
                if let Some(short) = short {
                    said.short(Subject::Track(track.id), short);
                }
                actors.push(Actor {
                    track: *track,
                    point: point_of(track, filter.point),
                    counts: short.is_none(),
                    looks,
                });
            }
        }
        let view = View {
            at: look.at,
            actors,
            tracks: look.tracks,
            patches: look.patches,
            ground,
            aspect: look.aspect,
            min_score: filter.min_score,
            confirm: filter.confirm[0],
            told,
        };
        self.kind.observe(&view, said);
    }

    /// Makes findings of what the kind has said, and ends what is about a track that is gone.
    fn settle(
        &mut self,
        index: usize,
        tracks: &[Track],
        said: &mut Said,
        told: &mut Vec<kinds::Told>,
        findings: &mut Findings,
    ) {
        for Statement { subject, change, evidence, objects } in said.statements.drain(..) {
            let objects = &said.objects[objects];
            let mut known = self.active.iter().position(|a| a.subject == subject);
            match change {
                Change::Began | Change::Holds => {
                    if change == Change::Began {
                        // A moment that comes again while the last one is still shown is another one.
                        if let Some(i) = known.take() {
                            self.end(i, index, CloseReason::Cleared, findings);
                        }
                        told.push(kinds::Told {
                            rule: index,
                            subject,
                            object: objects.first().copied(),
                            score_min: evidence.score_min,
                        });
                    }
                    let active = Active { subject, object: objects.first().copied(), evidence };
                    match known {
                        Some(i) => self.active[i] = active,
                        None => self.active.push(active),
                    }
                    findings.push(index, subject, change, evidence, objects);
                }
                Change::Ended(reason) => {
                    if let Some(i) = known {
                        self.end(i, index, reason, findings);
                    }
                }
            }
        }
        let (mut i, mut listed) = (0, Listed::new(tracks));
        while i < self.active.len() {
            let gone = match self.active[i].subject {
                Subject::Track(id) => !listed.has(id),
                Subject::Whole | Subject::Spot(_) => false,
            };
            if gone {
                self.end(i, index, CloseReason::Lost, findings);
            } else {
                i += 1;
            }
        }
    }

    /// What is said at the end is what was measured while it was true.
    fn end(&mut self, i: usize, index: usize, reason: CloseReason, findings: &mut Findings) {
        let Active { subject, object, evidence } = self.active.remove(i);
        findings.push(index, subject, Change::Ended(reason), evidence, object.as_slice());
    }

    fn end_all(&mut self, index: usize, reason: CloseReason, findings: &mut Findings) {
        while !self.active.is_empty() {
            self.end(0, index, reason, findings);
        }
    }

    fn forget(&mut self) {
        self.sieve.clear();
        self.kind.reset();
    }
}

/// Would a rule of this kind take a covered lens for an empty place?
const fn concludes_from_nothing(kind: &config::RuleKind) -> bool {
    use config::RuleKind::{AbandonedObject, Absence, RemovedObject};
    matches!(kind, Absence { .. } | AbandonedObject { .. } | RemovedObject { .. })
}

/// As long as this, something is still told of that is about a moment, so that whoever looks at the open incidents has a
/// chance to see it.
pub(super) const SHOWN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
