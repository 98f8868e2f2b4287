//! Runs that ended long ago are deleted, with all they proposed.
//!
//! Those on a call that is still published stay, however old they are. A consortium has a plan of its own, and needs no run.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    RelationDef,
};
use uuid::{Builder, Uuid};

use super::RunState;
use super::entity::{Column, Entity, run_call};
use crate::access::Caller;
use crate::audit::{Log, Recorded};
use crate::calls::CallStatus;
use crate::calls::entity as call;
use crate::database::now;

/// Deleted in one transaction, so that other writers wait for a moment only.
const AT_ONCE: u64 = 50;
/// Transactions in a row: what is left is for the next time.
const IN_A_ROW: usize = 200;

/// Deletes the runs that ended more than `kept` ago, each with an entry in the audit log.
///
/// # Errors
/// The database's: what was deleted before stays so.
pub(crate) async fn forget(log: &Log, kept: TimeDelta) -> Result<(), DbErr> {
    let Some(since) = now().checked_sub_signed(kept) else { return Ok(()) };
    for _ in 0..IN_A_ROW {
        let tx = log.begin(&Caller::installation().asking("forget_runs")).await?;
        let old = outlived(&tx, since).await?;
        Entity::delete_many().filter(Column::Id.is_in(old.iter().map(|(id, _)| *id))).exec(&*tx).await?;
        let recorded = old.iter().map(|(id, asker)| Recorded::of("run", id).concerning(*asker));
        tx.commit_all(recorded.collect()).await?;
        if old.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(())
}

/// Up to [`AT_ONCE`] runs that ended before `since` and of whose calls none is published, with in whose name they were asked for; oldest
/// first. One query, over runs that were asked for before.
async fn outlived(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<Vec<(Uuid, Option<Uuid>)>, DbErr> {
    // Ids begin with the time at which a run was asked for, so that their index finds the old ones.
    let before = Builder::from_unix_timestamp_millis(u64::try_from(since.timestamp_millis()).unwrap_or(0), &[0; 10]);
    let to_call: RelationDef =
        run_call::Entity::belongs_to(call::Entity).from(run_call::Column::CallId).to(call::Column::Id).into();
    let of_open_calls = run_call::Entity::find()
        .select_only()
        .column(run_call::Column::RunId)
        .join(JoinType::InnerJoin, to_call)
        .filter(call::Column::Status.eq(CallStatus::Published));
    Entity::find()
        .select_only()
        .column(Column::Id)
        .column(Column::OrganisationId)
        .filter(Column::Id.lt(before.into_uuid()))
        .filter(Column::State.is_in([RunState::Succeeded, RunState::Failed, RunState::Cancelled]))
        .filter(Column::FinishedAt.lt(since))
        .filter(Column::Id.not_in_subquery(of_open_calls.into_query()))
        .order_by_asc(Column::Id)
        .limit(AT_ONCE)
        .into_tuple()
        .all(db)
        .await
}
