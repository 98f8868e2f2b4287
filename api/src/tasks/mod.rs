//! What is done again and again: each task by one of all processes at a time, whichever comes first.
//!
//! A task has a next time and, while somebody does it, a lease. A process that dies at it leaves the lease to end, and another does it.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::DbErr;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::audit::Log;
use crate::problem::Problem;
use crate::runs::retention;
use crate::{decisions, once, webhooks};

pub(crate) mod entity;
mod store;

/// How often it is looked whether something is due.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// How long somebody who does a task may take before another does it.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// How long others have the database for themselves before a task goes on of which something is left.
const GO_ON: TimeDelta = TimeDelta::seconds(15);

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Forgets idempotency keys whose time is over.
    ForgetKeys,
    /// Forgets deliveries that ended long ago.
    ForgetDeliveries,
    /// Deletes runs that ended long ago.
    ForgetRuns,
    /// Tells decisions whose moment has come.
    TellDecisions,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ForgetKeys, Self::ForgetDeliveries, Self::TellDecisions, Self::ForgetRuns];

    const fn name(self) -> &'static str {
        match self {
            Self::ForgetKeys => "forget_keys",
            Self::ForgetDeliveries => "forget_deliveries",
            Self::ForgetRuns => "forget_runs",
            Self::TellDecisions => "tell_decisions",
        }
    }

    const fn pause(self) -> TimeDelta {
        match self {
            Self::ForgetKeys | Self::ForgetDeliveries | Self::ForgetRuns => TimeDelta::hours(1),
            Self::TellDecisions => TimeDelta::seconds(15),
        }
    }

    /// Does it; `false` where something is left to do.
    async fn done(self, log: &Log, runs_kept: Option<TimeDelta>) -> Result<bool, Problem> {
        match self {
            Self::ForgetKeys => once::forget(log.db()).await.map(|_| ())?,
            Self::ForgetDeliveries => {
                let tx = log.begin_unrecorded().await?;
                webhooks::queue::forget(&tx).await?;
                tx.commit().await?;
            }
            Self::ForgetRuns => {
                if let Some(kept) = runs_kept {
                    return Ok(retention::forget(log, kept).await?);
                }
            }
            Self::TellDecisions => decisions::telling::tell_due(log).await?,
        }
        Ok(true)
    }
}

/// Somebody who does what is due.
pub(crate) struct Keeper {
    keeping: JoinHandle<()>,
    stop: watch::Sender<()>,
}

impl Keeper {
    /// Starts one, which deletes runs that ended more than `runs_kept` ago; with `None`, that task is left to others.
    pub(crate) fn start(log: Log, runs_kept: Option<TimeDelta>) -> Self {
        let (stop, stopped) = watch::channel(());
        Self { keeping: tokio::spawn(keep(log, runs_kept, stopped)), stop }
    }

    /// Ends when what is being done is done.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.keeping.await {
            tracing::error!(%error, "a task broke down");
        }
    }
}

async fn keep(log: Log, runs_kept: Option<TimeDelta>, mut stop: watch::Receiver<()>) {
    let mut known = false;
    loop {
        if let Err(error) = turn(&log, runs_kept, &mut known).await {
            tracing::warn!(%error, "what is to be done again and again waits for the database");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = stop.changed() => return,
        }
    }
}

/// Does what is due and what nobody else does. One query for each task that is not.
async fn turn(log: &Log, runs_kept: Option<TimeDelta>, known: &mut bool) -> Result<(), DbErr> {
    if !*known {
        let tx = log.begin_unrecorded().await?;
        for task in Task::ALL {
            store::know(&*tx, task.name()).await?;
        }
        tx.commit().await?;
        *known = true;
    }
    for task in Task::ALL.into_iter().filter(|task| *task != Task::ForgetRuns || runs_kept.is_some()) {
        let tx = log.begin_unrecorded().await?;
        let taken = store::take(&*tx, task.name(), LEASE).await?;
        tx.commit().await?;
        let Some(fence) = taken else { continue };
        let pause = match task.done(log, runs_kept).await {
            Ok(true) => task.pause(),
            Ok(false) => GO_ON,
            Err(error) => {
                tracing::warn!(task = task.name(), %error, "this is tried again");
                task.pause()
            }
        };
        let tx = log.begin_unrecorded().await?;
        store::done(&*tx, task.name(), fence, pause).await?;
        tx.commit().await?;
    }
    Ok(())
}
