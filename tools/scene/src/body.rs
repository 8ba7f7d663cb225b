//! A person: what one wears, and the mesh for a pose.

use glam::Vec3;

use crate::gait::{Arm, Leg, Pose, Stance, pose};
use crate::material::{Material, Pattern};
use crate::mesh::{Mesh, Ring, tube};

/// A person's looks. Colours are linear reflectances.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    /// Height in metres.
    pub(crate) stature: f32,
    /// Breadth of the body, 1 is average.
    pub(crate) build: f32,
    pub(crate) skin: Vec3,
    pub(crate) hair: Vec3,
    pub(crate) cap: Option<Vec3>,
    pub(crate) top: Vec3,
    pub(crate) top_second: Vec3,
    pub(crate) pattern: Pattern,
    /// Reflectance of the garments in the infra-red: synthetic black cloth can be white there.
    pub(crate) infrared: [f32; 2],
    pub(crate) bottom: Vec3,
    pub(crate) shoes: Vec3,
    /// How far the coat reaches below the hip: 0 a jacket, 1 to the knee.
    pub(crate) coat: f32,
    /// Sleeves end at the elbow.
    pub(crate) short_sleeves: bool,
    pub(crate) backpack: Option<Vec3>,
    /// Offset of the folds' pattern, so that no two garments fold alike.
    pub(crate) seed: f32,
}

impl Person {
    /// The mesh in the person's frame: x right, y ahead, z up, feet on 0. The second value is where the feet stand.
    pub(crate) fn mesh(&self, stance: Stance) -> (Mesh, [Vec3; 2]) {
        let pose = pose(self.stature, stance);
        let mut mesh = Mesh::default();
        let garment =
            |colour, second, pattern, infrared, seed| Material::Cloth { colour, second, pattern, infrared, seed };
        let trousers =
            mesh.material(garment(self.bottom, self.bottom, Pattern::Plain, self.infrared[1], self.seed + 5.0));
        let jacket = mesh.material(garment(self.top, self.top_second, self.pattern, self.infrared[0], self.seed));
        let sleeve_pattern = if self.pattern == Pattern::Striped { Pattern::Striped } else { Pattern::Plain };
        let sleeve =
            mesh.material(garment(self.top, self.top_second, sleeve_pattern, self.infrared[0], self.seed + 9.0));
        let skin = mesh.material(Material::Skin { colour: self.skin });
        let shoe = mesh.material(Material::Leather { colour: self.shoes });
        let head = mesh.material(Material::Head { skin: self.skin, hair: self.hair, cap: self.cap });
        for leg in &pose.legs {
            self.leg(&mut mesh, leg, trousers);
            self.shoe(&mut mesh, leg, shoe);
        }
        self.trunk(&mut mesh, &pose, jacket, trousers);
        for arm in &pose.arms {
            self.arm(&mut mesh, arm, sleeve, skin);
        }
        self.head(&mut mesh, &pose, head, skin);
        if let Some(colour) = self.backpack {
            let material = mesh.material(Material::Leather { colour });
            self.backpack(&mut mesh, &pose, material);
        }
        (mesh, pose.legs.map(|leg| leg.ankle))
    }

    /// Lengths in the functions below are for a person of 1.75 m.
    fn scale(&self) -> f32 {
        self.stature / 1.75
    }

    fn leg(&self, mesh: &mut Mesh, leg: &Leg, material: u32) {
        let s = self.scale() * (0.4 + 0.6 * self.build);
        let shin = |share: f32| leg.knee.lerp(leg.ankle, share);
        let thigh = |share: f32| leg.hip.lerp(leg.knee, share);
        let points = [
            (thigh(0.02), 0.090 * s),
            (thigh(0.35), 0.086 * s),
            (thigh(0.75), 0.072 * s),
            (leg.knee, 0.066 * s),
            (shin(0.3), 0.066 * s),
            (shin(0.65), 0.060 * s),
            (shin(0.95), 0.060 * s),
        ];
        mesh.loft(&tube(&points, Vec3::X), 10, material);
    }

    fn shoe(&self, mesh: &mut Mesh, leg: &Leg, material: u32) {
        let s = self.scale();
        let ahead = leg.toe;
        let side = ahead.cross(Vec3::Z).normalize_or(Vec3::X);
        let up = side.cross(ahead);
        // Heel to toe: distance ahead of the ankle, half width, half height, height of the middle above the sole.
        const LAST: [(f32, f32, f32); 6] = [
            (-0.085, 0.018, 0.022),
            (-0.07, 0.034, 0.042),
            (0.0, 0.040, 0.048),
            (0.08, 0.046, 0.034),
            (0.15, 0.042, 0.024),
            (0.185, 0.016, 0.014),
        ];
        let sole = leg.ankle - up * 0.078 * s;
        let rings: Vec<Ring> = LAST
            .iter()
            .map(|&(y, width, height)| Ring {
                centre: sole + (ahead * y + up * height) * s,
                side: side * width * s,
                front: up * height * s,
                power: 2.6,
                along: y,
            })
            .collect();
        mesh.loft(&rings, 10, material);
    }

