use std::{path::PathBuf, sync::Arc, time::Duration};

use super::EncodedRing;
use crate::{
    config::{Camera, CameraUrl, Decoder, Decoding, Transport},
    trust::Secret,
};

/// What is needed to open one stream.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// Camera id, for logs and thread names.
    pub camera: String,
    /// Address without user and password.
    pub url: CameraUrl,
    /// PEM file of the authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// User name and password.
    pub login: Option<(String, Secret)>,
    /// How packets travel.
    pub transport: Transport,
    /// Which decoder to use.
    pub decoder: Decoder,
    /// Which pictures to decode.
    pub decoding: Decoding,
    /// Longest time between two looks while nothing moves, with [`Decoding::OnDemand`].
    pub look_every: Duration,
    /// Time between two pictures that are looked at.
    pub period: Duration,
    /// From opening to the first packet of video.
    pub connect_limit: Duration,
    /// From one picture to the next, and from the first packet to the first picture; the watchdog.
    pub picture_limit: Duration,
    /// Where the encoded pictures go as well, for clips.
    pub ring: Option<Arc<EncodedRing>>,
    /// Nothing is decoded or shown: the pictures are for the ring alone.
    pub receive_only: bool,
}

impl StreamSettings {
    /// Long enough for a camera that is just waking up, short enough to notice a wrong address.
    pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);
    /// Longer than the pauses of cameras with one picture a second over bad radio, and short enough that a stall is known
    /// within five seconds.
    pub const PICTURE_LIMIT: Duration = Duration::from_secs(4);
}

impl From<&Camera> for StreamSettings {
    fn from(camera: &Camera) -> Self {
        Self {
            camera: camera.id.to_string(),
            url: camera.url.clone(),
            ca_file: camera.ca_file.clone(),
            login: camera.login.clone(),
            transport: camera.transport,
            decoder: camera.decoder,
            decoding: camera.decoding,
            look_every: camera.look_every,
            period: Duration::from_secs_f64(1.0 / camera.detections_per_second),
            connect_limit: Self::CONNECT_LIMIT,
            picture_limit: Self::PICTURE_LIMIT,
            ring: None,
            receive_only: false,
        }
    }
}
