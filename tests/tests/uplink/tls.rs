//! A real mosquitto with TLS and an authority made for the test.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use karaul::uplink::LinkSettings;
use karaul_stage::Broker;
use karaul_tests::Subscriber;

use crate::agent::{Agent, settings, topic};

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
