//! Secrets that cannot print themselves, signatures, who may command, and the audit log.
//!
//! * [`Gate`]: lets commands in, or says why not.
//! * [`Audit`](audit::Audit): what was done, by whom, in entries that nobody can change unseen.
//! * [`jws`]: the signed form of both.

pub mod audit;
mod gate;
pub mod jws;
mod key;
mod replay;
mod secret;
mod wall;

pub use gate::{Admitted, Gate, Notice, Refusals, Refused};
pub(crate) use gate::{GREATEST_TOLERANCE, concerns_box};
pub use key::{KeyError, PrivateKey, PublicKey, PublicKeyError, PublicKeyFileError};
pub use secret::Secret;
