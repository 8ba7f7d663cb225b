//! Average precision as COCO defines it (Lin et al., arXiv 1405.0312, and its evaluation
//! code): the mean over the overlaps 0.50, 0.55, …, 0.95 of the precision interpolated at 101
//! levels of recall, at most 100 boxes a picture. Labels come without crowds and areas.

/// Boxes that count in one picture.
const MAX_DETECTIONS: usize = 100;
const OVERLAPS: usize = 10;
const RECALLS: usize = 101;

/// A box by its left, top, right and bottom edges, in pixels.
pub type Edges = [f64; 4];

/// One detection or one label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Object {
    /// Where it is.
    pub edges: Edges,
    /// How sure; of no meaning for labels.
    pub score: f64,
    /// Its class.
    pub class: usize,
}

/// What was found in one picture and what is there.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Detections, in any order.
    pub found: Vec<Object>,
    /// Labels.
    pub there: Vec<Object>,
}

/// Average precision of one class, or of all that have a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// Mean over all overlaps, 0 to 1.
    pub ap: f64,
    /// At an overlap of one half, 0 to 1.
    pub ap50: f64,
}

/// Precision over all classes that are labelled anywhere; `None` if none is.
#[must_use]
pub fn mean(pictures: &[Picture]) -> Option<Precision> {
    let mut classes: Vec<_> = pictures.iter().flat_map(|p| p.there.iter().map(|o| o.class)).collect();
    classes.sort_unstable();
    classes.dedup();
    let all: Vec<_> = classes.into_iter().filter_map(|class| of_class(pictures, class)).collect();
    let n = all.len() as f64;
    (n > 0.0).then(|| Precision {
        ap: all.iter().map(|p| p.ap).sum::<f64>() / n,
        ap50: all.iter().map(|p| p.ap50).sum::<f64>() / n,
    })
}

/// Precision of one class; `None` if it is nowhere.
#[must_use]
pub fn of_class(pictures: &[Picture], class: usize) -> Option<Precision> {
    let labels: usize = pictures.iter().map(|p| p.there.iter().filter(|o| o.class == class).count()).sum();
    if labels == 0 {
        return None;
    }
    let mut hits: Vec<(f64, [bool; OVERLAPS])> = pictures.iter().flat_map(|p| matched(p, class)).collect();
    // Stable, so that equals keep the order of the pictures, as in the reference.
    hits.sort_by(|a, b| b.0.total_cmp(&a.0));
    let ap: [f64; OVERLAPS] = std::array::from_fn(|i| interpolated(hits.iter().map(|h| h.1[i]), labels));
    Some(Precision { ap: ap.iter().sum::<f64>() / OVERLAPS as f64, ap50: ap[0] })
}

/// Score of each detection of a class and whether it is right at each overlap.
fn matched(picture: &Picture, class: usize) -> Vec<(f64, [bool; OVERLAPS])> {
    let mut found = picture.found.clone();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MAX_DETECTIONS);
    found.retain(|o| o.class == class);
    let there: Vec<_> = picture.there.iter().filter(|o| o.class == class).collect();
    let mut used = vec![[false; OVERLAPS]; there.len()];
    let mut result = Vec::new();
    for detection in &found {
        let overlaps: Vec<_> = there.iter().map(|label| iou(&detection.edges, &label.edges)).collect();
        let hits = std::array::from_fn(|i| {
            let threshold = 0.5 + 0.05 * i as f64;
            let free = (0..there.len()).filter(|&k| !used[k][i] && overlaps[k] >= threshold);
            // The first of equals, as argmax has it.
            match free.reduce(|best, k| if overlaps[k] > overlaps[best] { k } else { best }) {
                Some(k) => {
                    used[k][i] = true;
                    true
                }
                None => false,
            }
        });
        result.push((detection.score, hits));
    }
    result
}

/// Precision at 101 levels of recall, each the best at that recall or above.
fn interpolated(hits: impl Iterator<Item = bool>, labels: usize) -> f64 {
    let (mut right, mut curve) = (0, Vec::new());
    for (i, hit) in hits.enumerate() {
        right += usize::from(hit);
        curve.push((right as f64 / labels as f64, right as f64 / (i + 1) as f64));
    }
    for i in (1..curve.len()).rev() {
        curve[i - 1].1 = curve[i - 1].1.max(curve[i].1);
    }
    let at = |recall: f64| curve.get(curve.partition_point(|&(r, _)| r < recall)).map_or(0.0, |&(_, p)| p);
    (0..RECALLS).map(|i| at(i as f64 / (RECALLS - 1) as f64)).sum::<f64>() / RECALLS as f64
}

/// Intersection over union.
#[must_use]
pub fn iou(a: &Edges, b: &Edges) -> f64 {
    let area = |e: &Edges| (e[2] - e[0]) * (e[3] - e[1]);
    let both = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0) * (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    both / (area(a) + area(b) - both + 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(x: f64, score: f64) -> Object {
        Object { edges: [x, 0.0, x + 10.0, 10.0], score, class: 0 }
    }

    fn precision(found: &[Object], there: &[Object]) -> Precision {
        mean(&[Picture { found: found.to_vec(), there: there.to_vec() }]).expect("there is a label")
    }

    #[test]
    fn all_found_and_nothing_else_is_perfect() {
        let there = [object(0.0, 1.0), object(50.0, 1.0)];
        let wanted = precision(&there, &there);
        assert!((wanted.ap - 1.0).abs() < 1e-9 && (wanted.ap50 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn half_found_reaches_half_the_recalls() {
        let there = [object(0.0, 1.0), object(50.0, 1.0)];
        // 51 of the 101 levels of recall are at most one half.
        assert!((precision(&there[..1], &there).ap50 - 51.0 / 101.0).abs() < 1e-9);
    }

    #[test]
    fn a_false_box_before_a_right_one_halves_the_precision() {
        let found = [object(90.0, 0.9), object(0.0, 0.8)];
        assert!((precision(&found, &[object(0.0, 1.0)]).ap50 - 0.5).abs() < 1e-9);
        // After it, it costs nothing.
        let found = [object(90.0, 0.7), object(0.0, 0.8)];
        assert!((precision(&found, &[object(0.0, 1.0)]).ap50 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_label_is_found_once() {
        let found = [object(0.0, 0.9), object(0.5, 0.8)];
        let there = [object(0.0, 1.0), object(50.0, 1.0)];
        assert!((precision(&found, &there).ap50 - 51.0 / 101.0).abs() < 1e-9);
    }

    #[test]
    fn a_loose_box_counts_at_low_overlaps_only() {
        // Shifted by 2 of 10: overlap 8 / 12, which reaches 0.50, 0.55, 0.60 and 0.65.
        let result = precision(&[object(2.0, 0.9)], &[object(0.0, 1.0)]);
        assert!((result.ap - 0.4).abs() < 1e-9 && (result.ap50 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn classes_without_labels_do_not_count() {
        let found = [object(0.0, 0.9), Object { class: 7, ..object(0.0, 0.95) }];
        assert!((precision(&found, &[object(0.0, 1.0)]).ap - 1.0).abs() < 1e-9);
        assert_eq!(mean(&[Picture::default()]), None);
    }
}
