//! Queries on bids, on who evaluates them, and on their opening.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, evaluator, opening};
use super::seal::{Ciphertext, DataKey};
use super::{Bid, BidOpening, BidReceipt, BidState, CallEvaluator, Seal, SealedBid};
use crate::access::{Caller, Role};
use crate::calls;
use crate::database::now;
use crate::identity::entity::membership;
use crate::page::Slice;

/// Makes others that take, withdraw or open bids of this call wait until this transaction ends. One query.
pub async fn lock(tx: &impl ConnectionTrait, call: Uuid) -> Result<(), DbErr> {
    calls::entity::Entity::find_by_id(call).lock_exclusive().one(tx).await?;
    Ok(())
}

/// The bids of a call that somebody may read: those of their own organisations, and those that stand where they evaluate.
fn readable(caller: &Caller, evaluates: bool) -> Condition {
    let own = caller.owns(Column::OrganisationId);
    if evaluates { own.add(Column::State.eq(BidState::Received)) } else { own }
}

/// Up to `slice.limit` bids of a call that somebody may read, by id. One query.
pub async fn page(
    db: &impl ConnectionTrait,
    caller: &Caller,
    evaluates: bool,
    call: Uuid,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<Model>, DbErr> {
    let mut rows = Entity::find()
        .filter(Column::CallId.eq(call))
        .filter(readable(caller, evaluates))
        .order_by_asc(Column::Id)
        .limit(slice.limit);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    rows.all(db).await
}

/// The organisations whose bid on a call stands. One query.
pub async fn standing(db: &impl ConnectionTrait, call: Uuid) -> Result<Vec<Uuid>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::OrganisationId)
        .filter(Column::CallId.eq(call))
        .filter(Column::State.eq(BidState::Received))
        .into_tuple()
        .all(db)
        .await
}

/// A bid, whoever asks. One query.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// A bid, if the caller may read it. One query.
pub async fn find_readable(
    db: &impl ConnectionTrait,
    caller: &Caller,
    evaluates: bool,
    id: Uuid,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).filter(readable(caller, evaluates)).one(db).await
}

/// The states of the bids of an organisation on a call. One query.
pub(crate) async fn states_of(
    db: &impl ConnectionTrait,
    call: Uuid,
    organisation: Uuid,
) -> Result<Vec<BidState>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::State)
        .filter(Column::CallId.eq(call))
        .filter(Column::OrganisationId.eq(organisation))
        .into_tuple()
        .all(db)
        .await
}

/// Writes a bid in the place of the one of the same organisation that stands, if there is one. Two queries.
pub async fn insert(db: &impl ConnectionTrait, receipt: &BidReceipt, sealed: Ciphertext) -> Result<(), DbErr> {
    let BidReceipt { id, call, call_version, organisation, state, received_at, ended_at, digest } = receipt.clone();
    let before = Condition::all().add(Column::CallId.eq(call)).add(Column::OrganisationId.eq(organisation));
    end(db, before, BidState::Superseded, received_at).await?;
    let row = Model {
        id,
        call_id: call,
        call_version,
        organisation_id: organisation,
        state,
        received_at,
        ended_at,
        digest,
        nonce: sealed.nonce,
        ciphertext: sealed.bytes,
    };
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await?;
    Ok(())
}

/// Withdraws a bid; `false` where it does not stand any more. One query.
pub async fn withdraw(db: &impl ConnectionTrait, id: Uuid, at: DateTime<Utc>) -> Result<bool, DbErr> {
    let it = Condition::all().add(Column::Id.eq(id));
    Ok(end(db, it, BidState::Withdrawn, at).await? == 1)
}

async fn end(db: &impl ConnectionTrait, which: Condition, state: BidState, at: DateTime<Utc>) -> Result<u64, DbErr> {
    let row = ActiveModel { state: Set(state), ended_at: Set(Some(at)), ..Default::default() };
    let standing = Entity::update_many().set(row).filter(which).filter(Column::State.eq(BidState::Received));
    Ok(standing.exec(db).await?.rows_affected)
}

/// A row and what it holds, as the API shows them. A broken seal is told in the log, by the id of the bid.
pub fn view(row: Model, key: Option<&DataKey>) -> Bid {
    let Model {
        id,
        call_id: call,
        call_version,
        organisation_id: organisation,
        state,
        received_at,
        ended_at,
        digest,
        nonce,
        ciphertext,
    } = row;
    let receipt = BidReceipt { id, call, call_version, organisation, state, received_at, ended_at, digest };
    let sealed: Option<SealedBid> = key.and_then(|key| key.open(&receipt, &Ciphertext { nonce, bytes: ciphertext }));
    if sealed.is_none() {
        tracing::error!(bid = %id, "the seal of a bid is broken: it is not what was received");
    }
    let seal = if sealed.is_some() { Seal::Intact } else { Seal::Broken };
    Bid { receipt, seal, sealed }
}

