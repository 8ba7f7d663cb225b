use std::{fs, sync::atomic::Ordering::SeqCst, thread};

use karaul_wire::{CameraState, CloseReason, Language};

use super::{
    stage::{Stage, camera, id},
    *,
};

/// How many pictures were looked at, and how many there were.
fn looked(stage: &Stage, camera: &str) -> (u64, u64) {
    let pictures = stage.scene(camera).pictures.load(SeqCst);
    (stage.orders.posts.of(&id(camera)).unwrap().shared.tally.inferred.load(SeqCst), pictures)
}

#[test]
fn cameras_come_go_and_change_and_the_others_are_not_disturbed() {
    let stage = Stage::new(&format!("{}{}{}", camera("gate"), camera("yard"), camera("roof")));
    let quiet = stage.somebody_comes("gate", 0);
    stage.somebody_comes("yard", 1);
    stage.somebody_comes("roof", 2);
    let before = looked(&stage, "gate");
    let yard = camera("yard").replace("\"any\"", "\"anybody\"");
    stage.rewrite(&format!("{}{yard}{}", camera("entrance"), camera("gate")));
    assert_eq!(
        stage.order(Order::Reload {}),
        (
            ReplyCode::Done,
            "the new config is in force; cameras: 1 added, 1 removed, 1 restarted, 1 go on undisturbed".to_owned()
        )
    );
    let posts: Vec<_> = stage.orders.posts.all().iter().map(|post| post.camera.id.to_string()).collect();
    assert_eq!(posts, ["entrance", "yard", "gate"]);
    assert_eq!(stage.orders.config().cameras.len(), 3);

    // The unchanged one: the same thread, pictures without a break, and its incident goes on.
    stage.pictures("gate", 50);
    let after = looked(&stage, "gate");
    assert_eq!(stage.scene("gate").starts.load(SeqCst), 1);
    assert!(after.1 >= before.1 + 50 && after.0 > before.0, "{before:?} {after:?}");
    assert_eq!(stage.order(Order::Acknowledge { incident: quiet }).0, ReplyCode::Done);
    let closed: Vec<_> = stage
        .alerts()
        .into_iter()
        .filter_map(|a| a.data.incident.close_reason.map(|reason| (a.data.location.camera.to_string(), reason)))
        .collect();
    let mut cameras: Vec<_> = closed.iter().map(|(camera, _)| camera.as_str()).collect();
    cameras.sort_unstable();
    assert_eq!(cameras, ["roof", "yard"]);
    assert!(closed.iter().all(|(_, reason)| *reason == CloseReason::Disarmed));

    // The changed one watches by its new rule, the new one watches, of the removed one nothing stays.
    stage.wait("the new rule", || stage.alerts().iter().any(|alert| alert.data.rule.id == id("anybody")).then_some(()));
    stage.wait_for_state("entrance", CameraState::Seeing);
    assert!(stage.orders.posts.of(&id("roof")).is_none());
    let topic = stage.orders.delivery.path.camera_status(&id("roof"));
    stage.orders.posts.tend();
    assert_eq!(stage.board.state(&topic), Some(Vec::new()));
    assert_eq!(stage.scene("roof").starts.load(SeqCst), 1);
    // It may come back.
    stage.rewrite(&camera("roof"));
    assert_eq!(
        stage.order(Order::Reload {}),
        (ReplyCode::Done, "the new config is in force; cameras: 1 added, 3 removed, 0 go on undisturbed".to_owned())
    );
    stage.wait_for_state("roof", CameraState::Seeing);
    stage.orders.posts.tend();
    assert_ne!(stage.board.state(&topic), Some(Vec::new()));
}

#[test]
fn orders_in_the_middle_of_a_reload_leave_no_camera_out() {
    let stage = Stage::new(&format!("{}{}", camera("gate"), camera("yard")));
    let scene = stage.scene("gate");
    scene.loading.store(true, SeqCst);
    stage.rewrite(&format!("{}{}", camera("gate").replace("\"any\"", "\"anybody\""), camera("yard")));
    thread::scope(|scope| {
        let reload = scope.spawn(|| stage.orders.reload());
        stage.wait("the middle of it", || stage.orders.posts.of(&id("gate")).is_none().then_some(()));
        let (code, detail) = stage.order(Order::Disarm { camera: None, rule: None, seconds: 3600 });
        assert_eq!(code, ReplyCode::Done);
        assert!(detail.starts_with("2 rules of 2 cameras are disarmed until "), "{detail}");
        assert_eq!(stage.order(Order::TestIncident { camera: id("gate"), rule: None }).0, ReplyCode::Done);
        let purpose = "theft".to_owned();
        assert_eq!(
            stage.order(Order::Snapshot { camera: Some(id("gate")), evidence: None, purpose }),
            (
                ReplyCode::Failed,
                "camera gate is being switched off or started anew; nothing was changed, send the command again in some \
                 seconds"
                    .to_owned()
            )
        );
        scene.loading.store(false, SeqCst);
        assert!(reload.join().unwrap().is_ok());
    });
    stage.wait_for_state("gate", CameraState::Seeing);
    // As it is done once a second.
    stage.orders.posts.tend();
    assert_eq!(stage.status("gate").disarmed.keys().collect::<Vec<_>>(), [&id("anybody")]);
}

