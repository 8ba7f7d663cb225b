//! The encoded pictures of the last seconds, for clips. Pure: it knows no clock and no codec.

use std::{collections::VecDeque, iter, time::Duration};

/// Something that takes memory.
pub trait Size {
    /// In bytes.
    fn size(&self) -> usize;
}

/// One encoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit<B> {
    /// When it is to be seen, on the monotonic time line. Pictures that others are made of are sent before those, so
    /// this may go back from one unit to the next.
    pub at: Duration,
    /// It can be decoded by itself.
    pub keyframe: bool,
    /// The bytes. Cloned whenever they are handed out, so it had better be a counted reference.
    pub buffer: B,
}

/// Encoded pictures in the order of the stream, beginning with a keyframe. The oldest go in whole groups, as the pictures
/// from one keyframe to the next are called: without its keyframe a picture is of no use.
///
/// There are never more bytes in it than allowed, and only its first group begins `span` or longer before the newest
/// picture.
#[derive(Debug)]
pub struct Ring<B> {
    groups: VecDeque<Group<B>>,
    bytes: usize,
    span: Duration,
    most: usize,
    /// Pictures are missing: those that follow are of no use before the next keyframe.
    broken: bool,
    /// Pictures before this were given up because there were too many bytes.
    squeezed_until: Option<Duration>,
}

#[derive(Debug)]
struct Group<B> {
    keyframe: Unit<B>,
    others: Vec<Unit<B>>,
    bytes: usize,
}

impl<B> Group<B> {
    fn units(&self) -> impl Iterator<Item = &Unit<B>> {
        iter::once(&self.keyframe).chain(&self.others)
    }
}

impl<B: Size + Clone> Ring<B> {
    /// An empty one that reaches `span` back, if `most` bytes are enough for that.
    #[must_use]
    pub fn new(span: Duration, most: usize) -> Self {
        Self { groups: VecDeque::new(), bytes: 0, span, most, broken: true, squeezed_until: None }
    }

    /// Takes the next picture of the stream. Says whether it could be kept: if all pictures since the last keyframe
    /// are together more than the bytes that are allowed, none of them is.
    pub fn push(&mut self, unit: Unit<B>) -> bool {
        let (newest, size) = (unit.at, unit.buffer.size());
        match self.groups.back_mut() {
            _ if unit.keyframe => {
                self.groups.push_back(Group { keyframe: unit, others: Vec::new(), bytes: size });
                self.broken = false;
            }
            Some(group) if !self.broken => {
                group.others.push(unit);
                group.bytes += size;
            }
            // Not the ring's fault.
            _ => return true,
        }
        self.bytes += size;
        while let Some(second) = self.groups.get(1).map(|group| group.keyframe.at) {
            let reaches_back = second + self.span <= newest;
            if self.bytes <= self.most && !reaches_back {
                break;
            }
            if !reaches_back {
                self.squeezed_until = Some(second);
            }
            self.bytes -= self.groups.pop_front().map_or(0, |group| group.bytes);
        }
        let fits = self.bytes <= self.most;
        if !fits {
            self.clear();
            self.squeezed_until = Some(newest);
        }
        fits
    }

    /// Pictures of the stream may be missing here.
    pub fn interrupt(&mut self) {
        self.broken = true;
    }

    /// Begins anew, with the next keyframe.
    pub fn clear(&mut self) {
        self.groups.clear();
        self.bytes = 0;
        self.broken = true;
    }

    /// The pictures from the last keyframe at or before `from`, or the first there is, to the last one at or before `to`,
    /// with those in between that it is made of. Nothing is taken out of the ring.
    #[must_use]
    pub fn cut(&self, from: Duration, to: Duration) -> Vec<Unit<B>> {
        let first = self.groups.iter().rposition(|group| group.keyframe.at <= from).unwrap_or(0);
        let mut units: Vec<&Unit<B>> = self.groups.iter().skip(first).flat_map(Group::units).collect();
        let end = units.iter().rposition(|unit| unit.at <= to).map_or(0, |last| last + 1);
        units.truncate(end);
        units.into_iter().cloned().collect()
    }

    /// Whether there would be pictures of this time if more bytes were allowed.
    #[must_use]
    pub fn is_too_small_for(&self, at: Duration) -> bool {
        self.squeezed_until.is_some_and(|until| at < until)
    }

    /// How many bytes are in it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    const SPAN: Duration = Duration::from_secs(3);
    const MOST: usize = 1000;

    /// Bytes that only know their number.
    impl Size for Rc<usize> {
        fn size(&self) -> usize {
            **self
        }
    }

    fn unit(ms: u64, keyframe: bool, size: usize) -> Unit<Rc<usize>> {
        Unit { at: Duration::from_millis(ms), keyframe, buffer: Rc::new(size) }
    }

    /// The same in one list, by the words of the documentation.
    #[derive(Default)]
    struct Model {
        units: Vec<Unit<Rc<usize>>>,
        broken: bool,
    }

    impl Model {
        fn bytes(&self) -> usize {
            self.units.iter().map(|unit| *unit.buffer).sum()
        }

        fn second_keyframe(&self) -> Option<usize> {
            self.units.iter().skip(1).position(|unit| unit.keyframe).map(|place| place + 1)
        }

