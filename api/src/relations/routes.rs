//! `/v1/relations`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post, put};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{NewRelation, Relation, store};
use crate::app::App;
use crate::body::Body;
use crate::database::begin_write;
use crate::once::Once;
use crate::organisations;
use crate::page::{Page, Pager};
use crate::problem::{Fault, Problem};
use crate::resource::{missed, required_version};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
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
async fn list_relations(
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
async fn create_relation(app: Data<App>, once: Once, Body(new): Body<NewRelation>) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        Problem::check(faults(tx, &new).await?)?;
        let relation = store::insert(tx, &new).await?;
        Ok(relation.created("/v1/relations"))
    })
    .await
}

/// Reads a relation.
#[utoipa::path(tag = "relations", params(("id" = Uuid, Path, description = "Id of the relation")),
    responses((status = 200, description = "The relation", body = Relation)))]
#[get("/relations/{id}")]
async fn get_relation(app: Data<App>, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let relation = store::find(&app.db, *id).await?.ok_or_else(Problem::not_found)?;
    Ok(relation.found())
}

/// Replaces the version of a relation named by `If-Match`.
#[utoipa::path(tag = "relations", request_body = NewRelation,
    params(("id" = Uuid, Path, description = "Id of the relation"),
        ("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "Replaced", body = Relation)))]
#[put("/relations/{id}")]
async fn replace_relation(
    app: Data<App>,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(new): Body<NewRelation>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = begin_write(&app.db).await?;
    if store::find(&tx, *id).await?.is_none() {
        return Err(Problem::not_found());
    }
    Problem::check(faults(&tx, &new).await?)?;
    if !store::replace(&tx, *id, &new, version).await? {
        return Err(missed(true));
    }
    let relation = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(relation.found())
}

/// Deletes a relation.
#[utoipa::path(tag = "relations",
    params(("id" = Uuid, Path, description = "Id of the relation"),
        ("If-Match" = String, Header, description = "`ETag` of the version to delete")),
    responses((status = 204, description = "Deleted")))]
#[delete("/relations/{id}")]
async fn delete_relation(app: Data<App>, request: HttpRequest, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = begin_write(&app.db).await?;
    if !store::delete(&tx, *id, version).await? {
        return Err(missed(store::find(&tx, *id).await?.is_some()));
    }
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// All faults of a relation about to be written. One query.
async fn faults(db: &impl ConnectionTrait, new: &NewRelation) -> Result<Vec<Fault>, DbErr> {
    let mut faults = Vec::new();
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
