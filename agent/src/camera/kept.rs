use gstreamer as gst;

/// Most bytes that are kept of one stream. Ten seconds of 20 Mbit/s.
pub(super) const MOST: usize = 25 << 20;

/// Encoded pictures that were not decoded: since the last keyframe, and since the one before that. Buffers are counted
/// references, nothing is copied.
#[derive(Debug, Default)]
pub(super) struct Kept {
    before: Vec<gst::Buffer>,
    last: Vec<gst::Buffer>,
    bytes: usize,
}

impl Kept {
    /// Begins with a new keyframe.
    pub(super) fn begin(&mut self, keyframe: gst::Buffer) {
        self.bytes = keyframe.size() + self.last.iter().map(|unit| unit.size()).sum::<usize>();
        self.before = std::mem::replace(&mut self.last, vec![keyframe]);
        if self.bytes > MOST {
            self.bytes = self.last[0].size();
            self.before.clear();
        }
    }

    /// One more. Says whether there was room: without, it was not kept, and those after it are of no use either.
    pub(super) fn add(&mut self, unit: &gst::Buffer) -> bool {
        if self.bytes + unit.size() > MOST {
            return false;
        }
        self.bytes += unit.size();
        self.last.push(unit.clone());
        true
    }

    /// All since the last keyframe; nothing is kept any more.
    pub(super) fn take_last(&mut self) -> Vec<gst::Buffer> {
        std::mem::take(self).last
    }

    /// All since the keyframe before the last; nothing is kept any more.
    pub(super) fn take_all(&mut self) -> Vec<gst::Buffer> {
        let Self { mut before, mut last, .. } = std::mem::take(self);
        before.append(&mut last);
        before
    }

    /// Nothing is kept any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(size: usize) -> gst::Buffer {
        gst::init().unwrap();
        gst::Buffer::with_size(size).unwrap()
    }

    fn sizes(units: &[gst::Buffer]) -> Vec<usize> {
        units.iter().map(|unit| unit.size()).collect()
    }

    #[test]
    fn two_groups_are_kept_and_no_more() {
        let mut kept = Kept::default();
        for keyframe in [100, 200, 300] {
            kept.begin(unit(keyframe));
            assert!(kept.add(&unit(keyframe + 1)));
        }
        assert_eq!(sizes(&kept.take_all()), [200, 201, 300, 301]);
        assert!(kept.take_all().is_empty());
        kept.begin(unit(100));
        kept.begin(unit(200));
        assert_eq!(sizes(&kept.take_last()), [200]);
        assert_eq!(kept.bytes, 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut kept = Kept::default();
        kept.begin(unit(MOST / 2));
        assert!(kept.add(&unit(MOST / 2)));
        assert!(!kept.add(&unit(2)));
        kept.begin(unit(10));
        assert_eq!((sizes(&kept.take_all()), kept.bytes), (vec![10], 0));
    }
}
