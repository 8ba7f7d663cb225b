//! The tables, and how older files get them.

use std::path::Path;

use rusqlite::Connection;

use super::fault::explain;
use crate::uplink::OutboxError;

/// Value of `user_version`; raise it with each change and migrate in [`make`].
const VERSION: i64 = 3;

/// `again` marks a copy of what was delivered before, `passing` what later steps of the same
/// incident make superfluous.
const NEW: &str = "
    CREATE TABLE message (
        row INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        payload BLOB NOT NULL,
        retain INTEGER NOT NULL,
        severity TEXT NOT NULL,
        live INTEGER NOT NULL,
        committed_ns INTEGER NOT NULL,
        incident BLOB,
        sequence INTEGER,
        again INTEGER NOT NULL DEFAULT 0,
        passing INTEGER NOT NULL DEFAULT 0
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

/// What every file gets last. `kept` holds alerts that the broker has.
const REST: &str = "
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
    CREATE INDEX message_severity ON message (severity, row);
    CREATE INDEX message_passing ON message (row) WHERE passing;
    CREATE INDEX message_state ON message (row) WHERE retain;
    CREATE INDEX message_again ON message (row) WHERE again;
";

/// Makes the tables of this version, whatever there is.
pub(super) fn make(connection: &Connection, path: &Path) -> Result<(), OutboxError> {
    let explain = |error| explain(path, &error);
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(explain)?;
    let steps: &[&str] = match version {
        VERSION => return Ok(()),
        0 => &[NEW, REST],
        1 => &[FROM_1, FROM_2, REST],
        2 => &[FROM_2, REST],
        version => return Err(OutboxError::Newer { path: path.to_owned(), version, known: VERSION }),
    };
    let sql = format!("BEGIN; {} PRAGMA user_version = {VERSION}; COMMIT;", steps.concat());
    connection.execute_batch(&sql).map_err(explain)
}
