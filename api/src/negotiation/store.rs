//! Queries on change requests.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::ChangeRequest;
use super::entity::{ActiveModel, Column, Entity, Model};
use crate::page::Slice;

/// A row as the API shows it.
#[must_use]
pub fn view(row: Model) -> ChangeRequest {
    let Model {
        id,
        call_id: call,
        organisation_id: _,
        bid_id: bid,
        asked_by,
        asked_at,
        due_at,
        text,
        answered_by,
        answered_at,
    } = row;
    ChangeRequest { id, bid, call, asked_by, asked_at, due_at, text, answered_by, answered_at }
}

/// Up to `slice.limit` of what was asked of a bidder on a call, by id. One query.
pub async fn page(
    db: &impl ConnectionTrait,
    call: Uuid,
    bidder: Uuid,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<ChangeRequest>, DbErr> {
    let mut rows = Entity::find()
        .filter(Column::CallId.eq(call))
        .filter(Column::OrganisationId.eq(bidder))
        .order_by_asc(Column::Id)
        .limit(slice.limit);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    Ok(rows.all(db).await?.into_iter().map(view).collect())
}

/// What was asked about a bid and is not answered, whether or not there is time left. One query.
pub async fn open(db: &impl ConnectionTrait, bid: Uuid) -> Result<Option<ChangeRequest>, DbErr> {
    let open = Column::BidId.eq(bid).and(Column::AnsweredBy.is_null());
    Ok(Entity::find().filter(open).one(db).await?.map(view))
}

/// Whether a bidder on a call still has time to answer something. One query.
pub async fn is_waiting(db: &impl ConnectionTrait, call: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let waiting = Column::CallId.eq(call).and(Column::AnsweredBy.is_null()).and(Column::DueAt.gt(now));
    Ok(Entity::find().filter(waiting).one(db).await?.is_some())
}

/// Writes a request, in the place of one about the same bid whose time has passed. Two queries.
pub async fn insert(db: &impl ConnectionTrait, bidder: Uuid, new: &ChangeRequest) -> Result<(), DbErr> {
    let missed = Column::BidId.eq(new.bid).and(Column::AnsweredBy.is_null()).and(Column::DueAt.lte(new.asked_at));
    // The bid itself stays as the answer to what it did not answer in time.
    let kept = ActiveModel { answered_by: Set(Some(new.bid)), ..Default::default() };
    Entity::update_many().set(kept).filter(missed).exec(db).await?;
    let ChangeRequest { id, bid, call, asked_by, asked_at, due_at, text, answered_by, answered_at } = new.clone();
    let row = Model {
        id,
        call_id: call,
        organisation_id: bidder,
        bid_id: bid,
        asked_by,
        asked_at,
        due_at,
        text,
        answered_by,
        answered_at,
    };
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await?;
    Ok(())
}

/// Notes which bid answers a request. One query.
pub async fn answer(db: &impl ConnectionTrait, id: Uuid, bid: Uuid, at: DateTime<Utc>) -> Result<(), DbErr> {
    let row = ActiveModel { answered_by: Set(Some(bid)), answered_at: Set(Some(at)), ..Default::default() };
    Entity::update_many().set(row).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Waits no longer for an answer about a bid that does not stand any more, which stays as it was. One query.
pub async fn drop(db: &impl ConnectionTrait, bid: Uuid) -> Result<(), DbErr> {
    let kept = ActiveModel { answered_by: Set(Some(bid)), ..Default::default() };
    let open = Column::BidId.eq(bid).and(Column::AnsweredBy.is_null());
    Entity::update_many().set(kept).filter(open).exec(db).await?;
    Ok(())
}
