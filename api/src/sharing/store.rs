//! Queries on who has agreed.

use std::collections::BTreeSet;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model};
use crate::database::now;

/// Who has agreed for a version of a plan. One query.
pub async fn agreed(db: &impl ConnectionTrait, consortium: Uuid, plan: i64) -> Result<BTreeSet<Uuid>, DbErr> {
    let these = Column::ConsortiumId.eq(consortium).and(Column::Plan.eq(plan));
    let ids = Entity::find().select_only().column(Column::OrganisationId).filter(these);
    Ok(ids.into_tuple::<Uuid>().all(db).await?.into_iter().collect())
}

/// Notes that a member agrees; again changes nothing. One query.
pub async fn agree(db: &impl ConnectionTrait, consortium: Uuid, plan: i64, organisation: Uuid) -> Result<(), DbErr> {
    let row = Model { consortium_id: consortium, plan, organisation_id: organisation, created_at: now() };
    let key = [Column::ConsortiumId, Column::Plan, Column::OrganisationId];
    let keep = OnConflict::columns(key).do_nothing().to_owned();
    Entity::insert(ActiveModel::from(row)).on_conflict(keep).exec_without_returning(db).await?;
    Ok(())
}

/// Takes back what a member has agreed to, for every version. One query.
pub async fn take_back(db: &impl ConnectionTrait, consortium: Uuid, organisation: Uuid) -> Result<(), DbErr> {
    let own = Column::ConsortiumId.eq(consortium).and(Column::OrganisationId.eq(organisation));
    Entity::delete_many().filter(own).exec(db).await?;
    Ok(())
}
