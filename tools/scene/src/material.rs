//! What surfaces are made of: a material turns a position on a part into a colour.

use glam::Vec3;

use crate::texture::{fractal, noise, smoothstep};

/// What a surface does with light, at one point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surface {
    /// Share of visible light that comes back diffusely, linear R, G, B.
    pub(crate) albedo: Vec3,
    /// The same for near infra-red light (850 nm), which a CCTV camera sees by at night.
    pub(crate) infrared: f32,
    /// 0 dull to 1 mirror-like lacquer or glass.
    pub(crate) gloss: f32,
    /// Own light: lamps.
    pub(crate) emission: f32,
    /// Added to the normal: folds and roughness too fine for the mesh.
    pub(crate) bump: Vec3,
}

impl Surface {
    fn dull(albedo: Vec3, infrared: f32) -> Self {
        Self { albedo, infrared, gloss: 0.0, emission: 0.0, bump: Vec3::ZERO }
    }
}

/// How the colours of a garment are laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pattern {
    /// One colour.
    Plain,
    /// Stripes around the body.
    Striped,
    /// The second colour from the chest upward.
    Yoke,
    /// A band of the second colour around the chest, as on working clothes.
    Band,
}

/// The materials of persons, vehicles and buildings. Positions are in the frame of the part they are on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Material {
    /// A garment with folds. z runs along the part.
    Cloth { colour: Vec3, second: Vec3, pattern: Pattern, infrared: f32, seed: f32 },
    /// Bare skin.
    Skin { colour: Vec3 },
    /// A head, in half axes of its ellipsoid: x right, y face, z up.
    Head { skin: Vec3, hair: Vec3, cap: Option<Vec3> },
    /// Shoes, bags.
    Leather { colour: Vec3 },
    /// Tyres and seals.
    Rubber,
    /// A tyre on its rim, in the wheel's plane: x out of the wheel, y and z across it, in metres.
    Wheel { radius: f32 },
    /// Lacquered sheet metal below the windows, in the car's frame (see `vehicle`), with lamps, grille and arches.
    CarBody { paint: Vec3, half_length: f32, axle: f32 },
    /// Roof, pillars and windows, in the car's frame.
    CarCabin { paint: Vec3, sill: f32, roof: f32 },
    /// Old asphalt with patches and cracks.
    Asphalt { wear: f32 },
    /// Mown or trodden grass.
    Grass { dryness: f32 },
    /// Concrete slabs.
    Concrete,
    /// Gravel and bare earth.
    Gravel,
    /// Plastered wall.
    Plaster { colour: Vec3 },
    /// Brick wall.
    Brick { colour: Vec3 },
    /// A hedge or a tree's crown.
    Foliage { colour: Vec3 },
    /// Painted metal.
    Metal { colour: Vec3 },
    /// Boards.
    Wood { colour: Vec3 },
    /// A window pane.
    Pane,
}

impl Material {
    /// The surface at `p` of this material's part.
    pub(crate) fn surface(&self, p: Vec3) -> Surface {
        match *self {
            Self::Cloth { colour, second, pattern, infrared, seed } => {
                cloth(p, colour, second, pattern, infrared, seed)
            }
            Self::Skin { colour } => Surface { gloss: 0.05, ..Surface::dull(colour, 0.55) },
            Self::Head { skin, hair, cap } => head(p, skin, hair, cap),
            Self::Leather { colour } => Surface { gloss: 0.12, ..Surface::dull(colour, 0.12 + 0.3 * colour.x) },
            Self::Rubber => Surface::dull(Vec3::splat(0.025), 0.05),
            Self::Wheel { radius } => wheel(p, radius),
            Self::CarBody { paint, half_length, axle } => car_body(p, paint, half_length, axle),
            Self::CarCabin { paint, sill, roof } => car_cabin(p, paint, sill, roof),
            Self::Asphalt { wear } => asphalt(p, wear),
            Self::Grass { dryness } => grass(p, dryness),
            Self::Concrete => concrete(p),
            Self::Gravel => {
                let grain = 1.0 + 0.5 * fractal(p * 9.0, 4) + 0.3 * fractal(p * 0.7, 3);
                Surface::dull(Vec3::new(0.24, 0.21, 0.17) * grain, 0.3 * grain)
            }
            Self::Plaster { colour } => {
                let stain = 1.0 + 0.14 * fractal(p * Vec3::new(0.6, 0.6, 0.25), 4) + 0.05 * noise(p * 25.0);
                // Splashed dirt just above the ground.
                let dirt = 1.0 - 0.3 * smoothstep(0.5, 0.0, p.z + 0.2 * noise(p * 2.0));
                Surface::dull(colour * stain * dirt, 0.5 * stain * dirt)
            }
            Self::Brick { colour } => brick(p, colour),
            Self::Foliage { colour } => {
                let leaf = fractal(p * 5.0, 4);
                let light = (0.75 + 1.3 * leaf).clamp(0.12, 1.8);
                let bump = Vec3::new(noise(p * 7.0), noise(p * 7.0 + 31.0), noise(p * 7.0 + 77.0)) * 0.8;
                // Chlorophyll is transparent in the infra-red: leaves look pale at night.
                Surface { bump, ..Surface::dull(colour * light, 0.42 * light) }
            }
            Self::Metal { colour } => Surface { gloss: 0.15, ..Surface::dull(colour, 0.35) },
            Self::Wood { colour } => {
                let board = 1.0 + 0.25 * noise(Vec3::new((p.x * 7.0).floor(), (p.y * 7.0).floor(), 3.0));
                let grain = 1.0 + 0.2 * fractal(p * Vec3::new(30.0, 30.0, 1.5), 3);
                Surface::dull(colour * board * grain, 0.45 * board * grain)
            }
            Self::Pane => Surface { gloss: 0.8, ..Surface::dull(Vec3::splat(0.02), 0.03) },
        }
    }
}

