//! Reads a log from its first line to its last and says where it is not what was written.

use std::{
    fmt,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use karaul_wire::AuditHead;

use super::{
    entry::{Entry, Link, NO_HASH},
    note::Note,
};

/// Ending of the log's files.
pub(super) const ENDING: &str = "jsonl";
/// Longer lines are not read further: the agent writes none, and memory is bounded.
const LONGEST_LINE: u64 = 1 << 20;
/// After so many faults the log is something else altogether.
const MOST_FAULTS: usize = 100;

/// One place where the log is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1.
    pub line: usize,
    /// One sentence.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

/// What came of reading a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many entries were read.
    pub entries: u64,
    /// The number of the first.
    pub first: Option<u64>,
    /// The last that is in its place.
    pub last: Option<Entry>,
    /// The last entry that is noted beside the folder, if there is such a note.
    pub noted: Option<u64>,
    /// All that is wrong, in the order of the files; a hundred at most.
    pub faults: Vec<Fault>,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk.
    #[error("{}: {source}", path.display())]
    File {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing to read.
    #[error("{}: there is no audit log in it, no file that ends in .jsonl", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

/// Checks all files of a folder, or one file, whose beginning then is taken as it is.
///
/// With a head, the log must hold the entry that was the last when the head was signed. So must a folder that of the
/// note beside it, if there is one; but who cut the log can have changed that too.
///
/// # Errors
/// If files cannot be read. What is wrong with the log is no error but in [`Checked::faults`].
pub fn check(path: &Path, head: Option<&AuditHead>) -> Result<Checked, ReadError> {
    let mut walk = Walk::new(head.map(|head| head.number));
    walk.from_first = path.is_dir();
    // Before the log, in case its agent runs.
    let note = if walk.from_first { Note::read(path) } else { Ok(None) };
    each(path, |file, reader| walk.file(file, reader))?;
    let end = walk.end.clone();
    let mut checked = walk.finish(head);
    let told = match note {
        Ok(None) => None,
        Ok(Some(note)) => {
            checked.noted = Some(note.number);
            let there =
                hash_of(path, note.number).map_err(|source| ReadError::File { path: path.to_owned(), source })?;
            let what = match there {
                Some(hash) if hash == note.hash => None,
                Some(_) => Some("is not the one that is noted beside the log"),
                None => Some("is noted beside the log and not in it"),
            };
            what.map(|what| format!("entry {} {what}", note.number))
        }
        Err(why) => Some(format!("{}: {why}", Note::path(path).display())),
    };
    checked.faults.extend(told.map(|what| Fault { file: end.0, line: end.1, what }));
    Ok(checked)
}

/// Checks the bytes of one file, as [`check`] does a file's; nothing is read from a disk.
#[must_use]
pub fn check_bytes(log: &[u8], head: Option<&AuditHead>) -> Checked {
    let mut walk = Walk::new(head.map(|head| head.number));
    // Reading from memory cannot fail.
    let _ = walk.file(Path::new("log"), &mut &*log);
    walk.finish(head)
}

/// Calls `take` with each entry that can be read, whether or not it is what was written.
///
/// # Errors
/// If files cannot be read.
pub fn entries(path: &Path, mut take: impl FnMut(Entry)) -> Result<(), ReadError> {
    each(path, |_, reader| {
        let mut line = Vec::new();
        while next_line(reader, &mut line)? {
            if let Some(link) = Link::parse(line.strip_suffix(b"\n").unwrap_or(&line)) {
                take(link.entry);
            }
        }
        Ok(())
    })
}

fn each(path: &Path, mut visit: impl FnMut(&Path, &mut dyn BufRead) -> io::Result<()>) -> Result<(), ReadError> {
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |source| ReadError::File { path, source }
    };
    let list = if fs::metadata(path).map_err(wrong(path))?.is_dir() {
        let list: Vec<PathBuf> = files(path).map_err(wrong(path))?.into_iter().map(|(_, path)| path).collect();
        if list.is_empty() {
            return Err(ReadError::Empty { path: path.to_owned() });
        }
        list
    } else {
        vec![path.to_owned()]
    };
    for file in list {
        let mut reader = BufReader::new(File::open(&file).map_err(wrong(&file))?);
        visit(&file, &mut reader).map_err(wrong(&file))?;
    }
    Ok(())
}

/// The hash of the entry of this number, if there is one in a folder.
pub(super) fn hash_of(folder: &Path, number: u64) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    for (_, file) in files(folder)?.into_iter().filter(|(first, _)| *first <= number) {
        let mut reader = BufReader::new(File::open(file)?);
        while next_line(&mut reader, &mut line)? {
            let link = line.strip_suffix(b"\n").and_then(Link::parse);
            if let Some(link) = link.filter(|link| link.entry.number == number) {
                return Ok(Some(link.hash));
            }
        }
    }
    Ok(None)
}

