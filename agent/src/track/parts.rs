//! Detections that may be parts of others, or others once more.
//!
//! A detector now and then finds head and shoulders once more within a whole person, and it finds
//! one object where two are close together. Such a part must not be taken for the neighbour that is
//! hidden just then: its track would shrink to it and be led away. Of somebody who walks it now and then finds
//! a wide box and a narrow one, with the legs and without, whose overlap is too small for its own suppression of
//! doubles.

use crate::vision::{Detection, Rect};

/// Share of its area by which a part lies in the whole.
const INSIDE: f32 = 0.7;
/// How much larger the whole is, at least.
const LARGER: f32 = 1.5;
/// Share of the smaller area that two boxes of one object have in common...
const DOUBLE: f32 = 0.85;
/// ...and what their upper and lower edges are apart at most, as a share of the height.
const LEVEL: f32 = 0.06;

/// Which detections of a picture lie in a larger and surer one of their class, or are a surer one once more.
#[derive(Debug, Default)]
pub(super) struct Parts {
    is_part: Vec<bool>,
}

impl Parts {
    pub(super) fn fill(&mut self, detections: &[Detection]) {
        self.is_part.clear();
        self.is_part.extend(detections.iter().map(|d| detections.iter().any(|whole| is_part(d, whole))));
    }

    /// Is the detection of this index a part or a double of another one?
    pub(super) fn is_part(&self, index: usize) -> bool {
        self.is_part[index]
    }
}

fn is_part(d: &Detection, whole: &Detection) -> bool {
    if whole.class != d.class || whole.score <= d.score {
        return false;
    }
    let area = d.bbox.area();
    let is_in_it = whole.bbox.area() > LARGER * area && common(&d.bbox, &whole.bbox) > INSIDE * area;
    is_in_it || are_double(&d.bbox, &whole.bbox)
}

/// Are these two boxes of one object? One lies in the other from left to right, and they are level.
pub(crate) fn are_double(a: &Rect, b: &Rect) -> bool {
    let apart = (a.y - b.y).abs().max((a.bottom() - b.bottom()).abs());
    apart < LEVEL * a.h.max(b.h) && common(a, b) > DOUBLE * a.area().min(b.area())
}

/// Area that both have in common.
fn common(a: &Rect, b: &Rect) -> f32 {
    let w = a.right().min(b.right()) - a.x.max(b.x);
    let h = a.bottom().min(b.bottom()) - a.y.max(b.y);
    w.max(0.0) * h.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(x: f32, y: f32, w: f32, h: f32, score: f32) -> Detection {
        Detection { bbox: Rect { x, y, w, h }, score, class: 0 }
    }

    #[test]
    fn a_part_lies_in_something_larger_surer_and_of_its_kind_and_a_double_is_as_high() {
        let whole = found(0.0, 0.0, 10.0, 30.0, 0.9);
        let head = found(1.0, -2.0, 8.0, 10.0, 0.6);
        let all = [
            whole,
            head,
            Detection { score: 0.95, ..head },
            Detection { class: 1, ..head },
            found(5.0, 0.0, 10.0, 10.0, 0.6),
            found(0.0, 0.0, 9.0, 27.0, 0.6),
            found(1.0, 0.5, 5.0, 29.0, 0.6),
            found(-2.0, -0.5, 20.0, 30.5, 0.6),
            found(5.0, 0.0, 10.0, 30.0, 0.6),
        ];
        let mut parts = Parts::default();
        parts.fill(&all);
        assert_eq!(
            all.iter().enumerate().map(|(i, _)| parts.is_part(i)).collect::<Vec<_>>(),
            [false, true, false, false, false, false, true, true, false]
        );
    }
}
