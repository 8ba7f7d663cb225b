//! The time of a picture, burned into it.
//!
//! 64 blocks, black or white, in two rows of 32 in the top left corner: `1010`, 48 bits of milliseconds since the
//! Unix epoch, a CRC-8 (polynomial 0x07) over those, `0101`; most significant bit first. A block is
//! an 80th of the picture's width, but at least 8 pixels, so that it survives hard compression. Below, the time of day
//! (UTC) for people.

use std::time::Duration;

use karaul_scene::I420Frame;

const COLUMNS: usize = 32;
const ROWS: usize = 2;
const START: u64 = 0b1010;
const END: u64 = 0b0101;
/// Luma of black and white in limited range.
const BLACK: u8 = 16;
const WHITE: u8 = 235;
/// Less than this between the darkest and brightest block is no time code; a real one has over 200 before encoding.
const CONTRAST: u32 = 60;

/// Burns `since_epoch` into a picture of at least 256x64 pixels; smaller ones stay as they are.
pub fn burn(picture: &mut I420Frame, since_epoch: Duration) {
    let (width, height) = (picture.width, picture.height);
    let block = block(width);
    let area = (COLUMNS * block, (ROWS + TEXT_BLOCKS) * block);
    if area.0 > width || area.1 > height {
        return;
    }
    let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    let code = encode(millis);
    let (luma, chroma) = picture.data.split_at_mut(width * height);
    for (y, row) in luma.chunks_exact_mut(width).take(ROWS * block).enumerate() {
        for (column, pixels) in row[..area.0].chunks_exact_mut(block).enumerate() {
            let bit = code >> (63 - (y / block * COLUMNS + column)) & 1;
            pixels.fill(if bit == 1 { WHITE } else { BLACK });
        }
    }
    let text = &mut luma[ROWS * block * width..(ROWS + TEXT_BLOCKS) * block * width];
    write(text, width, area.0, block, millis);
    for plane in chroma.chunks_exact_mut(width / 2 * (height / 2)) {
        for row in plane.chunks_exact_mut(width / 2).take(area.1 / 2) {
            row[..area.0 / 2].fill(128);
        }
    }
}

/// Reads the time since the Unix epoch out of a luma plane; `None` where there is none, or it is damaged.
///
/// `stride` is the number of bytes from one row to the next. Works for limited and full range alike.
#[must_use]
pub fn read(luma: &[u8], width: usize, height: usize, stride: usize) -> Option<Duration> {
    let block = block(width);
    if COLUMNS * block > width
        || ROWS * block > height
        || stride < width
        || luma.len() < (ROWS * block - 1) * stride + width
    {
        return None;
    }
    let means: Vec<u32> = (0..ROWS * COLUMNS)
        .map(|index| mean(luma, stride, index % COLUMNS * block, index / COLUMNS * block, block))
        .collect();
    let (dark, bright) = (*means.iter().min()?, *means.iter().max()?);
    if bright - dark < CONTRAST {
        return None;
    }
    let middle = (dark + bright) / 2;
    let code = means.iter().fold(0, |code, mean| code << 1 | u64::from(*mean > middle));
    decode(code).map(Duration::from_millis)
}

/// Side of a block in a picture of that width.
fn block(width: usize) -> usize {
    // Even, because chroma is cleared in pairs.
    ((width / 80) & !1).max(8)
}

/// Mean of the inner half of a block: its edges bleed.
fn mean(luma: &[u8], stride: usize, left: usize, top: usize, block: usize) -> u32 {
    let inset = block / 4;
    let side = block - 2 * inset;
    let rows = (top + inset..top + inset + side).map(|y| &luma[y * stride + left + inset..][..side]);
    rows.flatten().map(|sample| u32::from(*sample)).sum::<u32>() / (side * side) as u32
}

fn encode(millis: u64) -> u64 {
    let time = millis & 0xffff_ffff_ffff;
    START << 60 | time << 12 | u64::from(crc8(time)) << 4 | END
}

fn decode(code: u64) -> Option<u64> {
    let time = code >> 12 & 0xffff_ffff_ffff;
    let sound = code >> 60 == START && code & 0xf == END && (code >> 4 & 0xff) as u8 == crc8(time);
    sound.then_some(time)
}

/// CRC-8 with polynomial x⁸+x²+x+1 (ITU-T I.432.1) over the six low bytes.
fn crc8(time: u64) -> u8 {
    time.to_be_bytes()[2..].iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x07 })
    })
}

/// Rows of blocks that the readable text takes.
const TEXT_BLOCKS: usize = 2;

/// Digits, colon and point, 3 pixels wide and 5 high, a row in three bits.
const GLYPHS: [(char, [u8; 5]); 12] = [
    ('0', [7, 5, 5, 5, 7]),
    ('1', [2, 6, 2, 2, 7]),
    ('2', [7, 1, 7, 4, 7]),
    ('3', [7, 1, 7, 1, 7]),
    ('4', [5, 5, 7, 1, 1]),
    ('5', [7, 4, 7, 1, 7]),
    ('6', [7, 4, 7, 5, 7]),
    ('7', [7, 1, 1, 1, 1]),
    ('8', [7, 5, 7, 5, 7]),
    ('9', [7, 5, 7, 1, 7]),
    (':', [0, 2, 0, 2, 0]),
    ('.', [0, 0, 0, 0, 2]),
];

