//! Streams that are opened and ended again and again, half of them faulty: what the process holds must not grow.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use karaul::{
    camera::{self, Stream, StreamSettings},
    clock::{Clock, SystemClock},
    config::Config,
};
use karaul_simulator::{
    Mount,
    peer::{Answer, Clip, End, Login, Peer, Scheme, Script, When},
};
use karaul_stage::repository;

use crate::{
    error::ProofError,
    process::{Held, slope},
    report::Report,
    site::head,
};

/// So many streams at a time.
const AT_A_TIME: u32 = 4;
/// What the process holds is looked at so often.
const SAMPLES: u32 = 40;
/// The first samples, while caches and thread pools fill, are left aside: one in so many.
const WARM_UP: usize = 4;
/// After the last stream ended, so long until threads are gone that nobody waits for.
const SETTLED: Duration = Duration::from_millis(500);
/// For a picture of a camera that is well, and for the end of one that is not.
const LIMIT: Duration = Duration::from_secs(15);
/// Faulty streams are given up soon, so that many can be tried.
const IMPATIENT: Duration = Duration::from_millis(400);
/// The aims, for 1000 rebuilds.
const MOST_MIB: f64 = 1.0;
const MOST_COUNT: f64 = 1.0;

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many streams are opened and ended.
    #[arg(long, default_value_t = 2000)]
    count: u32,
    /// Tells the figures only: a slope needs many rebuilds.
    #[arg(long)]
    no_aims: bool,
}

/// A camera, what it is called, and whether it is well.
struct Source {
    name: &'static str,
    well: bool,
    /// Ends with this value.
    _peer: Peer,
    settings: StreamSettings,
}

/// Carries it out.
pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let environment = as_the_service()?;
    camera::init().map_err(ProofError::client)?;
    let folder = tempfile::tempdir()?;
    let sources = sources(folder.path())?;
    let done: Mutex<BTreeMap<&str, [u32; 2]>> = Mutex::default();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let mut held = vec![(0.0, Held::now()?)];
    let next = AtomicU32::new(0);
    let began = Instant::now();
    for sample in 1..=SAMPLES {
        let until =
            u32::try_from(u64::from(options.count) * u64::from(sample) / u64::from(SAMPLES)).unwrap_or(u32::MAX);
        thread::scope(|scope| {
            for _ in 0..AT_A_TIME {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_update(SeqCst, SeqCst, |next| (next < until).then(|| next + 1));
                        let Ok(number) = number else { break };
                        // Every other one is well.
                        let ill = sources.len() - 1;
                        let index = if number % 2 == 0 { 0 } else { 1 + number as usize / 2 % ill };
                        let source = &sources[index];
                        let (ended, words) = once(source);
                        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                        done.entry(source.name).or_default()[usize::from(ended)] += 1;
                        if let Some(words) = words {
                            wrong.lock().unwrap_or_else(PoisonError::into_inner).push(words);
                        }
                    }
                });
            }
        });
        thread::sleep(SETTLED);
        held.push((f64::from(until), Held::now()?));
    }
    let count = options.count;
    let seconds = began.elapsed().as_secs();
    let mut report = Report::new(format!("{count} streams opened and ended, half of them faulty, {seconds} s"));
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let kinds: Vec<String> = done.iter().map(|(name, [seen, ended])| format!("{name} {}", seen + ended)).collect();
    report.fact("streams", kinds.join(", "));
    report.fact("environment, as in packaging/karaul.service", environment);
    let steady = &held[held.len() / WARM_UP..];
    let figures = |held: &Held| [held.resident as f64 / 1024.0, held.files as f64, held.threads as f64];
    let limits =
        [("resident memory", "MiB", MOST_MIB), ("file descriptors", "", MOST_COUNT), ("threads", "", MOST_COUNT)];
    for (index, (what, unit, most)) in limits.into_iter().enumerate() {
        let points: Vec<_> = steady.iter().map(|(at, held)| (at / 1000.0, figures(held)[index])).collect();
        let growth = slope(&points);
        let [first, begin, end] = [&held[0], &steady[0], &held[held.len() - 1]].map(|(_, held)| figures(held)[index]);
        let text = format!("{growth:+.2} {unit} (start {first:.1}, after a quarter {begin:.1}, end {end:.1})");
        let what = format!("{what}: growth with 1000 rebuilds, at most {most} {unit}");
        if options.no_aims {
            report.fact(what, text);
        } else {
            report.aim(what, text, growth <= most);
        }
    }
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.promise("who is well gives a picture, who is not ends with a reason", &wrong);
    report.promise(
        "no pipeline is left hanging",
        &camera::bearable().err().map(|e| e.to_string()).into_iter().collect::<Vec<_>>(),
    );
    Ok(report)
}

