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

/// Receiving and decoding every picture, or only keyframes, in a bare pipeline, in core-milliseconds per second.
pub(crate) fn decode(mount: &str, keyframes: bool) -> Result<f64, BenchError> {
    let simulator = Simulator::start(0, &[mount.to_owned()], &[])?;
    let mut command = Command::new("gst-launch-1.0");
    command.args(["-q", "rtspsrc", &format!("location={}", simulator.urls[0]), "protocols=tcp", "latency=100", "!"]);
    command.args(["rtph264depay", "!", "h264parse", "!", "video/x-h264,alignment=au", "!"]);
    if keyframes {
        command.args(["identity", "drop-buffer-flags=delta-unit", "!"]);
    }
    command.args(["avdec_h264", "max-threads=1", "!", "fakesink", "sync=false"]);
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
pub(crate) fn inference(model: &Path) -> Result<f64, BenchError> {
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
