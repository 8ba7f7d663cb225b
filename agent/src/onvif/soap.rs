//! SOAP envelopes, and the XML in them with limits on what a peer can make us do.
//!
//! roxmltree takes no DTD, so there are no entities to explode. Elements are found by their local names: makers use
//! all prefixes there are, and some the wrong namespace.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

use super::shown;

/// Profiles of a recorder with many channels take some thousands.
const MOST_NODES: u32 = 50_000;

/// Attributes and namespaces of one element are compared with each other, so their number has a limit.
const MOST_ATTRIBUTES: usize = 10_000;

/// One request: its name, and what goes into the body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    /// Namespace of the service.
    pub(super) service: &'static str,
    /// Name of the operation.
    pub(super) name: &'static str,
    /// What is inside the element of the request; the prefixes are `w` for the service and `tt` for the schema.
    pub(super) inside: &'a str,
}

impl Request<'_> {
    /// For the `action` of the content type.
    pub(super) fn action(&self) -> String {
        format!("{}/{}", self.service, self.name)
    }

    /// The whole message; `header` is what auth adds.
    pub(super) fn envelope(&self, header: &str) -> String {
        let Self { service, name, inside } = self;
        format!(
            concat!(
                r#"<?xml version="1.0" encoding="UTF-8"?>"#,
                r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>{header}</s:Header>"#,
                r#"<s:Body><w:{name} xmlns:w="{service}" xmlns:tt="http://www.onvif.org/ver10/schema">{inside}</w:{name}>"#,
                "</s:Body></s:Envelope>"
            ),
            header = header,
            name = name,
            service = service,
            inside = inside
        )
    }
}

/// Why a camera refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Because of who asks.
    pub(super) is_login: bool,
    /// In its own words, or else its code.
    pub(super) reason: String,
}

/// Reads XML within limits.
///
/// # Errors
/// Where and why it is none.
pub(super) fn parse(bytes: &[u8]) -> Result<Document<'_>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    // Some cameras begin with a byte order mark or a line break, before which no XML declaration may stand.
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.bytes().filter(|b| *b == b'=').count() > MOST_ATTRIBUTES {
        return Err("it has more attributes than any camera has to give".to_owned());
    }
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options)
        // The error quotes names from the text.
        .map_err(|why| format!("no XML ({})", shown(&why.to_string()).unwrap_or_default()))
}

/// All elements of a name at any depth below `node`, in the order of the document.
pub(super) fn all<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants().filter(move |inner| inner.tag_name().name() == name)
}

/// The child of a name.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// The text of the child of a name, trimmed; `None` if it has none.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty())
}

/// The number in a child of a name.
pub(super) fn number<T: std::str::FromStr>(node: Node<'_, '_>, name: &str) -> Option<T> {
    text(node, name)?.parse().ok()
}

/// The element in the body of an envelope.
pub(super) fn body<'a, 'i>(document: &'a Document<'i>) -> Option<Node<'a, 'i>> {
    let envelope = document.root_element();
    if envelope.tag_name().name() != "Envelope" {
        return None;
    }
    child(envelope, "Body")?.first_element_child()
}

/// What a body says if it is a fault, of SOAP 1.2 or 1.1.
pub(super) fn fault(body: Node<'_, '_>) -> Option<Fault> {
    if body.tag_name().name() != "Fault" {
        return None;
    }
    let codes: Vec<&str> = all(body, "Value").filter_map(|value| value.text()).chain(text(body, "faultcode")).collect();
    let local = |code: &str| code.trim().rsplit(':').next().unwrap_or_default().to_owned();
    let reason = child(body, "Reason").and_then(|reason| text(reason, "Text")).or_else(|| text(body, "faultstring"));
    let code = codes.last().map(|code| local(code));
    // ter:NotAuthorized of ONVIF Core 5.8.2.2, the codes of WS-Security, and words of those who give no code.
    let is_login = codes.iter().any(|code| {
        matches!(
            local(code).as_str(),
            "NotAuthorized" | "FailedAuthentication" | "InvalidSecurity" | "InvalidSecurityToken" | "FailedCheck"
        )
    }) || reason.is_some_and(|reason| {
        let reason = reason.to_ascii_lowercase();
        ["not authorized", "unauthorized", "not authorised", "authority failure"]
            .iter()
            .any(|word| reason.contains(word))
    });
    let reason = reason.and_then(shown).or_else(|| code.as_deref().and_then(shown));
    Some(Fault { is_login, reason: reason.unwrap_or_else(|| "a fault without a reason".to_owned()) })
}