        fn push(&mut self, unit: Unit<Rc<usize>>) -> bool {
            let newest = unit.at;
            if !unit.keyframe && (self.units.is_empty() || self.broken) {
                return true;
            }
            self.broken = false;
            self.units.push(unit);
            while let Some(second) = self.second_keyframe()
                && (self.bytes() > MOST || self.units[second].at + SPAN <= newest)
            {
                self.units.drain(..second);
            }
            let fits = self.bytes() <= MOST;
            if !fits {
                self.units.clear();
            }
            fits
        }

        fn cut(&self, from: Duration, to: Duration) -> Vec<Unit<Rc<usize>>> {
            let first = self.units.iter().rposition(|unit| unit.keyframe && unit.at <= from).unwrap_or(0);
            let end = self.units.iter().rposition(|unit| unit.at <= to).map_or(0, |last| last + 1);
            self.units.get(first..end).unwrap_or_default().to_vec()
        }
    }

    #[derive(Clone, Debug)]
    enum Event {
        Picture { after: u64, back: u64, keyframe: bool, size: usize },
        Gap,
        New,
    }

    fn event() -> impl Strategy<Value = Event> {
        let picture = (0u64..400, 0u64..100, prop::bool::weighted(0.2), 1usize..400);
        prop_oneof![
            30 => picture.prop_map(|(after, back, keyframe, size)| Event::Picture { after, back, keyframe, size }),
            1 => Just(Event::Gap),
            1 => Just(Event::New),
        ]
    }

    proptest! {
        #[test]
        fn it_holds_what_a_plain_list_would(
            events in vec(event(), 0..120),
            cuts in vec((0u64..20_000, 0u64..20_000), 1..8),
        ) {
            let (mut ring, mut model, mut now) = (Ring::new(SPAN, MOST), Model::default(), 0);
            for event in events {
                match event {
                    Event::Picture { after, back, keyframe, size } => {
                        now += after;
                        // Keyframes do not go back.
                        let unit = unit(if keyframe { now } else { now.saturating_sub(back) }, keyframe, size);
                        prop_assert_eq!(ring.push(unit.clone()), model.push(unit));
                    }
                    Event::Gap => {
                        ring.interrupt();
                        model.broken = true;
                    }
                    Event::New => {
                        ring.clear();
                        model = Model::default();
                    }
                }
                prop_assert!(ring.bytes() <= MOST);
                prop_assert_eq!(ring.bytes(), model.bytes());
                let all = ring.cut(Duration::ZERO, Duration::MAX);
                prop_assert!(all.first().is_none_or(|unit| unit.keyframe));
                prop_assert_eq!(all, model.units.clone());
            }
            for (from, to) in cuts {
                let (from, to) = (Duration::from_millis(from), Duration::from_millis(to));
                let cut = ring.cut(from, to);
                prop_assert!(cut.first().is_none_or(|unit| unit.keyframe));
                prop_assert_eq!(cut, model.cut(from, to));
            }
        }
    }

    /// Times and kinds: a keyframe every second, ten pictures a second.
    fn filled(seconds: u64) -> Ring<Rc<usize>> {
        let mut ring = Ring::new(SPAN, MOST);
        for n in 0..10 * seconds {
            assert!(ring.push(unit(100 * n, n % 10 == 0, 1)));
        }
        ring
    }

    fn ends(units: &[Unit<Rc<usize>>]) -> Option<(u128, u128)> {
        Some((units.first()?.at.as_millis(), units.last()?.at.as_millis()))
    }

    #[test]
    fn a_clip_begins_with_the_keyframe_before_it() {
        let ring = filled(10);
        let cut = |from, to| ends(&ring.cut(Duration::from_millis(from), Duration::from_millis(to)));
        assert_eq!(cut(8500, 9250), Some((8000, 9200)));
        assert_eq!(cut(8000, 8000), Some((8000, 8000)));
        // Newest is 9.9 s: the group from 6 s on reaches 3 s back, and no other before it is kept.
        assert_eq!(cut(0, 20_000), Some((6000, 9900)));
        assert_eq!(cut(0, 5000), None);
    }

    #[test]
    fn buffers_are_not_copied() {
        let mut ring = Ring::new(SPAN, MOST);
        let bytes = Rc::new(7);
        ring.push(Unit { at: Duration::ZERO, keyframe: true, buffer: Rc::clone(&bytes) });
        let cut = ring.cut(Duration::ZERO, Duration::ZERO);
        assert!(Rc::ptr_eq(&cut[0].buffer, &bytes));
        drop(cut);
        ring.clear();
        assert_eq!(Rc::strong_count(&bytes), 1);
    }

    #[test]
    fn what_is_too_large_by_itself_is_not_kept_and_neither_is_what_needs_it() {
        let mut ring = filled(1);
        assert!(ring.push(unit(1000, true, 900)));
        assert!(!ring.push(unit(1100, false, 101)));
        assert_eq!(ring.bytes(), 0);
        assert!(ring.push(unit(1200, false, 1)));
        assert_eq!(ring.bytes(), 0);
        assert!(ring.push(unit(2000, true, 5)));
        assert_eq!(ring.bytes(), 5);
    }

    #[test]
    fn what_went_for_want_of_room_is_known() {
        let at = Duration::from_millis;
        assert!(!filled(10).is_too_small_for(Duration::ZERO), "it went because of its age");
        let mut ring = Ring::new(SPAN, MOST);
        for ms in [0, 500, 1000] {
            assert!(ring.push(unit(ms, true, 400)));
        }
        assert_eq!(ends(&ring.cut(at(0), at(1000))), Some((500, 1000)));
        assert!(ring.is_too_small_for(at(499)) && !ring.is_too_small_for(at(500)));
    }
}
