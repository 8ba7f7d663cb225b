//! What is drawn into a picture: zones and lines, boxes, incidents.

use std::time::Duration;

use super::{
    draw::{Colour, HEIGHT, Place, Surface, box_around, chain, dot, fill, line, text, text_width},
    journal::Journal,
    shapes::{Shape, shapes},
};
use crate::{config::Rule, rules::geometry::Point, sight::Condition, track::Track, vision::Rect};

/// A picture this high has letters of so many pixels for each of their own; smaller ones of one.
const LETTER: usize = 270;

/// What is drawn into pictures of a camera.
pub(super) struct Overlay {
    pub(super) rules: Vec<Rule>,
    pub(super) labels: Vec<String>,
}

impl Overlay {
    /// Zones and lines, boxes with their track numbers, the incidents of now, and the time.
    pub(super) fn draw(
        &self,
        picture: &mut impl Surface,
        at: Duration,
        tracks: &[Track],
        trouble: Option<Condition>,
        journal: &Journal,
    ) {
        let pen = Pen::of(picture.size());
        let shown: Vec<_> = journal.shown(at).collect();
        let mut drawn = Vec::new();
        for rule in &self.rules {
            let alarmed = shown.iter().any(|incident| incident.rule == rule.id.as_str());
            for shape in shapes(rule) {
                // Several rules may share a zone; red wins.
                if alarmed || !drawn.contains(&shape) {
                    pen.shape(picture, &shape, if alarmed { Colour::RED } else { Colour::BLUE });
                    drawn.push(shape);
                }
            }
        }
        for track in tracks {
            let alarmed = shown.iter().any(|incident| incident.tracks.contains(&track.id));
            let colour = match (alarmed, track.seen) {
                (true, _) => Colour::RED,
                (false, true) => Colour::GREEN,
                (false, false) => Colour::GREY,
            };
            let class = self.labels.get(usize::from(track.class)).map_or("?", String::as_str);
            pen.boxed(picture, &track.bbox, &format!("#{} {class} {:.2}", track.id, track.score), colour);
        }
        let mut words: Vec<(String, Colour)> = shown
            .iter()
            .map(|incident| {
                let tracks: String = incident.tracks.iter().map(|track| format!(" #{track}")).collect();
                let since = incident.opened.as_secs_f64();
                (format!("{} ({}){tracks} {since:.1} s", incident.rule, incident.kind), Colour::RED)
            })
            .collect();
        words.extend(trouble.map(|trouble| (trouble.as_str().to_owned(), Colour::AMBER)));
        for (row, (words, colour)) in words.iter().enumerate() {
            let margin = pen.letter * 4.0;
            pen.label(picture, Place::new(margin, margin + row as f32 * (pen.high() + pen.letter)), words, *colour);
        }
        let time = format!("{:.2} s", at.as_secs_f64());
        let bottom = picture.size().1 as f32 - pen.high() - pen.letter * 4.0;
        pen.label(picture, Place::new(pen.letter * 4.0, bottom), &time, Colour::BLACK);
    }
}

/// How thick and how large things are in a picture of one size.
struct Pen {
    width: f32,
    height: f32,
    scale: usize,
    letter: f32,
}

impl Pen {
    fn of((width, height): (usize, usize)) -> Self {
        let scale = ((height + 2 * LETTER / 3) / LETTER).max(1);
        Self { width: width as f32, height: height as f32, scale, letter: scale as f32 }
    }

    fn place(&self, point: &Point) -> Place {
        Place::new(point.x * self.width, point.y * self.height)
    }

    /// Height of a label.
    fn high(&self) -> f32 {
        self.letter * (HEIGHT + 4) as f32
    }

    /// Letters on a ground of their own, its top left corner at `at`.
    fn label(&self, picture: &mut impl Surface, at: Place, words: &str, ground: Colour) {
        let wide = text_width(words, self.scale) + 4.0 * self.letter;
        // Whole pixels, and inside.
        let left = at.x.round().min(self.width - wide).max(0.0);
        let top = at.y.round().min(self.height - self.high()).max(0.0);
        fill(picture, Place::new(left, top), Place::new(left + wide, top + self.high()), ground, 0.75);
        let inner = Place::new(left + 2.0 * self.letter, top + 2.0 * self.letter);
        text(picture, inner, words, self.scale, Colour::WHITE);
    }

    fn boxed(&self, picture: &mut impl Surface, bbox: &Rect, words: &str, colour: Colour) {
        let bbox = bbox.clip(1.0, 1.0);
        let from = self.place(&Point::new(bbox.x, bbox.y));
        let to = self.place(&Point::new(bbox.right(), bbox.bottom()));
        box_around(picture, from, to, self.letter + 1.0, colour);
        let above = from.y - self.high();
        self.label(picture, Place::new(from.x, if above < 0.0 { from.y } else { above }), words, colour);
    }

