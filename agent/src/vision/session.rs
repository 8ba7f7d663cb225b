//! The only place that knows ONNX Runtime.
//!
//! `run` needs a session for itself, so there is one session with one thread per core instead
//! of one session with many threads: two sessions of one thread gave twice the inferences a
//! second of one session with two. Threads never spin: a box watches cameras all day with most
//! of its time idle.

use std::{
    env,
    path::{Path, PathBuf, absolute},
    sync::{Mutex, PoisonError},
};

use ort::{
    environment::Environment,
    ep,
    logging::LogLevel,
    session::{Session as OrtSession, builder::SessionBuilder},
    value::{Outlet, TensorElementType, TensorRef, ValueType},
};

use super::{Decoder, Manifest, VisionError};
use crate::config::Provider;

/// Name that the system's loader looks for when nothing else is said.
const LIBRARY: &str = if cfg!(target_os = "macos") { "libonnxruntime.dylib" } else { "libonnxruntime.so" };

/// ONNX Runtime, loaded. There is one in a process.
#[derive(Clone, Debug)]
pub struct Runtime {
    environment: Environment,
}

static LOADED: Mutex<Option<(PathBuf, Runtime)>> = Mutex::new(None);

impl Runtime {
    /// Loads ONNX Runtime's shared library: `library`, otherwise `ORT_DYLIB_PATH`, otherwise
    /// beside the program, otherwise where the system looks. Later calls give the same one.
    ///
    /// # Errors
    /// If there is none, it is too old, or another one is already loaded.
    pub fn init(library: Option<&Path>) -> Result<Self, VisionError> {
        let path = match library {
            Some(path) => absolute(path).unwrap_or_else(|_| path.to_owned()),
            None => {
                env::var_os("ORT_DYLIB_PATH").filter(|v| !v.is_empty()).map_or_else(|| LIBRARY.into(), PathBuf::from)
            }
        };
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((other, runtime)) = &*loaded {
            return if *other == path {
                Ok(runtime.clone())
            } else {
                Err(VisionError::OtherLibrary { loaded: other.clone(), asked: path })
            };
        }
        let failed = |message: String| VisionError::Library { path: path.clone(), message: one_line(&message) };
        if path.is_absolute() && !path.exists() {
            return Err(failed("there is no such file".to_owned()));
        }
        let builder = ort::init_from(&path).map_err(|e| failed(load_problem(&e)))?;
        let environment =
            builder.with_name("karaul").with_telemetry(false).build().map_err(|e| failed(e.to_string()))?;
        // Below this it warns of each weight that a model also lists as an input.
        environment.set_log_level(LogLevel::Error);
        let runtime = Self { environment };
        *loaded = Some((path, runtime.clone()));
        Ok(runtime)
    }

    /// The branch that the library was built from, which names its version.
    #[must_use]
    pub fn version(&self) -> String {
        let words = ort::info();
        let branch = words.split("git-branch=").nth(1).and_then(|rest| rest.split(',').next());
        branch.unwrap_or(words).trim().to_owned()
    }
}

/// What the system's loader said, rather than that it was the loader.
fn load_problem(error: &ort::LoadDynamicError) -> String {
    match error {
        ort::LoadDynamicError::Dlopen { error, .. } => {
            std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
        }
        error => error.to_string(),
    }
}

/// One loaded model, for one user at a time.
#[derive(Debug)]
pub(super) struct Session {
    session: OrtSession,
    input: String,
    shape: [usize; 4],
    outputs: Vec<String>,
}

