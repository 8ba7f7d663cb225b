//! Addresses of cameras and brokers: host, port and path, and never a login.

use std::{num::NonZeroU16, str::FromStr};

use percent_encoding::percent_decode_str;

use super::{CameraUrl, source::looks_secret};

/// Where a broker listens, from `mqtt://host:port` or `mqtts://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BrokerUrl {
    pub(super) host: String,
    pub(super) port: NonZeroU16,
    pub(super) tls: bool,
}

/// Why a text is no address. None of the texts repeats the address, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No `://`. Holds what to begin with.
    #[error("the address does not begin with {0}")]
    Scheme(&'static str),
    /// Another scheme than those that are wanted, which come second.
    #[error("{0}:// cannot be used here")]
    OtherScheme(String, &'static str),
    /// `user:password@host`.
    #[error("user and password do not belong into an address")]
    Login,
    /// `?password=…`.
    #[error("a password does not belong into an address")]
    PasswordInPath,
    /// Nothing, or no valid IPv6 address in brackets, where the host should be.
    #[error("the address has no valid host")]
    NoHost,
    /// A character that has to be percent-encoded, or has no business in a host name.
    #[error("{0:?} cannot stand in an address")]
    Character(char),
    /// Not a port.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// A broker's address with a path.
    #[error("the address of a broker has no path")]
    Path,
}

impl UrlError {
    /// What to write instead.
    pub(super) fn remedy(&self) -> String {
        match self {
            Self::Scheme(scheme) => format!("write {scheme}HOST").replace(":// or", "://HOST or"),
            Self::OtherScheme(other, scheme) if other.starts_with("http") && *scheme == RTSP => {
                format!("that is the camera's web page; look its {scheme} address up in its settings")
            }
            Self::OtherScheme(_, scheme) => format!("write {scheme}"),
            Self::Login | Self::PasswordInPath => {
                "take the login out of it and write username = \"…\" and password = \"file:PATH\" or \"credential:NAME\""
                    .to_owned()
            }
            Self::NoHost => "write a name or an IP address after the ://".to_owned(),
            Self::Character(_) => "remove it, or write it as %20 and the like".to_owned(),
            Self::Port => "remove it for the usual one".to_owned(),
            Self::Path => "write only host and port; topics follow from [site]".to_owned(),
        }
    }
}

const RTSP: &str = "rtsp:// or rtsps://";
const MQTT: &str = "mqtt:// or mqtts://";

impl FromStr for CameraUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = split_scheme(text, RTSP)?;
        // RFC 7826, section 19.2, and the registered ports.
        let (tls, usual) = match scheme.as_str() {
            "rtsp" => (false, 554),
            "rtsps" => (true, 322),
            _ => return Err(UrlError::OtherScheme(scheme, RTSP)),
        };
        let (host, port, path) = split_address(rest, usual)?;
        // Some makers want the login in the query; it would show in logs and messages.
        if holds_password(path) {
            return Err(UrlError::PasswordInPath);
        }
        Ok(Self { tls, host, port, path: path.to_owned() })
    }
}

impl FromStr for BrokerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = split_scheme(text, MQTT)?;
        let (tls, usual) = match scheme.as_str() {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
            _ => return Err(UrlError::OtherScheme(scheme, MQTT)),
        };
        let (host, port, path) = split_address(rest, usual)?;
        if !matches!(path, "" | "/") {
            return Err(UrlError::Path);
        }
        Ok(Self { host, port, tls })
    }
}

/// Is this host the machine itself?
pub(super) fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

fn split_scheme<'t>(text: &'t str, wanted: &'static str) -> Result<(String, &'t str), UrlError> {
    let (scheme, rest) = text.split_once("://").ok_or(match text.contains('@') {
        true => UrlError::Login,
        false => UrlError::Scheme(wanted),
    })?;
    if !scheme.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(UrlError::Scheme(wanted));
    }
    Ok((scheme.to_lowercase(), rest))
}

/// Is there a `password=…` or the like with a value, in a query or, as some makers have it, between `_` or `/`?
fn holds_password(path: &str) -> bool {
    let is_secret = |key: &str| looks_secret(key) || ["psw", "pas", "pw", "auth"].iter().any(|end| key.ends_with(end));
    path.split(['?', '&', ';', '/']).any(|part| {
        // A password may itself contain `_`, so it reaches to the next key or the end.
        let mut words = part.split('_').peekable();
        while let Some(word) = words.next() {
            let Some((key, value)) = word.split_once('=') else { continue };
            let goes_on = words.peek().is_some_and(|next| !next.contains('='));
            // Not before it is split: an encoded `&` belongs to the value.
            let key = percent_decode_str(key).decode_utf8_lossy().to_lowercase();
            if is_secret(&key) && (goes_on || !matches!(value, "" | ".sdp")) {
                return true;
            }
        }
        false
    })
}

