//! Generalised focal loss (Li et al., arXiv 2006.04388), the head of NanoDet and PicoDet
//! (arXiv 2111.00902), exported without decoding in the graph.
//!
//! Two tensors per level, first those of all levels' scores, then those of all levels' boxes;
//! `cells` is the number of cells of that level, row by row:
//!
//! | tensor | shape | meaning |
//! | --- | --- | --- |
//! | scores | `[1, cells, classes]` | class probabilities, after the sigmoid |
//! | boxes | `[1, cells, 4]` | distances from the cell's centre to left, top, right, bottom, in strides |
//! | or | `[1, cells, 4 * bins]` | for each distance the logits of 0, 1, …, bins - 1 strides |
//!
//! A distance given by bins is their expectation after the softmax.

use super::{Level, Raw, Wrong, any_above, argmax, check_dimension};

pub(super) fn check_shape(index: usize, levels: &[Level], classes: usize, shape: &[i64]) -> Result<(), String> {
    if shape.len() != 3 {
        return Err(format!("has shape {shape:?}, but this head has three dimensions, [1, cells, columns]"));
    }
    let level = &levels[index % levels.len()];
    let (stride, cells) = (level.stride, level.cells());
    check_dimension(shape, 0, 1, "the first dimension must be 1")?;
    check_dimension(shape, 1, cells, &format!("stride {stride} and the input size make {cells} cells"))?;
    if index < levels.len() {
        return check_dimension(shape, 2, classes, &format!("there are {classes} labels: check labels and outputs"));
    }
    match shape[2] {
        n if n < 0 || (n > 0 && n % 4 == 0) => Ok(()),
        _ => Err(format!("has shape {shape:?}, but a box has 4 distances or 4 times the number of bins")),
    }
}

pub(super) fn decode(
    outputs: &[&[f32]],
    levels: &[Level],
    classes: usize,
    threshold: f32,
    push: &mut impl FnMut(Raw),
) -> Result<(), Wrong> {
    let (all_scores, all_boxes) = outputs.split_at(levels.len());
    for (index, level) in levels.iter().enumerate() {
        let (scores, boxes, cells) = (all_scores[index], all_boxes[index], level.cells());
        if scores.len() != cells * classes {
            return Err((index, format!("has {} numbers instead of {cells} rows of {classes}", scores.len())));
        }
        let columns = boxes.len() / cells;
        if columns == 0 || !columns.is_multiple_of(4) || columns * cells != boxes.len() {
            let problem = format!("has {} numbers, which are not {cells} rows of four distances", boxes.len());
            return Err((levels.len() + index, problem));
        }
        let stride = level.stride as f32;
        for (cell, scores) in scores.chunks_exact(classes).enumerate() {
            if !any_above(scores, threshold) {
                continue;
            }
            let Some((class, score)) = argmax(scores) else { continue };
            let x = ((cell % level.columns) as f32 + 0.5) * stride;
            let y = ((cell / level.columns) as f32 + 0.5) * stride;
            let bins = &boxes[cell * columns..][..columns];
            let side = |k: usize| distance(&bins[k * columns / 4..][..columns / 4]) * stride;
            push(Raw { left: x - side(0), top: y - side(1), right: x + side(2), bottom: y + side(3), score, class });
        }
    }
    Ok(())
}

/// Expectation of the softmax over the bins; a single number is the distance itself.
fn distance(bins: &[f32]) -> f32 {
    if let [distance] = bins {
        return *distance;
    }
    let largest = bins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut moment) = (0.0, 0.0);
    for (i, bin) in bins.iter().enumerate() {
        let e = (bin - largest).exp();
        sum += e;
        moment += e * i as f32;
    }
    moment / sum
}
