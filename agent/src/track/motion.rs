//! How a box moves: a Kalman filter for each of its four coordinates.
//!
//! Centre x and width are measured in widths of the box, centre y and height in
//! heights. Nothing then depends on the unit of either axis (shares of the picture
//! or pixels), and one setting serves near and far objects. The four coordinates are
//! filtered apart, each as position and velocity driven by white noise acceleration
//! (Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and
//! Navigation", 2001, section 6.2.2), which is exact for any step of time: a lost or late
//! picture is a longer step and nothing else.

use super::settings::Noise;
use crate::vision::Rect;

/// Centre and size of a box, in f64 as the filter needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) cx: f64,
    pub(super) cy: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

impl From<Rect> for Shape {
    fn from(r: Rect) -> Self {
        let (w, h) = (f64::from(r.w), f64::from(r.h));
        Self { cx: f64::from(r.x) + w / 2.0, cy: f64::from(r.y) + h / 2.0, w, h }
    }
}

impl Shape {
    /// The box, grown on each side by a share of its own width and height.
    pub(super) fn grown(&self, by_x: f64, by_y: f64) -> Rect {
        let (w, h) = (self.w * (1.0 + 2.0 * by_x), self.h * (1.0 + 2.0 * by_y));
        Rect { x: (self.cx - w / 2.0) as f32, y: (self.cy - h / 2.0) as f32, w: w as f32, h: h as f32 }
    }

    /// How alike both sizes are, 0 to 1: the ratio of the widths times that of the heights.
    pub(super) fn size_agreement(&self, other: &Self) -> f64 {
        let ratio = |a: f64, b: f64| a.min(b) / a.max(b);
        ratio(self.w, other.w) * ratio(self.h, other.h)
    }

    /// How far another shape is off, in widths and heights of the larger one.
    pub(super) fn off(&self, other: &Self) -> (f64, f64) {
        ((other.cx - self.cx) / self.w.max(other.w), (other.cy - self.cy) / self.h.max(other.h))
    }

    /// Does it lie in another one, edges included?
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let within = |at: f64, size: f64, of: f64, room: f64| (at - of).abs() + size / 2.0 <= room / 2.0;
        within(self.cx, self.w, other.cx, other.w) && within(self.cy, self.h, other.cy, other.h)
    }

    /// This shape with its edges no farther from another one's than a share of that one's width, across, and
    /// height, along.
    pub(super) fn near(&self, other: &Self, across: f64, along: f64) -> Self {
        let within = |share: f64, at: f64, size: f64, to: f64, of: f64| {
            let edge = |side: f64| (at - to + side * (size - of) / 2.0).clamp(-share * of, share * of);
            let (before, after) = (edge(-1.0), edge(1.0));
            (to + f64::midpoint(before, after), of + after - before)
        };
        let (cx, w) = within(across, self.cx, self.w, other.cx, other.w);
        let (cy, h) = within(along, self.cy, self.h, other.cy, other.h);
        Self { cx, cy, w, h }
    }

    /// The shape a share `t` of the way to another.
    pub(super) fn towards(&self, to: &Self, t: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * t;
        Self { cx: mix(self.cx, to.cx), cy: mix(self.cy, to.cy), w: mix(self.w, to.w), h: mix(self.h, to.h) }
    }
}

/// What is believed of a box at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    cx: Coordinate,
    cy: Coordinate,
    w: Coordinate,
    h: Coordinate,
}

impl Motion {
    /// The belief after the first detection.
    pub(super) fn start(seen: &Shape, noise: &Noise) -> Self {
        let new = |at: f64, scale: f64, measured: f64, speed: f64| Coordinate {
            at,
            speed: 0.0,
            var: (measured * scale).powi(2),
            cov: 0.0,
            speed_var: (speed * scale).powi(2),
        };
        Self {
            cx: new(seen.cx, seen.w, noise.place, noise.speed),
            cy: new(seen.cy, seen.h, noise.place, noise.speed),
            w: new(seen.w, seen.w, noise.size, noise.growth),
            h: new(seen.h, seen.h, noise.size, noise.growth),
        }
    }

    /// The belief `dt` seconds later. The size at most halves or doubles: growth goes on for moments, not
    /// for as long as an object may be unseen.
    pub(super) fn after(&self, dt: f64, noise: &Noise) -> Self {
        let Shape { w, h, .. } = self.shape();
        let power = |q: f64, scale: f64| (q * scale).powi(2);
        Self {
            cx: self.cx.after(dt, power(noise.acceleration, w)),
            cy: self.cy.after(dt, power(noise.acceleration, h)),
            w: self.w.after(dt, power(noise.growth_change, w)).between(w / 2.0, w * 2.0),
            h: self.h.after(dt, power(noise.growth_change, h)).between(h / 2.0, h * 2.0),
        }
    }

    /// The belief once a detection at the same moment is taken in.
    pub(super) fn seeing(&self, seen: &Shape, noise: &Noise) -> Self {
        let var = |share: f64, scale: f64| (share * scale).powi(2);
        Self {
            cx: self.cx.seeing(seen.cx, var(noise.place, seen.w)),
            cy: self.cy.seeing(seen.cy, var(noise.place, seen.h)),
            w: self.w.seeing(seen.w, var(noise.size, seen.w)),
            h: self.h.seeing(seen.h, var(noise.size, seen.h)),
        }
    }

