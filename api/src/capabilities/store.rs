//! Queries on capabilities. Children load in one query for all parents.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, term, territory};
use super::{Capability, CapacityBand, NewCapability, Unit};
use crate::access::Owners;
use crate::database::{now, rows_per_statement};
use crate::page::Slice;
use crate::vocabularies::Vocabulary;

/// What a list of capabilities may be narrowed by. Codes match exactly.
#[derive(Default)]
pub struct Filter {
    /// Whose.
    pub organisation: Option<Uuid>,
    /// Of which service.
    pub service: Option<String>,
    /// For which public.
    pub public: Option<String>,
    /// In which territory.
    pub territory: Option<String>,
}

/// Up to `slice.limit` capabilities, by id. Three queries.
pub async fn page(
    db: &impl ConnectionTrait,
    filter: &Filter,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<Capability>, DbErr> {
    let mut query = Entity::find().order_by_asc(Column::Id);
    if let Some(organisation) = filter.organisation {
        query = query.filter(Column::OrganisationId.eq(organisation));
    }
    for (vocabulary, code) in [(Vocabulary::Services, &filter.service), (Vocabulary::Publics, &filter.public)] {
        if let Some(code) = code {
            let with = term::Entity::find()
                .select_only()
                .column(term::Column::CapabilityId)
                .filter(term::Column::TermId.eq(vocabulary.key(code)))
                .into_query();
            query = query.filter(Column::Id.in_subquery(with));
        }
    }
    if let Some(code) = &filter.territory {
        let with = territory::Entity::find()
            .select_only()
            .column(territory::Column::CapabilityId)
            .filter(territory::Column::TerritoryCode.eq(code))
            .into_query();
        query = query.filter(Column::Id.in_subquery(with));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    complete(db, query.limit(slice.limit).all(db).await?).await
}

/// Every capability, by id. Three queries (more beyond some thousands).
#[cfg(test)]
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Capability>, DbErr> {
    complete(db, Entity::find().order_by_asc(Column::Id).all(db).await?).await
}

/// What everybody may know of a capability, its capacity rounded down to its band. Nothing sealed is in it.
pub struct Offer {
    /// UUIDv7.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// Whose.
    pub organisation: Uuid,
    /// Services.
    pub services: Vec<String>,
    /// Publics.
    pub publics: Vec<String>,
    /// Territories.
    pub territories: Vec<String>,
    /// Modalities.
    pub modalities: Vec<String>,
    /// What its quantities count.
    pub unit: Option<Unit>,
    /// It can do at least this much in a year, where that is known.
    pub at_least_per_year: Option<i64>,
    /// First day.
    pub valid_from: Option<NaiveDate>,
    /// Last day.
    pub valid_to: Option<NaiveDate>,
}

type OfferRow = (Uuid, i64, Uuid, Option<Unit>, Option<i64>, Option<NaiveDate>, Option<NaiveDate>);

/// Every offer, by id. Three queries (more beyond some thousands); no column of a cost is read.
pub async fn offers(db: &impl ConnectionTrait) -> Result<Vec<Offer>, DbErr> {
    offers_among(db, Entity::find()).await
}

/// The offers of some organisations, by id. Three queries per few thousand organisations; no column of a cost is read.
pub async fn offers_of(db: &impl ConnectionTrait, organisations: &[Uuid]) -> Result<Vec<Offer>, DbErr> {
    let mut offers = Vec::new();
    for chunk in organisations.chunks(rows_per_statement(db, 1)) {
        let theirs = Column::OrganisationId.is_in(chunk.iter().copied());
        offers.extend(offers_among(db, Entity::find().filter(theirs)).await?);
    }
    offers.sort_unstable_by_key(|offer| offer.id);
    Ok(offers)
}

/// The organisations with a capability that names one of some territories. One query per few thousand territories.
pub async fn present_in(db: &impl ConnectionTrait, territories: &[&str]) -> Result<BTreeSet<Uuid>, DbErr> {
    let mut present = BTreeSet::new();
    for chunk in territories.chunks(rows_per_statement(db, 1)) {
        let there = territory::Entity::find()
            .select_only()
            .column(territory::Column::CapabilityId)
            .filter(territory::Column::TerritoryCode.is_in(chunk.iter().copied()))
            .into_query();
        let theirs = Entity::find().select_only().column(Column::OrganisationId).distinct();
        let found: Vec<Uuid> = theirs.filter(Column::Id.in_subquery(there)).into_tuple().all(db).await?;
        present.extend(found);
    }
    Ok(present)
}

async fn offers_among(db: &impl ConnectionTrait, rows: Select<Entity>) -> Result<Vec<Offer>, DbErr> {
    let rows: Vec<OfferRow> = rows
        .select_only()
        .columns([
            Column::Id,
            Column::Version,
            Column::OrganisationId,
            Column::Unit,
            Column::CapacityPerYear,
            Column::ValidFrom,
            Column::ValidTo,
        ])
        .order_by_asc(Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let mut offers = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(rows_per_statement(db, 1)) {
        let mut lists = lists_of(db, chunk.iter().map(|row| row.0).collect()).await?;
        offers.extend(chunk.iter().map(|&(id, version, organisation, unit, capacity, valid_from, valid_to)| {
            let Lists { terms, territories } = lists.remove(&id).unwrap_or_default();
            Offer {
                id,
                version,
                organisation,
                services: of(&terms, Vocabulary::Services),
                publics: of(&terms, Vocabulary::Publics),
                territories,
                modalities: of(&terms, Vocabulary::Modalities),
                unit,
                at_least_per_year: capacity.map(|capacity| CapacityBand::of(capacity).at_least),
                valid_from,
                valid_to,
            }
        }));
    }
    Ok(offers)
}

/// What only its owner and evaluators know of a capability.
#[derive(Clone, Copy)]
pub struct Terms {
    /// How much it can do in a year.
    pub capacity_per_year: Option<i64>,
    /// What a unit costs.
    pub unit_cost_cents: Option<i64>,
    /// What it costs before the first unit.
    pub fixed_cost_cents: i64,
    /// The least that it is worth starting for.
    pub minimum_quantity: i64,
}

type TermsRow = (Uuid, Option<i64>, Option<i64>, i64, i64);

/// The terms of the capabilities of some organisations, by capability. One query.
pub async fn terms_of(db: &impl ConnectionTrait, owners: Owners) -> Result<BTreeMap<Uuid, Terms>, DbErr> {
    let rows: Vec<TermsRow> = Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::CapacityPerYear,
            Column::UnitCostCents,
            Column::FixedCostCents,
            Column::MinimumQuantity,
        ])
        .filter(owners.among(Column::OrganisationId))
        .into_tuple()
        .all(db)
        .await?;
    let terms = |(id, capacity_per_year, unit_cost_cents, fixed_cost_cents, minimum_quantity)| {
        (id, Terms { capacity_per_year, unit_cost_cents, fixed_cost_cents, minimum_quantity })
    };
    Ok(rows.into_iter().map(terms).collect())
}

/// One capability. Three queries.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Capability>, DbErr> {
    let row: Vec<Model> = Entity::find_by_id(id).one(db).await?.into_iter().collect();
    Ok(complete(db, row).await?.pop())
}

