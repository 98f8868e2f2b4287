//! Queries on webhooks.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel as _,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, Types, delivery};
use super::{NewWebhook, Webhook, WebhookFault, queue};
use crate::access::{Caller, Owners, Role};
use crate::database::now;
use crate::events::EventType;
use crate::page::Slice;

/// The webhooks of organisations that somebody owns, and for an administrator of those in the care of the platform.
pub(crate) fn owned(caller: &Caller) -> Condition {
    let own = caller.memberships().iter().filter(|(_, role)| **role == Role::Owner).map(|(id, _)| *id);
    let owned = Condition::any().add(Column::OrganisationId.is_in(own));
    if caller.is_administrator() { owned.add(Owners::Unclaimed.among(Column::OrganisationId)) } else { owned }
}

/// The webhooks of an organisation.
pub(crate) fn of(organisation: Uuid) -> Condition {
    Condition::all().add(Column::OrganisationId.eq(organisation))
}

/// Up to `slice.limit` webhooks, by id. One query.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    which: Condition,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<Webhook>, DbErr> {
    let mut rows = Entity::find().filter(which).order_by_asc(Column::Id).limit(slice.limit);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    Ok(rows.all(db).await?.into_iter().map(view).collect())
}

/// A webhook, whoever asks. One query.
pub(crate) async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Webhook>, DbErr> {
    Ok(Entity::find_by_id(id).one(db).await?.map(view))
}

/// Writes a webhook. One query.
pub(crate) async fn insert(db: &impl ConnectionTrait, organisation: Uuid, new: NewWebhook) -> Result<Webhook, DbErr> {
    let NewWebhook { organisation: _, url, description, types, enabled } = new;
    let now = now();
    let row = Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: now,
        updated_at: now,
        organisation_id: organisation,
        url,
        description,
        types: names(&types),
        enabled,
        disabled_because: None,
        failing_since: None,
    };
    Entity::insert(row.clone().into_active_model()).exec_without_returning(db).await?;
    Ok(view(row))
}

/// Replaces a version of a webhook, whose failures are forgotten; `false` where that is not the present one. One query.
pub(crate) async fn replace(db: &impl ConnectionTrait, id: Uuid, new: NewWebhook, version: i64) -> Result<bool, DbErr> {
    let NewWebhook { organisation: _, url, description, types, enabled } = new;
    let row = ActiveModel {
        version: Set(version + 1),
        updated_at: Set(now()),
        url: Set(url),
        description: Set(description),
        types: Set(names(&types)),
        enabled: Set(enabled),
        disabled_because: Set(None),
        failing_since: Set(None),
        ..Default::default()
    };
    let present = Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::Version.eq(version));
    Ok(present.exec(db).await?.rows_affected == 1)
}

/// Deletes a version of a webhook, with its deliveries, which are locked first, as whoever sends them does; `false` where that is not the
/// present one: nothing of it may be kept then. Three queries.
pub(crate) async fn delete(tx: &DatabaseTransaction, id: Uuid, version: i64) -> Result<bool, DbErr> {
    let own = Condition::all().add(delivery::Column::WebhookId.eq(id));
    queue::lock(tx, own.clone()).await?;
    delivery::Entity::delete_many().filter(own).exec(tx).await?;
    let gone = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(tx).await?;
    Ok(gone.rows_affected == 1)
}

/// Locks the webhooks of an organisation in the order of their ids, before they go with it. One query.
pub(crate) async fn lock_of(db: &impl ConnectionTrait, organisation: Uuid) -> Result<(), DbErr> {
    lock(db, of(organisation)).await
}

/// Locks a webhook, before its secrets change. One query.
pub(crate) async fn lock_one(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    lock(db, Condition::all().add(Column::Id.eq(id))).await
}

async fn lock(db: &impl ConnectionTrait, which: Condition) -> Result<(), DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(which).order_by_asc(Column::Id);
    let _: Vec<Uuid> = ids.lock_exclusive().into_tuple().all(db).await?;
    Ok(())
}

/// Notes that attempts fail since `at`, unless that is noted already. One query.
pub(crate) async fn is_failing(db: &impl ConnectionTrait, id: Uuid, at: DateTime<Utc>) -> Result<(), DbErr> {
    let first = Entity::update_many().col_expr(Column::FailingSince, Expr::value(at)).filter(Column::Id.eq(id));
    first.filter(Column::FailingSince.is_null()).exec(db).await?;
    Ok(())
}

/// Notes that an attempt has succeeded. One query.
pub(crate) async fn has_succeeded(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    let row = ActiveModel { failing_since: Set(None), ..Default::default() };
    let failing = Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::FailingSince.is_not_null());
    failing.exec(db).await?;
    Ok(())
}

/// Whether a webhook is on, and all attempts have failed since then. One query.
pub(crate) async fn has_failed_since(db: &impl ConnectionTrait, id: Uuid, then: DateTime<Utc>) -> Result<bool, DbErr> {
    let failing = Entity::find_by_id(id).filter(Column::Enabled.eq(true)).filter(Column::FailingSince.lte(then));
    Ok(failing.one(db).await?.is_some())
}

/// Switches a webhook off, unless it is off, or has had a success since `failing_since`; gives whose it is. Two queries.
pub(crate) async fn disable(
    db: &impl ConnectionTrait,
    id: Uuid,
    because: WebhookFault,
    failing_since: DateTime<Utc>,
) -> Result<Option<Webhook>, DbErr> {
    let row = ActiveModel {
        enabled: Set(false),
        disabled_because: Set(Some(because)),
        updated_at: Set(now()),
        ..Default::default()
    };
    let off = Entity::update_many()
        .set(row)
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::Enabled.eq(true))
        .filter(Column::FailingSince.lte(failing_since));
    if off.exec(db).await?.rows_affected == 0 {
        return Ok(None);
    }
    find(db, id).await
}

fn names(types: &[EventType]) -> Types {
    let mut names: Vec<String> = types.iter().map(|kind| kind.name().to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    Types(names)
}

/// A webhook as the API shows it. Types that this version of the service does not know are not shown.
fn view(row: Model) -> Webhook {
    let Model {
        id,
        version,
        created_at,
        updated_at,
        organisation_id: organisation,
        url,
        description,
        types: Types(types),
        enabled,
        disabled_because,
        failing_since,
    } = row;
    let types = types.iter().filter_map(|name| name.parse().ok()).collect();
    Webhook {
        id,
        version,
        created_at,
        updated_at,
        organisation,
        url,
        description,
        types,
        enabled,
        disabled_because,
        failing_since,
    }
}
