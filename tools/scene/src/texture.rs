//! Value noise: the randomness of asphalt, grass, plaster and cloth. Pure functions of position, so that a surface
//! looks the same in every frame.

use glam::Vec3;

/// A 32-bit integer hash (the finaliser of MurmurHash3).
pub(crate) fn hash(mut value: u32) -> u32 {
    value ^= value >> 16;
    value = value.wrapping_mul(0x85eb_ca6b);
    value ^= value >> 13;
    value = value.wrapping_mul(0xc2b2_ae35);
    value ^ (value >> 16)
}

fn lattice(x: i32, y: i32, z: i32) -> f32 {
    let mixed = (x as u32).wrapping_mul(0x9e37_79b1)
        ^ (y as u32).wrapping_mul(0x85eb_ca77)
        ^ (z as u32).wrapping_mul(0xc2b2_ae3d);
    // 24 bits are what an f32 holds exactly.
    (hash(mixed) >> 8) as f32 * (2.0 / 16_777_216.0) - 1.0
}

/// Smooth noise in -1..1 with features of about one unit.
pub(crate) fn noise(p: Vec3) -> f32 {
    let cell = p.floor();
    let f = p - cell;
    let f = f * f * (Vec3::splat(3.0) - 2.0 * f);
    let (x, y, z) = (cell.x as i32, cell.y as i32, cell.z as i32);
    let edge = |dy: i32, dz: i32| {
        let (y, z) = (y.wrapping_add(dy), z.wrapping_add(dz));
        let a = lattice(x, y, z);
        a + (lattice(x.wrapping_add(1), y, z) - a) * f.x
    };
    let face = |dz: i32| {
        let a = edge(0, dz);
        a + (edge(1, dz) - a) * f.y
    };
    let a = face(0);
    a + (face(1) - a) * f.z
}

/// Sum of `octaves` of noise, each twice as fine and half as strong; about -1..1.
pub(crate) fn fractal(mut p: Vec3, octaves: u32) -> f32 {
    let (mut sum, mut strength) = (0.0, 0.5);
    for _ in 0..octaves {
        sum += strength * noise(p);
        strength *= 0.5;
        // Not exactly two, and shifted, so that the lattices of the octaves do not coincide.
        p = p * 2.03 + Vec3::splat(17.3);
    }
    sum
}

/// 0 below `from`, 1 above `to`, smooth between.
pub(crate) fn smoothstep(from: f32, to: f32, value: f32) -> f32 {
    let t = ((value - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn noise_is_bounded_and_continuous(x in -50.0_f32..50.0, y in -50.0_f32..50.0, z in -50.0_f32..50.0) {
            let p = Vec3::new(x, y, z);
            prop_assert!(noise(p).abs() <= 1.0);
            prop_assert!((noise(p + Vec3::splat(1e-3)) - noise(p)).abs() < 0.05);
            prop_assert!(fractal(p, 5).abs() <= 1.0);
        }
    }
}
