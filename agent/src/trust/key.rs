//! Ed25519 keys: those of the people who command, and the box's own.

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{
    Signature, Signer as _, SigningKey, VerifyingKey,
    pkcs8::{
        DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, KeypairBytes, spki::der::pem::LineEnding,
    },
};
use sha2::{Digest as _, Sha256};

use crate::disk::NewFile;

/// A longer file is no key.
const MAX_FILE: u64 = 4096;

/// A public key that is no weak one.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a text is no public key. None of them shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Neither Base64url of 32 bytes nor PEM.
    #[error("an Ed25519 public key is wanted: 43 characters of Base64url, or \"file:PATH\" of a PEM file")]
    Form,
    /// The wrong half of the pair.
    #[error("this is a PRIVATE key: whoever can read this file could command the box in its owner's name")]
    Private,
    /// Not a point of the curve.
    #[error("these 32 bytes are no Ed25519 public key")]
    NoKey,
    /// A point of small order: anybody can sign for it.
    #[error("this is a weak key (of small order), for which anybody could sign")]
    Weak,
}

/// Why a file holds no public key.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeyFileError {
    /// The disk.
    #[error("the file cannot be read: {0}")]
    File(io::Error),
    /// What is in it.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
}

impl PublicKey {
    /// Reads the `x` of a JWK (RFC 8037), or PEM with a SubjectPublicKeyInfo (RFC 8410).
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, PublicKeyError> {
        let text = text.trim();
        if text.contains("PRIVATE KEY") || text.contains("\"d\"") {
            return Err(PublicKeyError::Private);
        }
        if text.starts_with("-----BEGIN") {
            return VerifyingKey::from_public_key_pem(text).map_err(|_| PublicKeyError::NoKey).and_then(Self::strong);
        }
        let bytes = BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).map_err(|_| PublicKeyError::Form)?;
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(bytes) => VerifyingKey::from_bytes(&bytes).map_err(|_| PublicKeyError::NoKey).and_then(Self::strong),
            // Seed and public key together, as some libraries write a private key, or its PKCS#8 in one line.
            Err(_) if bytes.len() == 64 || SigningKey::from_pkcs8_der(&bytes).is_ok() => Err(PublicKeyError::Private),
            Err(_) => Err(PublicKeyError::Form),
        }
    }

    /// Reads a file with one of the forms of [`PublicKey::parse`].
    ///
    /// # Errors
    /// Why there is none in it.
    pub fn read(path: &Path) -> Result<Self, PublicKeyFileError> {
        let text = read_small(path).map_err(PublicKeyFileError::File)?;
        Ok(Self::parse(&text)?)
    }

    fn strong(key: VerifyingKey) -> Result<Self, PublicKeyError> {
        // A second spelling of the same point would be a second key for the same signatures.
        let canonical = key.to_edwards().compress().to_bytes() == key.to_bytes();
        match (canonical, key.is_weak()) {
            (_, true) => Err(PublicKeyError::Weak),
            (false, _) => Err(PublicKeyError::NoKey),
            (true, false) => Ok(Self(key)),
        }
    }

    /// Did this key sign these bytes? Strictly, as RFC 8032 with the cofactorless equation: weak keys and
    /// other spellings of a signature are refused.
    pub(super) fn verify(&self, bytes: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok()
    }

    /// SHA-256 of the key's JWK, Base64url (RFC 7638, and RFC 8037 appendix A.3).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{self}"}}"#);
        BASE64URL_NOPAD.encode(&Sha256::digest(jwk))
    }
}

/// Base64url: the `x` of a JWK.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A private key. It cannot be printed, and is wiped from memory when dropped.
pub struct PrivateKey {
    signing: SigningKey,
    public: PublicKey,
}

/// Why a private key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Reading or writing.
    #[error("key {}: {source}; check the disk and who may read and write there", path.display())]
    File {
        /// The key's file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It would be written over.
    #[error("key {}: there is a file of this name already; name another, or move it away", path.display())]
    Exists {
        /// The key's file.
        path: PathBuf,
    },
    /// Not a private key.
    #[error("key {}: it is not an Ed25519 private key as PKCS#8 PEM; `karaul command keygen` makes one", path.display())]
    Damaged {
        /// The key's file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("no key can be made: the system gives no random numbers ({0})")]
    Random(getrandom::Error),
}

impl PrivateKey {
    /// A new key.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(KeyError::Random)?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of a seed, the `d` of a JWK (RFC 8037).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(seed);
        let public = PublicKey(signing.verifying_key());
        Self { signing, public }
    }

    /// Reads a PKCS#8 PEM file.
    ///
    /// # Errors
    /// If it cannot be read or is something else.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let pem = read_small(path).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidData => KeyError::Damaged { path: path.to_owned() },
            _ => KeyError::File { path: path.to_owned(), source },
        })?;
        let signing =
            SigningKey::from_pkcs8_pem(pem.trim()).map_err(|_| KeyError::Damaged { path: path.to_owned() })?;
        let public = PublicKey(signing.verifying_key());
        Ok(Self { signing, public })
    }

    /// Writes it as PKCS#8 PEM into a new file that only its owner may read, whole or not at all.
    ///
    /// # Errors
    /// If there is such a file already, or it cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        // Version 1, without the public half: OpenSSL 3.0 cannot read version 2.
        let pair = KeypairBytes { secret_key: self.signing.to_bytes(), public_key: None };
        let wrong = |source| KeyError::File { path: path.to_owned(), source };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|why| wrong(io::Error::other(why.to_string())))?;
        let written = NewFile::new(path).and_then(|file| file.write(pem.as_bytes()));
        written.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
            _ => wrong(source),
        })
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.signing.sign(bytes).to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(… of {})", self.public)
    }
}

