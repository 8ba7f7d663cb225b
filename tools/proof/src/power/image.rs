//! A disk that remembers what was synced, and what it could hold after a power cut.
//!
//! The model is that of Linux's journalling file systems with all the freedom that they take: a sync of a file
//! brings the file, with its name, to the disk; renames and unlinks wait for a sync of the folder, or happen
//! earlier, in their order. Unsynced writes may reach the disk in any order and in part, by sectors.

use std::{collections::BTreeMap, fs, io, path::Path};

use super::trace::Call;

/// What a disk writes at once.
const SECTOR: usize = 512;

/// What becomes of all that was not synced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Loss {
    /// Nothing of it is there.
    All,
    /// All of it is there.
    Nothing,
    /// Of each file a part: with `tail`, the first calls and a torn one, otherwise any sectors.
    Some { tail: bool },
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Debug, Default)]
struct File {
    synced: Vec<u8>,
    pending: Vec<Change>,
    /// Its name has reached the disk.
    named: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Link { name: String, inode: usize },
    Rename { from: String, to: String },
    Unlink { name: String },
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Disk {
    inodes: Vec<File>,
    /// Recorded file number to inode.
    files: BTreeMap<usize, usize>,
    /// Names as the process sees them, and as they are on the disk.
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    /// Changes of names that are not synced.
    steps: Vec<Step>,
}

/// The folder after a power cut: names and contents.
#[derive(Debug)]
pub(super) struct Image {
    files: BTreeMap<String, Vec<u8>>,
}

impl Disk {
    /// Lets it happen.
    pub(super) fn apply(&mut self, call: &Call) {
        match call {
            Call::Open { file, name, truncate } => {
                let inode = match self.names.get(name) {
                    Some(inode) => *inode,
                    None => {
                        self.inodes.push(File::default());
                        let inode = self.inodes.len() - 1;
                        self.names.insert(name.clone(), inode);
                        self.steps.push(Step::Link { name: name.clone(), inode });
                        inode
                    }
                };
                if *truncate {
                    self.inodes[inode].pending.push(Change::Truncate(0));
                }
                self.files.insert(*file, inode);
            }
            Call::Write { file, offset, bytes } => {
                let change = Change::Write { offset: *offset as usize, bytes: bytes.clone() };
                self.change(*file, change);
            }
            Call::Truncate { file, length } => self.change(*file, Change::Truncate(*length as usize)),
            Call::Sync { file } => {
                if let Some(inode) = self.files.get(file).copied() {
                    let file = &mut self.inodes[inode];
                    for change in std::mem::take(&mut file.pending) {
                        change.whole(&mut file.synced);
                    }
                    if !file.named {
                        file.named = true;
                        self.settle_name(inode);
                    }
                }
            }
            Call::SyncFolder => {
                for step in std::mem::take(&mut self.steps) {
                    if let Step::Link { inode, .. } = &step {
                        self.inodes[*inode].named = true;
                    }
                    step.happen(&mut self.synced_names);
                }
            }
            Call::Rename { from, to } => {
                let step = Step::Rename { from: from.clone(), to: to.clone() };
                step.clone().happen(&mut self.names);
                self.steps.push(step);
            }
            Call::Unlink { name } => {
                let step = Step::Unlink { name: name.clone() };
                step.clone().happen(&mut self.names);
                self.steps.push(step);
            }
            Call::Said(_) | Call::End => {}
        }
    }

    /// The name of a file that is synced for the first time is on the disk, and so is what happened to that name
    /// before.
    fn settle_name(&mut self, inode: usize) {
        let made =
            self.steps.iter().position(|step| matches!(step, Step::Link { inode: linked, .. } if *linked == inode));
        let Some(Step::Link { name, .. }) = made.map(|made| self.steps[made].clone()) else { return };
        let (mut index, mut last) = (0, false);
        while !last {
            last = matches!(&self.steps[index], Step::Link { inode: linked, .. } if *linked == inode);
            if self.steps[index].concerns(&name) {
                self.steps.remove(index).happen(&mut self.synced_names);
            } else {
                index += 1;
            }
        }
    }

    fn change(&mut self, file: usize, change: Change) {
        if let Some(inode) = self.files.get(&file) {
            self.inodes[*inode].pending.push(change);
        }
    }

    /// One of the folders that a power cut now could leave.
    pub(super) fn after_power_cut(&self, loss: Loss, random: &mut fastrand::Rng) -> Image {
        let mut names = self.synced_names.clone();
        let happened = match loss {
            Loss::All => 0,
            Loss::Nothing => self.steps.len(),
            Loss::Some { .. } => random.usize(..=self.steps.len()),
        };
        for step in &self.steps[..happened] {
            step.clone().happen(&mut names);
        }
        let content = |inode: usize, random: &mut fastrand::Rng| self.inodes[inode].after_power_cut(loss, random);
        Image { files: names.into_iter().map(|(name, inode)| (name, content(inode, random))).collect() }
    }
}

impl Image {
    /// Puts the files into a folder.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        self.files.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
    }

