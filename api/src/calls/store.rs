//! Queries on calls. Lots and needs load in one query for all calls.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait as _,
};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, lot, need};
use super::{
    AwardCriteria, Call, CallKind, CallState, CallStatus, EligibilityRule, EligibilityRules, Lot, Need, NewCall,
};
use crate::access::Caller;
use crate::database::{now, rows_per_statement};
use crate::page::Slice;
use crate::runs;
use crate::vocabularies::Vocabulary;

/// What a list of calls may be narrowed by.
#[derive(Default)]
pub struct Filter {
    /// Whose.
    pub funder: Option<Uuid>,
    /// Where they stand.
    pub status: Option<CallStatus>,
    /// Grant or contract.
    pub kind: Option<CallKind>,
}

/// The calls that somebody may see: drafts are their funder's.
fn visible(caller: &Caller) -> Condition {
    caller.owns(Column::FunderId).add(Column::Status.ne(CallStatus::Draft))
}

/// Up to `slice.limit` calls that the caller may see, by id. Three queries.
pub async fn page(
    db: &impl ConnectionTrait,
    caller: &Caller,
    filter: &Filter,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<Call>, DbErr> {
    let mut query = Entity::find().filter(visible(caller)).order_by_asc(Column::Id);
    if let Some(funder) = filter.funder {
        query = query.filter(Column::FunderId.eq(funder));
    }
    if let Some(status) = filter.status {
        query = query.filter(Column::Status.eq(status));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(Column::Kind.eq(kind));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    complete(db, query.limit(slice.limit).all(db).await?).await
}

/// Up to `limit` published calls that are open at an instant and have a need for one of these services, by id. Three queries.
pub async fn open(
    db: &impl ConnectionTrait,
    services: &BTreeSet<String>,
    at: DateTime<Utc>,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Call>, DbErr> {
    let asking = need::Entity::find()
        .select_only()
        .column(need::Column::CallId)
        .filter(need::Column::ServiceId.is_in(services.iter().map(|code| Vocabulary::Services.key(code))));
    let mut query = Entity::find()
        .filter(Column::Status.eq(CallStatus::Published))
        .filter(Column::AnswersDueAt.is_null().or(Column::AnswersDueAt.gt(at)))
        .filter(Column::Id.in_subquery(asking.into_query()))
        .order_by_asc(Column::Id);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    complete(db, query.limit(limit).all(db).await?).await
}

/// One call, if the caller may see it. Three queries.
pub async fn find_visible(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Option<Call>, DbErr> {
    let row: Vec<Model> = Entity::find_by_id(id).filter(visible(caller)).one(db).await?.into_iter().collect();
    Ok(complete(db, row).await?.pop())
}

/// Who publishes a call. One query.
pub async fn funder(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Uuid>, DbErr> {
    Entity::find_by_id(id).select_only().column(Column::FunderId).into_tuple().one(db).await
}

/// One call, whoever asks. Three queries.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Call>, DbErr> {
    let row: Vec<Model> = Entity::find_by_id(id).one(db).await?.into_iter().collect();
    Ok(complete(db, row).await?.pop())
}

/// Adds their lots and needs to rows. Two queries.
async fn complete(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Call>, DbErr> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut needs: BTreeMap<(Uuid, String), Vec<Need>> = BTreeMap::new();
    let found = need::Entity::find()
        .filter(need::Column::CallId.is_in(ids.clone()))
        .order_by_asc(need::Column::Position)
        .all(db)
        .await?;
    for row in found {
        needs.entry((row.call_id, row.lot_code.clone())).or_default().push(need_view(row));
    }
    let mut lots: BTreeMap<Uuid, Vec<Lot>> = BTreeMap::new();
    let found =
        lot::Entity::find().filter(lot::Column::CallId.is_in(ids)).order_by_asc(lot::Column::Position).all(db).await?;
    for row in found {
        let lot::Model { call_id, code, position: _, title, minimum_members, maximum_members } = row;
        let needs = needs.remove(&(call_id, code.clone())).unwrap_or_default();
        lots.entry(call_id).or_default().push(Lot { code, title, needs, minimum_members, maximum_members });
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let lots = lots.remove(&row.id).unwrap_or_default();
            view(row, lots)
        })
        .collect())
}

fn need_view(row: need::Model) -> Need {
    let need::Model {
        call_id: _,
        code,
        lot_code: _,
        position: _,
        title,
        service_id,
        public_id,
        modality_id,
        territory_code: territory,
        unit,
        quantity,
        per,
        mandatory,
        spread,
        unmet_cost_cents,
        reference_unit_cost_cents,
        maximum_suppliers,
    } = row;
    let code_of = |key: String| key.split_once('/').map_or(key.clone(), |(_, code)| code.to_owned());
    Need {
        code,
        title,
        service: code_of(service_id),
        territory,
        public: public_id.map(code_of),
        modality: modality_id.map(code_of),
        unit,
        quantity,
        per,
        mandatory,
        spread,
        unmet_cost_cents,
        reference_unit_cost_cents,
        maximum_suppliers,
    }
}

fn view(row: Model, lots: Vec<Lot>) -> Call {
    let Model {
        id,
        version,
        created_at,
        updated_at,
        funder_id: funder,
        title,
        reference,
        description,
        kind,
        status,
        starts_on,
        duration_months,
        answers_due_at,
        budget_cents,
        eligibility: EligibilityRules(eligibility),
        group_policy,
        money_policy,
        award_criteria: AwardCriteria(award_criteria),
        assumptions,
        published_at,
        closed_at,
    } = row;
    let written = NewCall {
        funder,
        title,
        reference,
        description,
        kind,
        starts_on,
        duration_months,
        answers_due_at,
        budget_cents,
        lots,
        eligibility,
        group_policy,
        money_policy,
        award_criteria,
        assumptions,
    };
    Call { id, version, created_at, updated_at, value: CallState { status, published_at, closed_at, written } }
}

/// The columns that a client writes; key, version, status and times are the caller's.
fn columns(new: &NewCall) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        version: NotSet,
        created_at: NotSet,
        updated_at: NotSet,
        funder_id: Set(new.funder),
        title: Set(new.title.clone()),
        reference: Set(new.reference.clone()),
        description: Set(new.description.clone()),
        kind: Set(new.kind),
        status: NotSet,
        starts_on: Set(new.starts_on),
        duration_months: Set(new.duration_months),
        answers_due_at: Set(new.answers_due_at),
        budget_cents: Set(new.budget_cents),
        eligibility: Set(EligibilityRules(new.eligibility.clone())),
        group_policy: Set(new.group_policy.clone()),
        money_policy: Set(new.money_policy.clone()),
        award_criteria: Set(AwardCriteria(new.award_criteria.clone())),
        assumptions: Set(new.assumptions.clone()),
        published_at: NotSet,
        closed_at: NotSet,
    }
}