    /// The likeliest box; its size is above zero.
    pub(super) fn shape(&self) -> Shape {
        Shape { cx: self.cx.at, cy: self.cy.at, w: self.w.at, h: self.h.at }
    }

    /// The likeliest box, gone on for so many seconds at its speed, its size kept.
    pub(super) fn onward(&self, seconds: f64) -> Shape {
        let on = |c: &Coordinate| c.at + c.speed * seconds;
        Shape { cx: on(&self.cx), cy: on(&self.cy), ..self.shape() }
    }

    /// Standard deviation of the centre, in widths and heights of the box.
    pub(super) fn doubt(&self) -> (f64, f64) {
        (self.cx.var.sqrt() / self.w.at, self.cy.var.sqrt() / self.h.at)
    }
}

/// One coordinate: position, velocity and their covariance.
#[derive(Clone, Copy, Debug)]
struct Coordinate {
    at: f64,
    speed: f64,
    var: f64,
    cov: f64,
    speed_var: f64,
}

impl Coordinate {
    fn after(&self, dt: f64, power: f64) -> Self {
        Self {
            at: self.at + self.speed * dt,
            speed: self.speed,
            var: self.var + dt * (2.0 * self.cov + dt * self.speed_var) + power * dt.powi(3) / 3.0,
            cov: self.cov + dt * self.speed_var + power * dt.powi(2) / 2.0,
            speed_var: self.speed_var + power * dt,
        }
    }

    fn between(mut self, least: f64, most: f64) -> Self {
        self.at = self.at.clamp(least, most);
        self
    }

    fn seeing(&self, seen: f64, measured_var: f64) -> Self {
        let total = self.var + measured_var;
        let (gain, speed_gain) = (self.var / total, self.cov / total);
        let off = seen - self.at;
        Self {
            at: self.at + gain * off,
            speed: self.speed + speed_gain * off,
            var: (1.0 - gain) * self.var,
            cov: (1.0 - gain) * self.cov,
            speed_var: self.speed_var - speed_gain * self.cov,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOISE: Noise =
        Noise { place: 0.05, size: 0.05, speed: 3.0, acceleration: 1.0, growth: 0.1, growth_change: 0.2 };

    fn start(cx: f64) -> Shape {
        Shape { cx, cy: 5.0, w: 2.0, h: 4.0 }
    }

    proptest! {
        /// What makes a lost picture a longer step and nothing else.
        #[test]
        fn two_steps_are_one_long_step(a in 0.01_f64..2.0, b in 0.01_f64..2.0, speed in -5.0_f64..5.0) {
            let seen = Motion::start(&start(0.0), &NOISE).after(0.2, &NOISE).seeing(&start(0.2 * speed), &NOISE);
            let (twice, once) = (seen.cx.after(a, 0.7).after(b, 0.7), seen.cx.after(a + b, 0.7));
            for (x, y) in [
                (twice.at, once.at),
                (twice.var, once.var),
                (twice.cov, once.cov),
                (twice.speed_var, once.speed_var),
            ] {
                prop_assert!((x - y).abs() < 1e-9 * (1.0 + y.abs()), "{x} {y}");
            }
        }

        #[test]
        fn the_belief_lies_between_prediction_and_detection(dt in 0.01_f64..2.0, to in -9.0_f64..9.0) {
            let before = Motion::start(&start(1.0), &NOISE).after(dt, &NOISE);
            let after = before.seeing(&start(to), &NOISE);
            prop_assert!((after.cx.at - to).abs() <= (before.cx.at - to).abs());
            prop_assert!(after.cx.var > 0.0 && after.cx.var < before.cx.var);
        }
    }

    #[test]
    fn a_steady_speed_is_learnt() {
        let mut motion = Motion::start(&start(0.0), &NOISE);
        for n in 1..20 {
            motion = motion.after(0.2, &NOISE).seeing(&start(f64::from(n) * 0.6), &NOISE);
        }
        assert!((motion.cx.speed - 3.0).abs() < 0.1, "{motion:?}");
        assert!((motion.after(1.0, &NOISE).shape().cx - 14.4).abs() < 0.3);
    }

    proptest! {
        #[test]
        fn a_shape_near_another_one_is_between_both(a in [-9.0_f64..9.0, 0.1..9.0], b in [-9.0_f64..9.0, 0.1..9.0]) {
            let shape = |[cx, w]: [f64; 2]| Shape { cx, cy: 0.0, w, h: 1.0 };
            let (a, b) = (shape(a), shape(b));
            let near = a.near(&b, 0.1, 0.1);
            for side in [-0.5, 0.5] {
                let [edge, from, to] = [near, a, b].map(|s| s.cx + side * s.w);
                prop_assert!((edge - to).abs() <= 0.1 * b.w + 1e-9);
                prop_assert!((edge - from).abs() <= (to - from).abs() + 1e-9);
                prop_assert!((to - from).abs() > 0.1 * b.w || (edge - from).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_size_at_most_halves_or_doubles_unseen() {
        let mut motion = Motion::start(&start(0.0), &NOISE);
        motion.w.speed = -7.0;
        motion.h.speed = 70.0;
        let shape = motion.after(2.0, &NOISE).shape();
        assert_eq!((shape.w, shape.h), (1.0, 8.0));
    }
}
