use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use karaul_wire::Segment;

use super::{FLUSH_EVERY, Record};
use crate::stop::Stop;

/// Where in the storage folder the logs are: one folder for each camera, one file for each day (UTC).
const FOLDER: &str = "decisions";

/// Lines that wait for the disk. More are lost and counted: no camera waits for the disk.
const WAITING: usize = 4096;
/// Days that are kept of each camera, that of today among them.
const MOST_DAYS: usize = 8;
/// A day's file grows no further.
const LARGEST: u64 = 32 << 20;
/// A camera that has said nothing for so long after the end will say nothing more.
const LAST_WORDS: Duration = Duration::from_millis(300);
const EXTENSION: &str = "jsonl";

/// Writes the decisions of all cameras, in a thread of its own.
///
/// Holes in the log do no harm but to an explanation, so what the disk does not take is dropped, said once and counted.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    queue: SyncSender<(Segment, Record)>,
    waiting: Mutex<Option<Receiver<(Segment, Record)>>>,
    lost: AtomicU64,
}

impl Writer {
    /// Writes into this storage folder, as soon as [`Self::run`] runs.
    #[must_use]
    pub fn new(storage: &Path) -> Self {
        let (queue, waiting) = sync_channel(WAITING);
        Self { folder: storage.join(FOLDER), queue, waiting: Mutex::new(Some(waiting)), lost: AtomicU64::new(0) }
    }

    /// Hands a record of a camera over. Never waits.
    pub fn write(&self, camera: &Segment, record: Record) {
        match self.queue.try_send((camera.clone(), record)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => _ = self.lost.fetch_add(1, Relaxed),
        }
    }

    /// Records that could not be written since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    /// Writes until it is told to stop, and what waits then.
    pub fn run(&self, stop: &Stop) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(waiting) = waiting else { return };
        let mut files = Files { folder: self.folder.clone(), open: Vec::new(), troubled: false, owned_up: 0 };
        let mut flushed = Instant::now();
        loop {
            match waiting.recv_timeout(FLUSH_EVERY / 2) {
                Ok((camera, record)) => self.put(&mut files, &camera, &record),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // A busy site never has a pause.
            if flushed.elapsed() >= FLUSH_EVERY {
                files.flush(&self.lost);
                files.own_up(self.lost());
                flushed = Instant::now();
            }
            if stop.is_stopped() {
                break;
            }
        }
        // The cameras end at the same time, and each has something left to say.
        while let Ok((camera, record)) = waiting.recv_timeout(LAST_WORDS) {
            self.put(&mut files, &camera, &record);
        }
        files.flush(&self.lost);
    }

    fn put(&self, files: &mut Files, camera: &Segment, record: &Record) {
        if let Err(error) = files.append(camera, record) {
            self.lost.fetch_add(1, Relaxed);
            files.tell(&error);
        }
    }
}

/// The files of today.
struct Files {
    folder: PathBuf,
    open: Vec<Open>,
    troubled: bool,
    /// So many lost records were told of.
    owned_up: u64,
}

struct Open {
    camera: Segment,
    date: Date,
    file: BufWriter<File>,
    size: u64,
}

impl Files {
    fn append(&mut self, camera: &Segment, record: &Record) -> io::Result<()> {
        let date = day(record.from);
        let place = match self.open.iter().position(|open| open.camera == *camera) {
            Some(i) if self.open[i].date == date => i,
            Some(i) => {
                self.open.swap_remove(i).file.flush()?;
                self.begin(camera, date)?
            }
            None => self.begin(camera, date)?,
        };
        let open = &mut self.open[place];
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        if open.size + line.len() as u64 > LARGEST {
            return Err(io::Error::new(ErrorKind::QuotaExceeded, "the log of this day is as large as it may be"));
        }
        open.size += line.len() as u64;
        open.file.write_all(&line)?;
        self.troubled = false;
        Ok(())
    }

    /// Opens the file of a day, and removes those that are too old.
    fn begin(&mut self, camera: &Segment, date: Date) -> io::Result<usize> {
        let folder = self.folder.join(camera.as_str());
        fs::create_dir_all(&folder)?;
        let mut days = dates(&folder)?;
        days.sort_unstable();
        days.retain(|known| *known != date);
        let surplus = (days.len() + 1).saturating_sub(MOST_DAYS);
        for old in &days[..surplus] {
            fs::remove_file(folder.join(name(*old)))?;
        }
        let path = folder.join(name(date));
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let size = file.metadata()?.len();
        if size > 0 {
            // A line that a power cut has left unfinished is ended, so that it spoils no other.
            file.write_all(b"\n")?;
        }
        self.open.push(Open { camera: camera.clone(), date, file: BufWriter::new(file), size });
        Ok(self.open.len() - 1)
    }

    fn flush(&mut self, lost: &AtomicU64) {
        let mut trouble = None;
        self.open.retain_mut(|open| match open.file.flush() {
            Ok(()) => true,
            Err(error) => {
                trouble = Some(error);
                false
            }
        });
        if let Some(error) = trouble {
            lost.fetch_add(1, Relaxed);
            self.tell(&error);
        }
    }

    /// Says how many records did not find room in the queue, or on the disk.
    fn own_up(&mut self, lost: u64) {
        if lost > self.owned_up && !self.troubled {
            self.owned_up = lost;
            tracing::warn!("{lost} decisions were not written down since the start; karaul why has holes there");
        }
    }

