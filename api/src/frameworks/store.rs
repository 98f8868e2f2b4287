//! Queries on frameworks. Members load in one query for all frameworks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel as _, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

use super::Standing;
use super::entity::{ActiveModel, Column, Entity, Model, member};
use crate::access::Caller;
use crate::database::{now, rows_per_statement};

/// A framework with everybody who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The framework itself.
    pub row: Model,
    /// Who was asked, the lead among them.
    pub members: BTreeMap<Uuid, member::Model>,
}

impl Whole {
    /// Where an organisation stands.
    #[must_use]
    pub fn standing(&self, organisation: Uuid) -> Option<Standing> {
        self.members.get(&organisation).map(|own| own.standing)
    }

    /// Those who stay, by id.
    pub fn staying(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.members.values().filter(|own| own.standing == Standing::Accepted).map(|own| own.organisation_id)
    }
}

/// Makes others that change this framework wait until this transaction ends; `false` where there is none. One query.
pub async fn lock(tx: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?.is_some())
}

/// A framework, whoever asks. Two queries.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Whole>, DbErr> {
    let rows: Vec<Model> = Entity::find_by_id(id).one(db).await?.into_iter().collect();
    Ok(complete(db, rows).await?.pop())
}

/// Up to `limit` frameworks of which an organisation of the caller's was asked, by id. Two queries.
pub async fn page(
    db: &impl ConnectionTrait,
    caller: &Caller,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Whole>, DbErr> {
    listed(db, member::Entity::find().filter(caller.owns(member::Column::OrganisationId)), limit, after).await
}

/// Up to `limit` frameworks of which an organisation was asked, by id. Two queries.
pub async fn page_of(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Whole>, DbErr> {
    listed(db, member::Entity::find().filter(member::Column::OrganisationId.eq(organisation)), limit, after).await
}

async fn listed(
    db: &impl ConnectionTrait,
    own: Select<member::Entity>,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Whole>, DbErr> {
    let own = own.select_only().column(member::Column::FrameworkId).into_query();
    let mut rows = Entity::find().filter(Column::Id.in_subquery(own)).order_by_asc(Column::Id).limit(limit);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    complete(db, rows.all(db).await?).await
}

/// Adds their members to rows. One query.
async fn complete(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Whole>, DbErr> {
    let of_these = member::Column::FrameworkId.is_in(rows.iter().map(|row| row.id));
    let mut members: BTreeMap<Uuid, BTreeMap<Uuid, member::Model>> = BTreeMap::new();
    for row in member::Entity::find().filter(of_these).all(db).await? {
        members.entry(row.framework_id).or_default().insert(row.organisation_id, row);
    }
    let whole = |row: Model| Whole { members: members.remove(&row.id).unwrap_or_default(), row };
    Ok(rows.into_iter().map(whole).collect())
}

/// Writes a framework that does not exist. Two queries.
pub async fn insert(db: &impl ConnectionTrait, whole: &Whole) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(whole.row.clone())).exec_without_returning(db).await?;
    let rows: Vec<member::ActiveModel> = whole.members.values().map(|own| own.clone().into_active_model()).collect();
    for chunk in rows.chunks(rows_per_statement(db, 7)) {
        member::Entity::insert_many(chunk.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Writes where a member of a framework that was locked in this transaction stands now. Two queries.
pub async fn answer(db: &impl ConnectionTrait, whole: &mut Whole, organisation: Uuid) -> Result<(), DbErr> {
    if let Some(own) = whole.members.get(&organisation) {
        let key = (whole.row.id, organisation);
        let row = member::ActiveModel { standing: Set(own.standing), answers: Set(own.answers), ..Default::default() };
        let of_it = member::Column::FrameworkId.eq(key.0);
        let it = member::Column::OrganisationId.eq(key.1);
        member::Entity::update_many().set(row).filter(of_it).filter(it).exec(db).await?;
    }
    touch(db, whole).await
}

/// Writes that a framework that was locked in this transaction is over. One query.
pub async fn end(db: &impl ConnectionTrait, whole: &mut Whole, at: DateTime<Utc>) -> Result<(), DbErr> {
    whole.row.ended_at = Some(at);
    touch(db, whole).await
}

async fn touch(db: &impl ConnectionTrait, whole: &mut Whole) -> Result<(), DbErr> {
    whole.row.version += 1;
    whole.row.updated_at = now();
    let row = whole.row.clone().into_active_model().reset_all();
    Entity::update(row).exec(db).await?;
    Ok(())
}
