use std::time::Duration;

/// A change of the scene is part of it after about so long.
const LEARN: Duration = Duration::from_secs(10);
/// What counts as changed is taken in more slowly: somebody who stands still for a while is not part of the scene.
const LEARN_CHANGED: Duration = Duration::from_secs(60);
/// The usual deviation is learnt over about so long.
const LEARN_NOISE: Duration = Duration::from_secs(30);
/// Changed is what is off by more than so many usual deviations. The mean deviation of normal noise is 0.8 of its
/// standard deviation, so this is about four of those: with 30,000 blocks a look one or two by chance, and never side by side.
const TIMES: f32 = 5.0;
/// And by more than this, in steps of luma: encoders leave such steps where nothing moves.
const LEAST: f32 = 3.0;
/// Until something is known of a block.
const FIRST_NOISE: f32 = 1.5;
/// No block becomes deaf: a tree may sway, and somebody stand before it.
const MOST_NOISE: f32 = 8.0;
/// From this share of the blocks on it is no object that has changed.
const MOST_CHANGED: f32 = 0.6;

/// What is usual in each block.
#[derive(Clone, Debug, Default)]
pub(super) struct Background {
    mean: Vec<f32>,
    noise: Vec<f32>,
    changed: Vec<bool>,
    /// Since it began.
    looks: u32,
}

impl Background {
    /// Begins with this picture, as if nothing were known.
    pub(super) fn begin(&mut self, values: &[f32]) {
        self.mean.clear();
        self.mean.extend_from_slice(values);
        self.noise.clear();
        self.noise.resize(values.len(), FIRST_NOISE);
        self.changed.clear();
        self.changed.resize(values.len(), false);
        self.looks = 0;
    }

    /// Compares and learns; `since` is the time since the last one. `false` if most has changed: it has begun anew
    /// then, and keeps what it knows of the noise.
    pub(super) fn compare(&mut self, values: &[f32], since: Duration) -> bool {
        let shift = self.shift(values);
        let [slow, fast, noise_rate] = [LEARN_CHANGED, LEARN, LEARN_NOISE].map(|over| rate(since, over));
        // The mean of all looks so far, until there are many.
        self.looks = self.looks.saturating_add(1);
        let noise_rate = noise_rate.max(1.0 / (self.looks as f32 + 1.0));
        let mut count = 0_usize;
        let blocks = self.mean.iter_mut().zip(&mut self.noise).zip(&mut self.changed).zip(values);
        for (((mean, noise), changed), value) in blocks {
            let off = value - *mean;
            let far = (off - shift).abs();
            let limit = (TIMES * *noise).max(LEAST);
            *changed = far > limit;
            count += usize::from(*changed);
            // What passes by is no noise, but what keeps passing by is.
            *noise += noise_rate * (far.min(limit) - *noise);
            *noise = noise.min(MOST_NOISE);
            *mean += if *changed { slow } else { fast } * off;
        }
        let all = count as f32 > MOST_CHANGED * values.len() as f32;
        if all {
            self.mean.copy_from_slice(values);
            self.changed.fill(false);
        }
        !all
    }

    /// Which blocks have changed, row by row.
    pub(super) fn changed(&self) -> &[bool] {
        &self.changed
    }

    /// By how much the picture as a whole is lighter than usual: the median of the blocks, in whole steps. Cameras
    /// follow the light.
    fn shift(&self, values: &[f32]) -> f32 {
        // Differences of -255 to 255.
        let mut counts = [0_u32; 511];
        for (value, mean) in values.iter().zip(&self.mean) {
            counts[((value - mean).round() as i32 + 255).clamp(0, 510) as usize] += 1;
        }
        let half = values.len() as u32 / 2;
        let mut below = 0;
        let median = counts.iter().position(|count| {
            below += count;
            below > half
        });
        median.map_or(0.0, |index| index as f32 - 255.0)
    }
}

/// The share of the new in a running mean over about `over`, however often pictures come.
fn rate(since: Duration, over: Duration) -> f32 {
    1.0 - (-since.as_secs_f32() / over.as_secs_f32()).exp()
}
