//! What it costs to make an input tensor out of a decoded picture.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use karaul::vision::{Colour, Input, Layout, Matrix, Planes, Preparer, Range, Resize};

fn prepare(criterion: &mut Criterion) {
    let input = Input {
        name: "images".to_owned(),
        size: [384, 640],
        colour: Colour::Bgr,
        mean: [103.53, 116.28, 123.675],
        std: [57.375, 57.12, 58.395],
        resize: Resize::Letterbox,
        fill: 114,
    };
    let mut group = criterion.benchmark_group("prepare to 384x640");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for (width, height) in [(1920, 1080), (1280, 720), (768, 432), (640, 360)] {
        let mut random = fastrand::Rng::with_seed(1);
        let half = width / 2;
        let y: Vec<u8> = (0..width * height).map(|_| random.u8(16..=235)).collect();
        let uv: Vec<u8> = (0..width * height / 2).map(|_| random.u8(16..=240)).collect();
        let (u, v) = uv.split_at(uv.len() / 2);
        let layouts = [
            ("I420", Layout::I420 { y: &y, u, v, y_stride: width, u_stride: half, v_stride: half }),
            ("NV12", Layout::Nv12 { y: &y, uv: &uv, y_stride: width, uv_stride: width }),
        ];
        for (name, layout) in layouts {
            let planes = Planes { width, height, layout, range: Range::Limited, matrix: Matrix::Bt709 };
            let mut preparer = Preparer::new(&input);
            group.throughput(Throughput::Elements(1));
            group.bench_function(format!("{width}x{height} {name}"), |bench| {
                bench.iter(|| preparer.prepare(black_box(&planes)).map(|(tensor, _)| tensor[0]));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, prepare);
criterion_main!(benches);