    /// Once, until the disk takes it again.
    fn tell(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.troubled, true) {
            tracing::warn!(
                "decisions cannot be written to {}: {error}; karaul why has a hole here, alerts are not concerned",
                self.folder.display()
            );
        }
    }
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn name(date: Date) -> String {
    format!("{date}.{EXTENSION}")
}

fn dates(folder: &Path) -> io::Result<Vec<Date>> {
    let mut dates = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let date = name.to_str().and_then(|name| name.strip_suffix(EXTENSION)?.strip_suffix('.')?.parse::<Date>().ok());
        dates.extend(date);
    }
    Ok(dates)
}

/// Why there is nothing to be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The camera has no log.
    #[error("nothing is on record of camera '{camera}' in {folder}; {known}")]
    NoCamera {
        /// What was asked for.
        camera: String,
        /// Where was looked.
        folder: PathBuf,
        /// The cameras there are, as a sentence.
        known: String,
    },
    /// The file.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// All that is on record of a camera in this span, in order of time. A line that is damaged is left out.
///
/// # Errors
/// If nothing is there, or it cannot be read.
pub fn read(storage: &Path, camera: &str, from: Timestamp, until: Timestamp) -> Result<Vec<Record>, ReadError> {
    let folder = storage.join(FOLDER);
    let of_camera = folder.join(camera);
    let mut days = dates(&of_camera).map_err(|_| ReadError::NoCamera {
        camera: camera.to_owned(),
        known: known(&folder),
        folder: folder.clone(),
    })?;
    days.sort_unstable();
    // A span belongs to the day on which it began, and goes on for a little more than a minute.
    let first = from.checked_sub(Duration::from_secs(300)).map_or(Date::MIN, day);
    let mut records = Vec::new();
    for date in days.into_iter().filter(|date| (first..=day(until)).contains(date)) {
        let path = of_camera.join(name(date));
        let failed = |source| ReadError::Read { path: path.clone(), source };
        for line in BufReader::new(File::open(&path).map_err(failed)?).split(b'\n') {
            let line = line.map_err(failed)?;
            let record = serde_json::from_slice::<Record>(&line).ok();
            records.extend(record.filter(|record| record.until >= from && record.from <= until));
        }
    }
    records.sort_by_key(|record| record.from);
    Ok(records)
}

fn known(folder: &Path) -> String {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    if names.is_empty() {
        "there is none of any camera yet".to_owned()
    } else {
        format!("there is of: {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::State;

    fn record(from: &str) -> Record {
        let from: Timestamp = from.parse().unwrap();
        let until = from.checked_add(Duration::from_secs(10)).unwrap();
        Record {
            from,
            until,
            looks: 50,
            state: State::Looked,
            rule: None,
            about: None,
            class: None,
            value: None,
            limit: None,
            bbox: None,
        }
    }

    fn written(folder: &Path, records: &[Record]) -> Writer {
        let writer = Writer::new(folder);
        let gate: Segment = "gate".parse().unwrap();
        for record in records {
            writer.write(&gate, record.clone());
        }
        let stop = Stop::default();
        stop.stop();
        writer.run(&stop);
        writer
    }

    fn found(folder: &Path, from: &str, until: &str) -> Vec<Record> {
        read(folder, "gate", from.parse().unwrap(), until.parse().unwrap()).unwrap()
    }

    #[test]
    fn what_was_written_is_read_over_midnight() {
        let folder = tempfile::tempdir().unwrap();
        let records = [record("2026-11-22T23:59:55Z"), record("2026-11-23T00:00:06Z"), record("2026-11-23T05:00:00Z")];
        assert_eq!(written(folder.path(), &records).lost(), 0);
        assert_eq!(found(folder.path(), "2026-11-23T00:00:00Z", "2026-11-23T00:01:00Z"), records[..2]);
        assert_eq!(found(folder.path(), "2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z"), []);
    }

    #[test]
    fn a_line_that_is_damaged_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), &[record("2026-11-22T01:00:00Z")]);
        let file = folder.path().join("decisions/gate/2026-11-22.jsonl");
        let mut text = fs::read_to_string(&file).unwrap();
        text.push_str("{\"from\":\"2026-11-22T01:0");
        fs::write(&file, text).unwrap();
        written(folder.path(), &[record("2026-11-22T03:00:00Z")]);
        assert_eq!(found(folder.path(), "2026-11-22T00:00:00Z", "2026-11-22T23:00:00Z").len(), 2);
    }

    #[test]
    fn the_oldest_days_go() {
        let folder = tempfile::tempdir().unwrap();
        let days: Vec<_> = (10..22).map(|day| record(&format!("2026-11-{day}T01:00:00Z"))).collect();
        written(folder.path(), &days);
        let kept = found(folder.path(), "2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z");
        assert_eq!(kept, days[4..]);
    }

    #[test]
    fn a_disk_that_takes_nothing_loses_records_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FOLDER), "a file where the folder should be").unwrap();
        assert_eq!(written(folder.path(), &[record("2026-11-22T01:00:00Z")]).lost(), 1);
    }

    #[test]
    fn a_camera_without_a_log_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let asked = |camera| read(folder.path(), camera, Timestamp::MIN, Timestamp::MAX).unwrap_err().to_string();
        let place = folder.path().join(FOLDER);
        let none =
            format!("nothing is on record of camera 'gate' in {}; there is none of any camera yet", place.display());
        assert_eq!(asked("gate"), none);
        written(folder.path(), &[record("2026-11-22T01:00:00Z")]);
        assert!(asked("yard").ends_with("; there is of: gate"), "{}", asked("yard"));
    }
}
