//! `karaul discover`.

mod show;

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use karaul_wire::Segment;

use self::show::Blocks;
use crate::{
    clock::SystemClock,
    config::duration,
    onvif::{self, Findings, Host, Login, Problem, Search},
    trust::Secret,
};

/// Where the password may be instead of in a file.
const PASSWORD_VARIABLE: &str = "KARAUL_CAMERA_PASSWORD";

/// Finds cameras on the network by ONVIF, and lists their streams.
///
/// The exit code is 0 if there is at least one stream, and 1 otherwise. With a login, each camera that answers gets a
/// digest of the password, never the password; certificates of cameras are not checked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A camera to ask, instead of whoever is on the network: HOST, HOST:PORT or http://HOST:PORT/PATH; several times
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<Host>,
    /// How long to wait for cameras to answer, 100ms to 60s
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = wait)]
    wait: Duration,
    /// ONVIF user of the cameras; its password comes from --password-file or the variable KARAUL_CAMERA_PASSWORD
    #[arg(long, value_name = "NAME", visible_alias = "username", value_parser = user)]
    user: Option<String>,
    /// File with the password on one line
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// As JSON lines, one for each camera
    #[arg(long, conflicts_with = "toml")]
    json: bool,
    /// As [[camera]] blocks for a config, with the stream for the detector
    #[arg(long, requires = "purpose")]
    toml: bool,
    /// With --toml: what the cameras are for, as the law wants it stated
    #[arg(long, value_name = "TEXT", requires = "toml")]
    purpose: Option<String>,
    /// With --toml: the detector, a folder of inference.models
    #[arg(long, value_name = "MODEL", default_value = "yard-nano", requires = "toml")]
    model: Segment,
}

/// Why nothing was listed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The search.
    #[error(transparent)]
    Search(#[from] Problem),
    /// The password.
    #[error("--password-file {}: {why}", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// Why it is none.
        why: String,
    },
    /// A user without one.
    #[error("--user needs a password: give --password-file, or set {PASSWORD_VARIABLE}")]
    NoPassword,
    /// Nobody answered.
    #[error(
        "no camera answered within {} s: see that this machine is in the cameras' subnet, that ONVIF is switched on in \
         their settings (its users are often kept apart from the others), and that no switch or access point holds \
         multicast back; a camera whose address is known is asked with --host ADDRESS", .0.as_secs_f32()
    )]
    Nobody(Duration),
    /// Standard output.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs `karaul discover`.
///
/// # Errors
/// If nobody answers or can be asked, or there is no password for the user.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let login = login(args, env::var(PASSWORD_VARIABLE).ok())?;
    let search = Search { hosts: args.hosts.clone(), wait: args.wait, login };
    let findings = onvif::find(&search, &SystemClock)?;
    say(args, &findings, &mut io::stdout().lock())
}

fn login(args: &Args, variable: Option<String>) -> Result<Option<Login>, Error> {
    let Some(user) = args.user.clone() else { return Ok(None) };
    let password = match (&args.password_file, variable) {
        (Some(path), _) => Secret::read(path).map_err(|why| Error::Password { path: path.clone(), why })?,
        (None, Some(password)) => Secret::new(password),
        (None, None) => return Err(Error::NoPassword),
    };
    Ok(Some(Login { user, password }))
}

fn say(args: &Args, findings: &Findings, out: &mut impl Write) -> Result<ExitCode, Error> {
    for remark in &findings.remarks {
        eprintln!("karaul: {remark}");
    }
    if findings.cameras.is_empty() {
        return Err(Error::Nobody(args.wait));
    }
    if args.json {
        for camera in &findings.cameras {
            writeln!(out, "{}", show::json(camera))?;
        }
    } else if let (true, Some(purpose)) = (args.toml, &args.purpose) {
        let blocks = Blocks {
            user: args.user.as_deref(),
            password_file: args.password_file.as_deref(),
            model: &args.model,
            purpose,
        };
        write!(out, "{}", blocks.write(&findings.cameras))?;
    } else {
        write!(out, "{}", show::table(&findings.cameras))?;
    }
    let mut profiles = findings.cameras.iter().flat_map(|camera| camera.answers.profiles.iter().flatten());
    Ok(if profiles.any(|profile| profile.stream.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wait(text: &str) -> Result<Duration, String> {
    let range = Duration::from_millis(100)..=Duration::from_secs(60);
    duration(text).filter(|wait| range.contains(wait)).ok_or_else(|| "write a time from 100ms to 60s, as 3s".to_owned())
}

/// Digest authentication ends the name at the colon (RFC 7616, section 3.4.4).
fn user(text: &str) -> Result<String, String> {
    let bad = text.is_empty() || text.contains(':') || text.contains(char::is_control);
    if bad { Err("a user name is not empty and has no ':'".to_owned()) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests;
