//! What a look at the scenery costs, with the whole picture as one zone, a bag in it and somebody before the wall.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use karaul::{
    rules::geometry::{Point, Polygon},
    scenery::{Scenery, ScenerySettings},
    vision::{Layout, Matrix, Planes, Range, Rect},
};

const LOOK: Duration = Duration::from_millis(200);

fn scenery(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("look at the scenery");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for (width, height) in [(1920, 1080), (1280, 720), (640, 360)] {
        let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
        let Ok(zone) = Polygon::new(corners.to_vec()) else { continue };
        let mut random = fastrand::Rng::with_seed(1);
        let uv = vec![128; width * height];
        let mut picture = |bag: bool| {
            let inside =
                |x: usize, y: usize| (width / 2..width / 2 + width / 30).contains(&x) && y / (height / 18) == 10;
            let pixel = |at: usize| if bag && inside(at % width, at / width) { 30 } else { 110 + random.u8(0..12) };
            (0..width * height).map(pixel).collect::<Vec<u8>>()
        };
        let pictures = [picture(false), picture(false), picture(true), picture(true)];
        let person = [Rect { x: 0.2, y: 0.2, w: 0.1, h: 0.3 }];
        let mut scenery = Scenery::new(vec![zone], ScenerySettings::default());
        let mut at = Duration::ZERO;
        let mut look = |picture: &[u8]| {
            at += LOOK;
            let layout = Layout::Nv12 { y: picture, uv: &uv, y_stride: width, uv_stride: width };
            let planes = Planes { width, height, layout, range: Range::Limited, matrix: Matrix::Bt709 };
            scenery.look(at, black_box(&planes), &person).len()
        };
        (0..100).for_each(|index| _ = look(&pictures[index % 2]));
        (0..30).for_each(|index| _ = look(&pictures[2 + index % 2]));
        let mut index = 0;
        group.bench_function(format!("{width}x{height}"), |bench| {
            bench.iter(|| {
                index += 1;
                look(&pictures[2 + index % 2])
            });
        });
    }
    group.finish();
}

criterion_group!(benches, scenery);
criterion_main!(benches);
