//! Puts the moving objects into the static picture: coverage, colour, shadow.

use glam::{Vec2, Vec3};

use crate::actor::Body;
use crate::backdrop::{Backdrop, Plate};
use crate::light::Mode;
use crate::place::Place;
use crate::raster::{Rect, Sample, Seen, Visibility};
use crate::shadow::Shadow;

/// The static side of a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) place: &'a Place,
    pub(crate) backdrop: &'a Backdrop,
    pub(crate) plate: &'a Plate,
    pub(crate) mode: Mode,
}

/// A body, as the camera sees it and as it stands in the light.
struct Cast<'a> {
    body: &'a Body,
    seen: Seen<'a>,
    shadow: Shadow,
    /// The pixels it may change.
    influence: Rect,
}

/// Draws `bodies` onto `canvas`, which holds the stage's empty picture.
pub(crate) fn compose(stage: &Stage, bodies: &[Body], canvas: &mut [Vec3]) {
    let casts: Vec<Cast> = bodies.iter().filter_map(|body| stage.cast(body)).collect();
    // What overlaps is drawn together, so that shadows meet and nearer hides farther.
    let mut groups: Vec<(Rect, Vec<&Cast>)> = Vec::new();
    for cast in &casts {
        let (mut area, mut members) = (cast.influence, vec![cast]);
        while let Some(index) = groups.iter().position(|(other, _)| other.overlaps(area)) {
            let (other, more) = groups.swap_remove(index);
            area = area.union(other);
            members.extend(more);
        }
        groups.push((area, members));
    }
    for (area, members) in &groups {
        stage.draw(*area, members, canvas);
    }
}

