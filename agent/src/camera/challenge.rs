//! Which login a camera wants. `GStreamer` 1.22 answers every Digest challenge with MD5, whatever it asks for, and the
//! camera then refuses a login that is right.

use std::{
    io::{BufRead, BufReader, Read, Write},
    time::{Duration, Instant},
};

use super::{deadline::within, reach::dial};
use crate::config::CameraUrl;

/// More of an answer is not read.
const LONGEST: u64 = 16 << 10;

/// The algorithm of the Digest that the camera wants, if it is one that `GStreamer` cannot do. Asks without a login,
/// which no camera counts as a wrong one. Takes at most `limit`.
pub(super) fn unknown_digest(url: &CameraUrl, limit: Duration) -> Option<String> {
    if url.tls {
        return None;
    }
    let url = url.clone();
    let headers = within(limit, "karaul-challenge", move || ask(&url, limit))??;
    unknown_algorithm(&headers)
}

/// The headers of the answer to a DESCRIBE without a login; `None` if there is no whole answer in time.
fn ask(url: &CameraUrl, limit: Duration) -> Option<Vec<String>> {
    let end = Instant::now() + limit;
    let mut stream = dial(url, limit).ok()?;
    stream.set_read_timeout(Some(limit)).ok()?;
    stream.set_write_timeout(Some(limit)).ok()?;
    write!(stream, "DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n").ok()?;
    let mut headers = Vec::new();
    for line in BufReader::new(stream.take(LONGEST)).lines() {
        match line.ok()? {
            line if line.is_empty() => return Some(headers),
            // Nobody waits any more for one who drips.
            _ if Instant::now() > end => return None,
            line => headers.push(line),
        }
    }
    Some(headers)
}

/// Of several challenges `GStreamer` takes the last Digest.
fn unknown_algorithm(headers: &[String]) -> Option<String> {
    let challenge = headers.iter().rev().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let (scheme, parameters) = value.trim().split_once(' ')?;
        let found = name.trim().eq_ignore_ascii_case("www-authenticate") && scheme.eq_ignore_ascii_case("digest");
        found.then_some(parameters)
    })?;
    let algorithm = challenge.split(',').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("algorithm").then(|| value.trim().trim_matches('"'))
    })?;
    // It goes into a message: a word, as RFC 7616 has them.
    let is_word = algorithm.len() <= 20 && algorithm.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_word && !algorithm.eq_ignore_ascii_case("md5")).then(|| algorithm.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digest_counts() {
        let sha = r#"WWW-Authenticate: Digest realm="cam", qop="auth", algorithm=SHA-256, nonce="x,y", opaque="z""#;
        let md5 = r#"www-authenticate: digest realm="cam", nonce="1", algorithm="MD5""#;
        let plain = r#"WWW-Authenticate: Digest realm="algorithm", nonce="1""#;
        let basic = r#"WWW-Authenticate: Basic realm="cam""#;
        for (headers, expected) in [
            (&["RTSP/1.0 401 Unauthorized", sha][..], Some("SHA-256")),
            (&[md5, sha, basic], Some("SHA-256")),
            (&[sha, md5], None),
            (&[plain], None),
            (&[basic], None),
            (&["RTSP/1.0 200 OK", "CSeq: 1"], None),
            (&[r"WWW-Authenticate: Digest algorithm=\u{1b}[31m"], None),
        ] {
            let headers: Vec<String> = headers.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(unknown_algorithm(&headers).as_deref(), expected, "{headers:?}");
        }
    }
}
