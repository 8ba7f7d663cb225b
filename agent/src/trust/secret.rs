use std::{fmt, fs, io::Read as _, path::Path};

/// A longer file is no password.
const MAX_LEN: u64 = 4096;

/// A password or key. It has no `Display`, and its `Debug` shows nothing, so that
/// it reaches no log, message or picture by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret in.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Reads a password from its file, without the line break that editors put at its end.
    ///
    /// # Errors
    /// Half a sentence that says why it is none.
    pub fn read(path: &Path) -> Result<Self, String> {
        // A pipe or device could block for ever.
        if !fs::metadata(path).map_err(|why| format!("the file cannot be read: {why}"))?.is_file() {
            return Err("it is not a file".to_owned());
        }
        let file = fs::File::open(path).map_err(|why| format!("the file cannot be read: {why}"))?;
        let mut bytes = Vec::new();
        file.take(MAX_LEN + 1).read_to_end(&mut bytes).map_err(|why| format!("the file cannot be read: {why}"))?;
        if bytes.len() as u64 > MAX_LEN {
            return Err(format!("the file is longer than {MAX_LEN} bytes"));
        }
        let text = String::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text".to_owned())?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.contains(char::is_control) {
            return Err("the file has more than one line, or control characters".to_owned());
        }
        Ok(Self(line.to_owned()))
    }

    /// The secret itself; call this only where it is handed to a camera or broker.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_print_itself() {
        let secret = Secret::new("swordfish".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.reveal(), "swordfish");
    }
}
