//! Runs that ended long ago are deleted, with all they proposed.
//!
//! Those on a call that is still published stay, however old they are. A consortium has a plan of its own, and needs no run.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::{Builder, Uuid};

use super::entity::{Column, Entity};
use crate::audit::{Log, Recorded};
use crate::calls::CallStatus;
use crate::calls::entity as call;
use crate::database::now;

/// Deleted in one transaction, so that other writers wait for a moment only.
const AT_ONCE: u64 = 50;
/// How long it goes on: what is left is for the next time.
const BUDGET: Duration = Duration::from_secs(5);

/// Deletes the runs that ended more than `kept` ago, each with an entry in the audit log; `false` where some may be left.
///
/// # Errors
/// The database's: what was deleted before stays so.
pub(crate) async fn forget(log: &Log, kept: TimeDelta) -> Result<bool, DbErr> {
    let Some(since) = now().checked_sub_signed(kept) else { return Ok(true) };
    let start = Instant::now();
    while start.elapsed() < BUDGET {
        let tx = log.begin_own("forget_runs").await?;
        let old = outlived(&tx, since).await?;
        Entity::delete_many().filter(Column::Id.is_in(old.iter().map(|(id, _)| *id))).exec(&*tx).await?;
        let recorded = old.iter().map(|(id, asker)| Recorded::of("run", id).concerning(*asker));
        tx.commit_all(recorded.collect()).await?;
        if old.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Up to [`AT_ONCE`] runs that ended before `since` and of whose calls none is published, with in whose name they were asked for; oldest
/// first, locked, without those that somebody else has locked. One query, over runs that were asked for before.
async fn outlived(tx: &DatabaseTransaction, since: DateTime<Utc>) -> Result<Vec<(Uuid, Option<Uuid>)>, DbErr> {
    // Ids begin with the time at which a run was asked for, so that their index finds the old ones.
    let before = Builder::from_unix_timestamp_millis(u64::try_from(since.timestamp_millis()).unwrap_or(0), &[0; 10]);
    let column = |table: &'static str, column: &'static str| Expr::col((table, column));
    let of_open_call = Query::select()
        .expr(Expr::val(1))
        .from("run_call")
        .inner_join("call", column("call", "id").equals(("run_call", "call_id")))
        .and_where(column("run_call", "run_id").equals(("run", "id")))
        .and_where(call::Column::Status.eq(CallStatus::Published))
        .take();
    Entity::find()
        .select_only()
        .column(Column::Id)
        .column(Column::OrganisationId)
        .filter(Column::Id.lt(before.into_uuid()))
        // Only a run that is over has an end.
        .filter(Column::FinishedAt.lt(since))
        .filter(Expr::exists(of_open_call).not())
        .order_by_asc(Column::Id)
        .limit(AT_ONCE)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(tx)
        .await
}
