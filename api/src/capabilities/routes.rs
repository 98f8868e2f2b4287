//! `/v1/capabilities`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post, put};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Capability, NewCapability, store, validate};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::database::begin_read;
use crate::once::Once;
use crate::page::{Page, Pager};
use crate::problem::{Fault, Problem};
use crate::resource::{missed, required_version};
use crate::visibility::Veil;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(list_capabilities)
        .service(create_capability)
        .service(get_capability)
        .service(replace_capability)
        .service(delete_capability);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListCapabilities {
    /// Only of this organisation.
    organisation: Option<Uuid>,
    /// Only with this service.
    service: Option<String>,
    /// Only with this public.
    public: Option<String>,
    /// Only in this territory.
    territory: Option<String>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists capabilities, oldest first.
#[utoipa::path(tag = "capabilities", params(ListCapabilities),
    responses((status = 200, description = "A page of capabilities", body = Page<Capability>)))]
#[get("/capabilities")]
pub(crate) async fn list_capabilities(
    app: Data<App>,
    veil: Data<Veil>,
    caller: Caller,
    request: HttpRequest,
    query: Query<ListCapabilities>,
) -> Result<impl Responder, Problem> {
    let ListCapabilities { organisation, service, public, territory, limit, cursor } = query.into_inner();
    let pager = Pager::new(&request, &app.cursors, limit, cursor.as_deref())?;
    let filter = store::Filter { organisation, service, public, territory };
    let db = begin_read(&app.db).await?;
    let capabilities = store::page(&db, &filter, &pager.slice(), pager.after_id()?).await?;
    let own = caller.own_among(&db, capabilities.iter().map(|capability| capability.value.organisation)).await?;
    pager
        .page(capabilities, |capability: &Capability| capability.id.to_string())?
        .try_map(|capability| capability.seen(&veil, &caller, own.get(&capability.value.organisation).copied()))
}

/// Registers a capability.
#[utoipa::path(tag = "capabilities", request_body = NewCapability,
    responses((status = 201, description = "Registered", body = Capability)))]
#[post("/capabilities")]
pub(crate) async fn create_capability(
    app: Data<App>,
    caller: Caller,
    once: Once,
    Body(new): Body<NewCapability>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let mut faults: Vec<Fault> = validate::faults(tx, &new).await?;
        faults.extend(caller.fault_of_owner(tx, "/organisation", new.organisation).await?);
        Problem::check(faults)?;
        let id = Uuid::now_v7();
        store::insert_many(tx, &[store::Insertion { id, import_key: None, new }]).await?;
        let capability = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
        Ok((capability.created("/v1/capabilities")?, recorded(&capability).version(capability.version)))
    })
    .await
}

/// Reads a capability.
#[utoipa::path(tag = "capabilities", params(("id" = Uuid, Path, description = "Id of the capability")),
    responses((status = 200, description = "The capability", body = Capability)))]
#[get("/capabilities/{id}")]
pub(crate) async fn get_capability(
    app: Data<App>,
    veil: Data<Veil>,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let capability = store::find(&db, *id).await?.ok_or_else(Problem::not_found)?;
    let own = caller.own_among(&db, [capability.value.organisation]).await?;
    capability.shown(&veil, &caller, own.first().copied())
}

/// Replaces the version of a capability named by `If-Match`.
#[utoipa::path(tag = "capabilities", request_body = NewCapability,
    params(("id" = Uuid, Path, description = "Id of the capability"),
        ("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "Replaced", body = Capability)))]
#[put("/capabilities/{id}")]
pub(crate) async fn replace_capability(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(new): Body<NewCapability>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    caller.require(&tx, before.value.organisation, Role::Editor).await?;
    let mut faults = validate::faults(&tx, &new).await?;
    if before.value.organisation != new.organisation {
        faults.push(Fault::at("/organisation", "a capability stays with its organisation: register another one there"));
    }
    Problem::check(faults)?;
    if !store::replace(&tx, *id, &new, version).await? {
        return Err(missed(true));
    }
    let capability = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    tx.commit(recorded(&capability).version(capability.version)).await?;
    capability.found()
}

/// Deletes a capability.
#[utoipa::path(tag = "capabilities",
    params(("id" = Uuid, Path, description = "Id of the capability"),
        ("If-Match" = String, Header, description = "`ETag` of the version to delete")),
    responses((status = 204, description = "Deleted")))]
#[delete("/capabilities/{id}")]
pub(crate) async fn delete_capability(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    caller.require(&tx, before.value.organisation, Role::Editor).await?;
    if !store::delete(&tx, *id, version).await? {
        return Err(missed(true));
    }
    tx.commit(recorded(&before)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn recorded(capability: &Capability) -> Recorded {
    Recorded::of("capability", capability.id).concerning([capability.value.organisation])
}
