use std::{
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use karaul::{
    config::{Inference, Provider},
    vision::{Manifest, Model},
};
use karaul_stage::{Program, Simulator};

use crate::{BenchError, load};

/// What one camera costs at least, in core-milliseconds per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ideal {
    /// Receiving and decoding every picture, in a bare pipeline.
    pub(crate) decode: f64,
    /// The inferences, with nothing around them.
    pub(crate) inference: f64,
}

impl Ideal {
    pub(crate) fn measure(mount: &str, model: &Path, detections: f64) -> Result<Self, BenchError> {
        Ok(Self { decode: decode(mount)?, inference: inference(model)? * detections })
    }
}

fn decode(mount: &str) -> Result<f64, BenchError> {
    let simulator = Simulator::start(0, &[mount.to_owned()], &[])?;
    let mut command = Command::new("gst-launch-1.0");
    command.args(["-q", "rtspsrc", &format!("location={}", simulator.urls[0]), "protocols=tcp", "latency=100", "!"]);
    command.args(["rtph264depay", "!", "h264parse", "!", "avdec_h264", "max-threads=1", "!", "fakesink", "sync=false"]);
    let mut program = Program::start(&mut command)?;
    thread::sleep(Duration::from_secs(3)); // connecting and the first keyframe are not the steady state
    let used = load::core_ms_per_second(program.id(), || thread::sleep(Duration::from_secs(15)));
    match used {
        // The kernel keeps the numbers of a child that has ended.
        Some(used) if program.wait(Duration::ZERO)?.is_none() => Ok(used),
        _ => Err(program.not_ready(Duration::from_secs(18)).into()),
    }
}

/// Milliseconds of one inference: the median of many, on a tensor that is not all zeros.
fn inference(model: &Path) -> Result<f64, BenchError> {
    let manifest = Manifest::load(model)?;
    let settings = Inference { models: model.to_owned(), library: None, provider: Provider::Cpu, sessions: Some(1) };
    let [height, width] = manifest.input.size;
    let tensor: Vec<f32> = (0..3 * height * width).map(|i| (i * 7919 % 256) as f32).collect();
    let loaded = Model::load(&manifest, &settings)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        loaded.run(&tensor, |_| ())?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
