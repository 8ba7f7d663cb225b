use proptest::prelude::*;

use super::{axis, *};
use crate::vision::{Matrix, Range};

fn input(size: [usize; 2], colour: Colour, resize: Resize) -> Input {
    Input { name: "images".to_owned(), size, colour, mean: [0.0; 3], std: [1.0; 3], resize, fill: 114 }
}

/// Samples of a picture and the layouts they can be given in.
#[derive(Clone, Debug)]
struct Picture {
    width: usize,
    height: usize,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
    range: Range,
    matrix: Matrix,
}

impl Picture {
    fn chroma(&self) -> (usize, usize) {
        (self.width.div_ceil(2), self.height.div_ceil(2))
    }

    fn planes<'a>(&self, layout: Layout<'a>) -> Planes<'a> {
        Planes { width: self.width, height: self.height, layout, range: self.range, matrix: self.matrix }
    }

    fn i420(&self) -> Planes<'_> {
        let half = self.chroma().0;
        self.planes(Layout::I420 {
            y: &self.y,
            u: &self.u,
            v: &self.v,
            y_stride: self.width,
            u_stride: half,
            v_stride: half,
        })
    }
}

fn picture(max: usize) -> impl Strategy<Value = Picture> {
    (1..=max, 1..=max, any::<u64>(), any::<bool>(), any::<bool>()).prop_map(|(width, height, seed, full, hd)| {
        let mut random = fastrand::Rng::with_seed(seed);
        let (half_w, half_h) = (width.div_ceil(2), height.div_ceil(2));
        let mut noise = |n: usize| (0..n).map(|_| random.u8(..)).collect::<Vec<u8>>();
        Picture {
            width,
            height,
            y: noise(width * height),
            u: noise(half_w * half_h),
            v: noise(half_w * half_h),
            range: if full { Range::Full } else { Range::Limited },
            matrix: if hd { Matrix::Bt709 } else { Matrix::Bt601 },
        }
    })
}

fn resize() -> impl Strategy<Value = Resize> {
    prop_oneof![Just(Resize::Letterbox), Just(Resize::LetterboxCentred), Just(Resize::Stretch)]
}

/// Copies rows apart, with rubbish between them.
fn pad(plane: &[u8], width: usize, stride: usize) -> Vec<u8> {
    plane.chunks(width).flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0xEE, stride - width))).collect()
}

fn shares(i: usize, from: usize, to: usize) -> (usize, Vec<f64>) {
    let ratio = from as f64 / to as f64;
    if ratio >= 2.0 { axis::area(i, ratio, from) } else { axis::linear(i, ratio, from) }
}

/// The same in the plainest way: exact weights, 64-bit floats, one pixel after the other.
fn sample(plane: &[u8], size: (usize, usize), fit: &Fit, at: (usize, usize)) -> f64 {
    let (first_x, across) = shares(at.0, size.0, fit.width);
    let (first_y, down) = shares(at.1, size.1, fit.height);
    let mut sum = 0.0;
    for (j, wy) in down.iter().enumerate() {
        for (i, wx) in across.iter().enumerate() {
            sum += f64::from(plane[(first_y + j) * size.0 + first_x + i]) * wx * wy;
        }
    }
    sum
}