fn cloth(p: Vec3, colour: Vec3, second: Vec3, pattern: Pattern, infrared: f32, seed: f32) -> Surface {
    let q = p + Vec3::splat(seed);
    let other = match pattern {
        Pattern::Plain => 0.0,
        Pattern::Striped => smoothstep(-0.15, 0.15, (p.z * 60.0).sin()),
        Pattern::Yoke => smoothstep(0.29, 0.31, p.z),
        Pattern::Band => smoothstep(0.2, 0.21, p.z) * smoothstep(0.28, 0.27, p.z),
    };
    let fold = 1.0 + 0.2 * noise(q * Vec3::new(9.0, 9.0, 5.0)) + 0.06 * noise(q * 40.0);
    let bump = Vec3::new(
        noise(q * Vec3::new(8.0, 8.0, 6.0)),
        noise(q * Vec3::new(8.0, 8.0, 6.0) + 41.0),
        noise(q * Vec3::new(6.0, 6.0, 9.0) + 83.0),
    ) * 0.35;
    let albedo = colour.lerp(second, other) * fold;
    let infrared = (infrared + (if other > 0.5 { 0.15 } else { 0.0 })) * fold;
    Surface { bump, ..Surface::dull(albedo, infrared) }
}

fn head(p: Vec3, skin: Vec3, hair: Vec3, cap: Option<Vec3>) -> Surface {
    let hairline = p.z - 0.55 * p.y - 0.13 + 0.06 * noise(p * 5.0);
    if let Some(colour) = cap.filter(|_| p.z > 0.3) {
        return Surface::dull(colour, 0.25);
    }
    if hairline > 0.0 {
        let strand = 1.0 + 0.35 * noise(p * Vec3::new(11.0, 11.0, 4.0));
        return Surface { gloss: 0.08, ..Surface::dull(hair * strand, 0.16 * strand) };
    }
    // Eye sockets, mouth and the shadow under the chin carry a face even when it is twelve pixels high.
    let spot = |x: f32, z: f32, radius: f32| {
        let d = Vec3::new(p.x.abs() - x, 0.0, p.z - z).length();
        if p.y > 0.0 { smoothstep(radius, radius * 0.4, d) } else { 0.0 }
    };
    let dark = (0.55 * spot(0.38, 0.12, 0.22)).max(0.35 * spot(0.0, -0.5, 0.25)).max(0.25 * spot(0.0, -0.12, 0.14));
    Surface { gloss: 0.05, ..Surface::dull(skin * (1.0 - dark), 0.55 * (1.0 - dark)) }
}

fn wheel(p: Vec3, radius: f32) -> Surface {
    let from_hub = (p.y * p.y + p.z * p.z).sqrt() / radius;
    if from_hub > 0.66 {
        return Surface::dull(Vec3::splat(0.02), 0.04);
    }
    let spokes = (p.z.atan2(p.y) * 5.0).cos();
    let shine = if from_hub < 0.2 || spokes > -0.2 { 0.35 } else { 0.05 };
    Surface { gloss: 0.2, ..Surface::dull(Vec3::splat(shine), shine) }
}

