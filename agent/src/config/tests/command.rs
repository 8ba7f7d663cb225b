//! What is said about keys and roles.

use insta::assert_snapshot;

use super::*;

/// A key and a role, as an installer writes them.
const COMMAND: &str = r#"[command]
longest_validity = "5m"

[[command.key]]
id = "duty-desk"
public_key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
roles = ["operator"]

[command.role.operator]
verbs = ["acknowledge", "disarm"]
cameras = ["gate"]
"#;

#[test]
fn keys_and_roles() {
    let folder = Folder::new();
    let lines = SITE.lines().count();
    // Lines of the block, counted from 1, instead of lines of the whole.
    let said = |block: &str| {
        let said = folder.said(&format!("{SITE}{block}"));
        let line = |line: &str| {
            let (number, rest) = line.strip_prefix("site.toml:")?.split_once(':')?;
            Some(format!("{}:{rest}", number.parse::<usize>().ok()?.checked_sub(lines)?))
        };
        said.lines().map(|text| line(text).unwrap_or_else(|| text.to_owned())).collect::<Vec<_>>().join("\n")
    };
    let changed = |old: &str, new: &str| {
        assert_eq!(COMMAND.matches(old).count(), 1, "{old}");
        said(&COMMAND.replace(old, new))
    };
    assert_eq!(said(COMMAND), "");
    assert_snapshot!(changed("\"disarm\"", "\"disram\""),
        @r#"10: [command], role "operator": "disram" in verbs: one of "acknowledge", "resolve", "false_positive", "arm", "disarm", "test_incident", "replay", "snapshot", "reload", "camera_enable", "ledger", "mode" is wanted; did you mean "disarm"?"#);
    assert_snapshot!(changed("\"disarm\"", "\"open-the-gate\""),
        @r#"10: [command], role "operator": "open-the-gate" in verbs: one of "acknowledge", "resolve", "false_positive", "arm", "disarm", "test_incident", "replay", "snapshot", "reload", "camera_enable", "ledger", "mode" is wanted; for example verbs = ["acknowledge", "resolve"]"#);
    assert_snapshot!(changed("[\"operator\"]", "[\"opertor\"]"),
        @r#"7: command key "duty-desk": "opertor" in roles: there is no such role; did you mean "operator"?"#);
    assert_snapshot!(changed("[\"operator\"]", "[]"),
        @r#"7: command key "duty-desk": roles = []: the list is empty; for example roles = ["operator"]"#);
    assert_snapshot!(changed("[\"gate\"]", "[\"gata\"]"),
        @r#"11: [command], role "operator": "gata" in cameras: there is no such camera; did you mean "gate"?"#);
    assert_snapshot!(changed("\"disarm\"]", "\"reload\"]"),
        @r#"10: warning: [command], role "operator": verbs = ["acknowledge", "reload"]: reload concerns the whole box, so a role that is only for some cameras cannot use it; remove it, or put it into a role without cameras"#);
    assert_snapshot!(said(&format!("{COMMAND}[command.role.spare]\nverbs = [\"arm\"]\n")),
        @r#"12: warning: [command], role "spare": no key has this role; name it in roles of a [[command.key]], or remove it"#);
    assert_snapshot!(changed("5m", "5 minutes"),
        @r#"2: [command]: longest_validity = "5 minutes": a duration with its unit (ms, s, m, h) from 10s to 24h is wanted; for example longest_validity = "10m""#);
    assert_snapshot!(changed("longest_validity = \"5m\"", "longest_validty = \"5m\""),
        @r#"2: [command]: longest_validty: there is no such key; did you mean "longest_validity"?"#);
    assert_snapshot!(changed("id = \"duty-desk\"\n", ""),
        @r#"4: [command], key 1: id is missing; add id = "duty-desk""#);
    let key = "public_key = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"\nroles = [\"operator\"]\n";
    assert_snapshot!(changed(key, &format!("{key}[[command.key]]\nid = \"duty-desk\"\n{key}")), @r#"
    9: [command], key 2: id = "duty-desk": the key in line 48 has the same id; give each an id of its own
    10: command key "duty-desk": public_key = ********: command key "duty-desk" is the same key; give each person a key of their own, or put all roles into one entry
    "#);
    for (day, good) in [("2027-12-31", true), ("31.12.2027", false), ("2027-13-01", false)] {
        let text = COMMAND.replace("id = \"duty-desk\"", &format!("id = \"duty-desk\"\nnot_after = \"{day}\""));
        assert_eq!(said(&text).is_empty(), good, "{day}");
    }
    assert_snapshot!(changed("id = \"duty-desk\"", "id = \"duty-desk\"\nnot_after = \"31.12.2027\""),
        @r#"6: command key "duty-desk": not_after = "31.12.2027": a day in quotes, year-month-day is wanted; for example not_after = "2027-12-31""#);
}

#[test]
fn a_private_key_is_said_loudly_and_not_shown() {
    let folder = Folder::new();
    let public = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let body = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v_VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    folder.write("wrong.pem", &pem);
    folder.write("empty.pem", "");
    let said = |key: &str| {
        let text = format!("{SITE}{}", COMMAND.replace(&format!("\"{public}\""), key));
        let outcome = folder.read(&text, Secrets::Required);
        assert!(outcome.config.is_none());
        for shown in [outcome.problems.to_string(), outcome.problems.fancy(false, 100), format!("{outcome:?}")] {
            assert!(!shown.contains("EIJ1hsZ3v"), "{shown}");
        }
        let text = folder.without_folder(&outcome.problems.to_string());
        text.split_once(": ").map(|(_, rest)| rest.to_owned()).unwrap()
    };
    assert_snapshot!(said(&format!("\"\"\"\n{pem}\"\"\"")),
        @r#"command key "duty-desk": public_key: this is a PRIVATE key, and it does not belong here: whoever can read it could command the box in its owner's name; throw that pair away, make another with `karaul command keygen`, and write the public_key that it prints"#);
    assert_snapshot!(said(&format!("\"{body}\"")),
        @r#"command key "duty-desk": public_key: this is a PRIVATE key, and it does not belong here: whoever can read it could command the box in its owner's name; throw that pair away, make another with `karaul command keygen`, and write the public_key that it prints"#);
    assert_snapshot!(said("\"file:wrong.pem\""),
        @r#"command key "duty-desk": public_key = "file:wrong.pem": this is a PRIVATE key, and it does not belong here: whoever can read it could command the box in its owner's name; throw that pair away, make another with `karaul command keygen`, and write the public_key that it prints"#);
    assert_snapshot!(said("\"file:empty.pem\""),
        @r#"command key "duty-desk": public_key = "file:empty.pem": an Ed25519 public key is wanted: 43 characters of Base64url, or "file:PATH" of a PEM file; it must be a PEM file with BEGIN PUBLIC KEY that this user may read"#);
    assert_snapshot!(said("\"file:gone.pem\""),
        @r#"command key "duty-desk": public_key = "file:gone.pem": the file cannot be read: No such file or directory (os error 2); it must be a PEM file with BEGIN PUBLIC KEY that this user may read"#);
    assert_snapshot!(said("\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""),
        @r#"command key "duty-desk": public_key: this is a weak key (of small order), for which anybody could sign; write what `karaul command keygen` printed"#);
    assert_snapshot!(said("7"),
        @r#"command key "duty-desk": public_key = ********: an Ed25519 public key in Base64url, or "file:PATH" is wanted, not a whole number; for example public_key = "ErVVy8wchpbzv4cgrEm_5HtwUoT4Si3UlbL-Xwbx61s""#);
}
