//! A whole Karaul with real parts on loopback: camera simulator, mosquitto, agent and
//! a subscriber. The demonstration, the end-to-end tests and the benchmark stand on it.
//!
//! Everything that is started here ends with the value that stands for it, also when
//! a test panics.

mod agent;
mod broker;
mod program;
mod relay;
mod simulator;
mod subscriber;

pub use agent::Agent;
pub use broker::Broker;
pub use program::{Program, StageError, binary, repository, shield_from_ctrl_c};
pub use relay::{Relay, Shape};
pub use simulator::Simulator;
pub use subscriber::{Heard, Subscriber};

/// A TCP port on loopback that nobody uses at this moment.
///
/// # Errors
/// If the system gives out none.
pub fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