/// The files of a log with the number that each is named by, in their order.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING)
            && let Some(first) = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok())
        {
            files.push((first, path));
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a line with its line break. False at the end.
fn next_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    (&mut *reader).take(LONGEST_LINE).read_until(b'\n', line)?;
    Ok(!line.is_empty())
}

/// Goes along the chain, file by file.
pub(super) struct Walk {
    checked: Checked,
    /// Nothing may come before what is read.
    from_first: bool,
    /// The entry that the next one has to follow.
    last: Option<Place>,
    /// The hash of the entry that the head speaks of.
    wanted: Option<u64>,
    found: Option<(PathBuf, usize, String)>,
    /// Where reading ended.
    end: (PathBuf, usize),
}

/// An entry and where it stands.
struct Place {
    file: PathBuf,
    line: usize,
    link: Link,
}

impl Walk {
    pub(super) fn new(wanted: Option<u64>) -> Self {
        let (checked, end) = (Checked::default(), (PathBuf::new(), 0));
        Self { checked, from_first: false, last: None, wanted, found: None, end }
    }

    /// Reads one file.
    pub(super) fn file(&mut self, file: &Path, reader: &mut dyn BufRead) -> io::Result<()> {
        let (mut line, mut number) = (Vec::new(), 0);
        while next_line(reader, &mut line)? {
            number += 1;
            let whole = line.strip_suffix(b"\n");
            let link = whole.and_then(Link::parse);
            if number == 1
                && let Some(named) = file.file_stem().and_then(|stem| stem.to_str()).and_then(|s| s.parse::<u64>().ok())
                && let Some(link) = link.as_ref().filter(|link| link.entry.number != named)
            {
                let found = link.entry.number;
                self.fault(file, 1, format!("the file is named by entry {named} and begins with entry {found}"));
            }
            match (whole, link) {
                (None, _) if line.len() as u64 == LONGEST_LINE => {
                    self.fault(file, number, "the line is longer than the agent writes any".to_owned());
                }
                (None, _) => {
                    let what = "the last line is not finished, as a power cut leaves it; the agent repairs that at its \
                                next start";
                    self.fault(file, number, what.to_owned());
                }
                (Some(_), None) => self.fault(file, number, "this is no entry: the line was changed".to_owned()),
                (Some(_), Some(link)) => self.entry(Place { file: file.to_owned(), line: number, link }),
            }
            self.end = (file.to_owned(), number);
        }
        Ok(())
    }

