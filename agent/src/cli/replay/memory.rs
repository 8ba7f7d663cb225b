//! Each picture is looked at once, however many watches there are.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use crate::{
    site::Detect,
    vision::{Detection, Planes, VisionError, Window},
};

/// How long detections are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// For one picture: all watches see it together.
    Picture,
    /// For good: the watches see the recording one after the other.
    Recording,
}

/// A detector that remembers what it found.
pub(super) struct Memory<D> {
    detector: D,
    keep: Keep,
    /// The picture that is looked at now: no two have the same time.
    at: Duration,
    found: BTreeMap<Duration, Vec<(Parts, Vec<Detection>)>>,
}

/// Parts of a picture; `None` is all of it.
type Parts = Option<Vec<Window>>;

impl<D: Detect> Memory<D> {
    pub(super) fn new(detector: D, keep: Keep) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { detector, keep, at: Duration::ZERO, found: BTreeMap::new() }))
    }

    /// The next picture is of this time.
    pub(super) fn turn_to(&mut self, at: Duration) {
        if self.keep == Keep::Picture {
            self.found.clear();
        }
        self.at = at;
    }

    fn look(&mut self, picture: &Planes<'_>, parts: Option<&[Window]>) -> Result<&[Detection], VisionError> {
        let known = self.found.entry(self.at).or_default();
        let index = match known.iter().position(|(of, _)| of.as_deref() == parts) {
            Some(index) => index,
            None => {
                let found = match parts {
                    None => self.detector.detect(picture)?,
                    Some(windows) => self.detector.detect_in(picture, windows)?,
                };
                known.push((parts.map(<[_]>::to_vec), found.to_vec()));
                known.len() - 1
            }
        };
        Ok(&known[index].1)
    }
}

/// What one of the watches looks with.
pub(super) struct Remembering<D> {
    memory: Rc<RefCell<Memory<D>>>,
    found: Vec<Detection>,
}

impl<D: Detect> Remembering<D> {
    pub(super) fn new(memory: &Rc<RefCell<Memory<D>>>) -> Self {
        Self { memory: Rc::clone(memory), found: Vec::new() }
    }

    fn look(&mut self, picture: &Planes<'_>, parts: Option<&[Window]>) -> Result<&[Detection], VisionError> {
        self.found.clear();
        self.found.extend_from_slice(self.memory.borrow_mut().look(picture, parts)?);
        Ok(&self.found)
    }
}

impl<D: Detect> Detect for Remembering<D> {
    fn detect(&mut self, picture: &Planes<'_>) -> Result<&[Detection], VisionError> {
        self.look(picture, None)
    }

    fn input(&self) -> Option<(usize, usize)> {
        self.memory.borrow().detector.input()
    }

    fn detect_in(&mut self, picture: &Planes<'_>, windows: &[Window]) -> Result<&[Detection], VisionError> {
        self.look(picture, Some(windows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::{Layout, Matrix, Range, Rect};

    /// Finds one thing more each time.
    struct Counting(Vec<Detection>);

    impl Detect for Counting {
        fn detect(&mut self, _: &Planes<'_>) -> Result<&[Detection], VisionError> {
            self.0.push(Detection { bbox: Rect::default(), score: 0.5, class: 0 });
            Ok(&self.0)
        }
    }

    #[test]
    fn the_same_picture_is_looked_at_once() {
        let layout = Layout::Rgb { rgb: &[0; 3], stride: 3 };
        let picture = Planes { width: 1, height: 1, layout, range: Range::Full, matrix: Matrix::Bt601 };
        let window = Window { x: 0, y: 0, width: 1, height: 1 };
        for (keep, again) in [(Keep::Picture, 3), (Keep::Recording, 1)] {
            let memory = Memory::new(Counting(Vec::new()), keep);
            let (mut one, mut other) = (Remembering::new(&memory), Remembering::new(&memory));
            memory.borrow_mut().turn_to(Duration::from_secs(1));
            assert_eq!(one.detect(&picture).unwrap().len(), 1);
            assert_eq!(other.detect(&picture).unwrap().len(), 1);
            assert_eq!(other.detect_in(&picture, &[window]).unwrap().len(), 2, "a part is another look");
            assert_eq!(one.detect_in(&picture, &[window]).unwrap().len(), 2);
            memory.borrow_mut().turn_to(Duration::from_secs(2));
            memory.borrow_mut().turn_to(Duration::from_secs(1));
            assert_eq!(one.detect(&picture).unwrap().len(), again);
            assert_eq!(memory.borrow().detector.0.len(), if again == 1 { 2 } else { 3 });
        }
    }
}
