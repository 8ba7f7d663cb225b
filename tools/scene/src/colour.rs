//! Colours of things, as linear reflectances.

use glam::Vec3;

/// The linear value of an sRGB colour written `0xRRGGBB` (IEC 61966-2-1, with its curve taken as a power of 2.2).
pub(crate) fn srgb(hex: u32) -> Vec3 {
    Vec3::new((hex >> 16 & 255) as f32, (hex >> 8 & 255) as f32, (hex & 255) as f32).map(|v| (v / 255.0).powf(2.2))
}

/// Skin, light to dark.
pub(crate) const SKIN: [u32; 5] = [0xe3b592, 0xd3a07c, 0xc08a66, 0x9c6a4a, 0x6e482f];
/// Hair.
pub(crate) const HAIR: [u32; 5] = [0x1c1714, 0x2b201a, 0x4a3424, 0x7d5f42, 0x8c8a86];
/// Jackets and shirts, as people wear them: mostly dark, some bright.
pub(crate) const TOPS: [u32; 14] = [
    0x1f2227, 0x2b3a55, 0x3d4a3a, 0x6b2a2a, 0x8b8f93, 0xc9c5bb, 0x355f8a, 0xa83232, 0xd8902f, 0x4f6b3c, 0x5b4a3a,
    0xe6e6e6, 0x7a2f5a, 0xd8d23a,
];
/// Trousers.
pub(crate) const BOTTOMS: [u32; 8] = [0x20242c, 0x2c3e5c, 0x4a5a74, 0x5c5347, 0x8a7c66, 0x3a3f38, 0x6d7075, 0x15161a];
/// Car paint.
pub(crate) const PAINTS: [u32; 8] = [0xd9dadb, 0x8e9296, 0x1b1d20, 0x7c1a1c, 0x23406e, 0xf0f0ee, 0x4a4f46, 0xb0a58e];