    fn shape(&self, picture: &mut impl Surface, shape: &Shape<'_>, colour: Colour) {
        let (id, points, closed) = match shape {
            Shape::Zone(id, points) => (id, points, true),
            Shape::Line(id, points) => (id, points, false),
        };
        let places: Vec<Place> = points.iter().map(|point| self.place(point)).collect();
        chain(picture, &places, closed, self.letter, colour);
        let Some(first) = places.first() else { return };
        if !closed {
            dot(picture, *first, 2.5 * self.letter, colour);
            places.windows(2).for_each(|pair| self.right_hand(picture, pair[0], pair[1], colour));
        }
        self.label(picture, Place::new(first.x + self.letter, first.y + self.letter), id, colour);
    }

    /// A short stroke on the right side of a line, as seen on the way from its first point to its second.
    fn right_hand(&self, picture: &mut impl Surface, from: Place, to: Place, colour: Colour) {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let length = dx.hypot(dy);
        if length > 0.0 {
            let (reach, middle) =
                (8.0 * self.letter / length, Place::new((from.x + to.x) / 2.0, (from.y + to.y) / 2.0));
            // y points down, so the right hand is a quarter turn with the clock.
            line(picture, middle, Place::new(middle.x - dy * reach, middle.y + dx * reach), self.letter, colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::{super::journal::Shown, *};
    use crate::config::sample;

    const CAMERA: &str = r#"
[[camera]]
id = "gate"
url = "rtsp://192.0.2.1/"
model = "yard-nano"
purpose = "test"
[camera.zone.yard]
points = [[0.1, 0.2], [0.9, 0.2], [0.9, 0.9], [0.1, 0.9]]
[camera.line.fence]
points = [[0.2, 0.5], [0.8, 0.5]]
[[camera.rule]]
id = "stays"
kind = "intrusion"
zone = "yard"
classes = ["person"]
[[camera.rule]]
id = "same-zone"
kind = "intrusion"
zone = "yard"
classes = ["person"]
[[camera.rule]]
id = "crosses"
kind = "line_crossing"
line = "fence"
classes = ["person"]
"#;

    fn overlay() -> Overlay {
        let folder = tempfile::tempdir().unwrap();
        let config = sample::load(folder.path(), &(sample::head("Asia/Almaty", &["en"]) + CAMERA));
        let camera = &config.cameras[0];
        Overlay { rules: camera.rules.clone(), labels: camera.model.labels.clone() }
    }

    fn drawn(journal: &Journal, seen: bool) -> RgbImage {
        let mut picture = RgbImage::from_pixel(400, 300, Rgb([60, 60, 60]));
        let second = Duration::from_secs(1);
        let track = Track {
            id: 7,
            class: 0,
            bbox: Rect { x: 0.5, y: 0.6, w: 0.1, h: 0.2 },
            score: 0.876,
            score_max: 0.9,
            seen,
            lost: false,
            first_seen: second,
            last_seen: second,
        };
        overlay().draw(&mut picture, 12 * second, &[track], None, journal);
        picture
    }

    #[test]
    fn colours_tell_what_is_the_matter() {
        // A line of one pixel between two pixels colours both by half.
        let tint = |picture: &RgbImage, x, y| {
            let [r, g, b] = picture.get_pixel(x, y).0.map(i32::from);
            match (r, g, b) {
                _ if r > g.max(b) + 50 => "red",
                _ if b > r.max(g) + 50 => "blue",
                _ if g > r.max(b) + 50 => "green",
                _ => "grey",
            }
        };
        // A side of the zone, the line, a side of the box.
        let looks = |picture: &RgbImage| [(360, 200), (260, 150), (200, 215)].map(|(x, y)| tint(picture, x, y));
        let quiet = Journal::default();
        assert_eq!(looks(&drawn(&quiet, true)), ["blue", "blue", "green"]);
        assert_eq!(looks(&drawn(&quiet, false)), ["blue", "blue", "grey"]);
        let opened = vec![Shown::opened("stays", 7, Duration::from_secs(10), true)];
        let alarm = Journal { shown: opened, ..Journal::default() };
        let picture = drawn(&alarm, true);
        assert_eq!(looks(&picture), ["red", "blue", "red"]);
        let reddish = |x, y| picture.get_pixel(x, y).0[0] > 150 && picture.get_pixel(x, y).0[1] < 60;
        assert!(reddish(5, 5), "the incident is named at the top");
        assert_eq!(picture.get_pixel(250, 100).0, [60, 60, 60], "and between all that the picture is as it was");
    }
}
