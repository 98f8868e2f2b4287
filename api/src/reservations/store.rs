//! Queries on reservations. Each says whose: there is none for everybody's.

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model};
use super::{NewReservation, Reservation};
use crate::access::Owners;
use crate::database::now;
use crate::page::Slice;

fn view(row: Model) -> Reservation {
    let Model { id, organisation_id: organisation, against_id: against, note, created_at } = row;
    Reservation { id, organisation, against, note, created_at }
}

/// Up to `slice.limit` reservations of an organisation, by id. One query.
pub async fn page(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<Reservation>, DbErr> {
    let mut rows =
        Entity::find().filter(Column::OrganisationId.eq(organisation)).order_by_asc(Column::Id).limit(slice.limit);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    Ok(rows.all(db).await?.into_iter().map(view).collect())
}

/// Whom some organisations would rather not work with: owner and other. One query.
pub async fn of(db: &impl ConnectionTrait, owners: Owners) -> Result<Vec<(Uuid, Uuid)>, DbErr> {
    let pairs = Entity::find()
        .select_only()
        .columns([Column::OrganisationId, Column::AgainstId])
        .filter(owners.among(Column::OrganisationId))
        .order_by_asc(Column::Id);
    pairs.into_tuple().all(db).await
}

/// Writes a reservation. One query.
pub async fn insert(db: &impl ConnectionTrait, organisation: Uuid, new: NewReservation) -> Result<Reservation, DbErr> {
    let NewReservation { against, note } = new;
    let row = Model { id: Uuid::now_v7(), organisation_id: organisation, against_id: against, note, created_at: now() };
    Entity::insert(ActiveModel::from(row.clone())).exec_without_returning(db).await?;
    Ok(view(row))
}

/// Deletes a reservation of an organisation; `false` where it has none of that id. One query.
pub async fn delete(db: &impl ConnectionTrait, organisation: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let own = Column::OrganisationId.eq(organisation);
    Ok(Entity::delete_many().filter(Column::Id.eq(id)).filter(own).exec(db).await?.rows_affected == 1)
}