/// Adds their terms and territories to rows. Two queries per few thousand rows.
pub async fn complete(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Capability>, DbErr> {
    let mut capabilities = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(rows_per_statement(db, 1)) {
        let mut lists = lists_of(db, chunk.iter().map(|row| row.id).collect()).await?;
        capabilities.extend(chunk.iter().cloned().map(|row| {
            let own = lists.remove(&row.id).unwrap_or_default();
            view(row, own)
        }));
    }
    Ok(capabilities)
}

/// What belongs to a capability.
#[derive(Default)]
struct Lists {
    /// Keys of terms, of every vocabulary.
    terms: Vec<String>,
    territories: Vec<String>,
}

/// What belongs to each of some capabilities. Two queries.
async fn lists_of(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<BTreeMap<Uuid, Lists>, DbErr> {
    let mut lists: BTreeMap<Uuid, Lists> = BTreeMap::new();
    let found =
        term::Entity::find().filter(term::Column::CapabilityId.is_in(ids.clone())).order_by_asc(term::Column::TermId);
    for row in found.all(db).await? {
        lists.entry(row.capability_id).or_default().terms.push(row.term_id);
    }
    let found = territory::Entity::find()
        .filter(territory::Column::CapabilityId.is_in(ids))
        .order_by_asc(territory::Column::TerritoryCode);
    for row in found.all(db).await? {
        lists.entry(row.capability_id).or_default().territories.push(row.territory_code);
    }
    Ok(lists)
}

/// The codes of one vocabulary among keys of all.
fn of(terms: &[String], vocabulary: Vocabulary) -> Vec<String> {
    let own = terms.iter().filter_map(|key| key.split_once('/')).filter(|(name, _)| *name == vocabulary.name());
    own.map(|(_, code)| code.to_owned()).collect()
}

fn view(row: Model, Lists { terms, territories }: Lists) -> Capability {
    let Model {
        id,
        version,
        created_at,
        updated_at,
        import_key: _,
        organisation_id: organisation,
        title,
        unit,
        capacity_per_year,
        unit_cost_cents,
        fixed_cost_cents,
        minimum_quantity,
        evidence,
        valid_from,
        valid_to,
    } = row;
    let value = NewCapability {
        organisation,
        title,
        services: of(&terms, Vocabulary::Services),
        publics: of(&terms, Vocabulary::Publics),
        territories,
        modalities: of(&terms, Vocabulary::Modalities),
        unit,
        capacity_per_year,
        unit_cost_cents,
        fixed_cost_cents,
        minimum_quantity,
        evidence,
        valid_from,
        valid_to,
    };
    Capability { id, version, created_at, updated_at, value }
}

/// The columns that a client writes; key, version and times are the caller's.
fn columns(new: &NewCapability) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        version: NotSet,
        created_at: NotSet,
        updated_at: NotSet,
        import_key: NotSet,
        organisation_id: Set(new.organisation),
        title: Set(new.title.clone()),
        unit: Set(new.unit),
        capacity_per_year: Set(new.capacity_per_year),
        unit_cost_cents: Set(new.unit_cost_cents),
        fixed_cost_cents: Set(new.fixed_cost_cents),
        minimum_quantity: Set(new.minimum_quantity),
        evidence: Set(new.evidence),
        valid_from: Set(new.valid_from),
        valid_to: Set(new.valid_to),
    }
}

