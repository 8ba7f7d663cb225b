//! The two messages of WS-Discovery: "who is there?" and "I am".
//!
//! Namespaces are those of the April 2005 version, which the ONVIF Core Specification (section 7) refers to; cameras
//! do not understand those of OASIS 1.1.

use percent_encoding::percent_decode_str;
use roxmltree::Node;
use uuid::Uuid;

use super::{Introduction, shown, soap};

/// Cameras that announce this many devices in one datagram do not exist; a recorder has some tens.
const MOST_MATCHES: usize = 32;

/// What the scopes of ONVIF begin with.
const ONVIF: &str = "onvif://www.onvif.org/";

/// What is looked for. Most cameras answer to the first; some that came later only to the second.
pub(super) const KINDS: [&str; 2] = [
    r#"<d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types>"#,
    r#"<d:Types xmlns:tds="http://www.onvif.org/ver10/device/wsdl">tds:Device</d:Types>"#,
];

/// The question, for one of [`KINDS`].
pub(super) fn question(id: Uuid, kind: &str) -> String {
    format!(
        concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?>"#,
            r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" "#,
            r#"xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" "#,
            r#"xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header>"#,
            r#"<a:Action s:mustUnderstand="1">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>"#,
            "<a:MessageID>urn:uuid:{id}</a:MessageID><a:ReplyTo>",
            "<a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>",
            r#"<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>"#,
            "<s:Body><d:Probe>{kind}</d:Probe></s:Body></s:Envelope>"
        ),
        id = id,
        kind = kind
    )
}

/// One device that says it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) introduction: Introduction,
    /// Addresses of its service, in its own order and its own opinion.
    pub(super) services: Vec<String>,
}

/// The ONVIF devices in an answer. Whatever is none, a printer or a broken datagram, is nothing: the group is
/// everybody's.
///
/// Answers come to the port that asked, so it does not matter that some cameras name another question in `RelatesTo`.
pub(super) fn matches(datagram: &[u8]) -> Vec<Match> {
    let Ok(document) = soap::parse(datagram) else { return Vec::new() };
    let found = soap::all(document.root_element(), "ProbeMatch");
    found.take(MOST_MATCHES).filter(is_onvif).map(read).collect()
}

fn is_onvif(found: &Node<'_, '_>) -> bool {
    let types = soap::text(*found, "Types").unwrap_or_default();
    let scopes = soap::text(*found, "Scopes").unwrap_or_default();
    types.split_whitespace().any(|name| name.rsplit(':').next() == Some("NetworkVideoTransmitter"))
        || scopes.to_ascii_lowercase().contains(ONVIF)
}

fn read(found: Node<'_, '_>) -> Match {
    let words = |text: Option<&str>| text.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let endpoint = soap::all(found, "EndpointReference").next().and_then(|node| soap::text(node, "Address"));
    let mut introduction = introduced(soap::text(found, "Scopes").unwrap_or_default());
    introduction.endpoint = endpoint.and_then(shown).map(|address| address.to_ascii_lowercase());
    Match { introduction, services: words(soap::text(found, "XAddrs")) }
}

/// What scopes say (ONVIF Core, section 7.3.2.2); they stand one behind the other with blanks between.
pub(super) fn introduced(scopes: &str) -> Introduction {
    let [name, hardware, location] = ["name", "hardware", "location"].map(|kind| scope(scopes, kind));
    Introduction { endpoint: None, name, hardware, location }
}

