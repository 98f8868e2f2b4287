//! The schema: the same on both engines, and reversible.

use std::collections::BTreeSet;

use attelage::database;
use attelage_migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TryGetableMany};

use crate::support::database::{Engine, TestDatabase};
use crate::support::on_both_engines;

async fn rows<T: TryGetableMany>(db: &DatabaseConnection, sqlite: &str, postgres: &str) -> Vec<T> {
    let backend = db.get_database_backend();
    let sql = if backend == DbBackend::Postgres { postgres } else { sqlite };
    let rows = db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    rows.iter().map(|row| T::try_get_many_by_index(row).unwrap()).collect()
}

/// Every column as `table.column`, with `?` where it may be absent.
async fn columns(db: &DatabaseConnection) -> BTreeSet<String> {
    let sqlite = "SELECT t.name, c.name, CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN '' ELSE '?' END \
                  FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
    let postgres = "SELECT table_name::text, column_name::text, CASE is_nullable WHEN 'YES' THEN '?' ELSE '' END \
                    FROM information_schema.columns WHERE table_schema = 'public'";
    let rows: Vec<(String, String, String)> = rows(db, sqlite, postgres).await;
    rows.into_iter().map(|(table, column, absent)| format!("{table}.{column}{absent}")).collect()
}

/// Every index that a migration made, with `unique` where it is.
async fn indexes(db: &DatabaseConnection) -> BTreeSet<String> {
    let sqlite = "SELECT name, CASE WHEN sql LIKE 'CREATE UNIQUE%' THEN ' unique' ELSE '' END FROM sqlite_master \
                  WHERE type = 'index' AND sql IS NOT NULL";
    let postgres = "SELECT indexname::text, CASE WHEN indexdef LIKE 'CREATE UNIQUE%' THEN ' unique' ELSE '' END \
                    FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey'";
    let rows: Vec<(String, String)> = rows(db, sqlite, postgres).await;
    rows.into_iter().map(|(name, unique)| name + &unique).collect()
}

/// Every reference as `table.column → table`, with what happens on deletion.
async fn references(db: &DatabaseConnection) -> BTreeSet<String> {
    let sqlite = "SELECT t.name || '.' || f.\"from\", f.\"table\", f.on_delete FROM sqlite_master t \
                  JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'";
    let postgres = "SELECT c.conrelid::regclass::text || '.' || a.attname, c.confrelid::regclass::text, \
                    CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END \
                    FROM pg_constraint c JOIN LATERAL unnest(c.conkey) k(attnum) ON true \
                    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum WHERE c.contype = 'f'";
    let rows: Vec<(String, String, String)> = rows(db, sqlite, postgres).await;
    rows.into_iter().map(|(from, to, action)| format!("{from} → {to} {action}").replace('"', "")).collect()
}

async fn migrated(engine: Engine) -> (TestDatabase, DatabaseConnection) {
    let database = TestDatabase::empty(engine).await;
    let db = database.connect().await;
    Migrator::up(&db, None).await.unwrap();
    (database, db)
}

on_both_engines! {
    async fn up_down_and_up_again_gives_the_same_schema(engine) {
        let (_database, db) = migrated(engine).await;
        let before = (columns(&db).await, indexes(&db).await, references(&db).await);
        assert!(before.0.contains("organisation.name") && before.0.contains("organisation.website?"), "{:?}", before.0);
        Migrator::down(&db, None).await.unwrap();
        let left = columns(&db).await;
        assert!(left.iter().all(|column| column.starts_with("seaql_migrations.")), "{left:?}");
        Migrator::up(&db, None).await.unwrap();
        assert_eq!((columns(&db).await, indexes(&db).await, references(&db).await), before);
    }

    async fn every_migration_goes_back_alone(engine) {
        let (_database, db) = migrated(engine).await;
        let count = Migrator::migrations().len();
        let mut schemas = vec![columns(&db).await];
        for _ in 0..count {
            Migrator::down(&db, Some(1)).await.unwrap();
            schemas.push(columns(&db).await);
        }
        for expected in schemas.iter().rev().skip(1) {
            Migrator::up(&db, Some(1)).await.unwrap();
            assert_eq!(&columns(&db).await, expected);
        }
    }

    async fn replicas_that_start_together_prepare_the_database_once(engine) {
        let database = TestDatabase::empty(engine).await;
        let replica = async || {
            let db = database.connect().await;
            database::prepare(&db).await.unwrap();
            (columns(&db).await, Migrator::get_applied_migrations(&db).await.unwrap().len())
        };
        let (one, other, third) = tokio::join!(replica(), replica(), replica());
        assert_eq!(one.1, Migrator::migrations().len());
        assert!(one == other && other == third);
    }

    async fn a_schema_of_a_later_release_is_left_as_it_is(engine) {
        let (_database, db) = migrated(engine).await;
        db.execute_unprepared("ALTER TABLE organisation ADD COLUMN motto TEXT").await.unwrap();
        db.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_add_mottos', 0)").await.unwrap();
        let later = columns(&db).await;
        database::prepare(&db).await.unwrap();
        assert_eq!(columns(&db).await, later);
    }

    async fn preparing_again_keeps_what_people_have_changed(engine) {
        let database = TestDatabase::empty(engine).await;
        let db = database.connect().await;
        database::prepare(&db).await.unwrap();
        db.execute_unprepared("UPDATE term SET label_en = 'Ours' WHERE id = 'services/training'").await.unwrap();
        db.execute_unprepared("DELETE FROM term WHERE id = 'modalities/outreach'").await.unwrap();
        database::prepare(&db).await.unwrap();
        let sql = "SELECT label_en FROM term WHERE id IN ('services/training', 'modalities/outreach')";
        assert_eq!(rows::<(String,)>(&db, sql, sql).await, [("Ours".to_owned(),)]);
    }
}

#[actix_web::test]
async fn both_engines_end_with_the_same_schema() {
    let (_sqlite, sqlite) = migrated(Engine::Sqlite).await;
    let (_postgres, postgres) = migrated(Engine::Postgres).await;
    assert_eq!(columns(&sqlite).await, columns(&postgres).await);
    assert_eq!(indexes(&sqlite).await, indexes(&postgres).await);
    assert_eq!(references(&sqlite).await, references(&postgres).await);
}
