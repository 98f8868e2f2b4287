//! The database schema of Attelage, one migration per capability, up and down, on SQLite and PostgreSQL.
//!
//! A released migration is never edited: the schema expands first, and contracts in a later release.

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::{MigrationTrait, async_trait};

mod columns;
mod m20261122_000001_create_vocabularies;
mod m20261122_000002_create_organisations;
mod m20261122_000003_create_capabilities;
mod m20261122_000004_create_calls;
mod m20261122_000005_create_runs;
mod m20261122_000006_create_imports;
mod m20261122_000007_limit_lots_and_needs;
mod m20261122_000008_keep_replies;
mod m20261122_000009_create_run_calls;
mod m20261122_000010_create_idempotency_keys;
mod m20261122_000011_create_identity;
mod m20261122_000012_give_runs_an_owner;
mod m20261122_000013_create_audit;
mod m20261122_000014_create_bids;
mod m20261122_000015_guard_sign_ins;
mod m20261122_000016_find_runs_of_a_day;
mod m20261122_000017_create_consortia;
mod m20261122_000018_find_partners;
mod m20261122_000019_create_events;
mod m20261122_000020_create_decisions;
mod m20261122_000021_create_frameworks;
mod m20261122_000023_queue_runs;
mod m20261122_000024_create_tasks;

/// Applies and reverts the migrations.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_create_vocabularies::Migration),
            Box::new(m20261122_000002_create_organisations::Migration),
            Box::new(m20261122_000003_create_capabilities::Migration),
            Box::new(m20261122_000004_create_calls::Migration),
            Box::new(m20261122_000005_create_runs::Migration),
            Box::new(m20261122_000006_create_imports::Migration),
            Box::new(m20261122_000007_limit_lots_and_needs::Migration),
            Box::new(m20261122_000008_keep_replies::Migration),
            Box::new(m20261122_000009_create_run_calls::Migration),
            Box::new(m20261122_000010_create_idempotency_keys::Migration),
            Box::new(m20261122_000011_create_identity::Migration),
            Box::new(m20261122_000012_give_runs_an_owner::Migration),
            Box::new(m20261122_000013_create_audit::Migration),
            Box::new(m20261122_000014_create_bids::Migration),
            Box::new(m20261122_000015_guard_sign_ins::Migration),
            Box::new(m20261122_000016_find_runs_of_a_day::Migration),
            Box::new(m20261122_000017_create_consortia::Migration),
            Box::new(m20261122_000018_find_partners::Migration),
            Box::new(m20261122_000019_create_events::Migration),
            Box::new(m20261122_000020_create_decisions::Migration),
            Box::new(m20261122_000021_create_frameworks::Migration),
            Box::new(m20261122_000023_queue_runs::Migration),
            Box::new(m20261122_000024_create_tasks::Migration),
        ]
    }
}
