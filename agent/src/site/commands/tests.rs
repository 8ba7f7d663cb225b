use std::{cell::RefCell, fs, time::Duration};

use karaul_wire::Picture;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{
    clock::SimulatedClock,
    config::{CommandKey, Role},
    trust::{PrivateKey, audit, jws},
};

fn id(text: &str) -> Segment {
    text.parse().unwrap()
}

fn path() -> BoxPath {
    BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") }
}

/// Remembers what it did, and what stood in the audit log then.
struct Hand {
    log: std::path::PathBuf,
    settings: RefCell<config::Commands>,
    done: RefCell<Vec<(Verb, usize)>>,
    picture: bool,
}

impl CarryOut for Hand {
    fn carry_out(&self, command: &Command) -> Outcome {
        let entries = logged(&self.log).len();
        self.done.borrow_mut().push((command.order.verb(), entries));
        if self.picture {
            // The disk goes away in the meantime.
            fs::remove_dir_all(&self.log).unwrap();
            fs::write(&self.log, "in the way").unwrap();
        }
        let picture = Picture { media_type: "image/jpeg".into(), sha256: "ab".into(), data: String::new() };
        let picture = matches!(command.order, Order::Snapshot { .. }).then_some(picture);
        Outcome {
            code: ReplyCode::Done,
            detail: "it is done".to_owned(),
            picture: picture.map(Box::new),
            ledger: Vec::new(),
        }
    }

    fn camera_of(&self, order: &Order) -> Option<Segment> {
        match order {
            Order::Resolve { .. } => None,
            Order::Acknowledge { .. } => Some(id("gate")),
            _ => Some(id("yard")),
        }
    }

    fn settings(&self) -> config::Commands {
        self.settings.borrow().clone()
    }
}

fn logged(log: &std::path::Path) -> Vec<Record> {
    let mut records = Vec::new();
    audit::entries(log, |entry| records.push(entry.record)).unwrap();
    records
}

struct Office {
    dir: TempDir,
    key: PrivateKey,
    clock: SimulatedClock,
    commands: Commands<Hand>,
}

impl Office {
    fn new(cameras: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = PrivateKey::from_seed(&[1; 32]);
        let clock = SimulatedClock::at("2027-03-01T12:00:00Z".parse().unwrap());
        let file = dir.path().join("synchronized");
        fs::write(&file, "").unwrap();
        let roles = [id("operator")].into();
        let role = Role { verbs: Verb::ALL.into(), cameras: cameras.map(|camera| [id(camera)].into()) };
        let settings = config::Commands {
            longest_validity: Duration::from_secs(600),
            clock_tolerance: Duration::from_secs(30),
            time_sync_file: file,
            keys: [(id("desk"), CommandKey { public_key: key.public().clone(), roles, not_after: None })].into(),
            roles: [(id("operator"), role)].into(),
        };
        let now = clock.now().wall;
        let audit = Arc::new(Audit::open(dir.path(), &path(), now));
        let gate = Gate::open(dir.path(), &path(), &settings, false);
        let hand =
            Hand { log: dir.path().join("audit"), settings: settings.into(), done: RefCell::default(), picture: false };
        let commands = Commands::start(&path(), gate, audit, Arc::new(clock.clone()), hand);
        Self { dir, key, clock, commands }
    }

    fn send(&mut self, order: Order) -> Answer {
        let iat = self.clock.now().wall.as_second();
        let topic = path().command(order.verb());
        let command = Command {
            aud: path().to_string(),
            iat,
            exp: iat + 60,
            jti: Uuid::now_v7(),
            session: None,
            actor: "duty officer".to_owned(),
            role: id("operator"),
            reason: "fire drill".to_owned(),
            order,
        };
        let payload = jws::sign(&self.key, Command::TYPE, "desk", &serde_json::to_vec(&command).unwrap());
        self.commands.take(&topic, payload.as_bytes(), 1).unwrap()
    }

    fn logged(&self) -> Vec<Record> {
        logged(&self.dir.path().join("audit"))
    }
}

fn snapshot() -> Order {
    Order::Snapshot { camera: Some(id("gate")), evidence: None, purpose: "theft".to_owned() }
}

