//! Limits on what `GStreamer` and the resolver may take. Both can block for ever.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};

use super::Fault;

/// A state change that takes longer hangs: healthy ones take milliseconds, sending
/// TEARDOWN to a dead camera 100 ms (rtspsrc's `teardown-timeout`).
const STATE_CHANGE_LIMIT: Duration = Duration::from_secs(3);

/// So many pipelines may hang at a time. Each holds memory, threads and a socket; beyond this
/// number it is better to start anew than to run out of something for all cameras.
pub(super) const MOST_HANGING: usize = 20;

/// Pipelines that were to end, missed their limit, and have not ended yet.
static HANGING: AtomicUsize = AtomicUsize::new(0);

/// How many pipelines were left to themselves and still hang.
pub(super) fn hanging() -> usize {
    HANGING.load(SeqCst)
}

/// Does `step` in a thread of its own and waits at most `limit` for it.
///
/// A step that misses its limit goes on alone and is forgotten; `None` then.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    name: &str,
    step: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Nobody listens any more when the limit has passed.
        let _ = done.send(step());
    });
    if let Err(error) = thread {
        tracing::error!(%error, "cannot start the thread {name}");
        return None;
    }
    result.recv_timeout(limit).ok()
}

/// Starts a pipeline.
pub(super) fn play(pipeline: &gst::Pipeline) -> Result<(), Fault> {
    let started = within(STATE_CHANGE_LIMIT, "karaul-start", {
        let pipeline = pipeline.clone();
        move || pipeline.set_state(gst::State::Playing).is_ok()
    });
    match started {
        // A change that failed has said why on the bus; that reason is better than any made up here.
        Some(_) => Ok(()),
        None => Err(Fault::Stuck { step: "start", limit: STATE_CHANGE_LIMIT }),
    }
}

/// Ends a pipeline. One that does not end in time is left to the thread that tries to
/// end it, and replaced: it never blocks the camera. It is counted as long as it hangs; see [`hanging`].
pub(super) fn end(pipeline: &gst::Pipeline, what: &str) {
    let pipeline = pipeline.clone();
    let ended = counted_within(STATE_CHANGE_LIMIT, "karaul-reaper", &HANGING, move || {
        pipeline.set_state(gst::State::Null).is_ok()
    });
    if !ended {
        let hanging = hanging();
        tracing::warn!(
            hanging,
            "{what}: the old pipeline did not end within {STATE_CHANGE_LIMIT:?} and was left to itself"
        );
    }
}

/// As [`within`]; `hanging` counts the steps that missed their limit and still go on.
fn counted_within<T: Send + 'static>(
    limit: Duration,
    name: &str,
    hanging: &'static AtomicUsize,
    step: impl FnOnce() -> T + Send + 'static,
) -> bool {
    // Set by whoever is through first, the step or the wait for it; the other one settles the count.
    let through = Arc::new(AtomicBool::new(false));
    let done = within(limit, name, {
        let through = Arc::clone(&through);
        move || {
            step();
            if through.swap(true, SeqCst) {
                hanging.fetch_sub(1, SeqCst);
            }
        }
    });
    if done.is_none() {
        hanging.fetch_add(1, SeqCst);
        if through.swap(true, SeqCst) {
            hanging.fetch_sub(1, SeqCst);
        }
    }
    done.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_hangs_is_left_behind() {
        let (release, hang) = mpsc::channel::<()>();
        let result = within(Duration::from_millis(20), "test-hang", move || hang.recv().is_err());
        assert_eq!(result, None);
        drop(release);
    }

    #[test]
    fn what_hangs_is_counted_until_it_ends() {
        static HANGING: AtomicUsize = AtomicUsize::new(0);
        let limit = Duration::from_millis(20);
        assert!(counted_within(Duration::from_secs(10), "test-step", &HANGING, || ()));
        assert_eq!(HANGING.load(SeqCst), 0);
        let (release, hang) = mpsc::channel::<()>();
        assert!(!counted_within(limit, "test-hang", &HANGING, move || hang.recv().is_err()));
        assert_eq!(HANGING.load(SeqCst), 1);
        drop(release);
        let end = std::time::Instant::now() + Duration::from_secs(10);
        while HANGING.load(SeqCst) > 0 {
            assert!(std::time::Instant::now() < end, "still counted");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_step_in_time_gives_its_result() {
        assert_eq!(within(Duration::from_secs(10), "test-step", || 7), Some(7));
    }
}
