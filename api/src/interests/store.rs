//! Queries on interests. Every one that reads for somebody says for whom.

use std::collections::BTreeMap;

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, reader};
use super::{Audience, Interest, NewInterest};
use crate::access::{Caller, Scope};
use crate::calls;
use crate::database::now;
use crate::organisations::entity::Texts;
use crate::page::Slice;

/// What a list of interests may be narrowed by.
#[derive(Default)]
pub struct Filter {
    /// In which call.
    pub call: Option<Uuid>,
    /// Whose.
    pub organisation: Option<Uuid>,
}

/// The interests that somebody may see: their own, and those whose audience they belong to.
fn visible(caller: &Caller) -> Condition {
    let own = caller.owns(Column::OrganisationId);
    if !caller.holds(Scope::Read) || !caller.is_registered() {
        return own;
    }
    let funded = calls::entity::Entity::find()
        .select_only()
        .column(calls::entity::Column::Id)
        .filter(caller.owns(calls::entity::Column::FunderId))
        .into_query();
    let named = reader::Entity::find()
        .select_only()
        .column(reader::Column::InterestId)
        .filter(caller.owns(reader::Column::OrganisationId))
        .into_query();
    let of_funder = Column::Audience.eq(Audience::Funder);
    let of_chosen = Column::Audience.eq(Audience::Chosen);
    own.add(Column::Audience.eq(Audience::Registered))
        .add(Condition::all().add(of_funder).add(Column::CallId.in_subquery(funded)))
        .add(Condition::all().add(of_chosen).add(Column::Id.in_subquery(named)))
}

/// Up to `slice.limit` interests that the caller may see, by id. Two queries.
pub async fn page(
    db: &impl ConnectionTrait,
    caller: &Caller,
    filter: &Filter,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<Interest>, DbErr> {
    let mut query = Entity::find().filter(visible(caller)).order_by_asc(Column::Id);
    if let Some(call) = filter.call {
        query = query.filter(Column::CallId.eq(call));
    }
    if let Some(organisation) = filter.organisation {
        query = query.filter(Column::OrganisationId.eq(organisation));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    complete(db, query.limit(slice.limit).all(db).await?).await
}

/// Up to `limit` interests of an organisation, by id, whoever asks. Two queries.
pub async fn page_of(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Interest>, DbErr> {
    let mut query = Entity::find().filter(Column::OrganisationId.eq(organisation)).order_by_asc(Column::Id);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    complete(db, query.limit(limit).all(db).await?).await
}

/// One interest, if the caller may see it. Two queries.
pub async fn find_visible(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Option<Interest>, DbErr> {
    let row: Vec<Model> = Entity::find_by_id(id).filter(visible(caller)).one(db).await?.into_iter().collect();
    Ok(complete(db, row).await?.pop())
}

/// One interest, whoever asks. Two queries.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Interest>, DbErr> {
    let row: Vec<Model> = Entity::find_by_id(id).one(db).await?.into_iter().collect();
    Ok(complete(db, row).await?.pop())
}

/// Adds the organisations that they name to rows. One query.
async fn complete(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Interest>, DbErr> {
    let ids = rows.iter().filter(|row| row.audience == Audience::Chosen).map(|row| row.id);
    let mut readers: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    let found = reader::Entity::find()
        .filter(reader::Column::InterestId.is_in(ids))
        .order_by_asc(reader::Column::OrganisationId);
    for row in found.all(db).await? {
        readers.entry(row.interest_id).or_default().push(row.organisation_id);
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let chosen = readers.remove(&row.id).unwrap_or_default();
            view(row, chosen)
        })
        .collect())
}

fn view(row: Model, chosen: Vec<Uuid>) -> Interest {
    let Model {
        id,
        version,
        created_at,
        updated_at,
        call_id: call,
        organisation_id: organisation,
        lots: Texts(lots),
        message,
        audience,
    } = row;
    let value = NewInterest { call, organisation, lots, message, audience, chosen };
    Interest { id, version, created_at, updated_at, value }
}

/// The columns that a client writes; key, version and times are the caller's.
fn columns(new: &NewInterest) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        version: NotSet,
        created_at: NotSet,
        updated_at: NotSet,
        call_id: Set(new.call),
        organisation_id: Set(new.organisation),
        lots: Set(Texts(new.lots.clone())),
        message: Set(new.message.clone()),
        audience: Set(new.audience),
    }
}

/// Writes an interest that does not exist. Two queries.
pub async fn insert(db: &impl ConnectionTrait, id: Uuid, new: &NewInterest) -> Result<(), DbErr> {
    let now = now();
    let row = ActiveModel { id: Set(id), version: Set(1), created_at: Set(now), updated_at: Set(now), ..columns(new) };
    Entity::insert(row).exec_without_returning(db).await?;
    insert_readers(db, id, new).await
}

async fn insert_readers(db: &impl ConnectionTrait, id: Uuid, new: &NewInterest) -> Result<(), DbErr> {
    let rows = new.chosen.iter().map(|own| reader::ActiveModel { interest_id: Set(id), organisation_id: Set(*own) });
    let rows: Vec<reader::ActiveModel> = rows.collect();
    if !rows.is_empty() {
        reader::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Replaces the given version; `false` where it is gone or has changed. Three queries.
pub async fn replace(db: &impl ConnectionTrait, id: Uuid, new: &NewInterest, version: i64) -> Result<bool, DbErr> {
    let row = ActiveModel { version: Set(version + 1), updated_at: Set(now()), ..columns(new) };
    let done =
        Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(db).await?;
    if done.rows_affected == 0 {
        return Ok(false);
    }
    reader::Entity::delete_many().filter(reader::Column::InterestId.eq(id)).exec(db).await?;
    insert_readers(db, id, new).await?;
    Ok(true)
}

/// Deletes the given version; `false` where it is gone or has changed. One query.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid, version: i64) -> Result<bool, DbErr> {
    let done = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(db).await?;
    Ok(done.rows_affected == 1)
}
