use std::{fs, path::Path};

use super::{
    Surroundings,
    table::Table,
    value::{Checked, Wrong, text},
};
use crate::{config::Secrets, trust::Secret};

/// `username` and `password` of a table.
pub(super) fn login(table: &Table<'_>, around: &Surroundings) -> Option<(String, Secret)> {
    let username = table.get("username", text);
    if username.as_ref().is_some_and(|name| name.contains(':')) {
        // Basic and Digest authentication end the name at the colon (RFC 7617, section 2).
        table.error(
            "username",
            "a user name has no ':'",
            "write the password apart from it, as password = \"file:PATH\"",
        );
    }
    let password = table.get("password", |_, value| reference(value.get_ref().as_str()));
    match (table.has("username"), table.has("password")) {
        (true, false) if !table.misspelt("password") => {
            let remedy = "add password = \"file:PATH\" or \"credential:NAME\"; an empty file is an empty password";
            table.error("username", "password is missing beside it", remedy);
        }
        (false, true) if !table.misspelt("username") => {
            table.error("password", "username is missing beside it", "add username = \"viewer\"")
        }
        _ => {}
    }
    let secret = match (&password, around.secrets) {
        (None, _) | (_, Secrets::Ignored) => None,
        (Some(reference), _) => open(reference, table, around),
    };
    username.zip(secret)
}

/// Where a password lies.
enum Reference {
    Credential(String),
    File(String),
}

fn reference(text: Option<&str>) -> Checked<Reference> {
    let name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    match text.and_then(|text| text.split_once(':')) {
        // The names that systemd takes, and no way out of its folder.
        Some(("credential", id)) if name(id) && !id.starts_with('.') => Ok(Reference::Credential(id.to_owned())),
        Some(("credential", _)) => Wrong::new(
            "the name of a credential has only letters, digits, '.', '_' and '-'",
            "for example password = \"credential:gate\"",
        ),
        Some(("file", path)) if !path.is_empty() => Ok(Reference::File(path.to_owned())),
        Some(("file", _)) => Wrong::new("the path is missing", "for example password = \"file:gate.password\""),
        _ => Wrong::new(
            "a password is never written here",
            "put it into a file that only Karaul may read and write password = \"file:PATH\", or \"credential:NAME\" for one from systemd",
        ),
    }
}

fn open(reference: &Reference, table: &Table<'_>, around: &Surroundings) -> Option<Secret> {
    // Somebody who only checks the config may not be allowed to see its passwords.
    let complain = |what: &str, remedy: String| match around.secrets {
        Secrets::Required => table.error("password", what, remedy),
        Secrets::Tried | Secrets::Ignored => table.warning("password", what, &remedy),
    };
    let path = match (reference, &around.credentials) {
        (Reference::File(path), _) => around.path(path),
        (Reference::Credential(name), Some(folder)) => folder.join(name),
        (Reference::Credential(name), None) => {
            let remedy =
                format!("systemd sets it for units with LoadCredential={name}:PATH; elsewhere use \"file:PATH\"");
            complain("CREDENTIALS_DIRECTORY is not set", remedy);
            return None;
        }
    };
    match Secret::read(&path) {
        Ok(secret) => {
            if matches!(reference, Reference::File(_)) && others_may_read(&path) {
                let remedy = format!("chmod 600 {}", around.show(&path));
                table.warning("password", "other users of this machine may read the file", &remedy);
            }
            Some(secret)
        }
        Err(why) => {
            let remedy =
                format!("{} must hold the password on one line and be readable for Karaul", around.show(&path));
            complain(&why, remedy);
            None
        }
    }
}

#[cfg(unix)]
pub(super) fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
pub(super) fn others_may_read(_: &Path) -> bool {
    false
}