#[test]
fn a_command_is_on_record_before_and_after() {
    let mut office = Office::new(None);
    let answer = office.send(snapshot());
    assert_eq!((answer.verb, answer.keep, answer.reply.code), (Verb::Snapshot, true, ReplyCode::Done));
    assert_eq!(answer.reply.audit, Some(4));
    assert!(answer.reply.picture.is_some());
    // The key's, start, keys and the intent stood there when it was carried out.
    assert_eq!(*office.commands.carrier.done.borrow(), [(Verb::Snapshot, 4)]);
    let records = office.logged();
    let events: Vec<Occasion> = records.iter().map(|record| record.event).collect();
    use Occasion::*;
    assert_eq!(events, [BoxKey, Start, Keys, Command, Result]);
    let intent = &records[3];
    assert_eq!(intent.object.as_deref(), Some("camera gate"));
    assert_eq!((intent.purpose.as_deref(), intent.actor.as_deref()), (Some("theft"), Some("duty officer")));
    assert_eq!((intent.key.as_deref(), intent.jti), (Some("desk"), answer.reply.jti));
    let result = &records[4];
    assert_eq!((result.entry, result.result), (Some(4), Some(ReplyCode::Done)));
    assert_eq!(result.detail.as_deref(), Some("it is done; picture with SHA-256 ab"));
    assert_eq!(office.commands.gate().counts(), &[(ReplyCode::Done, 1)].into());
}

#[test]
fn the_entry_names_the_camera_of_what_has_only_an_id() {
    let mut office = Office::new(None);
    let id = Uuid::nil();
    office.send(Order::Snapshot { camera: None, evidence: Some(id), purpose: "theft".to_owned() });
    office.send(Order::Acknowledge { incident: id });
    office.send(Order::Resolve { incident: id });
    let objects: Vec<String> = office.logged().into_iter().filter_map(|record| record.object).collect();
    let known =
        [format!("evidence {id}, camera yard"), format!("incident {id}, camera gate"), format!("incident {id}")];
    assert_eq!(objects, known);
}

#[test]
fn nothing_is_done_without_a_record() {
    let mut office = Office::new(None);
    let log = office.dir.path().join("audit");
    fs::remove_dir_all(&log).unwrap();
    fs::write(&log, "in the way").unwrap();
    let answer = office.send(snapshot());
    assert_eq!((answer.reply.code, answer.reply.audit), (ReplyCode::AuditUnavailable, None));
    assert!(office.commands.carrier.done.borrow().is_empty());
    fs::remove_file(&log).unwrap();
    assert_eq!(office.send(snapshot()).reply.code, ReplyCode::Done);
}

#[test]
fn a_picture_without_its_second_entry_does_not_leave() {
    let mut office = Office::new(None);
    office.commands.carrier.picture = true;
    let answer = office.send(snapshot());
    assert_eq!((answer.reply.code, answer.reply.picture), (ReplyCode::AuditUnavailable, None));
    assert_eq!(office.commands.carrier.done.borrow().len(), 1);
}

#[test]
fn refused_commands_are_answered_and_only_signed_ones_kept() {
    let mut office = Office::new(None);
    let topic = path().command(Verb::Arm);
    let answer = office.commands.take(&topic, b"nonsense", 1).unwrap();
    assert_eq!((answer.keep, answer.reply.code, answer.reply.audit), (false, ReplyCode::Malformed, None));
    let signed = jws::sign(&office.key, Command::TYPE, "desk", b"{}");
    let answer = office.commands.take(&topic, signed.as_bytes(), 1).unwrap();
    assert_eq!((answer.keep, answer.reply.audit), (true, Some(4)));
    assert_eq!(office.commands.take(&path().box_status(), b"", 1), None);
    assert_eq!(office.commands.take(&format!("{}/command/explode", path()), b"", 1), None);
    let counts = office.commands.gate().counts();
    assert_eq!(counts.values().sum::<u64>(), 3, "a verb that there is not is counted as well: {counts:?}");
    office.clock.advance(Duration::from_secs(3601));
    office.commands.tend();
    let last = office.logged().pop().unwrap();
    let expected = "1 unsigned command was refused in 3601 s without an entry each";
    assert_eq!((last.event, last.detail.as_deref()), (Occasion::RefusedMany, Some(expected)));
    // Nonsense is answered ten times a minute, and what is left over at the end is on record.
    let answered = (0..50).filter(|_| office.commands.take(&topic, b"nonsense", 1).is_some()).count();
    assert_eq!(answered, 10);
    office.commands.stop();
    let records = office.logged();
    let expected = "50 unsigned commands were refused in 0 s without an entry each, 40 of them without an answer";
    assert_eq!(records[records.len() - 2].detail.as_deref(), Some(expected));
}

