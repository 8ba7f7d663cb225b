//! How good tracks are: CLEAR MOT (Bernardin and Stiefelhagen, 2008) and IDF1 (Ristani et al.,
//! arXiv 1609.01775), counted as the MOTChallenge does, at an overlap of one half.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use karaul::track::Assignment;

/// Least intersection over union at which a result covers an object.
const OVERLAP: f64 = 0.5;

/// One box of one object in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Counted from 1.
    pub frame: u32,
    /// Of the object, or of the track.
    pub id: u64,
    /// Left, top, width, height.
    pub bbox: [f64; 4],
}

/// What results are worth against the ground truth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Boxes of the ground truth.
    pub truth: usize,
    /// Of these, covered by a result.
    pub hits: usize,
    /// Of these, not covered.
    pub misses: usize,
    /// Results that cover nothing.
    pub false_alarms: usize,
    /// How often an object went on under another id.
    pub switches: usize,
    /// Multiple object tracking accuracy: 1 less the share of misses, false alarms and switches; can be negative.
    pub mota: f64,
    /// Harmonic mean of identification precision and recall, 0 to 1.
    pub idf1: f64,
}

/// The rows of a MOTChallenge file: frame,id,x,y,width,height and what else there is.
///
/// # Panics
/// If the file is not readable or not of that kind: this is for tests.
#[must_use]
pub fn read(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|line| row(line).unwrap_or_else(|| panic!("{}: {line}", path.display()))).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut columns = line.split(',').map(str::trim);
    let mut next = || columns.next();
    let (frame, id) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let mut bbox = [0.0; 4];
    for value in &mut bbox {
        *value = next()?.parse().ok()?;
    }
    Some(Row { frame, id, bbox })
}

/// Holds results against the ground truth.
#[must_use]
pub fn score(truth: &[Row], results: &[Row]) -> Score {
    let mut score = Score { truth: truth.len(), ..Score::default() };
    let mut assignment = Assignment::default();
    // The result that last covered each object, and how often each result covered each object at all.
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    let mut together: BTreeMap<(u64, u64), u32> = BTreeMap::new();
    let frames: BTreeSet<u32> = truth.iter().chain(results).map(|row| row.frame).collect();
    for frame in frames {
        let of = |rows: &[Row]| rows.iter().filter(|row| row.frame == frame).copied().collect::<Vec<_>>();
        let (objects, found) = (of(truth), of(results));
        for object in &objects {
            for result in found.iter().filter(|result| iou(&object.bbox, &result.bbox) >= OVERLAP) {
                *together.entry((object.id, result.id)).or_default() += 1;
            }
        }
        let covered = cover(&mut assignment, &objects, &found, &last);
        for &(object, result) in &covered {
            score.switches += usize::from(last.insert(object, result).is_some_and(|before| before != result));
        }
        score.hits += covered.len();
        score.misses += objects.len() - covered.len();
        score.false_alarms += found.len() - covered.len();
    }
    let errors = score.misses + score.false_alarms + score.switches;
    score.mota = 1.0 - errors as f64 / truth.len() as f64;
    score.idf1 = 2.0 * identified(&mut assignment, &together) / (truth.len() + results.len()) as f64;
    score
}

/// Which result covers which object in one frame: as in the frame before where that still holds, for the
/// rest as many as can be, with the greatest overlap.
fn cover(assignment: &mut Assignment, objects: &[Row], found: &[Row], last: &BTreeMap<u64, u64>) -> Vec<(u64, u64)> {
    let mut covered = Vec::new();
    let (mut objects, mut found) = (objects.to_vec(), found.to_vec());
    objects.retain(|object| {
        let same = found
            .iter()
            .position(|result| last.get(&object.id) == Some(&result.id) && iou(&object.bbox, &result.bbox) >= OVERLAP);
        if let Some(at) = same {
            covered.push((object.id, found.remove(at).id));
        }
        same.is_none()
    });
    // One more pair is worth more than any overlap.
    let gain: Vec<f64> = objects
        .iter()
        .flat_map(|object| found.iter().map(|result| iou(&object.bbox, &result.bbox)))
        .map(|overlap| if overlap >= OVERLAP { 1000.0 + overlap } else { 0.0 })
        .collect();
    let pairs = assignment.solve(objects.len(), found.len(), &gain);
    covered.extend(pairs.iter().map(|&(o, r)| (objects[o].id, found[r].id)));
    covered
}

