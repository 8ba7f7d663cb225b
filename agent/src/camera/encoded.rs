//! The encoded stream of the last seconds, for clips.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gstreamer as gst;

use super::{clip::Footage, codec::Codec};
use crate::evidence::{Ring, Size, Unit};

/// What a buffer costs beside its bytes: the structures of `GStreamer` around them (1.22, 64 bit), and ours.
const OVERHEAD: usize = 512;

/// The encoded stream of one camera in a bounded ring. Filled by the thread that receives, whatever of it is decoded;
/// cut by the camera's own.
#[derive(Debug)]
pub struct EncodedRing {
    state: Mutex<State>,
    /// For messages.
    camera: String,
    most: usize,
}

#[derive(Debug)]
struct State {
    ring: Ring<gst::Buffer>,
    /// What the pictures in the ring have in common: a clip has one format.
    caps: Option<gst::Caps>,
    /// What was said already.
    said: Said,
}

#[derive(Debug, Default)]
struct Said {
    overflow: bool,
    codec: bool,
}

impl Size for gst::Buffer {
    fn size(&self) -> usize {
        gst::BufferRef::size(self) + OVERHEAD
    }
}

impl EncodedRing {
    /// An empty one that reaches `span` back, if `most` bytes are enough for that.
    #[must_use]
    pub fn new(camera: &str, span: Duration, most: usize) -> Self {
        let state = State { ring: Ring::new(span, most), caps: None, said: Said::default() };
        Self { state: Mutex::new(state), camera: camera.to_owned(), most }
    }

    /// Another connection begins: pictures may be missing.
    pub(super) fn connect(&self) {
        self.state().ring.interrupt();
    }

    /// The next encoded picture of the stream, which is to be seen at `at` on the monotonic time line.
    pub(super) fn take(&self, codec: Codec, caps: Option<&gst::Caps>, at: Duration, unit: gst::Buffer) {
        let mut state = self.state();
        if !codec.goes_into_clips() {
            if !mem::replace(&mut state.said.codec, true) {
                tracing::warn!(
                    camera = self.camera,
                    "no clips: they are made of H.264 or H.265, and this stream is {}; change its codec in the camera, \
                     or remove enabled = true from [camera.clips]",
                    codec.name()
                );
            }
            return;
        }
        if state.caps.as_ref() != caps {
            state.caps = caps.cloned();
            state.ring.clear();
        }
        let keyframe = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let kept = state.ring.push(Unit { at, keyframe, buffer: unit });
        if !kept && !mem::replace(&mut state.said.overflow, true) {
            tracing::warn!(
                camera = self.camera,
                "clips will have gaps: the pictures from one keyframe to the next are more than {} MiB; raise memory in \
                 [camera.clips], or set a keyframe interval of at most 2 s in the camera",
                self.most >> 20
            );
        }
    }

    /// What was to be seen from `from` to `to`, or as much of it as there is; see [`Ring::cut`]. `None` if that is nothing.
    #[must_use]
    pub fn cut(&self, from: Duration, to: Duration) -> Option<Footage> {
        let state = self.state();
        let units = state.ring.cut(from, to);
        let caps = state.caps.clone().filter(|_| !units.is_empty())?;
        Some(Footage::new(caps, units, state.ring.is_too_small_for(from)))
    }

    /// How much memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state().ring.bytes()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(width: i32) -> gst::Caps {
        gst::init().unwrap();
        gst::Caps::builder("video/x-h264").field("width", width).build()
    }

    fn unit(delta: bool) -> gst::Buffer {
        let mut unit = gst::Buffer::with_size(100).unwrap();
        if delta {
            unit.get_mut().unwrap().set_flags(gst::BufferFlags::DELTA_UNIT);
        }
        unit
    }

    fn length(ring: &EncodedRing) -> usize {
        ring.cut(Duration::ZERO, Duration::MAX).map_or(0, |footage| footage.len())
    }

    #[test]
    fn another_format_or_connection_begins_with_a_keyframe() {
        let ring = EncodedRing::new("gate", Duration::from_secs(10), 1 << 20);
        let take = |width, ms, delta| {
            ring.take(Codec::H264, Some(&caps(width)), Duration::from_millis(ms), unit(delta));
            length(&ring)
        };
        assert_eq!([take(640, 0, true), take(640, 40, false), take(640, 80, true)], [0, 1, 2]);
        assert_eq!(ring.bytes(), 2 * (100 + OVERHEAD));
        // What came before an interruption is still of use.
        ring.connect();
        assert_eq!([take(640, 120, true), take(640, 160, false), take(640, 200, true)], [2, 3, 4]);
        assert_eq!([take(1280, 240, true), take(1280, 280, false)], [0, 1]);
    }

    #[test]
    fn motion_jpeg_takes_no_memory() {
        let ring = EncodedRing::new("gate", Duration::from_secs(10), 1 << 20);
        ring.take(Codec::Jpeg, Some(&caps(640)), Duration::ZERO, unit(false));
        assert_eq!((length(&ring), ring.bytes()), (0, 0));
    }
}