impl Session {
    /// Loads a model and checks its tensors against the manifest.
    pub(super) fn new(
        runtime: &Runtime,
        manifest: &Manifest,
        onnx: &[u8],
        provider: Provider,
    ) -> Result<Self, VisionError> {
        let model = || manifest.id.clone();
        let mut builder = configured(&runtime.environment).map_err(|e| VisionError::Refused {
            model: model(),
            path: manifest.onnx(),
            message: one_line(e.message()),
        })?;
        let dispatch = match provider {
            Provider::Cpu => None,
            Provider::Cuda => Some(ep::CUDA::default().build()),
            Provider::OpenVino => Some(ep::OpenVINO::default().build()),
        };
        if let Some(dispatch) = dispatch {
            builder = builder
                .with_execution_providers([dispatch.error_on_failure()])
                .map_err(|e| VisionError::Provider { model: model(), provider, message: one_line(e.message()) })?;
        }
        let session = builder.commit_from_memory(onnx).map_err(|e| match e.code() {
            ort::ErrorCode::InvalidProtobuf => VisionError::NotOnnx {
                model: model(),
                path: manifest.onnx(),
                what: "something that ONNX Runtime cannot read",
                source_of: manifest.source.clone(),
            },
            _ => VisionError::Refused { model: model(), path: manifest.onnx(), message: one_line(e.message()) },
        })?;
        check(manifest, session.inputs(), session.outputs()).map_err(|problem| VisionError::Mismatch {
            model: model(),
            path: manifest.onnx(),
            problem,
        })?;
        let [height, width] = manifest.input.size;
        Ok(Self {
            session,
            input: manifest.input.name.clone(),
            shape: [1, 3, height, width],
            outputs: manifest.head.outputs.clone(),
        })
    }

    /// Runs the model on `tensor` and shows `read` the outputs, in the order of the manifest.
    pub(super) fn run<R>(&mut self, tensor: &[f32], read: impl FnOnce(&[&[f32]]) -> R) -> Result<R, String> {
        let message = |e: ort::Error| one_line(e.message());
        let input = TensorRef::from_array_view((self.shape, tensor)).map_err(message)?;
        let outputs = self.session.run(ort::inputs![self.input.as_str() => input]).map_err(message)?;
        let mut tensors = Vec::with_capacity(self.outputs.len());
        for name in &self.outputs {
            let value = outputs.get(name).ok_or_else(|| format!("output \"{name}\" is missing"))?;
            tensors.push(value.try_extract_tensor::<f32>().map_err(message)?.1);
        }
        Ok(read(&tensors))
    }
}

fn configured(environment: &Environment) -> ort::Result<SessionBuilder> {
    Ok(OrtSession::builder(environment)?
        .with_log_level(LogLevel::Error)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?)
}

/// Compares the tensors of a model with its manifest.
fn check(manifest: &Manifest, inputs: &[Outlet], outputs: &[Outlet]) -> Result<(), String> {
    let name = &manifest.input.name;
    let [input] = inputs else {
        return Err(format!("it has {} inputs ({}), but one picture is all it can get", inputs.len(), names(inputs)));
    };
    if input.name() != name {
        return Err(format!("its input is called \"{}\", but input.name is \"{name}\"", input.name()));
    }
    let shape = floats(input).map_err(|what| format!("its input \"{name}\" is {what}"))?;
    let [height, width] = manifest.input.size;
    let wanted = [1, 3, height as i64, width as i64];
    if shape.len() != 4 || shape.iter().zip(wanted).any(|(&have, want)| have >= 0 && have != want) {
        return Err(format!(
            "its input \"{name}\" has shape {shape:?}, but input.size = [{height}, {width}] makes {wanted:?}"
        ));
    }
    let mut shapes = Vec::new();
    for name in &manifest.head.outputs {
        let outlet = outputs.iter().find(|o| o.name() == name).ok_or_else(|| {
            format!("it has no output \"{name}\", which head.outputs names; its outputs are {}", names(outputs))
        })?;
        shapes.push(floats(outlet).map_err(|what| format!("its output \"{name}\" is {what}"))?);
    }
    Decoder::new(manifest).check_shapes(&shapes).map_err(|problem| format!("its {problem}"))
}

/// Shape of a tensor of 32-bit floats; -1 where it is open.
fn floats(outlet: &Outlet) -> Result<&[i64], String> {
    match outlet.dtype() {
        ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } => Ok(shape),
        ValueType::Tensor { ty, .. } => Err(format!("a tensor of {ty}, but only 32-bit floats can be used")),
        _ => Err("not a tensor".to_owned()),
    }
}

fn names(outlets: &[Outlet]) -> String {
    outlets.iter().map(|o| format!("\"{}\"", o.name())).collect::<Vec<_>>().join(", ")
}

/// ONNX Runtime's messages may have several lines; ours have one.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
