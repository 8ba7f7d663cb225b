//! YOLOX (Ge et al., arXiv 2107.08430), exported without decoding in the graph.
//!
//! One tensor `[1, rows, 5 + classes]`; the rows are the cells of all levels, in the order of
//! the strides, each level row by row. Columns:
//!
//! | column | meaning |
//! | --- | --- |
//! | 0, 1 | centre, in strides from the cell's corner |
//! | 2, 3 | logarithm of width and height, in strides |
//! | 4 | objectness, after the sigmoid |
//! | 5.. | class probabilities, after the sigmoid |
//!
//! The score is objectness times the best class probability.

use super::{Level, Raw, Wrong, argmax, check_dimension};

/// Columns before the classes.
const BOX: usize = 5;

pub(super) fn check_shape(_: usize, levels: &[Level], classes: usize, shape: &[i64]) -> Result<(), String> {
    let (rows, columns) = (cells(levels), BOX + classes);
    if shape.len() != 3 {
        return Err(format!("has shape {shape:?}, but a YOLOX head has three dimensions, [1, rows, columns]"));
    }
    check_dimension(shape, 0, 1, "the first dimension must be 1")?;
    check_dimension(shape, 1, rows, &format!("the strides and the input size make {rows} rows"))?;
    check_dimension(
        shape,
        2,
        columns,
        &format!("{classes} labels make {columns} columns (5 and one per label): check labels"),
    )
}

pub(super) fn decode(
    outputs: &[&[f32]],
    levels: &[Level],
    classes: usize,
    threshold: f32,
    push: &mut impl FnMut(Raw),
) -> Result<(), Wrong> {
    let columns = BOX + classes;
    let output = outputs[0];
    if output.len() != cells(levels) * columns {
        return Err((0, format!("has {} numbers instead of {} rows of {columns}", output.len(), cells(levels))));
    }
    let mut rows = output.chunks_exact(columns);
    for level in levels {
        let stride = level.stride as f32;
        for (cell, row) in rows.by_ref().take(level.cells()).enumerate() {
            let (bbox, probabilities) = row.split_at(BOX);
            // No class is surer than certain, so most cells end here.
            let objectness = bbox[4];
            if objectness <= threshold {
                continue;
            }
            let Some((class, probability)) = argmax(probabilities) else { continue };
            let score = objectness * probability;
            if score > threshold {
                let x = (bbox[0] + (cell % level.columns) as f32) * stride;
                let y = (bbox[1] + (cell / level.columns) as f32) * stride;
                let (w, h) = (bbox[2].exp() * stride / 2.0, bbox[3].exp() * stride / 2.0);
                push(Raw { left: x - w, top: y - h, right: x + w, bottom: y + h, score, class });
            }
        }
    }
    Ok(())
}

fn cells(levels: &[Level]) -> usize {
    levels.iter().map(Level::cells).sum()
}