/// What happened when the box's own key was wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BoxKey {
    /// It was there.
    Kept,
    /// There was none.
    Made,
    /// There was a file that is no key; it was moved to this path, and a new key made.
    Replaced(PathBuf),
}

/// The box's own key, made at the first start.
///
/// # Errors
/// If it can be neither read nor made. A key that only cannot be read is never replaced.
pub(super) fn box_key(path: &Path) -> Result<(PrivateKey, BoxKey), KeyError> {
    let make = || {
        let key = PrivateKey::generate()?;
        key.write_new(path).map(|()| key)
    };
    match PrivateKey::read(path) {
        Ok(key) => Ok((key, BoxKey::Kept)),
        Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok((make()?, BoxKey::Made)),
        Err(KeyError::Damaged { .. }) => {
            let kept = path.with_extension("damaged.pem");
            fs::rename(path, &kept).map_err(|source| KeyError::File { path: path.to_owned(), source })?;
            Ok((make()?, BoxKey::Replaced(kept)))
        }
        Err(error) => Err(error),
    }
}

/// Reads a small text file. Pipes and devices are refused, as they could block for ever.
fn read_small(path: &Path) -> io::Result<String> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("this is not a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(invalid("the file is too long for a key"));
    }
    String::from_utf8(bytes).map_err(|_| invalid("the file is not text"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    /// The same key, as `openssl pkey -pubout` writes it.
    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn a_public_key_is_read_in_both_forms() {
        let key = PublicKey::parse(PUBLIC).unwrap();
        assert_eq!(PublicKey::parse(PEM).unwrap(), key);
        assert_eq!(key.to_string(), PUBLIC);
    }

    #[test]
    fn what_is_no_public_key_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k.pem");
        let private = PrivateKey::from_seed(&[1; 32]);
        private.write_new(&path).unwrap();
        let pem = fs::read_to_string(&path).unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = der.replace('+', "-").replace('/', "_");
        let both = BASE64URL_NOPAD.encode(&private.signing.to_keypair_bytes());
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGx","x":"11qY"}"#;
        for text in [pem.as_str(), &der, &both, jwk] {
            assert_eq!(PublicKey::parse(text), Err(PublicKeyError::Private), "{text}");
        }
        for text in ["", "hello", &PUBLIC[1..], "Привет"] {
            assert_eq!(PublicKey::parse(text), Err(PublicKeyError::Form), "{text}");
        }
        let bytes = |bytes: [u8; 32]| PublicKey::parse(&BASE64URL_NOPAD.encode(&bytes));
        let first = |byte| std::array::from_fn(|i| if i == 0 { byte } else { 0 });
        assert_eq!(bytes(first(1)), Err(PublicKeyError::Weak)); // the neutral element
        assert_eq!(bytes([0; 32]), Err(PublicKeyError::Weak)); // of order 4
        assert_eq!(bytes(first(2)), Err(PublicKeyError::NoKey)); // not on the curve
        // y = p + 3 is another spelling of y = 3, which is on the curve.
        let mut spelling = [0xff; 32];
        (spelling[0], spelling[31]) = (0xed + 3, 0x7f);
        assert!(bytes(first(3)).is_ok());
        assert_eq!(bytes(spelling), Err(PublicKeyError::NoKey));
    }

    #[test]
    fn a_private_key_is_written_once_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("operator.key");
        let key = PrivateKey::generate().unwrap();
        key.write_new(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(PrivateKey::read(&path).unwrap().public(), key.public());
        let again = key.write_new(&path).unwrap_err().to_string();
        let expected = "there is a file of this name already; name another, or move it away";
        assert_eq!(again, format!("key {}: {expected}", path.display()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
        assert!(!format!("{key:?}").contains(&BASE64URL_NOPAD.encode(&key.signing.to_bytes())));
    }

    #[test]
    fn the_boxs_key_is_made_once_and_a_damaged_one_is_kept_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box.key");
        let (made, how) = box_key(&path).unwrap();
        assert_eq!(how, BoxKey::Made);
        let (kept, how) = box_key(&path).unwrap();
        assert_eq!((kept.public(), how), (made.public(), BoxKey::Kept));
        fs::write(&path, "nonsense").unwrap();
        let (other, how) = box_key(&path).unwrap();
        assert_ne!(other.public(), made.public());
        let BoxKey::Replaced(kept) = how else { panic!("{how:?}") };
        assert_eq!(fs::read_to_string(kept).unwrap(), "nonsense");
        assert_eq!(box_key(&path).unwrap().0.public(), other.public());
    }

    #[test]
    fn a_key_that_cannot_be_read_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box.key");
        fs::create_dir(&path).unwrap();
        assert!(box_key(&path).is_err());
        assert!(path.is_dir());
    }
}
