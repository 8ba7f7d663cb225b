use data_encoding::BASE64;
use image::RgbImage;
use karaul_wire::{BlindReason, CameraState, Picture, ReplyCode, Segment};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Answer, Orders, started_anew};
use crate::{
    evidence::{jpeg_within, to_rgb},
    site::{Outcome, tray::Silence},
};

/// As many bytes of a file as, in Base64 and with a sentence, stay below the 256 KiB that brokers and thin
/// links bear.
const LARGEST: usize = 190_000;

/// A picture that goes out.
struct Found {
    /// What it is, in words.
    what: String,
    jpeg: Vec<u8>,
    /// Width and height.
    size: (u32, u32),
}

impl Orders {
    pub(super) fn snapshot(&self, camera: Option<&Segment>, evidence: Option<Uuid>, purpose: &str) -> Answer {
        if purpose.trim().is_empty() {
            return Err(Outcome::invalid("purpose is empty; state what the picture is needed for"));
        }
        let Found { what, jpeg, size } = match (camera, evidence) {
            (Some(camera), None) => self.present_picture(camera)?,
            (None, Some(id)) => self.kept_picture(id)?,
            (Some(_), Some(_)) => {
                return Err(Outcome::invalid("camera and evidence are both given; give one of them"));
            }
            (None, None) => return Err(Outcome::invalid("neither camera nor evidence is given; give one of them")),
        };
        let picture = Picture {
            media_type: "image/jpeg".to_owned(),
            sha256: hex::encode(Sha256::digest(&jpeg)),
            data: BASE64.encode(&jpeg),
        };
        let detail = format!(
            "{what}, {}x{}, not redacted: it leaves the box for the stated purpose, and that is on record",
            size.0, size.1
        );
        Ok(Outcome { picture: Some(Box::new(picture)), ..Outcome::done(detail) })
    }

    fn present_picture(&self, camera: &Segment) -> Result<Found, Outcome> {
        let post = self.post(camera)?;
        let status = post.shared.light.status();
        if status.as_ref().is_some_and(|status| status.state == CameraState::Disabled) {
            return Err(Outcome::failed(format!("camera {camera} is switched off; switch it on first")));
        }
        let blind = status.filter(|status| status.state == CameraState::Blind).map(|status| {
            let why = status.detail.unwrap_or_default();
            (status.reason, Outcome::failed(format!("camera {camera} is blind: {why}")))
        });
        // Of other reasons one wants to see the picture all the more.
        if let Some((None | Some(BlindReason::Offline | BlindReason::Stalled), why)) = blind {
            return Err(why);
        }
        let still = post.shared.tray.next_picture(self.limits.picture).map_err(|silence| match (blind, silence) {
            (Some((_, why)), _) => why,
            (None, Silence::Nobody) => started_anew(camera, ""),
            (None, _) => Outcome::failed(format!(
                "camera {camera} gave no picture within {} s; send the command again",
                self.limits.picture.as_secs_f64()
            )),
        })?;
        fitting(format!("present picture of camera {camera}"), &to_rgb(&still.planes()))
    }

    fn kept_picture(&self, id: Uuid) -> Result<Found, Outcome> {
        let kept = self.delivery.album.read(id).map_err(|error| Outcome::failed(error.to_string()))?;
        let Some(jpeg) = kept else {
            if self.delivery.album.has_clip(id) {
                return Err(Outcome::failed(format!(
                    "{id} is a clip, and clips are too large for a reply; fetch evidence/{id}.mp4 from the folder \
                     storage.path of the box"
                )));
            }
            return Err(Outcome::new(
                ReplyCode::NotFound,
                format!("no picture {id} is kept; the oldest go when storage.evidence_quota is full"),
            ));
        };
        let damaged = |error| Outcome::failed(format!("the picture {id} is kept, but damaged: {error}"));
        let picture = image::load_from_memory(&jpeg).map_err(damaged)?.to_rgb8();
        // As it is, if that may be: its hash is the one that the alert told.
        if jpeg.len() <= LARGEST {
            return Ok(Found { what: format!("picture {id}"), jpeg, size: picture.dimensions() });
        }
        fitting(format!("picture {id}, made smaller"), &picture)
    }
}

/// The picture as it may go out.
fn fitting(what: String, picture: &RgbImage) -> Result<Found, Outcome> {
    let failed = |error| Outcome::failed(format!("the picture cannot be encoded: {error}"));
    let jpeg = jpeg_within(LARGEST, picture).map_err(failed)?;
    let size = image::load_from_memory(&jpeg).map_err(failed)?.to_rgb8().dimensions();
    Ok(Found { what, jpeg, size })
}
