//! Queries on what was filed.

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model};
use crate::bids::BidState;
use crate::bids::entity as bid;

/// Notes which version of which consortium a bid is. One query.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await?;
    Ok(())
}

/// What was filed as a bid; nothing where no consortium filed it. One query.
pub async fn of_bid(db: &impl ConnectionTrait, bid: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(bid).one(db).await
}

/// The bid of a consortium that stands. Two queries.
pub async fn standing(db: &impl ConnectionTrait, consortium: Uuid) -> Result<Option<bid::Model>, DbErr> {
    let rows = Entity::find().filter(Column::ConsortiumId.eq(consortium)).order_by_desc(Column::BidId).all(db).await?;
    let ids = rows.into_iter().map(|row| row.bid_id);
    let standing = bid::Column::Id.is_in(ids).and(bid::Column::State.eq(BidState::Received));
    bid::Entity::find().filter(standing).one(db).await
}

/// The consortia whose bids on a call stand, with these bids. Two queries.
pub async fn of_call(db: &impl ConnectionTrait, call: Uuid) -> Result<Vec<Model>, DbErr> {
    let standing = bid::Column::CallId.eq(call).and(bid::Column::State.eq(BidState::Received));
    let bids = bid::Entity::find().filter(standing).all(db).await?;
    let ids = bids.into_iter().map(|row| row.id);
    Entity::find().filter(Column::BidId.is_in(ids)).order_by_asc(Column::BidId).all(db).await
}

/// Whether the bid of an organisation on a call that stands is that of a consortium. Two queries.
pub async fn holds(db: &impl ConnectionTrait, call: Uuid, organisation: Uuid) -> Result<bool, DbErr> {
    let own = bid::Column::CallId.eq(call).and(bid::Column::OrganisationId.eq(organisation));
    let standing = own.and(bid::Column::State.eq(BidState::Received));
    let Some(row) = bid::Entity::find().filter(standing).one(db).await? else { return Ok(false) };
    Ok(of_bid(db, row.id).await?.is_some())
}
