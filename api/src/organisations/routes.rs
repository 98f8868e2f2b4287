//! `/v1/organisations`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post, put};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::directory::{Filter, Offered, Order, Sort};
use super::{LegalFamily, NewOrganisation, Organisation, store, validate};
use crate::access::{Caller, Principal, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::codes::searched;
use crate::database::{begin_read, now};
use crate::fold::fold;
use crate::identity::{self, leases};
use crate::once::Once;
use crate::page::{Page, Pager};
use crate::problem::Problem;
use crate::resource::{missed, required_version};
use crate::visibility::Veil;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(list_organisations)
        .service(create_organisation)
        .service(get_organisation)
        .service(replace_organisation)
        .service(delete_organisation);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListOrganisations {
    /// Words of the name or of an alias, or parts of words; case and accents do not matter.
    name: Option<String>,
    /// A number given by a register.
    identifier: Option<String>,
    /// Legal family.
    legal_family: Option<LegalFamily>,
    /// Only holders of this certificate, where it is valid today.
    credential: Option<String>,
    /// Only those that offer this service or a finer one. This and the next three are of one and the same capability, one that has not
    /// ended.
    service: Option<String>,
    /// To this public, to a part of it, or to a wider one.
    public: Option<String>,
    /// In this territory, in a part of it, or in a wider one.
    territory: Option<String>,
    /// In this form, or in any.
    modality: Option<String>,
    /// `oldest` (as they were registered) or `name`.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Searches the directory: lists the organisations that all filters leave.
#[utoipa::path(tag = "organisations", params(ListOrganisations),
    responses((status = 200, description = "A page of organisations", body = Page<Organisation>)))]
#[get("/organisations")]
pub(crate) async fn list_organisations(
    app: Data<App>,
    veil: Data<Veil>,
    caller: Caller,
    request: HttpRequest,
    query: Query<ListOrganisations>,
) -> Result<impl Responder, Problem> {
    let query = query.into_inner();
    let sort = query.sort;
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let slice = pager.slice();
    let order = Order::of(sort, slice.after.as_deref())?;
    let db = begin_read(&app.db).await?;
    let organisations = store::page(&db, &query.filter()?, &order, slice.limit).await?;
    let own = caller.own_among(&db, organisations.iter().map(|organisation| organisation.id)).await?;
    pager
        .page(organisations, |one: &Organisation| Order::position(sort, one.id, &fold(&one.value.name)))?
        .try_map(|organisation| organisation.seen(&veil, &caller, own.get(&organisation.id).copied()))
}

impl ListOrganisations {
    fn filter(self) -> Result<Filter, Problem> {
        let Self { name, identifier, legal_family, credential, service, public, territory, modality, .. } = self;
        let today = now().date_naive();
        Ok(Filter {
            name: searched("name", name.as_deref())?,
            identifier,
            legal_family,
            credential: credential.map(|code| (code, today)),
            offer: Offered { service, public, territory, modality, on: today },
        })
    }
}

/// Registers an organisation. Whoever does is its owner; one that an administrator registers waits for somebody to claim it.
#[utoipa::path(tag = "organisations", request_body = NewOrganisation,
    responses((status = 201, description = "Registered", body = Organisation)))]
#[post("/organisations")]
pub(crate) async fn create_organisation(
    app: Data<App>,
    caller: Caller,
    once: Once,
    Body(new): Body<NewOrganisation>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        Problem::check(validate::faults(tx, None, &new).await?)?;
        let id = Uuid::now_v7();
        store::insert_many(tx, &[store::Insertion { id, import_key: None, new }]).await?;
        if let (Principal::Person { person, .. }, false) = (caller.principal(), caller.is_administrator()) {
            identity::store::join(tx, id, person, Role::Owner).await?;
        }
        let organisation = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
        Ok((organisation.created("/v1/organisations")?, recorded(id).version(organisation.version)))
    })
    .await
}

/// Reads an organisation.
#[utoipa::path(tag = "organisations", params(("id" = Uuid, Path, description = "Id of the organisation")),
    responses((status = 200, description = "The organisation", body = Organisation)))]
#[get("/organisations/{id}")]
pub(crate) async fn get_organisation(
    app: Data<App>,
    veil: Data<Veil>,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let organisation = store::find(&db, *id).await?.ok_or_else(Problem::not_found)?;
    let own = caller.own_among(&db, [*id]).await?;
    organisation.shown(&veil, &caller, own.first().copied())
}

/// Replaces the version of an organisation named by `If-Match`.
#[utoipa::path(tag = "organisations", request_body = NewOrganisation,
    params(("id" = Uuid, Path, description = "Id of the organisation"),
        ("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "Replaced", body = Organisation)))]
#[put("/organisations/{id}")]
pub(crate) async fn replace_organisation(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(new): Body<NewOrganisation>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    if !store::exists(&tx, *id).await? {
        return Err(Problem::not_found());
    }
    caller.require(&tx, *id, Role::Editor).await?;
    Problem::check(validate::faults(&tx, Some(*id), &new).await?)?;
    if !store::replace(&tx, *id, &new, version).await? {
        return Err(missed(true));
    }
    let organisation = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    tx.commit(recorded(*id).version(organisation.version)).await?;
    organisation.found()
}

/// Deletes an organisation with its capabilities and relations. Refused while a call of its own exists.
#[utoipa::path(tag = "organisations",
    params(("id" = Uuid, Path, description = "Id of the organisation"),
        ("If-Match" = String, Header, description = "`ETag` of the version to delete")),
    responses((status = 204, description = "Deleted")))]
#[delete("/organisations/{id}")]
pub(crate) async fn delete_organisation(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    if !store::exists(&tx, *id).await? {
        drop(tx);
        // Whoever sends it again because the answer was lost waits, too.
        leases::run_out(&request).await;
        return Err(Problem::not_found());
    }
    caller.require(&tx, *id, Role::Owner).await?;
    if !store::delete(&tx, *id, version).await? {
        return Err(missed(true));
    }
    tx.commit(recorded(*id)).await?;
    // Its keys are void.
    leases::run_out(&request).await;
    Ok(HttpResponse::NoContent().finish())
}

fn recorded(id: Uuid) -> Recorded {
    Recorded::of("organisation", id).concerning([id])
}
