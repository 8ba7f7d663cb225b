use std::sync::atomic::Ordering::SeqCst;

use data_encoding::BASE64;
use karaul_wire::{BlindReason, CameraState};
use sha2::{Digest, Sha256};

use super::{
    stage::{Stage, camera, id},
    *,
};

fn snapshot(camera: Option<&str>, evidence: Option<Uuid>) -> Order {
    Order::Snapshot { camera: camera.map(id), evidence, purpose: "search for a child".to_owned() }
}

/// The file, after a look at what is said of it.
fn file(outcome: &Outcome) -> Vec<u8> {
    assert_eq!(outcome.code, ReplyCode::Done, "{}", outcome.detail);
    let picture = outcome.picture.as_ref().unwrap();
    let file = BASE64.decode(picture.data.as_bytes()).unwrap();
    assert_eq!(picture.media_type, "image/jpeg");
    assert_eq!(picture.sha256, hex::encode(Sha256::digest(&file)));
    file
}

#[test]
fn the_present_picture_and_a_kept_one_are_given_out() {
    let stage = Stage::new(&camera("gate"));
    let present = stage.carry_out(snapshot(Some("gate"), None));
    assert_eq!(
        present.detail,
        "present picture of camera gate, 64x48, not redacted: it leaves the box for the stated purpose, and that is on \
         record"
    );
    let picture = image::load_from_memory(&file(&present)).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (64, 48));
    assert!(picture.pixels().all(|p| p.0.iter().all(|c| c.abs_diff(128) <= 1)));

    stage.somebody_comes("gate", 0);
    let evidence = stage.alerts()[0].data.evidence[0].clone();
    let kept = stage.carry_out(snapshot(None, Some(evidence.id)));
    file(&kept);
    assert_eq!(kept.picture.as_ref().unwrap().sha256, evidence.sha256);
    assert!(kept.detail.starts_with(&format!("picture {}, 64x48, not redacted", evidence.id)), "{}", kept.detail);
}

#[test]
fn a_large_picture_is_made_smaller() {
    let stage = Stage::new(&camera("gate"));
    let mut random = fastrand::Rng::with_seed(7);
    let noise: Vec<u8> = (0..1920 * 1080 * 3).map(|_| random.u8(..)).collect();
    let layout = crate::vision::Layout::Rgb { rgb: &noise, stride: 1920 * 3 };
    let (range, matrix) = (crate::vision::Range::Full, crate::vision::Matrix::Bt601);
    let planes = crate::vision::Planes { width: 1920, height: 1080, layout, range, matrix };
    let evidence = stage.orders.delivery.album.keep(&id("gate"), &planes).unwrap();
    let kept = stage.carry_out(snapshot(None, Some(evidence.id)));
    assert!(kept.detail.starts_with(&format!("picture {}, made smaller, ", evidence.id)), "{}", kept.detail);
    let picture = kept.picture.as_ref().unwrap();
    assert!(picture.data.len() + kept.detail.len() < 255 * 1024 && picture.data.len() > 100 * 1024);
    assert!(image::load_from_memory(&file(&kept)).unwrap().width() < 1920);
}

#[test]
fn where_there_is_no_picture_it_is_told_why() {
    let off = camera("yard").replace("purpose", "enabled = false\npurpose");
    let broken = camera("roof").replace("\"test\"", "\"broken\"");
    let stage = Stage::new(&format!("{}{off}{broken}", camera("gate")));
    let failed = |text: &str| (ReplyCode::Failed, text.to_owned());
    assert_eq!(stage.order(snapshot(Some("yard"), None)), failed("camera yard is switched off; switch it on first"));
    assert_eq!(
        stage.order(snapshot(Some("roof"), None)),
        failed("camera roof is blind: model \"yard-nano\": it is broken")
    );
    stage.scene("gate").hangs.store(true, SeqCst);
    assert_eq!(
        stage.order(snapshot(Some("gate"), None)),
        failed("camera gate gave no picture within 0.5 s; send the command again")
    );
    stage.scene("gate").dark.store(true, SeqCst);
    stage.scene("gate").hangs.store(false, SeqCst);
    stage.wait_for_state("gate", CameraState::Blind);
    assert_eq!(stage.order(snapshot(Some("gate"), None)), failed("camera gate is blind: camera 192.0.2.11 is away"));
    assert_eq!(
        stage.order(snapshot(None, Some(Uuid::nil()))),
        (
            ReplyCode::NotFound,
            "no picture 00000000-0000-0000-0000-000000000000 is kept; the oldest go when storage.evidence_quota is full"
                .to_owned()
        )
    );
}

