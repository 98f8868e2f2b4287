//! The audit log: what was done, and who read what is sealed.
//!
//! 1. [`Log::begin`] is how every write of the service begins, and [`Write::commit`] the only way it ends: with an entry, in the same
//!    transaction. A write that says nothing of itself does not compile.
//! 2. A handler that shows sealed data (P3, P4) tells the caller ([`crate::access::Caller::saw`]); the guard keeps the answer back
//!    until [`Readings`] has written that down, many readers in one transaction.
//! 3. Each entry has a hash over itself and the hash before, under a key that is not in the database. [`verify`] reads the chain and
//!    says where it is broken.

use std::ops::Deref;
use std::time::Instant;

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Caller;
use crate::access::guard::outlived;
use crate::database::now;
use crate::database::writer::{Writer, Writing};
use crate::events::{self, Bell, News};
use crate::keyfile::Key;
use crate::problem::Problem;
use crate::telemetry::metrics;
use crate::{identity, request_id};

mod chain;
pub mod entity;
mod readings;
pub mod routes;
pub(crate) mod store;
pub mod verify;

pub use readings::{Readings, Shown};

/// An entry of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its place in the log of the whole service.
    pub position: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: `person:` or `key:` and an id, `installation` or `anonymous`.
    pub caller: String,
    /// The id of the operation.
    pub action: String,
    /// What was written or read: a kind, and mostly an id.
    pub subject: String,
    /// The version that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// The request, as `X-Request-Id` named it.
    pub request_id: String,
    /// Ids and counts, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub details: Option<Value>,
}

/// What was done, and to what.
#[derive(Clone, Debug)]
pub struct Recorded {
    subject: String,
    organisations: Vec<Uuid>,
    version: Option<i64>,
    details: Option<Value>,
    news: Vec<News>,
    others: Vec<Recorded>,
}

impl Recorded {
    /// Something was done to one thing of a kind.
    #[must_use]
    pub fn of(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::all(&format!("{kind}:{id}"))
    }

    /// Something was done to several things of a kind.
    #[must_use]
    pub fn all(kind: &str) -> Self {
        Self {
            subject: kind.to_owned(),
            organisations: Vec::new(),
            version: None,
            details: None,
            news: Vec::new(),
            others: Vec::new(),
        }
    }

    /// It concerns these organisations: each reads of it in its own log.
    #[must_use]
    pub fn concerning(mut self, organisations: impl IntoIterator<Item = Uuid>) -> Self {
        self.organisations.extend(organisations);
        self
    }

    /// The version that was written.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// Ids and counts: neither personal nor sealed data, for the log is never changed.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Organisations are told of it, in an event of the same transaction.
    #[must_use]
    pub fn telling(mut self, news: News) -> Self {
        self.news.push(news);
        self
    }

    /// Tells what something else tells, too, which was done in the same transaction.
    #[must_use]
    pub fn telling_too(mut self, other: Self) -> Self {
        self.news.extend(other.news);
        self
    }

    /// Something else was done in the same transaction, and has an entry of its own.
    #[must_use]
    pub fn also(mut self, other: Self) -> Self {
        self.others.push(other);
        self
    }

    /// It, then everything else that was done.
    fn each(mut self) -> Vec<Self> {
        let others = std::mem::take(&mut self.others);
        std::iter::once(self).chain(others.into_iter().flat_map(Self::each)).collect()
    }

    /// One entry for each organisation concerned, or one that concerns none.
    fn entries(self, author: &Author) -> Vec<Entry> {
        let Self { subject, mut organisations, version, details, news: _, others: _ } = self;
        organisations.sort_unstable();
        organisations.dedup();
        let concerned =
            if organisations.is_empty() { vec![None] } else { organisations.into_iter().map(Some).collect() };
        let entry = |organisation| Entry {
            author: author.clone(),
            subject: subject.clone(),
            organisation,
            version,
            details: details.clone(),
        };
        concerned.into_iter().map(entry).collect()
    }
}

/// Who does something, and in which request.
#[derive(Clone, Debug)]
struct Author {
    caller: String,
    action: &'static str,
    request_id: String,
}

impl Author {
    fn of(caller: &Caller) -> Self {
        let name = Some(caller.name()).filter(|name| !name.is_empty());
        let caller_name = name.unwrap_or_else(|| "anonymous".to_owned());
        Self { caller: caller_name, action: caller.operation(), request_id: request_id::current() }
    }
}

/// An entry that has no place in the log yet.
#[derive(Clone, Debug)]
struct Entry {
    author: Author,
    subject: String,
    organisation: Option<Uuid>,
    version: Option<i64>,
    details: Option<Value>,
}

