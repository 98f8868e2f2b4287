//! Queries on events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use serde_json::Value;
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, audience};
use super::{Event, EventSubject, EventType, News};
use crate::codes::is_code;
use crate::database::rows_per_statement;
use crate::webhooks::queue;

/// How often a reader who waits looks for what another replica has told.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What a feed may be narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What happened.
    pub kind: Option<EventType>,
    /// To which thing.
    pub subject: Option<Uuid>,
}

/// Writes events in a transaction that holds the head of the audit log and ends right after: so they become visible in the order of
/// their positions, and no reader who has seen one can have missed an earlier one. Gives how many there are. Four queries, five with webhooks.
pub(crate) async fn tell(tx: &DatabaseTransaction, news: Vec<News>, at: DateTime<Utc>) -> Result<usize, DbErr> {
    let news: Vec<News> = news.into_iter().filter(|news| news.public || !news.audience.is_empty()).collect();
    if news.is_empty() {
        return Ok(0);
    }
    let last: Option<Option<i64>> =
        Entity::find().select_only().column_as(Expr::col(Column::Position).max(), "last").into_tuple().one(tx).await?;
    let first = last.flatten().unwrap_or(0) + 1;
    let (mut told, mut audiences) = (Vec::with_capacity(news.len()), Vec::new());
    for (position, News { kind, subject, audience, public, data }) in (first..).zip(news) {
        if !is_plain(&data) {
            return Err(DbErr::Custom(format!("the event {kind} says more than ids and codes")));
        }
        let own: BTreeSet<Uuid> = audience.into_iter().collect();
        audiences.extend(own.iter().map(|&organisation_id| audience::Model { organisation_id, position }));
        let row = Model {
            position,
            id: Uuid::now_v7(),
            at,
            kind: kind.name().to_owned(),
            subject_kind: subject.kind,
            subject_id: subject.id,
            public,
            data: data.to_string(),
        };
        told.push((row, own));
    }
    let rows = told.iter().map(|(row, _)| ActiveModel::from(row.clone()));
    Entity::insert_many(rows).exec_without_returning(tx).await?;
    for part in audiences.chunks(rows_per_statement(tx, 2)) {
        let part = part.iter().cloned().map(audience::ActiveModel::from);
        audience::Entity::insert_many(part).exec_without_returning(tx).await?;
    }
    queue::enqueue(tx, &told).await?;
    Ok(told.len())
}

/// Whether data holds ids and codes only: what an event says is read by whoever gets it, outside of the service.
fn is_plain(data: &Value) -> bool {
    let is_word = |value: &Value| value.as_str().is_some_and(is_code);
    data.as_object().is_some_and(|members| {
        members.iter().all(|(name, value)| match value {
            Value::Number(number) => name == "version" && number.is_i64(),
            Value::Array(items) => items.iter().all(is_word),
            value => is_word(value),
        })
    })
}

/// The events that are addressed to organisations of `readers` (a condition on [`audience::Column::OrganisationId`]), or to all.
fn told_to(readers: Condition) -> Condition {
    let addressed = audience::Entity::find().select_only().column(audience::Column::Position).filter(readers);
    Condition::any().add(Column::Public.eq(true)).add(Column::Position.in_subquery(addressed.into_query()))
}

/// An event, with those of its readers that it is addressed to.
pub(crate) struct Told {
    /// The event.
    pub event: Event,
    /// Their organisations; none where everybody may know.
    pub organisations: Vec<Uuid>,
}

/// Up to `limit` events that `readers` are told, after the one with the id `after`, in their order. Three queries.
///
/// Gives `None` where there is no event `after`.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    readers: Condition,
    filter: &Filter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Option<Vec<Told>>, DbErr> {
    let mut rows = Entity::find().filter(told_to(readers.clone())).order_by_asc(Column::Position).limit(limit);
    if let Some(after) = after {
        let Some(position) = position_of(db, after).await? else { return Ok(None) };
        rows = rows.filter(Column::Position.gt(position));
    }
    if let Some(kind) = filter.kind {
        rows = rows.filter(Column::Kind.eq(kind.name()));
    }
    if let Some(subject) = filter.subject {
        rows = rows.filter(Column::SubjectId.eq(subject));
    }
    let rows = rows.all(db).await?;
    let mut addressed = addressed(db, readers, rows.iter().map(|row| row.position)).await?;
    let told = rows.into_iter().map(|row| {
        let organisations = addressed.remove(&row.position).unwrap_or_default();
        Ok(Told { event: view(row)?, organisations })
    });
    told.collect::<Result<_, _>>().map(Some)
}