#[test]
fn what_was_ordered_for_something_that_is_gone_is_forgotten_and_told() {
    let stage = Stage::new(&format!("{}{}{}", camera("gate"), camera("yard"), camera("roof")));
    stage.order(Order::Disarm { camera: None, rule: None, seconds: 3600 });
    stage.order(Order::CameraEnable { camera: id("roof"), enabled: false });
    stage.rewrite(&format!("{}{}", camera("gate"), camera("yard").replace("\"any\"", "\"anybody\"")));
    assert_eq!(
        stage.order(Order::Reload {}),
        (
            ReplyCode::Done,
            "the new config is in force; cameras: 1 removed, 1 restarted, 1 go on undisturbed; forgotten with what it \
             lacks: rule any of camera roof was disarmed, rule any of camera yard was disarmed, camera roof was \
             switched off"
                .to_owned()
        )
    );
    // All come back, and only what was there all the time is still disarmed; the same goes for a restart.
    stage.rewrite(&format!("{}{}{}", camera("gate"), camera("yard"), camera("roof")));
    assert_eq!(stage.order(Order::Reload {}).0, ReplyCode::Done);
    stage.wait_for_state("roof", CameraState::Seeing);
    let disarmed = |stage: &Stage| ["gate", "yard", "roof"].map(|camera| stage.status(camera).disarmed.len());
    assert_eq!(disarmed(&stage), [1, 0, 0]);
    let stage = Stage::again(stage.stop(), &camera("yard"));
    let stage = Stage::again(stage.stop(), &format!("{}{}{}", camera("gate"), camera("yard"), camera("roof")));
    assert_eq!(disarmed(&stage), [0, 0, 0]);
}

#[test]
fn a_config_with_errors_changes_nothing() {
    let stage = Stage::new(&camera("gate"));
    stage.rewrite(&camera("gate").replace("\"yard-nano\"", "\"yard-nona\"").replace("\"0s\"", "\"0 sheep\""));
    let (code, detail) = stage.order(Order::Reload {});
    assert_eq!(code, ReplyCode::Invalid);
    assert!(detail.starts_with("the new config is not used, the present one stays: "), "{detail}");
    assert!(detail.contains("site.toml:") && detail.contains("yard-nona"), "{detail}");
    assert!(detail.ends_with(" | and 1 more; run karaul check"), "{detail}");
    assert!(!detail.contains('\n'));
    fs::remove_file(&stage.orders.file).unwrap();
    assert_eq!(stage.order(Order::Reload {}).0, ReplyCode::Invalid);
    stage.pictures("gate", 5);
    assert_eq!(stage.scene("gate").starts.load(SeqCst), 1);
}

#[test]
fn what_needs_a_restart_is_said_and_nothing_is_half_applied() {
    let stage = Stage::new(&camera("gate"));
    let good = fs::read_to_string(&stage.orders.file).unwrap();
    let changes = [
        ("box = \"b7f3\"", "box = \"b7f4\"", "the address of the box in [site]"),
        ("path = \"state\"", "path = \"elsewhere\"", "[storage]"),
        ("[inference]", "[inference]\nsessions = 1", "[inference]"),
    ];
    for (old, new, section) in changes {
        fs::write(&stage.orders.file, good.replace(old, new) + &camera("yard")).unwrap();
        let sentence = format!(
            "{section} has changed, which takes effect when the service is restarted (systemctl restart karaul); until \
             then nothing of the new config does"
        );
        assert_eq!(stage.order(Order::Reload {}), (ReplyCode::Failed, sentence));
    }
    assert_eq!(stage.orders.posts.all().len(), 1);
}

#[test]
fn another_broker_is_dialled_and_no_camera_notices() {
    let stage = Stage::new(&camera("gate"));
    stage.somebody_comes("gate", 0);
    let good = fs::read_to_string(&stage.orders.file).unwrap();
    fs::write(&stage.orders.file, good.replace("127.0.0.1:9", "127.0.0.1:13")).unwrap();
    assert_eq!(
        stage.order(Order::Reload {}),
        (
            ReplyCode::Done,
            "the new config is in force; cameras: 1 go on undisturbed; the broker is dialled anew".to_owned()
        )
    );
    assert!(!stage.orders.line.has_ended());
    stage.wait("a dial", || {
        let error = stage.orders.line.report()?.last_error?;
        error.contains("127.0.0.1:13").then_some(())
    });
    assert_eq!(stage.scene("gate").starts.load(SeqCst), 1);
    assert_eq!(stage.alerts().len(), 1, "the outbox keeps everything");
}

#[test]
fn other_languages_are_spoken_at_once() {
    let stage = Stage::new(&camera("gate"));
    let good = fs::read_to_string(&stage.orders.file).unwrap();
    fs::write(&stage.orders.file, good.replace("[\"kk\", \"ru\", \"en\"]", "[\"ru\"]")).unwrap();
    assert_eq!(stage.order(Order::Reload {}).0, ReplyCode::Done);
    stage.somebody_comes("gate", 0);
    let text = stage.alerts().pop().unwrap().data.text;
    assert_eq!(text.keys().collect::<Vec<_>>(), [&Language::Ru]);
}

#[test]
fn a_model_that_was_missing_is_tried_again() {
    let stage = Stage::new(&camera("gate").replace("\"test\"", "\"broken\""));
    assert_eq!(stage.status("gate").state, CameraState::Blind);
    assert_eq!(
        stage.order(Order::Reload {}),
        (ReplyCode::Done, "the new config is in force; cameras: 1 restarted, 0 go on undisturbed".to_owned())
    );
    stage.rewrite(&camera("gate"));
    stage.order(Order::Reload {});
    stage.wait_for_state("gate", CameraState::Seeing);
}
