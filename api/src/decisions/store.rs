//! Queries on decisions.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model};
use super::{Decision, Lots};
use crate::page::Slice;

fn view(row: Model) -> Decision {
    let Model {
        id,
        call_id: call,
        number,
        replaces_id: replaces,
        decided_by,
        decided_at,
        tell_at,
        told_at,
        lots: Lots(lots),
    } = row;
    Decision { id, call, number, replaces, decided_by, decided_at, tell_at, told_at, lots }
}

/// The decision on a call that stands. One query.
pub async fn latest(db: &impl ConnectionTrait, call: Uuid) -> Result<Option<Decision>, DbErr> {
    let rows = Entity::find().filter(Column::CallId.eq(call)).order_by_desc(Column::Number);
    Ok(rows.one(db).await?.map(view))
}

/// The last decision on a call that has been told. One query.
pub async fn told(db: &impl ConnectionTrait, call: Uuid) -> Result<Option<Decision>, DbErr> {
    let rows = Entity::find().filter(Column::CallId.eq(call)).filter(Column::ToldAt.is_not_null());
    Ok(rows.order_by_desc(Column::Number).one(db).await?.map(view))
}

/// Up to `slice.limit` decisions on a call, by number. One query.
pub async fn page(
    db: &impl ConnectionTrait,
    call: Uuid,
    slice: &Slice,
    after: Option<i64>,
) -> Result<Vec<Decision>, DbErr> {
    let mut rows = Entity::find().filter(Column::CallId.eq(call)).order_by_asc(Column::Number).limit(slice.limit);
    if let Some(after) = after {
        rows = rows.filter(Column::Number.gt(after));
    }
    Ok(rows.all(db).await?.into_iter().map(view).collect())
}

/// Writes a decision. One query.
pub async fn insert(db: &impl ConnectionTrait, decision: &Decision) -> Result<(), DbErr> {
    let Decision { id, call, number, replaces, decided_by, decided_at, tell_at, told_at, lots } = decision.clone();
    let row = Model {
        id,
        call_id: call,
        number,
        replaces_id: replaces,
        decided_by,
        decided_at,
        tell_at,
        told_at,
        lots: Lots(lots),
    };
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await?;
    Ok(())
}

/// The calls with a decision whose moment has come and that has not been told, the earliest first. One query.
pub async fn due(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    let due = Column::ToldAt.is_null().and(Column::TellAt.lte(now));
    let rows = Entity::find().select_only().column(Column::CallId).filter(due).order_by_asc(Column::TellAt);
    rows.into_tuple().all(db).await
}

/// Notes that the decisions on a call up to one have been told: those that it replaces are not told any more. One query.
pub async fn tell(db: &impl ConnectionTrait, decision: &Decision, at: DateTime<Utc>) -> Result<(), DbErr> {
    let row = ActiveModel { told_at: Set(Some(at)), ..Default::default() };
    let these = Column::CallId.eq(decision.call).and(Column::Number.lte(decision.number));
    Entity::update_many().set(row).filter(these).filter(Column::ToldAt.is_null()).exec(db).await?;
    Ok(())
}
