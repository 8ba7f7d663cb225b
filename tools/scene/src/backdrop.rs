//! The static picture: ray-cast once, then reused in every frame.

use glam::{Vec2, Vec3};

use crate::light::Mode;
use crate::place::Place;
use crate::solid::Solid;
use crate::texture::{hash, smoothstep};

/// Marks a sample that sees the sky, and the first number of ground patches.
const SKY: u32 = u32::MAX;
const GROUND: u32 = 1 << 16;

/// The geometry of the static picture, the same by day and by night.
#[derive(Clone, Debug)]
pub(crate) struct Backdrop {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Per sample (two by two in a pixel): one over the depth, 0 for the sky.
    pub(crate) nearness: Vec<f32>,
    /// Per sample: which solid or which patch of ground.
    what: Vec<u32>,
    /// Per sample: the normal of what is met.
    normal: Vec<Vec3>,
    /// Per pixel: how much a wire fence covers, and its nearness.
    pub(crate) veil: Vec<(f32, f32)>,
}

/// The static picture in one light, linear R, G, B per pixel.
#[derive(Clone, Debug)]
pub(crate) struct Plate {
    /// Light that stays where an object casts its shadow.
    pub(crate) ambient: Vec<Vec3>,
    /// Light that a shadow takes away.
    pub(crate) direct: Vec<Vec3>,
    /// Both together, seen through the fence: the picture without any object.
    pub(crate) whole: Vec<Vec3>,
}

impl Backdrop {
    /// Casts the rays of a picture of `width` x `height` pixels.
    pub(crate) fn new(place: &Place, width: usize, height: usize) -> Self {
        let size = Vec2::new(width as f32, height as f32) * 2.0;
        let samples = width * height * 4;
        let (mut nearness, mut what, mut normal) =
            (Vec::with_capacity(samples), Vec::with_capacity(samples), Vec::with_capacity(samples));
        let camera = &place.camera;
        for y in 0..height * 2 {
            for x in 0..width * 2 {
                let ray = camera.ray(Vec2::new(x as f32 + 0.5, y as f32 + 0.5), size);
                let ground = if ray.z < -1e-4 { -camera.position.z / ray.z } else { f32::MAX };
                let (distance, index, n) = match Solid::first(&place.solids, camera.position, ray) {
                    Some(hit) if hit.distance < ground => (hit.distance, hit.solid as u32, hit.normal),
                    _ if ground < 400.0 => {
                        let p = camera.position + ray * ground;
                        (ground, GROUND + place.patch(p.truncate()) as u32, Vec3::Z)
                    }
                    _ => (f32::INFINITY, SKY, Vec3::Z),
                };
                nearness.push(distance.recip());
                what.push(index);
                normal.push(n);
            }
        }
        let size = size * 0.5;
        let veil = (0..width * height)
            .map(|i| {
                let ray = camera.ray(Vec2::new((i % width) as f32 + 0.5, (i / width) as f32 + 0.5), size);
                let nearest = |met: Option<(f32, f32)>, veil: &crate::solid::Veil| {
                    let other = veil.meet(camera.position, ray);
                    if met.is_none_or(|a| other.is_some_and(|b| b.0 < a.0)) { other } else { met }
                };
                let behind = nearness[(i / width * 2) * width * 2 + i % width * 2];
                match place.veils.iter().fold(None, nearest) {
                    Some((distance, cover)) if distance.recip() > behind => (cover, distance.recip()),
                    _ => (0.0, 0.0),
                }
            })
            .collect();
        Self { width, height, nearness, what, normal, veil }
    }

    /// Lights the picture.
    pub(crate) fn plate(&self, place: &Place, mode: Mode) -> Plate {
        let (width, height) = (self.width, self.height);
        let mut ambient = vec![Vec3::ZERO; width * height];
        let mut direct = ambient.clone();
        for y in 0..height {
            for x in 0..width {
                let corners = [0, 1, 2, 3].map(|i| (y * 2 + i / 2) * width * 2 + x * 2 + i % 2);
                let same = corners.iter().all(|&i| self.what[i] == self.what[corners[0]]);
                // Within one surface one colour serves the pixel; at an edge each sample has its own.
                let (mut a, mut d) = (Vec3::ZERO, Vec3::ZERO);
                let used = if same { &corners[..1] } else { &corners[..] };
                for &sample in used {
                    let offset = if same {
                        Vec2::ONE
                    } else {
                        Vec2::new(
                            (sample % (width * 2)) as f32 - x as f32 * 2.0 + 0.5,
                            (sample / (width * 2)) as f32 - y as f32 * 2.0 + 0.5,
                        )
                    };
                    let (one_a, one_d) =
                        self.colour(place, mode, sample, Vec2::new(x as f32 * 2.0, y as f32 * 2.0) + offset);
                    a += one_a;
                    d += one_d;
                }
                ambient[y * width + x] = a / used.len() as f32;
                direct[y * width + x] = d / used.len() as f32;
            }
        }
        let (ambient, direct) = (soften(&ambient, width, height), soften(&direct, width, height));
        let whole = (0..width * height)
            .map(|i| {
                let (cover, nearness) = self.veil[i];
                let behind = ambient[i] + direct[i];
                if cover > 0.0 { behind.lerp(self.veil_colour(place, mode, i, nearness), cover) } else { behind }
            })
            .collect();
        Plate { ambient, direct, whole }
    }

