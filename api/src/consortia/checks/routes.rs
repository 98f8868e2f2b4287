//! `/v1/consortia/{id}/checks`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get};
use uuid::Uuid;

use super::super::acting::{call_of, readable};
use super::super::machine::Standing;
use super::super::routes::ReadAs;
use super::super::sight::{self, Depth};
use super::facts::{Facts, Read};
use super::{ConsortiumChecks, conditions, group, market};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::database::begin_read;
use crate::problem::{Kind, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(get_consortium_checks);
}

/// Checks a consortium against the rules of its call, as far as one may know; for its members.
///
/// Each rule is kept, broken, kept with a warning, or not judged, with a sentence in English and in French. Help, not legal advice.
#[utoipa::path(tag = "consortia", params(("id" = Uuid, Path, description = "Id of the consortium"), ReadAs),
    responses((status = 200, description = "Rule by rule", body = ConsortiumChecks)))]
#[get("/consortia/{id}/checks")]
pub(crate) async fn get_consortium_checks(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    query: Query<ReadAs>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (whole, reader) = readable(&db, &caller, *id, query.organisation).await?;
    if sight::depth(&whole, reader) < Some(Depth::Member) {
        return Err(Problem::new(Kind::Forbidden).because("a consortium is checked for its members: accept first"));
    }
    let call = call_of(&db, &whole).await?;
    let read = Read::load(&db, &call.value.written, &whole, reader).await?;
    let facts = Facts::new(&call.value.written, &whole, &read, reader);
    let team: Vec<Uuid> = facts.team.iter().map(|one| one.id).collect();
    let problem = market::problem(&db, &call, &whole, reader, &team).await?;
    drop(db);
    let mut checks = group::checks(&facts);
    checks.extend(conditions::checks(&facts));
    checks.extend(market::checks(&app, &facts, problem).await?);
    let pending = whole.state.members.values().filter(|own| own.standing == Standing::Invited).count();
    let pending = i32::try_from(pending).unwrap_or(i32::MAX);
    Ok(HttpResponse::Ok().json(ConsortiumChecks { consortium: whole.id, seen_as: reader, pending, checks }))
}
