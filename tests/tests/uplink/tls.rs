//! A real mosquitto with TLS and an authority made for the test.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use karaul::{
    config::Identity,
    uplink::{Concern, LinkError, LinkSettings},
};
use karaul_stage::Broker;
use karaul_tests::Subscriber;

use crate::agent::{Agent, LIMIT, settings, topic};

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(done.success(), "openssl {arguments}");
}

/// Two authorities; the first signs a certificate for `localhost`.
fn certificates(folder: &Path) {
    for name in ["ca", "stranger"] {
        openssl(
            folder,
            &format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} -keyout \
                 {name}.key -out {name}.pem"
            ),
        );
    }
    openssl(
        folder,
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
    );
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        folder,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

fn with_tls(port: u16, host: &str, ca_file: Option<PathBuf>) -> LinkSettings {
    let mut settings = settings(port);
    settings.broker.host = host.to_owned();
    settings.broker.tls = true;
    settings.broker.ca_file = ca_file;
    settings
}

#[test]
fn the_certificate_and_the_name_are_checked() {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: openssl is not installed (Debian package openssl)");
        return;
    }
    let extra = "certfile {folder}/server.pem\nkeyfile {folder}/server.key";
    let broker = Broker::start_with(0, extra, certificates).unwrap();
    let (port, ca) = (broker.port, broker.folder().join("ca.pem"));

    let agent = Agent::start(with_tls(port, "localhost", Some(ca.clone())));
    agent.wait_connected();
    agent.alert(3);
    agent.wait_empty();
    assert_eq!(agent.report().last_error, None);

    let refused = |host: &str, ca_file: Option<PathBuf>| {
        let agent = Agent::start(with_tls(port, host, ca_file));
        let report = agent.wait("refused", |report| report.last_error.is_some());
        assert_eq!((report.connected, report.connections), (None, 0));
        report.last_error.unwrap()
    };
    let sentence = |host: &str, reason: &str| {
        format!(
            "broker {host}:{port}: TLS failed ({reason}); url under [broker] must have the name in the broker's \
             certificate, and ca_file the authority that signed it"
        )
    };
    let stranger = broker.folder().join("stranger.pem");
    assert_eq!(refused("localhost", Some(stranger)), sentence("localhost", "unable to get local issuer certificate"));
    assert_eq!(refused("127.0.0.1", Some(ca)), sentence("127.0.0.1", "IP address mismatch"));
    assert_eq!(
        refused("localhost", None),
        sentence("localhost", "unable to get local issuer certificate"),
        "the system's authorities do not know this one"
    );
}

#[test]
fn a_broker_without_tls_is_refused_when_tls_is_asked_for() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("#"));
    let agent = Agent::start(with_tls(broker.port, "localhost", None));
    let report = agent.wait("refused", |report| report.last_error.is_some());
    let sentence = report.last_error.unwrap();
    assert!(sentence.starts_with(&format!("broker localhost:{}: TLS failed (", broker.port)), "{sentence}");
    assert_eq!(report.connections, 0);
    assert_eq!(subscriber.next(std::time::Duration::from_millis(300)), None);
}

#[test]
fn a_missing_ca_file_stops_the_start() {
    let missing = with_tls(1, "localhost", Some("/does/not/exist.pem".into()));
    let agent = Agent::without_link(missing, tempfile::tempdir().unwrap().into());
    let error = agent.linked().err().unwrap().to_string();
    assert_eq!(
        error,
        "ca_file /does/not/exist.pem: No such file or directory (os error 2); it must be a PEM file with the \
         certificate of the broker's authority"
    );
}

/// A pair `name.pem` and `name.key` for the box, signed by this authority.
fn issue(folder: &Path, name: &str, authority: &str) {
    openssl(
        folder,
        &format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=b7f3 -keyout {name}.key -out {name}.csr"
        ),
    );
    openssl(
        folder,
        &format!(
            "x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -days 30 -out {name}.pem"
        ),
    );
}

/// A broker that wants to see a certificate of its authority, and settings of a box that has one.
fn strict() -> Option<(Broker, LinkSettings)> {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: openssl is not installed (Debian package openssl)");
        return None;
    }
    let extra = "certfile {folder}/server.pem\nkeyfile {folder}/server.key\ncafile {folder}/ca.pem\n\
                 require_certificate true";
    let broker = Broker::start_with(0, extra, certificates).unwrap();
    let folder = broker.folder();
    issue(folder, "box", "ca");
    let mut settings = with_tls(broker.port, "localhost", Some(folder.join("ca.pem")));
    settings.broker.identity = Some(Identity { certificate: folder.join("box.pem"), key: folder.join("box.key") });
    settings.look = Duration::from_millis(100);
    Some((broker, settings))
}

