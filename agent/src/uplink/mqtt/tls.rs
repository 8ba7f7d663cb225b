//! The files that TLS needs, and what a TLS client is made of.

use std::{fs, io::Read as _, path::Path};

use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    pkey::PKey,
    x509::{X509, X509Ref},
};
use rumqttc::tokio_native_tls::native_tls::{Certificate, Identity, Protocol, TlsConnector};
use sha2::{Digest as _, Sha256};

use crate::{config::Broker, uplink::LinkError};

/// Far above any chain of certificates; keeps a wrong file from filling the memory.
const LARGEST_FILE: u64 = 1 << 20;
/// A certificate that ends sooner is warned of. Two weeks leave time for somebody to go there.
const SOON_DAYS: i32 = 14;
/// How a PKCS #8 key begins, the one form that native-tls reads.
const PKCS8: &[u8] = b"-----BEGIN PRIVATE KEY-----";

/// The contents of the files under `[broker]` at one moment.
pub(super) struct Material {
    authorities: Option<Vec<u8>>,
    /// Certificate with its chain, and key.
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Material {
    /// Reads what is configured.
    pub(super) fn read(broker: &Broker) -> Result<Self, LinkError> {
        let authorities = broker.ca_file.as_deref().map(|path| read(path).map_err(|why| ca_file(path, &why)));
        let identity = broker.identity.as_ref().map(|files| {
            let certificate = read(&files.certificate).map_err(|why| certificate(&files.certificate, &why))?;
            let key = read(&files.key).map_err(|why| key(&files.key, &why))?;
            Ok((certificate, key))
        });
        Ok(Self { authorities: authorities.transpose()?, identity: identity.transpose()? })
    }

    /// Tells whether any of the files has changed. Times and sizes would not do: a file may be renewed
    /// within a second, by one of the same length.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let (certificate, key) = self.identity.as_ref().map_or((None, None), |(one, other)| (Some(one), Some(other)));
        for part in [self.authorities.as_ref(), certificate, key] {
            // The length goes first, so that no byte can move from one file to the next unseen.
            hash.update(part.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
            hash.update(part.map_or(&[][..], Vec::as_slice));
        }
        hash.finalize().into()
    }

    /// A TLS client that checks the broker's certificate and name, against `ca_file` alone if there is one,
    /// otherwise against the system's authorities, and shows the box's certificate if it has one. There is no
    /// way to switch the check off.
    pub(super) fn connector(&self, broker: &Broker) -> Result<TlsConnector, LinkError> {
        let mut builder = TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        if let (Some(path), Some(pem)) = (&broker.ca_file, &self.authorities) {
            let authorities = certificates(pem).map_err(|why| ca_file(path, why))?;
            builder.disable_built_in_roots(true);
            for authority in authorities {
                builder.add_root_certificate(authority);
            }
        }
        if let (Some(files), Some((pem, secret))) = (&broker.identity, &self.identity) {
            check_certificate(pem).map_err(|why| certificate(&files.certificate, why))?;
            check_key(secret).map_err(|why| key(&files.key, why))?;
            check_pair(pem, secret).map_err(|why| key(&files.key, why))?;
            let identity = Identity::from_pkcs8(pem, from_begin(secret));
            builder.identity(identity.map_err(|why| key(&files.key, &why.to_string()))?);
        }
        builder.build().map_err(|error| LinkError::System { detail: format!("TLS: {error}") })
    }

    /// What is to be said about the validity of the box's certificate.
    pub(super) fn validity(&self, broker: &Broker) -> Option<String> {
        let (files, (pem, _)) = (broker.identity.as_ref()?, self.identity.as_ref()?);
        let said = check_certificate(pem).ok()??;
        Some(format!(
            "certificate {}: {said}; renew it, the new file is taken up by itself",
            files.certificate.display()
        ))
    }
}

fn ca_file(path: &Path, detail: &str) -> LinkError {
    LinkError::CaFile { path: path.to_owned(), detail: detail.to_owned() }
}

fn certificate(path: &Path, detail: &str) -> LinkError {
    LinkError::Certificate { path: path.to_owned(), detail: detail.to_owned() }
}

fn key(path: &Path, detail: &str) -> LinkError {
    LinkError::Key { path: path.to_owned(), detail: detail.to_owned() }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    // A pipe or device could block for ever.
    if !fs::metadata(path).map_err(|error| error.to_string())?.is_file() {
        return Err("this is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST_FILE { Err("the file is too large".to_owned()) } else { Ok(bytes) }
}

/// The certificates of a PEM file, at least one.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, &'static str> {
    match Certificate::stack_from_pem(pem) {
        Ok(certificates) if certificates.is_empty() => Err("there is no certificate in it"),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err("a certificate in it is damaged"),
    }
}

/// Can the authorities of this PEM file be read?
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_authorities(pem: &[u8]) -> Result<(), &'static str> {
    certificates(pem).map(drop)
}

/// Can the certificates of this PEM file be read, the first of which is the box's own? Returns what is to be said
/// about its validity, if it is over or nearly so.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_certificate(pem: &[u8]) -> Result<Option<String>, &'static str> {
    check_authorities(pem)?;
    let own = own(pem)?;
    // Only if there is no memory.
    let now = Asn1Time::days_from_now(0).map_err(|_| "its validity cannot be read")?;
    Ok(validity(&own, &now))
}