/// Whether the log of a database has begun, under a key.
///
/// # Errors
/// The database's.
pub async fn has_begun(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(store::head(db).await?.is_some())
}

/// The log of a database: the way to write to it. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    writer: Writer,
    key: Key,
    bell: Bell,
}

impl Log {
    /// Opens the log of a database whose schema is current; begins it where there is none.
    ///
    /// # Errors
    /// A key that is not the one of the log; the database's.
    pub async fn open(db: &DatabaseConnection, key: Key) -> Result<Self, DbErr> {
        let head = if let Some(head) = store::head(db).await? {
            head
        } else {
            store::begin(db, &key).await?;
            store::head(db).await?.ok_or_else(|| DbErr::RecordNotFound("audit_head".to_owned()))?
        };
        if chain::head(&key, head.position, &head.hash) != head {
            let detail = "the audit log of this database was not written with this key, or has been tampered with: give the key with --audit-key-file, or see `attelage audit verify`";
            return Err(DbErr::Custom(detail.to_owned()));
        }
        Ok(Self { writer: Writer::new(db), key, bell: Bell::default() })
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &DatabaseConnection {
        self.writer.db()
    }

    /// Rings when events have been told.
    #[must_use]
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Starts a writing transaction, for whatever the caller has asked for. One query looks again whether what they have shown is still
    /// valid: their body may have taken a while, and so may others' writes.
    ///
    /// # Errors
    /// A key that was revoked, or a session that ended, since they began to ask; the database's.
    pub async fn begin(&self, caller: &Caller) -> Result<Write, Problem> {
        let write = self.write(caller).await?;
        if identity::store::is_valid(&*write.tx, caller.principal()).await? {
            return Ok(write);
        }
        Err(outlived())
    }

    /// Starts a writing transaction of the installation itself, for this operation.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_own(&self, operation: &'static str) -> Result<Write, DbErr> {
        self.write(&Caller::installation().asking(operation)).await
    }

    async fn write(&self, caller: &Caller) -> Result<Write, DbErr> {
        let author = Author::of(caller);
        let tx = self.writer.begin().await?;
        if let Some(end) = tx.end() {
            caller.looked(end);
        }
        Ok(Write { tx, key: self.key.clone(), bell: self.bell.clone(), author })
    }

    /// Starts a writing transaction that has no entry, for what is nobody's act: leases, attempts, what came of them.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn begin_unrecorded(&self) -> Result<Writing, DbErr> {
        self.writer.begin().await
    }

    /// Writes entries that stand alone.
    async fn keep(&self, entries: Vec<Entry>) -> Result<(), DbErr> {
        let tx = self.writer.begin().await?;
        store::append(&tx, &self.key, entries).await?;
        tx.commit().await
    }
}

/// A writing transaction, which ends with an entry in the log, or with nothing written.
pub struct Write {
    tx: Writing,
    key: Key,
    bell: Bell,
    author: Author,
}

impl Write {
    /// Ends the transaction, says what it did, and tells whom it concerns. Three queries, some more with events, then the commit.
    ///
    /// # Errors
    /// The database's; nothing is written then.
    pub async fn commit(self, recorded: Recorded) -> Result<(), DbErr> {
        self.commit_all(vec![recorded]).await
    }

    /// As [`Write::commit`], of a transaction that does several things; nothing is written where it did none.
    ///
    /// # Errors
    /// The database's; nothing is written then.
    pub async fn commit_all(self, recorded: Vec<Recorded>) -> Result<(), DbErr> {
        let Self { tx, key, bell, author } = self;
        let recorded: Vec<Recorded> = recorded.into_iter().flat_map(Recorded::each).collect();
        let news: Vec<News> = recorded.iter().flat_map(|one| one.news.iter().cloned()).collect();
        let entries: Vec<Entry> = recorded.into_iter().flat_map(|one| one.entries(&author)).collect();
        if entries.is_empty() {
            // Dropped: undone.
            return Ok(());
        }
        store::append(&tx, &key, entries).await?;
        let told = events::store::tell(&tx, news, now()).await?;
        let since = Instant::now();
        tx.commit().await?;
        metrics::wrote(since.elapsed());
        if told > 0 {
            bell.ring();
        }
        Ok(())
    }
}

impl Deref for Write {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.tx
    }
}

#[async_trait]
impl ConnectionTrait for Write {
    fn get_database_backend(&self) -> DbBackend {
        self.tx.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.tx.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.tx.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.tx.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.tx.query_all_raw(statement).await
    }
}
