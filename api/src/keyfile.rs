//! Key files: secrets of the installation that live outside the database, so that whoever takes a copy of it has not got them.
//!
//! A key file holds 256 random bits as 64 hexadecimal digits. Its owner alone may read it: one that others can read is refused.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sha2::Sha256;
use uuid::Uuid;

use crate::codes::hex;

const BYTES: usize = 32;
/// More than a key file holds: what is longer is not one.
const LONGEST: u64 = 1024;
/// What the owner's group and everybody else may do with a file.
const OTHERS: u32 = 0o077;

/// Why a key file cannot be used. None tells what the file holds.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The system refuses.
    #[error("the key file {0} cannot be used: {1}")]
    Io(PathBuf, io::Error),
    /// Others may read it.
    #[error(
        "the key file {0} is open to others (mode {1:03o}): `chmod 600` it, and put another key in its place if somebody may have read it"
    )]
    Exposed(PathBuf, u32),
    /// It holds something else.
    #[error("the key file {0} is not one: 64 hexadecimal digits are expected")]
    Malformed(PathBuf),
    /// The system has no random numbers to give.
    #[error("no random key can be made: {0}")]
    Random(getrandom::Error),
}

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
    pub fn generate() -> Result<Self, KeyFileError> {
        let mut secret = [0; BYTES];
        getrandom::fill(&mut secret).map_err(KeyFileError::Random)?;
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
    /// A file that others can read, that is no key file, or that the system refuses.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyFileError> {
        let failed = |error| KeyFileError::Io(path.to_owned(), error);
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(KeyFileError::Exposed(path.to_owned(), mode));
        }
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
        let secret = parse(text.trim_ascii()).ok_or_else(|| KeyFileError::Malformed(path.to_owned()))?;
        Ok(Some(Self(secret)))
    }

    /// The key that a file holds; makes the file, for its owner alone, where there is none. Of processes that meet, one makes it and
    /// all read the same.
    ///
    /// # Errors
    /// As [`Key::read`]; a folder that cannot be written.
    pub fn read_or_create(path: &Path) -> Result<Self, KeyFileError> {
        if let Some(kept) = Self::read(path)? {
            return Ok(kept);
        }
        let failed = |error| KeyFileError::Io(path.to_owned(), error);
        create(path, Self::generate()?.bytes()).map_err(failed)?;
        Self::read(path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    }
}

/// Writes the file whole and then gives it its name, so that it never stands there half written. One that has come meanwhile stays.
fn create(path: &Path, key: &[u8; BYTES]) -> io::Result<()> {
    let draft = path.with_added_extension(format!("{}.new", Uuid::now_v7()));
    let text = hex(key);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let named = writeln!(file, "{text}").and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match named {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")))?.sync_all(),
    }
}

fn parse(text: &[u8]) -> Option<[u8; BYTES]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut key = [0; BYTES];
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    if pairs.len() != BYTES {
        return None;
    }
    for (byte, [high, low]) in key.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(key)
}

/// Where the key file `name` lies by default: beside the file of an SQLite database. `None` for one without a file.
#[must_use]
pub fn beside(database_url: &str, name: &str) -> Option<PathBuf> {
    let is_file = database_url.starts_with("sqlite:") && !database_url.contains(":memory:");
    let options = SqliteConnectOptions::from_str(database_url).ok().filter(|_| is_file)?;
    let file = options.get_filename();
    (file.file_name().is_some() && !database_url.contains("mode=memory")).then(|| file.with_added_extension(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("a.key");
        assert!(Key::read(&path).unwrap().is_none());
        let keys: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| Key::read_or_create(&path).unwrap())).collect();
            all.into_iter().map(|one| *one.join().unwrap().bytes()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0] && *key != [0; BYTES]), "all read the same");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
        assert_ne!(*Key::read_or_create(&folder.path().join("b.key")).unwrap().bytes(), keys[0]);
    }

    #[test]
    fn a_file_that_others_read_or_that_is_no_key_is_refused_and_not_shown() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("a.key");
        Key::read_or_create(&path).unwrap();
        let secret = fs::read_to_string(&path).unwrap();
        for mode in [0o604, 0o640, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Key::read_or_create(&path).err().unwrap().to_string();
            assert!(error.contains("chmod 600") && error.contains(&format!("{mode:03o}")), "{error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let first = &secret[..63];
        for wrong in ["", first, &format!("{first}g"), &format!("{first}00"), "é"] {
            fs::write(&path, wrong).unwrap();
            let error = Key::read_or_create(&path).err().unwrap();
            assert!(matches!(error, KeyFileError::Malformed(_)) && !error.to_string().contains(first), "{error}");
        }
        assert!(matches!(Key::read_or_create(&folder.path().join("no/such")), Err(KeyFileError::Io(..))));
    }

    #[test]
    fn authentication_is_hmac_sha256() {
        let tag = Key::new([7; 32]).authenticate(&[b"one", b"two"]);
        assert_eq!(hex(&tag), "368aa01fb5ebe186853ada05f635b4c81934bb1c36d5cfdb1557c34a6d925323");
    }

    #[test]
    fn the_default_lies_beside_the_file_of_the_database() {
        for (url, expected) in [
            ("sqlite:attelage.sqlite", Some("attelage.sqlite.key")),
            ("sqlite:///var/lib/a%20b.db?mode=rwc", Some("/var/lib/a b.db.key")),
            ("sqlite::memory:", None),
            ("sqlite:a?mode=memory", None),
            ("postgres://localhost/attelage", None),
        ] {
            assert_eq!(beside(url, "key"), expected.map(PathBuf::from), "{url}");
        }
    }
}
