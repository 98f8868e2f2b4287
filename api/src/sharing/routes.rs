//! `/v1/consortia/{id}/share-consents` and `…/shares`.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{ConsortiumShares, ShareConsent, ShareConsents, reckon, store};
use crate::access::{Caller, Everyone, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::calls::market::{Extent, Market};
use crate::calls::window::Window;
use crate::consortia::acting::{call_of, readable};
use crate::consortia::sight::{self, Depth};
use crate::consortia::whole::Whole;
use crate::database::begin_read;
use crate::limits;
use crate::once::Once;
use crate::problem::{Fault, Kind, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(agree_to_share).service(delete_share_consent).service(get_consortium_shares);
}

/// Agrees, for a member and the present version of the plan, to reckon with the sealed costs and capacities of all.
///
/// Once every member has, each reads how what they are paid beyond their costs could be divided. From that, costs of others can be
/// guessed: agree only where you would tell them. Another version of the plan needs another consent.
#[utoipa::path(tag = "consortia", request_body = ShareConsent, params(("id" = Uuid, Path, description = "Id of the consortium")),
    responses((status = 200, description = "Agreed", body = ShareConsents)))]
#[post("/consortia/{id}/share-consents")]
pub(crate) async fn agree_to_share(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<ShareConsent>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let (whole, member) = member(tx, &caller, *id, new.organisation).await?;
        caller.require_inside(tx, member, Role::Editor).await?;
        if new.plan != whole.state.plan {
            let detail = format!("the present version is {}: read it first", whole.state.plan);
            return Err(Problem::invalid(vec![Fault::at("/plan", detail)]));
        }
        store::agree(tx, *id, new.plan, member).await?;
        let missing = missing(tx, &whole).await?;
        let recorded = Recorded::of("share_consent", *id).concerning([member]).version(new.plan);
        let consents = ShareConsents { consortium: *id, plan: new.plan, missing };
        Ok((HttpResponse::Ok().json(consents), recorded))
    })
    .await
}

/// Takes back what one's organisation has agreed to: from now on nobody reads shares that rest on its costs.
#[utoipa::path(tag = "consortia", params(("id" = Uuid, Path, description = "Id of the consortium")),
    responses((status = 204, description = "Taken back")))]
#[delete("/consortia/{id}/share-consents")]
pub(crate) async fn delete_share_consent(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let tx = app.log.begin(&caller).await?;
    let (_, member) = member(&tx, &caller, *id, None).await?;
    caller.require_inside(&tx, member, Role::Editor).await?;
    store::take_back(&tx, *id, member).await?;
    tx.commit(Recorded::of("share_consent", *id).concerning([member])).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Reckons how the members could divide the coordination and the surplus: by the Shapley value, beside the nucleolus, with what the
/// core and the rivals say of it.
///
/// For members, once each of them has agreed for the present version. Cash, turnover and reservations play no part.
#[utoipa::path(tag = "consortia", params(("id" = Uuid, Path, description = "Id of the consortium")),
    responses((status = 200, description = "Shares", body = ConsortiumShares)))]
#[get("/consortia/{id}/shares")]
pub(crate) async fn get_consortium_shares(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (whole, reader) = member(&db, &caller, *id, None).await?;
    let agreed = store::agreed(&db, *id, whole.state.plan).await?;
    let members = whole.in_plan().map(|(member, _)| member);
    let everyone = Everyone::of(members, &agreed)
        .ok_or_else(|| Problem::conflict("not every member has agreed to this for the present version"))?;
    if !whole.state.all_have_answered() || !whole.is_priced() {
        return Err(Problem::conflict("some have not answered, or some amounts are open"));
    }
    limits::solver::check(&db, app.limits.solver_seconds_per_day(), Some(reader)).await?;
    let call = call_of(&db, &whole).await?;
    let window = Window::together(&db, everyone.clone());
    let extent = Extent::Near(everyone.members().collect());
    let mut problem = Market::load(&window, &[&call], &extent).await?.problem(&call);
    db.commit().await?;
    problem.call.lots.retain(|lot| whole.lots.contains(&lot.id));
    let concerns = |lots: &[String]| lots.is_empty() || lots.iter().any(|lot| whole.lots.contains(lot));
    problem.call.eligibility.retain(|rule| concerns(&rule.lots));
    for rule in &mut problem.call.eligibility {
        rule.lots.retain(|lot| whole.lots.contains(lot));
    }
    // Who only coordinates has no costs to reckon with.
    let working = whole.in_plan().filter(|(_, own)| !own.parts.is_empty());
    let team: Vec<String> = working.map(|(member, _)| member.to_string()).collect();
    let parts = whole.in_plan().flat_map(|(_, own)| &own.parts);
    let services: i64 = parts.filter_map(|part| part.amount_cents).sum();
    let coordination_cents = whole.coordination_cents;
    let division = reckon::divide(&app, problem, team, services, coordination_cents).await?;
    everyone.members().for_each(|member| caller.saw("consortium", whole.id, Some(member)));
    let reckon::Division { surplus_cents, members, core, rivals } = division;
    let plan = whole.state.plan;
    let shares = ConsortiumShares { consortium: *id, plan, coordination_cents, surplus_cents, members, core, rivals };
    Ok(HttpResponse::Ok().json(shares))
}

/// A consortium for one of its members.
async fn member(
    db: &impl ConnectionTrait,
    caller: &Caller,
    id: Uuid,
    named: Option<Uuid>,
) -> Result<(Whole, Uuid), Problem> {
    let (whole, reader) = readable(db, caller, id, named).await?;
    if sight::depth(&whole, reader) < Some(Depth::Member) {
        return Err(Problem::new(Kind::Forbidden).because("shares are for members: accept first"));
    }
    Ok((whole, reader))
}

/// How many members have not agreed for the present version. One query.
async fn missing(db: &impl ConnectionTrait, whole: &Whole) -> Result<u32, Problem> {
    let agreed = store::agreed(db, whole.id, whole.state.plan).await?;
    let missing = whole.in_plan().filter(|(member, _)| !agreed.contains(member)).count();
    u32::try_from(missing).map_err(Problem::internal)
}
