//! One HTTP request with limits on time and size.
//!
//! The certificate of a camera is not checked. It is signed by the camera itself, for a name nobody uses, and who
//! looks for cameras has none of them to compare with. So TLS keeps out those who only listen; whoever stands in
//! between gets a digest, as over plain HTTP, and never the password.

use std::{error::Error as _, fmt, io, time::Duration};

use ureq::{
    Agent, Error, ResponseExt as _, Timeout,
    http::{Uri, header},
    tls::{RootCerts, TlsConfig, TlsProvider},
};

use super::{Bracketed, Problem, shown};

/// The profiles of a recorder with sixty-four channels take some 200 KiB.
pub(super) const LARGEST_ANSWER: usize = 512 * 1024;

/// Of all header lines together.
const LARGEST_HEADER: usize = 16 * 1024;

/// An answer, whatever it is.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The values of all `WWW-Authenticate`.
    pub(super) challenges: Vec<String>,
    /// Where to ask instead.
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Sends requests to cameras. Each has a connection of its own: many cameras close theirs without saying so.
#[derive(Clone, Debug)]
pub(super) struct Client(Agent);

impl Client {
    pub(super) fn new() -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier)
            .disable_verification(true)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            // Cameras are near; what the environment says is for the way out.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .max_response_header_size(LARGEST_HEADER)
            .user_agent("karaul")
            .build();
        Self(config.new_agent())
    }

    /// Posts a SOAP message and takes at most `limit` until the last byte of the answer.
    pub(super) fn post(
        &self,
        url: &Url,
        action: &str,
        authorization: Option<&str>,
        message: &str,
        limit: Duration,
    ) -> Result<Answer, Problem> {
        let problem = |error| explain(url, limit, error);
        let mut request = self
            .0
            .post(url.to_string())
            .config()
            .timeout_global(Some(limit))
            .build()
            .header(header::CONTENT_TYPE, format!("application/soap+xml; charset=utf-8; action=\"{action}\""));
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let mut response = request.send(message).map_err(problem)?;
        debug_assert_eq!(response.get_uri().host(), Some(Bracketed(&url.host).to_string().as_str()));
        let values = |name| response.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        Ok(Answer {
            status: response.status().as_u16(),
            challenges: values(header::WWW_AUTHENTICATE).map(str::to_owned).collect(),
            location: values(header::LOCATION).next().map(str::to_owned),
            body: response.body_mut().with_config().limit(LARGEST_ANSWER as u64).read_to_vec().map_err(problem)?,
        })
    }
}

/// What a failure means to somebody who wants a camera to answer.
fn explain(url: &Url, limit: Duration, error: Error) -> Problem {
    let detail = |text: String| shown(&text).unwrap_or_default();
    let host = &url.host;
    let url = url.to_string();
    match error {
        Error::Timeout(Timeout::Resolve) | Error::HostNotFound => Problem::NameUnknown { host: host.clone() },
        Error::Timeout(_) => Problem::TimedOut { url, limit },
        Error::BodyExceedsLimit(_) => Problem::TooLarge { url, limit: LARGEST_ANSWER },
        Error::LargeResponseHeader(..) => Problem::TooLarge { url, limit: LARGEST_HEADER },
        Error::NativeTls(why) => {
            let why = why.source().map_or_else(|| why.to_string(), ToString::to_string);
            Problem::Tls { url, detail: detail(why) }
        }
        Error::Tls(why) => Problem::Tls { url, detail: why.to_owned() },
        Error::Io(why) => match why.kind() {
            io::ErrorKind::ConnectionRefused => Problem::Refused { url },
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Problem::TimedOut { url, limit },
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
                Problem::NotHttp { url, detail: "it ends too early".to_owned() }
            }
            _ => Problem::Unreachable { url, detail: detail(why.to_string()) },
        },
        Error::Protocol(why) => Problem::NotHttp { url, detail: detail(why.to_string()) },
        Error::Http(why) => Problem::NotHttp { url, detail: detail(why.to_string()) },
        other => Problem::Unreachable { url, detail: detail(other.to_string()) },
    }
}

/// The address of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) tls: bool,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query, with the leading '/'.
    pub(super) path: String,
}

impl Url {
    /// Reads `http://host:port/path`. A login in it is left out.
    pub(super) fn parse(text: &str) -> Option<Self> {
        const LONGEST: usize = 512;
        let text = text.trim();
        // The address is shown, and the `http` crate lets through what steers a terminal.
        if text.len() > LONGEST || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let uri: Uri = text.parse().ok()?;
        let tls = match uri.scheme_str()?.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let host = uri.host()?.trim_matches(['[', ']']).to_owned();
        // The `http` crate tells no port from one that is no port.
        let behind = uri.authority()?.as_str().rsplit(['@', ']']).next()?.rsplit_once(':');
        let port = match (behind.map(|(_, port)| port), uri.port_u16()) {
            (Some(_), Some(0)) => return None,
            (_, Some(port)) => port,
            (Some(digits), None) if !digits.is_empty() => return None,
            _ if tls => 443,
            _ => 80,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        (!host.is_empty()).then_some(Self { tls, host, port, path })
    }

    /// The same service, at the host where the camera really is.
    pub(super) fn at(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    /// Another service of the same host.
    pub(super) fn with_path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", Bracketed(&self.host))?;
        if self.port != if self.tls { 443 } else { 80 } {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_services() {
        let url = |text| Url::parse(text).map(|url| url.at("192.0.2.7").to_string());
        assert_eq!(
            url("http://0.0.0.0/onvif/device_service").as_deref(),
            Some("http://192.0.2.7/onvif/device_service")
        );
        assert_eq!(url(" HTTPS://[fe80::1]:8443/a?b=c ").as_deref(), Some("https://192.0.2.7:8443/a?b=c"));
        assert_eq!(url("http://admin:secret@10.0.0.1:80").as_deref(), Some("http://192.0.2.7/"));
        assert_eq!(Url::parse("http://[2001:db8::1]:8080/a").unwrap().to_string(), "http://[2001:db8::1]:8080/a");
        for none in [
            "",
            "/onvif",
            "ftp://h/a",
            "http://",
            "http://h:0/",
            "http://h:99999/",
            "http://h/a b",
            "http://h/\u{9b}2J",
        ] {
            assert_eq!(url(none), None, "{none:?}");
        }
    }
}
