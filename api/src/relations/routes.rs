//! `/v1/relations`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post, put};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{NewRelation, Relation, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::once::Once;
use crate::organisations;
use crate::page::{Page, Pager};
use crate::problem::{Fault, Problem};
use crate::resource::{missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(list_relations)
        .service(create_relation)
        .service(get_relation)
        .service(replace_relation)
        .service(delete_relation);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListRelations {
    /// Only of this organisation.
    organisation: Option<Uuid>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists relations, oldest first.
#[utoipa::path(tag = "relations", params(ListRelations),
    responses((status = 200, description = "A page of relations", body = Page<Relation>)))]
#[get("/relations")]
pub(crate) async fn list_relations(
    app: Data<App>,
    request: HttpRequest,
    query: Query<ListRelations>,
) -> Result<impl Responder, Problem> {
    let ListRelations { organisation, limit, cursor } = query.into_inner();
    let pager = Pager::new(&request, &app.cursors, limit, cursor.as_deref())?;
    let relations = store::page(&app.db, organisation, &pager.slice(), pager.after_id()?).await?;
    pager.page(relations, |relation: &Relation| relation.id.to_string())
}

/// Records a relation.
#[utoipa::path(tag = "relations", request_body = NewRelation,
    responses((status = 201, description = "Recorded", body = Relation)))]
#[post("/relations")]
pub(crate) async fn create_relation(
    app: Data<App>,
    caller: Caller,
    once: Once,
    Body(new): Body<NewRelation>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        Problem::check(faults(tx, &caller, &new).await?)?;
        let relation = store::insert(tx, &new).await?;
        Ok((relation.created("/v1/relations")?, recorded(&relation).version(relation.version)))
    })
    .await
}

/// Reads a relation.
#[utoipa::path(tag = "relations", params(("id" = Uuid, Path, description = "Id of the relation")),
    responses((status = 200, description = "The relation", body = Relation)))]
#[get("/relations/{id}")]
pub(crate) async fn get_relation(app: Data<App>, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let relation = store::find(&app.db, *id).await?.ok_or_else(Problem::not_found)?;
    relation.found()
}

/// Replaces the version of a relation named by `If-Match`.
#[utoipa::path(tag = "relations", request_body = NewRelation,
    params(("id" = Uuid, Path, description = "Id of the relation"),
        ("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "Replaced", body = Relation)))]
#[put("/relations/{id}")]
pub(crate) async fn replace_relation(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(new): Body<NewRelation>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    require_one(&tx, &caller, &before.value).await?;
    Problem::check(faults(&tx, &caller, &new).await?)?;
    if !store::replace(&tx, *id, &new, version).await? {
        return Err(missed(true));
    }
    let relation = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    // It may have been another's until now: that one learns of it too.
    let both = recorded(&relation).concerning([before.value.a, before.value.b]);
    tx.commit(both.version(relation.version)).await?;
    relation.found()
}

/// Deletes a relation.
#[utoipa::path(tag = "relations",
    params(("id" = Uuid, Path, description = "Id of the relation"),
        ("If-Match" = String, Header, description = "`ETag` of the version to delete")),
    responses((status = 204, description = "Deleted")))]
#[delete("/relations/{id}")]
pub(crate) async fn delete_relation(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    require_one(&tx, &caller, &before.value).await?;
    if !store::delete(&tx, *id, version).await? {
        return Err(missed(true));
    }
    tx.commit(recorded(&before)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is recorded of a relation: it concerns both.
pub(super) fn recorded(relation: &Relation) -> Recorded {
    Recorded::of("relation", relation.id).concerning([relation.value.a, relation.value.b])
}

/// A relation belongs to both of its organisations.
async fn require_one(db: &impl ConnectionTrait, caller: &Caller, relation: &NewRelation) -> Result<(), Problem> {
    if caller.may(db, relation.a, Role::Editor).await? {
        return Ok(());
    }
    caller.require(db, relation.b, Role::Editor).await
}

/// All faults of a relation about to be written. Up to three queries.
async fn faults(db: &impl ConnectionTrait, caller: &Caller, new: &NewRelation) -> Result<Vec<Fault>, DbErr> {
    let mut faults = Vec::new();
    if !caller.may(db, new.a, Role::Editor).await? && !caller.may(db, new.b, Role::Editor).await? {
        faults.push(Fault::at("/a", "one of the two must be an organisation that you may write for"));
    }
    let known = organisations::store::existing(db, &[new.a, new.b]).await?;
    for (pointer, id) in [("/a", new.a), ("/b", new.b)] {
        if !known.contains(&id) {
            faults.push(Fault::at(pointer, "there is no such organisation"));
        }
    }
    if new.a == new.b {
        faults.push(Fault::at("/b", "a relation has two organisations"));
    }
    if new.since.zip(new.until).is_some_and(|(since, until)| since > until) {
        faults.push(Fault::at("/until", "the last day comes before the first"));
    }
    Ok(faults)
}
