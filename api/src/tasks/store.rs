//! Queries on recurring tasks. All times are those of the database's clock.

use chrono::{DateTime, TimeDelta};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::entity::{ActiveModel, Column, Entity};
use crate::database::instant;

/// Writes down a task that nobody has ever done: it is due. One query.
pub(super) async fn know(db: &impl ConnectionTrait, name: &'static str) -> Result<(), DbErr> {
    let (next_at, lease_until) = (Set(DateTime::UNIX_EPOCH), Set(None));
    let row = ActiveModel { name: Set(name.to_owned()), next_at, lease_until, fence: Set(0) };
    let keep_first = OnConflict::column(Column::Name).do_nothing().to_owned();
    Entity::insert(row).on_conflict(keep_first).exec_without_returning(db).await?;
    Ok(())
}

/// Takes a task that is due and that nobody does; the number of the lease. One query where it is not due.
pub(super) async fn take(
    db: &impl ConnectionTrait,
    name: &'static str,
    lease: TimeDelta,
) -> Result<Option<i64>, DbErr> {
    let backend = db.get_database_backend();
    let now = || instant(backend, TimeDelta::zero());
    let is_free = Condition::any().add(Column::LeaseUntil.is_null()).add(Expr::col(Column::LeaseUntil).lte(now()));
    let due = Condition::all().add(Column::Name.eq(name)).add(Expr::col(Column::NextAt).lte(now())).add(is_free);
    let Some(row) = Entity::find().filter(due.clone()).one(db).await? else { return Ok(None) };
    let fence = row.fence + 1;
    let taken = Entity::update_many()
        .col_expr(Column::LeaseUntil, instant(backend, lease))
        .col_expr(Column::Fence, Expr::val(fence))
        .filter(due)
        .filter(Column::Fence.eq(row.fence))
        .exec(db)
        .await?;
    Ok((taken.rows_affected == 1).then_some(fence))
}

/// Says that a task is done, and when it is due again, if nobody else has taken it meanwhile. One query.
pub(super) async fn done(
    db: &impl ConnectionTrait,
    name: &'static str,
    fence: i64,
    pause: TimeDelta,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(ActiveModel { lease_until: Set(None), ..Default::default() })
        .col_expr(Column::NextAt, instant(db.get_database_backend(), pause))
        .filter(Column::Name.eq(name))
        .filter(Column::Fence.eq(fence))
        .exec(db)
        .await?;
    Ok(())
}