fn to_rgb(range: Range, matrix: Matrix, [y, u, v]: [f64; 3]) -> [f64; 3] {
    let (y, u, v) = match range {
        Range::Limited => ((y - 16.0) * 255.0 / 219.0, (u - 128.0) * 255.0 / 224.0, (v - 128.0) * 255.0 / 224.0),
        Range::Full => (y, u - 128.0, v - 128.0),
    };
    // The coefficients as they are printed in BT.601 and BT.709.
    match matrix {
        Matrix::Bt601 => [y + 1.402 * v, y - 0.344_136 * u - 0.714_136 * v, y + 1.772 * u],
        Matrix::Bt709 => [y + 1.5748 * v, y - 0.187_324 * u - 0.468_124 * v, y + 1.8556 * u],
    }
    .map(|c| c.clamp(0.0, 255.0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_plain_way(picture in picture(90), size in (1usize..40, 1usize..40), resize in resize(), bgr: bool) {
        let input = input([size.0, size.1], if bgr { Colour::Bgr } else { Colour::Rgb }, resize);
        let mut preparer = Preparer::new(&input);
        let (tensor, fit) = preparer.prepare(&picture.i420()).expect("planes are whole");
        // Weights down the columns have 8 bits, each up to one step off in the worst case, which
        // colour conversion multiplies by at most 1.2 for luma and 2.2 for chroma.
        let taps = (picture.height as f64 / fit.height as f64).max(1.0) + 1.0;
        let bound = 0.25 + taps / 256.0 * 255.0 * (1.2 + 2.2);
        let (mut worst, mut total) = (0.0f64, 0.0);
        for row in 0..size.0 {
            for column in 0..size.1 {
                let inside = (fit.y..fit.y + fit.height).contains(&row) && (fit.x..fit.x + fit.width).contains(&column);
                let wanted = if inside {
                    let at = (column - fit.x, row - fit.y);
                    let yuv = [
                        sample(&picture.y, (picture.width, picture.height), &fit, at),
                        sample(&picture.u, picture.chroma(), &fit, at),
                        sample(&picture.v, picture.chroma(), &fit, at),
                    ];
                    to_rgb(picture.range, picture.matrix, yuv)
                } else {
                    [114.0; 3]
                };
                for (c, wanted) in wanted.iter().enumerate() {
                    let plane = if bgr { 2 - c } else { c };
                    let error = (f64::from(tensor[(plane * size.0 + row) * size.1 + column]) - wanted).abs();
                    worst = worst.max(error);
                    total += error;
                }
            }
        }
        prop_assert!(worst <= bound, "worst {worst} of {bound}");
        // A row's weights are rounded once for all of its columns, so over a few rows that averages out less.
        let (count, rows) = (3 * size.0 * size.1, size.0 as f64);
        let (mean, most) = (total / count as f64, 0.6 * (12.0 / rows).sqrt().max(1.0));
        prop_assert!(count < 300 && size.0 < 12 || mean < most, "mean {mean} of {most}");
    }

    #[test]
    fn nv12_equals_i420_and_strides_are_honoured(picture in picture(60), size in (1usize..40, 1usize..40), resize in resize(), extra in 0usize..9) {
        let input = input([size.0, size.1], Colour::Bgr, resize);
        let wanted = Preparer::new(&input).prepare(&picture.i420()).expect("planes are whole").0.to_vec();
        let half = picture.chroma().0;
        let (y_stride, c_stride) = (picture.width + extra, 2 * half + extra);
        let y = pad(&picture.y, picture.width, y_stride);
        let uv: Vec<u8> = picture.u.iter().zip(&picture.v).flat_map(|(&u, &v)| [u, v]).collect();
        let uv = pad(&uv, 2 * half, c_stride);
        let nv12 = picture.planes(Layout::Nv12 { y: &y, uv: &uv, y_stride, uv_stride: c_stride });
        let mut preparer = Preparer::new(&input);
        prop_assert_eq!(preparer.prepare(&nv12).expect("planes are whole").0, &wanted[..]);
        let (u, v) = (pad(&picture.u, half, half + extra), pad(&picture.v, half, half + 2 * extra));
        let i420 = picture.planes(Layout::I420 { y: &y, u: &u, v: &v, y_stride, u_stride: half + extra, v_stride: half + 2 * extra });
        prop_assert_eq!(preparer.prepare(&i420).expect("planes are whole").0, &wanted[..]);
    }

    #[test]
    fn one_colour_stays_that_colour(
        from in (1usize..2000, 1usize..50), size in (1usize..40, 1usize..40), colour: [u8; 3], full: bool, hd: bool,
    ) {
        let (range, matrix) = (if full { Range::Full } else { Range::Limited }, if hd { Matrix::Bt709 } else { Matrix::Bt601 });
        let mut input = input([size.0, size.1], Colour::Rgb, Resize::Stretch);
        (input.mean, input.std) = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]);
        let (width, height) = from;
        let half = width.div_ceil(2);
        let [y, u, v] = colour.map(|c| vec![c; width * height]);
        let layout = Layout::I420 { y: &y, u: &u, v: &v, y_stride: width, u_stride: half, v_stride: half };
        let yuv = Planes { width, height, layout, range, matrix };
        let rgb: Vec<u8> = colour.iter().copied().cycle().take(3 * width * height).collect();
        let rgb = Planes { layout: Layout::Rgb { rgb: &rgb, stride: 3 * width }, ..yuv };
        for (planes, wanted) in [(yuv, to_rgb(range, matrix, colour.map(f64::from))), (rgb, colour.map(f64::from))] {
            let mut preparer = Preparer::new(&input);
            let (tensor, _) = preparer.prepare(&planes).expect("planes are whole");
            for (plane, wanted) in wanted.iter().enumerate() {
                let wanted = (wanted - f64::from(input.mean[plane])) / f64::from(input.std[plane]);
                for &value in &tensor[plane * size.0 * size.1..][..size.0 * size.1] {
                    prop_assert!((f64::from(value) - wanted).abs() < 1e-4, "{value} is not {wanted}");
                }
            }
        }
    }
}

