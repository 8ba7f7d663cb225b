//! Why a camera cannot be connected to. `GStreamer` 1.22 says "Generic error" to everything.

use std::{
    io,
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use super::{Fault, deadline::within};
use crate::config::CameraUrl;

/// Asks the resolver and the camera's port once more, only to learn the reason. Takes at most `limit`.
pub(super) fn why_not(url: &CameraUrl, limit: Duration) -> Fault {
    let (host, port) = (url.host.clone(), url.port.get());
    // The resolver has no limit of its own that could be set, hence the thread.
    let answer = within(limit + Duration::from_millis(100), "karaul-reach", move || connect(&host, port, limit));
    match answer {
        None => Fault::TimedOut { limit },
        // It can be reached after all: it came back meanwhile, or dropped the connection.
        Some(Ok(())) => Fault::Ended,
        Some(Err(fault)) => fault,
    }
}

fn connect(host: &str, port: u16, limit: Duration) -> Result<(), Fault> {
    let address = (host, port).to_socket_addrs().map_err(|_| Fault::NameUnknown)?.next().ok_or(Fault::NameUnknown)?;
    match TcpStream::connect_timeout(&address, limit) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::ConnectionRefused => Fault::Refused,
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Fault::TimedOut { limit },
            _ => Fault::Unreachable { detail: error.to_string() },
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn url(host: &str, port: u16) -> CameraUrl {
        CameraUrl { host: host.to_owned(), port: port.try_into().unwrap(), path: "/x".to_owned() }
    }

    #[test]
    fn refused_and_unknown_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let limit = Duration::from_secs(5);
        assert_eq!(why_not(&url("127.0.0.1", port), limit), Fault::Ended);
        drop(listener);
        assert_eq!(why_not(&url("127.0.0.1", port), limit), Fault::Refused);
        // RFC 6761: never resolves.
        assert_eq!(why_not(&url("camera.invalid", port), limit), Fault::NameUnknown);
    }
}
