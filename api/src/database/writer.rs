//! The one way to write: who writes waits for their turn, and those who wait share a commit.
//!
//! SQLite has one writer at a time, and makes each commit durable with a write to the disk that takes a thousand times longer than the
//! statements before it. So a process has one transaction to write in, and each write is a savepoint in it:
//!
//! 1. Whoever begins waits for their turn; turns are given in the order in which they were asked for.
//! 2. Whoever ends passes the turn on and asks for another, behind those who wait at this moment. When it comes, everything that
//!    was written until then is committed at once; nobody is told of success before.
//! 3. A write that is given up is undone to its savepoint, and what was written before it is committed at once: what made it fail may
//!    have undone the whole transaction, and whoever wrote in it has to learn that.
//!
//! PostgreSQL does the like itself: there, each write is a transaction of its own.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::timeout;

/// How long one waits for one's turn: as long as for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way to write to a database. Cheap to clone; those that are cloned take turns.
#[derive(Clone)]
pub struct Writer {
    db: DatabaseConnection,
    /// `PostgreSQL` has none.
    turn: Option<Arc<Mutex<Option<Group>>>>,
}

/// Those who share a commit.
struct Group {
    tx: DatabaseTransaction,
    end: watch::Sender<Option<Result<(), DbErr>>>,
}

type Turn = OwnedMutexGuard<Option<Group>>;

impl Writer {
    /// The way to write to a database.
    #[must_use]
    pub fn new(db: &DatabaseConnection) -> Self {
        let turn = (db.get_database_backend() == DbBackend::Sqlite).then(Arc::default);
        Self { db: db.clone(), turn }
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Begins to write, when it is one's turn.
    ///
    /// # Errors
    /// A turn that does not come within ten seconds; the database's.
    pub async fn begin(&self) -> Result<Writing, DbErr> {
        let Some(turn) = &self.turn else {
            return Ok(Writing { tx: self.db.begin().await?, place: None });
        };
        let turn = timeout(PATIENCE, turn.clone().lock_owned()).await;
        let turn = turn.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
        // A task of its own, which nobody cuts off: a savepoint that is given up half begun would take the whole group with it. Where
        // nobody waits for it any more, its whole outcome is undone.
        let begun = tokio::spawn(enter(self.db.clone(), turn));
        begun.await.map_err(|_| lost())?
    }
}

/// Opens a group if there is none, and begins to write in it.
async fn enter(db: DatabaseConnection, mut turn: Turn) -> Result<Writing, DbErr> {
    let group = match turn.take() {
        Some(group) => group,
        None => Group { tx: db.begin_with_options(to_write()).await?, end: watch::Sender::new(None) },
    };
    // Where this fails the group is dropped: nobody knows how much of it still stands, and its members are told.
    let tx = group.tx.begin().await?;
    *turn = Some(group);
    Ok(Writing { tx, place: Some(Place(Some(turn))) })
}

/// How a group ends.
#[derive(Clone, Debug)]
pub(crate) struct End(watch::Receiver<Option<Result<(), DbErr>>>);

impl End {
    /// Waits for it.
    ///
    /// # Errors
    /// What was written in it is lost.
    pub(crate) async fn come(mut self) -> Result<(), DbErr> {
        let told = self.0.wait_for(Option::is_some).await.map(|told| told.clone());
        told.ok().flatten().unwrap_or_else(|| Err(lost()))
    }
}

/// How a transaction begins that writes, where it is not one of a [`Writer`]. SQLite: takes the write lock at once. A deferred transaction
/// that reads and then writes fails with "database is locked" as soon as two of them meet.
pub(super) fn to_write() -> TransactionOptions {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() }
}

/// Something that is being written. It is undone where it is dropped before [`Writing::commit`].
pub struct Writing {
    // Dropped first: undone before the turn is passed on.
    tx: DatabaseTransaction,
    place: Option<Place>,
}

impl Writing {
    /// The end of what it is written together with. Who writes is told it by [`Writing::commit`]; who only looks, and gives up, may have
    /// seen what others had not committed yet.
    pub(crate) fn end(&self) -> Option<End> {
        self.place.as_ref().and_then(Place::end)
    }

    /// Makes it durable, together with what others write meanwhile.
    ///
    /// # Errors
    /// The database's; nothing is written then.
    pub async fn commit(self) -> Result<(), DbErr> {
        let Self { tx, place } = self;
        tx.commit().await?;
        match place {
            Some(place) => place.pass_on().await,
            None => Ok(()),
        }
    }
}

impl Deref for Writing {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.tx
    }
}

/// A turn in a group. Where it is dropped the group ends.
struct Place(Option<Turn>);

impl Place {
    fn end(&self) -> Option<End> {
        let group = self.0.as_ref()?.as_ref()?;
        Some(End(group.end.subscribe()))
    }

    /// Lets those who wait write too, then ends the group, and tells how.
    async fn pass_on(mut self) -> Result<(), DbErr> {
        let end = self.end().ok_or_else(lost)?;
        if let Some(turn) = self.0.take() {
            let (waiting, others) = (OwnedMutexGuard::mutex(&turn).clone().lock_owned(), end.clone().come());
            drop(turn);
            // A task of its own: whoever began this may go away, and others rely on it.
            tokio::spawn(async move {
                tokio::select! {
                    biased;
                    _ = others => {}
                    turn = waiting => finish(turn).await,
                }
            });
        }
        end.come().await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(mut turn) = self.0.take() else { return };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(finish(turn));
        } else {
            // Undone: its members are told.
            *turn = None;
        }
    }
}

/// Commits a group, and tells its members.
async fn finish(mut turn: Turn) {
    if let Some(Group { tx, end }) = turn.take() {
        let committed = tx.commit().await.map_err(|error| {
            tracing::warn!(%error, "what several have written together is lost");
            // That there is no such transaction any more says nothing of why.
            if code(&error).as_deref() == Some("1") { lost() } else { error }
        });
        end.send_replace(Some(committed));
    }
}

/// The library's number of an error.
fn code(error: &DbErr) -> Option<String> {
    let DbErr::Query(RuntimeErr::SqlxError(error)) = error else { return None };
    Some(error.as_database_error()?.code()?.into_owned())
}

/// It may go better another time: somebody else's write met a full disk, for instance.
fn lost() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}

#[cfg(test)]
mod tests;
