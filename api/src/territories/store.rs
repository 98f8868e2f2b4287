//! Queries on territories.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::{ActiveModel, Column, Entity, Model};
use super::{NewTerritory, Territory, TerritoryKind};
use crate::database::{now, rows_per_statement};
use crate::fold::fold;
use crate::page::Slice;

/// The territory as the API shows it.
#[must_use]
pub fn view(row: Model) -> Territory {
    let Model {
        code,
        name,
        search_name: _,
        kind,
        parent_code: parent,
        population,
        latitude,
        longitude,
        indicators,
        version,
        updated_at,
    } = row;
    let value = NewTerritory { name, kind, parent, population, latitude, longitude, indicators };
    Territory { code, version, updated_at, value }
}

/// What a list of territories may be narrowed by.
#[derive(Default)]
pub struct Filter {
    /// Just below this one.
    pub parent: Option<String>,
    /// Of this level.
    pub kind: Option<TerritoryKind>,
    /// Whose folded name begins so.
    pub name: Option<String>,
}

/// Up to `slice.limit` territories, by code. One query.
pub async fn page(db: &impl ConnectionTrait, filter: &Filter, slice: &Slice) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().order_by_asc(Column::Code);
    if let Some(parent) = &filter.parent {
        query = query.filter(Column::ParentCode.eq(parent));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(Column::Kind.eq(kind));
    }
    if let Some(name) = &filter.name {
        query = query.filter(Column::SearchName.starts_with(name));
    }
    if let Some(after) = &slice.after {
        query = query.filter(Column::Code.gt(after));
    }
    query.limit(slice.limit).all(db).await
}

/// Every territory, by code. One query.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Code).all(db).await
}

/// One territory. One query.
pub async fn find(db: &impl ConnectionTrait, code: &str) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(code.to_owned()).one(db).await
}

/// Which of these codes exist. One query per few thousand codes.
pub async fn existing<'a>(
    db: &impl ConnectionTrait,
    codes: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<String>, DbErr> {
    let codes: Vec<String> = codes.into_iter().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect();
    let mut found = BTreeSet::new();
    for chunk in codes.chunks(rows_per_statement(db, 1)) {
        let rows: Vec<String> = Entity::find()
            .select_only()
            .column(Column::Code)
            .filter(Column::Code.is_in(chunk))
            .into_tuple()
            .all(db)
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// What some territories are called, by code. One query.
pub async fn names(db: &impl ConnectionTrait, codes: BTreeSet<&str>) -> Result<BTreeMap<String, String>, DbErr> {
    let rows: Vec<(String, String)> = Entity::find()
        .select_only()
        .columns([Column::Code, Column::Name])
        .filter(Column::Code.is_in(codes))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The parent of every territory that has one. One query.
pub async fn parents(db: &impl ConnectionTrait) -> Result<BTreeMap<String, String>, DbErr> {
    let rows: Vec<(String, Option<String>)> =
        Entity::find().select_only().column(Column::Code).column(Column::ParentCode).into_tuple().all(db).await?;
    Ok(rows.into_iter().filter_map(|(code, parent)| Some((code, parent?))).collect())
}

fn row(code: &str, territory: &NewTerritory, version: i64) -> ActiveModel {
    ActiveModel {
        code: Set(code.to_owned()),
        name: Set(territory.name.clone()),
        search_name: Set(fold(&territory.name)),
        kind: Set(territory.kind),
        parent_code: Set(territory.parent.clone()),
        population: Set(territory.population),
        latitude: Set(territory.latitude),
        longitude: Set(territory.longitude),
        indicators: Set(territory.indicators.clone()),
        version: Set(version),
        updated_at: Set(now()),
    }
}

/// Writes a territory that does not exist. One query.
pub async fn insert(db: &impl ConnectionTrait, code: &str, territory: &NewTerritory) -> Result<Model, DbErr> {
    Entity::insert(row(code, territory, 1)).exec_with_returning(db).await
}

/// Writes territories that do not exist, parents first. One query per few hundred.
pub async fn insert_many(db: &impl ConnectionTrait, territories: &[(String, NewTerritory)]) -> Result<(), DbErr> {
    for chunk in territories.chunks(rows_per_statement(db, 11)) {
        let rows = chunk.iter().map(|(code, territory)| row(code, territory, 1));
        Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Replaces the given version of a territory; `false` where it is gone or has changed. One query.
pub async fn replace(
    db: &impl ConnectionTrait,
    code: &str,
    territory: &NewTerritory,
    version: i64,
) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .set(row(code, territory, version + 1))
        .filter(Column::Code.eq(code))
        .filter(Column::Version.eq(version))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Deletes the given version of a territory; `false` where it is gone or has changed. One query.
pub async fn delete(db: &impl ConnectionTrait, code: &str, version: i64) -> Result<bool, DbErr> {
    let done = Entity::delete_many().filter(Column::Code.eq(code)).filter(Column::Version.eq(version)).exec(db).await?;
    Ok(done.rows_affected == 1)
}

/// Whether making `parent` the parent of `code` would close a cycle. One query.
pub async fn closes_cycle(db: &impl ConnectionTrait, code: &str, parent: &str) -> Result<bool, DbErr> {
    let parents = parents(db).await?;
    let chain = std::iter::successors(Some(parent), |code| parents.get(*code).map(String::as_str));
    Ok(chain.take(parents.len() + 1).any(|above| above == code))
}
