//! Queries on the log.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel as _, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::Value;
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity, Model, head};
use super::{AuditEntry, Entry, chain};
use crate::database::{now, rows_per_statement};
use crate::keyfile::Key;

/// The head; `None` before the log begins. One query.
pub async fn head(db: &impl ConnectionTrait) -> Result<Option<head::Model>, DbErr> {
    head::Entity::find_by_id(chain::HEAD).one(db).await
}

/// The head of an empty log, unless there is one. One query.
pub async fn begin(db: &impl ConnectionTrait, key: &Key) -> Result<(), DbErr> {
    let keep_first = OnConflict::column(head::Column::Id).do_nothing().to_owned();
    let row = chain::head(key, 0, "").into_active_model();
    head::Entity::insert(row).on_conflict(keep_first).exec_without_returning(db).await?;
    Ok(())
}

/// Appends entries, of which there is at least one. Three queries, after which only events are written: whoever holds the head waits for
/// nothing else, so that writers pass one after the other and never in a circle.
pub(super) async fn append(tx: &DatabaseTransaction, key: &Key, entries: Vec<Entry>) -> Result<(), DbErr> {
    let last = head::Entity::find_by_id(chain::HEAD).lock_exclusive().one(tx).await?;
    let last = last.ok_or_else(|| DbErr::Custom("the audit log has no head".to_owned()))?;
    let (mut position, mut hash) = (last.position, last.hash);
    let at = now();
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        let Entry { author, subject, organisation, version, details } = entry;
        position += 1;
        let mut row = Model {
            position,
            at,
            caller: author.caller,
            action: author.action.to_owned(),
            organisation_id: organisation,
            subject,
            version,
            request_id: author.request_id,
            details: details.map(|details| details.to_string()),
            hash: String::new(),
        };
        row.hash = chain::hash(key, &hash, &row);
        hash.clone_from(&row.hash);
        rows.push(ActiveModel::from(row));
    }
    for rows in rows.chunks(rows_per_statement(tx, 10)) {
        Entity::insert_many(rows.to_vec()).exec_without_returning(tx).await?;
    }
    let head::Model { id, position, hash, seal } = chain::head(key, position, &hash);
    let row = head::ActiveModel { id: Set(id), position: Set(position), hash: Set(hash), seal: Set(seal) };
    head::Entity::update(row).exec(tx).await?;
    Ok(())
}

fn view(row: Model) -> Result<AuditEntry, DbErr> {
    let Model { position, at, caller, action, organisation_id: _, subject, version, request_id, details, hash: _ } =
        row;
    let details: Option<Value> =
        details.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| DbErr::Json(error.to_string()))?;
    Ok(AuditEntry { position, at, caller, action, subject, version, request_id, details })
}

/// Up to `limit` entries that concern an organisation, oldest first. One query.
pub async fn page(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    limit: u64,
    after: Option<i64>,
) -> Result<Vec<AuditEntry>, DbErr> {
    let rows = Entity::find()
        .filter(Column::OrganisationId.eq(organisation))
        .filter(Column::Position.gt(after.unwrap_or(0)))
        .order_by_asc(Column::Position)
        .limit(limit);
    rows.all(db).await?.into_iter().map(view).collect()
}
