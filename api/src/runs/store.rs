//! Queries on runs and proposals.

use std::collections::BTreeMap;

use attelage_solver::portfolio::PortfolioAnswer;
use attelage_solver::{Answer, Proposal, Reply, Status};
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, proposal, run_call};
use super::{Asked, Run, RunCall, RunResult, RunState};
use crate::access::Caller;
use crate::database::now;
use crate::page::Slice;

/// Runs as the API shows them. One query for their calls.
///
/// # Errors
/// The database's, or a stored document that is no longer readable.
pub async fn views(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Run>, DbErr> {
    let mut calls: BTreeMap<Uuid, Vec<RunCall>> = BTreeMap::new();
    let of_runs = run_call::Column::RunId.is_in(rows.iter().map(|row| row.id));
    let found = run_call::Entity::find().filter(of_runs).order_by_asc(run_call::Column::Position).all(db).await?;
    for run_call::Model { run_id, position: _, call_id: call, call_version: version } in found {
        calls.entry(run_id).or_default().push(RunCall { call, version });
    }
    rows.into_iter()
        .map(|row| {
            let calls = calls.remove(&row.id).unwrap_or_default();
            view(row, calls)
        })
        .collect()
}

fn view(row: Model, calls: Vec<RunCall>) -> Result<Run, DbErr> {
    let Model {
        id,
        organisation_id: organisation,
        call_id: _,
        call_version: _,
        state,
        options,
        fingerprint,
        engine,
        result,
        objective_cents,
        bound_cents,
        report,
        infeasibility,
        reply: _,
        failure,
        created_at,
        started_at,
        finished_at,
    } = row;
    Ok(Run {
        id,
        organisation,
        calls,
        state,
        options,
        fingerprint,
        result,
        objective_cents,
        bound_cents,
        infeasibility: infeasibility.map(read).transpose()?,
        report: report.map(read).transpose()?,
        engine,
        failure,
        created_at,
        started_at,
        finished_at,
    })
}

fn read<T: DeserializeOwned>(document: serde_json::Value) -> Result<T, DbErr> {
    serde_json::from_value(document).map_err(|error| DbErr::Json(error.to_string()))
}

fn write(value: &impl serde::Serialize) -> Result<serde_json::Value, DbErr> {
    serde_json::to_value(value).map_err(|error| DbErr::Json(error.to_string()))
}

/// Queues a run on calls, of which there is at least one. Two queries; call it in a transaction.
///
/// # Errors
/// The database's: of a call that is gone, too.
pub async fn insert(
    db: &impl ConnectionTrait,
    id: Uuid,
    organisation: Option<Uuid>,
    calls: &[RunCall],
    options: Asked,
    fingerprint: &str,
) -> Result<(), DbErr> {
    let first = calls.first().ok_or_else(|| DbErr::Custom("a run needs a call".to_owned()))?;
    let row = ActiveModel {
        id: Set(id),
        organisation_id: Set(organisation),
        call_id: Set(first.call),
        call_version: Set(first.version),
        state: Set(RunState::Queued),
        options: Set(options),
        fingerprint: Set(fingerprint.to_owned()),
        created_at: Set(now()),
        ..Default::default()
    };
    Entity::insert(row).exec_without_returning(db).await?;
    let rows = (0..).zip(calls).map(|(position, own)| run_call::ActiveModel {
        run_id: Set(id),
        position: Set(position),
        call_id: Set(own.call),
        call_version: Set(own.version),
    });
    run_call::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// The runs that somebody may see: those asked for in the name of an organisation of theirs; of the platform, for administrators.
fn visible(caller: &Caller) -> Condition {
    let own = caller.owns(Column::OrganisationId);
    if caller.is_administrator() { own.add(Column::OrganisationId.is_null()) } else { own }
}

/// One run, if the caller may see it. One query.
pub async fn find_visible(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).filter(visible(caller)).one(db).await
}

/// One run, whoever asks. One query.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Up to `slice.limit` runs of a call that the caller may see, by id. One query.
pub async fn page(
    db: &impl ConnectionTrait,
    caller: &Caller,
    call: Uuid,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().filter(is_of(call)).filter(visible(caller)).order_by_asc(Column::Id);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    query.limit(slice.limit).all(db).await
}

/// Up to `limit` runs that were asked for in the name of an organisation, by id. One query.
pub async fn page_asked_by(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().filter(Column::OrganisationId.eq(organisation)).order_by_asc(Column::Id);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    query.limit(limit).all(db).await
}

/// Whether a run is of this call, alone or with others.
fn is_of(call: Uuid) -> Expr {
    let own = run_call::Entity::find().select_only().column(run_call::Column::RunId);
    Column::Id.in_subquery(own.filter(run_call::Column::CallId.eq(call)).into_query())
}

/// Deletes the runs that were asked for in the name of an organisation. One query.
pub async fn delete_asked_by(db: &impl ConnectionTrait, organisation: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::OrganisationId.eq(organisation)).exec(db).await?;
    Ok(())
}

/// Deletes the runs of a call, those on other calls too among them. One query.
pub async fn delete_of(db: &impl ConnectionTrait, call: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(is_of(call)).exec(db).await?;
    Ok(())
}

