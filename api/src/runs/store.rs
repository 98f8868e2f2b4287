//! Queries on runs and proposals.

use std::collections::BTreeMap;

use attelage_solver::{Proposal, Reply, Status};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, proposal, run_call, run_work};
use super::work::Outcome;
use super::{Asked, Run, RunCall, RunResult, RunState, RunSummary};
use crate::access::Caller;
use crate::database::now;
use crate::page::Slice;

/// How long the answer to an equal question is good.
const ANSWERS_LAST: TimeDelta = TimeDelta::days(1);

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
        progress,
        attempts,
        ..
    } = row;
    Ok(Run {
        id,
        organisation,
        calls,
        state,
        options,
        fingerprint,
        progress,
        attempts,
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

pub(super) fn write(value: &impl serde::Serialize) -> Result<serde_json::Value, DbErr> {
    serde_json::to_value(value).map_err(|error| DbErr::Json(error.to_string()))
}

/// A run to be queued.
pub struct NewRun<'a> {
    /// Its id.
    pub id: Uuid,
    /// In whose name.
    pub organisation: Option<Uuid>,
    /// On which calls: at least one.
    pub calls: &'a [RunCall],
    /// What was asked.
    pub options: Asked,
    /// SHA-256 of the inputs.
    pub fingerprint: &'a str,
    /// SHA-256 of all in which it may equal another.
    pub twin: &'a str,
    /// Higher ones are computed first.
    pub priority: i16,
    /// How long it may be computed, in milliseconds.
    pub limit_ms: u64,
    /// What is computed, in one line of JSON.
    pub work: Vec<u8>,
}

/// Queues a run, unless an equal one is not over; whether it did. Three queries; call it in a transaction.
///
/// # Errors
/// The database's: of a call that is gone, too.
pub async fn insert(db: &impl ConnectionTrait, new: NewRun<'_>) -> Result<bool, DbErr> {
    let NewRun { id, organisation, calls, options, fingerprint, twin, priority, limit_ms, work } = new;
    let first = calls.first().ok_or_else(|| DbErr::Custom("a run needs a call".to_owned()))?;
    let row = ActiveModel {
        id: Set(id),
        organisation_id: Set(organisation),
        call_id: Set(first.call),
        call_version: Set(first.version),
        state: Set(RunState::Queued),
        options: Set(options),
        fingerprint: Set(fingerprint.to_owned()),
        twin: Set(Some(twin.to_owned())),
        priority: Set(priority),
        created_at: Set(now()),
        ..Default::default()
    };
    let unique = OnConflict::new().do_nothing().to_owned();
    if Entity::insert(row).on_conflict(unique).exec_without_returning(db).await? == 0 {
        return Ok(false);
    }
    let rows = (0..).zip(calls).map(|(position, own)| run_call::ActiveModel {
        run_id: Set(id),
        position: Set(position),
        call_id: Set(own.call),
        call_version: Set(own.version),
    });
    run_call::Entity::insert_many(rows).exec_without_returning(db).await?;
    let limit_ms = Set(i64::try_from(limit_ms).unwrap_or(i64::MAX));
    let work = run_work::ActiveModel { run_id: Set(id), limit_ms, document: Set(work) };
    run_work::Entity::insert(work).exec_without_returning(db).await?;
    Ok(true)
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

/// When the runs of an organisation that started after `since` started, and for how many milliseconds they have been computed; oldest
/// first. One query.
pub async fn times(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    since: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::StartedAt)
        .column(Column::SpentMs)
        .filter(Column::OrganisationId.eq(organisation))
        .filter(Column::StartedAt.gt(since))
        .order_by_asc(Column::StartedAt)
        .into_tuple()
        .all(db)
        .await
}

/// How many runs are not over: all, and those of one asker. Two queries.
pub async fn unfinished(db: &impl ConnectionTrait, asker: Option<Uuid>) -> Result<(u64, u64), DbErr> {
    let own = asker.map_or_else(|| Column::OrganisationId.is_null(), |asker| Column::OrganisationId.eq(asker));
    let all = Entity::find().filter(is_unfinished());
    Ok((all.clone().count(db).await?, all.filter(own).count(db).await?))
}

fn is_unfinished() -> Expr {
    Column::State.is_in([RunState::Queued, RunState::Running])
}

/// What is kept of an outcome, with what was proposed, best first.
///
/// # Errors
/// What cannot be written as JSON.
pub fn kept(outcome: Outcome) -> Result<(ActiveModel, Vec<Proposal>), DbErr> {
    let engine = Set(Some(attelage_solver::engine().to_string()));
    match outcome {
        Outcome::Reply { reply, told: _ } if matches!(*reply, Reply::Proposals(_)) => {
            let Reply::Proposals(answer) = *reply else { return Err(DbErr::Custom("not proposals".to_owned())) };
            let first = answer.proposals.first();
            let row = ActiveModel {
                result: Set(Some(achieved(answer.status))),
                engine: Set(Some(answer.engine.to_string())),
                objective_cents: Set(first.map(|proposal| proposal.costs.objective_cents)),
                bound_cents: Set(first.map(|proposal| proposal.proof.bound_cents)),
                report: Set(Some(write(&answer.report)?)),
                infeasibility: Set(answer.infeasibility.as_ref().map(write).transpose()?),
                ..Default::default()
            };
            Ok((row, answer.proposals))
        }
        Outcome::Reply { reply, told } => {
            let row = ActiveModel {
                result: Set(reply.status().map(achieved)),
                reply: Set(Some(write(&reply)?)),
                told: Set(told.map(|told| told.get().to_owned())),
                engine,
                ..Default::default()
            };
            Ok((row, Vec::new()))
        }
        Outcome::Portfolio(answer) => {
            let row = ActiveModel {
                result: Set(Some(achieved(answer.status))),
                objective_cents: Set(Some(answer.objective_cents)),
                bound_cents: Set(Some(answer.bound_cents)),
                reply: Set(Some(write(&answer)?)),
                engine,
                ..Default::default()
            };
            Ok((row, Vec::new()))
        }
    }
}

/// What is kept of a computation that was ended before it could say what came out: the best so far, whose bound holds.
#[must_use]
pub fn kept_so_far(mut proposals: Vec<Proposal>) -> (ActiveModel, Vec<Proposal>) {
    proposals.sort_by_key(|proposal| proposal.costs.objective_cents);
    let best = proposals.first().map_or(0, |proposal| proposal.costs.objective_cents);
    for (rank, proposal) in (1..).zip(&mut proposals) {
        proposal.rank = rank;
        proposal.regret_cents = proposal.costs.objective_cents - best;
        proposal.proof.optimal = false;
    }
    let first = proposals.first();
    let row = ActiveModel {
        result: Set(Some(if first.is_some() { RunResult::Feasible } else { RunResult::Unknown })),
        engine: Set(Some(attelage_solver::engine().to_string())),
        objective_cents: Set(first.map(|proposal| proposal.costs.objective_cents)),
        bound_cents: Set(first.map(|proposal| proposal.proof.bound_cents)),
        ..Default::default()
    };
    (row, proposals)
}

const fn achieved(status: Status) -> RunResult {
    match status {
        Status::Optimal => RunResult::Optimal,
        Status::Feasible => RunResult::Feasible,
        Status::Infeasible => RunResult::Infeasible,
        Status::Unknown => RunResult::Unknown,
    }
}

/// What is told to whoever waits for a run, in JSON. One query.
pub async fn told(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<String>, DbErr> {
    let select = Entity::find_by_id(id).select_only().column(Column::Told);
    Ok(select.into_tuple::<Option<String>>().one(db).await?.flatten())
}

/// The run that was asked for by the same, with the same inputs, and told in the same way: one that is not over, or one of the last day
/// whose answer no more time would better. One query.
pub async fn twin(db: &impl ConnectionTrait, twin: &str) -> Result<Option<Uuid>, DbErr> {
    let proven = Condition::all()
        .add(Column::State.eq(RunState::Succeeded))
        .add(Column::FinishedAt.gt(now() - ANSWERS_LAST))
        .add(
            Condition::any()
                .add(Column::Result.is_null())
                .add(Column::Result.is_in([RunResult::Optimal, RunResult::Infeasible])),
        );
    let good = Condition::any().add(is_unfinished()).add(proven);
    let select = Entity::find().select_only().column(Column::Id).filter(Column::Twin.eq(twin)).filter(good);
    select.order_by_desc(Column::CreatedAt).into_tuple().one(db).await
}

/// Up to `slice.limit` runs in a state, whoever asked, by id. One query.
pub async fn page_in(
    db: &impl ConnectionTrait,
    state: Option<RunState>,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<RunSummary>, DbErr> {
    let mut query = Entity::find().order_by_asc(Column::Id);
    if let Some(state) = state {
        query = query.filter(Column::State.eq(state));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    let summary = |row: Model| RunSummary {
        id: row.id,
        state: row.state,
        attempts: row.attempts,
        spent_ms: row.spent_ms,
        worker: row.worker,
        failure: row.failure,
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
    };
    Ok(query.limit(slice.limit).all(db).await?.into_iter().map(summary).collect())
}
