//! How a person walks: joint positions as a function of the phase of the step.
//!
//! The angle curves are smooth fits to the sagittal joint angles of normal walking (D. A. Winter, *Biomechanics and
//! Motor Control of Human Movement*); segment lengths are the usual shares of body height from the same book.

use glam::Vec3;
use std::f32::consts::PI;

/// Length of a double step at `stature` metres, at an ordinary walk.
pub(crate) fn stride(stature: f32) -> f32 {
    0.82 * stature
}

/// Left is 0, right is 1 in every pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) hip: Vec3,
    pub(crate) knee: Vec3,
    pub(crate) ankle: Vec3,
    /// Unit vector from heel to toe.
    pub(crate) toe: Vec3,
}

/// One arm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arm {
    pub(crate) shoulder: Vec3,
    pub(crate) elbow: Vec3,
    pub(crate) wrist: Vec3,
}

/// Joints in the person's own frame: x right, y ahead, z up, the ground at 0, in metres.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pose {
    pub(crate) pelvis: Vec3,
    pub(crate) neck: Vec3,
    pub(crate) head: Vec3,
    /// Unit vector out of the face.
    pub(crate) face: Vec3,
    /// Turn of the pelvis and, opposed, of the shoulders about the vertical, radians.
    pub(crate) twist: f32,
    pub(crate) legs: [Leg; 2],
    pub(crate) arms: [Arm; 2],
}

/// What a person does at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stance {
    /// Phase of the step, radians; the left heel strikes at 0.
    pub(crate) phase: f32,
    /// 0 stands, 1 walks, 1.5 runs.
    pub(crate) walking: f32,
    /// Slow idle movement, -1..1.
    pub(crate) sway: f32,
    /// Turn of the head to the left, radians.
    pub(crate) look: f32,
    /// How far the elbows are bent beyond the swing, radians.
    pub(crate) elbows: f32,
    /// How far the trunk bends forward beyond an ordinary walk, radians; the arms keep hanging.
    pub(crate) bow: f32,
}

/// The pose of a person of `stature` metres.
pub(crate) fn pose(stature: f32, stance: Stance) -> Pose {
    let Stance { phase, walking, sway, look, elbows, bow } = stance;
    let thigh = 0.245 * stature;
    let shank = 0.246 * stature;
    let twist = 0.10 * walking * phase.cos();
    let turned = |v: Vec3, angle: f32| {
        Vec3::new(v.x * angle.cos() - v.y * angle.sin(), v.x * angle.sin() + v.y * angle.cos(), v.z)
    };
    let swing = |angle: f32, length: f32| Vec3::new(0.0, angle.sin(), -angle.cos()) * length;

    let side = |i: usize| if i == 0 { -1.0_f32 } else { 1.0 };
    let mut legs = [0, 1].map(|i| {
        let phase = phase + PI * i as f32;
        let thigh_angle = walking * (0.40 * phase.cos() + 0.06) + 0.03;
        // The knee bends most early in the swing and a little when it takes the weight.
        let bend =
            walking * (1.05 * (-(phase + 0.35).sin()).max(0.0).powf(1.3) + 0.12 * (phase - 0.4).cos().max(0.0)) + 0.05;
        let hip = turned(Vec3::new(side(i) * (0.052 * stature), 0.0, 0.0), twist);
        let splay = Vec3::new(side(i) * 0.012, 0.0, 0.0);
        let knee = hip + swing(thigh_angle, thigh) + splay;
        let ankle = knee + swing(thigh_angle - bend, shank);
        // The heel lifts behind, the toes lift ahead.
        let pitch = walking * (0.28 * phase.cos().max(0.0).powi(4) - 0.75 * (-(phase + 0.75).sin()).max(0.0).powi(2));
        let toe = Vec3::new(side(i) * 0.12, pitch.cos(), pitch.sin()).normalize();
        Leg { hip, knee, ankle, toe }
    });
    // The pelvis is as high as the lower foot lets it be.
    let sole = |leg: &Leg| leg.ankle.z - 0.045 * stature - 0.10 * leg.toe.z.abs();
    let pelvis = Vec3::new(0.012 * sway + 0.015 * walking * phase.sin(), 0.0, -sole(&legs[0]).min(sole(&legs[1])));
    for leg in &mut legs {
        leg.hip += pelvis;
        leg.knee += pelvis;
        leg.ankle += pelvis;
    }
    let lean = 0.05 * walking + 0.02 + bow;
    let neck = pelvis + Vec3::new(0.01 * sway, lean.sin(), lean.cos()) * (0.313 * stature);
    let shoulder_line = neck - Vec3::Z * 0.060 * stature;
    let arms = [0, 1].map(|i| {
        let phase = phase + PI * i as f32;
        let angle = -walking * 0.36 * phase.cos() + 0.02 * sway;
        let bend = 0.12 + elbows + walking * (0.12 - 0.10 * phase.cos());
        let shoulder = shoulder_line + turned(Vec3::new(side(i) * 0.101 * stature, 0.0, 0.0), -twist);
        let away = Vec3::new(side(i) * 0.035, 0.0, 0.0);
        let elbow = shoulder + swing(angle, 0.172 * stature) + away;
        let wrist = elbow + swing(angle + bend, 0.150 * stature) + away * -0.3;
        Arm { shoulder, elbow, wrist }
    });
    let face = turned(Vec3::new(0.0, 1.0, -0.08), look).normalize();
    // Who bows still looks ahead a little.
    let nod = 0.6 * bow;
    let head = neck + Vec3::new(0.0, 0.018 + 0.077 * stature * nod.sin(), 0.077 * stature * nod.cos());
    Pose { pelvis, neck, head, face, twist, legs, arms }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bones_keep_their_length_and_a_foot_is_on_the_ground(
            phase in 0.0_f32..7.0, walking in 0.0_f32..1.0, stature in 1.5_f32..1.95,
        ) {
            let pose = pose(stature, Stance { phase, walking, sway: 0.3, look: 0.2, elbows: 0.0, bow: 0.0 });
            for leg in &pose.legs {
                prop_assert!((leg.knee.distance(leg.ankle) / (0.246 * stature) - 1.0).abs() < 0.02);
                prop_assert!(leg.ankle.z > 0.03 * stature);
            }
            let lowest = pose.legs.iter().map(|leg| leg.ankle.z).fold(f32::MAX, f32::min);
            prop_assert!(lowest < 0.12 * stature, "no foot is near the ground: {lowest}");
            prop_assert!((0.86..0.98).contains(&(pose.head.z / stature)), "head at {}", pose.head.z / stature);
        }
    }
}
