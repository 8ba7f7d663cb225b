//! A room with a floor, things, persons with boxes, light and a sensor.

use std::time::Duration;

use super::super::{Patch, Scenery, ScenerySettings, background::Cell};
use crate::{
    rules::geometry::{Point, Polygon},
    vision::{Layout, Matrix, Planes, Range, Rect},
};

const WIDTH: usize = 640;
const HEIGHT: usize = 360;

pub(super) const FLOOR: f32 = 120.0;

/// Fog is lighter than the floor.
const FOG: f32 = 150.0;

/// A bag of half a metre, ten metres off.
pub(super) const BAG: Thing = Thing { place: (300, 200, 22, 20), luma: 60.0, gain: 0.0 };

/// Something that is lighter or darker than the floor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing {
    /// Left, top, width and height in pixels.
    pub(super) place: (usize, usize, usize, usize),
    pub(super) luma: f32,
    /// How much of the floor is seen through it: a shadow.
    pub(super) gain: f32,
}

impl Thing {
    /// In shares of a picture of 640 x 360.
    pub(super) fn rect(&self) -> Rect {
        let (x, y, w, h) = self.place;
        let (width, height) = (WIDTH as f32, HEIGHT as f32);
        Rect { x: x as f32 / width, y: y as f32 / height, w: w as f32 / width, h: h as f32 / height }
    }
}

/// All but the picture's left and right fifth and its upper quarter.
pub(super) fn zone() -> Polygon {
    let corners = [(0.2, 0.25), (0.8, 0.25), (0.8, 0.95), (0.2, 0.95)];
    Polygon::new(corners.iter().map(|(x, y)| Point::new(*x, *y)).collect()).unwrap()
}

