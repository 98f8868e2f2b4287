//! `/v1/territories`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, put};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{NewTerritory, Territory, TerritoryKind, store};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::calls;
use crate::codes;
use crate::database::lock;
use crate::organisations;
use crate::page::{Page, Pager};
use crate::problem::{Fault, Problem};
use crate::resource::{if_match, missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(list_territories).service(get_territory).service(put_territory).service(delete_territory);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListTerritories {
    /// Only those just below this one.
    parent: Option<String>,
    /// Only those of this level.
    kind: Option<TerritoryKind>,
    /// Only those whose name begins so; case and accents do not matter.
    name: Option<String>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists territories, by code.
#[utoipa::path(tag = "territories", params(ListTerritories),
    responses((status = 200, description = "A page of territories", body = Page<Territory>)))]
#[get("/territories")]
pub(crate) async fn list_territories(
    app: Data<App>,
    request: HttpRequest,
    query: Query<ListTerritories>,
) -> Result<impl Responder, Problem> {
    let ListTerritories { parent, kind, name, limit, cursor } = query.into_inner();
    let pager = Pager::new(&request, &app.cursors, limit, cursor.as_deref())?;
    let rows = store::page(
        &app.db,
        &store::Filter { parent, kind, name: codes::searched("name", name.as_deref())? },
        &pager.slice(),
    )
    .await?;
    pager.page(rows.into_iter().map(store::view).collect(), |territory: &Territory| territory.code.clone())
}

/// Reads a territory.
#[utoipa::path(tag = "territories", params(("code" = String, Path, description = "Code of the territory")),
    responses((status = 200, description = "The territory", body = Territory)))]
#[get("/territories/{code}")]
pub(crate) async fn get_territory(app: Data<App>, code: Path<String>) -> Result<HttpResponse, Problem> {
    let row = store::find(&app.db, &code).await?.ok_or_else(Problem::not_found)?;
    Ok(store::view(row).found())
}

/// Creates a territory, or replaces the version named by `If-Match`.
#[utoipa::path(tag = "territories", request_body = NewTerritory,
    params(("code" = String, Path, description = "Code of the territory"),
        ("If-Match" = Option<String>, Header, description = "`ETag` of the version to replace; absent to create")),
    responses((status = 200, description = "Replaced", body = Territory), (status = 201, description = "Created", body = Territory)))]
#[put("/territories/{code}")]
pub(crate) async fn put_territory(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    code: Path<String>,
    Body(new): Body<NewTerritory>,
) -> Result<HttpResponse, Problem> {
    let tx = app.log.begin(&caller).await?;
    lock(&tx, "territory").await?;
    let mut faults = Vec::new();
    if !codes::is_code(&code) {
        faults.push(Fault::parameter("code", codes::EXPECTED));
    }
    if new.latitude.is_some() != new.longitude.is_some() {
        faults.push(Fault::at("/latitude", "give both latitude and longitude, or neither"));
    }
    if let Some(parent) = &new.parent {
        if parent != code.as_str() && store::find(&tx, parent).await?.is_none() {
            faults.push(Fault::at("/parent", format!("there is no territory `{parent}`")));
        } else if store::closes_cycle(&tx, &code, parent).await? {
            faults.push(Fault::at(
                "/parent",
                format!("`{parent}` is the territory itself or below it: a tree has no cycle"),
            ));
        }
    }
    Problem::check(faults)?;
    let exists = store::find(&tx, &code).await?.is_some();
    if !exists && if_match(&request)?.is_none() {
        let row = store::insert(&tx, &code, &new).await?;
        tx.commit(recorded(&code).version(row.version)).await?;
        return Ok(store::view(row).created());
    }
    if !store::replace(&tx, &code, &new, required_version(&request)?).await? {
        return Err(missed(exists));
    }
    let row = store::find(&tx, &code).await?.ok_or_else(Problem::not_found)?;
    tx.commit(recorded(&code).version(row.version)).await?;
    Ok(store::view(row).found())
}

/// Deletes a territory that nothing refers to.
#[utoipa::path(tag = "territories",
    params(("code" = String, Path, description = "Code of the territory"),
        ("If-Match" = String, Header, description = "`ETag` of the version to delete")),
    responses((status = 204, description = "Deleted")))]
#[delete("/territories/{code}")]
pub(crate) async fn delete_territory(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    if !store::delete(&tx, &code, version).await? {
        return Err(missed(store::find(&tx, &code).await?.is_some()));
    }
    // Lists of codes in one column: no foreign key keeps what they name.
    if organisations::store::any_at_home(&tx, &code).await? {
        return Err(Problem::conflict("an organisation is at home there"));
    }
    if calls::store::all_rules(&tx).await?.iter().any(|rule| rule.territory.as_deref() == Some(code.as_str())) {
        return Err(Problem::conflict("a condition of a call names it"));
    }
    tx.commit(recorded(&code)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn recorded(code: &str) -> Recorded {
    Recorded::of("territory", code)
}