    fn trunk(&self, mesh: &mut Mesh, pose: &Pose, jacket: u32, trousers: u32) {
        let s = self.scale();
        let axis = (pose.neck - pose.pelvis).normalize_or(Vec3::Z);
        let ring = |height: f32, half_width: f32, half_depth: f32, ahead: f32, turn: f32| {
            let side = Vec3::new(turn.cos(), turn.sin(), 0.0);
            let front = axis.cross(side) * half_depth * s * (0.2 + 0.8 * self.build);
            Ring {
                centre: pose.pelvis + axis * height * s + axis.cross(side) * ahead * s,
                side: side * half_width * s * (0.35 + 0.65 * self.build),
                front,
                power: 2.3,
                along: height,
            }
        };
        let twist = pose.twist;
        let seat = [
            ring(-0.10, 0.10, 0.07, 0.0, twist),
            ring(-0.06, 0.156, 0.104, -0.003, twist),
            ring(0.04, 0.160, 0.108, -0.004, twist),
            ring(0.12, 0.145, 0.098, 0.0, 0.0),
        ];
        mesh.loft(&seat, 16, trousers);
        let hem = -0.06 - 0.36 * self.coat;
        let flare = 0.186 + 0.03 * self.coat;
        let mut torso = vec![
            ring(hem, flare, 0.13 + 0.03 * self.coat, 0.0, twist),
            ring(hem * 0.5, 0.184 + 0.012 * self.coat, 0.13, 0.0, twist),
            ring(0.06, 0.172, 0.122, 0.0, 0.5 * twist),
            ring(0.16, 0.170, 0.118, 0.004, 0.0),
            ring(0.27, 0.184, 0.126, 0.008, -0.5 * twist),
            ring(0.37, 0.196, 0.126, 0.004, -twist),
            ring(0.44, 0.194, 0.112, -0.004, -twist),
            ring(0.485, 0.165, 0.092, -0.01, -twist),
            ring(0.515, 0.112, 0.076, -0.008, -twist),
            ring(0.545, 0.070, 0.064, 0.0, -twist),
        ];
        // The collar stands away from the neck.
        torso.push(ring(0.575, 0.058, 0.058, 0.004, -twist));
        mesh.loft(&torso, 18, jacket);
    }

    fn arm(&self, mesh: &mut Mesh, arm: &Arm, sleeve: u32, skin: u32) {
        let s = self.scale() * (0.45 + 0.55 * self.build);
        let upper = |share: f32| arm.shoulder.lerp(arm.elbow, share);
        let fore = |share: f32| arm.elbow.lerp(arm.wrist, share);
        let long = [
            (arm.shoulder, 0.057 * s),
            (upper(0.4), 0.058 * s),
            (upper(0.85), 0.050 * s),
            (fore(0.15), 0.048 * s),
            (fore(0.6), 0.043 * s),
            (fore(0.95), 0.038 * s),
        ];
        let covered = if self.short_sleeves { 3 } else { long.len() };
        mesh.loft(&tube(&long[..covered], Vec3::Y), 9, sleeve);
        if self.short_sleeves {
            let bare =
                [(upper(0.8), 0.042 * s), (arm.elbow, 0.040 * s), (fore(0.5), 0.037 * s), (arm.wrist, 0.027 * s)];
            mesh.loft(&tube(&bare, Vec3::Y), 9, skin);
        }
        let along = (arm.wrist - arm.elbow).normalize_or(-Vec3::Z);
        let hand = [
            (arm.wrist + along * 0.01 * s, 0.026 * s),
            (arm.wrist + along * 0.06 * s, 0.036 * s),
            (arm.wrist + along * 0.12 * s, 0.026 * s),
        ];
        mesh.loft(&tube(&hand, Vec3::Y), 8, skin);
    }

    fn head(&self, mesh: &mut Mesh, pose: &Pose, head: u32, skin: u32) {
        let s = self.scale();
        let throat = [(pose.neck - Vec3::Z * 0.03 * s, 0.058 * s), (pose.neck.lerp(pose.head, 0.6), 0.054 * s)];
        mesh.loft(&tube(&throat, Vec3::X), 10, skin);
        let right = pose.face.cross(Vec3::Z).normalize_or(Vec3::X);
        let up = right.cross(pose.face);
        // Half axes: the skull is deeper than wide, and the chin tapers forward.
        let axes = Vec3::new(0.078, 0.098, 0.122) * s;
        mesh.surface(13, 16, head, |row, column| {
            let latitude = (row as f32 / 12.0 - 0.5) * std::f32::consts::PI * 0.998;
            let (sin, cos) = (column as f32 / 16.0 * std::f32::consts::TAU).sin_cos();
            let local = Vec3::new(cos * latitude.cos(), sin * latitude.cos(), latitude.sin());
            let taper = if local.z < 0.0 { 1.0 + 0.22 * local.z } else { 1.0 };
            // Hair, or a cap with its peak, has volume of its own.
            let covered = local.z > 0.55 * local.y + 0.13 || (self.cap.is_some() && local.z > 0.3);
            let peak = if self.cap.is_some() && (0.3..0.55).contains(&local.z) && local.y > 0.5 { 0.55 } else { 0.0 };
            let grown = if covered { 1.07 } else { 1.0 };
            let ahead = local.y * axes.y * grown * taper
                + peak * axes.y
                + if local.z < 0.0 { 0.02 * -local.z * s } else { 0.0 };
            let offset = right * local.x * axes.x * grown * taper + pose.face * ahead + up * local.z * axes.z * grown;
            (pose.head + offset, local)
        });
    }

    fn backpack(&self, mesh: &mut Mesh, pose: &Pose, material: u32) {
        let s = self.scale();
        let side = Vec3::new(pose.twist.cos(), -pose.twist.sin(), 0.0);
        let back = Vec3::Z.cross(side) * -1.0;
        let rings: Vec<Ring> =
            [(0.06, 0.08, 0.04), (0.09, 0.135, 0.075), (0.28, 0.14, 0.085), (0.42, 0.125, 0.065), (0.46, 0.08, 0.035)]
                .iter()
                .map(|&(height, width, depth)| Ring {
                    centre: pose.pelvis.lerp(pose.neck, height / 0.55) + back * 0.17 * s,
                    side: side * width * s,
                    front: back * depth * s,
                    power: 3.5,
                    along: height,
                })
                .collect();
        mesh.loft(&rings, 14, material);
    }
}
