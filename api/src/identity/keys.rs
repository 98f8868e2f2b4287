//! `/v1/organisations/{id}/api-keys`, `/v1/platform/api-keys` and `/v1/api-keys`.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post};
use chrono::TimeDelta;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::entity::api_key::{ActiveModel, Column, Entity, Model};
use super::{ApiKey, IssuedApiKey, NewApiKey, leases};
use crate::access::credential::{Kind as SecretKind, Secret};
use crate::access::{Caller, Role, Routes, Scopes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::database::{begin_read, now};
use crate::once::Once;
use crate::organisations;
use crate::page::{Listed, Page, Pager, Paging, Slice};
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(create_api_key)
        .service(list_api_keys)
        .service(create_platform_key)
        .service(list_platform_keys)
        .service(rotate_api_key)
        .service(revoke_api_key);
}

/// Writes a key, of an organisation or of the platform; gives it with its secret. One query.
///
/// # Errors
/// The database's.
pub async fn issue(
    db: &impl ConnectionTrait,
    organisation: Option<Uuid>,
    new: NewApiKey,
) -> Result<IssuedApiKey, Problem> {
    let secret = Secret::generate(SecretKind::ApiKey)?;
    let created_at = now();
    let mut scopes = new.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let row = Model {
        id: Uuid::now_v7(),
        organisation_id: organisation,
        name: new.name,
        prefix: secret.shown(),
        digest: secret.digest(),
        role: new.role,
        scopes: Scopes(scopes),
        created_at,
        expires_at: created_at + TimeDelta::days(i64::from(new.valid_days)),
        revoked_at: None,
    };
    Entity::insert(ActiveModel::from(row.clone())).exec_without_returning(db).await?;
    Ok(IssuedApiKey { api_key: view(row), secret: secret.reveal().to_owned() })
}

fn view(row: Model) -> ApiKey {
    let Model {
        id,
        organisation_id: organisation,
        name,
        prefix,
        digest: _,
        role,
        scopes: Scopes(scopes),
        created_at,
        expires_at,
        revoked_at,
    } = row;
    ApiKey { id, organisation, name, prefix, role, scopes, created_at, expires_at, revoked_at }
}

fn issued(key: &IssuedApiKey) -> (HttpResponse, Recorded) {
    let place = format!("/v1/api-keys/{}", key.api_key.id);
    let recorded = recorded(key.api_key.id, key.api_key.organisation);
    (HttpResponse::Created().insert_header((LOCATION, place)).json(key), recorded)
}

/// What the log says of a key that was made or revoked.
pub fn recorded(key: Uuid, organisation: Option<Uuid>) -> Recorded {
    Recorded::of("api_key", key).concerning(organisation)
}

fn saw(caller: &Caller, keys: &Listed<ApiKey>) {
    keys.items().for_each(|key| caller.saw("api_key", key.id, key.organisation));
}

/// No key makes a key that can do more than itself.
fn check_scopes(caller: &Caller, new: &NewApiKey) -> Result<(), Problem> {
    let beyond = new.scopes.iter().enumerate().filter(|(_, scope)| !caller.holds(**scope));
    let faults = beyond.map(|(position, _)| Fault::at(format!("/scopes/{position}"), "this is more than you may do"));
    Problem::check(faults.collect())
}

/// Makes a key of an organisation.
#[utoipa::path(tag = "identity", request_body = NewApiKey, params(("id" = Uuid, Path, description = "Id of the organisation")),
    responses((status = 201, description = "Keep the secret: it is shown this once", body = IssuedApiKey)))]
#[post("/organisations/{id}/api-keys")]
pub(crate) async fn create_api_key(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<NewApiKey>,
) -> Result<HttpResponse, Problem> {
    check_scopes(&caller, &new)?;
    once.issue(&app, async |tx| {
        caller.require_inside(tx, *id, Role::Owner).await?;
        Ok(issued(&issue(tx, Some(*id), new).await?))
    })
    .await
}

/// Lists the keys of an organisation, oldest first.
#[utoipa::path(tag = "identity", params(("id" = Uuid, Path, description = "Id of the organisation"), Paging),
    responses((status = 200, description = "A page of keys", body = Page<ApiKey>)))]
