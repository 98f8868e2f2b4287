//! Queries on runs as jobs: who computes which, until when, and what came of it.
//!
//! Whoever takes a run has a lease on it, with a number that grows with each lease: every write names it, and has no effect once the
//! lease has ended or another has been given, by the clock of the database.

use attelage_solver::Proposal;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, JoinType, LockBehavior, LockType, Order, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, proposal, run_work};
use super::store::write;
use super::{RunProgress, RunState};
use crate::database::{instant, now};

/// How long what an organisation has used counts when it is decided who is next.
const MEMORY: TimeDelta = TimeDelta::days(1);

/// The right to compute a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: Uuid,
    /// Which of all leases on it.
    pub fence: i64,
}

/// A run that was taken.
pub struct Job {
    /// The right to it.
    pub lease: Lease,
    /// The run, as it stood before.
    pub run: Model,
    /// What is to be computed, and for how many milliseconds; absent of runs that another release has queued.
    pub work: Option<(Vec<u8>, i64)>,
}

/// Whoever takes runs.
pub struct Taker<'a> {
    /// Who they are.
    pub name: &'a str,
    /// How long a lease lasts.
    pub lease: TimeDelta,
}

/// Runs that anybody may take: those that wait, and those whose lease has ended.
fn free(db: &impl ConnectionTrait) -> Condition {
    let now = instant(db.get_database_backend(), TimeDelta::zero());
    let waits = Condition::all()
        .add(Column::State.eq(RunState::Queued))
        .add(Condition::any().add(Column::AvailableAt.is_null()).add(column("available_at").lte(now.clone())));
    let abandoned = Condition::all()
        .add(Column::State.eq(RunState::Running))
        .add(Condition::any().add(Column::LeaseUntil.is_null()).add(column("lease_until").lte(now)));
    Condition::any().add(waits).add(abandoned)
}

fn column(name: &'static str) -> Expr {
    Expr::col(("run", name))
}

/// Whether there is a run to take. One query, which locks nothing.
pub async fn has_work(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let found: Option<Uuid> =
        Entity::find().select_only().column(Column::Id).filter(free(db)).into_tuple().one(db).await?;
    Ok(found.is_some())
}

/// How many runs that are not over stand in each state, and since when the oldest of each does. One query.
///
/// # Errors
/// The database's.
pub async fn depth(db: &impl ConnectionTrait) -> Result<Vec<(RunState, i64, Option<DateTime<Utc>>)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::State)
        .column_as(Column::Id.count(), "count")
        .column_as(Column::CreatedAt.min(), "oldest")
        .filter(Column::State.is_in([RunState::Queued, RunState::Running]))
        .group_by(Column::State)
        .into_tuple()
        .all(db)
        .await
}

/// The run that is next: of the highest priority, then of who has had least computed since yesterday, then the oldest. Those that another
/// process is taking are passed over. One query; O(runs that wait + runs since yesterday of those who wait).
async fn next(tx: &DatabaseTransaction) -> Result<Option<Uuid>, DbErr> {
    let own = |name: &'static str| Expr::col(("own", name));
    // A constant, so that PostgreSQL looks it up in an index; by this machine's clock, since a day need not be exact.
    let since = now() - MEMORY;
    let lately =
        || Query::select().expr_as(own("spent_ms").sum(), "spent_ms").and_where(own("started_at").gt(since)).take();
    let waiting = Query::select().distinct().column("organisation_id").from("run").cond_where(free(tx)).take();
    let of_each = lately()
        .column(("waiting", "organisation_id"))
        .from_subquery(waiting, "waiting")
        .join_as(JoinType::InnerJoin, "run", "own", own("organisation_id").equals(("waiting", "organisation_id")))
        .group_by_col(("waiting", "organisation_id"))
        .take();
    let of_platform = lately().from_as("run", "own").and_where(own("organisation_id").is_null()).take();
    let of_platform =
        Expr::case(column("organisation_id").is_null(), Expr::SubQuery(None, Box::new(of_platform.into())));
    let spent = Func::coalesce([Expr::col(("used", "spent_ms")), of_platform.into(), Expr::val(0)]);
    let select = Query::select()
        .column(("run", "id"))
        .from("run")
        .join_subquery(
            JoinType::LeftJoin,
            of_each,
            "used",
            Expr::col(("used", "organisation_id")).equals(("run", "organisation_id")),
        )
        .cond_where(free(tx))
        .order_by(("run", "priority"), Order::Desc)
        .order_by_expr(spent.into(), Order::Asc)
        .order_by(("run", "created_at"), Order::Asc)
        .order_by(("run", "id"), Order::Asc)
        .limit(1)
        .lock_with_tables_behavior(LockType::Update, ["run"], LockBehavior::SkipLocked)
        .take();
    tx.query_one(&select).await?.map(|row| row.try_get_by_index(0)).transpose()
}

/// Takes the run that is next, if there is one. Four queries.
///
/// # Errors
/// The database's.
pub async fn take(tx: &DatabaseTransaction, taker: &Taker<'_>) -> Result<Option<Job>, DbErr> {
    let Some(id) = next(tx).await? else { return Ok(None) };
    let run = Entity::find_by_id(id).one(tx).await?.ok_or_else(|| DbErr::RecordNotFound(id.to_string()))?;
    let row = ActiveModel {
        state: Set(RunState::Running),
        fence: Set(run.fence + 1),
        attempts: Set(run.attempts + 1),
        worker: Set(Some(taker.name.to_owned())),
        started_at: Set(run.started_at.or_else(|| Some(now()))),
        progress: Set(None),
        ..Default::default()
    };
    Entity::update_many()
        .set(row)
        .col_expr(Column::LeaseUntil, instant(tx.get_database_backend(), taker.lease))
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await?;
    let work = run_work::Entity::find_by_id(id).one(tx).await?;
    let lease = Lease { run: id, fence: run.fence + 1 };
    Ok(Some(Job { lease, run, work: work.map(|work| (work.document, work.limit_ms)) }))
}

