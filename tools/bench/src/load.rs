//! What the kernel says of a process.

use std::{
    fs,
    time::{Duration, Instant},
};

/// The kernel counts processor time in hundredths of a second on every Linux we run on
/// (`getconf CLK_TCK`).
const TICK: Duration = Duration::from_millis(10);

/// Processor time that a process, with all its threads, has used so far.
pub(crate) fn processor_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold blanks; what follows it does not.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some(TICK * ticks)
}

/// Resident memory of a process in MiB.
pub(crate) fn memory_mib(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// Processor milliseconds per second that a process uses while `meanwhile` runs.
pub(crate) fn core_ms_per_second(pid: u32, meanwhile: impl FnOnce()) -> Option<f64> {
    let (used, began) = (processor_time(pid)?, Instant::now());
    meanwhile();
    let used = processor_time(pid)?.checked_sub(used)?;
    Some(used.as_secs_f64() * 1000.0 / began.elapsed().as_secs_f64())
}

/// The processor, and how many cores of it.
pub(crate) fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{} · {cores} cores", name.map_or("unknown processor", |(_, name)| name))
}
