//! `karaul command`.

mod order;
mod reply;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use jiff::Timestamp;
use karaul_wire::{BoxPath, Command, Order, Segment};
use uuid::Uuid;

use self::{order::What, reply::PictureFile};
use super::check::BAD_CONFIG;
use crate::{
    config::{Broker, Config, Secrets},
    trust::{KeyError, PrivateKey, Secret, jws},
    uplink::{AskError, Question, ask},
};

/// Signs a command to a box, sends it and waits for the reply.
///
/// The exit code is 0 if the box has done it, and 1 otherwise.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    sender: Sender,
    #[command(flatten)]
    target: Target,
}

/// Who commands, and why.
#[derive(Debug, clap::Args)]
struct Sender {
    /// Private key, as `karaul command keygen` writes it
    #[arg(long, value_name = "FILE", global = true)]
    key: Option<PathBuf>,
    /// Id of the key in the box's config; without it the name of the key's file
    #[arg(long, value_name = "ID", global = true)]
    kid: Option<Segment>,
    /// Role that is used; the key must have it
    #[arg(long, global = true)]
    role: Option<Segment>,
    /// Person or duty on whose behalf; goes into the audit log
    #[arg(long, global = true)]
    actor: Option<String>,
    /// Why, in words; goes into the audit log
    #[arg(long, global = true)]
    reason: Option<String>,
    /// Seconds for which the box may carry it out
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400), global = true)]
    valid: u32,
}

/// Which box, and how to get there.
#[derive(Debug, clap::Args)]
struct Target {
    /// Config of the box: its path and its broker
    #[arg(long, value_name = "FILE", conflicts_with_all = ["path", "broker"], global = true)]
    config: Option<PathBuf>,
    /// The box, as karaul1/<region>/<district>/<site>/<box>
    #[arg(long = "box", value_name = "PATH", value_parser = box_path, global = true)]
    path: Option<BoxPath>,
    /// Its broker, as mqtts://host:port
    #[arg(long, value_name = "URL", global = true)]
    broker: Option<String>,
    /// PEM file of the authorities to trust instead of the system's
    #[arg(long, value_name = "FILE", requires = "broker", global = true)]
    ca_file: Option<PathBuf>,
    /// User name at the broker
    #[arg(long, requires_all = ["broker", "password_file"], global = true)]
    username: Option<String>,
    /// File with the password on one line
    #[arg(long, value_name = "FILE", requires = "username", global = true)]
    password_file: Option<PathBuf>,
    /// Seconds to wait for the reply
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600), global = true)]
    wait: u32,
    /// Print the signed command instead of sending it; this needs no broker
    #[arg(long, global = true)]
    print: bool,
    /// With --print: the session that status/box shows. A box that does not trust its clock wants it
    #[arg(long, value_name = "NUMBER", requires = "print", global = true)]
    session: Option<u64>,
    /// New file for the picture that snapshot gets
    #[arg(long, value_name = "FILE", global = true)]
    output: Option<PathBuf>,
}

/// Why a command was not sent, or has no reply.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag that this needs.
    #[error("{0} is missing; see `karaul command --help`")]
    Missing(&'static str),
    /// Flags that cannot be used like that.
    #[error("{0}")]
    Usage(String),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The way to the box.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The picture.
    #[error("the picture in the reply is damaged: it has not the SHA-256 that it should have")]
    Picture,
    /// A file.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Standard output.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs `karaul command`.
///
/// # Errors
/// If the command was not sent, or there is no reply.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let what = args.what.as_ref().ok_or(Error::Missing("what to do"))?;
    let out = &mut io::stdout().lock();
    if let What::Keygen { file } = what {
        return keygen(file, out).map(|()| ExitCode::SUCCESS);
    }
    let order = what.order().map_err(Error::Usage)?;
    let Some((path, broker)) = target(&args.target)? else { return Ok(ExitCode::from(BAD_CONFIG)) };
    let letter = Letter::new(&args.sender, path, order)?;
    if args.target.print {
        writeln!(out, "{}", letter.sign(args.target.session, Timestamp::now()).1)?;
        return Ok(ExitCode::SUCCESS);
    }
    let broker = broker.ok_or(Error::Missing("--broker or --config"))?;
    let file = match (&letter.order, &args.target.output) {
        (Order::Snapshot { .. }, None) => return Err(Error::Missing("--output, the file for the picture,")),
        (Order::Snapshot { .. }, Some(path)) => Some(PictureFile::new(path)?),
        _ => None,
    };
    let limit = Duration::from_secs(args.target.wait.into());
    let reply = ask(&broker, &letter.path, letter.order.verb(), limit, |status| {
        let (jti, token) = letter.sign(Some(status.session), Timestamp::now());
        Question { jti, payload: token.into_bytes() }
    })?;
    reply::say(&reply, file, out)
}