/// A capability to write, with the id it will have and the key an import knows it by.
pub struct Insertion {
    /// UUIDv7.
    pub id: Uuid,
    /// Key of the import, where it comes from one.
    pub import_key: Option<String>,
    /// What to write.
    pub new: NewCapability,
}

/// Writes capabilities that do not exist. Three queries per few hundred.
pub async fn insert_many(db: &impl ConnectionTrait, insertions: &[Insertion]) -> Result<(), DbErr> {
    let now = now();
    for chunk in insertions.chunks(rows_per_statement(db, 15)) {
        let rows = chunk.iter().map(|insertion| ActiveModel {
            id: Set(insertion.id),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            import_key: Set(insertion.import_key.clone()),
            ..columns(&insertion.new)
        });
        Entity::insert_many(rows).exec_without_returning(db).await?;
        let owned: Vec<(Uuid, &NewCapability)> = chunk.iter().map(|one| (one.id, &one.new)).collect();
        insert_children(db, &owned).await?;
    }
    Ok(())
}

async fn insert_children(db: &impl ConnectionTrait, owned: &[(Uuid, &NewCapability)]) -> Result<(), DbErr> {
    let mut terms = Vec::new();
    let mut territories = Vec::new();
    for &(id, new) in owned {
        let lists = [
            (Vocabulary::Services, &new.services),
            (Vocabulary::Publics, &new.publics),
            (Vocabulary::Modalities, &new.modalities),
        ];
        for (vocabulary, codes) in lists {
            let keys = codes.iter().map(|code| vocabulary.key(code));
            terms.extend(keys.map(|key| term::ActiveModel { capability_id: Set(id), term_id: Set(key) }));
        }
        let codes = new.territories.iter().cloned();
        territories
            .extend(codes.map(|code| territory::ActiveModel { capability_id: Set(id), territory_code: Set(code) }));
    }
    for rows in terms.chunks(rows_per_statement(db, 2)) {
        term::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    for rows in territories.chunks(rows_per_statement(db, 2)) {
        territory::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Replaces the given version; `false` where it is gone or has changed. Up to five queries.
pub async fn replace(db: &impl ConnectionTrait, id: Uuid, new: &NewCapability, version: i64) -> Result<bool, DbErr> {
    let row = ActiveModel { version: Set(version + 1), updated_at: Set(now()), ..columns(new) };
    let done =
        Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(db).await?;
    if done.rows_affected == 0 {
        return Ok(false);
    }
    term::Entity::delete_many().filter(term::Column::CapabilityId.eq(id)).exec(db).await?;
    territory::Entity::delete_many().filter(territory::Column::CapabilityId.eq(id)).exec(db).await?;
    insert_children(db, &[(id, new)]).await?;
    Ok(true)
}

/// Deletes the given version; `false` where it is gone or has changed. One query.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid, version: i64) -> Result<bool, DbErr> {
    let done = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(db).await?;
    Ok(done.rows_affected == 1)
}

/// The capabilities that imports know, by their key. Three queries (more beyond some thousands).
pub async fn imported(db: &impl ConnectionTrait) -> Result<BTreeMap<String, Capability>, DbErr> {
    let rows = Entity::find().filter(Column::ImportKey.is_not_null()).order_by_asc(Column::Id).all(db).await?;
    let keys: Vec<String> = rows.iter().filter_map(|row| row.import_key.clone()).collect();
    Ok(keys.into_iter().zip(complete(db, rows).await?).collect())
}