/// What is behind `onvif://www.onvif.org/KIND/`; several of a kind are parts of it, as in `city/Almaty`.
fn scope(scopes: &str, kind: &str) -> Option<String> {
    let parts: Vec<String> = scopes
        .split_whitespace()
        .filter_map(|scope| {
            let (begin, path) = scope.split_at_checked(ONVIF.len())?;
            let (head, value) = path.split_once('/').filter(|_| begin.eq_ignore_ascii_case(ONVIF))?;
            let text = percent_decode_str(value).decode_utf8_lossy();
            head.eq_ignore_ascii_case(kind).then(|| shown(&text)).flatten()
        })
        .collect();
    shown(&parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a camera says it, with the prefixes of gSOAP.
    fn answer(types: &str, scopes: &str, services: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"
            xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:q7="http://schemas.xmlsoap.org/ws/2005/04/discovery"
            ><SOAP-ENV:Body><q7:ProbeMatches><q7:ProbeMatch><wsa:EndpointReference><wsa:Address>urn:uuid:AB-1</wsa:Address>
            </wsa:EndpointReference><q7:Types>{types}</q7:Types><q7:Scopes>{scopes}</q7:Scopes><q7:XAddrs>{services}</q7:XAddrs>
            </q7:ProbeMatch></q7:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>"#
        )
    }

    #[test]
    fn the_question_is_what_the_standard_wants() {
        let id = Uuid::from_u128(7);
        let text = question(id, KINDS[0]);
        let document = roxmltree::Document::parse(&text).unwrap();
        let node = |name| document.descendants().find(|node| node.tag_name().name() == name).unwrap();
        assert_eq!(node("Probe").tag_name().namespace(), Some("http://schemas.xmlsoap.org/ws/2005/04/discovery"));
        assert_eq!(node("MessageID").text(), Some("urn:uuid:00000000-0000-0000-0000-000000000007"));
        assert_eq!(node("Types").text(), Some("dn:NetworkVideoTransmitter"));
        assert_eq!(node("Types").lookup_namespace_uri(Some("dn")), Some("http://www.onvif.org/ver10/network/wsdl"));
        assert!(question(id, KINDS[1]).contains(">tds:Device<"));
        // RFC 768 and an Ethernet frame: a longer datagram would be sent in pieces, of which one is easily lost.
        assert!(text.len() < 1400, "{}", text.len());
    }

    #[test]
    fn a_camera_introduces_itself() {
        let scopes = "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Front%20gate \
                      onvif://www.onvif.org/hardware/X1 onvif://www.onvif.org/location/city/Almaty \
                      onvif://www.onvif.org/location/country/KZ onvif://www.onvif.org/Profile/Streaming \
                      http://abcdefghijklmno/name/other";
        let found = matches(
            answer("a:NetworkVideoTransmitter b:Device", scopes, "http://10.0.0.7/a http://[fe80::1]/a").as_bytes(),
        );
        assert_eq!(
            found,
            [Match {
                introduction: Introduction {
                    endpoint: Some("urn:uuid:ab-1".to_owned()),
                    name: Some("Front gate".to_owned()),
                    hardware: Some("X1".to_owned()),
                    location: Some("city/Almaty, country/KZ".to_owned()),
                },
                services: vec!["http://10.0.0.7/a".to_owned(), "http://[fe80::1]/a".to_owned()],
            }]
        );
    }

    #[test]
    fn printers_and_noise_are_no_cameras() {
        assert_eq!(matches(answer("p:PrintDeviceType", "", "http://10.0.0.9/wsd").as_bytes()), []);
        assert_eq!(matches(b"\xff\xfe not xml"), []);
        assert_eq!(matches(b""), []);
        let typeless = matches(answer("", "ONVIF://www.onvif.org/name/A", "").as_bytes());
        assert_eq!((typeless.len(), typeless[0].introduction.name.as_deref()), (1, Some("A")));
    }

    #[test]
    fn a_name_steers_no_terminal() {
        let found = matches(
            answer("x:NetworkVideoTransmitter", "onvif://www.onvif.org/name/%1b%5b2Jgate%0a%e2%80%aeX", "").as_bytes(),
        );
        assert_eq!(found[0].introduction.name.as_deref(), Some("[2Jgate X"));
        let long = format!("onvif://www.onvif.org/name/{}", "x".repeat(5000));
        let found = matches(answer("x:NetworkVideoTransmitter", &long, "").as_bytes());
        assert_eq!(found[0].introduction.name.as_ref().map(String::len), Some(64));
    }
}
