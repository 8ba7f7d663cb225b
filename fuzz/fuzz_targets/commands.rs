//! Any bytes at the gate, on behalf of three senders: one without a key sends them as they are, one without a key
//! makes them a header, and one with a key signs them as claims.
#![no_main]

use std::{cell::RefCell, fs, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use karaul::{
    clock::Stamp,
    config::{CommandKey, Commands, Role},
    trust::{Gate, PrivateKey, jws},
};
use karaul_wire::{BoxPath, Command, Order, ReplyCode, Segment, Verb};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// While the golden commands are fresh.
const NOW: &str = "2026-11-22T02:14:20Z";
/// The one that a golden command names.
const SESSION: u64 = 42;
const TOLERANCE: i64 = 30;
const LONGEST: i64 = 600;
/// A box serves so many inputs: its memory of commands has an end.
const INPUTS: u32 = 500;

/// A box with one key, that of the role `operator` for everything and of `guard` for one camera.
struct Box {
    gate: Gate,
    clock_is_trusted: bool,
    now: Stamp,
    left: u32,
    _folder: TempDir,
}

thread_local! {
    /// One with a clock that is trusted and one without.
    static BOXES: RefCell<[Option<Box>; 2]> = const { RefCell::new([const { None }; 2]) };
}

fuzz_target!(|bytes: &[u8]| {
    let forged = format!("{}.e30.{}", BASE64URL_NOPAD.encode(bytes), "A".repeat(86));
    let signed = jws::sign(&key(), Command::TYPE, "desk", bytes);
    let verb = serde_json::from_slice(bytes).map_or(Verb::Disarm, |command: Command| command.order.verb());
    BOXES.with_borrow_mut(|boxes| {
        for (place, clock_is_trusted) in boxes.iter_mut().zip([true, false]) {
            if place.as_ref().is_none_or(|unit| unit.left == 0) {
                *place = Some(Box::new(clock_is_trusted));
            }
            if let Some(unit) = place {
                unit.left -= 1;
                unit.stranger(bytes);
                unit.stranger(forged.as_bytes());
                unit.key_holder(verb, signed.as_bytes());
            }
        }
    });
});

impl Box {
    fn new(clock_is_trusted: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let time_sync_file = folder.path().join("synchronized");
        if clock_is_trusted {
            fs::write(&time_sync_file, "").expect("an empty folder");
        }
        let role = |cameras| Role { verbs: Verb::ALL.into(), cameras };
        let settings = Commands {
            longest_validity: Duration::from_secs(LONGEST.unsigned_abs()),
            clock_tolerance: Duration::from_secs(TOLERANCE.unsigned_abs()),
            time_sync_file,
            keys: [(
                id("desk"),
                CommandKey {
                    public_key: key().public().clone(),
                    roles: [id("operator"), id("guard")].into(),
                    not_after: None,
                },
            )]
            .into(),
            roles: [(id("operator"), role(None)), (id("guard"), role(Some([id("gate")].into())))].into(),
        };
        let now = Stamp { mono: Duration::from_secs(100), wall: NOW.parse().expect("a time") };
        let gate = Gate::open(folder.path(), &path(), &settings, false);
        Self { gate, clock_is_trusted, now, left: INPUTS, _folder: folder }
    }

    /// Whoever has no key gets nothing done.
    fn stranger(&mut self, payload: &[u8]) {
        let refused = self.gate.admit(Verb::Disarm, payload, self.now, SESSION).expect_err("nobody signed it");
        assert!(!refused.is_signed());
        said(&refused.detail);
    }

    /// Whoever has one gets done what its roles allow, once, and on the topic of its verb only.
    fn key_holder(&mut self, verb: Verb, payload: &[u8]) {
        match self.gate.admit(verb, payload, self.now, SESSION) {
            Ok(admitted) => {
                assert_eq!((admitted.command.order.verb(), admitted.key.as_str()), (verb, "desk"));
                self.right(&admitted.command);
                let other = if verb == Verb::Reload { Verb::Arm } else { Verb::Reload };
                for (verb, code) in [(other, ReplyCode::Malformed), (verb, ReplyCode::Replayed)] {
                    let refused = self.gate.admit(verb, payload, self.now, SESSION).expect_err("it has been here");
                    assert_eq!(refused.code, code);
                }
            }
            Err(refused) => said(&refused.detail),
        }
    }

    /// What the rules say, in other words than the gate's.
    fn right(&self, command: &Command) {
        let now = self.now.wall.as_second();
        assert_eq!(command.aud, path().to_string());
        assert!(command.session.is_none_or(|session| session == SESSION));
        assert!((1..=LONGEST).contains(&(command.exp - command.iat)));
        if self.clock_is_trusted {
            assert!(command.iat <= now + TOLERANCE && now < command.exp + TOLERANCE, "its time is not now");
        } else {
            assert!(command.session.is_some(), "an old one could come again");
        }
        match (command.role.as_str(), &command.order) {
            ("operator", _) | ("guard", Order::Acknowledge { .. } | Order::Resolve { .. }) => {}
            ("guard", Order::FalsePositive { .. } | Order::Snapshot { camera: None, .. }) => {}
            ("guard", order) => {
                let order = serde_json::to_value(order).expect("an order is JSON");
                assert_eq!(order["args"]["camera"], "gate", "this role is for one camera");
            }
            (role, _) => panic!("the key has not the role {role}"),
        }
    }
}

/// One sentence that can be shown and kept.
fn said(sentence: &str) {
    assert!(!sentence.is_empty() && !sentence.contains(char::is_control) && sentence.len() < 5000, "{sentence:?}");
}

fn key() -> PrivateKey {
    PrivateKey::from_seed(&[1; 32])
}

fn id(text: &str) -> Segment {
    text.parse().expect("a literal id")
}

fn path() -> BoxPath {
    BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") }
}
