//! Backups: taken while others write, restored into either kind of database, and refused where they are not whole.

use std::cell::Cell;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use attelage::audit::verify::verify;
use attelage::backup::{self, BackupError, Manifest};
use attelage::database::{self, begin_read};
use sea_orm::DatabaseConnection;
use serde_json::json;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::cli::{attelage, complains, prints};
use crate::support::bidding::{Bidding, bidding, together};
use crate::support::database::{Engine, TestDatabase};
use crate::support::on_both_engines;
use crate::support::sample;
use crate::support::service::{audit_key, restarted_on, setup};
use crate::support::size;

/// A database without anything, not even a schema.
async fn empty(engine: Engine) -> (DatabaseConnection, TestDatabase) {
    let database = TestDatabase::empty(engine).await;
    (database::connect(&database.url()).await.unwrap(), database)
}

/// A backup of a service with a bid in it.
async fn taken(engine: Engine, folder: &TempDir) -> (Bidding, PathBuf, Manifest) {
    let world = bidding(engine).await;
    world.bid("school's key", together(&world.school, &world.workshop)).await.expect(201);
    let file = folder.path().join("backup.zip");
    let manifest = backup::take(&world.db, &file).await.unwrap();
    (world, file, manifest)
}

/// The same backup with one part changed.
fn changed(file: &Path, part: &str, change: impl Fn(String) -> String) -> PathBuf {
    let (mut old, to) = (ZipArchive::new(fs::File::open(file).unwrap()).unwrap(), file.with_extension("changed"));
    let mut new = ZipWriter::new(fs::File::create(&to).unwrap());
    for index in 0..old.len() {
        let mut entry = old.by_index(index).unwrap();
        let (name, mut text) = (entry.name().unwrap().into_owned(), String::new());
        entry.read_to_string(&mut text).unwrap();
        new.start_file(&name, SimpleFileOptions::default()).unwrap();
        let text = if name == part { change(text) } else { text };
        new.write_all(text.as_bytes()).unwrap();
    }
    new.finish().unwrap();
    to
}

on_both_engines! {
    async fn a_backup_is_restored_into_either_kind_of_database_and_is_the_same_there(engine) {
        let folder = TempDir::new().unwrap();
        let (world, file, manifest) = taken(engine, &folder).await;
        assert!(manifest.rows() > 100 && manifest.tables.len() > 50, "{} rows", manifest.rows());
        assert_eq!(backup::check(&file).unwrap(), manifest);
        for into in [Engine::Sqlite, Engine::Postgres] {
            let (db, database) = empty(into).await;
            assert_eq!(backup::restore(&db, &file).await.unwrap(), manifest);
            let again = folder.path().join(format!("{into:?}.zip"));
            let copied = backup::take(&db, &again).await.unwrap();
            assert_eq!((&copied.tables, &copied.migrations), (&manifest.tables, &manifest.migrations), "{into:?}");
            let log = verify(&begin_read(&db).await.unwrap(), &audit_key(), None).await.unwrap();
            assert!(log.is_ok(), "{into:?}: the audit log holds");
            // A service goes on there: credentials, sealed bids, and numbers that the database gives.
            let service = restarted_on(&database.url(), &world.app, setup()).await;
            let own = service.client.with_key(world.of("school's key").credential().trim_start_matches("Bearer "));
            let bids = own.get(&world.bids()).await.expect(200);
            assert_eq!(bids["items"].as_array().unwrap().len(), 1);
            own.post(&world.bids(), together(&world.school, &world.workshop)).await.expect(201);
            let whole = backup::restore(&db, &file).await.unwrap_err();
            assert!(matches!(whole, BackupError::NotEmpty(_)), "{whole}");
        }
    }

    async fn a_backup_shows_one_instant_while_others_write(engine) {
        let folder = TempDir::new().unwrap();
        let world = bidding(engine).await;
        let writing = async {
            for number in 0..60 {
                sample::organisation(&world.app, &format!("Association {number}")).await;
            }
        };
        let taking = async {
            let mut taken = Vec::new();
            for number in 0..6 {
                let file = folder.path().join(format!("{number}.zip"));
                taken.push((backup::take(&world.db, &file).await.unwrap(), file));
            }
            taken
        };
        let ((), taken) = futures_util::future::join(writing, taking).await;
        let count = |manifest: &Manifest, name: &str| manifest.tables.iter().find(|table| table.name == name).unwrap().digest.rows;
        for (manifest, file) in &taken {
            let (db, _database) = empty(engine).await;
            backup::restore(&db, file).await.unwrap();
            // Each organisation is written with its entry in the log: both are there, or neither.
            let log = verify(&begin_read(&db).await.unwrap(), &audit_key(), None).await.unwrap().unwrap();
            assert_eq!(u64::try_from(log.position).unwrap(), count(manifest, "audit_entry"));
        }
        let counts: Vec<u64> = taken.iter().map(|(manifest, _)| count(manifest, "organisation")).collect();
        assert!(counts.is_sorted(), "{counts:?}");
    }
}