fn car_body(p: Vec3, paint: Vec3, half_length: f32, axle: f32) -> Surface {
    let black = Surface::dull(Vec3::splat(0.015), 0.03);
    let arch = |y: f32| Vec3::new(0.0, p.y - y, p.z - 0.31).length() < 0.38;
    if p.z < 0.24 || (p.x.abs() > 0.6 && (arch(axle) || arch(-axle))) {
        return black;
    }
    let to_end = half_length - p.y.abs();
    let lamp = to_end < 0.22 && p.x.abs() > 0.46 && (0.56..0.74).contains(&p.z);
    if lamp {
        let (albedo, emission) = if p.y > 0.0 { (Vec3::splat(0.75), 0.9) } else { (Vec3::new(0.5, 0.02, 0.02), 0.25) };
        return Surface { gloss: 0.5, emission, ..Surface::dull(albedo, 0.6) };
    }
    if to_end < 0.14 {
        let plate = p.x.abs() < 0.26 && (0.42..0.53).contains(&p.z);
        if plate {
            return Surface::dull(Vec3::splat(0.75), 0.8);
        }
        let grille = p.y > 0.0 && p.x.abs() < 0.42 && (0.55..0.7).contains(&p.z);
        if grille || p.z < 0.4 {
            return black;
        }
    }
    // Shut lines of the doors and the bonnet.
    let line = |v: f32| v.abs() < 0.012;
    if p.x.abs() > 0.6 && p.z < 0.93 && (line(p.y - 0.85) || line(p.y + 0.2) || line(p.y + 1.1)) {
        return black;
    }
    let dirt = 1.0 - 0.25 * smoothstep(0.6, 0.25, p.z);
    Surface { gloss: 0.45, ..Surface::dull(paint * dirt, 0.22 + 0.45 * paint.element_sum() / 3.0) }
}

fn car_cabin(p: Vec3, paint: Vec3, sill: f32, roof: f32) -> Surface {
    let height = (p.z - sill) / (roof - sill);
    // The pillars lean with the screens, the middle one stands upright.
    let pillar = p.x.abs() > 0.42 && ((p.y + 0.2).abs() < 0.045 || (p.y + 1.1).abs() < 0.05);
    let side_edge = p.x.abs() > 0.42 && (p.y - 0.85 + 0.75 * height).abs() < 0.06;
    if height > 0.06 && height < 0.86 && !pillar && !side_edge {
        let tint = Vec3::new(0.02, 0.025, 0.028);
        return Surface { gloss: 0.9, ..Surface::dull(tint, 0.04) };
    }
    Surface { gloss: 0.45, ..Surface::dull(paint, 0.22 + 0.45 * paint.element_sum() / 3.0) }
}

fn asphalt(p: Vec3, wear: f32) -> Surface {
    let patch = fractal(p * 0.35, 4);
    let grain = fractal(p * 22.0, 3);
    let broken = smoothstep(0.15, 0.4, noise(p * 0.23 + 4.0)) * wear;
    let crack = smoothstep(0.02, 0.0, (noise(p * 0.8 + 9.0) + 0.4 * noise(p * 4.0)).abs()) * broken;
    let light = (1.0 + 0.4 * patch + 0.3 * grain) * (1.0 - 0.5 * crack);
    Surface::dull(Vec3::new(0.125, 0.123, 0.12) * light, 0.17 * light)
}

fn grass(p: Vec3, dryness: f32) -> Surface {
    let dry = (dryness + 0.7 * fractal(p * 0.45, 4)).clamp(0.0, 1.0);
    let blade = 1.0 + 0.75 * fractal(p * Vec3::new(16.0, 7.0, 1.0), 4);
    let colour = Vec3::new(0.075, 0.115, 0.035).lerp(Vec3::new(0.23, 0.19, 0.1), dry);
    Surface::dull(colour * blade, (0.34 + 0.08 * dry) * blade)
}

fn concrete(p: Vec3) -> Surface {
    let slab = Vec3::new((p.x / 0.6).floor(), (p.y / 0.6).floor(), 0.0);
    let joint = |v: f32| smoothstep(0.03, 0.0, 0.5 - ((v / 0.6).fract().abs() - 0.5).abs());
    let light = (1.0 + 0.12 * noise(slab * 3.7) + 0.2 * fractal(p * 2.0, 4)) * (1.0 - 0.4 * joint(p.x).max(joint(p.y)));
    Surface::dull(Vec3::new(0.3, 0.29, 0.27) * light, 0.35 * light)
}

fn brick(p: Vec3, colour: Vec3) -> Surface {
    // Running bond: courses of 7.5 cm, bricks of 25 cm. Along the wall is whichever of x and y changes there.
    let course = (p.z / 0.075).floor();
    let run = (p.x + p.y) / 0.25 + 0.5 * (course as i32 & 1) as f32;
    let mortar = smoothstep(0.1, 0.0, 0.5 - ((p.z / 0.075).fract() - 0.5).abs()).max(smoothstep(
        0.05,
        0.0,
        0.5 - (run.fract().abs() - 0.5).abs(),
    ));
    let each = 1.0 + 0.25 * noise(Vec3::new(run.floor() * 1.7, course * 2.3, 0.5)) + 0.15 * fractal(p, 4);
    let albedo = (colour * each).lerp(Vec3::splat(0.32), 0.7 * mortar);
    Surface::dull(albedo, 0.4 * each)
}