/// Whether a person opens and reads the bids of a call: it names them, or they are an owner of its funder; and they belong to no
/// organisation whose bid stands. Two queries.
pub async fn evaluates(db: &impl ConnectionTrait, call: Uuid, funder: Uuid, person: Uuid) -> Result<bool, DbErr> {
    let memberships = membership::Entity::find().filter(membership::Column::PersonId.eq(person)).all(db).await?;
    let owns = memberships.iter().any(|own| own.organisation_id == funder && own.role == Role::Owner);
    if !owns && find_evaluator(db, call, person).await?.is_none() {
        return Ok(false);
    }
    let theirs = memberships.into_iter().map(|own| own.organisation_id);
    let competes = Entity::find()
        .filter(Column::CallId.eq(call))
        .filter(Column::State.eq(BidState::Received))
        .filter(Column::OrganisationId.is_in(theirs));
    Ok(competes.one(db).await?.is_none())
}

/// How far the opening of the bids of a call is. One query.
pub async fn opening(db: &impl ConnectionTrait, call: Uuid) -> Result<Option<BidOpening>, DbErr> {
    let row = opening::Entity::find_by_id(call).one(db).await?;
    Ok(row.map(|row| {
        let opening::Model { call_id: call, asked_by, asked_at, opened_by, opened_at } = row;
        BidOpening { call, asked_by, asked_at, opened_by, opened_at }
    }))
}

/// Writes how far the opening is. One query.
pub async fn keep_opening(db: &impl ConnectionTrait, opening: &BidOpening) -> Result<(), DbErr> {
    let BidOpening { call, asked_by, asked_at, opened_by, opened_at } = opening.clone();
    let row = opening::Model { call_id: call, asked_by, asked_at, opened_by, opened_at };
    let columns =
        [opening::Column::AskedBy, opening::Column::AskedAt, opening::Column::OpenedBy, opening::Column::OpenedAt];
    let replace = OnConflict::column(opening::Column::CallId).update_columns(columns).to_owned();
    opening::Entity::insert(opening::ActiveModel::from(row)).on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "a view takes the place of its row")]
fn evaluator_view(row: evaluator::Model) -> CallEvaluator {
    let evaluator::Model { call_id: call, person_id: person, created_at } = row;
    CallEvaluator { call, person, created_at }
}

/// Up to `slice.limit` people whom a call names, by id. One query.
pub async fn evaluators(
    db: &impl ConnectionTrait,
    call: Uuid,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<CallEvaluator>, DbErr> {
    let mut rows = evaluator::Entity::find()
        .filter(evaluator::Column::CallId.eq(call))
        .order_by_asc(evaluator::Column::PersonId)
        .limit(slice.limit);
    if let Some(after) = after {
        rows = rows.filter(evaluator::Column::PersonId.gt(after));
    }
    Ok(rows.all(db).await?.into_iter().map(evaluator_view).collect())
}

/// Somebody whom a call names. One query.
pub async fn find_evaluator(
    db: &impl ConnectionTrait,
    call: Uuid,
    person: Uuid,
) -> Result<Option<CallEvaluator>, DbErr> {
    Ok(evaluator::Entity::find_by_id((call, person)).one(db).await?.map(evaluator_view))
}

/// Names somebody; `false` where the call does already. One query.
pub async fn insert_evaluator(db: &impl ConnectionTrait, call: Uuid, person: Uuid) -> Result<bool, DbErr> {
    let row = evaluator::ActiveModel { call_id: Set(call), person_id: Set(person), created_at: Set(now()) };
    let keep = OnConflict::columns([evaluator::Column::CallId, evaluator::Column::PersonId]).do_nothing().to_owned();
    Ok(evaluator::Entity::insert(row).on_conflict(keep).exec_without_returning(db).await? == 1)
}

/// Names somebody no longer; `false` where the call did not. One query.
pub async fn delete_evaluator(db: &impl ConnectionTrait, call: Uuid, person: Uuid) -> Result<bool, DbErr> {
    Ok(evaluator::Entity::delete_by_id((call, person)).exec(db).await?.rows_affected == 1)
}
