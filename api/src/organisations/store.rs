//! Queries on organisations. Children load in one query for all parents.

use std::collections::BTreeMap;

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::directory::{self, Filter, Order};
use super::entity::{ActiveModel, Column, Entity, Model, Texts, credential, identifier, link};
use super::{Credential, Identifier, IdentifierScheme, NewOrganisation, Organisation, OrganisationLink, validate};
use crate::consortia;
use crate::database::{now, rows_per_statement};
use crate::fold::fold;
use crate::{runs, webhooks};

/// Up to `limit` organisations that a filter leaves, in order. Four queries.
pub async fn page(
    db: &impl ConnectionTrait,
    filter: &Filter,
    order: &Order,
    limit: u64,
) -> Result<Vec<Organisation>, DbErr> {
    let rows = order.apply(Entity::find().filter(directory::matching(filter)));
    complete(db, rows.limit(limit).all(db).await?).await
}

/// Every organisation, by id. Four queries (more beyond some thousands).
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Organisation>, DbErr> {
    complete(db, Entity::find().order_by_asc(Column::Id).all(db).await?).await
}

/// One organisation. Four queries.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Organisation>, DbErr> {
    let row: Vec<Model> = Entity::find_by_id(id).one(db).await?.into_iter().collect();
    Ok(complete(db, row).await?.pop())
}

/// Those of some organisations that exist, by id. Four queries (more beyond some thousands).
pub async fn several(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Organisation>, DbErr> {
    let rows = Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id).all(db).await?;
    complete(db, rows).await
}

/// Who shares its certificates with one of these. One query.
pub async fn lenders(db: &impl ConnectionTrait, to: impl IntoIterator<Item = Uuid>) -> Result<Vec<Uuid>, DbErr> {
    let shared = link::Column::ToId.is_in(to).and(link::Column::SharesCredentials.eq(true));
    let query = link::Entity::find().select_only().column(link::Column::OrganisationId).filter(shared);
    query.order_by_asc(link::Column::OrganisationId).into_tuple().all(db).await
}

/// Whether it exists. One query.
pub async fn exists(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(id).one(db).await?.is_some())
}

/// Makes other writers that lock this organisation wait until this transaction ends. One query.
pub async fn lock(tx: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    Ok(())
}