/// The environment that the agent's service has, which glibc reads at a start only: without it the program starts anew.
fn as_the_service() -> Result<String, ProofError> {
    let unit = fs::read_to_string(repository().join("packaging/karaul.service"))?;
    let lines = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
    let wanted: Vec<(&str, &str)> =
        lines.flat_map(str::split_whitespace).filter_map(|entry| entry.split_once('=')).collect();
    if wanted.iter().any(|(name, value)| env::var(name).as_deref() != Ok(value)) {
        let mut again = Command::new(env::current_exe()?);
        return Err(again.args(env::args_os().skip(1)).envs(wanted).exec().into());
    }
    Ok(wanted.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
}

/// Opens one stream and ends it: at its first picture if the camera is well, otherwise when it ends. Says whether it
/// ended by itself, and what should not have been.
fn once(source: &Source) -> (bool, Option<String>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut stream = match Stream::open(&source.settings, clock, Arc::default()) {
        Ok(stream) => stream,
        Err(error) => return (true, source.well.then(|| error.to_string())),
    };
    let end = Instant::now() + LIMIT;
    while Instant::now() < end {
        match stream.next(Duration::from_millis(100)) {
            Ok(Some(_)) if source.well => return (false, None),
            Ok(_) => {}
            Err(error) => return (true, source.well.then(|| error.to_string())),
        }
    }
    (false, Some(format!("{}: nothing in {} s", source.name, LIMIT.as_secs())))
}

/// The camera that is well, and all others.
fn sources(folder: &Path) -> Result<Vec<Source>, ProofError> {
    let clip = |options: &str| -> Result<Arc<Clip>, ProofError> {
        let mount =
            format!("/clip=pattern,size=160x120,fps=10{options}").parse::<Mount>().map_err(ProofError::client)?;
        Ok(Arc::new(Clip::of(&mount, 20).map_err(ProofError::client)?))
    };
    let (usual, other) = (clip("")?, clip(",codec=h265")?);
    let well = || Script::well(&usual);
    let ended = |end| Script { end: Some((When::After(Duration::from_millis(150)), end)), ..well() };
    let login = Login { user: "viewer".to_owned(), password: "swordfish".to_owned(), schemes: vec![Scheme::DigestMd5] };
    let scripts = [
        ("well", well()),
        ("refused", well()),
        ("401", Script { login: Some(login), ..well() }),
        ("404", well().answering("DESCRIBE", Answer::Status("404 Not Found", Vec::new()))),
        ("503", well().answering("PLAY", Answer::Status("503 Service Unavailable", Vec::new()))),
        ("hangs up", well().answering("SETUP", Answer::HangUp)),
        ("never answers", well().answering("PLAY", Answer::Silence)),
        ("wrong SDP", Script { sdp: Some("v=0\r\nnonsense\r\n".to_owned()), ..well() }),
        ("web server", well().answering("OPTIONS", Answer::Said("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned()))),
        ("reset in mid-picture", ended(End::Reset)),
        ("closed", ended(End::Close)),
        ("goodbye", ended(End::Bye)),
        ("stalled", ended(End::Silence)),
        ("another codec than announced", Script { sdp: Some(well().description()), clip: other, ..well() }),
    ];
    let path = folder.join("site.toml");
    scripts
        .into_iter()
        .map(|(name, script)| {
            let peer = Peer::start(script)?;
            if name == "refused" {
                peer.close();
            }
            fs::write(&path, site(&peer.url(), folder))?;
            let config = Config::load(&path).map_err(ProofError::client)?;
            let mut settings = StreamSettings::from(&config.cameras[0]);
            let well = name == "well";
            if !well {
                (settings.connect_limit, settings.picture_limit) = (IMPATIENT, IMPATIENT);
            }
            Ok(Source { name, well, _peer: peer, settings })
        })
        .collect()
}

/// A site with one camera, so that its stream has the settings that the agent would give it.
fn site(url: &str, folder: &Path) -> String {
    let head = head("mqtt://127.0.0.1:1883", folder, &repository().join("models"));
    format!("{head}[[camera]]\nid = \"camera\"\nurl = \"{url}\"\nmodel = \"yard-nano\"\npurpose = \"proof\"\n")
}
