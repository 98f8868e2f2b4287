//! `/v1/calls/{id}/comparison`.

use std::collections::BTreeSet;

use actix_web::http::header::ACCEPT;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::measure::{Facts, compare};
use super::{BidComparison, table};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::bids::{self, Bid};
use crate::database::begin_read;
use crate::problem::Problem;
use crate::vocabularies::{self, Vocabulary};
use crate::{organisations, relations, territories};

const CSV: &str = "text/csv";

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(compare_bids);
}

/// A format of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ComparisonFormat {
    /// All of it.
    Json,
    /// A row for each bid on each lot.
    Csv,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CompareBids {
    /// The format; where absent, CSV if `Accept` names it first, else JSON.
    #[param(inline)]
    format: Option<ComparisonFormat>,
}

/// Sets the opened bids of a call side by side, lot by lot: coverage, price, cohesion, resilience, anchoring, who is necessary, and the
/// conditions of the call.
///
/// For its evaluators and the owners of its funder, in person, after the opening. It ranks nothing: people decide.
#[utoipa::path(tag = "decisions", params(("id" = Uuid, Path, description = "Id of the call"), CompareBids),
    responses((status = 200, description = "The bids side by side", content((BidComparison = "application/json"), (String = "text/csv")))))]
#[get("/calls/{id}/comparison")]
pub(crate) async fn compare_bids(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<CompareBids>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (call, _) = bids::reading::evaluated(&db, &caller, *id).await?;
    let standing = bids::reading::standing(&db, &app, *id).await?;
    let facts = facts(&db, &standing).await?;
    db.commit().await?;
    for bid in &standing {
        caller.saw("bid", bid.receipt.id, Some(bid.receipt.organisation));
    }
    caller.saw("comparison", *id, Some(call.value.written.funder));
    let comparison = compare(&call, &standing, &facts);
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let by_header = if accepts.starts_with(CSV) { ComparisonFormat::Csv } else { ComparisonFormat::Json };
    Ok(match query.format.unwrap_or(by_header) {
        ComparisonFormat::Json => HttpResponse::Ok().json(comparison),
        ComparisonFormat::Csv => HttpResponse::Ok().content_type(CSV).body(table::written(&comparison)?),
    })
}

/// What is public of those who bid. Twelve queries.
async fn facts(db: &impl ConnectionTrait, bids: &[Bid]) -> Result<Facts, DbErr> {
    let contents = bids.iter().filter_map(|bid| bid.sealed.as_ref()).map(|sealed| &sealed.content);
    let members = contents.flat_map(|content| content.members.iter().map(|member| member.organisation));
    let mut wanted: BTreeSet<Uuid> = members.collect();
    let members: Vec<Uuid> = wanted.iter().copied().collect();
    wanted.extend(organisations::store::lenders(db, members.clone()).await?);
    let organisations = organisations::store::several(db, wanted).await?;
    let services = vocabularies::store::all(db, Vocabulary::Services).await?.into_iter().map(vocabularies::store::view);
    Ok(Facts {
        organisations: organisations.into_iter().map(|own| (own.id, own)).collect(),
        relations: relations::store::among(db, &members).await?,
        parents: territories::store::parents(db).await?,
        services: services.filter_map(|term| Some((term.code, term.value.parent?))).collect(),
    })
}
