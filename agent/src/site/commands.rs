//! A command's way: gate, audit log, whoever carries it out, audit log, reply.

use std::{fmt::Write as _, sync::Arc};

use karaul_wire::{BoxPath, Command, Order, Picture, Reply, ReplyCode, Segment, Verb};

use crate::{
    clock::{Clock, Stamp},
    config,
    trust::{
        Admitted, Gate, Refusals, Refused,
        audit::{Audit, Occasion, Record},
    },
};

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// For programs.
    pub code: ReplyCode,
    /// One sentence for people.
    pub detail: String,
    /// What `snapshot` asked for.
    pub picture: Option<Picture>,
}

/// Who carries commands out.
pub trait CarryOut {
    /// Does what a command asks for. It has a limit of its own.
    fn carry_out(&self, command: &Command) -> Outcome;

    /// The camera of the incident or picture that an order names; `None` if it cannot be told. Asked only for
    /// roles that are for some cameras.
    fn camera_of(&self, order: &Order) -> Option<Segment>;

    /// The keys and roles in force.
    fn settings(&self) -> config::Commands;
}

/// What is to be sent on `reply/<verb>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The topic's last level.
    pub verb: Verb,
    /// The payload.
    pub reply: Reply,
    /// It has to arrive, so it goes into the outbox. Answers to what nobody has signed do not: anybody could fill
    /// it. They go out now, or never.
    pub keep: bool,
}

/// Takes commands one after the other.
pub struct Commands<C> {
    /// Topic of commands without the verb.
    prefix: String,
    gate: Gate,
    audit: Arc<Audit>,
    refusals: Refusals,
    clock: Arc<dyn Clock>,
    carrier: C,
    settings: config::Commands,
}

impl<C: CarryOut> Commands<C> {
    /// Begins to take commands, and puts on record that the agent started, with which keys.
    pub fn start(path: &BoxPath, gate: Gate, audit: Arc<Audit>, clock: Arc<dyn Clock>, carrier: C) -> Self {
        let settings = carrier.settings();
        let prefix = format!("{path}/command/");
        let mut commands = Self { prefix, gate, audit, refusals: Refusals::default(), clock, carrier, settings };
        let version = format!("karaul {}", env!("CARGO_PKG_VERSION"));
        commands.note(Record::new(Occasion::Start).detail(version));
        commands.note(Record::new(Occasion::Keys).detail(names(&commands.settings)));
        commands.gate.set(&commands.settings);
        commands
    }

    /// Takes what came on a topic in the session of this number. `None` if the topic is none of a command, so
    /// that there is nowhere to answer.
    pub fn take(&mut self, topic: &str, payload: &[u8], session: u64) -> Option<Answer> {
        let verb: Verb = topic.strip_prefix(&self.prefix)?.parse().ok()?;
        let now = self.clock.now();
        let answer = match self.gate.admit(verb, payload, now, session) {
            Ok(admitted) => self.admitted(verb, &admitted, now),
            Err(refused) => self.refused(refused, now),
        };
        self.tend();
        Some(answer)
    }

    /// To be called every few seconds: sums up refusals, and puts changed keys into force and on record.
    pub fn tend(&mut self) {
        let now = self.clock.now();
        if let Some(record) = self.refusals.sum(now) {
            self.note(record);
        }
        let settings = self.carrier.settings();
        if settings != self.settings {
            self.gate.set(&settings);
            self.note(Record::new(Occasion::Keys).detail(names(&settings)));
            self.settings = settings;
        }
    }

    /// Puts on record that the agent stops.
    pub fn stop(&mut self) {
        self.note(Record::new(Occasion::Stop));
    }

    /// Counters for `health/box`.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    fn admitted(&mut self, verb: Verb, admitted: &Admitted, now: Stamp) -> Answer {
        let command = &admitted.command;
        let (mut outcome, audit) = match self.audit.record(now.wall, intent(admitted)) {
            Ok(number) => {
                let outcome = self.allowed(admitted).unwrap_or_else(|| self.carrier.carry_out(command));
                (outcome, Some(number))
            }
            Err(error) => (Outcome::new(ReplyCode::AuditUnavailable, error.to_string()), None),
        };
        if let Some(number) = audit
            && let Err(error) = self.audit.record(self.clock.now().wall, result(verb, number, &outcome))
            && outcome.picture.is_some()
        {
            // The picture has not left yet, and does not leave without its entry.
            outcome = Outcome::new(ReplyCode::AuditUnavailable, error.to_string());
        }
        self.gate.count(outcome.code);
        let Outcome { code, detail, picture } = outcome;
        let time = self.clock.now().wall;
        Answer { verb, reply: Reply { jti: Some(command.jti), time, code, detail, audit, picture }, keep: true }
    }

    /// Why a role that is only for some cameras may not do this; `None` if it may.
    fn allowed(&self, admitted: &Admitted) -> Option<Outcome> {
        let named = match &admitted.command.order {
            Order::Acknowledge { .. } | Order::Resolve { .. } | Order::FalsePositive { .. } => false,
            Order::Snapshot { camera, .. } => camera.is_some(),
            _ => true,
        };
        if named || admitted.cameras.is_none() {
            return None;
        }
        let role = &admitted.command.role;
        let detail = match self.carrier.camera_of(&admitted.command.order) {
            Some(camera) if admitted.may(&camera) => return None,
            Some(camera) => format!("the role {role} is not for the camera {camera}"),
            None => format!("the role {role} is only for some cameras, and it is not known of which one this is"),
        };
        Some(Outcome::new(ReplyCode::Forbidden, detail))
    }

    fn refused(&mut self, refused: Refused, now: Stamp) -> Answer {
        let audit = match self.refusals.note(&refused, now).map(|record| self.audit.record(now.wall, record)) {
            Some(Ok(number)) => Some(number),
            // The log has said it.
            Some(Err(_)) | None => None,
        };
        tracing::warn!(verb = %refused.verb, key = ?refused.key.as_ref().map(Segment::as_str), "command refused: {}", refused.detail);
        let keep = audit.is_some();
        let Refused { code, detail, jti, verb, .. } = refused;
        Answer { verb, reply: Reply { jti, time: now.wall, code, detail, audit, picture: None }, keep }
    }

    /// Puts on record what nothing depends on.
    fn note(&self, record: Record) {
        // A failure has been logged, and the next command is refused for it.
        let _ = self.audit.record(self.clock.now().wall, record);
    }
}

