//! Greedy non-maximum suppression, class by class.

use std::cmp::Ordering;

use crate::vision::Detection;

/// Boxes that are looked at; more are noise. The figure of the reference implementation.
const MAX_CANDIDATES: usize = 1000;
/// Boxes that are kept, likewise.
const MAX_DETECTIONS: usize = 300;

/// Keeps the best box of each group of one class that overlap by more than `iou`. What is left
/// is sorted by score, best first.
///
/// Intersection over union does not change when an axis is scaled, so boxes may be in pixels
/// or in shares of the picture.
pub(in crate::vision) fn suppress(detections: &mut Vec<Detection>, iou: f32) {
    if detections.len() > MAX_CANDIDATES {
        detections.select_nth_unstable_by(MAX_CANDIDATES, better_first);
        detections.truncate(MAX_CANDIDATES);
    }
    detections.sort_unstable_by(better_first);
    let mut kept = 0;
    for i in 0..detections.len() {
        let candidate = detections[i];
        let hides = |d: &Detection| d.class == candidate.class && d.bbox.iou(&candidate.bbox) > iou;
        if !detections[..kept].iter().any(hides) {
            detections[kept] = candidate;
            kept += 1;
        }
        if kept == MAX_DETECTIONS {
            break;
        }
    }
    detections.truncate(kept);
}

/// By score; the rest only makes the order the same in every run.
fn better_first(a: &Detection, b: &Detection) -> Ordering {
    let position = |d: &Detection| (d.bbox.y, d.bbox.x);
    let ((a_y, a_x), (b_y, b_x)) = (position(a), position(b));
    b.score.total_cmp(&a.score).then(a.class.cmp(&b.class)).then(a_y.total_cmp(&b_y)).then(a_x.total_cmp(&b_x))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vision::Rect;

    fn detection(x: f32, y: f32, score: f32, class: u16) -> Detection {
        Detection { bbox: Rect { x, y, w: 10.0, h: 10.0 }, score, class }
    }

    #[test]
    fn the_best_of_a_group_stays_and_other_classes_do_not_matter() {
        let mut detections = vec![
            detection(1.0, 0.0, 0.5, 0),
            detection(0.0, 0.0, 0.9, 0),
            detection(0.0, 0.0, 0.7, 1),
            detection(50.0, 0.0, 0.4, 0),
        ];
        suppress(&mut detections, 0.5);
        let scores: Vec<_> = detections.iter().map(|d| d.score).collect();
        assert_eq!(scores, [0.9, 0.7, 0.4]);
    }

    #[test]
    fn what_was_suppressed_suppresses_nothing() {
        // A chain: the second hides behind the first; the third overlaps only the second.
        let mut detections =
            vec![detection(0.0, 0.0, 0.9, 0), detection(4.0, 0.0, 0.8, 0), detection(8.0, 0.0, 0.7, 0)];
        suppress(&mut detections, 0.4);
        assert_eq!(detections.iter().map(|d| d.bbox.x).collect::<Vec<_>>(), [0.0, 8.0]);
    }

    proptest! {
        #[test]
        fn survivors_are_apart_and_cover_the_rest(
            raw in prop::collection::vec((0.0f32..60.0, 0.0f32..60.0, 0.01f32..1.0, 0u16..3), 0..80), iou in 0.1f32..0.9,
        ) {
            let all: Vec<_> = raw.into_iter().map(|(x, y, score, class)| detection(x, y, score, class)).collect();
            let mut kept = all.clone();
            suppress(&mut kept, iou);
            prop_assert!(kept.is_sorted_by(|a, b| a.score >= b.score));
            for (i, a) in kept.iter().enumerate() {
                prop_assert!(kept[..i].iter().all(|b| a.class != b.class || a.bbox.iou(&b.bbox) <= iou));
            }
            for lost in all.iter().filter(|d| !kept.contains(d)) {
                prop_assert!(kept.iter().any(|k| k.class == lost.class && k.score >= lost.score && k.bbox.iou(&lost.bbox) > iou));
            }
        }

        #[test]
        fn never_more_than_the_limits(count in 900usize..1500) {
            let mut detections: Vec<_> = (0..count).map(|i| detection(20.0 * i as f32, 0.0, 0.5 + i as f32 / 4000.0, 0)).collect();
            suppress(&mut detections, 0.5);
            prop_assert_eq!(detections.len(), MAX_DETECTIONS);
            prop_assert_eq!(detections[0].bbox.x, 20.0 * (count - 1) as f32);
        }
    }
}