#[test]
fn a_picture_of_another_size_or_layout_leaves_nothing_behind() {
    let input = input([24, 32], Colour::Rgb, Resize::LetterboxCentred);
    let grey = |width: usize, height: usize| (vec![90; 3 * width * height], width, height);
    let mut preparer = Preparer::new(&input);
    for (rgb, width, height) in [grey(64, 10), grey(10, 64), grey(32, 24), grey(64, 10)] {
        let stride = 3 * width;
        let layout = Layout::Rgb { rgb: &rgb, stride };
        let planes = Planes { width, height, layout, range: Range::Full, matrix: Matrix::Bt601 };
        let fresh = Preparer::new(&input).prepare(&planes).expect("planes are whole").0.to_vec();
        assert_eq!(preparer.prepare(&planes).expect("planes are whole").0, fresh);
        let (y, chroma) = (vec![90; width * height], vec![128; width.div_ceil(2) * height.div_ceil(2)]);
        let half = width.div_ceil(2);
        let layout = Layout::I420 { y: &y, u: &chroma, v: &chroma, y_stride: width, u_stride: half, v_stride: half };
        let yuv = Planes { layout, ..planes };
        let tensor = preparer.prepare(&yuv).expect("planes are whole").0;
        assert!(tensor.iter().zip(&fresh).all(|(a, b)| (a - b).abs() < 1e-3));
    }
}

#[test]
fn planes_that_are_cut_off_are_refused() {
    let (y, u, v) = (vec![0; 64 * 48], vec![0; 32 * 24], vec![0; 32 * 24 - 1]);
    let layout = Layout::I420 { y: &y, u: &u, v: &v, y_stride: 64, u_stride: 32, v_stride: 32 };
    let planes = Planes { width: 64, height: 48, layout, range: Range::Full, matrix: Matrix::Bt601 };
    let mut preparer = Preparer::new(&input([24, 32], Colour::Rgb, Resize::Stretch));
    let error = preparer.prepare(&planes).expect_err("a byte is missing");
    assert_eq!(error.to_string(), "plane v is cut off: 24 rows of 32 bytes do not fit into 767 bytes");
    let error = preparer.prepare(&Planes { width: 65, ..planes }).expect_err("rows would overlap");
    assert_eq!(error.to_string(), "plane y: a row has 65 bytes, but the next one starts after 64");
    let error = preparer.prepare(&Planes { height: 0, ..planes }).expect_err("no pixels");
    assert_eq!(error.to_string(), "the picture is empty (64x0)");
}
