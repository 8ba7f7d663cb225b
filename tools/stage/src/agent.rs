use std::{path::Path, process::Command};

use crate::{Program, StageError, binary};

/// `karaul run`.
#[derive(Debug)]
pub struct Agent {
    /// The process.
    pub program: Program,
}

impl Agent {
    /// Starts it on a config file.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(config: &Path) -> Result<Self, StageError> {
        let program = Program::start(Command::new(binary("karaul")).arg("run").arg("--config").arg(config))?;
        Ok(Self { program })
    }
}