    /// The colour of the fence's wires at `pixel`.
    pub(crate) fn veil_colour(&self, place: &Place, mode: Mode, pixel: usize, nearness: f32) -> Vec3 {
        let p = self.position(place, pixel, nearness);
        let light = place.lighting(mode).at(p, (place.camera.position - p).normalize_or(Vec3::Z));
        (light.ambient + light.direct * 0.6) * 0.3
    }

    /// The position seen at the middle of `pixel` at `nearness`.
    pub(crate) fn position(&self, place: &Place, pixel: usize, nearness: f32) -> Vec3 {
        let at = Vec2::new((pixel % self.width) as f32 + 0.5, (pixel / self.width) as f32 + 0.5);
        place.camera.position + place.camera.ray(at, Vec2::new(self.width as f32, self.height as f32)) / nearness
    }

    fn colour(&self, place: &Place, mode: Mode, sample: usize, at: Vec2) -> (Vec3, Vec3) {
        let lighting = place.lighting(mode);
        let ray = place.camera.ray(at, Vec2::new(self.width as f32, self.height as f32) * 2.0);
        if self.what[sample] == SKY {
            let haze = 1.0 - smoothstep(0.0, 0.5, ray.normalize().z);
            return (lighting.sky * (0.9 + 0.8 * haze), Vec3::ZERO);
        }
        let p = place.camera.position + ray / self.nearness[sample];
        let n = self.normal[sample];
        let material = match self.what[sample].checked_sub(GROUND) {
            Some(patch) => place.ground(patch as usize),
            None => &place.solids[self.what[sample] as usize].material,
        };
        let (ambient, direct) = lighting.shade(&material.surface(p), p, n, -ray.normalize());
        let open = openness(place, p, n);
        (ambient * open, direct * place.light(p, n, lighting))
    }
}

/// The share of the sky that solids near `p` leave open: ambient occlusion, by four rays.
fn openness(place: &Place, p: Vec3, n: Vec3) -> f32 {
    /// Beyond this distance in metres a wall no longer darkens.
    const REACH: f32 = 2.5;
    let right = n.any_orthonormal_vector();
    let ahead = n.cross(right);
    // Turned differently at each place, so that four rays give grain instead of steps.
    let turn = (hash((p.x * 4096.0) as i32 as u32 ^ hash((p.y * 4096.0) as i32 as u32 ^ (p.z * 911.0) as i32 as u32))
        >> 16) as f32
        / 65536.0;
    let closed = |i: u32| {
        let (sin, cos) = ((i as f32 + turn) * std::f32::consts::FRAC_PI_2).sin_cos();
        let ray = n * 0.6 + (right * cos + ahead * sin) * 0.8;
        let hit = Solid::first(&place.solids, p + n * 0.02, ray);
        hit.map_or(0.0, |hit| (1.0 - hit.distance / REACH).max(0.0))
    };
    1.0 - 0.75 * (0..4).map(closed).sum::<f32>() / 4.0
}

/// The blur of a cheap lens: each pixel keeps 3/4 in each direction.
fn soften(pixels: &[Vec3], width: usize, height: usize) -> Vec<Vec3> {
    const SIDE: f32 = 0.125;
    let pass = |pixels: &[Vec3], length: usize, step: usize, at: fn(usize, usize) -> usize| -> Vec<Vec3> {
        (0..pixels.len())
            .map(|i| {
                let position = at(i, width);
                let before = if position > 0 { pixels[i - step] } else { pixels[i] };
                let after = if position + 1 < length { pixels[i + step] } else { pixels[i] };
                pixels[i] * (1.0 - 2.0 * SIDE) + (before + after) * SIDE
            })
            .collect()
    };
    let across = pass(pixels, width, 1, |i, width| i % width);
    pass(&across, height, width, |i, width| i / width)
}
