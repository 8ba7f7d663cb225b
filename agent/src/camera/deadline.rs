//! Limits on what `GStreamer` and the resolver may take. Both can block for ever.

use std::{sync::mpsc, thread, time::Duration};

use gstreamer::{self as gst, prelude::*};

use super::Fault;

/// A state change that takes longer hangs: healthy ones take milliseconds, sending
/// TEARDOWN to a dead camera 100 ms (rtspsrc's `teardown-timeout`).
const STATE_CHANGE_LIMIT: Duration = Duration::from_secs(3);

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
/// end it, and replaced: it never blocks the camera.
pub(super) fn end(pipeline: &gst::Pipeline, what: &str) {
    let ended = within(STATE_CHANGE_LIMIT, "karaul-reaper", {
        let pipeline = pipeline.clone();
        move || pipeline.set_state(gst::State::Null).is_ok()
    });
    if ended.is_none() {
        tracing::warn!("{what}: the old pipeline did not end within {STATE_CHANGE_LIMIT:?} and was left to itself");
    }
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
    fn a_step_in_time_gives_its_result() {
        assert_eq!(within(Duration::from_secs(10), "test-step", || 7), Some(7));
    }
}
