//! What this process holds, as Linux counts it.

use std::{fs, io};

/// At one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Held {
    /// Resident memory in KiB.
    pub resident: u64,
    /// Open file descriptors.
    pub files: u64,
    /// Threads.
    pub threads: u64,
}

impl Held {
    /// Now.
    pub(crate) fn now() -> io::Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        // The folder that is read here is open itself.
        let files = fs::read_dir("/proc/self/fd")?.count().saturating_sub(1) as u64;
        Ok(Self { resident: figure(&status, "VmRSS:")?, files, threads: figure(&status, "Threads:")? })
    }
}

/// The most resident memory that a process ever had, in MiB.
pub(crate) fn peak(process: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    Ok(figure(&status, "VmHWM:")? / 1024)
}

fn figure(status: &str, name: &str) -> io::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// By how much `y` grows with `x`: the straight line with the least squares. Zero without two different `x`.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count.max(1.0);
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    if spread > 0.0 { together / spread } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_line_with_the_least_squares() {
        // Anscombe's first set (1973): y = 3 + 0.5 x.
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let points: Vec<_> = x.into_iter().zip(y).collect();
        assert!((slope(&points) - 0.5).abs() < 1e-3);
        assert_eq!([slope(&[]), slope(&[(1.0, 2.0)])], [0.0, 0.0]);
    }

    #[test]
    fn what_is_opened_is_counted() {
        let before = Held::now().unwrap();
        let file = fs::File::open("/proc/self/status").unwrap();
        let after = Held::now().unwrap();
        drop(file);
        assert!(after.files > before.files && after.resident > 100 && after.threads >= 1, "{before:?} {after:?}");
    }
}