impl Outcome {
    fn new(code: ReplyCode, detail: String) -> Self {
        Self { code, detail, picture: None }
    }
}

/// The entry before a command is carried out.
fn intent(admitted: &Admitted) -> Record {
    let Admitted { command, key, .. } = admitted;
    let purpose = match &command.order {
        Order::Snapshot { purpose, .. } => Some(purpose.clone()),
        _ => None,
    };
    Record {
        actor: Some(command.actor.clone()),
        key: Some(key.to_string()),
        role: Some(command.role.clone()),
        verb: Some(command.order.verb()),
        object: Some(object(&command.order)),
        reason: Some(command.reason.clone()),
        purpose,
        jti: Some(command.jti),
        ..Record::new(Occasion::Command)
    }
}

/// The entry after it.
fn result(verb: Verb, number: u64, outcome: &Outcome) -> Record {
    let mut detail = outcome.detail.clone();
    if let Some(picture) = &outcome.picture {
        let _ = write!(detail, "; picture with SHA-256 {}", picture.sha256);
    }
    let (verb, entry, code) = (Some(verb), Some(number), Some(outcome.code));
    Record { verb, entry, result: code, ..Record::new(Occasion::Result) }.detail(detail)
}

/// What an order is about, in words.
fn object(order: &Order) -> String {
    let place = |camera: &Option<Segment>, rule: &Option<Segment>| {
        let camera = camera.as_ref().map_or_else(|| "all cameras".to_owned(), |camera| format!("camera {camera}"));
        rule.as_ref().map_or_else(|| camera.clone(), |rule| format!("{camera}, rule {rule}"))
    };
    match order {
        Order::Acknowledge { incident } | Order::Resolve { incident } | Order::FalsePositive { incident } => {
            format!("incident {incident}")
        }
        Order::Arm { camera, rule } => place(camera, rule),
        Order::Disarm { camera, rule, seconds } => format!("{}, for {seconds} s", place(camera, rule)),
        Order::TestIncident { camera, rule } => place(&Some(camera.clone()), rule),
        Order::Replay { ranges } => {
            /// More are not listed.
            const MOST: usize = 20;
            let list: Vec<String> =
                ranges.iter().take(MOST).map(|range| format!("{}-{}", range.first.0, range.last.0)).collect();
            let more = if ranges.len() > MOST { format!(" … ({} ranges)", ranges.len()) } else { String::new() };
            format!("alerts {}{more}", list.join(", "))
        }
        Order::Snapshot { evidence: Some(evidence), .. } => format!("evidence {evidence}"),
        Order::Snapshot { camera, .. } => place(camera, &None),
        Order::Reload {} => "config".to_owned(),
        Order::CameraEnable { camera, enabled } => format!("camera {camera}, {}", if *enabled { "on" } else { "off" }),
    }
}

/// The keys in force, with what tells one from another, and the roles with what they may do.
fn names(settings: &config::Commands) -> String {
    let list = |names: Vec<&str>| names.join(" ");
    let keys = settings.keys.iter().map(|(id, key)| {
        format!("key {id} ({}) {}", key.public_key, list(key.roles.iter().map(Segment::as_str).collect()))
    });
    let roles = settings.roles.iter().map(|(id, role)| {
        let verbs = list(role.verbs.iter().map(|verb| verb.as_str()).collect());
        match &role.cameras {
            Some(cameras) => format!("role {id}: {verbs}, on {}", list(cameras.iter().map(Segment::as_str).collect())),
            None => format!("role {id}: {verbs}"),
        }
    });
    let all: Vec<String> = keys.chain(roles).collect();
    if all.is_empty() { "no keys, so no command is taken".to_owned() } else { all.join("; ") }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, fs, time::Duration};

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
            Outcome { code: ReplyCode::Done, detail: "it is done".to_owned(), picture }
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
            let hand = Hand {
                log: dir.path().join("audit"),
                settings: settings.into(),
                done: RefCell::default(),
                picture: false,
            };
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
        office.clock.advance(Duration::from_secs(61));
        office.commands.tend();
        let last = office.logged().pop().unwrap();
        let expected = "1 command was refused in 61 s without an entry each: unsigned ones, or too many";
        assert_eq!((last.event, last.detail.as_deref()), (Occasion::RefusedMany, Some(expected)));
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
        assert_eq!(last.detail, Some(format!("role operator: {}", all.join(" "))));
        office.commands.stop();
        assert_eq!(office.logged().pop().unwrap().event, Occasion::Stop);
    }
}