    /// Is there a file of this name?
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }
}

impl File {
    fn after_power_cut(&self, loss: Loss, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        match loss {
            Loss::All => {}
            Loss::Nothing => self.pending.iter().for_each(|change| change.clone().whole(&mut bytes)),
            Loss::Some { tail: true } => {
                let whole = random.usize(..=self.pending.len());
                self.pending[..whole].iter().for_each(|change| change.clone().whole(&mut bytes));
                if let Some(change) = self.pending.get(whole) {
                    change.torn(&mut bytes, random);
                }
            }
            Loss::Some { tail: false } => {
                // From hardly anything to nearly everything.
                let share = random.u8(..=100);
                self.pending.iter().for_each(|change| change.sectors(&mut bytes, share, random));
            }
        }
        bytes
    }
}

impl Change {
    fn whole(self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => put(file, offset, &bytes),
            Self::Truncate(length) => file.resize(length, 0),
        }
    }

    /// The first part of it, cut at a sector of the file or, as a disk that dies while it writes may do it, in one.
    fn torn(&self, file: &mut Vec<u8>, random: &mut fastrand::Rng) {
        if let Self::Write { offset, bytes } = self {
            let mut end = random.usize(..=bytes.len());
            if random.bool() {
                end = ((offset + end) / SECTOR * SECTOR).saturating_sub(*offset);
            }
            put(file, *offset, &bytes[..end]);
        }
    }

    /// Any of its sectors; the length of the file may have grown without them.
    fn sectors(&self, file: &mut Vec<u8>, share: u8, random: &mut fastrand::Rng) {
        match self {
            Self::Truncate(length) => {
                if random.u8(..100) < share {
                    file.resize(*length, 0);
                }
            }
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if random.u8(..100) < share && file.len() < end {
                    file.resize(end, 0);
                }
                let mut from = *offset;
                while from < end {
                    let to = ((from / SECTOR + 1) * SECTOR).min(end);
                    if random.u8(..100) < share {
                        put(file, from, &bytes[from - offset..to - offset]);
                    }
                    from = to;
                }
            }
        }
    }
}

impl Step {
    fn concerns(&self, wanted: &str) -> bool {
        match self {
            Self::Link { name, .. } | Self::Unlink { name } => name == wanted,
            Self::Rename { from, to } => from == wanted || to == wanted,
        }
    }

    fn happen(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Link { name, inode } => _ = names.insert(name, inode),
            Self::Rename { from, to } => {
                if let Some(inode) = names.remove(&from) {
                    names.insert(to, inode);
                }
            }
            Self::Unlink { name } => _ = names.remove(&name),
        }
    }
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(calls: &[Call]) -> Disk {
        let mut disk = Disk::default();
        calls.iter().for_each(|call| disk.apply(call));
        disk
    }

    fn open(file: usize, name: &str) -> Call {
        Call::Open { file, name: name.to_owned(), truncate: false }
    }

    fn write(offset: u64, length: usize) -> Call {
        Call::Write { file: 0, offset, bytes: vec![1; length] }
    }

    #[test]
    fn what_was_synced_is_there_and_the_rest_in_part() {
        let mut random = fastrand::Rng::with_seed(1);
        let disk = disk(&[open(0, "a"), write(0, 600), Call::Sync { file: 0 }, write(600, 1000)]);
        let length = |loss, random: &mut _| disk.after_power_cut(loss, random).files["a"].len();
        assert_eq!(length(Loss::All, &mut random), 600);
        assert_eq!(length(Loss::Nothing, &mut random), 1600);
        let mut lengths = std::collections::BTreeSet::new();
        for tail in [true, false].into_iter().cycle().take(400) {
            let image = disk.after_power_cut(Loss::Some { tail }, &mut random);
            assert_eq!(image.files["a"][..600], [1; 600]);
            lengths.insert(image.files["a"].len());
        }
        assert!(lengths.len() > 20 && lengths.contains(&1024), "{lengths:?}");
    }

    #[test]
    fn names_wait_for_a_sync() {
        let mut random = fastrand::Rng::with_seed(1);
        let unlink = Call::Unlink { name: "a".to_owned() };
        let mut disk = disk(&[open(0, "a"), Call::Sync { file: 0 }, open(1, "b"), unlink]);
        let mut names =
            |disk: &Disk, loss| disk.after_power_cut(loss, &mut random).files.into_keys().collect::<Vec<_>>().concat();
        assert_eq!((names(&disk, Loss::All), names(&disk, Loss::Nothing)), ("a".to_owned(), "b".to_owned()));
        disk.apply(&Call::SyncFolder);
        assert_eq!(names(&disk, Loss::All), "b");
        for call in [Call::Unlink { name: "b".to_owned() }, open(2, "b"), Call::Sync { file: 2 }, Call::SyncFolder] {
            disk.apply(&call);
            assert_eq!(names(&disk, Loss::Nothing).contains('b'), !matches!(call, Call::Unlink { .. }));
        }
    }
}