/// Up to `slice.limit` proposals of a run, best first. One query.
pub async fn proposals(
    db: &impl ConnectionTrait,
    run: Uuid,
    slice: &Slice,
    after: Option<i32>,
) -> Result<Vec<Proposal>, DbErr> {
    let rows = proposal::Entity::find()
        .filter(proposal::Column::RunId.eq(run))
        .filter(proposal::Column::Rank.gt(after.unwrap_or(0)))
        .order_by_asc(proposal::Column::Rank)
        .limit(slice.limit)
        .all(db)
        .await?;
    rows.into_iter().map(|row| read(row.document)).collect()
}

/// When the runs of an organisation that started after `since` started, and ended if they are over; oldest first. One query.
pub async fn times(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    since: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::StartedAt)
        .column(Column::FinishedAt)
        .filter(Column::OrganisationId.eq(organisation))
        .filter(Column::StartedAt.gt(since))
        .order_by_asc(Column::StartedAt)
        .into_tuple()
        .all(db)
        .await
}

/// How many runs are not over. One query.
pub async fn unfinished(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().filter(is_unfinished()).count(db).await
}

fn is_unfinished() -> Expr {
    Column::State.is_in([RunState::Queued, RunState::Running])
}

/// Says that a queued run has begun. One query.
pub async fn start(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    let row = ActiveModel { state: Set(RunState::Running), started_at: Set(Some(now())), ..Default::default() };
    change(db, id, RunState::Queued, row).await
}

/// Keeps the answer of a run with its proposals. Two queries; call it in a transaction.
pub async fn succeed(db: &impl ConnectionTrait, id: Uuid, answer: &Answer) -> Result<(), DbErr> {
    let first = answer.proposals.first();
    let row = ActiveModel {
        state: Set(RunState::Succeeded),
        result: Set(Some(achieved(answer.status))),
        engine: Set(Some(answer.engine.to_string())),
        objective_cents: Set(first.map(|proposal| proposal.costs.objective_cents)),
        bound_cents: Set(first.map(|proposal| proposal.proof.bound_cents)),
        report: Set(Some(write(&answer.report)?)),
        infeasibility: Set(answer.infeasibility.as_ref().map(write).transpose()?),
        finished_at: Set(Some(now())),
        ..Default::default()
    };
    change(db, id, RunState::Running, row).await?;
    let mut rows = Vec::with_capacity(answer.proposals.len());
    for one in &answer.proposals {
        let rank = i32::try_from(one.rank).unwrap_or(i32::MAX);
        rows.push(proposal::ActiveModel { run_id: Set(id), rank: Set(rank), document: Set(write(one)?) });
    }
    if !rows.is_empty() {
        proposal::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

const fn achieved(status: Status) -> RunResult {
    match status {
        Status::Optimal => RunResult::Optimal,
        Status::Feasible => RunResult::Feasible,
        Status::Infeasible => RunResult::Infeasible,
        Status::Unknown => RunResult::Unknown,
    }
}

/// Keeps the reply of a run to another question than who should answer together. One query.
pub async fn reply(db: &impl ConnectionTrait, id: Uuid, reply: &Reply) -> Result<(), DbErr> {
    let row = ActiveModel { result: Set(reply.status().map(achieved)), ..replied(reply)? };
    change(db, id, RunState::Running, row).await
}

/// The columns of every reply.
fn replied(reply: &impl serde::Serialize) -> Result<ActiveModel, DbErr> {
    Ok(ActiveModel {
        state: Set(RunState::Succeeded),
        reply: Set(Some(write(reply)?)),
        engine: Set(Some(attelage_solver::engine().to_string())),
        finished_at: Set(Some(now())),
        ..Default::default()
    })
}

/// Keeps the answer of a run on several calls. One query.
pub async fn succeed_jointly(db: &impl ConnectionTrait, id: Uuid, answer: &PortfolioAnswer) -> Result<(), DbErr> {
    let row = ActiveModel {
        result: Set(Some(achieved(answer.status))),
        objective_cents: Set(Some(answer.objective_cents)),
        bound_cents: Set(Some(answer.bound_cents)),
        ..replied(answer)?
    };
    change(db, id, RunState::Running, row).await
}

/// Says that a run that is not over will not have an answer. One query.
pub async fn fail(db: &impl ConnectionTrait, id: Uuid, why: &str) -> Result<(), DbErr> {
    let row = ActiveModel {
        state: Set(RunState::Failed),
        failure: Set(Some(why.to_owned())),
        finished_at: Set(Some(now())),
        ..Default::default()
    };
    Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(is_unfinished()).exec(db).await?;
    Ok(())
}

/// Moves a run on from a state; an error where it is no longer in it.
async fn change(db: &impl ConnectionTrait, id: Uuid, from: RunState, row: ActiveModel) -> Result<(), DbErr> {
    let done = Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::State.eq(from)).exec(db).await?;
    if done.rows_affected == 1 { Ok(()) } else { Err(DbErr::RecordNotUpdated) }
}

/// Fails the runs that a stopped service left behind. One query.
pub async fn fail_interrupted(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    let row = ActiveModel {
        state: Set(RunState::Failed),
        failure: Set(Some("the service stopped before the computation ended; start another run".to_owned())),
        finished_at: Set(Some(now())),
        ..Default::default()
    };
    Ok(Entity::update_many().set(row).filter(is_unfinished()).exec(db).await?.rows_affected)
}
