//! Queries on what mail people want, and on how far they have been told.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel as _, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::entity::{preference, progress};
use super::{MailPreferences, NewMailPreferences};
use crate::calls::CallStatus;
use crate::database::now;
use crate::events::entity::{self as event, audience};
use crate::events::{Event, EventType};
use crate::identity::entity::membership;
use crate::webhooks::entity::Types;
use crate::{calls, events, identity, organisations};

/// How long somebody who writes to a person may take.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// What is older is not told by mail any more: a server that is named later does not send what happened long ago.
const OLDEST: TimeDelta = TimeDelta::days(3);
/// How many events a mail tells at most.
const MOST: u64 = 100;

/// What mail a person gets. One query.
pub(crate) async fn preferences(db: &impl ConnectionTrait, person: Uuid) -> Result<MailPreferences, DbErr> {
    let row = preference::Entity::find_by_id(person).one(db).await?;
    Ok(row.map_or_else(MailPreferences::default, |row| {
        let preference::Model { person_id: _, version, updated_at: _, language, enabled, muted: Types(muted) } = row;
        let muted = muted.iter().filter_map(|name| name.parse().ok()).collect();
        MailPreferences { version, language, enabled, muted }
    }))
}

/// Replaces a version of what a person wants; `false` where that is not the present one. Two queries.
pub(crate) async fn replace(
    tx: &impl ConnectionTrait,
    person: Uuid,
    new: &NewMailPreferences,
    version: i64,
) -> Result<bool, DbErr> {
    write_down(tx, person).await?;
    let muted = new.muted.iter().map(|kind| kind.name().to_owned()).collect();
    let row = preference::ActiveModel {
        version: Set(version + 1),
        updated_at: Set(now()),
        language: Set(new.language),
        enabled: Set(new.enabled),
        muted: Set(Types(muted)),
        ..Default::default()
    };
    let present = preference::Entity::update_many()
        .set(row)
        .filter(preference::Column::PersonId.eq(person))
        .filter(preference::Column::Version.eq(version));
    Ok(present.exec(tx).await?.rows_affected == 1)
}

/// Writes down what holds for a person who has said nothing. One query.
async fn write_down(tx: &impl ConnectionTrait, person: Uuid) -> Result<(), DbErr> {
    let MailPreferences { version, language, enabled, muted: _ } = MailPreferences::default();
    let row = preference::Model {
        person_id: person,
        version,
        updated_at: now(),
        language,
        enabled,
        muted: Types(Vec::new()),
    };
    let keep = OnConflict::column(preference::Column::PersonId).do_nothing().to_owned();
    preference::Entity::insert(row.into_active_model()).on_conflict(keep).exec_without_returning(tx).await?;
    Ok(())
}

/// Ends the mails to a person; `false` where there is none any more. Three queries.
pub(crate) async fn unsubscribe(tx: &impl ConnectionTrait, person: Uuid) -> Result<bool, DbErr> {
    if identity::store::person(tx, person).await?.is_none() {
        return Ok(false);
    }
    write_down(tx, person).await?;
    let row = preference::ActiveModel { enabled: Set(false), updated_at: Set(now()), ..Default::default() };
    preference::Entity::update_many()
        .set(row)
        .col_expr(preference::Column::Version, Expr::col(preference::Column::Version).add(1))
        .filter(preference::Column::PersonId.eq(person))
        .filter(preference::Column::Enabled.eq(true))
        .exec(tx)
        .await?;
    Ok(true)
}