    fn entry(&mut self, mut place: Place) {
        self.checked.entries += 1;
        let due = match &self.last {
            // The agent never counts so far, but a forged log may.
            Some(last) => Some(last.link.entry.number.saturating_add(1)),
            None => self.from_first.then_some(1),
        };
        if let Some(due) = due.filter(|due| *due != place.link.entry.number && !place.link.is_whole()) {
            // Its number is no better than the rest of it.
            let what = format!("this should be entry {due}, and its text was changed");
            self.fault(&place.file, place.line, what);
            place.link.entry.number = due;
            place.link.computed.clone_from(&place.link.hash);
        }
        let number = place.link.entry.number;
        self.checked.first.get_or_insert(number);
        if self.wanted == Some(number) && self.found.is_none() {
            self.found = Some((place.file.clone(), place.line, place.link.hash.clone()));
        }
        let Some(last) = self.last.take() else {
            if number == 1 && place.link.entry.previous != NO_HASH {
                let what = "entry 1 has a previous one: previous was changed, or it was not the first".to_owned();
                self.fault(&place.file, place.line, what);
            }
            if self.from_first && number > 1 {
                let what = format!("{} before this one, entry {number}", missing(1, number - 1));
                self.fault(&place.file, place.line, what);
            }
            self.last = Some(place);
            return;
        };
        let before = last.link.entry.number;
        if number <= before {
            self.judge(&last, None);
            let what = if number == before && last.link == place.link {
                format!("entry {number} stands here a second time")
            } else {
                format!("entry {number} stands after entry {before}: entries were moved, repeated or put in")
            };
            self.fault(&place.file, place.line, what);
            // The chain goes on from where it was.
            self.last = Some(last);
            return;
        }
        let previous = &place.link.entry.previous;
        if number > before + 1 {
            self.judge(&last, None);
            let what = format!("{} before this one, entry {number}", missing(before + 1, number - 1));
            self.fault(&place.file, place.line, what);
        } else if !self.judge(&last, Some(previous)) && *previous != last.link.hash {
            let what = format!(
                "entry {number} does not follow entry {before} above it: previous was changed, or one of the two is not \
                 the one that was written"
            );
            self.fault(&place.file, place.line, what);
        }
        self.last = Some(place);
    }

    /// Reports an entry whose text and hash do not fit. The entry after it, if it is the next one, tells which
    /// of the two is as it was written. True if it told.
    fn judge(&mut self, place: &Place, next_previous: Option<&str>) -> bool {
        let Place { file, line, link } = place;
        if link.is_whole() {
            return false;
        }
        let number = link.entry.number;
        let (told, what) = match next_previous {
            Some(previous) if previous == link.hash => {
                (true, format!("the text of entry {number} was changed: it has another hash than was written"))
            }
            Some(previous) if previous == link.computed => (true, format!("hash of entry {number} was changed")),
            _ => (false, format!("entry {number} was changed: its text and its hash do not fit")),
        };
        self.fault(file, *line, what);
        told
    }

    /// All that was found, without a head.
    pub(super) fn done(self) -> Checked {
        self.finish(None)
    }

    fn finish(mut self, head: Option<&AuditHead>) -> Checked {
        if let Some(last) = self.last.take() {
            self.judge(&last, None);
            self.checked.last = Some(last.link.entry);
        }
        if let Some(head) = head.filter(|head| head.number > 0) {
            self.against(head);
        }
        self.checked
    }

    fn against(&mut self, head: &AuditHead) {
        let (first, last) = (self.checked.first, self.checked.last.as_ref().map_or(0, |entry| entry.number));
        match self.found.take() {
            Some((_, _, hash)) if hash == head.hash => {}
            Some((file, line, _)) => {
                let what = format!(
                    "entry {} is not the one that the head was signed for: it, or entries before it, were written anew",
                    head.number
                );
                self.fault(&file, line, what);
            }
            None if last < head.number => {
                let (file, line) = self.end.clone();
                let them = if last + 1 == head.number { "it" } else { "them" };
                let what = format!("{} at the end: the head covers {them}", missing(last + 1, head.number));
                self.fault(&file, line, what);
            }
            None => {
                let (file, line) = self.end.clone();
                let what = match first {
                    Some(first) if first > head.number => {
                        format!("entry {}, for which the head was signed, is before the first one here", head.number)
                    }
                    _ => format!("entry {}, for which the head was signed, is not here", head.number),
                };
                self.fault(&file, line, what);
            }
        }
    }

    fn fault(&mut self, file: &Path, line: usize, what: String) {
        if self.checked.faults.len() < MOST_FAULTS {
            self.checked.faults.push(Fault { file: file.to_owned(), line, what });
        }
    }
}

pub(super) fn missing(first: u64, last: u64) -> String {
    if first == last { format!("entry {first} is missing") } else { format!("entries {first} to {last} are missing") }
}
