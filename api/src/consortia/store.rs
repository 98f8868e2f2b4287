//! Queries on consortia. Members and parts load in one query for all consortia.

use std::collections::BTreeMap;

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel as _,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::entity::{ActiveModel, Codes, Column, Entity, Model, member, part, signature, version};
use super::machine::{Membership, Standing, State};
use super::statement::Statement;
use super::whole::{Details, Whole};
use super::{Consent, Part};
use crate::access::Caller;
use crate::database::{now, rows_per_statement};

/// Makes others that change this consortium wait until this transaction ends; `false` where there is none. One query.
pub async fn lock(tx: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?.is_some())
}

/// Which call a consortium answers. One query.
pub async fn call_of(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Uuid>, DbErr> {
    Entity::find_by_id(id).select_only().column(Column::CallId).into_tuple().one(db).await
}

/// A consortium as it was last written, whoever asks. Three queries.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Whole>, DbErr> {
    let rows: Vec<Model> = Entity::find_by_id(id).one(db).await?.into_iter().collect();
    Ok(complete(db, rows).await?.pop())
}

/// Up to `limit` consortia in which an organisation of the caller's has a membership of any kind, by id. Four queries.
pub async fn page(
    db: &impl ConnectionTrait,
    caller: &Caller,
    call: Option<Uuid>,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Whole>, DbErr> {
    let own = member::Entity::find()
        .select_only()
        .column(member::Column::ConsortiumId)
        .filter(caller.owns(member::Column::OrganisationId));
    let mut rows =
        Entity::find().filter(Column::Id.in_subquery(own.into_query())).order_by_asc(Column::Id).limit(limit);
    if let Some(call) = call {
        rows = rows.filter(Column::CallId.eq(call));
    }
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    complete(db, rows.all(db).await?).await
}

/// Up to `limit` consortia in which an organisation has a membership of any kind, by id. Three queries.
pub async fn page_of(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Whole>, DbErr> {
    let own = member::Entity::find()
        .select_only()
        .column(member::Column::ConsortiumId)
        .filter(member::Column::OrganisationId.eq(organisation));
    let mut rows =
        Entity::find().filter(Column::Id.in_subquery(own.into_query())).order_by_asc(Column::Id).limit(limit);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    complete(db, rows.all(db).await?).await
}

/// The consortia of a call in which an organisation was ever asked, as they were last written, by id. Three queries.
pub async fn of_member(db: &impl ConnectionTrait, call: Uuid, organisation: Uuid) -> Result<Vec<Whole>, DbErr> {
    let own = member::Entity::find()
        .select_only()
        .column(member::Column::ConsortiumId)
        .filter(member::Column::OrganisationId.eq(organisation));
    let rows = Entity::find()
        .filter(Column::CallId.eq(call))
        .filter(Column::Id.in_subquery(own.into_query()))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    complete(db, rows).await
}

/// Adds their members and parts to rows. Two queries.
async fn complete(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Whole>, DbErr> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut parts: BTreeMap<(Uuid, Uuid), Vec<Part>> = BTreeMap::new();
    let of_these = part::Column::ConsortiumId.is_in(ids.clone());
    for row in part::Entity::find().filter(of_these).order_by_asc(part::Column::Position).all(db).await? {
        let part::Model { consortium_id, organisation_id, need_code: need, position: _, quantity, amount_cents } = row;
        let own = parts.entry((consortium_id, organisation_id)).or_default();
        own.push(Part { need, quantity, amount_cents });
    }
    let mut members: BTreeMap<Uuid, BTreeMap<Uuid, (Membership, Details)>> = BTreeMap::new();
    for row in member::Entity::find().filter(member::Column::ConsortiumId.is_in(ids)).all(db).await? {
        let (consortium, organisation) = (row.consortium_id, row.organisation_id);
        let own = parts.remove(&(consortium, organisation)).unwrap_or_default();
        members.entry(consortium).or_default().insert(organisation, membership(row, own));
    }
    let wholes = rows.into_iter().map(|row| {
        let members = members.remove(&row.id).unwrap_or_default();
        whole(row, members)
    });
    Ok(wholes.collect())
}

fn membership(row: member::Model, parts: Vec<Part>) -> (Membership, Details) {
    let member::Model {
        consortium_id: _,
        organisation_id: _,
        role,
        standing,
        terms,
        accepted,
        signed,
        bound,
        answer_by,
        days,
        asks_again,
        vacant,
        replaces_id: replaces,
        position,
        message,
        reason,
        shows_identity: show_to_invited,
        shares_prices: share_prices,
        own_prices,
        salt,
    } = row;
    let consent = Consent { show_to_invited, share_prices };
    let membership = Membership {
        standing,
        terms,
        accepted,
        signed,
        bound,
        answer_by,
        days,
        asks_again,
        vacant,
        replaces,
        position,
    };
    (membership, Details { role, parts, own_prices, salt, consent, message, reason })
}

fn whole(row: Model, members: BTreeMap<Uuid, (Membership, Details)>) -> Whole {
    let Model {
        id,
        version,
        created_at: _,
        updated_at: _,
        call_id: call,
        call_version,
        lead_id: lead,
        name,
        form,
        lots: Codes(lots),
        coordination_cents,
        phase,
        ending,
        negotiated,
        due_at: due,
        plan,
    } = row;
    let (mut standings, mut details) = (BTreeMap::new(), BTreeMap::new());
    for (organisation, (membership, own)) in members {
        standings.insert(organisation, membership);
        details.insert(organisation, own);
    }
    let state = State { phase, ending, negotiated, due, lead, plan, members: standings };
    Whole { id, version, call, call_version, name, form, lots, coordination_cents, state, details }
}

/// Writes a consortium that does not exist. Three queries.
pub async fn insert(db: &impl ConnectionTrait, whole: &Whole) -> Result<(), DbErr> {
    let row = Model { created_at: now(), updated_at: now(), ..row(whole) };
    Entity::insert(ActiveModel::from(row)).exec_without_returning(db).await?;
    insert_members(db, whole).await
}

/// Writes a consortium that was taken in this transaction as its next version. Five queries.
pub async fn save(db: &impl ConnectionTrait, whole: &mut Whole) -> Result<(), DbErr> {
    whole.version += 1;
    let mut changed = row(whole).into_active_model().reset_all();
    changed.created_at = sea_orm::ActiveValue::NotSet;
    changed.updated_at = Set(now());
    Entity::update(changed).exec(db).await?;
    let of_it = Condition::all().add(member::Column::ConsortiumId.eq(whole.id));
    member::Entity::delete_many().filter(of_it).exec(db).await?;
    part::Entity::delete_many().filter(part::Column::ConsortiumId.eq(whole.id)).exec(db).await?;
    insert_members(db, whole).await
}

/// The columns of a consortium; its times are the caller's.
fn row(whole: &Whole) -> Model {
    let Whole { id, version, call, call_version, name, form, lots, coordination_cents, state, details: _ } = whole;
    let State { phase, ending, negotiated, due, lead, plan, members: _ } = state;
    Model {
        id: *id,
        version: *version,
        created_at: now(),
        updated_at: now(),
        call_id: *call,
        call_version: *call_version,
        lead_id: *lead,
        name: name.clone(),
        form: *form,
        lots: Codes(lots.clone()),
        coordination_cents: *coordination_cents,
        phase: *phase,
        ending: *ending,
        negotiated: *negotiated,
        due_at: *due,
        plan: *plan,
    }
}

async fn insert_members(db: &impl ConnectionTrait, whole: &Whole) -> Result<(), DbErr> {
    let mut parts = Vec::new();
    let mut rows = Vec::new();
    for (organisation, details) in &whole.details {
        let Some(own) = whole.state.members.get(organisation) else { continue };
        rows.push(member_row(whole.id, *organisation, own, details).into_active_model());
        parts.extend((0..).zip(&details.parts).map(|(position, own)| {
            part::Model {
                consortium_id: whole.id,
                organisation_id: *organisation,
                need_code: own.need.clone(),
                position,
                quantity: own.quantity,
                amount_cents: own.amount_cents,
            }
            .into_active_model()
        }));
    }
    for chunk in rows.chunks(rows_per_statement(db, 20)) {
        member::Entity::insert_many(chunk.to_vec()).exec_without_returning(db).await?;
    }
    for chunk in parts.chunks(rows_per_statement(db, 6)) {
        part::Entity::insert_many(chunk.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

fn member_row(consortium_id: Uuid, organisation_id: Uuid, own: &Membership, details: &Details) -> member::Model {
    let Membership {
        standing,
        terms,
        accepted,
        signed,
        bound,
        answer_by,
        days,
        asks_again,
        vacant,
        replaces: replaces_id,
        position,
    } = own.clone();
    let Details { role, parts: _, own_prices, salt, consent, message, reason } = details.clone();
    let Consent { show_to_invited: shows_identity, share_prices: shares_prices } = consent;
    member::Model {
        consortium_id,
        organisation_id,
        role,
        standing,
        terms,
        accepted,
        signed,
        bound,
        answer_by,
        days,
        asks_again,
        vacant,
        replaces_id,
        position,
        message,
        reason,
        shows_identity,
        shares_prices,
        own_prices,
        salt,
    }
}

/// Forgets where an organisation stands by as an alternate, of which it knows nothing: for its deletion. One query.
pub async fn forget_alternate(db: &impl ConnectionTrait, organisation: Uuid) -> Result<(), DbErr> {
    member::Entity::delete_many()
        .filter(member::Column::OrganisationId.eq(organisation))
        .filter(member::Column::Standing.eq(Standing::Alternate))
        .exec(db)
        .await?;
    Ok(())
}

/// Keeps a signature, and what it is of. Up to three queries.
pub async fn keep_signature(
    db: &impl ConnectionTrait,
    statement: Statement,
    signature: signature::Model,
) -> Result<(), DbErr> {
    let key = (signature.consortium_id, signature.plan);
    if version::Entity::find_by_id(key).one(db).await?.is_none() {
        let digest = signature.digest.clone();
        let row = version::Model { consortium_id: key.0, plan: key.1, digest, statement };
        version::Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    }
    signature::Entity::insert(signature.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

/// The signatures of a version of the plan, by organisation. One query.
pub async fn signatures(db: &impl ConnectionTrait, id: Uuid, plan: i64) -> Result<Vec<signature::Model>, DbErr> {
    signature::Entity::find()
        .filter(signature::Column::ConsortiumId.eq(id))
        .filter(signature::Column::Plan.eq(plan))
        .order_by_asc(signature::Column::OrganisationId)
        .all(db)
        .await
}