/// Writes a draft. Three queries.
pub async fn insert(db: &impl ConnectionTrait, id: Uuid, new: &NewCall) -> Result<(), DbErr> {
    let now = now();
    let row = ActiveModel {
        id: Set(id),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        status: Set(CallStatus::Draft),
        published_at: Set(None),
        closed_at: Set(None),
        ..columns(new)
    };
    Entity::insert(row).exec_without_returning(db).await?;
    insert_lots(db, id, new).await
}

async fn insert_lots(db: &impl ConnectionTrait, id: Uuid, new: &NewCall) -> Result<(), DbErr> {
    let lots = (0..).zip(&new.lots).map(|(position, own)| lot::ActiveModel {
        call_id: Set(id),
        code: Set(own.code.clone()),
        position: Set(position),
        title: Set(own.title.clone()),
        minimum_members: Set(own.minimum_members),
        maximum_members: Set(own.maximum_members),
    });
    lot::Entity::insert_many(lots).exec_without_returning(db).await?;
    let needs: Vec<need::ActiveModel> = new
        .lots
        .iter()
        .flat_map(|own| (0..).zip(&own.needs).map(|(position, need)| row_of(id, &own.code, position, need)))
        .collect();
    for rows in needs.chunks(rows_per_statement(db, 17)) {
        need::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

fn row_of(call: Uuid, lot: &str, position: i16, need: &Need) -> need::ActiveModel {
    need::ActiveModel {
        call_id: Set(call),
        code: Set(need.code.clone()),
        lot_code: Set(lot.to_owned()),
        position: Set(position),
        title: Set(need.title.clone()),
        service_id: Set(Vocabulary::Services.key(&need.service)),
        public_id: Set(need.public.as_deref().map(|code| Vocabulary::Publics.key(code))),
        modality_id: Set(need.modality.as_deref().map(|code| Vocabulary::Modalities.key(code))),
        territory_code: Set(need.territory.clone()),
        unit: Set(need.unit),
        quantity: Set(need.quantity),
        per: Set(need.per),
        mandatory: Set(need.mandatory),
        spread: Set(need.spread),
        unmet_cost_cents: Set(need.unmet_cost_cents),
        reference_unit_cost_cents: Set(need.reference_unit_cost_cents),
        maximum_suppliers: Set(need.maximum_suppliers),
    }
}

/// Replaces the given version of a draft; `false` where it is gone, has changed or is no draft. Five queries.
pub async fn replace(db: &impl ConnectionTrait, id: Uuid, new: &NewCall, version: i64) -> Result<bool, DbErr> {
    let row = ActiveModel { version: Set(version + 1), updated_at: Set(now()), ..columns(new) };
    let done = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(id))
        .filter(Column::Version.eq(version))
        .filter(Column::Status.eq(CallStatus::Draft))
        .exec(db)
        .await?;
    if done.rows_affected == 0 {
        return Ok(false);
    }
    need::Entity::delete_many().filter(need::Column::CallId.eq(id)).exec(db).await?;
    lot::Entity::delete_many().filter(lot::Column::CallId.eq(id)).exec(db).await?;
    insert_lots(db, id, new).await?;
    Ok(true)
}

/// Moves a call on from one status to the next; `false` where it is not in the first. One query.
pub async fn advance(db: &impl ConnectionTrait, id: Uuid, from: CallStatus, to: CallStatus) -> Result<bool, DbErr> {
    let now = now();
    let mut row = ActiveModel { status: Set(to), updated_at: Set(now), ..Default::default() };
    match to {
        CallStatus::Published => row.published_at = Set(Some(now)),
        CallStatus::Closed => row.closed_at = Set(Some(now)),
        CallStatus::Draft => {}
    }
    let done = Entity::update_many()
        .set(row)
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::Status.eq(from))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Every condition of participation of every call. One query; O(calls).
pub(crate) async fn all_rules(db: &impl ConnectionTrait) -> Result<Vec<EligibilityRule>, DbErr> {
    let rows: Vec<EligibilityRules> =
        Entity::find().select_only().column(Column::Eligibility).into_tuple().all(db).await?;
    Ok(rows.into_iter().flat_map(|EligibilityRules(rules)| rules).collect())
}

/// Deletes the given version of a draft with its runs; `false` where it is gone, has changed or is no draft. Three queries; call it in
/// a transaction, to be rolled back where it gives `false`.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid, version: i64) -> Result<bool, DbErr> {
    // A run that is being queued holds the row: seen by what follows if it comes first, refused if it comes later.
    Entity::find_by_id(id).lock_exclusive().one(db).await?;
    runs::store::delete_of(db, id).await?;
    let done = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(Column::Version.eq(version))
        .filter(Column::Status.eq(CallStatus::Draft))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}