/// Writes the time of day, white on black, into the rows of `luma` up to the column `right`.
fn write(luma: &mut [u8], width: usize, right: usize, block: usize, millis: u64) {
    for row in luma.chunks_exact_mut(width) {
        row[..right].fill(BLACK);
    }
    let second = millis / 1000;
    let text = format!("{:02}:{:02}:{:02}.{:03}", second / 3600 % 24, second / 60 % 60, second % 60, millis % 1000);
    // Five rows of dots and a margin in two blocks.
    let dot = block * TEXT_BLOCKS / 7;
    for (place, character) in text.chars().enumerate() {
        let Some((_, rows)) = GLYPHS.iter().find(|(glyph, _)| *glyph == character) else { continue };
        for (y, bits) in rows.iter().enumerate() {
            for x in (0..3).filter(|x| bits >> (2 - x) & 1 == 1) {
                let left = (place * 4 + x + 1) * dot;
                for row in luma.chunks_exact_mut(width).skip((y + 1) * dot).take(dot) {
                    row[left..left + dot].fill(WHITE);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gstreamer::{self as gst, prelude::*};
    use gstreamer_app::{AppSink, AppSrc};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_burned_is_read(millis in 0u64..1 << 48, width in 128usize..1024, padding in 0usize..9) {
            let mut picture = I420Frame::new(width * 2, 128);
            burn(&mut picture, Duration::from_millis(millis));
            let stride = width * 2 + padding;
            let luma: Vec<u8> =
                picture.planes()[0].chunks(width * 2).flat_map(|row| row.iter().copied().chain(vec![99; padding])).collect();
            prop_assert_eq!(read(&luma, width * 2, 128, stride), Some(Duration::from_millis(millis)));
        }

        #[test]
        fn arbitrary_pictures_and_sizes_do_no_harm(
            luma in prop::collection::vec(any::<u8>(), 0..9000), width in 0usize..600, height in 0usize..40, more in 0usize..9,
        ) {
            // Noise is a valid code once in 65 536 times: only that nothing breaks is claimed.
            let _ = read(&luma, width, height, width + more);
        }

        #[test]
        fn one_wrong_bit_is_noticed(millis in 0u64..1 << 48, bit in 0u32..64) {
            prop_assert_eq!(decode(encode(millis) ^ 1 << bit), None);
        }
    }

    #[test]
    fn it_survives_hard_compression() {
        gst::init().unwrap();
        // A tenth of what such a camera would use.
        for (width, height, kbit) in [(320, 240, 32), (640, 360, 64), (1280, 720, 200)] {
            let times: Vec<_> = (0..10).map(|n| Duration::from_millis(1_763_784_000_123 + n * 67)).collect();
            let read_back = through_encoder(width, height, kbit, &times);
            assert_eq!(read_back, times.iter().copied().map(Some).collect::<Vec<_>>(), "{width}x{height}");
        }
    }

    fn through_encoder(width: usize, height: usize, kbit: u32, times: &[Duration]) -> Vec<Option<Duration>> {
        // With several threads it depends on the machine's load where the encoder spends its bits.
        let pipeline = gst::parse::launch(&format!(
            "appsrc name=in format=time caps=video/x-raw,format=I420,width={width},height={height},framerate=15/1 \
             ! x264enc bitrate={kbit} threads=1 speed-preset=superfast tune=zerolatency ! avdec_h264 ! appsink name=out sync=false"
        ))
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
        let source = pipeline.by_name("in").and_downcast::<AppSrc>().unwrap();
        let sink = pipeline.by_name("out").and_downcast::<AppSink>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        for (index, time) in times.iter().enumerate() {
            let mut picture = I420Frame::new(width, height);
            // Something that costs bits.
            for (place, sample) in picture.data[..width * height].iter_mut().enumerate() {
                *sample = (place.wrapping_mul(2_654_435_761).wrapping_add(index * 7919) >> 7) as u8;
            }
            burn(&mut picture, *time);
            let mut buffer = gst::Buffer::from_slice(picture.data);
            buffer.get_mut().unwrap().set_pts(gst::ClockTime::from_mseconds(index as u64 * 66));
            source.push_buffer(buffer).unwrap();
        }
        source.end_of_stream().unwrap();
        let read_back = std::iter::from_fn(|| sink.pull_sample().ok())
            .map(|sample| {
                let map = sample.buffer().unwrap().map_readable().unwrap();
                read(&map, width, height, width)
            })
            .collect();
        pipeline.set_state(gst::State::Null).unwrap();
        read_back
    }

    #[test]
    fn a_picture_that_is_too_small_stays_as_it_is() {
        let mut picture = I420Frame::new(128, 128);
        burn(&mut picture, Duration::from_secs(1));
        assert_eq!(picture, I420Frame::new(128, 128));
    }
}