/// Boxes that keep their meaning when each track may stand for one object only, chosen for the best sum.
fn identified(assignment: &mut Assignment, together: &BTreeMap<(u64, u64), u32>) -> f64 {
    let objects: Vec<u64> = together.keys().map(|pair| pair.0).collect::<BTreeSet<_>>().into_iter().collect();
    let tracks: Vec<u64> = together.keys().map(|pair| pair.1).collect::<BTreeSet<_>>().into_iter().collect();
    let gain: Vec<f64> = objects
        .iter()
        .flat_map(|&object| tracks.iter().map(move |&track| (object, track)))
        .map(|pair| together.get(&pair).copied().map_or(0.0, f64::from))
        .collect();
    let pairs = assignment.solve(objects.len(), tracks.len(), &gain);
    pairs.iter().map(|&(o, t)| gain[o * tracks.len() + t]).sum()
}

fn iou(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let along = |i: usize| ((a[i] + a[i + 2]).min(b[i] + b[i + 2]) - a[i].max(b[i])).max(0.0);
    let both = along(0) * along(1);
    both / (a[2] * a[3] + b[2] * b[3] - both)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(u32, u64, f64)]) -> Vec<Row> {
        rows.iter().map(|&(frame, id, x)| Row { frame, id, bbox: [x, 0.0, 10.0, 10.0] }).collect()
    }

    #[test]
    fn perfect_results_score_one() {
        let truth = rows(&[(1, 1, 0.0), (1, 2, 50.0), (2, 1, 1.0), (2, 2, 51.0)]);
        let score = score(&truth, &truth);
        assert_eq!((score.mota, score.idf1, score.hits, score.switches), (1.0, 1.0, 4, 0));
    }

    #[test]
    fn nothing_found_scores_zero() {
        let score = score(&rows(&[(1, 1, 0.0)]), &[]);
        assert_eq!((score.mota, score.idf1, score.misses), (0.0, 0.0, 1));
    }

    #[test]
    fn a_change_of_id_is_a_switch_and_halves_the_identity() {
        let truth = rows(&[(1, 1, 0.0), (2, 1, 0.0), (3, 1, 0.0), (4, 1, 0.0)]);
        let results = rows(&[(1, 7, 0.0), (2, 7, 0.0), (3, 8, 0.0), (4, 8, 0.0)]);
        let score = score(&truth, &results);
        assert_eq!((score.switches, score.mota, score.idf1), (1, 0.75, 0.5));
    }

    #[test]
    fn a_result_off_by_more_than_half_is_a_miss_and_a_false_alarm() {
        let score = score(&rows(&[(1, 1, 0.0)]), &rows(&[(1, 1, 4.0)]));
        assert_eq!((score.hits, score.misses, score.false_alarms, score.mota), (0, 1, 1, -1.0));
    }

    #[test]
    fn the_pair_of_the_frame_before_is_kept_even_where_another_overlaps_more() {
        let truth = rows(&[(1, 1, 0.0), (2, 1, 0.0)]);
        let results = rows(&[(1, 7, 0.0), (2, 7, 2.0), (2, 8, 0.0)]);
        let score = score(&truth, &results);
        assert_eq!((score.switches, score.false_alarms), (0, 1));
    }

    #[test]
    fn more_pairs_are_better_than_closer_pairs() {
        // Result 7 fits object 1 exactly, but only if it takes object 2 are both covered.
        let truth = rows(&[(1, 1, 0.0), (1, 2, 3.0)]);
        let results = rows(&[(1, 7, 0.0), (1, 8, -3.0)]);
        assert_eq!(score(&truth, &results).hits, 2);
    }
}
