use std::time::Duration;

use super::{
    background::{Background, WHITE},
    grid::Grid,
};

/// What is usual moves to the new light over about so long, the rest is made up for at once.
const FOLLOW: Duration = Duration::from_secs(10);
/// Darker cells say little about the light: they are mostly noise.
const DARK: f32 = 20.0;
/// Steps per unit of gain, and how many there are.
const STEPS: f32 = 128.0;
const BINS: usize = 512;
/// The median is made finer by the mean of so many steps on each side.
const AROUND: usize = 4;
/// A gain closer to one than this is none.
const LEAST: f32 = 0.01;
/// More is not made up for.
const MOST: f32 = 3.0;
/// Fewer cells, as a share of all, do not tell the light.
const LEAST_TOLD: f32 = 0.05;
/// Every so manieth cell is asked.
const EACH: usize = 2;

/// Finds by how much the picture is lighter than usual, the median of its cells, and lets what is usual follow. Returns what
/// the memories were multiplied by.
pub(super) fn follow(background: &mut Background, grid: &Grid, step: Duration) -> f32 {
    let gain = median(background, grid).clamp(1.0 / MOST, MOST);
    if (gain - 1.0).abs() < LEAST {
        background.gain = 1.0;
        return 1.0;
    }
    let share = 1.0 - (-step.as_secs_f32() / FOLLOW.as_secs_f32()).exp();
    let by = gain.powf(share);
    background.relight(by);
    background.gain = gain / by;
    by
}

fn median(background: &Background, grid: &Grid) -> f32 {
    let mut counts = [0_u32; BINS];
    let mut sums = [0.0_f32; BINS];
    let mut total = 0_u32;
    let cells = background.cells.iter().zip(&grid.luma).zip(&grid.hidden).step_by(EACH);
    for ((cell, luma), hidden) in cells {
        if cell.is_known() && !hidden && cell.mean >= DARK && *luma < WHITE {
            let ratio = luma / cell.mean;
            let bin = ((ratio * STEPS) as usize).min(BINS - 1);
            counts[bin] += 1;
            sums[bin] += ratio;
            total += 1;
        }
    }
    if (total as f32) < LEAST_TOLD * grid.cells() as f32 / EACH as f32 {
        return 1.0;
    }
    let mut below = 0;
    let Some(bin) = counts.iter().position(|count| {
        below += count;
        2 * below > total
    }) else {
        return 1.0;
    };
    let near = bin.saturating_sub(AROUND)..(bin + AROUND + 1).min(BINS);
    let count: u32 = counts[near.clone()].iter().sum();
    sums[near].iter().sum::<f32>() / count.max(1) as f32
}