/// Which of these exist. One query per few thousand.
pub async fn existing(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Uuid>, DbErr> {
    let mut found = Vec::new();
    for chunk in ids.chunks(rows_per_statement(db, 1)) {
        let rows: Vec<Uuid> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// Adds their identifiers, links and credentials to rows. Three queries per few thousand rows.
async fn complete(db: &impl ConnectionTrait, mut rows: Vec<Model>) -> Result<Vec<Organisation>, DbErr> {
    let mut organisations = Vec::with_capacity(rows.len());
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(rows_per_statement(db, 1)));
        let chunk = std::mem::replace(&mut rows, rest);
        let ids: Vec<Uuid> = chunk.iter().map(|row| row.id).collect();
        let mut identifiers: BTreeMap<Uuid, Vec<Identifier>> = BTreeMap::new();
        let found = identifier::Entity::find()
            .filter(identifier::Column::OrganisationId.is_in(ids.clone()))
            .order_by_asc(identifier::Column::Position);
        for row in found.all(db).await? {
            let own = Identifier { scheme: row.scheme, id: row.value };
            identifiers.entry(row.organisation_id).or_default().push(own);
        }
        let mut links = links_of(db, ids.clone()).await?;
        let mut credentials = credentials_of(db, ids).await?;
        organisations.extend(chunk.into_iter().map(|row| {
            let id = row.id;
            let own = |of: &mut BTreeMap<Uuid, Vec<_>>| of.remove(&id).unwrap_or_default();
            view(
                row,
                own(&mut identifiers),
                links.remove(&id).unwrap_or_default(),
                credentials.remove(&id).unwrap_or_default(),
            )
        }));
    }
    Ok(organisations)
}

/// The links that some organisations declare. One query.
pub(super) async fn links_of(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
) -> Result<BTreeMap<Uuid, Vec<OrganisationLink>>, DbErr> {
    let mut links: BTreeMap<Uuid, Vec<OrganisationLink>> = BTreeMap::new();
    let found = link::Entity::find().filter(link::Column::OrganisationId.is_in(ids)).order_by_asc(link::Column::ToId);
    for row in found.all(db).await? {
        let link::Model { organisation_id, to_id: to, kind, shares_credentials, shares_capacity } = row;
        let own = OrganisationLink { to, kind, shares_credentials, shares_capacity };
        links.entry(organisation_id).or_default().push(own);
    }
    Ok(links)
}

/// The certificates that some organisations hold. One query.
pub(super) async fn credentials_of(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
) -> Result<BTreeMap<Uuid, Vec<Credential>>, DbErr> {
    use credential::Column::{Code, Evidence, Number, OrganisationId, Position, ValidFrom, ValidTo};

    let mut credentials: BTreeMap<Uuid, Vec<Credential>> = BTreeMap::new();
    let found = credential::Entity::find()
        .select_only()
        .columns([OrganisationId, Code, Number, ValidFrom, ValidTo, Evidence])
        .filter(OrganisationId.is_in(ids))
        .order_by_asc(Position);
    for (organisation_id, code, number, valid_from, valid_to, evidence) in found.into_tuple().all(db).await? {
        let own = Credential { code, number, valid_from, valid_to, evidence };
        credentials.entry(organisation_id).or_default().push(own);
    }
    Ok(credentials)
}

fn view(
    row: Model,
    identifiers: Vec<Identifier>,
    links: Vec<OrganisationLink>,
    credentials: Vec<Credential>,
) -> Organisation {
    let Model {
        id,
        version,
        created_at,
        updated_at,
        import_key: _,
        name,
        search_name: _,
        sort_name: _,
        aliases: Texts(aliases),
        legal_form,
        legal_family,
        economic_model,
        resource_mix,
        size,
        full_time_equivalents,
        volunteers,
        home_territories: Texts(home_territories),
        website,
        description,
        contact,
        source,
        fresh_on,
        illustrative,
        turnover_cents,
        available_cash_cents,
    } = row;
    let value = NewOrganisation {
        name,
        aliases,
        identifiers,
        legal_form,
        legal_family,
        economic_model,
        resource_mix,
        size,
        full_time_equivalents,
        volunteers,
        home_territories,
        credentials,
        links,
        website,
        description,
        contact,
        source,
        fresh_on,
        illustrative,
        turnover_cents,
        available_cash_cents,
    };
    Organisation { id, version, created_at, updated_at, value }
}

/// The columns that a client writes; key, version and times are the caller's.
fn columns(new: &NewOrganisation) -> ActiveModel {
    let searched = std::iter::once(&new.name).chain(&new.aliases).map(|name| fold(name));
    let sort_name = fold(&new.name);
    ActiveModel {
        id: NotSet,
        version: NotSet,
        created_at: NotSet,
        updated_at: NotSet,
        import_key: NotSet,
        name: Set(new.name.clone()),
        search_name: Set(searched.collect::<Vec<_>>().join("|")),
        sort_name: Set(sort_name),
        aliases: Set(Texts(new.aliases.clone())),
        legal_form: Set(new.legal_form.clone()),
        legal_family: Set(new.legal_family.or_else(|| new.legal_form.as_deref().and_then(validate::family_of))),
        economic_model: Set(new.economic_model),
        resource_mix: Set(new.resource_mix.clone()),
        size: Set(new.size),
        full_time_equivalents: Set(new.full_time_equivalents),
        volunteers: Set(new.volunteers),
        home_territories: Set(Texts(new.home_territories.clone())),
        website: Set(new.website.clone()),
        description: Set(new.description.clone()),
        contact: Set(new.contact.clone()),
        source: Set(new.source.clone()),
        fresh_on: Set(new.fresh_on),
        illustrative: Set(new.illustrative),
        turnover_cents: Set(new.turnover_cents),
        available_cash_cents: Set(new.available_cash_cents),
    }
}

/// An organisation to write, with the id it will have and the key an import knows it by.
pub struct Insertion {
    /// UUIDv7.
    pub id: Uuid,
    /// Key of the import, where it comes from one.
    pub import_key: Option<String>,
    /// What to write.
    pub new: NewOrganisation,
}

/// Writes organisations that do not exist, with all that belongs to them. Four queries per few hundred.
pub async fn insert_many(db: &impl ConnectionTrait, insertions: &[Insertion]) -> Result<(), DbErr> {
    let now = now();
    for chunk in insertions.chunks(rows_per_statement(db, 25)) {
        let rows = chunk.iter().map(|insertion| ActiveModel {
            id: Set(insertion.id),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            import_key: Set(insertion.import_key.clone()),
            ..columns(&insertion.new)
        });
        Entity::insert_many(rows).exec_without_returning(db).await?;
        let owned: Vec<(Uuid, &NewOrganisation)> = chunk.iter().map(|one| (one.id, &one.new)).collect();
        insert_children(db, &owned).await?;
    }
    Ok(())
}

async fn insert_children(db: &impl ConnectionTrait, owned: &[(Uuid, &NewOrganisation)]) -> Result<(), DbErr> {
    let mut identifiers = Vec::new();
    let mut links = Vec::new();
    let mut credentials = Vec::new();
    for &(id, new) in owned {
        identifiers.extend((0..).zip(&new.identifiers).map(|(position, own)| identifier::ActiveModel {
            scheme: Set(own.scheme),
            value: Set(own.id.clone()),
            organisation_id: Set(id),
            position: Set(position),
        }));
        links.extend(new.links.iter().map(|own| link::ActiveModel {
            organisation_id: Set(id),
            to_id: Set(own.to),
            kind: Set(own.kind),
            shares_credentials: Set(own.shares_credentials),
            shares_capacity: Set(own.shares_capacity),
        }));
        credentials.extend((0..).zip(&new.credentials).map(|(position, own)| credential::ActiveModel {
            id: Set(Uuid::now_v7()),
            organisation_id: Set(id),
            position: Set(position),
            code: Set(own.code.clone()),
            number: Set(own.number.clone()),
            valid_from: Set(own.valid_from),
            valid_to: Set(own.valid_to),
            evidence: Set(own.evidence),
        }));
    }
    for rows in identifiers.chunks(rows_per_statement(db, 4)) {
        identifier::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    for rows in links.chunks(rows_per_statement(db, 5)) {
        link::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    for rows in credentials.chunks(rows_per_statement(db, 8)) {
        credential::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Replaces the given version with all that belongs to it; `false` where it is gone or has changed. Up to seven queries.
pub async fn replace(db: &impl ConnectionTrait, id: Uuid, new: &NewOrganisation, version: i64) -> Result<bool, DbErr> {
    let row = ActiveModel { version: Set(version + 1), updated_at: Set(now()), ..columns(new) };
    let done =
        Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(db).await?;
    if done.rows_affected == 0 {
        return Ok(false);
    }
    identifier::Entity::delete_many().filter(identifier::Column::OrganisationId.eq(id)).exec(db).await?;
    link::Entity::delete_many().filter(link::Column::OrganisationId.eq(id)).exec(db).await?;
    credential::Entity::delete_many().filter(credential::Column::OrganisationId.eq(id)).exec(db).await?;
    insert_children(db, &[(id, new)]).await?;
    Ok(true)
}

/// Whom to ask at some organisations, where they say it. One query.
pub(crate) async fn contacts(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, String>, DbErr> {
    let rows: Vec<(Uuid, String)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Contact])
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::Contact.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Deletes the given version with all that belongs to it; `false` where it is gone or has changed. Four queries;
/// call it in a transaction, to be rolled back where it gives `false`.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid, version: i64) -> Result<bool, DbErr> {
    consortia::store::forget_alternate(db, id).await?;
    webhooks::store::lock_of(db, id).await?;
    let done = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(db).await?;
    if done.rows_affected == 0 {
        return Ok(false);
    }
    runs::store::delete_asked_by(db, id).await?;
    Ok(true)
}

/// Who already has one of these numbers. One query.
pub async fn owners_of(
    db: &impl ConnectionTrait,
    identifiers: &[Identifier],
) -> Result<BTreeMap<(IdentifierScheme, String), Uuid>, DbErr> {
    if identifiers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let any = identifiers.iter().fold(Condition::any(), |any, own| {
        any.add(identifier::Column::Scheme.eq(own.scheme).and(identifier::Column::Value.eq(&own.id)))
    });
    let rows = identifier::Entity::find().filter(any).all(db).await?;
    Ok(rows.into_iter().map(|row| ((row.scheme, row.value), row.organisation_id)).collect())
}

/// Whether any organisation is at home in a territory. One query; O(organisations).
pub(crate) async fn any_at_home(db: &impl ConnectionTrait, territory: &str) -> Result<bool, DbErr> {
    let rows: Vec<Texts> = Entity::find().select_only().column(Column::HomeTerritories).into_tuple().all(db).await?;
    Ok(rows.iter().any(|Texts(codes)| codes.iter().any(|code| code == territory)))
}

/// The organisations that imports know, by their key. One query.
pub async fn import_keys(db: &impl ConnectionTrait) -> Result<BTreeMap<String, Uuid>, DbErr> {
    let rows: Vec<(Option<String>, Uuid)> = Entity::find()
        .select_only()
        .column(Column::ImportKey)
        .column(Column::Id)
        .filter(Column::ImportKey.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|(key, id)| Some((key?, id))).collect())
}
