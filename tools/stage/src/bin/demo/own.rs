//! The user's own camera, recording or model in place of the shipped ones.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use karaul_stage::repository;
use percent_encoding::percent_decode_str;
use tempfile::NamedTempFile;
use toml::{Table, Value};

/// Why the user's own input cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum OwnError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("'{0}' is no camera address: write rtsp://user:password@host/path")]
    NoCamera(String),
    #[error("{0} is no folder of a model: it needs a model.toml (models/yolox-nano shows one)")]
    NoModel(PathBuf),
    #[error("configs/demo.toml is damaged: {0}")]
    Shipped(String),
}

/// A file that can be opened, as an absolute path.
pub(super) fn readable(file: &Path) -> Result<PathBuf, OwnError> {
    let read = |source| OwnError::Read { path: file.to_owned(), source };
    fs::File::open(file).map_err(read)?;
    file.canonicalize().map_err(read)
}

/// A config to run, and the password of its camera, which is gone with this value.
pub(super) struct OwnConfig {
    pub(super) path: PathBuf,
    _password: Option<NamedTempFile>,
}

/// The shipped config, or a copy of it with the user's own input and one rule that
/// fits any picture: a person anywhere for a second.
pub(super) fn config(
    shipped: &Path,
    camera: Option<&str>,
    own_video: bool,
    model: Option<&Path>,
) -> Result<OwnConfig, OwnError> {
    if camera.is_none() && !own_video && model.is_none() {
        return Ok(OwnConfig { path: shipped.to_owned(), _password: None });
    }
    let text = fs::read_to_string(shipped).map_err(|source| OwnError::Read { path: shipped.to_owned(), source })?;
    let mut config: Table = text.parse().map_err(|e: toml::de::Error| OwnError::Shipped(e.to_string()))?;
    let folder = repository().join(".karaul/demo");
    let cannot_write = |path: &Path, source| OwnError::Write { path: path.to_owned(), source };
    fs::create_dir_all(&folder).map_err(|source| cannot_write(&folder, source))?;
    let mut kept = None;

    table(&mut config, "storage")?.insert("path".into(), text_of(&folder));
    let models = match model {
        Some(model) if model.join("model.toml").is_file() => {
            model.canonicalize().map_err(|source| OwnError::Read { path: model.to_owned(), source })?
        }
        Some(model) => return Err(OwnError::NoModel(model.to_owned())),
        None => repository().join("models/yard-nano"),
    };
    let parent = models.parent().unwrap_or(&models);
    table(&mut config, "inference")?.insert("models".into(), text_of(parent));

    let watched = config
        .get_mut("camera")
        .and_then(Value::as_array_mut)
        .and_then(|cameras| cameras.first_mut())
        .and_then(Value::as_table_mut)
        .ok_or_else(|| OwnError::Shipped("no camera".to_owned()))?;
    watched.insert("model".into(), models.file_name().map_or("".into(), |n| n.to_string_lossy().into_owned().into()));
    if let Some(address) = camera {
        let (url, login) = split_login(address)?;
        watched.insert("url".into(), url.into());
        if let Some((user, password)) = login {
            // Readable by nobody else from the first moment.
            let secret = NamedTempFile::with_prefix_in("password-", &folder)
                .and_then(|mut file| file.write_all(password.as_bytes()).map(|()| file))
                .map_err(|source| cannot_write(&folder, source))?;
            watched.insert("username".into(), user.into());
            watched.insert("password".into(), format!("file:{}", secret.path().display()).into());
            kept = Some(secret);
        }
    }
    if camera.is_some() || own_video {
        watched.insert("id".into(), "camera".into());
        watched.remove("label");
        watched.remove("line");
        watched.insert("zone".into(), anywhere("points"));
        watched.insert("rule".into(), anywhere("rule"));
    }

    let path = folder.join("site.toml");
    let text = toml::to_string_pretty(&config).map_err(|e| OwnError::Shipped(e.to_string()))?;
    fs::write(&path, &text).map_err(|source| cannot_write(&path, source))?;
    Ok(OwnConfig { path, _password: kept })
}

fn table<'a>(config: &'a mut Table, name: &str) -> Result<&'a mut Table, OwnError> {
    let entry = config.entry(name).or_insert_with(|| Value::Table(Table::new()));
    entry.as_table_mut().ok_or_else(|| OwnError::Shipped(format!("[{name}] is no table")))
}

fn text_of(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}

/// The zone that is the whole picture, and the rule that watches it.
fn anywhere(what: &str) -> Value {
    let zone = "whole-picture";
    if what == "points" {
        let corners =
            [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]].map(|c| Value::from(c.map(Value::from).to_vec()));
        let points = Table::from_iter([("points".to_owned(), Value::from(corners.to_vec()))]);
        return Value::Table(Table::from_iter([(zone.to_owned(), Value::Table(points))]));
    }
    let rule = [
        ("id", Value::from("person-seen")),
        ("kind", "intrusion".into()),
        ("zone", zone.into()),
        ("classes", Value::from(vec![Value::from("person")])),
        ("dwell", "1s".into()),
        ("severity", "warning".into()),
    ];
    Value::from(vec![Value::Table(rule.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())])
}

/// Takes user and password out of an address, percent-decoded. A password that was
/// not encoded and holds a `/` is understood as well.
fn split_login(address: &str) -> Result<(String, Option<(String, String)>), OwnError> {
    let rest = address.strip_prefix("rtsp://").ok_or_else(|| OwnError::NoCamera(without_login(address)))?;
    let authority = rest.split('/').next().unwrap_or("");
    let port_is_number = authority.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok());
    let at = match authority.rfind('@') {
        None if !port_is_number => rest.rfind('@'),
        at => at,
    };
    let (login, place) = at.map_or((None, rest), |at| (Some(&rest[..at]), &rest[at + 1..]));
    if place.is_empty() || place.starts_with('/') {
        return Err(OwnError::NoCamera(without_login(address)));
    }
    let login = login.map(|login| {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        (decode(user), decode(password))
    });
    Ok((format!("rtsp://{place}"), login))
}

/// The address as it may be shown.
fn without_login(address: &str) -> String {
    address.rsplit_once('@').map_or(address, |(_, host)| host).to_owned()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_taken_out_of_an_address() {
        let (url, login) = split_login("rtsp://admin:p%40ss%2Fw@192.0.2.11:554/s1?a=b").unwrap();
        assert_eq!(url, "rtsp://192.0.2.11:554/s1?a=b");
        assert_eq!(login, Some(("admin".to_owned(), "p@ss/w".to_owned())));
        let (url, login) = split_login("rtsp://admin:pass/w@192.0.2.11:554/s1").unwrap();
        assert_eq!(
            (url.as_str(), login),
            ("rtsp://192.0.2.11:554/s1", Some(("admin".to_owned(), "pass/w".to_owned())))
        );
        assert_eq!(split_login("rtsp://host/x").unwrap(), ("rtsp://host/x".to_owned(), None));
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        let says = split_login("http://admin:secret@host/x").unwrap_err().to_string();
        assert_eq!(says, "'host/x' is no camera address: write rtsp://user:password@host/path");
    }
}
