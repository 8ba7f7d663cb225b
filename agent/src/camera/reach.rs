//! Why a camera cannot be connected to. `GStreamer` 1.22 says "Generic error" to everything.

use std::{
    cell::Cell,
    io,
    net::{TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, Instant},
};

use gio::{
    Cancellable, SocketClient, SocketClientEvent, TlsCertificateFlags, TlsConnection, TlsError, TlsFileDatabase,
    prelude::*,
};

use super::{Fault, deadline::within};
use crate::config::CameraUrl;

/// Asks the resolver and the camera's port once more, only to learn the reason. Takes at most `limit`.
pub(super) fn why_not(url: &CameraUrl, ca_file: Option<&Path>, limit: Duration) -> Fault {
    let (url, ca_file) = (url.clone(), ca_file.map(Path::to_owned));
    // The resolver has no limit of its own that could be set, hence the thread.
    let answer = within(limit + Duration::from_millis(100), "karaul-reach", move || connect(&url, ca_file, limit));
    match answer {
        None => Fault::TimedOut { limit },
        // It can be reached after all: it came back meanwhile, or dropped the connection.
        Some(Ok(())) => Fault::Ended,
        Some(Err(fault)) => fault,
    }
}

/// The authorities of a PEM file, for those who check a camera's certificate.
pub(super) fn authorities(ca_file: &Path) -> Result<TlsFileDatabase, Fault> {
    let unusable = |why: &str| tls(format!("{}: {why}; check \"ca_file\"", ca_file.display()));
    // Of a relative path the library only complains on standard error.
    let path = ca_file.canonicalize().map_err(|error| unusable(&error.to_string()))?;
    TlsFileDatabase::new(path).map_err(|error| unusable(error.message()))
}

fn connect(url: &CameraUrl, ca_file: Option<PathBuf>, limit: Duration) -> Result<(), Fault> {
    dial(url, limit)?;
    if url.tls { handshake(url, ca_file.as_deref(), limit) } else { Ok(()) }
}

/// A connection to the camera's port, at the first of its addresses that takes one. Takes at most `limit`, and as long as
/// the resolver does.
pub(super) fn dial(url: &CameraUrl, limit: Duration) -> Result<TcpStream, Fault> {
    let addresses = (url.host.as_str(), url.port.get()).to_socket_addrs().map_err(|_| Fault::NameUnknown)?;
    let end = Instant::now() + limit;
    let mut fault = Fault::NameUnknown;
    for address in addresses {
        // An empty limit is an error of its own.
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                fault = match error.kind() {
                    io::ErrorKind::ConnectionRefused => Fault::Refused,
                    io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Fault::TimedOut { limit },
                    _ => Fault::Unreachable { detail: error.to_string() },
                };
            }
        }
    }
    Err(fault)
}

/// Makes a secure connection as rtspsrc makes it.
fn handshake(url: &CameraUrl, ca_file: Option<&Path>, limit: Duration) -> Result<(), Fault> {
    let authorities = ca_file.map(authorities).transpose()?;
    let client = SocketClient::new();
    client.set_tls(true);
    // In whole seconds, and what came before has taken its time.
    client.set_timeout(u32::try_from(limit.as_secs().saturating_sub(1).max(1)).unwrap_or(u32::MAX));
    let rejected = Rc::new(Cell::new(TlsCertificateFlags::empty()));
    client.connect_event({
        let rejected = Rc::clone(&rejected);
        move |_, event, _, connection| {
            let connection = connection.and_then(|connection| connection.downcast_ref::<TlsConnection>());
            let Some(connection) = connection.filter(|_| event == SocketClientEvent::TlsHandshaking) else { return };
            if authorities.is_some() {
                connection.set_database(authorities.as_ref());
            }
            let rejected = Rc::clone(&rejected);
            connection.connect_accept_certificate(move |_, _, why| {
                rejected.set(why);
                false
            });
        }
    });
    let (open, close) = if url.host.contains(':') { ("[", "]") } else { ("", "") };
    let host = format!("{open}{}{close}", url.host);
    match client.connect_to_host(&host, url.port.get(), Cancellable::NONE) {
        Ok(_) => Ok(()),
        Err(error) if error.matches(TlsError::Unavailable) => {
            Err(tls("this box lacks TLS for cameras; install the package glib-networking".to_owned()))
        }
        Err(error) => Err(tls(certificate(rejected.get()).map_or_else(
            || format!("{}; check that this is the camera's port for rtsps", error.message().trim_end_matches('.')),
            str::to_owned,
        ))),
    }
}

/// What is wrong with a certificate, and the remedy.
fn certificate(why: TlsCertificateFlags) -> Option<&'static str> {
    let of = [
        (TlsCertificateFlags::EXPIRED, "its certificate has expired; renew it in the camera"),
        (
            TlsCertificateFlags::NOT_ACTIVATED,
            "its certificate is not valid yet; check the clocks of the camera and of this box",
        ),
        (
            TlsCertificateFlags::UNKNOWN_CA,
            "its certificate comes from no authority that this box trusts; name the authority's certificate, or the \
             camera's own, in \"ca_file\"",
        ),
        (
            TlsCertificateFlags::BAD_IDENTITY,
            "its certificate is made out to another name; write that name in \"url\", or give the camera another one",
        ),
        (TlsCertificateFlags::REVOKED, "its certificate was revoked; give the camera another one"),
        (TlsCertificateFlags::INSECURE, "its certificate is too weak; give the camera another one"),
    ];
    of.into_iter().find(|(flag, _)| why.contains(*flag)).map(|(_, words)| words)
}

fn tls(detail: String) -> Fault {
    Fault::Tls { detail }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn url(tls: bool, host: &str, port: u16) -> CameraUrl {
        CameraUrl { tls, host: host.to_owned(), port: port.try_into().unwrap(), path: "/x".to_owned() }
    }

    #[test]
    fn refused_and_unknown_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(why_not(&url(false, "127.0.0.1", port), None, LIMIT), Fault::Ended);
        drop(listener);
        assert_eq!(why_not(&url(false, "127.0.0.1", port), None, LIMIT), Fault::Refused);
        // RFC 6761: never resolves.
        assert_eq!(why_not(&url(false, "camera.invalid", port), None, LIMIT), Fault::NameUnknown);
    }

    #[test]
    fn a_file_that_holds_no_authorities_is_named() {
        let file = Path::new("nowhere/ca.pem");
        let fault = authorities(file).unwrap_err().to_string();
        assert!(fault.starts_with("the secure connection failed: nowhere/ca.pem: "), "{fault}");
        assert!(fault.ends_with("; check \"ca_file\""), "{fault}");
    }

    #[test]
    fn what_is_wrong_with_a_certificate_comes_before_what_follows_from_it() {
        assert_eq!(certificate(TlsCertificateFlags::empty()), None);
        let both = TlsCertificateFlags::EXPIRED | TlsCertificateFlags::BAD_IDENTITY;
        assert_eq!(certificate(both), Some("its certificate has expired; renew it in the camera"));
    }
}
