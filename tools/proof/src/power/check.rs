//! Opens an outbox after a power cut and compares it with what was said before.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    path::Path,
    time::Duration,
};

use karaul_wire::{Phase, Severity};

use super::{
    image::Image,
    script::{self, Tale},
};

/// What the process had said when the power went.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// All that it ever wanted to commit, by number.
    offered: BTreeMap<u64, Tale>,
    /// Messages about gaps that it wanted to commit, by name.
    gaps: BTreeMap<String, Vec<(u64, u64)>>,
    gaps_committed: BTreeSet<String>,
    /// Steps that were not kept.
    refused: BTreeSet<u64>,
    /// Every number up to this one is committed.
    committed: u64,
    /// Handed out, and from then on perhaps delivered.
    handed: BTreeSet<u64>,
    gaps_handed: BTreeSet<String>,
}

impl Known {
    /// Takes a line of the script's.
    pub(super) fn hear(&mut self, line: &str) {
        let Some((verb, rest)) = line.split_once(' ') else { return };
        match verb {
            "offering" => match rest.parse::<Tale>() {
                Ok(tale) => _ = self.offered.insert(tale.number, tale),
                Err(()) => {
                    let (name, ranges) = gap(rest);
                    self.gaps.insert(name, ranges);
                }
            },
            "refused" => self.refused.extend(rest.parse::<u64>()),
            "committed" => match rest.parse::<u64>() {
                Ok(number) => self.committed = self.committed.max(number),
                Err(_) => _ = self.gaps_committed.insert(rest.to_owned()),
            },
            "handing" => {
                for word in rest.split(' ').filter(|word| !word.is_empty()) {
                    match word.parse() {
                        Ok(number) => _ = self.handed.insert(number),
                        Err(_) => _ = self.gaps_handed.insert(word.to_owned()),
                    }
                }
            }
            _ => {}
        }
    }

    /// How many critical alerts are committed.
    pub(super) fn committed(&self) -> usize {
        let critical = |tale: &&Tale| tale.severity == Severity::Critical;
        self.offered.range(..=self.committed).map(|(_, tale)| tale).filter(critical).count()
    }

    /// The highest number that anybody has seen or relies on.
    fn seen(&self) -> u64 {
        self.committed.max(self.handed.last().copied().unwrap_or_default())
    }

    /// Is the incident open, and by which step? Without the steps that were not kept, and only if its last one is
    /// committed.
    fn incidents(&self) -> BTreeMap<u64, Option<u64>> {
        let mut incidents = BTreeMap::new();
        let mut unsure = BTreeSet::new();
        for tale in self.offered.values().filter(|tale| !self.refused.contains(&tale.number)) {
            incidents.insert(tale.incident, (tale.phase != Phase::Close).then_some(tale.number));
            if tale.number > self.committed {
                unsure.insert(tale.incident);
            }
        }
        incidents.retain(|incident, _| !unsure.contains(incident));
        incidents
    }
}

