use std::{fs, path::Path};

use rumqttc::tokio_native_tls::native_tls::{Certificate, Protocol, TlsConnector};

use crate::uplink::LinkError;

/// A TLS client that checks the broker's certificate and name, against `ca_file` alone
/// if there is one, otherwise against the system's authorities. There is no way to
/// switch the check off.
pub(super) fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, LinkError> {
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    if let Some(path) = ca_file {
        let wrong = |detail: String| LinkError::CaFile { path: path.to_owned(), detail };
        let pem = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let authorities = certificates(&pem).map_err(|why| wrong(why.to_owned()))?;
        builder.disable_built_in_roots(true);
        for authority in authorities {
            builder.add_root_certificate(authority);
        }
    }
    builder.build().map_err(|error| LinkError::System { detail: format!("TLS: {error}") })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_that_is_no_use_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let sentence = |path: &Path| connector(Some(path)).err().unwrap().to_string();
        let remedy = "it must be a PEM file with the certificate of the broker's authority";
        let expected = format!("ca_file {}: No such file or directory (os error 2); {remedy}", path.display());
        assert_eq!(sentence(&path), expected);
        fs::write(&path, "hello").unwrap();
        assert_eq!(sentence(&path), format!("ca_file {}: there is no certificate in it; {remedy}", path.display()));
        fs::write(&path, "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n").unwrap();
        assert_eq!(sentence(&path), format!("ca_file {}: a certificate in it is damaged; {remedy}", path.display()));
    }
}