on_both_engines! {
    /// Each is compared with what comes of restoring it, and of backing that up.
    async fn hot_backups_under_load_are_restored_equal(engine) {
        let folder = TempDir::new().unwrap();
        let world = bidding(engine).await;
        let (backups, over) = (size(2, 50), Cell::new(false));
        let writing = async {
            let mut written = 0;
            while !over.get() {
                let organisation = sample::organisation(&world.app, &format!("Association {written}")).await;
                let path = format!("/v1/organisations/{organisation}");
                let read = world.app.get(&path).await.expect(200);
                world.app.put(&path, read.etag(), json!({ "name": "Association", "volunteers": written })).await.expect(200);
                written += 1;
            }
            written
        };
        let taking = async {
            let mut rows = Vec::new();
            for number in 0..backups {
                let file = folder.path().join(format!("{number}.zip"));
                let manifest = backup::take(&world.db, &file).await.unwrap();
                // Into the one kind of database, then into the other.
                let into = if number.is_multiple_of(2) { Engine::Postgres } else { Engine::Sqlite };
                let (db, _database) = empty(into).await;
                assert_eq!(backup::restore(&db, &file).await.unwrap(), manifest);
                let again = folder.path().join(format!("{number}-again.zip"));
                assert_eq!(backup::take(&db, &again).await.unwrap().tables, manifest.tables, "{into:?}");
                let log = verify(&begin_read(&db).await.unwrap(), &audit_key(), None).await.unwrap();
                assert!(log.is_ok(), "{into:?}: the audit log holds");
                for done in [file, again] {
                    fs::remove_file(done).unwrap();
                }
                rows.push(manifest.rows());
            }
            over.set(true);
            rows
        };
        let (written, rows) = futures_util::future::join(writing, taking).await;
        assert!(rows.is_sorted() && rows.first() < rows.last(), "others wrote meanwhile: {rows:?}");
        eprintln!("{engine:?}: {backups} backups while {written} organisations were written twice each: all restored equal");
    }
}

