//! Queries on deliveries: how they are made, claimed, written down and replayed.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, OnConflict, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel as _,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::entity::delivery::{ActiveModel, Column, Entity, Model};
use super::entity::{self, Types};
use super::{Delivery, DeliveryState};
use crate::database::{now, rows_per_statement};
use crate::events::EventType;
use crate::events::entity as event;
use crate::page::Slice;

/// How long somebody who has claimed a delivery may take: more than an answer can.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long deliveries that have ended are kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Writes a delivery for each webhook that wants one of these events. One query; two where there are webhooks.
pub(crate) async fn enqueue(tx: &DatabaseTransaction, told: &[(event::Model, BTreeSet<Uuid>)]) -> Result<(), DbErr> {
    let mut webhooks = entity::Entity::find().filter(entity::Column::Enabled.eq(true));
    if !told.iter().any(|(event, _)| event.public) {
        let audience: BTreeSet<Uuid> = told.iter().flat_map(|(_, audience)| audience.iter().copied()).collect();
        webhooks = webhooks.filter(entity::Column::OrganisationId.is_in(audience));
    }
    let mut rows = Vec::new();
    for webhook in webhooks.all(tx).await? {
        let wanted = told.iter().filter(|(event, audience)| wants(&webhook, event, audience));
        rows.extend(wanted.map(|(event, _)| pending(webhook.id, event)));
    }
    for part in rows.chunks(rows_per_statement(tx, 13)) {
        Entity::insert_many(part.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Whether an event goes to a webhook. A test goes to the one that is tested.
fn wants(webhook: &entity::Model, event: &event::Model, audience: &BTreeSet<Uuid>) -> bool {
    if event.kind == EventType::TestPing.name() {
        return event.subject_id == webhook.id;
    }
    let Types(types) = &webhook.types;
    (event.public || audience.contains(&webhook.organisation_id)) && (types.is_empty() || types.contains(&event.kind))
}

fn pending(webhook: Uuid, event: &event::Model) -> ActiveModel {
    let now = now();
    let row = Model {
        id: Uuid::now_v7(),
        webhook_id: webhook,
        position: event.position,
        subject: format!("{}:{}", event.subject_kind, event.subject_id),
        state: DeliveryState::Pending,
        attempts: 0,
        claim: None,
        due_at: now,
        created_at: now,
        attempted_at: None,
        ended_at: None,
        status: None,
        answer: None,
    };
    row.into_active_model()
}

/// How many deliveries are not over, and since when the oldest of them waits. One query.
pub(crate) async fn depth(db: &impl ConnectionTrait) -> Result<(i64, Option<DateTime<Utc>>), DbErr> {
    let pending = Entity::find()
        .select_only()
        .column_as(Column::Id.count(), "count")
        .column_as(Column::CreatedAt.min(), "oldest")
        .filter(Column::State.eq(DeliveryState::Pending));
    Ok(pending.into_tuple().one(db).await?.unwrap_or_default())
}

/// What was claimed, and when to look again.
#[derive(Default)]
pub(crate) struct Claim {
    /// Deliveries to send.
    pub deliveries: Vec<Model>,
    /// When the next one is due, if any is.
    pub next: Option<DateTime<Utc>>,
}

/// Whether an earlier delivery about the same subject, to the same webhook, is still pending.
fn held_back() -> SelectStatement {
    let column = |table: &'static str, column: &'static str| Expr::col((table, column));
    Query::select()
        .expr(Expr::val(1))
        .from_as("delivery", "earlier")
        .and_where(column("earlier", "state").eq("pending"))
        .and_where(column("earlier", "webhook_id").equals(("delivery", "webhook_id")))
        .and_where(column("earlier", "subject").equals(("delivery", "subject")))
        .and_where(column("earlier", "position").lt(column("delivery", "position")))
        .take()
}

/// Claims up to `room` deliveries that are due, for [`LEASE`]. To no webhook go more than `each` at once, those that `busy` counts
/// included. Those that another replica is claiming are passed over. Two queries.
pub(crate) async fn claim(
    tx: &DatabaseTransaction,
    room: usize,
    each: usize,
    busy: &HashMap<Uuid, usize>,
) -> Result<Claim, DbErr> {
    if room == 0 {
        return Ok(Claim::default());
    }
    let mut busy = busy.clone();
    let full: Vec<Uuid> = busy.iter().filter(|(_, count)| **count >= each).map(|(webhook, _)| *webhook).collect();
    let enabled = entity::Entity::find().select_only().column(entity::Column::Id);
    let enabled = enabled.filter(entity::Column::Enabled.eq(true)).into_query();
    let limit = u64::try_from(room).unwrap_or(u64::MAX);
    let rows = Entity::find()
        .filter(Column::State.eq(DeliveryState::Pending))
        .filter(Column::WebhookId.in_subquery(enabled))
        .filter(Column::WebhookId.is_not_in(full))
        .filter(Expr::exists(held_back()).not())
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Position)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let now = now();
    let mut claim = Claim::default();
    for row in rows.all(tx).await? {
        let count = busy.entry(row.webhook_id).or_default();
        if row.due_at > now || *count >= each {
            // A webhook that has become full leaves room for others, which may be due at once: it is passed over from now on.
            let again = Ord::max(row.due_at, now);
            claim.next = Some(claim.next.map_or(again, |next| Ord::min(next, again)));
            continue;
        }
        *count += 1;
        claim.deliveries.push(row);
    }
    if !claim.deliveries.is_empty() {
        let token = Uuid::new_v4();
        let set = ActiveModel {
            claim: Set(Some(token)),
            due_at: Set(now + LEASE),
            attempted_at: Set(Some(now)),
            ..Default::default()
        };
        Entity::update_many()
            .set(set)
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::Id.is_in(claim.deliveries.iter().map(|row| row.id)))
            .exec(tx)
            .await?;
        for row in &mut claim.deliveries {
            (row.claim, row.attempts) = (Some(token), row.attempts + 1);
        }
    }
    Ok(claim)
}

/// What came of an attempt.
pub(crate) struct Outcome {
    /// Where the delivery stands since.
    pub state: DeliveryState,
    /// When to try again, if it is pending.
    pub due_at: DateTime<Utc>,
    /// HTTP status.
    pub status: Option<i16>,
    /// The beginning of the answer, or why there was none.
    pub answer: String,
}

/// Writes down what came of an attempt, if nobody else has claimed the delivery since. One query.
pub(crate) async fn record(
    db: &impl ConnectionTrait,
    id: Uuid,
    claim: Option<Uuid>,
    outcome: Outcome,
) -> Result<(), DbErr> {
    let Outcome { state, due_at, status, answer } = outcome;
    let row = ActiveModel {
        state: Set(state),
        claim: Set(None),
        due_at: Set(due_at),
        ended_at: Set((state != DeliveryState::Pending).then(now)),
        status: Set(status),
        answer: Set(Some(answer).filter(|text| !text.is_empty())),
        ..Default::default()
    };
    let own = Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::Claim.eq(claim));
    own.exec(db).await?;
    Ok(())
}

