//! What an SQLite database needs: a library without a known fault, and a file on a disk of this machine.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use rustix::fs::statvfs;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{self, Connection as _};
use sea_orm::{ConnectionTrait, DbErr, Statement};

/// The first version in which a checkpoint that meets a reset of the write-ahead log cannot corrupt the database.
const LEAST: (u32, u32, u32) = (3, 51, 3);

/// File systems that other machines take part in: their locks do not hold, or their memory is not shared, so that a write-ahead log
/// loses data there. By the numbers of Linux' `statfs`.
const SHARED: [(u32, &str); 11] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x0102_1997, "9P"),
    (0x5346_414f, "AFS"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x4750_4653, "GPFS"),
];

/// The file of a database; none for one in memory or of another kind.
#[must_use]
pub fn file(url: &str) -> Option<PathBuf> {
    if !url.starts_with("sqlite:") || url.contains(":memory:") || url.contains("mode=memory") {
        return None;
    }
    let options = SqliteConnectOptions::from_str(url).ok()?;
    Some(options.get_filename().to_owned()).filter(|file| !file.as_os_str().is_empty())
}

/// The nearest folder of a file that exists.
fn folder(file: &Path) -> &Path {
    let above = file.ancestors().skip(1).find(|folder| folder.is_dir());
    above.unwrap_or(Path::new("."))
}

/// Refuses a file on a file system that other machines take part in.
///
/// # Errors
/// Such a file.
pub fn refuse_shared(url: &str) -> Result<(), DbErr> {
    let Some(file) = file(url) else { return Ok(()) };
    match shared(folder(&file)) {
        None => Ok(()),
        Some(name) => Err(DbErr::Custom(format!(
            "{} is on a network file system ({name}), where SQLite loses data: put it on a disk of this machine, or use PostgreSQL",
            file.display()
        ))),
    }
}

/// The name of a shared file system. Only Linux tells; elsewhere nothing is known against a folder.
#[cfg(target_os = "linux")]
fn shared(folder: &Path) -> Option<&'static str> {
    named(rustix::fs::statfs(folder).ok()?.f_type.cast_unsigned())
}

#[cfg(not(target_os = "linux"))]
fn shared(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(any(target_os = "linux", test))]
fn named(number: impl Into<u64>) -> Option<&'static str> {
    // The number has 32 bits, whatever the width of the word that it comes in.
    let number = number.into() & u64::from(u32::MAX);
    SHARED.iter().find(|(own, _)| u64::from(*own) == number).map(|(_, name)| *name)
}

/// Bytes that are free where a file is or would be.
#[must_use]
pub fn free(file: &Path) -> Option<u64> {
    let told = statvfs(folder(file)).ok()?;
    Some(told.f_frsize.saturating_mul(told.f_bavail))
}

/// Whether a connection can begin a transaction. Where a disk is full, SQLite ends transactions by itself, and the library that keeps the
/// connection takes it for one that is still in the last: it could never begin another. Waits for a transaction that is about to end.
///
/// # Errors
/// A connection that is broken.
pub async fn is_at_rest(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // What was dropped is rolled back before this is answered.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// The version of the library. One query.
///
/// # Errors
/// The database's.
pub async fn version(db: &impl ConnectionTrait) -> Result<String, DbErr> {
    let statement = Statement::from_string(db.get_database_backend(), "SELECT sqlite_version()");
    let row = db.query_one_raw(statement).await?;
    row.ok_or_else(|| DbErr::Custom("SQLite does not tell its version".to_owned()))?.try_get_by_index(0)
}

/// Refuses a library with a known fault. One query.
///
/// # Errors
/// Such a library; the database's.
pub async fn refuse_old(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let version = version(db).await?;
    if is_sound(&version) {
        return Ok(());
    }
    let (major, minor, patch) = LEAST;
    Err(DbErr::Custom(format!(
        "SQLite {version} can corrupt a database while it resets its write-ahead log: {major}.{minor}.{patch} or later is needed"
    )))
}

fn is_sound(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next()) >= LEAST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_without_the_fault_are_sound() {
        for (version, sound) in
            [("3.51.3", true), ("3.51.2", false), ("3.52.0", true), ("4.0.0", true), ("3.9.9", false), ("", false)]
        {
            assert_eq!(is_sound(version), sound, "{version}");
        }
    }

    #[test]
    fn a_file_is_looked_for_where_it_is_or_will_be() {
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://a@b/c"), None);
        assert_eq!(file("sqlite:a/b.sqlite"), Some(PathBuf::from("a/b.sqlite")));
        assert_eq!(folder(Path::new("/no/such/folder/b.sqlite")), Path::new("/"));
        assert_eq!((named(0x6969_u64), named(0xef53_u64)), (Some("NFS"), None));
        assert_eq!(named(0xffff_ffff_ff53_4d42_u64), Some("CIFS"), "its sign is carried along");
        assert!(refuse_shared("sqlite:b.sqlite").is_ok() && free(Path::new("b.sqlite")).is_some());
    }
}
