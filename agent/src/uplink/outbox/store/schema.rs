//! The tables, and how older files get them.

use std::path::Path;

use rusqlite::Connection;

use super::fault::explain;
use crate::uplink::OutboxError;

/// Value of `user_version`; raise it with each change and migrate in [`make`].
const VERSION: i64 = 4;

/// `again` marks a copy of what was delivered before, `passing` what later steps of the same incident make
/// superfluous, `goes` when it goes for want of room (see [`super::room::Turn`]); nothing if it never does. The
/// payload comes last: behind a large one the other columns would be slow to reach.
const NEW: &str = "
    CREATE TABLE message (
        row INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        retain INTEGER NOT NULL,
        severity TEXT NOT NULL,
        live INTEGER NOT NULL,
        committed_ns INTEGER NOT NULL,
        incident BLOB,
        sequence INTEGER,
        again INTEGER NOT NULL DEFAULT 0,
        passing INTEGER NOT NULL DEFAULT 0,
        goes INTEGER,
        payload BLOB NOT NULL
    ) STRICT;
    CREATE TABLE incident (id BLOB PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE topic (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE gap (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
    INSERT INTO number VALUES ('sequence', 0), ('session', 0);
";

/// From version 1. Its messages know no incident and wait for none.
const FROM_1: &str = "
    ALTER TABLE message ADD COLUMN incident BLOB;
    ALTER TABLE message ADD COLUMN sequence INTEGER;
    CREATE TABLE topic (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE gap (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
";

/// From version 2.
const FROM_2: &str = "
    ALTER TABLE message ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE message ADD COLUMN passing INTEGER NOT NULL DEFAULT 0;
";

/// What versions up to 2 lack as well. `kept` holds alerts that the broker has; `done_ms` is since when, in
/// milliseconds of running time.
const KEPT: &str = "
    CREATE TABLE kept (
        sequence INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        payload BLOB NOT NULL,
        severity TEXT NOT NULL,
        confirmed INTEGER NOT NULL,
        done_ms INTEGER NOT NULL,
        tries INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX kept_age ON kept (done_ms) WHERE confirmed;
    CREATE INDEX kept_open ON kept (sequence) WHERE NOT confirmed;
    CREATE INDEX kept_severity ON kept (severity, sequence) WHERE NOT confirmed;
    CREATE INDEX message_incident ON message (incident, row) WHERE incident IS NOT NULL;
    CREATE INDEX message_sequence ON message (sequence) WHERE sequence IS NOT NULL;
    CREATE INDEX message_again ON message (row) WHERE again;
";

/// From version 3. Each message gets its turn to go, see [`super::room`].
const FROM_3: &str = "
    DROP INDEX IF EXISTS message_severity;
    DROP INDEX IF EXISTS message_passing;
    DROP INDEX IF EXISTS message_state;
    ALTER TABLE message ADD COLUMN goes INTEGER;
    UPDATE message AS m SET goes = CASE
        WHEN retain AND EXISTS (SELECT 1 FROM message AS l WHERE l.incident = m.incident AND l.row > m.row
                                AND l.topic = m.topic AND l.retain) THEN 1
        WHEN retain THEN 3
        WHEN sequence IS NULL THEN 3
        WHEN EXISTS (SELECT 1 FROM message AS c WHERE c.sequence = m.sequence AND c.retain AND c.payload = x'') THEN 4
        WHEN passing AND EXISTS (SELECT 1 FROM message AS l WHERE l.incident = m.incident AND l.row > m.row
                                 AND l.sequence > m.sequence AND NOT l.retain) THEN 0
        ELSE 2 END
    WHERE NOT again AND NOT (retain AND payload = x'') AND NOT (sequence IS NULL AND severity = 'critical');
";

/// What every file gets last.
const REST: &str = "
    CREATE INDEX message_goes ON message (goes, severity, row) WHERE goes IS NOT NULL;
    CREATE INDEX message_critical ON message (row) WHERE severity = 'critical';
    INSERT INTO number SELECT 'elapsed', coalesce(max(done_ms), 0) FROM kept;
";

/// Makes the tables of this version, whatever there is.
pub(super) fn make(connection: &Connection, path: &Path) -> Result<(), OutboxError> {
    let explain = |error| explain(path, &error);
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(explain)?;
    let steps: &[&str] = match version {
        VERSION => return Ok(()),
        0 => &[NEW, KEPT, REST],
        1 => &[FROM_1, FROM_2, KEPT, FROM_3, REST],
        2 => &[FROM_2, KEPT, FROM_3, REST],
        3 => &[FROM_3, REST],
        version => return Err(OutboxError::Newer { path: path.to_owned(), version, known: VERSION }),
    };
    let sql = format!("BEGIN; {} PRAGMA user_version = {VERSION}; COMMIT;", steps.concat());
    connection.execute_batch(&sql).map_err(explain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_version_3_get_their_turn() {
        let connection = Connection::open_in_memory().unwrap();
        let old = NEW.replace("        goes INTEGER,\n", "");
        let old = format!(
            "{old} {KEPT} CREATE INDEX message_severity ON message (severity, row); PRAGMA user_version = 3;
            INSERT INTO kept VALUES (90, 't', x'', 'info', 1, 5000, 0);
            INSERT INTO message VALUES
                (1, 'alert', 0, 'info', 1, 0, x'aa', 1, 0, 0, x'01'), (2, 'open', 1, 'info', 1, 0, x'aa', 1, 0, 0, x'01'),
                (3, 'alert', 0, 'info', 1, 0, x'aa', 2, 0, 1, x'01'), (4, 'open', 1, 'info', 1, 0, x'aa', 2, 0, 1, x'01'),
                (5, 'alert', 0, 'info', 1, 0, x'aa', 3, 0, 0, x'01'), (6, 'open', 1, 'info', 1, 0, x'aa', 3, 0, 0, x''),
                (7, 'alert', 0, 'info', 1, 0, x'bb', 4, 0, 1, x'01'), (8, 'open', 1, 'info', 1, 0, x'bb', 4, 0, 1, x'01'),
                (9, 'gap', 0, 'critical', 1, 0, NULL, NULL, 0, 0, x'01'), (10, 'a', 0, 'info', 1, 0, NULL, 90, 1, 0, x'01'),
                (11, 'reply', 0, 'info', 1, 0, NULL, NULL, 0, 0, x'01');"
        );
        connection.execute_batch(&old).unwrap();
        make(&connection, Path::new("memory")).unwrap();
        let mut goes = connection.prepare("SELECT goes FROM message ORDER BY row").unwrap();
        let goes: Vec<Option<i64>> = goes.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let expected = [Some(2), Some(1), Some(0), Some(1), Some(4), None, Some(2), Some(3), None, None, Some(3)];
        assert_eq!(goes, expected);
        let elapsed: i64 =
            connection.query_row("SELECT value FROM number WHERE name = 'elapsed'", [], |row| row.get(0)).unwrap();
        assert_eq!(elapsed, 5000, "ages are counted from that of the youngest");
    }
}