/// Host without brackets, port, and path with its query.
fn split_address(rest: &str, usual_port: u16) -> Result<(String, NonZeroU16, &str), UrlError> {
    // A password may itself contain '/', so an '@' anywhere is taken for a login.
    if rest.contains('@') {
        return Err(UrlError::Login);
    }
    // What RFC 3986 admits; '#' is out because a fragment never reaches a server.
    let admitted = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]!$&'()*+,;=%".contains(c);
    if let Some(bad) = rest.chars().find(|c| !admitted(*c)) {
        return Err(UrlError::Character(bad));
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, port) = v6.split_once(']').ok_or(UrlError::NoHost)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| UrlError::NoHost)?;
            (host, port.strip_prefix(':').or((!port.is_empty()).then_some("")))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    if let Some(bad) = host.chars().find(|c| !c.is_ascii_alphanumeric() && !"-._:".contains(*c)) {
        return Err(UrlError::Character(bad));
    }
    let port = match port {
        // `parse` alone would take a plus sign.
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().map_err(|_| UrlError::Port)?,
        Some(_) => return Err(UrlError::Port),
        None => NonZeroU16::new(usual_port).ok_or(UrlError::Port)?,
    };
    Ok((host.to_owned(), port, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn camera(text: &str) -> Result<String, UrlError> {
        text.parse::<CameraUrl>().map(|url| url.to_string())
    }

    #[test]
    fn addresses_of_cameras() {
        assert_eq!(camera("rtsp://192.0.2.11/stream2").unwrap(), "rtsp://192.0.2.11:554/stream2");
        assert_eq!(camera("RTSP://cam-1.example:8554").unwrap(), "rtsp://cam-1.example:8554");
        assert_eq!(camera("rtsp://[2001:db8::1]:554/a?b=c&d").unwrap(), "rtsp://[2001:db8::1]:554/a?b=c&d");
        assert_eq!(camera("rtsps://192.0.2.11/stream2").unwrap(), "rtsps://192.0.2.11:322/stream2");
        assert_eq!(camera("rtsp://h?x=1").unwrap(), "rtsp://h:554?x=1");
        // XiongMai cameras with their empty factory password.
        assert!(camera("rtsp://h/user=admin&password=&channel=1&stream=0.sdp").is_ok());
        for path in [
            "user=admin&password=tlJwpbo6&channel=1",
            "user=admin_password=.secret_channel=1_stream=0.sdp",
            "s?password=_secret",
            "s?%70assword=secret",
            "s?password=%26secret",
            "s?usr=admin&psw=secret",
            "s?loginuse=admin&loginpas=secret",
            "s?token=secret",
            "s;auth=YWRtaW46c2VjcmV0",
        ] {
            assert_eq!(camera(&format!("rtsp://h/{path}")), Err(UrlError::PasswordInPath), "{path}");
        }
        for path in ["user=admin_password=_channel=1_stream=0.sdp", "user=admin&password=.sdp", "passage/stream_1"] {
            assert!(camera(&format!("rtsp://h/{path}")).is_ok(), "{path}");
        }
        assert_eq!(camera("192.0.2.11/stream2"), Err(UrlError::Scheme(RTSP)));
        assert_eq!(camera("http://192.0.2.11/"), Err(UrlError::OtherScheme("http".to_owned(), RTSP)));
        assert_eq!(camera("rtsp://admin:x@192.0.2.11/"), Err(UrlError::Login));
        assert_eq!(camera("rtsp://admin:x/y@192.0.2.11/"), Err(UrlError::Login));
        assert_eq!(camera("admin:x@192.0.2.11/"), Err(UrlError::Login));
        assert_eq!(camera("rtsp:///stream2"), Err(UrlError::NoHost));
        assert_eq!(camera("rtsp://[::zz]/"), Err(UrlError::NoHost));
        assert_eq!(camera("rtsp://192.0.2.11/my stream"), Err(UrlError::Character(' ')));
        for port in ["0", "65536", "", "+5", "x"] {
            assert_eq!(camera(&format!("rtsp://h:{port}/")), Err(UrlError::Port), "{port}");
        }
        assert_eq!(camera("rtsp://[::1]5/"), Err(UrlError::Port));
    }

    #[test]
    fn addresses_of_brokers() {
        let broker = |text: &str| text.parse::<BrokerUrl>();
        let url = broker("mqtts://ops.example.org").unwrap();
        assert_eq!((url.host.as_str(), url.port.get(), url.tls), ("ops.example.org", 8883, true));
        let url = broker("mqtt://127.0.0.1/").unwrap();
        assert_eq!((url.port.get(), url.tls, is_local(&url.host)), (1883, false, true));
        assert_eq!(broker("mqtt://h/topic"), Err(UrlError::Path));
        assert_eq!(broker("tcp://h"), Err(UrlError::OtherScheme("tcp".to_owned(), MQTT)));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(
            s in "s?", host in "[a-z0-9.-]{1,12}", port in 1u16.., path in "(/[a-z0-9?&=]{0,8})?",
        ) {
            let url: CameraUrl = format!("rtsp{s}://{host}:{port}{path}").parse().unwrap();
            prop_assert_eq!(&url.to_string().parse::<CameraUrl>().unwrap(), &url);
        }

        #[test]
        fn no_text_panics(text in "(rtsp://)?[-a-z0-9\\[\\]:/@?%. ж]{0,20}") {
            let _ = text.parse::<CameraUrl>();
            let _ = text.parse::<BrokerUrl>();
        }
    }
}