#[test]
fn a_blind_camera_that_gives_pictures_shows_them() {
    let stage = Stage::new(&camera("gate"));
    let post = stage.orders.posts.of(&id("gate")).unwrap();
    post.shared.light.blind(BlindReason::Model, "model \"yard-nano\" cannot be run", None);
    file(&stage.carry_out(snapshot(Some("gate"), None)));
    stage.scene("gate").hangs.store(true, SeqCst);
    let blind = "camera gate is blind: model \"yard-nano\" cannot be run".to_owned();
    assert_eq!(stage.order(snapshot(Some("gate"), None)), (ReplyCode::Failed, blind));
}

#[test]
fn a_camera_that_ends_in_this_moment_is_not_waited_for() {
    let stage = Stage::new(&camera("gate"));
    stage.orders.posts.of(&id("gate")).unwrap().shared.tray.close();
    assert_eq!(
        stage.order(snapshot(Some("gate"), None)),
        (
            ReplyCode::Failed,
            "camera gate is being switched off or started anew; nothing was changed, send the command again in some \
             seconds"
                .to_owned()
        )
    );
}

#[test]
fn one_picture_for_a_purpose() {
    let stage = Stage::new(&camera("gate"));
    let invalid = |text: &str| (ReplyCode::Invalid, text.to_owned());
    assert_eq!(
        stage.order(snapshot(Some("gate"), Some(Uuid::nil()))),
        invalid("camera and evidence are both given; give one of them")
    );
    assert_eq!(stage.order(snapshot(None, None)), invalid("neither camera nor evidence is given; give one of them"));
    let blank = Order::Snapshot { camera: Some(id("gate")), evidence: None, purpose: " \t".to_owned() };
    assert_eq!(stage.order(blank), invalid("purpose is empty; state what the picture is needed for"));
}

#[test]
fn a_clip_is_fetched_in_another_way() {
    let stage = Stage::new(&camera("gate"));
    let album = &stage.orders.delivery.album;
    let write = |file: &std::path::Path| -> Result<(), crate::evidence::AlbumError> {
        std::fs::write(file, "a film").unwrap();
        Ok(())
    };
    let clip = album.keep_clip(6, write).unwrap().id;
    assert_eq!(
        stage.order(snapshot(None, Some(clip))),
        (
            ReplyCode::Failed,
            format!(
                "{clip} is a clip, and clips are too large for a reply; fetch evidence/{clip}.mp4 from the folder \
                 storage.path of the box"
            )
        )
    );
}

#[test]
fn an_incident_closes_at_once_though_nothing_was_received_for_its_clip() {
    let with_clips = camera("gate").replace("[camera.zone.all]", "[camera.clips]\nenabled = true\n[camera.zone.all]");
    let stage = Stage::new(&with_clips);
    stage.somebody_comes("gate", 0);
    stage.scene("gate").person.store(false, SeqCst);
    let closed = stage.wait("the end of the incident", || {
        stage.alerts().into_iter().find(|alert| alert.data.incident.phase == karaul_wire::Phase::Close)
    });
    assert!(closed.data.evidence.is_empty());
    let post = stage.orders.posts.of(&id("gate")).unwrap();
    let clips = &post.shared.tally.clips;
    assert_eq!((clips.kept.load(SeqCst), clips.lost.load(SeqCst)), (0, 1));
}
