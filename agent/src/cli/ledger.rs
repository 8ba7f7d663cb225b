//! `karaul ledger`.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use jiff::civil::Date;

use super::check::BAD_CONFIG;
use crate::{
    clock::{Clock as _, SystemClock},
    config::{Config, Secrets},
    ledger::{self, FOLDER, Record, Wanted, table},
};

/// Tells for how long each rule of each camera was armed and really seeing, and for how long it was blind and why.
/// Reads the storage folder of a box, whether the agent runs or not, and changes nothing
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Config of the box, for its storage folder
    #[arg(long, value_name = "FILE", conflicts_with = "state")]
    config: Option<PathBuf>,
    /// The storage folder of the box, or a copy of it
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/karaul")]
    state: PathBuf,
    /// One day, as in 2026-11-22
    #[arg(long, value_name = "DAY", value_parser = day, conflicts_with = "days")]
    day: Option<Date>,
    /// So many days, up to the last on record
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    /// As JSON lines, one for each day
    #[arg(long)]
    json: bool,
}

/// Why there is nothing to be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger.
    #[error("{0}")]
    Ledger(String),
    /// Standard output.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs `karaul ledger`. The exit code is 1 if a file of a day that was asked for is damaged.
///
/// # Errors
/// If there is nothing to be read, or standard output cannot be written.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let state = match &args.config {
        None => args.state.clone(),
        Some(file) => match Config::load_with(file, Secrets::Ignored) {
            Ok(config) => config.storage.path,
            Err(problems) => {
                eprintln!("{problems}");
                return Ok(ExitCode::from(BAD_CONFIG));
            }
        },
    };
    let wanted = args.day.map_or(Wanted::Last(args.days), Wanted::Day);
    let now = SystemClock.now().wall;
    let record = ledger::read(&state.join(FOLDER), wanted, now).map_err(|why| Error::Ledger(why.to_string()))?;
    say(&record, wanted, args.json, &mut io::stdout().lock(), &mut io::stderr().lock())
}

fn say(
    record: &Record,
    wanted: Wanted,
    json: bool,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> Result<ExitCode, Error> {
    for (number, day) in record.days.iter().enumerate() {
        if json {
            serde_json::to_writer(&mut *out, day).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            let gap = if number == 0 { "" } else { "\n" };
            write!(out, "{gap}{}", table(day))?;
        }
    }
    for (date, damage) in &record.damaged {
        writeln!(aside, "the file of {date} is damaged: {damage}; what was counted there is lost and unknown")?;
    }
    match record.ahead.as_slice() {
        [] => {}
        [date] => writeln!(aside, "the file of {date} is left out: it was written by a clock that was ahead")?,
        [first, .., last] => writeln!(
            aside,
            "{} files from {first} to {last} are left out: they were written by a clock that was ahead",
            record.ahead.len()
        )?,
    }
    if let (Wanted::Day(date), true) = (wanted, record.days.is_empty()) {
        return Err(Error::Ledger(format!("nothing is on record of {date}; --days 400 shows which days there are")));
    }
    if let (Some(until), false) = (record.until, json) {
        writeln!(out, "\ncounted up to {}", until.round(jiff::Unit::Second).unwrap_or(until))?;
    }
    Ok(if record.damaged.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn day(text: &str) -> Result<Date, String> {
    text.parse::<Date>()
        .ok()
        .filter(|_| text.len() == "2026-11-22".len())
        .ok_or_else(|| "a day is wanted, as in 2026-11-22".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(record: &Record, wanted: Wanted, json: bool) -> (Result<ExitCode, String>, String, String) {
        let (mut out, mut aside) = (Vec::new(), Vec::new());
        let result = say(record, wanted, json, &mut out, &mut aside).map_err(|error| error.to_string());
        (result, String::from_utf8(out).unwrap(), String::from_utf8(aside).unwrap())
    }

    #[test]
    fn damaged_days_and_days_without_a_record_are_said() {
        let date: Date = "2026-11-22".parse().unwrap();
        let until = "2026-11-22T19:00:00.123Z".parse().unwrap();
        let damaged = vec![(date, "its checksum is wrong".to_owned())];
        let record = Record { days: Vec::new(), damaged, ahead: Vec::new(), until: Some(until) };
        let (result, out, aside) = said(&record, Wanted::Last(7), false);
        assert_eq!(result, Ok(ExitCode::FAILURE));
        assert_eq!(out, "\ncounted up to 2026-11-22T19:00:00Z\n");
        assert_eq!(
            aside,
            "the file of 2026-11-22 is damaged: its checksum is wrong; what was counted there is lost and unknown\n"
        );
        let mut record = Record { days: Vec::new(), damaged: Vec::new(), ahead: vec![date], until: Some(until) };
        let (_, _, aside) = said(&record, Wanted::Last(1), true);
        assert_eq!(aside, "the file of 2026-11-22 is left out: it was written by a clock that was ahead\n");
        record.ahead.push("2036-01-01".parse().unwrap());
        let (_, _, aside) = said(&record, Wanted::Last(1), true);
        assert_eq!(
            aside,
            "2 files from 2026-11-22 to 2036-01-01 are left out: they were written by a clock that was ahead\n"
        );
        let (result, out, _) = said(&record, Wanted::Day(date), true);
        let nothing = "nothing is on record of 2026-11-22; --days 400 shows which days there are".to_owned();
        assert_eq!((result, out.as_str()), (Err(nothing), ""));
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        assert_eq!(day("2026-11-22").unwrap().to_string(), "2026-11-22");
        for wrong in ["22.11.2026", "2026-11-31", "20261122", "2026-11-22T10:00"] {
            assert_eq!(day(wrong), Err("a day is wanted, as in 2026-11-22".to_owned()), "{wrong}");
        }
    }
}