/// The run of a lease, while the lease lasts.
fn held(db: &impl ConnectionTrait, lease: Lease) -> Condition {
    Condition::all()
        .add(Column::Id.eq(lease.run))
        .add(Column::Fence.eq(lease.fence))
        .add(Column::State.eq(RunState::Running))
        .add(column("lease_until").gt(instant(db.get_database_backend(), TimeDelta::zero())))
}

/// Whether the run of a lease is to end; `None` where the lease is lost. One query.
pub async fn is_cancelled(db: &impl ConnectionTrait, lease: Lease) -> Result<Option<bool>, DbErr> {
    let select = Entity::find().select_only().column(Column::CancelRequested).filter(held(db, lease));
    select.into_tuple().one(db).await
}

/// Lengthens a lease, and keeps how far the computation is; false where the lease is lost. One query.
pub async fn renew(
    db: &impl ConnectionTrait,
    lease: Lease,
    length: TimeDelta,
    spent_ms: i64,
    progress: Option<RunProgress>,
) -> Result<bool, DbErr> {
    let mut row = ActiveModel { spent_ms: Set(spent_ms), ..Default::default() };
    if progress.is_some() {
        row.progress = Set(progress);
    }
    let renewed = Entity::update_many()
        .set(row)
        .col_expr(Column::LeaseUntil, instant(db.get_database_backend(), length))
        .filter(held(db, lease))
        .exec(db)
        .await?;
    Ok(renewed.rows_affected == 1)
}

/// Gives a run back, to be taken after a pause; false where the lease is lost. Whether the attempt `counts` is for the caller to say.
/// One query.
pub async fn give_back(
    db: &impl ConnectionTrait,
    lease: Lease,
    pause: TimeDelta,
    spent_ms: i64,
    counts: bool,
) -> Result<bool, DbErr> {
    let row = ActiveModel {
        state: Set(RunState::Queued),
        lease_until: Set(None),
        progress: Set(None),
        spent_ms: Set(spent_ms),
        ..Default::default()
    };
    let attempts = if counts { column("attempts") } else { column("attempts").sub(1) };
    let given = Entity::update_many()
        .set(row)
        .col_expr(Column::AvailableAt, instant(db.get_database_backend(), pause))
        .col_expr(Column::Attempts, attempts)
        .filter(held(db, lease))
        .exec(db)
        .await?;
    Ok(given.rows_affected == 1)
}

/// How a run ends.
pub struct Ending {
    /// In which state.
    pub state: RunState,
    /// What is kept of it.
    pub row: ActiveModel,
    /// What was proposed, best first.
    pub proposals: Vec<Proposal>,
}

/// Ends a run, and forgets what it was computed on; false where the lease is lost: nothing is written then. Three queries.
///
/// # Errors
/// The database's.
pub async fn end(tx: &DatabaseTransaction, lease: Lease, spent_ms: i64, ending: Ending) -> Result<bool, DbErr> {
    let Ending { state, row, proposals } = ending;
    let row = ActiveModel { spent_ms: Set(spent_ms), ..over(state, row) };
    let ended = Entity::update_many().set(row).filter(held(tx, lease)).exec(tx).await?;
    if ended.rows_affected == 0 {
        return Ok(false);
    }
    run_work::Entity::delete_by_id(lease.run).exec(tx).await?;
    let mut rows = Vec::with_capacity(proposals.len());
    for one in &proposals {
        let rank = i32::try_from(one.rank).unwrap_or(i32::MAX);
        rows.push(proposal::ActiveModel { run_id: Set(lease.run), rank: Set(rank), document: Set(write(one)?) });
    }
    if !rows.is_empty() {
        proposal::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(true)
}

fn over(state: RunState, row: ActiveModel) -> ActiveModel {
    ActiveModel {
        state: Set(state),
        lease_until: Set(None),
        available_at: Set(None),
        progress: Set(None),
        finished_at: Set(Some(now())),
        ..row
    }
}

/// What is cancelled is nobody else's answer.
fn cancelled() -> ActiveModel {
    ActiveModel { cancel_requested: Set(true), twin: Set(None), ..Default::default() }
}

/// Cancels a run that waits; asks whoever computes one to end it. Whether the run is over by that. Three queries at most.
///
/// # Errors
/// The database's.
pub async fn cancel(tx: &DatabaseTransaction, id: Uuid) -> Result<bool, DbErr> {
    // Whoever gives it back at this moment comes between two of these, but not between all.
    for _ in 0..3 {
        if let Some(ended) = cancel_once(tx, id).await? {
            return Ok(ended);
        }
    }
    Ok(false)
}

/// As [`cancel`]; `None` where it was neither waiting nor computed.
async fn cancel_once(tx: &DatabaseTransaction, id: Uuid) -> Result<Option<bool>, DbErr> {
    // The number grows: nobody who had a lease on it may think it theirs.
    let ended = Entity::update_many()
        .set(over(RunState::Cancelled, cancelled()))
        .col_expr(Column::Fence, column("fence").add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(RunState::Queued))
        .exec(tx)
        .await?;
    if ended.rows_affected == 1 {
        run_work::Entity::delete_by_id(id).exec(tx).await?;
        return Ok(Some(true));
    }
    let running =
        Entity::update_many().set(cancelled()).filter(Column::Id.eq(id)).filter(Column::State.eq(RunState::Running));
    Ok((running.exec(tx).await?.rows_affected == 1).then_some(false))
}