/// What is in an image, or why it is not what was promised.
pub(super) fn check(folder: &Path, image: &Image, known: &Known) -> Result<(), String> {
    let clock = script::clock();
    let outbox = script::open(folder, &clock).map_err(|error| format!("it does not open: {error}"))?;
    if let Some(trouble) = outbox.trouble() {
        return Err(format!("it opens in trouble: {trouble}"));
    }
    if folder.join("outbox.damaged.sqlite").exists() && !image.has("outbox.damaged.sqlite") {
        return Err("it was taken for damaged".to_owned());
    }

    let mut there = BTreeSet::new();
    let mut gaps_there = BTreeSet::new();
    let mut excused: Vec<(u64, u64)> = Vec::new();
    for waiting in outbox.next(usize::MAX, usize::MAX, |_, _| false) {
        let message = waiting.message;
        if message.topic == "gap" {
            let (name, ranges) = gap(&String::from_utf8_lossy(&message.payload));
            if known.gaps.get(&name) != Some(&ranges) || !gaps_there.insert(name.clone()) {
                return Err(format!("an invented message: {name}"));
            }
            excused.extend(ranges);
            continue;
        }
        let number = message.sequence.ok_or("a message without a number")?;
        let tale = known.offered.get(&number).ok_or(format!("an invented number: {number}"))?;
        let expected = if message.retain && tale.phase == Phase::Close { Vec::new() } else { tale.payload() };
        if message.payload != expected || message.severity != tale.severity {
            return Err(format!("number {number} is not what was committed: {:?}", Tale::of(&message.payload)));
        }
        if !message.retain && !waiting.again && !there.insert(number) {
            return Err(format!("number {number} is there twice"));
        }
    }

    let orphans: BTreeMap<_, _> = outbox.orphans().into_iter().collect();
    for (incident, open) in known.incidents() {
        let tale = Tale { number: 0, severity: Severity::Info, incident, phase: Phase::Open };
        let found = orphans.get(&tale.id()).map(String::as_str);
        if found != open.map(|number| number.to_string()).as_deref() {
            return Err(format!("incident {incident} should be open by {open:?} and is by {found:?}"));
        }
    }

    clock.advance(Duration::from_secs(1));
    let next: Result<u64, Infallible> = outbox.commit(|batch| {
        excused.extend(batch.tell_gaps().ranges().map(|range| (*range.start(), *range.end())));
        Ok(batch.next_sequence())
    });
    let Ok(next) = next;
    if next <= known.seen() {
        return Err(format!("number {next} comes again; {} was seen", known.seen()));
    }
    let told = known.gaps_handed.iter().filter_map(|name| known.gaps.get(name)).flatten().copied();
    excused.extend(told);
    let is_excused = |number: u64| {
        known.handed.contains(&number) || excused.iter().any(|(first, last)| (*first..=*last).contains(&number))
    };
    if let Some(lost) = (1..=known.committed).find(|number| !there.contains(number) && !is_excused(*number)) {
        return Err(format!("number {lost} is lost; all up to {} were committed", known.committed));
    }
    // One that waits gives way to one that tells the same and more.
    let is_told = |(first, last): &(u64, u64)| excused.iter().any(|(from, to)| from <= first && last <= to);
    let is_lost = |name: &&String| {
        let known_elsewhere = gaps_there.contains(*name) || known.gaps_handed.contains(*name);
        !known_elsewhere && !known.gaps.get(*name).is_some_and(|ranges| ranges.iter().all(is_told))
    };
    let gap_lost = known.gaps_committed.iter().find(is_lost);
    gap_lost.map_or(Ok(()), |name| Err(format!("the message {name} is lost")))
}

/// `gap1 3-4 7-7`
fn gap(text: &str) -> (String, Vec<(u64, u64)>) {
    let mut words = text.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    let range = |word: &str| {
        let (first, last) = word.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    (name, words.filter_map(range).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power::image::{Disk, Loss};

    /// An empty disk is fine as long as nothing was promised.
    #[test]
    fn a_loss_is_seen() {
        let mut known = Known::default();
        let check = |known: &Known| {
            let folder = tempfile::tempdir().unwrap();
            let image = Disk::default().after_power_cut(Loss::All, &mut fastrand::Rng::with_seed(1));
            check(folder.path(), &image, known)
        };
        known.hear("offering 1 critical 1 open");
        assert_eq!(check(&known), Ok(()));
        known.hear("handing 1");
        assert_eq!(check(&known), Err("number 1 comes again; 1 was seen".to_owned()));
        known.hear("committed 1");
        assert_eq!(check(&known), Err("incident 1 should be open by Some(1) and is by None".to_owned()));
        known.hear("offering 2 critical 1 close");
        known.hear("committed 2");
        known.hear("offering gap1 3-4");
        assert_eq!(known.gaps["gap1"], [(3, 4)]);
        assert_eq!(check(&known), Err("number 1 comes again; 2 was seen".to_owned()));
    }
}