#[test]
fn a_role_for_some_cameras_is_held_to_them() {
    let mut office = Office::new(Some("gate"));
    let mut said = |order: Order| {
        let reply = office.send(order).reply;
        (reply.code, reply.detail)
    };
    let incident = Uuid::nil();
    assert_eq!(said(Order::Acknowledge { incident }).0, ReplyCode::Done);
    let forbidden = |what: &str| (ReplyCode::Forbidden, what.to_owned());
    assert_eq!(said(Order::FalsePositive { incident }), forbidden("the role operator is not for the camera yard"));
    let unknown = "the role operator is only for some cameras, and it is not known of which one this is";
    assert_eq!(said(Order::Resolve { incident }), forbidden(unknown));
    assert_eq!(said(snapshot()).0, ReplyCode::Done);
    assert_eq!(office.commands.carrier.done.borrow().len(), 2);
}

#[test]
fn changed_keys_are_in_force_at_once_and_on_record() {
    let mut office = Office::new(None);
    office.commands.carrier.settings.borrow_mut().keys.clear();
    office.commands.tend();
    assert_eq!(office.send(Order::Reload {}).reply.code, ReplyCode::UnknownKey);
    let last = office.logged().pop().unwrap();
    assert_eq!(last.event, Occasion::Keys);
    let all: Vec<&str> = Verb::ALL.iter().map(|verb| verb.as_str()).collect();
    let file = office.dir.path().join("synchronized").display().to_string();
    let limits = format!("longest_validity 600 s, clock_tolerance 30 s, time_sync_file {file}");
    let keys = "no keys, so no command is taken";
    assert_eq!(last.detail, Some(format!("{keys}; role operator: {}; {limits}", all.join(" "))));
    office.commands.stop();
    assert_eq!(office.logged().pop().unwrap().event, Occasion::Stop);
}

#[test]
fn whatever_the_gate_judges_by_goes_on_record_when_it_changes() {
    let office = Office::new(None);
    let before = office.commands.settings.clone();
    let changes: [fn(&mut config::Commands); 4] = [
        |settings| settings.longest_validity *= 2,
        |settings| settings.clock_tolerance *= 2,
        |settings| settings.time_sync_file = "/etc/hostname".into(),
        |settings| settings.keys.values_mut().for_each(|key| key.not_after = Some(jiff::Timestamp::MAX)),
    ];
    for change in changes {
        let mut after = before.clone();
        change(&mut after);
        assert_ne!(names(&after), names(&before));
    }
}

#[test]
fn keys_that_could_not_be_put_on_record_are_when_it_works_again() {
    let mut office = Office::new(None);
    let log = office.dir.path().join("audit");
    fs::remove_dir_all(&log).unwrap();
    fs::write(&log, "in the way").unwrap();
    office.commands.carrier.settings.borrow_mut().longest_validity = Duration::from_secs(60);
    office.commands.tend();
    office.commands.tend();
    fs::remove_file(&log).unwrap();
    office.commands.tend();
    office.commands.tend();
    let keys: Vec<_> = office.logged().into_iter().filter(|record| record.event == Occasion::Keys).collect();
    assert_eq!(keys.len(), 1);
    assert!(keys[0].detail.as_ref().unwrap().contains("longest_validity 60 s"), "{keys:?}");
}

#[test]
fn what_was_refused_while_the_log_took_nothing_is_on_record_later() {
    let mut office = Office::new(Some("gate"));
    let (log, away) = (office.dir.path().join("audit"), office.dir.path().join("away"));
    fs::rename(&log, &away).unwrap();
    fs::write(&log, "in the way").unwrap();
    for _ in 0..3 {
        let answer = office.send(Order::Reload {});
        assert_eq!((answer.reply.code, answer.reply.audit, answer.keep), (ReplyCode::Forbidden, None, true));
    }
    let topic = path().command(Verb::Reload);
    for _ in 0..5 {
        office.commands.take(&topic, b"nonsense", 1);
    }
    office.clock.advance(Duration::from_secs(3601));
    office.commands.tend();
    fs::remove_file(&log).unwrap();
    fs::rename(&away, &log).unwrap();
    office.commands.tend();
    let events: Vec<_> = office.logged()[3..].iter().map(|record| record.event).collect();
    assert_eq!(events, [[Occasion::Refused; 3].as_slice(), &[Occasion::RefusedMany]].concat());
}