/// A delivery as it is when it is to be sent anew.
fn anew() -> ActiveModel {
    ActiveModel {
        state: Set(DeliveryState::Pending),
        attempts: Set(0),
        claim: Set(None),
        due_at: Set(now()),
        ended_at: Set(None),
        ..Default::default()
    }
}

/// Sends a delivery anew; `false` where there is none. One query.
pub(crate) async fn replay(db: &impl ConnectionTrait, webhook: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let it = Entity::update_many().set(anew()).filter(Column::Id.eq(id)).filter(Column::WebhookId.eq(webhook));
    Ok(it.exec(db).await?.rows_affected == 1)
}

/// Locks deliveries, in the order in which everybody does. One query.
pub(crate) async fn lock(db: &impl ConnectionTrait, which: Condition) -> Result<(), DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(which).order_by_asc(Column::Id);
    let _: Vec<Uuid> = ids.lock_exclusive().into_tuple().all(db).await?;
    Ok(())
}

/// Sends anew, or for the first time, these events to a webhook, in their order; gives how many. Three queries for some hundreds.
pub(crate) async fn replay_all(
    db: &impl ConnectionTrait,
    webhook: Uuid,
    events: &[event::Model],
) -> Result<u64, DbErr> {
    if let Some(first) = events.first() {
        let later = Condition::all().add(Column::WebhookId.eq(webhook)).add(Column::Position.gte(first.position));
        lock(db, later).await?;
    }
    for part in events.chunks(rows_per_statement(db, 13)) {
        let positions = part.iter().map(|event| event.position);
        let known = Condition::all().add(Column::WebhookId.eq(webhook)).add(Column::Position.is_in(positions));
        Entity::update_many().set(anew()).filter(known).exec(db).await?;
        let keep = OnConflict::columns([Column::WebhookId, Column::Position]).do_nothing().to_owned();
        let rows = part.iter().map(|event| pending(webhook, event));
        Entity::insert_many(rows).on_conflict(keep).exec_without_returning(db).await?;
    }
    Ok(u64::try_from(events.len()).unwrap_or(u64::MAX))
}

/// Up to `slice.limit` deliveries to a webhook, by id, with their events. Two queries.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    webhook: Uuid,
    state: Option<DeliveryState>,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<Delivery>, DbErr> {
    let mut rows = Entity::find().filter(Column::WebhookId.eq(webhook)).order_by_asc(Column::Id).limit(slice.limit);
    if let Some(state) = state {
        rows = rows.filter(Column::State.eq(state));
    }
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    views(db, rows.all(db).await?).await
}

/// A delivery to a webhook. Two queries.
pub(crate) async fn find(db: &impl ConnectionTrait, webhook: Uuid, id: Uuid) -> Result<Option<Delivery>, DbErr> {
    let row = Entity::find_by_id(id).filter(Column::WebhookId.eq(webhook)).one(db).await?;
    Ok(views(db, row.into_iter().collect()).await?.pop())
}

async fn views(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Delivery>, DbErr> {
    let mut events = crate::events::store::at(db, rows.iter().map(|row| row.position)).await?;
    let view = |row: Model| {
        let Model {
            id,
            webhook_id: webhook,
            position,
            subject: _,
            state,
            attempts,
            claim: _,
            due_at,
            created_at: _,
            attempted_at,
            ended_at,
            status,
            answer,
        } = row;
        let due_at = (state == DeliveryState::Pending).then_some(due_at);
        let event = events.remove(&position)?;
        Some(Delivery { id, webhook, event, state, attempts, due_at, attempted_at, ended_at, status, answer })
    };
    Ok(rows.into_iter().filter_map(view).collect())
}

/// Forgets deliveries that ended long ago, and those to webhooks that are gone. Four queries.
pub(crate) async fn forget(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    let known = entity::Entity::find().select_only().column(entity::Column::Id).into_query();
    let of_none = Condition::all().add(Column::WebhookId.not_in_subquery(known));
    for which in [Condition::all().add(Column::EndedAt.lt(now() - KEPT)), of_none] {
        lock(tx, which.clone()).await?;
        Entity::delete_many().filter(which).exec(tx).await?;
    }
    Ok(())
}