#[actix_web::test]
async fn a_backup_that_is_not_whole_is_refused_and_nothing_of_it_is_kept() {
    let folder = TempDir::new().unwrap();
    let (_world, file, manifest) = taken(Engine::Sqlite, &folder).await;
    let (db, _database) = empty(Engine::Sqlite).await;
    let part = "tables/organisation.ndjson";
    let without_a_row = |text: String| text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap();
    for (why, path) in [
        ("a changed name", changed(&file, part, |text| text.replacen("École", "Ecole", 1))),
        ("a row less", changed(&file, part, without_a_row)),
        ("no JSON", changed(&file, part, |text| text.replacen('[', "{", 1))),
        (
            "another format",
            changed(&file, "manifest.json", |text| text.replace("attelage-backup-1", "attelage-backup-9")),
        ),
        ("a later schema", changed(&file, "manifest.json", |text| text.replace("\"m2026", "\"m9026"))),
    ] {
        assert!(backup::restore(&db, &path).await.is_err(), "{why}");
    }
    let cut = folder.path().join("cut.zip");
    fs::write(&cut, &fs::read(&file).unwrap()[..2_000]).unwrap();
    assert!(backup::check(&cut).is_err());
    // Nothing has been kept of all that.
    assert_eq!(backup::restore(&db, &file).await.unwrap(), manifest);
    let there = backup::take(&db, &file).await.unwrap_err();
    assert!(there.to_string().contains("never takes the place"), "{there}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "no unfinished file stays");
}

#[test]
fn operators_take_check_and_restore_backups_by_command() {
    let folder = TempDir::new().unwrap();
    let (path, of_others) = (folder.path(), 0o077);
    prints(path, &["admin", "key", "--name", "first", "--database", "sqlite:a.sqlite"]);
    let taken = prints(path, &["backup", "b.zip", "--database", "sqlite:a.sqlite"]);
    assert!(taken.contains("kept apart") || taken.contains("keep them apart"), "{taken}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path.join("b.zip")).unwrap().permissions());
    assert_eq!(mode & of_others, 0, "others read nothing");
    assert!(complains(path, &["backup", "b.zip", "--database", "sqlite:a.sqlite"]).contains("is there already"));
    assert!(prints(path, &["restore", "b.zip", "--check"]).contains("whole"));
    let key = path.join("a.sqlite.audit-key");
    let named = key.to_str().unwrap();
    let restored = prints(path, &["restore", "b.zip", "--database", "sqlite:c.sqlite", "--audit-key-file", named]);
    assert!(restored.contains("compared"), "{restored}");
    let log = prints(path, &["audit", "verify", "--database", "sqlite:c.sqlite", "--audit-key-file", named]);
    assert!(log.starts_with("OK"), "{log}");
    assert!(
        complains(path, &["restore", "b.zip", "--database", "sqlite:c.sqlite", "--audit-key-file", named])
            .contains("not empty")
    );
}

#[test]
fn the_doctor_says_what_is_well_and_what_is_not() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let nothing = attelage(path, &["doctor", "--database", "sqlite:a.sqlite"]).output().unwrap();
    assert!(!nothing.status.success() && String::from_utf8_lossy(&nothing.stdout).contains("does not exist"));
    assert!(!path.join("a.sqlite").exists(), "it makes nothing");
    prints(path, &["admin", "key", "--name", "first", "--database", "sqlite:a.sqlite"]);
    let well = prints(path, &["doctor", "--thoroughly", "--database", "sqlite:a.sqlite"]);
    for about in ["solver", "database", "clock", "schema", "audit key", "file"] {
        assert!(well.lines().any(|line| line.starts_with(&format!("well  {about}"))), "{about}:\n{well}");
    }
    fs::write(path.join("a.sqlite.audit-key"), format!("{}\n", "1".repeat(64))).unwrap();
    let ill = attelage(path, &["doctor", "--thoroughly", "--database", "sqlite:a.sqlite"]).output().unwrap();
    let said = String::from_utf8(ill.stdout).unwrap();
    assert!(!ill.status.success() && said.contains("ILL   audit key"), "{said}");
}

#[test]
fn settings_come_from_a_file_too_and_all_that_is_wrong_with_them_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    fs::write(path.join("good.toml"), "database = \"sqlite:from-file.sqlite\"\nport = 0\ncors-origin = [\"https://a.example\", \"https://b.example\"]\n").unwrap();
    prints(path, &["--config", "good.toml", "migrate"]);
    assert!(path.join("from-file.sqlite").exists());
    prints(path, &["--config", "good.toml", "migrate", "--database", "sqlite:by-hand.sqlite"]);
    assert!(path.join("by-hand.sqlite").exists(), "the command line comes first");
    let told = prints(path, &["config", "check", "--config", "good.toml"]);
    assert!(
        told.lines().any(|line| line.starts_with("database") && line.contains("file") && line.contains("from-file")),
        "{told}"
    );
    fs::write(path.join("bad.toml"), "port = 70000\npublic-url = \"ftp://a\"\nsolvers = 70000\n").unwrap();
    let bad = attelage(path, &["config", "check", "--config", "bad.toml"]).output().unwrap();
    let (said, error) = (String::from_utf8(bad.stdout).unwrap(), String::from_utf8(bad.stderr).unwrap());
    assert!(!bad.status.success() && error.contains("3 settings"), "{said}{error}");
    fs::write(path.join("typo.toml"), "prot = 80\n").unwrap();
    assert!(complains(path, &["--config", "typo.toml", "migrate"]).contains("`prot`"));
    assert!(complains(path, &["--config", "none.toml", "migrate"]).contains("none.toml"));
}
