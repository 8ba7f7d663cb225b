use std::sync::atomic::Ordering::SeqCst;

use karaul_wire::{CloseReason, Language, Phase, Status};

use super::{
    stage::{Stage, camera, id},
    *,
};

#[test]
fn an_incident_is_acknowledged_once_and_then_resolved_for_good() {
    let stage = Stage::new(&camera("gate"));
    let incident = stage.somebody_comes("gate", 0);
    assert_eq!(
        stage.order(Order::Acknowledge { incident }),
        (ReplyCode::Done, "acknowledged; the incident at camera gate goes on".to_owned())
    );
    let (code, detail) = stage.order(Order::Acknowledge { incident });
    assert_eq!(code, ReplyCode::Done);
    assert!(detail.starts_with("duty officer has acknowledged it already, at 20"), "{detail}");
    assert_eq!(
        stage.order(Order::Resolve { incident }),
        (ReplyCode::Done, "closed; camera gate watches on".to_owned())
    );
    stage.pictures("gate", 50);
    let alerts = stage.alerts();
    let steps: Vec<_> = alerts.iter().map(|a| (a.data.incident.rev, a.data.incident.phase)).collect();
    assert_eq!(steps, [(1, Phase::Open), (2, Phase::Update), (3, Phase::Close)], "the person is still there");
    assert!(alerts.iter().all(|a| a.data.incident.id == incident));
    for late in &alerts[1..] {
        assert_eq!(late.data.incident.acknowledged.as_ref().unwrap().actor, "duty officer");
    }
    assert!(alerts[1].data.text[&Language::En].ends_with("acknowledged by duty officer"));
    assert_eq!(alerts[2].data.incident.close_reason, Some(CloseReason::Resolved));
    let sequences: Vec<_> = alerts.iter().map(|a| a.sequence.0).collect();
    assert_eq!(sequences, [1, 2, 3]);

    let (code, detail) = stage.order(Order::Acknowledge { incident });
    assert_eq!(code, ReplyCode::Done);
    assert!(detail.starts_with("there is nothing left to do: the incident closed at 20"), "{detail}");
    assert!(detail.ends_with(": an operator closed it"), "{detail}");
    let (code, detail) = stage.order(Order::FalsePositive { incident });
    assert_eq!(code, ReplyCode::Failed);
    assert!(detail.ends_with(": an operator closed it; what the box has told of it stays as it is"), "{detail}");
    assert_eq!(stage.alerts().len(), 3);
}

#[test]
fn an_incident_that_nobody_knows_is_not_found() {
    let stage = Stage::new(&camera("gate"));
    let incident = Uuid::from_u128(7);
    let sentence = "no incident 00000000-0000-0000-0000-000000000007 is open, nor is it one of the last 1000 that \
                    closed since the agent's start";
    for order in [Order::Acknowledge { incident }, Order::Resolve { incident }, Order::FalsePositive { incident }] {
        assert_eq!(stage.order(order), (ReplyCode::NotFound, sentence.to_owned()));
    }
}

#[test]
fn a_camera_that_hangs_is_not_waited_for() {
    let mut stage = Stage::new(&camera("gate"));
    stage.orders.limits.errand = std::time::Duration::from_millis(50);
    let incident = stage.somebody_comes("gate", 0);
    stage.scene("gate").hangs.store(true, SeqCst);
    let sentence = "camera gate was too busy for 0.05 s; nothing was changed, send the command again";
    assert_eq!(stage.order(Order::FalsePositive { incident }), (ReplyCode::Failed, sentence.to_owned()));
    stage.scene("gate").hangs.store(false, SeqCst);
    stage.pictures("gate", 20);
    assert_eq!(stage.alerts().len(), 1, "taken back");
    stage.orders.limits.errand = std::time::Duration::from_secs(5);
    assert_eq!(
        stage.order(Order::FalsePositive { incident }),
        (ReplyCode::Done, "closed as a false alarm; camera gate watches on".to_owned())
    );
    assert_eq!(stage.alerts()[1].data.incident.close_reason, Some(CloseReason::FalsePositive));
}

#[test]
fn an_incident_that_another_run_left_open_is_closed_and_found() {
    let stage = Stage::new(&camera("gate"));
    let incident = stage.somebody_comes("gate", 0);
    // The outbox as a crash leaves it: the threads of this run end without a word.
    stage.scene("gate").hangs.store(true, SeqCst);
    let state = stage.folder.path().join("state");
    let other = tempfile::tempdir().unwrap();
    let copy = other.path().join("state");
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(&state).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
    }
    let again = Stage::again(Arc::new(other), &camera("gate"));
    let (code, detail) = again.order(Order::Acknowledge { incident });
    assert_eq!(code, ReplyCode::Done);
    assert!(detail.ends_with(": the agent was restarted"), "{detail}");
    let last = again.alerts().pop().unwrap().data.incident;
    assert_eq!((last.id, last.close_reason), (incident, Some(CloseReason::Restarted)));
}

#[test]
fn a_test_goes_the_way_of_an_incident_also_where_nobody_watches() {
    let off = camera("yard").replace("purpose", "enabled = false\npurpose");
    let blind = camera("roof").replace("\"test\"", "\"broken\"");
    let stage = Stage::new(&format!("{}{off}{blind}", camera("gate")));
    for (number, name) in ["gate", "yard", "roof"].into_iter().enumerate() {
        let (code, detail) = stage.order(Order::TestIncident { camera: id(name), rule: None });
        assert_eq!(code, ReplyCode::Done);
        let alerts = stage.alerts();
        assert_eq!(alerts.len(), 2 * (number + 1));
        let [open, close] = &alerts[2 * number..] else { panic!("not two") };
        assert_eq!(
            detail,
            format!("test incident {} of rule any at camera {name} opened and closed", open.data.incident.id)
        );
        for (step, phase) in [(open, Phase::Open), (close, Phase::Close)] {
            assert_eq!((step.data.incident.status, step.data.incident.phase), (Status::Test, phase));
            assert_eq!(step.data.incident.id, open.data.incident.id);
            assert!(step.data.text[&Language::Kk].starts_with("СЫНАҚ: "), "{:?}", step.data.text);
            assert!(step.data.text[&Language::Ru].starts_with("ПРОВЕРКА: "), "{:?}", step.data.text);
        }
    }
    let waiting = stage.orders.delivery.outbox.next(100, 100, |_, _| false);
    let states: Vec<_> = waiting.iter().filter(|w| w.message.retain).map(|w| w.message.payload.is_empty()).collect();
    assert_eq!(states, [false, true, false, true, false, true], "retained and cleared");
    assert_eq!(
        stage.order(Order::TestIncident { camera: id("gate"), rule: Some(id("anyy")) }),
        (ReplyCode::NotFound, "camera gate has no rule \"anyy\"; did you mean \"any\"?".to_owned())
    );
    // No cooldown, no track: the next person is an incident.
    stage.somebody_comes("gate", 3);
}

#[test]
fn an_incident_that_no_camera_has_any_more_is_explained() {
    let stage = Stage::new(&camera("gate"));
    let mut lost = karaul_wire::Alert::example().incident;
    lost.phase = Phase::Open;
    stage.orders.delivery.register.enter(&lost, &id("gate"));
    let sentence = "camera gate is being switched off or started anew; nothing was changed, send the command again in \
                    some seconds; if that does not help, the box had no room to tell the end of the incident, and does \
                    so when the agent is restarted";
    assert_eq!(stage.order(Order::Resolve { incident: lost.id }), (ReplyCode::Failed, sentence.to_owned()));
}
