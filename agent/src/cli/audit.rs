//! `karaul audit`.

use std::{fs, io, path::PathBuf, process::ExitCode};

use jiff::Timestamp;
use karaul_wire::AuditHead;
use serde::Serialize;
use serde_json::Value;

use crate::trust::{
    PublicKey,
    audit::{self, Entry, ReadError},
    jws::Token,
};

/// The largest head that is read.
const LARGEST_HEAD: usize = 4096;

/// Reads the audit log of a box, or of a copy of it. It changes nothing and needs no config.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Verify(Verify),
    Show(Show),
}

/// Finds any change, removal or reordering, and says where; the exit code is 1 then
#[derive(Debug, clap::Args)]
struct Verify {
    /// The folder `audit` of the box's storage, or one of its files
    path: PathBuf,
    /// A head that was published on audit/box, or a file with it: the log must hold all that it covers
    #[arg(long, value_name = "JWS|FILE", requires = "key")]
    head: Option<String>,
    /// The box's public key: x of signing_key in meta/box, or a PEM file
    #[arg(long, value_name = "KEY|FILE", requires = "head")]
    key: Option<String>,
}

/// Prints the entries, one line each
#[derive(Debug, clap::Args)]
struct Show {
    /// The folder `audit` of the box's storage, or one of its files
    path: PathBuf,
    /// Only from this time on, as in 2026-11-22T10:00:00Z
    #[arg(long)]
    since: Option<Timestamp>,
    /// Only those of which the actor's name has this in it
    #[arg(long)]
    actor: Option<String>,
    /// As JSON lines, as they lie in the log but without the hashes
    #[arg(long)]
    json: bool,
}

/// Why the log cannot be read or checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The head or the key.
    #[error("{0}")]
    Head(String),
    /// Standard output.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs `karaul audit`.
///
/// # Errors
/// If the log cannot be read, or the head not be used.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let out = &mut io::stdout().lock();
    match &args.what {
        What::Verify(args) => verify(args, out),
        What::Show(args) => show(args, out).map(|()| ExitCode::SUCCESS),
    }
}

