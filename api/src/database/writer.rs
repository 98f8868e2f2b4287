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
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
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
    lane: Option<Arc<Lane>>,
}

/// Where turns are given.
#[derive(Default)]
struct Lane {
    turn: Arc<Mutex<Option<Group>>>,
    /// The end of the group that was opened last.
    last: std::sync::Mutex<Option<End>>,
}

/// Those who share a commit.
struct Group {
    tx: DatabaseTransaction,
    end: watch::Sender<Option<Result<(), DbErr>>>,
}

type End = watch::Receiver<Option<Result<(), DbErr>>>;
type Turn = OwnedMutexGuard<Option<Group>>;

impl Writer {
    /// The way to write to a database.
    #[must_use]
    pub fn new(db: &DatabaseConnection) -> Self {
        let lane = (db.get_database_backend() == DbBackend::Sqlite).then(Arc::default);
        Self { db: db.clone(), lane }
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
        let Some(lane) = &self.lane else {
            return Ok(Writing { tx: self.db.begin().await?, place: None });
        };
        let turn = timeout(PATIENCE, lane.turn.clone().lock_owned()).await;
        let mut turn = turn.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
        if turn.is_none() {
            let (end, last) = watch::channel(None);
            *turn = Some(Group { tx: self.db.begin_with_options(to_write()).await?, end });
            *lane.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        }
        // From here on the group is ended, whatever becomes of this future.
        let place = Place(Some(turn));
        let Some(group) = place.group() else { return Err(lost()) };
        Ok(Writing { tx: group.tx.begin().await?, place: Some(place) })
    }

    /// Waits until everything that has been seen while writing is durable, or is known to be lost. Who wrote need not: who only looked,
    /// in a write that came to nothing, may have seen what others had not committed yet.
    ///
    /// # Errors
    /// Something that was seen is lost.
    pub async fn settled(&self) -> Result<(), DbErr> {
        let last = self.lane.as_ref().and_then(|lane| lane.last.lock().unwrap_or_else(PoisonError::into_inner).clone());
        match last {
            Some(last) => ended(last).await,
            None => Ok(()),
        }
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
    fn group(&self) -> Option<&Group> {
        self.0.as_ref()?.as_ref()
    }

    /// Lets those who wait write too, then ends the group, and tells how.
    async fn pass_on(mut self) -> Result<(), DbErr> {
        let end = self.group().map(|group| group.end.subscribe()).ok_or_else(lost)?;
        if let Some(turn) = self.0.take() {
            let (waiting, others) = (OwnedMutexGuard::mutex(&turn).clone().lock_owned(), ended(end.clone()));
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
        ended(end).await
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
        end.send_replace(Some(tx.commit().await));
    }
}

async fn ended(mut end: End) -> Result<(), DbErr> {
    let told = end.wait_for(Option::is_some).await.map(|told| told.clone());
    told.ok().flatten().unwrap_or_else(|| Err(lost()))
}

fn lost() -> DbErr {
    DbErr::Custom("what was written together with others was lost with them".to_owned())
}

#[cfg(test)]
mod tests;
