//! Keys that are kept outside of the database, in files: whoever has a copy of the database alone has none of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sha2::Sha256;
use uuid::Uuid;

const BYTES: usize = 32;

/// 256 secret bits.
#[derive(Clone)]
pub struct Key([u8; BYTES]);

impl Key {
    /// Wraps a secret.
    #[must_use]
    pub const fn new(secret: [u8; BYTES]) -> Self {
        Self(secret)
    }

    /// A fresh key.
    ///
    /// # Errors
    /// A system that gives no random numbers.
    pub fn generate() -> io::Result<Self> {
        let mut secret = [0; BYTES];
        getrandom::fill(&mut secret).map_err(|error| io::Error::other(format!("no random numbers: {error}")))?;
        Ok(Self(secret))
    }

    /// The secret.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// HMAC-SHA256 of the parts, one after the other. What each part is, and where it ends, is for the caller to make plain.
    #[must_use]
    pub fn authenticate(&self, parts: &[&[u8]]) -> [u8; BYTES] {
        let mut block = [0; 64];
        block[..BYTES].copy_from_slice(&self.0);
        // A key of one block: the one length that cannot be refused.
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The key that a file holds; `None` where there is no file.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds something else than 64 hexadecimal digits.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(about(path, &error)),
        };
        let wrong = || about(path, &io::Error::new(ErrorKind::InvalidData, "64 hexadecimal digits are expected"));
        parse(text.trim()).map(|secret| Some(Self(secret))).ok_or_else(wrong)
    }

    /// The key that a file holds; where there is none, one is made, which its owner alone may read. Of processes that do so at once,
    /// one makes the file and the others read it: it never stands there half written.
    ///
    /// # Errors
    /// As [`Key::read`]; a folder that cannot be written.
    pub fn read_or_create(path: &Path) -> io::Result<Self> {
        if let Some(kept) = Self::read(path)? {
            return Ok(kept);
        }
        let fresh = Self::generate()?;
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{}", Uuid::now_v7()));
        let draft = PathBuf::from(draft);
        let linked = fresh.write(&draft).and_then(|()| fs::hard_link(&draft, path));
        // Gone in any case; it may not even have been made.
        let _ = fs::remove_file(&draft);
        match linked {
            Ok(()) => Ok(fresh),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::read(path)?.ok_or_else(|| about(path, &io::Error::from(ErrorKind::NotFound)))
            }
            Err(error) => Err(about(path, &error)),
        }
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = private(path)?;
        let hex = self.0.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        writeln!(file, "{hex}")?;
        file.sync_all()
    }
}

/// A new file that its owner alone may read.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn parse(hex: &str) -> Option<[u8; BYTES]> {
    if hex.len() != 2 * BYTES || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut secret = [0; BYTES];
    for (byte, position) in secret.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(hex.get(position..position + 2)?, 16).ok()?;
    }
    Some(secret)
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the key file {}: {error}", path.display()))
}

/// Where a key of a `SQLite` database lies when nobody says otherwise: beside the database, under its name and a suffix. `None` for
/// databases that are not a file.
#[must_use]
pub fn beside(url: &str, suffix: &str) -> Option<PathBuf> {
    if !url.starts_with("sqlite:") || url.contains(":memory:") || url.contains("mode=memory") {
        return None;
    }
    let options: SqliteConnectOptions = url.parse().ok()?;
    let mut path = options.get_filename().as_os_str().to_owned();
    path.push(suffix);
    Some(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_from_then_on() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("a.key");
        assert!(Key::read(&path).unwrap().is_none());
        let keys: Vec<Key> = std::thread::scope(|scope| {
            let made: Vec<_> = (0..8).map(|_| scope.spawn(|| Key::read_or_create(&path).unwrap())).collect();
            made.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| key.bytes() == keys[0].bytes()));
        assert_eq!(Key::read(&path).unwrap().unwrap().bytes(), keys[0].bytes());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_name_of_the_file() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("b.key");
        for text in ["", "abc", &"é".repeat(32), &"0".repeat(63), &"0".repeat(65)] {
            fs::write(&path, text).unwrap();
            let error = Key::read_or_create(&path).err().unwrap().to_string();
            assert!(error.contains("b.key") && error.contains("64 hexadecimal digits"), "{error}");
        }
    }

    #[test]
    fn authentication_is_hmac_sha256() {
        let tag = Key::new([7; 32]).authenticate(&[b"one", b"two"]);
        let hex = tag.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(hex, "368aa01fb5ebe186853ada05f635b4c81934bb1c36d5cfdb1557c34a6d925323");
    }

    #[test]
    fn a_key_lies_beside_its_database() {
        let beside = |url| beside(url, ".audit-key").map(|path| path.display().to_string());
        assert_eq!(beside("sqlite:attelage.sqlite").as_deref(), Some("attelage.sqlite.audit-key"));
        assert_eq!(beside("sqlite:///var/lib/a.db?mode=rwc").as_deref(), Some("/var/lib/a.db.audit-key"));
        assert_eq!((beside("sqlite::memory:"), beside("postgres://localhost/a")), (None, None));
    }
}
