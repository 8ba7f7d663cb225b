use std::{
    fs, io,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use super::{
    Manifest, VisionError,
    pool::Pool,
    session::{Runtime, Session},
};
use crate::config::{Inference, Provider};

/// How long a camera waits for a free session before it gives its picture up. Far longer than
/// any inference; reached only when the box is asked for more than it can do.
const WAIT: Duration = Duration::from_secs(2);

/// A loaded model, shared by the cameras that use it.
#[derive(Debug)]
pub struct Model {
    manifest: Manifest,
    provider: Provider,
    sessions: AtomicUsize,
    pool: Pool<Session>,
    inferences: AtomicU64,
    refused: AtomicU64,
    inference_ns: AtomicU64,
    wait_ns: AtomicU64,
}

/// What a model has done since it was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Pictures it was run on.
    pub inferences: u64,
    /// Pictures given up because no session came free in time.
    pub refused: u64,
    /// Time in ONNX Runtime and the decoder, all sessions together.
    pub inference_time: Duration,
    /// Time that cameras waited for a session.
    pub wait_time: Duration,
}

impl Model {
    /// Loads ONNX Runtime if need be, checks the ONNX file against the manifest, makes the
    /// sessions and runs each once, so that the first picture is not slower than the others.
    ///
    /// # Errors
    /// If the library, the file or the provider cannot be used exactly as described.
    pub fn load(manifest: &Manifest, settings: &Inference) -> Result<Self, VisionError> {
        let onnx = read(manifest)?;
        let runtime = Runtime::init(settings.library.as_deref())?;
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        // Other providers spread one session over their device by themselves.
        let wanted = settings.sessions.unwrap_or_else(|| if settings.provider == Provider::Cpu { cores() } else { 1 });
        let count = wanted.max(1);
        let mut sessions = Vec::with_capacity(count);
        for _ in 0..count {
            sessions.push(warm(&runtime, manifest, &onnx, settings.provider)?);
        }
        Ok(Self {
            manifest: manifest.clone(),
            provider: settings.provider,
            sessions: AtomicUsize::new(count),
            pool: Pool::new(sessions),
            inferences: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            inference_ns: AtomicU64::new(0),
            wait_ns: AtomicU64::new(0),
        })
    }

    /// What the manifest says.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The execution provider in use: the one that was asked for, or loading had failed.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// How many pictures it can work on at a time.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.load(Relaxed)
    }

    /// Makes further sessions until there are `count`; whoever uses the model goes on meanwhile.
    ///
    /// # Errors
    /// As [`Model::load`]; the sessions made so far stay.
    pub fn grow(&self, count: usize, settings: &Inference) -> Result<(), VisionError> {
        if self.sessions() >= count {
            return Ok(());
        }
        let onnx = read(&self.manifest)?;
        let runtime = Runtime::init(settings.library.as_deref())?;
        while self.sessions() < count {
            self.pool.add(warm(&runtime, &self.manifest, &onnx, self.provider)?);
            self.sessions.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// What it has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            inferences: self.inferences.load(Relaxed),
            refused: self.refused.load(Relaxed),
            inference_time: Duration::from_nanos(self.inference_ns.load(Relaxed)),
            wait_time: Duration::from_nanos(self.wait_ns.load(Relaxed)),
        }
    }

    /// Runs the model on one input tensor `[3, height, width]`, as soon as a session is free,
    /// and shows `read` the output tensors in the order of the manifest.
    ///
    /// # Errors
    /// If no session comes free in time or ONNX Runtime fails.
    pub fn run<R>(&self, tensor: &[f32], read: impl FnOnce(&[&[f32]]) -> R) -> Result<R, VisionError> {
        let model = || self.manifest.id.clone();
        let start = Instant::now();
        let lent = self.pool.take(WAIT);
        let waited = start.elapsed();
        add(&self.wait_ns, waited);
        let Some(mut session) = lent else {
            self.refused.fetch_add(1, Relaxed);
            return Err(VisionError::Busy { model: model(), sessions: self.sessions(), waited: WAIT });
        };
        let result = session.run(tensor, read);
        add(&self.inference_ns, start.elapsed() - waited);
        self.inferences.fetch_add(1, Relaxed);
        result.map_err(|message| VisionError::Inference { model: model(), message })
    }
}

/// A session that has run once.
fn warm(runtime: &Runtime, manifest: &Manifest, onnx: &[u8], provider: Provider) -> Result<Session, VisionError> {
    let blank = vec![0.0; 3 * manifest.input.size[0] * manifest.input.size[1]];
    let mut session = Session::new(runtime, manifest, onnx, provider)?;
    let run = session.run(&blank, |_| ());
    run.map_err(|message| VisionError::Inference { model: manifest.id.clone(), message })?;
    Ok(session)
}

fn add(counter: &AtomicU64, time: Duration) {
    counter.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
}

/// Reads the ONNX file and proves that it is the one the manifest describes. The bytes that
/// were checked are the bytes that are loaded.
fn read(manifest: &Manifest) -> Result<Vec<u8>, VisionError> {
    let (model, path, source_of) = (manifest.id.clone(), manifest.onnx(), manifest.source.clone());
    let onnx = match fs::read(&path) {
        Ok(onnx) => onnx,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(VisionError::Missing { model, path, source_of }),
        Err(source) => return Err(VisionError::Read { model, path, source }),
    };
    if let Some(what) = something_else(&onnx) {
        return Err(VisionError::NotOnnx { model, path, what, source_of });
    }
    let found = hex::encode(Sha256::digest(&onnx));
    let wanted = manifest.sha256.to_ascii_lowercase();
    if found != wanted {
        return Err(VisionError::Checksum { model, path, found, wanted, source_of });
    }
    Ok(onnx)
}

/// What a file is that cannot be an ONNX model, where that is easy to tell: what people
/// download by mistake is text.
fn something_else(file: &[u8]) -> Option<&'static str> {
    // Enough to tell; a model's first bytes hold field numbers below 32, which no text has.
    let start = &file[..file.len().min(64)];
    let is_text = start.iter().all(|&b| b >= 0x20 || matches!(b, b'\t' | b'\n' | b'\r'));
    if file.is_empty() {
        Some("an empty file")
    } else if start.starts_with(b"version https://git-lfs") {
        Some("a Git LFS pointer (run `git lfs pull` where it was cloned)")
    } else if is_text {
        Some("a text file")
    } else {
        None
    }
}