/// Puts another pair in the place of the box's.
fn renew(folder: &Path, name: &str) {
    for kind in ["pem", "key"] {
        std::fs::copy(folder.join(format!("{name}.{kind}")), folder.join(format!("box.{kind}"))).unwrap();
    }
}

#[test]
fn the_box_shows_its_certificate() {
    let Some((broker, settings)) = strict() else { return };
    let agent = Agent::start(settings.clone());
    agent.wait_connected();
    agent.alert(3);
    agent.wait_empty();
    drop(agent);

    let mut without = settings.clone();
    without.broker.identity = None;
    let said = |settings: LinkSettings| {
        let agent = Agent::start(settings);
        agent.wait("refused", |report| report.last_error.is_some()).last_error.unwrap()
    };
    // The broker closes the connection behind its alert. Where that overtakes it, the sentence names both remedies.
    let address = format!("localhost:{}", broker.port);
    let is_right = |sentence: &str, reason: &str| {
        let refused = LinkError::OwnCertificate { address: address.clone(), detail: reason.to_owned() }.to_string();
        let hung_up = sentence.starts_with(&format!("broker {address} hung up during the sign-on ("))
            && sentence.contains("whether the broker wants to see a certificate of this box (certificate and key");
        assert!(sentence == refused || hung_up, "{sentence}");
    };
    is_right(&said(without), "tlsv13 alert certificate required");
    issue(broker.folder(), "box", "stranger");
    is_right(&said(settings), "tlsv1 alert unknown ca");
}

#[test]
fn a_renewed_certificate_is_taken_up_while_connected() {
    let Some((broker, settings)) = strict() else { return };
    let agent = Agent::start(settings);
    agent.wait_connected();
    let mut sent = agent.alert(2).len();
    issue(broker.folder(), "second", "ca");
    let begun = Instant::now();
    renew(broker.folder(), "second");
    let report = loop {
        sent += agent.alert(1).len();
        std::thread::sleep(Duration::from_millis(20));
        let report = agent.report();
        if report.connections == 2 {
            break report;
        }
        assert!(begun.elapsed() < LIMIT, "{report:?}");
    };
    eprintln!("a renewed certificate was in use after {:?}", begun.elapsed());
    assert!(!report.concerns.contains_key(&Concern::Files), "{report:?}");
    agent.wait_empty();
    let report = agent.wait("all arrived", |report| report.delivered == sent as u64);
    assert_eq!((report.last_error, report.resent), (None, 0), "in good order");
}

#[test]
fn files_that_are_no_use_leave_the_connection_as_it_is() {
    let Some((mut broker, settings)) = strict() else { return };
    let folder = &broker.folder().to_owned();
    let agent = Agent::start(settings);
    agent.wait_connected();
    let concern = |what: &str| {
        let report = agent
            .wait(what, |report| report.concerns.get(&Concern::Files).is_some_and(|sentence| sentence.contains(what)));
        assert_eq!((report.connections, report.last_error), (1, None));
        agent.alert(1);
        agent.wait_empty();
        report.concerns[&Concern::Files].clone()
    };
    // Half-written, then with a key that is not its own, then of an authority that the broker does not know.
    let whole = std::fs::read(folder.join("box.pem")).unwrap();
    std::fs::write(folder.join("box.pem"), &whole[..whole.len() / 2]).unwrap();
    let sentence = concern("a certificate in it is damaged");
    let path = folder.join("box.pem").display().to_string();
    assert_eq!(
        sentence,
        format!(
            "the renewed files under [broker] cannot be used, those from before stay in use: certificate {path}: a \
             certificate in it is damaged; it must be a PEM file with the box's own certificate"
        )
    );
    issue(folder, "second", "ca");
    std::fs::copy(folder.join("second.pem"), folder.join("box.pem")).unwrap();
    concern("it does not belong to the certificate");
    issue(folder, "third", "stranger");
    renew(folder, "third");
    // By an alert, or by hanging up.
    let sentence = concern("this box");
    assert!(sentence.contains("certificate"), "{sentence}");
    broker.stop().unwrap();
    agent.wait_disconnected();
    broker.restart().unwrap();
    let report = agent.wait("connected with the files from before", |report| report.connections == 2);
    assert!(report.concerns.contains_key(&Concern::Files), "{report:?}");
    renew(folder, "second");
    agent.wait("renewed", |report| report.connections == 3 && !report.concerns.contains_key(&Concern::Files));
}
