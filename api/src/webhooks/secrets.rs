//! The secrets of webhooks, in the database, sealed by the installation's key, which is outside of it.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel as _, PaginatorTrait as _,
    QueryFilter, QueryOrder,
};
use uuid::Uuid;

use super::entity::secret::{ActiveModel, Column, Entity, Model};
use super::sending::secret_text;
use crate::bids::seal::{Ciphertext, SealingKey};
use crate::database::now;
use crate::problem::Problem;

const BYTES: usize = 32;

/// Makes a secret, as it is handed out. The one before goes on signing for `overlap`; one before that does not. Three queries.
///
/// # Errors
/// A system without random numbers; the database's.
pub(crate) async fn issue(
    tx: &impl ConnectionTrait,
    sealing: &SealingKey,
    webhook: Uuid,
    overlap: Duration,
) -> Result<String, Problem> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    let of_webhook = || Condition::all().add(Column::WebhookId.eq(webhook));
    Entity::delete_many().filter(of_webhook().add(Column::ExpiresAt.is_not_null())).exec(tx).await?;
    Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(now() + overlap))
        .filter(of_webhook())
        .exec(tx)
        .await?;
    let id = Uuid::now_v7();
    let Ciphertext { nonce, bytes: ciphertext } = sealing.seal(&purpose(webhook, id), &bytes)?;
    let sealed_by = sealing.name().to_owned();
    let row = Model { id, webhook_id: webhook, sealed_by, nonce, ciphertext, created_at: now(), expires_at: None };
    Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(secret_text(&bytes))
}

/// What sign for some webhooks at this moment, newest first. One that does not open is left out, and told in the log. One query.
pub(crate) async fn of(
    db: &impl ConnectionTrait,
    sealing: &SealingKey,
    webhooks: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Vec<Vec<u8>>>, DbErr> {
    let lasting = Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gt(now()));
    let rows = Entity::find().filter(Column::WebhookId.is_in(webhooks)).filter(lasting).order_by_desc(Column::Id);
    let mut secrets: HashMap<Uuid, Vec<Vec<u8>>> = HashMap::new();
    for row in rows.all(db).await? {
        let webhook = row.webhook_id;
        let Some(secret) = open(sealing, row) else {
            tracing::error!(%webhook, "a secret does not open: was the sealing key replaced?");
            continue;
        };
        secrets.entry(webhook).or_default().push(secret);
    }
    Ok(secrets)
}

fn open(sealing: &SealingKey, row: Model) -> Option<Vec<u8>> {
    let purpose = purpose(row.webhook_id, row.id);
    sealing.open(&purpose, &Ciphertext { nonce: row.nonce, bytes: row.ciphertext })
}

fn purpose(webhook: Uuid, secret: Uuid) -> Vec<u8> {
    [b"webhook".as_slice(), webhook.as_bytes(), secret.as_bytes()].concat()
}

/// How many are sealed by another key. One query.
pub(crate) async fn foreign(db: &impl ConnectionTrait, sealing: &SealingKey) -> Result<u64, DbErr> {
    Entity::find().filter(Column::SealedBy.ne(sealing.name())).count(db).await
}

/// Seals all with another key of the installation; gives how many. Two queries, and one for each.
///
/// # Errors
/// One that `old` does not open; the database's.
pub(crate) async fn rotate(tx: &impl ConnectionTrait, old: &SealingKey, new: &SealingKey) -> Result<u64, Problem> {
    let rows = Entity::find().filter(Column::SealedBy.ne(new.name())).order_by_asc(Column::Id).all(tx).await?;
    let mut sealed = 0;
    for row in rows {
        let (id, webhook) = (row.id, row.webhook_id);
        let secret =
            open(old, row).ok_or_else(|| Problem::internal(format!("a secret of webhook {webhook} does not open")))?;
        let Ciphertext { nonce, bytes } = new.seal(&purpose(webhook, id), &secret)?;
        let again = ActiveModel {
            id: sea_orm::ActiveValue::Unchanged(id),
            sealed_by: sea_orm::ActiveValue::Set(new.name().to_owned()),
            nonce: sea_orm::ActiveValue::Set(nonce),
            ciphertext: sea_orm::ActiveValue::Set(bytes),
            ..Default::default()
        };
        Entity::update(again).exec(tx).await?;
        sealed += 1;
    }
    Ok(sealed)
}