/// A text as it may stand in XML.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let parts = text.chars().map(|c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&apos;".to_owned(),
        other => other.to_string(),
    });
    Cow::Owned(parts.collect())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn said(fault_xml: &str) -> Option<Fault> {
        let text = format!(r#"<E:Envelope xmlns:E="e" xmlns:ter="t"><E:Body>{fault_xml}</E:Body></E:Envelope>"#);
        let document = parse(text.as_bytes()).unwrap();
        fault(body(&document).unwrap())
    }

    #[test]
    fn faults_of_both_versions_are_understood() {
        let new = "<E:Fault><E:Code><E:Value>E:Sender</E:Value><E:Subcode><E:Value>ter:NotAuthorized</E:Value></E:Subcode>\
                   </E:Code><E:Reason><E:Text>Sender not\nauthorized</E:Text></E:Reason></E:Fault>";
        assert_eq!(said(new), Some(Fault { is_login: true, reason: "Sender not authorized".to_owned() }));
        let unsupported = "<E:Fault><E:Code><E:Value>E:Receiver</E:Value><E:Subcode><E:Value>ter:ActionNotSupported</E:Value>\
                           </E:Subcode></E:Code></E:Fault>";
        assert_eq!(said(unsupported), Some(Fault { is_login: false, reason: "ActionNotSupported".to_owned() }));
        let old = "<E:Fault><faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring></E:Fault>";
        assert_eq!(said(old), Some(Fault { is_login: true, reason: "no".to_owned() }));
        assert_eq!(said("<E:Fault/>"), Some(Fault { is_login: false, reason: "a fault without a reason".to_owned() }));
        assert_eq!(said("<E:GetProfilesResponse/>"), None);
    }

    #[test]
    fn hostile_xml_ends_in_a_sentence_and_soon() {
        let bomb = r#"<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;&c;&c;</a>"#;
        let attributes: String = (0..9_990).map(|n| format!(" a{n}=\"\"")).collect();
        let namespaces: String = (0..9_990).map(|n| format!(" xmlns:a{n}=\"{n}\"")).collect();
        let deep = format!("{}{}", "<a>".repeat(40_000), "</a>".repeat(40_000));
        let cases = [
            (bomb.to_owned(), "no XML (XML with DTD detected)"),
            (format!("<a{}/>", " b=''".repeat(10_001)), "it has more attributes than any camera has to give"),
            ("<a/>".repeat(60_000), "no XML (unknown token at 1:5)"),
            (format!("<r>{}</r>", "<a/>".repeat(60_000)), "no XML (nodes limit reached)"),
            ("<a".repeat(100_000), "no XML (expected a whitespace not '<' at 1:3)"),
            (String::new(), "no XML (the document does not have a root node)"),
        ];
        let begun = Instant::now();
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()).err().as_deref(), Some(expected));
        }
        // These are allowed, and must not take long or overflow the stack.
        assert!(parse(format!("<a{attributes}/>").as_bytes()).is_ok());
        assert!(parse(format!("<a{namespaces}/>").as_bytes()).is_ok());
        assert!(parse(deep.as_bytes()).is_ok_and(|document| all(document.root_element(), "b").count() == 0));
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[test]
    fn what_goes_into_xml_stays_text() {
        assert_eq!(escaped("o'brien <&\">"), "o&apos;brien &lt;&amp;&quot;&gt;");
        assert!(matches!(escaped("viewer"), Cow::Borrowed("viewer")));
    }
}
