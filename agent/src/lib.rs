//! Karaul (the guard): cameras in, incident alerts out.
//!
//! The rooms of the house, in the order a picture passes them:
//!
//! * [`camera`]: one RTSP stream to decoded frames; the only place that knows GStreamer.
//! * [`vision`]: frames to detections; [`vision::session`] is the only place that knows ONNX Runtime.
//! * [`track`]: detections to tracks.
//! * [`scenery`]: what was put down in a zone, or taken away.
//! * [`rules`]: tracks over time to findings.
//! * [`incident`]: findings to incidents and alerts.
//! * [`decisions`]: why a rule did not fire.
//! * `ledger`: how long each rule was armed and really seeing.
//! * [`evidence`]: pictures kept on the box.
//! * [`uplink`]: the outbox on disk and the MQTT link; the only place that knows rumqttc.
//! * [`site`]: starts, stops and watches all of them.
//!
//! [`onvif`] finds cameras for the installer. [`config`] describes a site and is valid by construction, [`clock`] is the only
//! source of time, [`trust`] keeps secrets secret, [`cli`] is the command line.

pub mod camera;
pub mod cli;
pub mod clock;
pub mod config;
pub mod decisions;
mod disk;
pub mod evidence;
pub mod incident;
mod ledger;
pub mod onvif;
pub mod outputs;
pub mod rules;
pub mod scenery;
pub mod sight;
pub mod site;
pub mod stop;
pub mod track;
pub mod trust;
pub mod uplink;
pub mod vision;
