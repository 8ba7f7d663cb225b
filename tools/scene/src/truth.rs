//! Where the objects are in the picture, and how much of each can be seen.

use glam::Vec2;

use crate::actor::Body;
use crate::backdrop::Backdrop;
use crate::object::SceneObject;
use crate::place::Place;
use crate::raster::{Rect, Seen, Visibility};

/// Less than this share visible, or fewer pixels than the next, is not in the picture for anyone who looks at it.
const LEAST_SHARE: f32 = 0.02;
const LEAST_PIXELS: f32 = 12.0;

/// The objects of a picture. Measured on its own pixels, so it costs about a tenth of a rendering.
pub(crate) fn objects(place: &Place, backdrop: &Backdrop, bodies: &[Body]) -> Vec<SceneObject> {
    let (width, height) = (backdrop.width as i32, backdrop.height as i32);
    let picture = Rect { left: 0, top: 0, width, height };
    let size = Vec2::new(width as f32, height as f32);
    let seen: Vec<Seen> = bodies.iter().map(|body| Seen::new(&body.mesh, &place.camera, size)).collect();
    let mut together = Visibility::new(picture);
    for (index, one) in seen.iter().enumerate() {
        one.draw(&mut together, index as u16);
    }
    bodies
        .iter()
        .zip(&seen)
        .enumerate()
        .filter_map(|(index, (body, one))| {
            // The border is moved out so far that anything partly in the picture is whole.
            let wide = Rect { left: -width, top: -height, width: 3 * width, height: 3 * height };
            let points = || one.points.iter().flatten().map(|p| p.at);
            let mut alone = Visibility::new(Rect::around(points(), 1, wide)?);
            one.draw(&mut alone, 0);
            let whole = alone.samples.iter().filter(|s| s.nearness > 0.0).count() as f32;
            let (low, high) = points().fold((Vec2::MAX, Vec2::MIN), |(low, high), p| (low.min(p), high.max(p)));

            let (mut amount, mut first, mut last) = (0.0, Vec2::MAX, Vec2::MIN);
            let (left, top) = (low.x.clamp(0.0, size.x) as usize, low.y.clamp(0.0, size.y) as usize);
            for y in top..(high.y.ceil().clamp(0.0, size.y) as usize) {
                for x in left..(high.x.ceil().clamp(0.0, size.x) as usize) {
                    let pixel = y * backdrop.width + x;
                    let sample = together.samples[pixel];
                    let behind = backdrop.nearness[y * 4 * backdrop.width + x * 2];
                    if sample.nearness == 0.0 || sample.mesh != index as u16 || sample.nearness <= behind {
                        continue;
                    }
                    let (wire, wire_nearness) = backdrop.veil[pixel];
                    amount += if wire_nearness > sample.nearness { 1.0 - wire } else { 1.0 };
                    let at = Vec2::new(x as f32, y as f32);
                    (first, last) = (first.min(at), last.max(at + 1.0));
                }
            }
            if amount < LEAST_PIXELS || amount < LEAST_SHARE * whole {
                return None;
            }
            // The outline is known more exactly than to the pixel: use it where nothing hides it.
            let exact = |outline: f32, pixels: f32| if (outline - pixels).abs() < 1.5 { outline } else { pixels };
            let from = Vec2::new(exact(low.x, first.x), exact(low.y, first.y)).max(Vec2::ZERO) / size;
            let to = Vec2::new(exact(high.x, last.x), exact(high.y, last.y)).min(size) / size;
            Some(SceneObject {
                id: body.id,
                class: body.class,
                bbox: [from.x, from.y, to.x - from.x, to.y - from.y],
                visible: (amount / whole.max(1.0)).min(1.0),
                cut_by_border: low.min_element() < 0.0 || high.x > size.x || high.y > size.y,
            })
        })
        .collect()
}
