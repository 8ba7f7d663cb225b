use crate::{run::Run, spread::Spread};

/// What came of some runs of the same setup.
pub(crate) struct Row {
    /// Core-milliseconds per camera-second.
    pub(crate) cost: Spread,
    /// MiB.
    pub(crate) memory: Spread,
    /// Pictures looked at, per second and camera.
    pub(crate) looks: Spread,
    /// Pictures that were replaced by newer ones because the agent was too slow.
    pub(crate) overrun: u64,
    /// Ascending.
    latencies: Vec<f64>,
}

impl Row {
    /// Of at least one run.
    pub(crate) fn of(runs: &[Run]) -> Self {
        let mut latencies: Vec<f64> = runs.iter().flat_map(|run| run.latencies_ms.iter().copied()).collect();
        latencies.sort_by(f64::total_cmp);
        Self {
            cost: Spread::of(runs.iter().map(|run| run.core_ms)),
            memory: Spread::of(runs.iter().map(|run| run.memory_mib)),
            looks: Spread::of(runs.iter().map(|run| run.looks)),
            overrun: runs.iter().map(|run| run.overrun).sum(),
            latencies,
        }
    }

    /// Median and 99th percentile in words.
    pub(crate) fn latency(&self) -> String {
        let Some(last) = self.latencies.len().checked_sub(1) else { return "-".to_owned() };
        let at = |share: f64| self.latencies[(last as f64 * share).ceil() as usize];
        format!("{:.0} / {:.0} ({} alerts)", at(0.5), at(0.99), last + 1)
    }
}