impl Stage<'_> {
    fn size(&self) -> Vec2 {
        Vec2::new(self.backdrop.width as f32, self.backdrop.height as f32)
    }

    fn cast<'a>(&self, body: &'a Body) -> Option<Cast<'a>> {
        let camera = &self.place.camera;
        let (width, height) = (self.backdrop.width as i32, self.backdrop.height as i32);
        let middle = body.mesh.vertices.iter().map(|v| v.position).sum::<Vec3>() / body.mesh.vertices.len() as f32;
        let to_light = self.place.lighting(self.mode).towards(middle);
        let seen = Seen::new(&body.mesh, camera, self.size() * 2.0);
        // The outline and its shadow on the ground; whatever the shadow falls on before that lies between the two.
        let grounded = |p: Vec3| p - to_light * (p.z / to_light.z.max(0.1));
        let shadows = body.mesh.vertices.iter().filter_map(|v| camera.project(grounded(v.position), self.size()));
        let contacts = body.contacts.iter().flat_map(|c| c.corners());
        let contacts = contacts.filter_map(|corner| camera.project(corner, self.size()));
        let flat = shadows.chain(contacts).map(|p| p.at);
        let points = seen.points.iter().flatten().map(|p| p.at * 0.5).chain(flat);
        let influence = Rect::around(points, 6, Rect { left: 0, top: 0, width, height })?;
        Some(Cast { body, seen, shadow: Shadow::new(&body.mesh, to_light), influence })
    }

    fn draw(&self, area: Rect, casts: &[&Cast], canvas: &mut [Vec3]) {
        let mut visible = Visibility::new(area.doubled());
        for (index, cast) in casts.iter().enumerate() {
            cast.seen.draw(&mut visible, index as u16);
        }
        let colours = self.colours(&visible, casts);
        let mut pixel_row = vec![(Vec3::ZERO, 0.0, 0.0); area.width as usize];
        for y in 0..area.height {
            for (x, out) in pixel_row.iter_mut().enumerate() {
                *out = resolve(&colours, area, x as i32, y);
            }
            for (x, &(colour, cover, nearness)) in pixel_row.iter().enumerate() {
                let pixel = (area.top + y) as usize * self.backdrop.width + area.left as usize + x;
                if let Some(value) = self.pixel(pixel, casts, colour, cover, nearness) {
                    canvas[pixel] = value;
                }
            }
        }
    }

    /// Premultiplied colour, coverage and nearness of every sample.
    fn colours(&self, visible: &Visibility, casts: &[&Cast]) -> Vec<(Vec3, f32)> {
        let area = visible.area;
        let mut colours = vec![(Vec3::ZERO, 0.0); visible.samples.len()];
        let static_width = self.backdrop.width * 2;
        for y in (0..area.height).step_by(2) {
            for x in (0..area.width).step_by(2) {
                let four = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
                let mut shaded: [Option<(u16, u32, Vec3)>; 4] = [None; 4];
                for (slot, (x, y)) in four.into_iter().enumerate() {
                    let index = (y * area.width + x) as usize;
                    let sample = visible.samples[index];
                    let behind = (area.top + y) as usize * static_width + (area.left + x) as usize;
                    if sample.nearness <= self.backdrop.nearness[behind] {
                        continue;
                    }
                    let cast = casts[sample.mesh as usize];
                    let material = cast.seen.mesh.triangles[sample.triangle as usize].material;
                    // Samples of one surface share a colour, as in hardware multisampling.
                    let known = shaded.iter().flatten().find(|s| (s.0, s.1) == (sample.mesh, material)).map(|s| s.2);
                    let at = Vec2::new((area.left + x) as f32 + 0.5, (area.top + y) as f32 + 0.5);
                    let Some(colour) = known.or_else(|| self.shade(cast, casts, sample, at)) else { continue };
                    shaded[slot] = Some((sample.mesh, material, colour));
                    colours[index] = (colour, sample.nearness);
                }
            }
        }
        colours
    }

    fn shade(&self, cast: &Cast, casts: &[&Cast], sample: Sample, at: Vec2) -> Option<Vec3> {
        let triangle = sample.triangle as usize;
        let vertex = cast.seen.vertex(triangle, at)?;
        let material = &cast.seen.mesh.materials[cast.seen.mesh.triangles[triangle].material as usize];
        let lighting = self.place.lighting(self.mode);
        let view = (self.place.camera.position - vertex.position).normalize_or(Vec3::Z);
        // Seen edge-on, interpolation can tip a normal away from the eye.
        let away = vertex.normal.dot(view).min(0.0);
        let normal = (vertex.normal - view * away).normalize_or(view);
        let (ambient, direct) = lighting.shade(&material.surface(vertex.local), vertex.position, normal, view);
        // Less sky reaches the legs than the shoulders.
        let open = 0.68 + 0.32 * (vertex.position.z / 1.2).clamp(0.0, 1.0);
        let lit = if direct == Vec3::ZERO {
            0.0
        } else {
            let moving: f32 = casts.iter().map(|c| c.shadow.light(vertex.position)).fold(1.0, f32::min);
            if moving > 0.0 { moving * self.place.light(vertex.position, normal, lighting) } else { 0.0 }
        };
        Some(ambient * open + direct * lit)
    }

    /// The new value of `pixel`, or `None` where nothing changes.
    fn pixel(&self, pixel: usize, casts: &[&Cast], colour: Vec3, cover: f32, nearness: f32) -> Option<Vec3> {
        let backdrop = self.backdrop;
        let (mut ambient, mut direct) = (self.plate.ambient[pixel], self.plate.direct[pixel]);
        let mut changed = cover > 0.0;
        if cover < 1.0 {
            let sample = pixel / backdrop.width * 4 * backdrop.width + pixel % backdrop.width * 2;
            if backdrop.nearness[sample] > 0.0 {
                let p = backdrop.position(self.place, pixel, backdrop.nearness[sample]);
                let lit = casts.iter().map(|c| c.shadow.light(p)).fold(1.0, f32::min);
                let low = if p.z < 0.15 { 1.0 } else { 0.0 };
                let open: f32 = casts.iter().flat_map(|c| &c.body.contacts).map(|c| c.light(p.truncate())).product();
                let open = 1.0 - (1.0 - open) * low;
                changed |= lit < 1.0 || open < 0.995;
                ambient *= open;
                direct *= lit;
            }
        }
        if !changed {
            return None;
        }
        let (wire, wire_nearness) = backdrop.veil[pixel];
        let behind = ambient + direct;
        if wire == 0.0 {
            return Some(colour + behind * (1.0 - cover));
        }
        let wire_colour = backdrop.veil_colour(self.place, self.mode, pixel, wire_nearness);
        Some(if nearness < wire_nearness {
            (colour + behind * (1.0 - cover)).lerp(wire_colour, wire)
        } else {
            colour + behind.lerp(wire_colour, wire) * (1.0 - cover)
        })
    }
}

/// Filters the samples around pixel (x, y) of `area` with a tent four samples wide: premultiplied colour, coverage and
/// the greatest nearness.
fn resolve(colours: &[(Vec3, f32)], area: Rect, x: i32, y: i32) -> (Vec3, f32, f32) {
    const TENT: [f32; 4] = [0.125, 0.375, 0.375, 0.125];
    let (width, height) = (area.width * 2, area.height * 2);
    let (mut sum, mut cover, mut near) = (Vec3::ZERO, 0.0, 0.0_f32);
    for (dy, across) in (-1..3).zip(TENT) {
        for (dx, down) in (-1..3).zip(TENT) {
            let (sx, sy) = ((x * 2 + dx).clamp(0, width - 1), (y * 2 + dy).clamp(0, height - 1));
            let (colour, nearness) = colours[(sy * width + sx) as usize];
            if nearness > 0.0 {
                sum += colour * (across * down);
                cover += across * down;
                near = near.max(nearness);
            }
        }
    }
    (sum, cover, near)
}