/// Up to `limit` people who want mail, whom nobody writes to at this moment, and whose organisations were told something until `until`
/// that they were not. One query.
pub(super) async fn waiting(db: &impl ConnectionTrait, until: DateTime<Utc>, limit: u64) -> Result<Vec<Uuid>, DbErr> {
    let column = |table: &'static str, column: &'static str| Expr::col((table, column));
    let same =
        |one: (&'static str, &'static str), other: (&'static str, &'static str)| column(one.0, one.1).equals(other);
    let query = Query::select()
        .distinct()
        .column(("membership", "person_id"))
        .from("event")
        .inner_join("event_audience", same(("event_audience", "position"), ("event", "position")))
        .inner_join("membership", same(("membership", "organisation_id"), ("event_audience", "organisation_id")))
        .left_join("mail_progress", same(("mail_progress", "person_id"), ("membership", "person_id")))
        .left_join("mail_preference", same(("mail_preference", "person_id"), ("membership", "person_id")))
        .and_where(column("event", "at").gt(now() - OLDEST))
        .and_where(column("event", "at").lte(until))
        .and_where(column("event", "at").gte(column("membership", "created_at")))
        .and_where(column("event", "kind").ne(EventType::TestPing.name()))
        .cond_where(
            Condition::any()
                .add(column("mail_progress", "position").is_null())
                .add(column("event", "position").gt(column("mail_progress", "position"))),
        )
        .cond_where(
            Condition::any()
                .add(column("mail_progress", "busy_until").is_null())
                .add(column("mail_progress", "busy_until").lte(now())),
        )
        .cond_where(
            Condition::any()
                .add(column("mail_preference", "enabled").is_null())
                .add(column("mail_preference", "enabled").eq(true)),
        )
        .limit(limit)
        .take();
    let rows = db.query_all(&query).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Takes a person on, unless somebody else has; gives how far they have been told. Three queries.
pub(super) async fn take_on(db: &impl ConnectionTrait, person: Uuid) -> Result<Option<i64>, DbErr> {
    let row = progress::Model { person_id: person, position: 0, busy_until: DateTime::UNIX_EPOCH };
    let keep = OnConflict::column(progress::Column::PersonId).do_nothing().to_owned();
    progress::Entity::insert(row.into_active_model()).on_conflict(keep).exec_without_returning(db).await?;
    let free = progress::Entity::update_many()
        .col_expr(progress::Column::BusyUntil, Expr::value(now() + LEASE))
        .filter(progress::Column::PersonId.eq(person))
        .filter(progress::Column::BusyUntil.lte(now()));
    if free.exec(db).await?.rows_affected == 0 {
        return Ok(None);
    }
    Ok(progress::Entity::find_by_id(person).one(db).await?.map(|row| row.position))
}

/// Lets go of a person, who was told until `position`, and is left alone until `rest`. One query.
pub(super) async fn let_go(
    db: &impl ConnectionTrait,
    person: Uuid,
    position: i64,
    rest: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = progress::ActiveModel { position: Set(position), busy_until: Set(rest), ..Default::default() };
    progress::Entity::update_many().set(row).filter(progress::Column::PersonId.eq(person)).exec(db).await?;
    Ok(())
}

/// An event that is told to a person, for one of their organisations.
pub(super) struct Item {
    /// For which organisation.
    pub organisation: Uuid,
    /// It.
    pub event: Event,
}

/// What a person was not told.
pub(super) struct Untold {
    /// Up to [`MOST`] things, in their order.
    pub items: Vec<Item>,
    /// The place of the last event that was looked at, whether or not it is told; `None` where there is none.
    pub last: Option<i64>,
    /// Whether there may be more after it.
    pub more: bool,
}

/// What a person was not told after `position`. Three queries.
pub(super) async fn untold(db: &impl ConnectionTrait, person: Uuid, position: i64) -> Result<Untold, DbErr> {
    let own = membership::Entity::find().filter(membership::Column::PersonId.eq(person)).all(db).await?;
    let since: BTreeMap<Uuid, DateTime<Utc>> =
        own.into_iter().map(|row| (row.organisation_id, row.created_at)).collect();
    let recent = event::Entity::find()
        .select_only()
        .column(event::Column::Position)
        .filter(event::Column::Position.gt(position))
        .filter(event::Column::At.gt(now() - OLDEST))
        .filter(event::Column::Kind.ne(EventType::TestPing.name()));
    let addressed = audience::Entity::find()
        .filter(audience::Column::OrganisationId.is_in(since.keys().copied()))
        .filter(audience::Column::Position.in_subquery(recent.into_query()))
        .order_by_asc(audience::Column::Position)
        .limit(MOST)
        .all(db)
        .await?;
    let (last, more) = (addressed.last().map(|row| row.position), u64::try_from(addressed.len()) == Ok(MOST));
    let events = events::store::at(db, addressed.iter().map(|row| row.position)).await?;
    let items = addressed.into_iter().filter_map(|audience::Model { organisation_id: organisation, position }| {
        let event = events.get(&position)?;
        let belonged = since.get(&organisation).is_some_and(|since| event.timestamp >= *since);
        belonged.then(|| Item { organisation, event: event.clone() })
    });
    Ok(Untold { items: items.collect(), last, more })
}

/// How things are called that everybody may read: organisations, and calls that are no drafts. Two queries.
pub(super) async fn names(
    db: &impl ConnectionTrait,
    organisations: impl IntoIterator<Item = Uuid>,
    calls: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, String>, DbErr> {
    use calls::entity as call;
    use organisations::entity as organisation;
    let named: Vec<(Uuid, String)> = organisation::Entity::find()
        .select_only()
        .columns([organisation::Column::Id, organisation::Column::Name])
        .filter(organisation::Column::Id.is_in(organisations))
        .into_tuple()
        .all(db)
        .await?;
    let titled: Vec<(Uuid, String)> = call::Entity::find()
        .select_only()
        .columns([call::Column::Id, call::Column::Title])
        .filter(call::Column::Id.is_in(calls))
        .filter(call::Column::Status.ne(CallStatus::Draft))
        .into_tuple()
        .all(db)
        .await?;
    Ok(named.into_iter().chain(titled).collect())
}
