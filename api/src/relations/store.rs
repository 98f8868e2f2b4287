//! Queries on relations.

use std::collections::BTreeSet;

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::{Expr, Func, OnConflict, Value};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model};
use super::{NewRelation, Relation};
use crate::database::{now, rows_per_statement};
use crate::page::Slice;

/// The relation as the API shows it.
#[must_use]
pub fn view(row: Model) -> Relation {
    let Model { id, version, created_at, updated_at, a_id: a, b_id: b, kind, strength_percent, source, since, until } =
        row;
    let value = NewRelation { a, b, kind, strength_percent, source, since, until };
    Relation { id, version, created_at, updated_at, value }
}

/// Up to `slice.limit` relations, of one organisation or of all, by id. One query.
pub async fn page(
    db: &impl ConnectionTrait,
    organisation: Option<Uuid>,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<Relation>, DbErr> {
    let mut query = Entity::find().order_by_asc(Column::Id);
    if let Some(id) = organisation {
        query = query.filter(Column::AId.eq(id).or(Column::BId.eq(id)));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    Ok(query.limit(slice.limit).all(db).await?.into_iter().map(view).collect())
}

/// Every relation, by id. One query.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Relation>, DbErr> {
    Ok(Entity::find().order_by_asc(Column::Id).all(db).await?.into_iter().map(view).collect())
}

/// The relations between some organisations, by id. One query per few thousand of them.
pub async fn among(db: &impl ConnectionTrait, organisations: &[Uuid]) -> Result<Vec<Relation>, DbErr> {
    let there: BTreeSet<Uuid> = organisations.iter().copied().collect();
    let mut found = Vec::new();
    for chunk in organisations.chunks(rows_per_statement(db, 1)) {
        let from = Entity::find().filter(Column::AId.is_in(chunk.iter().copied()));
        found.extend(from.all(db).await?.into_iter().filter(|row| there.contains(&row.b_id)));
    }
    found.sort_unstable_by_key(|row| row.id);
    Ok(found.into_iter().map(view).collect())
}

/// One relation. One query.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Relation>, DbErr> {
    Ok(Entity::find_by_id(id).one(db).await?.map(view))
}

/// The columns that a client writes; the smaller id first.
fn columns(new: &NewRelation) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        version: NotSet,
        created_at: NotSet,
        updated_at: NotSet,
        a_id: Set(Ord::min(new.a, new.b)),
        b_id: Set(Ord::max(new.a, new.b)),
        kind: Set(new.kind),
        strength_percent: Set(new.strength_percent),
        source: Set(new.source.clone()),
        since: Set(new.since),
        until: Set(new.until),
    }
}

/// Writes a relation that does not exist. One query.
pub async fn insert(db: &impl ConnectionTrait, new: &NewRelation) -> Result<Relation, DbErr> {
    let now = now();
    let row = ActiveModel {
        id: Set(Uuid::now_v7()),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        ..columns(new)
    };
    Ok(view(Entity::insert(row).exec_with_returning(db).await?))
}

/// Writes a relation, or makes the one of this kind between these two stronger by so many points, up to 100. What stands there already is
/// kept, but for a last day: it goes on. One query, so that of two writers neither is lost.
pub async fn strengthen(db: &impl ConnectionTrait, new: &NewRelation, points: i16) -> Result<Relation, DbErr> {
    let now = now();
    let row = ActiveModel {
        id: Set(Uuid::now_v7()),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        ..columns(new)
    };
    let own = |column: Column| Expr::col((Entity, column));
    let stronger = Expr::case(own(Column::StrengthPercent).gt(100 - points), 100)
        .finally(own(Column::StrengthPercent).add(points));
    let open = |column: Column, value: Value| Func::coalesce([own(column), Expr::val(value)]);
    let conflict = OnConflict::columns([Column::AId, Column::BId, Column::Kind])
        .value(Column::StrengthPercent, stronger)
        .value(Column::Version, own(Column::Version).add(1))
        .value(Column::UpdatedAt, now)
        .value(Column::Source, open(Column::Source, new.source.clone().into()))
        .value(Column::Since, open(Column::Since, new.since.into()))
        .value(Column::Until, Expr::val(Option::<chrono::NaiveDate>::None))
        .to_owned();
    Ok(view(Entity::insert(row).on_conflict(conflict).exec_with_returning(db).await?))
}

/// Replaces the given version; `false` where it is gone or has changed. One query.
pub async fn replace(db: &impl ConnectionTrait, id: Uuid, new: &NewRelation, version: i64) -> Result<bool, DbErr> {
    let row = ActiveModel { version: Set(version + 1), updated_at: Set(now()), ..columns(new) };
    let done =
        Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(db).await?;
    Ok(done.rows_affected == 1)
}

/// Deletes the given version; `false` where it is gone or has changed. One query.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid, version: i64) -> Result<bool, DbErr> {
    let done = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(db).await?;
    Ok(done.rows_affected == 1)
}