/// Is this PEM file a key that can be used?
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_key(pem: &[u8]) -> Result<(), &'static str> {
    let has = |words: &[u8]| pem.windows(words.len()).any(|part| part == words);
    if has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
        return Err("the key is encrypted, and nobody is there to type its password");
    }
    if has(b"BEGIN RSA PRIVATE KEY") || has(b"BEGIN EC PRIVATE KEY") {
        return Err("the key is not in the form of PKCS #8");
    }
    if !has(PKCS8) {
        return Err("there is no private key in it");
    }
    PKey::private_key_from_pem(from_begin(pem)).map(drop).map_err(|_| "the key in it is damaged")
}

/// Does the key belong to the certificate? Both can be read.
///
/// # Errors
/// If it does not.
pub(crate) fn check_pair(certificate: &[u8], key: &[u8]) -> Result<(), &'static str> {
    const STRANGER: &str = "it does not belong to the certificate";
    let shown = own(certificate)?.public_key().map_err(|_| STRANGER)?;
    let secret = PKey::private_key_from_pem(from_begin(key)).map_err(|_| STRANGER)?;
    if shown.public_eq(&secret) { Ok(()) } else { Err(STRANGER) }
}

/// The box's own certificate: the first.
fn own(pem: &[u8]) -> Result<X509, &'static str> {
    X509::from_pem(pem).map_err(|_| "a certificate in it is damaged")
}

/// Some tools write remarks before the key, which native-tls takes for another form.
fn from_begin(pem: &[u8]) -> &[u8] {
    let begin = pem.windows(PKCS8.len()).position(|part| part == PKCS8);
    begin.map_or(pem, |begin| &pem[begin..])
}

/// What is to be said about the validity, if it is over or nearly so.
fn validity(certificate: &X509Ref, now: &Asn1TimeRef) -> Option<String> {
    let left = now.diff(certificate.not_after()).ok()?;
    let begun = certificate.not_before().diff(now).ok()?;
    if begun.days < 0 || begun.secs < 0 {
        return Some(format!("it is not valid before {}; is the clock right?", certificate.not_before()));
    }
    if left.days < 0 || left.secs < 0 {
        return Some(format!("it ended on {}", certificate.not_after()));
    }
    (left.days < SOON_DAYS).then(|| format!("it ends on {}", certificate.not_after()))
}

#[cfg(test)]
mod tests {
    use openssl::{
        ec::{EcGroup, EcKey},
        hash::MessageDigest,
        nid::Nid,
        pkey::Private,
    };

    use super::*;
    use crate::config::Delivery;

    fn new_key() -> PKey<Private> {
        let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap()
    }

    /// Valid from day 1000 to day 2000 of 1970.
    fn new_certificate(key: &PKey<Private>) -> X509 {
        let mut builder = X509::builder().unwrap();
        builder.set_pubkey(key).unwrap();
        builder.set_not_before(&day(1000)).unwrap();
        builder.set_not_after(&day(2000)).unwrap();
        builder.sign(key, MessageDigest::sha256()).unwrap();
        builder.build()
    }