pub(super) struct Stage {
    pub(super) scenery: Scenery,
    size: (usize, usize),
    random: fastrand::Rng,
    /// Nearly normal numbers; a row of pixels takes some of them from anywhere.
    normal: Vec<f32>,
    pub(super) now: Duration,
    /// Looks a second.
    pub(super) rate: f32,
    /// Deviation of the noise, in steps of luma.
    pub(super) noise: f32,
    /// Contrast of the ground's texture.
    pub(super) texture: f32,
    pub(super) gain: f32,
    pub(super) things: Vec<Thing>,
    /// Left and top of persons of 40 x 80 pixels, with boxes around them.
    pub(super) persons: Vec<(usize, usize)>,
    /// Boxes without persons.
    pub(super) boxes: Vec<Rect>,
    /// Middle of a soft light, its width and how bright it is.
    pub(super) lamp: Option<(f32, f32, f32, f32)>,
    /// Fog: how much of it is before everything.
    pub(super) veil: f32,
    /// Left edge, width and depth of a shadow over the whole height.
    pub(super) shadow: Option<(f32, f32, f32)>,
    most: usize,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with(vec![zone()], ScenerySettings::default())
    }

    pub(super) fn with(zones: Vec<Polygon>, settings: ScenerySettings) -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        // Twelve uniform numbers make a nearly normal one, four do here.
        let mut normal = || (0..4).map(|_| random.f32() - 0.5).sum::<f32>() * 3.0_f32.sqrt();
        let normal = (0..1 << 16).map(|_| normal()).collect();
        Self {
            normal,
            scenery: Scenery::new(zones, settings),
            size: (WIDTH, HEIGHT),
            random,
            now: Duration::from_secs(1000),
            rate: 5.0,
            noise: 2.0,
            texture: 0.0,
            gain: 1.0,
            things: Vec::new(),
            persons: Vec::new(),
            boxes: Vec::new(),
            lamp: None,
            veil: 0.0,
            shadow: None,
            most: 0,
        }
    }

    pub(super) fn resize(&mut self, width: usize, height: usize) {
        self.size = (width, height);
    }

    /// Looks at the room until it is known.
    pub(super) fn learn(&mut self) {
        self.run(12.0);
    }

    pub(super) fn run(&mut self, seconds: f32) {
        for _ in 0..(seconds * self.rate).round() as usize {
            self.look();
        }
    }

    /// Somebody walks from here to there, in so many seconds.
    pub(super) fn walk(&mut self, from: (usize, usize), to: (usize, usize), seconds: f32) -> (usize, usize) {
        let steps = (seconds * self.rate) as usize;
        for step in 0..steps {
            let between = |a: usize, b: usize| (a * (steps - step) + b * step) / steps;
            self.persons.push((between(from.0, to.0), between(from.1, to.1)));
            self.look();
            self.persons.pop();
        }
        to
    }

    pub(super) fn patches(&self) -> Vec<Patch> {
        self.scenery.spots.patches().to_vec()
    }

    /// The most that was ever listed at once.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// So many cells hold something that is not usual and stands still.
    pub(super) fn still(&self) -> usize {
        self.scenery.background.still().iter().filter(|still| **still).count()
    }

    /// The most by which a cell is off what is usual there.
    pub(super) fn most_off(&self) -> f32 {
        self.scenery.background.cells.iter().map(Cell::off).fold(0.0, f32::max)
    }

    pub(super) fn look(&mut self) {
        let luma = self.luma();
        let (width, height) = self.size;
        let boxes = self.persons.iter().map(|(x, y)| Thing { place: (*x, *y, 40, 80), ..BAG }.rect());
        let boxes = boxes.chain(self.boxes.iter().copied()).collect::<Vec<_>>();
        self.now += Duration::from_secs_f32(1.0 / self.rate);
        let patches = self.scenery.look(self.now, &planes(&luma, width, height), &boxes);
        self.most = self.most.max(patches.len());
    }

    /// A picture that ends too early.
    pub(super) fn cut_off(&mut self) {
        let (width, height) = self.size;
        self.scenery.look(self.now, &planes(&[0; 100], width, height), &[]);
    }

    fn luma(&mut self) -> Vec<u8> {
        let (width, height) = self.size;
        let mut floor = vec![FLOOR; width * height];
        for (at, floor) in
            floor.iter_mut().enumerate().filter(|_| self.texture != 0.0 || self.lamp.is_some() || self.shadow.is_some())
        {
            let (x, y) = (at % width, at / width);
            // Tiles of four pixels, light and dark by chance.
            let tile = ((x / 4) * 7919 + (y / 4) * 104_729) % 1009;
            *floor += self.texture * (tile as f32 / 504.0 - 1.0);
            if let Some((left, wide, depth)) = self.shadow {
                let inside = (x as f32 + 1.0 - left).clamp(0.0, 1.0) * (left + wide - x as f32).clamp(0.0, 1.0);
                *floor -= depth * inside;
            }
            if let Some((cx, cy, wide, bright)) = self.lamp {
                let off = ((x as f32 - cx).powi(2) + (y as f32 - cy).powi(2)) / (wide * wide);
                *floor += bright * (-off).exp();
            }
        }
        for (x, y) in &self.persons {
            paint(&mut floor, width, (*x, *y, 40, 80), |_| 40.0);
        }
        for thing in &self.things {
            paint(&mut floor, width, thing.place, |ground| thing.luma + thing.gain * ground);
        }
        floor.iter_mut().for_each(|pixel| *pixel += self.veil * (FOG - *pixel));
        let Self { random, normal, noise, gain, .. } = self;
        let mut luma = Vec::with_capacity(floor.len());
        for row in floor.chunks_exact(width) {
            let from = random.usize(0..normal.len() - width);
            let pixels = row.iter().zip(&normal[from..]);
            luma.extend(pixels.map(|(light, normal)| (light * *gain + *noise * normal + 0.5) as u8));
        }
        luma
    }
}

fn paint(floor: &mut [f32], width: usize, (x, y, w, h): (usize, usize, usize, usize), colour: impl Fn(f32) -> f32) {
    for row in floor.chunks_exact_mut(width).skip(y).take(h) {
        row[x..x + w].iter_mut().for_each(|pixel| *pixel = colour(*pixel));
    }
}

fn planes(luma: &[u8], width: usize, height: usize) -> Planes<'_> {
    // Colour is not looked at, but has to be there.
    static GREY: [u8; 640 * 720] = [128; 640 * 720];
    let layout = Layout::Nv12 { y: luma, uv: &GREY, y_stride: width, uv_stride: width };
    Planes { width, height, layout, range: Range::Full, matrix: Matrix::Bt601 }
}
