//! The command line: one file per subcommand.

pub mod detect;
pub mod models;