    fn day(day: i64) -> Asn1Time {
        Asn1Time::from_unix(day * 86_400).unwrap()
    }

    fn broker(ca_file: Option<&Path>) -> Broker {
        Broker {
            host: "h".to_owned(),
            port: 8883,
            tls: true,
            fallback: Vec::new(),
            ca_file: ca_file.map(Path::to_owned),
            identity: None,
            login: None,
            keep_alive: std::time::Duration::from_secs(30),
            delivery: Delivery::Puback,
            backlog_rate: 50,
        }
    }

    #[test]
    fn a_ca_file_that_is_no_use_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let sentence = |path: &Path| {
            let broker = broker(Some(path));
            Material::read(&broker).and_then(|material| material.connector(&broker)).err().unwrap().to_string()
        };
        let remedy = "it must be a PEM file with the certificate of the broker's authority";
        let expected = format!("ca_file {}: No such file or directory (os error 2); {remedy}", path.display());
        assert_eq!(sentence(&path), expected);
        fs::write(&path, "hello").unwrap();
        assert_eq!(sentence(&path), format!("ca_file {}: there is no certificate in it; {remedy}", path.display()));
        fs::write(&path, "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n").unwrap();
        assert_eq!(sentence(&path), format!("ca_file {}: a certificate in it is damaged; {remedy}", path.display()));
        assert_eq!(sentence(dir.path()), format!("ca_file {}: this is not a file; {remedy}", dir.path().display()));
    }

    #[test]
    fn keys_that_cannot_be_used_are_told_apart() {
        let key = new_key();
        let pkcs8 = key.private_key_to_pem_pkcs8().unwrap();
        assert_eq!(check_key(&pkcs8), Ok(()));
        assert_eq!(check_key(&[b"Bag Attributes\n".to_vec(), pkcs8.clone()].concat()), Ok(()));
        let old = key.ec_key().unwrap().private_key_to_pem().unwrap();
        assert_eq!(check_key(&old), Err("the key is not in the form of PKCS #8"));
        let cipher = openssl::symm::Cipher::aes_128_cbc();
        let locked = key.private_key_to_pem_pkcs8_passphrase(cipher, b"x").unwrap();
        assert_eq!(check_key(&locked), Err("the key is encrypted, and nobody is there to type its password"));
        assert_eq!(check_key(b"hello"), Err("there is no private key in it"));
        assert_eq!(check_key(&pkcs8[..pkcs8.len() / 2]), Err("the key in it is damaged"));
    }

    #[test]
    fn a_key_belongs_to_one_certificate() {
        let (ours, other) = (new_key(), new_key());
        let pem = new_certificate(&ours).to_pem().unwrap();
        assert_eq!(check_pair(&pem, &ours.private_key_to_pem_pkcs8().unwrap()), Ok(()));
        let stranger = other.private_key_to_pem_pkcs8().unwrap();
        assert_eq!(check_pair(&pem, &stranger), Err("it does not belong to the certificate"));
    }

    #[test]
    fn the_end_of_a_certificate_is_said_in_time() {
        let certificate = new_certificate(&new_key());
        let said = |now| validity(&certificate, &day(now));
        assert_eq!(said(999).unwrap(), "it is not valid before Sep 27 00:00:00 1972 GMT; is the clock right?");
        assert_eq!((said(1000), said(1986)), (None, None));
        assert_eq!(said(1987).unwrap(), "it ends on Jun 24 00:00:00 1975 GMT");
        assert_eq!(said(2001).unwrap(), "it ended on Jun 24 00:00:00 1975 GMT");
    }

    #[test]
    fn any_change_of_any_file_is_noticed() {
        let material = |authorities: &[u8], identity: Option<(&[u8], &[u8])>| {
            let identity = identity.map(|(one, other)| (one.to_vec(), other.to_vec()));
            Material { authorities: Some(authorities.to_vec()), identity }.fingerprint()
        };
        let first = material(b"ca", Some((b"ab", b"c")));
        assert_eq!(first, material(b"ca", Some((b"ab", b"c"))));
        for other in [material(b"ca", Some((b"a", b"bc"))), material(b"cb", Some((b"ab", b"c"))), material(b"ca", None)]
        {
            assert_ne!(first, other);
        }
    }
}