fn verify(args: &Verify, out: &mut impl io::Write) -> Result<ExitCode, Error> {
    let head = match (&args.head, &args.key) {
        (Some(head), Some(key)) => Some(signed_head(head, key)?),
        _ => None,
    };
    let checked = audit::check(&args.path, head.as_ref())?;
    for fault in &checked.faults {
        writeln!(out, "{fault}")?;
    }
    let name = args.path.display();
    if !checked.faults.is_empty() {
        let what = if checked.faults.len() == 1 { "fault" } else { "faults" };
        writeln!(out, "{name}: {} {what} in {} entries", checked.faults.len(), checked.entries)?;
        return Ok(ExitCode::FAILURE);
    }
    let (first, last) = (checked.first.unwrap_or_default(), checked.last.map_or(0, |entry| entry.number));
    writeln!(out, "{name}: well, entries {first} to {last}")?;
    match (head, checked.noted) {
        (Some(head), _) => writeln!(out, "the head of {} covers entries up to {}", head.time, head.number)?,
        (None, Some(noted)) => writeln!(
            out,
            "audit-last.json beside it covers entries up to {noted}; only with --head can nobody have changed that too"
        )?,
        (None, None) => writeln!(out, "without --head nobody can tell whether entries are missing at the end")?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A head whose signature is good.
fn signed_head(head: &str, key: &str) -> Result<AuditHead, Error> {
    let wrong = |what: String| Error::Head(what);
    let key = match PublicKey::parse(key) {
        Ok(key) => key,
        Err(why) => {
            PublicKey::read(key.as_ref()).map_err(|file| wrong(format!("--key: {why}, and as a file: {file}")))?
        }
    };
    let text = if head.matches('.').count() == 2 && head.starts_with("ey") {
        head.to_owned()
    } else {
        fs::read_to_string(head).map_err(|why| wrong(format!("--head {head}: {why}")))?
    };
    let token = Token::parse(text.trim().as_bytes(), AuditHead::TYPE, LARGEST_HEAD)
        .map_err(|why| wrong(format!("--head is not the head of an audit log: {why}")))?;
    let Some(claims) = token.verify(&key) else {
        return Err(wrong("--head was not signed with this key".to_owned()));
    };
    serde_json::from_slice(&claims).map_err(|why| wrong(format!("--head is not the head of an audit log: {why}")))
}

fn show(args: &Show, out: &mut impl io::Write) -> Result<(), Error> {
    let mut failed = Ok(());
    let wanted = |entry: &Entry| {
        args.since.is_none_or(|since| entry.time >= since)
            && args.actor.as_ref().is_none_or(|actor| entry.record.actor.as_ref().is_some_and(|a| a.contains(actor)))
    };
    audit::entries(&args.path, |entry| {
        if failed.is_ok() && wanted(&entry) {
            let line = if args.json { serde_json::to_string(&entry).unwrap_or_default() } else { words(&entry) };
            failed = writeln!(out, "{line}");
        }
    })?;
    match failed {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// The word that a value has in JSON.
fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word.replace('_', " "),
        _ => String::new(),
    }
}

/// An entry as a line for people.
fn words(entry: &Entry) -> String {
    let Entry { number, time, record, .. } = entry;
    let mut line = format!("{number:>6}  {time:.0}  {}", word(record.event));
    if let Some(verb) = record.verb {
        line += &format!(" {verb}");
    }
    let parts = [
        ("of", record.entry.map(|entry| entry.to_string())),
        ("by", record.actor.clone()),
        ("as", record.role.as_ref().map(ToString::to_string)),
        ("with key", record.key.clone()),
        ("on", record.object.clone()),
        ("because", record.reason.clone()),
        ("for", record.purpose.clone()),
    ];
    for (name, value) in parts {
        if let Some(value) = value {
            line += &format!(", {name} {value}");
        }
    }
    if let Some(result) = record.result {
        line += &format!(": {}", word(result));
    }
    if let Some(detail) = &record.detail {
        line += &format!(" ({detail})");
    }
    // Nothing in a line may break it or move the terminal's cursor.
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use karaul_wire::{BoxPath, ReplyCode, Verb};

    use super::*;
    use crate::trust::audit::{Audit, Occasion, Record};

    fn log(dir: &Path) -> Audit {
        let id = |text: &str| text.parse().unwrap();
        let path = BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") };
        let at = |text: &str| format!("2026-11-22T10:0{text}:00Z").parse().unwrap();
        let audit = Audit::open(dir, &path, at("0"));
        let command = Record {
            actor: Some("дежурный\u{1b}[2J".to_owned()),
            key: Some("desk".to_owned()),
            role: Some(id("operator")),
            verb: Some(Verb::TestIncident),
            object: Some("camera gate".to_owned()),
            reason: Some("monthly test".to_owned()),
            ..Record::new(Occasion::Command)
        };
        audit.record(at("1"), command).unwrap();
        let result = Record { entry: Some(2), result: Some(ReplyCode::Done), ..Record::new(Occasion::Result) };
        audit.record(at("2"), result.detail("opened and closed")).unwrap();
        audit
    }

    fn shown(path: PathBuf, since: Option<Timestamp>, actor: Option<&str>, json: bool) -> String {
        let mut out = Vec::new();
        show(&Show { path, since, actor: actor.map(str::to_owned), json }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn verified(path: PathBuf, head: Option<&str>, key: Option<&str>) -> Result<(bool, String), String> {
        let mut out = Vec::new();
        let args = Verify { path, head: head.map(str::to_owned), key: key.map(str::to_owned) };
        let code = verify(&args, &mut out).map_err(|error| error.to_string())?;
        Ok((code == ExitCode::SUCCESS, String::from_utf8(out).unwrap()))
    }

    #[test]
    fn entries_are_lines_for_people() {
        let dir = tempfile::tempdir().unwrap();
        log(dir.path());
        let folder = dir.path().join("audit");
        let all = shown(folder.clone(), None, None, false);
        let (first, rest) = all.split_once('\n').unwrap();
        assert!(first.starts_with("     1  2026-11-22T10:00:00Z  box key, with key "), "{first}");
        assert_eq!(
            rest,
            "     2  2026-11-22T10:01:00Z  command test_incident, by дежурный [2J, as operator, with key desk, on camera \
             gate, because monthly test\n     \
             3  2026-11-22T10:02:00Z  result, of 2: done (opened and closed)\n"
        );
        let since = "2026-11-22T10:02:00Z".parse().unwrap();
        assert_eq!(shown(folder.clone(), Some(since), None, false).lines().count(), 1);
        assert_eq!(shown(folder.clone(), None, Some("журный"), false).lines().count(), 1);
        let json = shown(folder, Some(since), None, true);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["detail"], "opened and closed");
    }

    #[test]
    fn a_log_is_checked_against_a_head() {
        let dir = tempfile::tempdir().unwrap();
        let audit = log(dir.path());
        let folder = dir.path().join("audit");
        let name = folder.display().to_string();
        let now = "2026-11-22T11:00:00Z".parse().unwrap();
        let (head, key) = (audit.head(now).unwrap(), audit.signing_key(now).unwrap().x);
        let file = dir.path().join("head.txt");
        fs::write(&file, format!("{head}\n")).unwrap();
        for head in [head.as_str(), file.to_str().unwrap()] {
            let good =
                format!("{name}: well, entries 1 to 3\nthe head of 2026-11-22T10:02:00Z covers entries up to 3\n");
            assert_eq!(verified(folder.clone(), Some(head), Some(&key)), Ok((true, good)));
        }
        let alone = format!(
            "{name}: well, entries 1 to 3\naudit-last.json beside it covers entries up to 3; only with --head can nobody \
             have changed that too\n"
        );
        assert_eq!(verified(folder.clone(), None, None), Ok((true, alone)));
        let file = folder.join("00000000000000000001.jsonl");
        let alone = format!(
            "{}: well, entries 1 to 3\nwithout --head nobody can tell whether entries are missing at the end\n",
            file.display()
        );
        assert_eq!(verified(file, None, None), Ok((true, alone)));
        let other = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let wrong = verified(folder.clone(), Some(&head), Some(other));
        assert_eq!(wrong, Err("--head was not signed with this key".to_owned()));
        let log = folder.join("00000000000000000001.jsonl");
        let text = fs::read_to_string(&log).unwrap();
        let cut = text.trim_end().rfind('\n').unwrap() + 1;
        fs::write(&log, &text[..cut]).unwrap();
        let (good, said) = verified(folder, Some(&head), Some(&key)).unwrap();
        let log = log.display();
        let expected = format!(
            "{log}:2: entry 3 is missing at the end: the head covers it\n\
                 {log}:2: entry 3 is noted beside the log and not in it\n{name}: 2 faults in 2 entries\n"
        );
        assert_eq!((good, said), (false, expected));
    }
}