/// Makes a pair of keys: the private half in a new file, the public half as lines for a config.
fn keygen(path: &Path, out: &mut impl io::Write) -> Result<(), Error> {
    let key = PrivateKey::generate()?;
    key.write_new(path)?;
    let name = kid_of(path).map_or_else(|| "duty-desk".to_owned(), |id| id.to_string());
    writeln!(
        out,
        "# The private key is in {}: keep it, and give it to nobody. For the box's config:\n[[command.key]]\nid = \
         \"{name}\"\npublic_key = \"{}\"\nroles = [\"operator\"]",
        path.display(),
        key.public()
    )?;
    Ok(())
}

/// The id that a key's file is named by.
fn kid_of(path: &Path) -> Option<Segment> {
    path.file_stem().and_then(|stem| stem.to_str()).and_then(Segment::suggest)
}

/// The box and, unless nothing is to be sent, its broker. `None` if there are problems with the config, which
/// have been said.
fn target(args: &Target) -> Result<Option<(BoxPath, Option<Broker>)>, Error> {
    if let Some(file) = &args.config {
        return match Config::load_with(file, Secrets::Tried) {
            Ok(config) => Ok(Some((config.site.path, Some(config.broker)))),
            Err(problems) => {
                eprintln!("{problems}");
                Ok(None)
            }
        };
    }
    let path = args.path.clone().ok_or(Error::Missing("--box or --config"))?;
    let login = match (&args.username, &args.password_file) {
        (Some(name), Some(file)) => {
            let text = fs::read_to_string(file).map_err(|source| Error::File { path: file.clone(), source })?;
            Some((name.clone(), Secret::new(text.trim_end_matches(['\n', '\r']).to_owned())))
        }
        _ => None,
    };
    let broker = args.broker.as_ref().map(|url| Broker::at(url, args.ca_file.clone(), login)).transpose();
    Ok(Some((path, broker.map_err(|why| Error::Usage(format!("--broker: {why}")))?)))
}

fn box_path(text: &str) -> Result<BoxPath, String> {
    let wanted = || format!("a path {}/<region>/<district>/<site>/<box> is wanted", BoxPath::ROOT);
    let mut parts = text.split('/');
    if parts.next() != Some(BoxPath::ROOT) {
        return Err(wanted());
    }
    let mut part = || parts.next().ok_or_else(wanted)?.parse::<Segment>().map_err(|why| why.to_string());
    let path = BoxPath { region: part()?, district: part()?, site: part()?, unit: part()? };
    parts.next().map_or(Ok(path), |_| Err(wanted()))
}

/// A command that only lacks its time and session.
struct Letter {
    path: BoxPath,
    order: Order,
    key: PrivateKey,
    kid: Segment,
    role: Segment,
    actor: String,
    reason: String,
    valid: u32,
}

impl Letter {
    fn new(sender: &Sender, path: BoxPath, order: Order) -> Result<Self, Error> {
        let file = sender.key.as_ref().ok_or(Error::Missing("--key"))?;
        let kid = sender.kid.clone().or_else(|| kid_of(file)).ok_or(Error::Missing("--kid"))?;
        let role = sender.role.clone().ok_or(Error::Missing("--role"))?;
        let actor = sender.actor.clone().ok_or(Error::Missing("--actor"))?;
        let reason = sender.reason.clone().ok_or(Error::Missing("--reason"))?;
        let key = PrivateKey::read(file)?;
        Ok(Self { path, order, key, kid, role, actor, reason, valid: sender.valid })
    }

