//! What cars do in the street.

use super::way::Way;
use super::{Plot, cast};
use crate::actor::Figure;
use crate::street::{CROSSING, HALF_ROAD};

/// The carriageway, as far as it is well in view.
const ROAD: [[f32; 2]; 4] = [[-HALF_ROAD, 40.0], [HALF_ROAD, 40.0], [HALF_ROAD, 9.6], [-HALF_ROAD, 9.6]];
/// In the side street, out of sight.
const FROM: [f32; 2] = [27.0, CROSSING + 2.5];
const TO: [f32; 2] = [27.0, CROSSING - 1.5];
/// Kilometres an hour in metres a second.
const KMH: f32 = 1.0 / 3.6;

/// A car that comes towards the camera at a speed, past 20 m at a time.
fn towards(at: f32, speed: f32) -> Way {
    let before = (FROM[0] + 1.8).hypot(0.5) + (CROSSING + 2.0 - 20.0);
    Way::from(at - before / speed, FROM[0], FROM[1]).to(speed, -1.8, CROSSING + 2.0).to(speed, -1.8, -4.0)
}

/// A car that drives away from the camera, past 20 m at a time.
fn away(at: f32, speed: f32) -> Way {
    Way::from(at - 24.0 / speed, 1.8, -4.0).to(speed, 1.8, CROSSING - 2.0).to(speed, TO[0], TO[1])
}

pub(super) fn wrong_way() -> Plot {
    let mut plot =
        Plot::street(60.0).zone("road", &ROAD).line("allowed", [1.8, 11.0], [1.8, 30.0]).rule("distance = \"4m\"\n");
    for (number, at) in [(3, 8.0), (4, 16.0), (5, 46.0)] {
        plot = plot.with(Figure::Car(cast::car(number)), away(at, 30.0 * KMH));
    }
    plot.with(Figure::Car(cast::car(1)), towards(30.0, 24.0 * KMH)).stays_count(4, 1.0)
}

pub(super) fn speed() -> Plot {
    let mut plot = Plot::street(60.0).zone("road", &ROAD).rule("over = \"40km/h\"\n");
    for (number, way) in [(3, away(10.0, 28.0 * KMH)), (5, towards(30.0, 62.0 * KMH)), (4, towards(46.0, 30.0 * KMH))] {
        plot = plot.with(Figure::Car(cast::car(number)), way);
    }
    plot.stays_count(2, 0.5)
}

pub(super) fn stopped_vehicle() -> Plot {
    const FOR: f32 = 20.0;
    let stops = Way::from(12.0, 2.4, -4.0)
        .to(6.0, 2.4, 11.0)
        .to(3.0, 2.5, 15.0)
        .to(1.2, 2.5, 16.0)
        .until(62.0)
        .to(1.5, 2.4, 17.5)
        .to(4.0, 2.0, 23.0)
        .to(8.0, 1.8, CROSSING - 2.0)
        .to(8.0, TO[0], TO[1]);
    // Waits for five seconds only.
    let pauses = Way::from(14.0, FROM[0], FROM[1])
        .to(8.0, -1.8, CROSSING + 2.0)
        .to(8.0, -1.8, 26.0)
        .to(3.0, -1.8, 22.0)
        .until(38.0)
        .to(3.0, -1.8, 18.0)
        .to(8.0, -1.8, -4.0);
    let mut plot = Plot::street(80.0)
        .zone("no-stopping", &ROAD)
        .rule("dwell = \"20s\"\n")
        .with(Figure::Car(cast::car(1)), stops)
        .with(Figure::Car(cast::car(6)), pauses)
        .with(Figure::Car(cast::car(4)), towards(70.0, 30.0 * KMH));
    let still =
        |t: f32| plot.actor(1).and_then(|car| car.path.moment(t, plot.period)).is_some_and(|moment| moment.speed < 0.1);
    let halts = super::way::spans(plot.period, still);
    for halt in halts.into_iter().filter(|(from, to)| to - from > FOR) {
        plot.event(&[1], halt, FOR);
    }
    plot
}