/// Which of `readers` events are addressed to, by position. One query, none without events.
async fn addressed(
    db: &impl ConnectionTrait,
    readers: Condition,
    positions: impl ExactSizeIterator<Item = i64>,
) -> Result<BTreeMap<i64, Vec<Uuid>>, DbErr> {
    let mut found: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
    if positions.len() > 0 {
        let rows = audience::Entity::find().filter(audience::Column::Position.is_in(positions)).filter(readers);
        for audience::Model { organisation_id, position } in rows.all(db).await? {
            found.entry(position).or_default().push(organisation_id);
        }
    }
    Ok(found)
}

/// Events by their places. One query, none without places.
pub(crate) async fn at(
    db: &impl ConnectionTrait,
    positions: impl ExactSizeIterator<Item = i64>,
) -> Result<BTreeMap<i64, Event>, DbErr> {
    if positions.len() == 0 {
        return Ok(BTreeMap::new());
    }
    let rows = Entity::find().filter(Column::Position.is_in(positions)).all(db).await?;
    rows.into_iter().map(|row| Ok((row.position, view(row)?))).collect()
}

/// Up to `limit` events that an organisation is told after a place, of some types or of all, in their order. One query.
pub(crate) async fn since(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    types: &[EventType],
    position: i64,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let own = Condition::all().add(audience::Column::OrganisationId.eq(organisation));
    let mut rows = Entity::find()
        .filter(told_to(own))
        .filter(Column::Position.gt(position))
        .filter(Column::Kind.ne(EventType::TestPing.name()))
        .order_by_asc(Column::Position)
        .limit(limit);
    if !types.is_empty() {
        rows = rows.filter(Column::Kind.is_in(types.iter().map(|kind| kind.name())));
    }
    rows.all(db).await
}

/// The place of an event, if an organisation is told of it. One query.
pub(crate) async fn find_told(db: &impl ConnectionTrait, organisation: Uuid, id: Uuid) -> Result<Option<i64>, DbErr> {
    let own = Condition::all().add(audience::Column::OrganisationId.eq(organisation));
    let row = Entity::find().filter(told_to(own)).filter(Column::Id.eq(id)).one(db).await?;
    Ok(row.map(|row| row.position))
}

/// The place of an event. One query.
pub(crate) async fn position_of(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<i64>, DbErr> {
    Ok(Entity::find().filter(Column::Id.eq(id)).one(db).await?.map(|row| row.position))
}

/// An event as the feed and webhooks show it.
///
/// # Errors
/// A row that another version of the service has written.
pub(crate) fn view(row: Model) -> Result<Event, DbErr> {
    let Model { position: _, id, at: timestamp, kind, subject_kind, subject_id, public: _, data } = row;
    let kind: EventType = kind.parse().map_err(|error| DbErr::Custom(format!("event {id}: {error}")))?;
    let data = serde_json::from_str(&data).map_err(|error| DbErr::Json(error.to_string()))?;
    Ok(Event { id, kind, timestamp, subject: EventSubject { kind: subject_kind, id: subject_id }, data })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_say_ids_and_codes_and_nothing_that_may_be_sealed() {
        for plain in [
            json!({}),
            json!({ "call": Uuid::nil(), "state": "succeeded", "lots": ["a", "b.1"], "version": 3 }),
            json!({ "calls": [] }),
        ] {
            assert!(is_plain(&plain), "{plain}");
        }
        for loud in [
            json!(null),
            json!([]),
            json!({ "amount_cents": 12 }),
            json!({ "version": 1.5 }),
            json!({ "name": "La Fabrique" }),
            json!({ "bid": { "id": "a" } }),
            json!({ "lots": [1] }),
            json!({ "opened": true }),
        ] {
            assert!(!is_plain(&loud), "{loud}");
        }
    }
}