    /// The signed command and its id.
    fn sign(&self, session: Option<u64>, now: Timestamp) -> (Uuid, String) {
        let (iat, jti) = (now.as_second(), Uuid::now_v7());
        let command = Command {
            aud: self.path.to_string(),
            iat,
            exp: iat + i64::from(self.valid),
            jti,
            session,
            actor: self.actor.clone(),
            role: self.role.clone(),
            reason: self.reason.clone(),
            order: self.order.clone(),
        };
        // Texts and numbers always make JSON.
        let claims = serde_json::to_vec(&command).unwrap_or_default();
        (jti, jws::sign(&self.key, Command::TYPE, self.kid.as_str(), &claims))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use karaul_wire::Verb;

    use super::*;
    use crate::trust::jws::Token;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, String> {
        let words = std::iter::once("command").chain(line.split_whitespace());
        Line::try_parse_from(words).map(|line| line.args).map_err(|error| error.to_string())
    }

    fn order(line: &str) -> Result<Order, String> {
        parse(line)?.what.unwrap().order()
    }

    #[test]
    fn each_verb_is_a_word_of_the_command_line() {
        let incident = "019d0000-0000-7000-8000-000000000001";
        let lines = [
            format!("acknowledge {incident}"),
            format!("resolve {incident}"),
            format!("false_positive {incident}"),
            "arm --camera gate".to_owned(),
            "disarm --camera gate --rule night --seconds 600".to_owned(),
            "test_incident gate".to_owned(),
            "replay 3 5-9".to_owned(),
            "snapshot --camera gate --purpose theft".to_owned(),
            "reload".to_owned(),
            "camera_enable gate --off".to_owned(),
            "ledger 2026-11-16 2026-11-22".to_owned(),
            "mode night".to_owned(),
        ];
        let verbs: Vec<Verb> = lines.iter().map(|line| order(line).unwrap().verb()).collect();
        assert_eq!(verbs, Verb::ALL);
        let ranges = |line: &str| match order(line) {
            Ok(Order::Replay { ranges }) => Ok(ranges.iter().map(|r| (r.first.0, r.last.0)).collect::<Vec<_>>()),
            other => Err(format!("{other:?}")),
        };
        assert_eq!(ranges("replay 3 5-9"), Ok(vec![(3, 3), (5, 9)]));
        assert!(ranges("replay 9-5").unwrap_err().contains("9-5: the first number is greater than the last"));
        assert!(order("camera_enable gate").is_err());
        assert!(order("snapshot --purpose theft").is_err());
        assert!(order("disarm").is_err(), "nobody disarms without an end");
        assert!(matches!(parse("keygen desk.key").unwrap().what, Some(What::Keygen { .. })));
        <Line as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_signed_command_is_printed() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("duty-desk.key");
        let mut out = Vec::new();
        keygen(&key, &mut out).unwrap();
        let public = PrivateKey::read(&key).unwrap().public().clone();
        let name = key.display();
        let expected = format!(
            "# The private key is in {name}: keep it, and give it to nobody. For the box's config:\n[[command.key]]\nid = \
             \"duty-desk\"\npublic_key = \"{public}\"\nroles = [\"operator\"]\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);

        let args = parse(&format!(
            "disarm --seconds 600 --box karaul1/a/b/c/d --key {name} --role operator --actor duty --reason drill --print"
        ))
        .unwrap();
        let (path, broker) = target(&args.target).unwrap().unwrap();
        assert_eq!((path.to_string().as_str(), broker), ("karaul1/a/b/c/d", None));
        let letter = Letter::new(&args.sender, path, args.what.unwrap().order().unwrap()).unwrap();
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let (jti, token) = letter.sign(Some(7), now);
        let token = Token::parse(token.as_bytes(), Command::TYPE, 4096).unwrap();
        assert_eq!(token.kid(), "duty-desk");
        let command: Command = serde_json::from_slice(&token.verify(&public).unwrap()).unwrap();
        assert_eq!((command.jti, command.session, command.exp - command.iat), (jti, Some(7), 60));
        assert_eq!((command.aud.as_str(), command.actor.as_str()), ("karaul1/a/b/c/d", "duty"));
        assert_eq!(command.order, Order::Disarm { camera: None, rule: None, seconds: 600 });
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        let said = |line: &str| run(&parse(line).unwrap()).unwrap_err().to_string();
        assert_eq!(said("reload --print"), "--box or --config is missing; see `karaul command --help`");
        assert_eq!(said("reload --box karaul1/a/b/c/d"), "--key is missing; see `karaul command --help`");
        let dir = tempfile::tempdir().unwrap();
        let (key, there) = (dir.path().join("desk.key"), dir.path().join("gate.jpg"));
        PrivateKey::generate().unwrap().write_new(&key).unwrap();
        fs::write(&there, "an earlier picture").unwrap();
        // Nobody listens on the discard port: what is wrong is said before anybody is asked.
        let snapshot = format!(
            "snapshot --camera gate --purpose theft --box karaul1/a/b/c/d --broker mqtt://127.0.0.1:9 --key {} --role \
             operator --actor duty --reason theft",
            key.display()
        );
        assert_eq!(said(&snapshot), "--output, the file for the picture, is missing; see `karaul command --help`");
        let with = |file: &Path| said(&format!("{snapshot} --output {}", file.display()));
        assert_eq!(with(&there), format!("--output: {} is there already; name another file", there.display()));
        assert_eq!(fs::read(&there).unwrap(), b"an earlier picture");
        let nowhere = dir.path().join("nowhere/gate.jpg");
        assert_eq!(with(&nowhere), format!("{}: No such file or directory (os error 2)", nowhere.display()));
        let new = dir.path().join("new.jpg");
        assert!(with(&new).contains("127.0.0.1:9"));
        assert!(!new.exists(), "no picture came");
        let address = said("reload --box karaul1/a/b/c/d --broker http://x");
        assert!(address.starts_with("--broker: "), "{address}");
        let path = parse("reload --box karaul1/a/b/c").unwrap_err();
        assert!(path.contains("a path karaul1/<region>/<district>/<site>/<box> is wanted"), "{path}");
    }
}
