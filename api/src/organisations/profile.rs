//! What computations read of organisations: what everybody may know, and apart from it what only their owner knows.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};
use uuid::Uuid;

use super::entity::{Column, Entity, Texts, link};
use super::store::{credentials_of, links_of};
use super::{Credential, LegalFamily, OrganisationLink};
use crate::access::Owners;
use crate::database::rows_per_statement;

/// What everybody may know of an organisation. Nothing sealed is in it.
pub struct Profile {
    /// UUIDv7.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// Legal name.
    pub name: String,
    /// Broad legal family.
    pub legal_family: Option<LegalFamily>,
    /// Territories where it is at home.
    pub home_territories: Vec<String>,
    /// Certificates, labels, agreements.
    pub credentials: Vec<Credential>,
    /// Links to other entities.
    pub links: Vec<OrganisationLink>,
}

/// Every profile, by id. Three queries (more beyond some thousands); no column of money is read.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Profile>, DbErr> {
    among(db, Entity::find()).await
}

/// The profiles of some organisations, by id. Three queries per few thousand of them; no column of money is read.
pub async fn of(db: &impl ConnectionTrait, organisations: &[Uuid]) -> Result<Vec<Profile>, DbErr> {
    let mut profiles = Vec::new();
    for chunk in organisations.chunks(rows_per_statement(db, 1)) {
        profiles.extend(among(db, Entity::find().filter(Column::Id.is_in(chunk.iter().copied()))).await?);
    }
    profiles.sort_unstable_by_key(|profile| profile.id);
    Ok(profiles)
}

/// How one organisation bears on what another can do.
pub struct Tie {
    /// Who declares it.
    pub from: Uuid,
    /// The other.
    pub to: Uuid,
    /// Both have the same people; otherwise the certificates of `from` serve `to`.
    pub shares_capacity: bool,
}

/// Every link by which certificates or people are shared: two ties where both are. One query.
pub async fn ties(db: &impl ConnectionTrait) -> Result<Vec<Tie>, DbErr> {
    let shares =
        Condition::any().add(link::Column::SharesCredentials.eq(true)).add(link::Column::SharesCapacity.eq(true));
    let links = link::Entity::find().filter(shares).all(db).await?;
    let of = |link: &link::Model, shares_capacity| Tie { from: link.organisation_id, to: link.to_id, shares_capacity };
    let ties = links.iter().flat_map(|link| {
        let lends = link.shares_credentials.then(|| of(link, false));
        lends.into_iter().chain(link.shares_capacity.then(|| of(link, true)))
    });
    Ok(ties.collect())
}

/// The profiles of some organisations and of those that they are linked with, either way, by id. Three queries; no column of money is
/// read.
pub async fn around(db: &impl ConnectionTrait, organisations: &[Uuid]) -> Result<Vec<Profile>, DbErr> {
    let ids = || organisations.iter().copied();
    let links = |own: link::Column, other: link::Column| {
        link::Entity::find().select_only().column(other).filter(own.is_in(ids())).into_query()
    };
    let near = Condition::any()
        .add(Column::Id.is_in(ids()))
        .add(Column::Id.in_subquery(links(link::Column::OrganisationId, link::Column::ToId)))
        .add(Column::Id.in_subquery(links(link::Column::ToId, link::Column::OrganisationId)));
    among(db, Entity::find().filter(near)).await
}

async fn among(db: &impl ConnectionTrait, rows: Select<Entity>) -> Result<Vec<Profile>, DbErr> {
    let rows: Vec<(Uuid, i64, String, Option<LegalFamily>, Texts)> = rows
        .select_only()
        .columns([Column::Id, Column::Version, Column::Name, Column::LegalFamily, Column::HomeTerritories])
        .order_by_asc(Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let mut profiles = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(rows_per_statement(db, 1)) {
        let ids: Vec<Uuid> = chunk.iter().map(|row| row.0).collect();
        let mut links = links_of(db, ids.clone()).await?;
        let mut credentials = credentials_of(db, ids).await?;
        profiles.extend(chunk.iter().cloned().map(|(id, version, name, legal_family, Texts(home_territories))| {
            Profile {
                id,
                version,
                name,
                legal_family,
                home_territories,
                credentials: credentials.remove(&id).unwrap_or_default(),
                links: links.remove(&id).unwrap_or_default(),
            }
        }));
    }
    Ok(profiles)
}

/// What only its owner knows of an organisation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finances {
    /// Yearly turnover.
    pub turnover_cents: Option<i64>,
    /// Cash it can advance.
    pub available_cash_cents: Option<i64>,
}

/// The finances of some organisations. One query.
pub async fn finances_of(db: &impl ConnectionTrait, owners: Owners) -> Result<BTreeMap<Uuid, Finances>, DbErr> {
    let rows: Vec<(Uuid, Option<i64>, Option<i64>)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::TurnoverCents, Column::AvailableCashCents])
        .filter(owners.among(Column::Id))
        .into_tuple()
        .all(db)
        .await?;
    let finances = |(id, turnover_cents, available_cash_cents)| (id, Finances { turnover_cents, available_cash_cents });
    Ok(rows.into_iter().map(finances).collect())
}
