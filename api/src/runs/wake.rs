//! Wakes those who wait for runs: workers for the next, others for a change of one.
//!
//! In this process at once, in others through `NOTIFY` where the database has it. A wake-up that is lost costs time and nothing else: all
//! who wait look again by themselves.

use std::time::Duration;

use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use tokio::sync::broadcast::{self, error::RecvError};
use uuid::Uuid;

/// What other processes are told on.
const CHANNEL: &str = "attelage_runs";
/// What stands for a run that waits for a worker.
const QUEUED: &str = "queued";
/// Wake-ups that somebody who is slow may have ahead of them.
const BACKLOG: usize = 256;
/// How long it rests where the database fails.
const PAUSE: Duration = Duration::from_secs(2);

/// What there is to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stir {
    /// A run waits for a worker.
    Queued,
    /// A run has changed, or is to end.
    Changed(Uuid),
}

/// Wakes whoever listens. Cheap to clone.
#[derive(Clone)]
pub struct Wake(broadcast::Sender<Stir>);

impl Default for Wake {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Wake {
    /// Wakes this process; call it after the commit.
    pub fn ring(&self, stir: Stir) {
        // Nobody may be listening.
        let _ = self.0.send(stir);
    }

    /// Hears everything from now on, also what comes before it waits.
    #[must_use]
    pub fn listen(&self) -> Ear {
        Ear(self.0.subscribe())
    }

    /// Passes on what other processes tell, for as long as the connection's pool is open. Where the database cannot tell, it ends at once.
    pub async fn relay(self, db: DatabaseConnection) {
        if db.get_database_backend() != DbBackend::Postgres {
            return;
        }
        loop {
            if let Err(error) = self.pass_on(&db).await {
                tracing::warn!(%error, "wake-ups from other processes are not heard for now");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn pass_on(&self, db: &DatabaseConnection) -> Result<(), sea_orm::sqlx::Error> {
        let mut listener = PgListener::connect_with(db.get_postgres_connection_pool()).await?;
        listener.listen(CHANNEL).await?;
        loop {
            let told = listener.recv().await?;
            match told.payload() {
                QUEUED => self.ring(Stir::Queued),
                id => id.parse().map(Stir::Changed).into_iter().for_each(|stir| self.ring(stir)),
            }
        }
    }
}

/// Tells other processes, when this transaction has been committed. One query at most.
///
/// # Errors
/// The database's.
pub async fn announce(tx: &impl ConnectionTrait, stir: Stir) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    if backend == DbBackend::Postgres {
        let payload = match stir {
            Stir::Queued => QUEUED.to_owned(),
            Stir::Changed(id) => id.to_string(),
        };
        let sql = "SELECT pg_notify($1, $2)";
        tx.query_one_raw(Statement::from_sql_and_values(backend, sql, [CHANNEL.into(), payload.into()])).await?;
    }
    Ok(())
}

/// Listens.
pub struct Ear(broadcast::Receiver<Stir>);

impl Ear {
    /// Ends when a run waits for a worker, or may.
    pub async fn queued(&mut self) {
        self.hear(|stir| stir == Stir::Queued).await;
    }

    /// Ends when this run has changed, or may have.
    pub async fn changed(&mut self, id: Uuid) {
        self.hear(|stir| stir == Stir::Changed(id)).await;
    }

    async fn hear(&mut self, matters: impl Fn(Stir) -> bool) {
        loop {
            match self.0.recv().await {
                Ok(stir) if matters(stir) => return,
                Ok(_) => {}
                // What was missed may have mattered.
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn who_listens_hears_what_matters_even_if_they_were_busy() {
        let wake = Wake::default();
        let (mut worker, mut waiter) = (wake.listen(), wake.listen());
        let id = Uuid::now_v7();
        wake.ring(Stir::Changed(Uuid::now_v7()));
        wake.ring(Stir::Queued);
        wake.ring(Stir::Changed(id));
        let soon = Duration::from_millis(200);
        assert!(tokio::time::timeout(soon, worker.queued()).await.is_ok());
        assert!(tokio::time::timeout(soon, waiter.changed(id)).await.is_ok());
        assert!(tokio::time::timeout(soon, waiter.queued()).await.is_err(), "that was before");
        for _ in 0..2 * BACKLOG {
            wake.ring(Stir::Queued);
        }
        assert!(tokio::time::timeout(soon, waiter.changed(id)).await.is_ok(), "it may have been among those missed");
    }
}
