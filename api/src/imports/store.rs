//! Queries on imports, their faults, and places.

use std::collections::BTreeMap;

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, fault};
use super::{Import, ImportKind, ImportSummary, RowFault, place};
use crate::database::{now, rows_per_statement};
use crate::page::Slice;

fn view(row: Model) -> Import {
    let Model { id, kind, digest, summary, created_at } = row;
    Import { id, kind, digest, summary, created_at }
}

/// Records an import with its faults. One query, and one per thousand faults.
pub async fn insert(
    db: &impl ConnectionTrait,
    kind: ImportKind,
    digest: &str,
    summary: ImportSummary,
    faults: &[RowFault],
) -> Result<Import, DbErr> {
    let id = Uuid::now_v7();
    let row = ActiveModel {
        id: Set(id),
        kind: Set(kind),
        digest: Set(digest.to_owned()),
        summary: Set(summary),
        created_at: Set(now()),
    };
    let import = view(Entity::insert(row).exec_with_returning(db).await?);
    let rows: Vec<fault::ActiveModel> = (1..).zip(faults).map(|(position, own)| fault_row(id, position, own)).collect();
    for rows in rows.chunks(rows_per_statement(db, 8)) {
        fault::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    Ok(import)
}

fn fault_row(import: Uuid, position: i32, own: &RowFault) -> fault::ActiveModel {
    fault::ActiveModel {
        import_id: Set(import),
        position: Set(position),
        line: Set(i32::try_from(own.line).unwrap_or(i32::MAX)),
        field: Set(own.field.clone()),
        value: Set(own.value.clone()),
        problem: Set(own.problem.code().to_owned()),
        message: Set(own.message.clone()),
        action: Set(json!(own.action).as_str().unwrap_or_default().to_owned()),
    }
}

/// One import. One query.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Import>, DbErr> {
    Ok(Entity::find_by_id(id).one(db).await?.map(view))
}

/// Up to `slice.limit` imports, by id. One query.
pub async fn page(db: &impl ConnectionTrait, slice: &Slice, after: Option<Uuid>) -> Result<Vec<Import>, DbErr> {
    let mut query = Entity::find().order_by_asc(Column::Id);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    Ok(query.limit(slice.limit).all(db).await?.into_iter().map(view).collect())
}

/// Up to `slice.limit` faults of an import with their positions, in the order of the file. One query.
///
/// # Errors
/// A stored word that is no longer known.
pub async fn faults(
    db: &impl ConnectionTrait,
    import: Uuid,
    slice: &Slice,
    after: Option<i32>,
) -> Result<Vec<(i32, RowFault)>, DbErr> {
    let rows = fault::Entity::find()
        .filter(fault::Column::ImportId.eq(import))
        .filter(fault::Column::Position.gt(after.unwrap_or(0)))
        .order_by_asc(fault::Column::Position)
        .limit(slice.limit)
        .all(db)
        .await?;
    rows.into_iter().map(|row| Ok((row.position, fault_view(row)?))).collect()
}

fn fault_view(row: fault::Model) -> Result<RowFault, DbErr> {
    let fault::Model { import_id: _, position: _, line, field, value, problem, message, action } = row;
    let unreadable = |error: serde_json::Error| DbErr::Json(error.to_string());
    Ok(RowFault {
        line: u64::try_from(line).unwrap_or(0),
        field,
        value,
        problem: serde_json::from_value(Value::String(problem)).map_err(unreadable)?,
        message,
        action: serde_json::from_value(Value::String(action)).map_err(unreadable)?,
    })
}

/// Every place, by its key. One query.
pub async fn places(db: &impl ConnectionTrait) -> Result<BTreeMap<String, place::Model>, DbErr> {
    let rows = place::Entity::find().all(db).await?;
    Ok(rows.into_iter().map(|row| (row.import_key.clone(), row)).collect())
}

/// Writes new places. One query per thousand.
pub async fn insert_places(db: &impl ConnectionTrait, rows: Vec<place::Model>) -> Result<(), DbErr> {
    for rows in rows.chunks(rows_per_statement(db, 14)) {
        let rows = rows.iter().cloned().map(|row| place::ActiveModel::from(row).reset_all());
        place::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Writes a place that has changed. One query.
pub async fn update_place(db: &impl ConnectionTrait, row: place::Model) -> Result<(), DbErr> {
    let id = row.id;
    let row = place::ActiveModel::from(row).reset_all();
    place::Entity::update_many().set(row).filter(place::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}
