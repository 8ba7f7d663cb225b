//! What an installer writes in TOML, as values that are valid by construction.
//!
//! The types below hold only what has been checked: ids are [`Segment`]s, zones are
//! simple polygons, every name that is used is defined, every secret has been read.
//! Nothing downstream checks any of it again.

mod camera;
mod rule;
mod schedule;
mod site;

pub use camera::{Camera, CameraUrl, Decoder, Transport};
pub use rule::{Direction, Filter, Rule, RuleKind};
pub use schedule::{Schedule, Span};
pub use site::{Broker, Inference, Provider, Site, Storage};

/// The whole description of a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the box stands and which languages it speaks.
    pub site: Site,
    /// Where alerts go.
    pub broker: Broker,
    /// What may lie on the disk.
    pub storage: Storage,
    /// How models are run.
    pub inference: Inference,
    /// The cameras, in the order of the file; at least one, ids unique.
    pub cameras: Vec<Camera>,
}
