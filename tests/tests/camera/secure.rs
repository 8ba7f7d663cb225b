//! Cameras over TLS.

use std::{fs, io::Write, net::TcpListener, thread};

use karaul::camera::StreamSettings;
use karaul_simulator::{Settings, Simulator};
use karaul_wire::BlindCause;
use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    hash::MessageDigest,
    pkey::PKey,
    rsa::Rsa,
    x509::{X509, X509NameBuilder, extension::SubjectAlternativeName},
};

use crate::watched::{SOON, Watched, login, settings};

/// A certificate of its own making for an address, valid for a day from so many days ago, and its key.
fn certificate(address: &str, age: i64) -> (String, String) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "gate").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    let begin = jiff::Timestamp::now().as_second() - 3600 - age * 86_400;
    builder.set_not_before(&Asn1Time::from_unix(begin).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(begin + 86_400).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    let alternative = SubjectAlternativeName::new().ip(address).build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(alternative).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let text = |pem: Vec<u8>| String::from_utf8(pem).unwrap();
    (text(builder.build().to_pem().unwrap()), text(key.private_key_to_pem_pkcs8().unwrap()))
}

fn secure(port: u16) -> StreamSettings {
    let mut settings = login(settings(port, "/a"), "swordfish");
    settings.url.tls = true;
    settings
}

#[test]
fn a_certificate_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    for (address, age, trusted, wrong) in [
        ("127.0.0.1", 0, true, None),
        (
            "127.0.0.1",
            0,
            false,
            Some(
                "its certificate comes from no authority that this box trusts; name the authority's certificate, or the \
                 camera's own, in \"ca_file\"",
            ),
        ),
        (
            "192.0.2.11",
            0,
            true,
            Some(
                "its certificate is made out to another name; write that name in \"url\", or give the camera another one",
            ),
        ),
        ("127.0.0.1", 2, true, Some("its certificate has expired; renew it in the camera")),
    ] {
        let (pem, key) = certificate(address, age);
        fs::write(&file, &pem).unwrap();
        let camera = Simulator::start(&Settings {
            login: Some(("viewer".to_owned(), "swordfish".to_owned())),
            certificate: Some(format!("{pem}{key}")),
            mounts: vec!["/a=pattern,size=320x240".parse().unwrap()],
            ..Settings::default()
        })
        .unwrap();
        let settings = StreamSettings { ca_file: trusted.then(|| file.clone()), ..secure(camera.port()) };
        let watched = Watched::new(settings);
        let Some(wrong) = wrong else {
            watched.seeing(SOON);
            continue;
        };
        let sentence = format!("rtsps://127.0.0.1:{}/a: the secure connection failed: {wrong}", camera.port());
        assert_eq!(watched.blind(SOON), (BlindCause::Tls, sentence));
    }
}

#[test]
fn a_camera_without_tls_is_not_taken_for_one_with() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            stream.unwrap().write_all(b"RTSP/1.0 400 Bad Request\r\n\r\n").unwrap();
        }
    });
    let (cause, detail) = Watched::new(secure(port)).blind(SOON);
    assert_eq!(cause, BlindCause::Tls, "{detail}");
    assert!(detail.ends_with("; check that this is the camera's port for rtsps"), "{detail}");
}
