//! The keys of calls, in the database, sealed by the installation's key, which is outside of it.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, PaginatorTrait as _, QueryFilter, QueryOrder,
};
use serde_json::json;
use uuid::Uuid;

use super::entity::call_key::{ActiveModel, Column, Entity, Model};
use super::seal::{Ciphertext, DataKey, SealingKey};
use crate::access::Caller;
use crate::audit::{Log, Recorded};
use crate::database::{self, now};
use crate::problem::{Kind, Problem};
use crate::webhooks;

/// Refuses to start with another key than the one that seals the keys of calls and the secrets of webhooks: no bid could be read, and
/// nothing signed. Two queries.
///
/// # Errors
/// Another key, with what to do; the database's.
pub async fn check(db: &DatabaseConnection, sealing: &SealingKey) -> Result<(), String> {
    let calls = foreign(db, sealing).await.map_err(|error| error.to_string())?;
    let secrets = webhooks::secrets::foreign(db, sealing).await.map_err(|error| error.to_string())?;
    let what = match (calls, secrets) {
        (0, 0) => return Ok(()),
        (0, secrets) => format!("{secrets} secrets of webhooks"),
        (calls, _) => format!("the bids of {calls} calls"),
    };
    let name = sealing.name();
    Err(format!(
        "the sealing key {name} is not the one that seals {what}: name the file that was used until now with --sealing-key-file"
    ))
}

/// How many keys of calls are sealed by another key. One query.
async fn foreign(db: &impl ConnectionTrait, sealing: &SealingKey) -> Result<u64, DbErr> {
    Entity::find().filter(Column::SealedBy.ne(sealing.name())).count(db).await
}

/// The key of a call; `None` where it has none, or has had another put in its place in the database: then no bid opens. One query.
///
/// # Errors
/// Another key of the installation is in use; the database's.
pub async fn find(db: &impl ConnectionTrait, sealing: &SealingKey, call: Uuid) -> Result<Option<DataKey>, Problem> {
    let row = Entity::find_by_id(call).one(db).await?;
    row.map_or(Ok(None), |row| unwrap(sealing, row))
}

/// The key of a call, made at its first use, in a transaction of its own. One query, four at the first use.
///
/// # Errors
/// One that the key of the installation does not open.
pub async fn of_call(log: &Log, caller: &Caller, sealing: &SealingKey, call: Uuid) -> Result<DataKey, Problem> {
    if let Some(row) = Entity::find_by_id(call).one(log.db()).await? {
        return unwrap(sealing, row)?.ok_or_else(|| changed(call));
    }
    let tx = log.begin(caller).await?;
    database::lock(&tx, "call_key").await?;
    if let Some(row) = Entity::find_by_id(call).one(&tx).await? {
        return unwrap(sealing, row)?.ok_or_else(|| changed(call));
    }
    // The key of the installation may have been replaced while this service ran.
    if foreign(&tx, sealing).await? > 0 {
        return Err(replaced(sealing));
    }
    let key = DataKey::generate()?;
    let Ciphertext { nonce, bytes } = sealing.wrap(call, &key)?;
    let row = ActiveModel {
        call_id: Set(call),
        sealed_by: Set(sealing.name().to_owned()),
        nonce: Set(nonce),
        ciphertext: Set(bytes),
        created_at: Set(now()),
    };
    Entity::insert(row).exec_without_returning(&tx).await?;
    // It concerns no organisation: a funder would learn from it that there is a bid.
    tx.commit(Recorded::of("call_key", call)).await?;
    Ok(key)
}

fn unwrap(sealing: &SealingKey, row: Model) -> Result<Option<DataKey>, Problem> {
    let Model { call_id, sealed_by, nonce, ciphertext, created_at: _ } = row;
    if sealed_by == sealing.name() {
        Ok(sealing.unwrap(call_id, &Ciphertext { nonce, bytes: ciphertext }))
    } else {
        Err(replaced(sealing))
    }
}

fn changed(call: Uuid) -> Problem {
    Problem::internal(format!("the key of call {call} has been changed in the database"))
}

fn replaced(sealing: &SealingKey) -> Problem {
    let name = sealing.name();
    tracing::error!(name, "the sealing key has been replaced: start the service with the one that is in use");
    Problem::new(Kind::Unavailable)
}

/// Seals the keys of all calls, and the secrets of webhooks, with another key of the installation, in one transaction; gives how many keys. Those that it seals already
/// stay, so that this can be repeated.
///
/// # Errors
/// A key of a call that `old` does not open: nothing is changed then.
pub async fn rotate(log: &Log, old: &SealingKey, new: &SealingKey) -> Result<u64, Problem> {
    let tx = log.begin_own("rotate_sealing_key").await?;
    database::lock(&tx, "call_key").await?;
    let rows = Entity::find().filter(Column::SealedBy.ne(new.name())).order_by_asc(Column::CallId).all(&tx).await?;
    let mut sealed = 0;
    for row in rows {
        let call = row.call_id;
        let key = unwrap(old, row)?.ok_or_else(|| changed(call))?;
        let Ciphertext { nonce, bytes } = new.wrap(call, &key)?;
        let row = ActiveModel {
            call_id: Set(call),
            sealed_by: Set(new.name().to_owned()),
            nonce: Set(nonce),
            ciphertext: Set(bytes),
            ..Default::default()
        };
        Entity::update(row).exec(&tx).await?;
        sealed += 1;
    }
    let secrets = webhooks::secrets::rotate(&tx, old, new).await?;
    let changed = [("call_key", sealed), ("webhook_secret", secrets)].into_iter().filter(|(_, count)| *count > 0);
    let changed = changed.map(|(kind, count)| Recorded::all(kind).with(json!({ "count": count })));
    tx.commit_all(changed.collect()).await?;
    Ok(sealed)
}
