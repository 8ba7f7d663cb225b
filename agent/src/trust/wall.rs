//! Whether the wall clock can be believed when it says that a command has expired.

use std::{fmt, path::PathBuf};

use jiff::Timestamp;

/// No agent ran before this code was written: 2026-11-01T00:00:00Z.
const EARLIEST: i64 = 1_793_491_200;

/// Why the wall clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Nothing says that it was ever set right since the machine's start.
    NotSynchronised,
    /// It is before this agent was written.
    BeforeRelease,
    /// It has been later, when it was believed.
    WentBack,
    /// The memory of commands was lost: by the clock alone one could be accepted twice.
    MemoryLost,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSynchronised => "the box's clock is not synchronised",
            Self::BeforeRelease => "the box's clock is years behind",
            Self::WentBack => "the box's clock was set back",
            Self::MemoryLost => "the box has lost its memory of commands and is careful for a while",
        })
    }
}

/// Judges the wall clock.
///
/// Whether the kernel's clock is synchronised is told by `adjtimex`, for which there is no well-kept safe
/// binding; so a file is looked at. systemd-timesyncd, Debian's time service, makes its own in `/run`, which is
/// empty after each start of the machine. Where another service runs, its hook can make one; where none runs,
/// commands name the session.
#[derive(Clone, Debug)]
pub(super) struct WallClock {
    pub(super) sync_file: PathBuf,
}

impl WallClock {
    /// What speaks against the clock. `newest` is the latest time that it showed while it was believed, in
    /// seconds since 1970.
    pub(super) fn doubt(&self, now: Timestamp, newest: i64) -> Option<Doubt> {
        if now.as_second() < EARLIEST {
            Some(Doubt::BeforeRelease)
        } else if now.as_second() < newest {
            Some(Doubt::WentBack)
        } else if !self.sync_file.exists() {
            Some(Doubt::NotSynchronised)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_believed_only_if_nothing_speaks_against_it() {
        let dir = tempfile::tempdir().unwrap();
        let clock = WallClock { sync_file: dir.path().join("synchronized") };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2027-01-01T00:00:00Z");
        assert_eq!(clock.doubt(now, 0), Some(Doubt::NotSynchronised));
        std::fs::write(&clock.sync_file, "").unwrap();
        assert_eq!(clock.doubt(now, 0), None);
        assert_eq!(clock.doubt(now, now.as_second()), None);
        assert_eq!(clock.doubt(now, now.as_second() + 1), Some(Doubt::WentBack));
        assert_eq!(clock.doubt(at("1970-01-01T00:05:00Z"), 0), Some(Doubt::BeforeRelease));
        assert_eq!(at("2026-11-01T00:00:00Z").as_second(), EARLIEST);
    }
}
