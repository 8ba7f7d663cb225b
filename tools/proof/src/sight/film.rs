use std::{path::Path, time::Duration};

use jiff::Timestamp;
use karaul::{
    camera::Recording,
    vision::{Layout, Planes},
};
use karaul_scene::{I420Frame, Scene};

use crate::error::ProofError;

/// Pictures of one camera at any time.
pub(super) enum Film {
    Rendered(Box<Scene>),
    /// One picture of each second of a clip; played forwards and backwards in turn.
    Clip(Vec<I420Frame>),
}

impl Film {
    pub(super) fn load(clip: &Path) -> Result<Self, ProofError> {
        let mut frames: Vec<I420Frame> = Vec::new();
        let recording = Recording::open(clip, Timestamp::UNIX_EPOCH)?;
        for frame in recording {
            let frame = frame?;
            if frame.stamp.mono >= Duration::from_secs(frames.len() as u64) {
                frames.push(copy(&frame.planes()));
            }
        }
        Ok(Self::Clip(frames))
    }

    /// The picture at this time.
    pub(super) fn at(&self, time: Duration, out: &mut I420Frame) {
        match self {
            Self::Rendered(scene) => scene.render(time, out),
            Self::Clip(frames) => {
                let round = 2 * frames.len().max(2) - 2;
                let second = time.as_secs() as usize % round;
                out.clone_from(&frames[second.min(round - second).min(frames.len() - 1)]);
            }
        }
    }
}

/// The picture of a decoder as one without gaps between rows; chroma of NV12 is left grey.
fn copy(planes: &Planes<'_>) -> I420Frame {
    let (width, height) = (planes.width / 2 * 2, planes.height / 2 * 2);
    let mut frame = I420Frame::new(width, height);
    frame.data.clear();
    let rows = |data: &[u8], stride: usize, width: usize, height: usize, out: &mut Vec<u8>| {
        (0..height).for_each(|row| out.extend(&data[row * stride..][..width]));
    };
    match planes.layout {
        Layout::I420 { y, u, v, y_stride, u_stride, v_stride } => {
            rows(y, y_stride, width, height, &mut frame.data);
            rows(u, u_stride, width / 2, height / 2, &mut frame.data);
            rows(v, v_stride, width / 2, height / 2, &mut frame.data);
        }
        Layout::Nv12 { y, y_stride, .. } => {
            rows(y, y_stride, width, height, &mut frame.data);
            frame.data.resize(width * height * 3 / 2, 128);
        }
        Layout::Rgb { .. } => {}
    }
    frame
}

/// What a camera sees that looks at a part of the picture: so wide and high a share of it, this far to the right.
pub(super) fn part(frame: &I420Frame, share: f32, right: f32) -> I420Frame {
    let even = |value: f32| (value as usize) / 2 * 2;
    let (width, height) = (even(frame.width as f32 * share), even(frame.height as f32 * share));
    let x = even(frame.width as f32 * right).min(frame.width - width);
    let mut part = I420Frame::new(width, height);
    part.data.clear();
    for (plane, half) in frame.planes().into_iter().zip([1, 2, 2]) {
        for row in plane.chunks_exact(frame.width / half).take(height / half) {
            part.data.extend(&row[x / half..][..width / half]);
        }
    }
    part
}

/// The picture as the agent gets it.
pub(super) fn planes(frame: &I420Frame) -> Planes<'_> {
    Planes::i420(frame.planes(), frame.width, frame.height)
}