#[get("/organisations/{id}/api-keys")]
pub(crate) async fn list_api_keys(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    caller.require_inside(&db, *id, Role::Owner).await?;
    let keys = page(&db, of(*id), &pager.slice(), pager.after_id()?).await?;
    let page = pager.page(keys, |key: &ApiKey| key.id.to_string())?;
    saw(&caller, &page);
    Ok(page)
}

/// The keys of an organisation.
pub(crate) fn of(organisation: Uuid) -> Condition {
    Condition::all().add(Column::OrganisationId.eq(organisation))
}

/// Up to `slice.limit` keys, by id. One query.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    which: Condition,
    slice: &Slice,
    after: Option<Uuid>,
) -> Result<Vec<ApiKey>, DbErr> {
    let mut rows = Entity::find().filter(which).order_by_asc(Column::Id).limit(slice.limit);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    Ok(rows.all(db).await?.into_iter().map(view).collect())
}

/// Makes a key of the platform: an administrator's, within its scopes.
#[utoipa::path(tag = "identity", request_body = NewApiKey,
    responses((status = 201, description = "Keep the secret: it is shown this once", body = IssuedApiKey)))]
#[post("/platform/api-keys")]
pub(crate) async fn create_platform_key(
    app: Data<App>,
    caller: Caller,
    once: Once,
    Body(new): Body<NewApiKey>,
) -> Result<HttpResponse, Problem> {
    check_scopes(&caller, &new)?;
    once.issue(&app, async |tx| Ok(issued(&issue(tx, None, new).await?))).await
}

/// Lists the keys of the platform, oldest first.
#[utoipa::path(tag = "identity", params(Paging), responses((status = 200, description = "A page of keys", body = Page<ApiKey>)))]
#[get("/platform/api-keys")]
pub(crate) async fn list_platform_keys(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let of_platform = Condition::all().add(Column::OrganisationId.is_null());
    let keys = page(&app.db, of_platform, &pager.slice(), pager.after_id()?).await?;
    let page = pager.page(keys, |key: &ApiKey| key.id.to_string())?;
    saw(&caller, &page);
    Ok(page)
}

/// A key that somebody decides on; for others it is as if it were not there. Two queries at most.
async fn find(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Model, Problem> {
    let row = Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    match row.organisation_id {
        Some(organisation) => caller.require_inside(db, organisation, Role::Owner).await?,
        None if caller.is_administrator() => {}
        None => return Err(Problem::not_found()),
    }
    Ok(row)
}

/// Revokes a key and makes one like it, with as long to live. When the answer comes, the old one is refused everywhere.
#[utoipa::path(tag = "identity", params(("id" = Uuid, Path, description = "Id of the key")),
    responses((status = 201, description = "Keep the secret: it is shown this once", body = IssuedApiKey)))]
#[post("/api-keys/{id}/rotate")]
pub(crate) async fn rotate_api_key(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let issued = once
        .issue(&app, async |tx| {
            let old = find(tx, &caller, *id).await?;
            // As whoever deletes the organisation does: first it, then its keys.
            if let Some(organisation) = old.organisation_id {
                organisations::store::lock(tx, organisation).await?;
            }
            let days = u16::try_from((old.expires_at - old.created_at).num_days()).unwrap_or(1).max(1);
            let new = NewApiKey { name: old.name, role: old.role, scopes: old.scopes.0, valid_days: days };
            check_scopes(&caller, &new)?;
            if !revoke(tx, *id).await? {
                return Err(Problem::conflict("this key has been revoked: make another one"));
            }
            let (response, recorded) = issued(&issue(tx, old.organisation_id, new).await?);
            Ok((response, recorded.with(json!({ "instead_of": *id }))))
        })
        .await;
    // Whoever sends this again because the first answer was lost learns that it was done: it has to be true.
    leases::run_out(&request).await;
    issued
}

/// Revokes a key. The answer takes half a second: when it comes, the key is refused everywhere.
#[utoipa::path(tag = "identity", params(("id" = Uuid, Path, description = "Id of the key")),
    responses((status = 204, description = "Revoked")))]
#[delete("/api-keys/{id}")]
pub(crate) async fn revoke_api_key(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let tx = app.log.begin(&caller).await?;
    let key = find(&tx, &caller, *id).await?;
    revoke(&tx, *id).await?;
    tx.commit(recorded(key.id, key.organisation_id)).await?;
    leases::run_out(&request).await;
    Ok(HttpResponse::NoContent().finish())
}

async fn revoke(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now()))
        .filter(Column::Id.eq(id))
        .filter(Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}
