//! `/v1/calls/{id}/decisions` and `/v1/bids/{id}/decision`.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use uuid::Uuid;

use super::{BidOutcome, BidOutcomeOnLot, Decision, NewDecision, store, telling, validate};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::bids;
use crate::body::Body;
use crate::database::{begin_read, clock};
use crate::negotiation;
use crate::once::Once;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(record_decision).service(list_decisions).service(get_bid_decision);
}

/// Records what people have decided on the bids of a call: per lot, which bids are chosen and which not, or that none is, with the
/// reasons.
///
/// For evaluators and the owners of the funder, in person, after the opening. It replaces the decision before it, which is kept. Bidders
/// learn of it from `tell_at` on, each of its own bid.
#[utoipa::path(tag = "decisions", request_body = NewDecision, params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 201, description = "Recorded", body = Decision)))]
#[post("/calls/{id}/decisions")]
pub(crate) async fn record_decision(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<NewDecision>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        bids::store::lock(tx, *id).await?;
        let (call, decided_by) = bids::reading::evaluated(tx, &caller, *id).await?;
        let decided_at = clock(tx).await?;
        if negotiation::store::is_waiting(tx, *id, decided_at).await? {
            return Err(Problem::conflict("a bidder still has time to answer a change request"));
        }
        let before = store::latest(tx, *id).await?;
        let mut faults = validate::faults(&call.value.written, &bids::reading::standing(tx, &app, *id).await?, &new);
        if new.replaces != before.as_ref().map(|before| before.id) {
            let detail = "not the decision that stands: read it, and name it";
            faults.push(Fault::at("/replaces", detail));
        }
        Problem::check(faults)?;
        let mut decision = Decision {
            id: Uuid::now_v7(),
            call: *id,
            number: before.map_or(1, |before| before.number + 1),
            replaces: new.replaces,
            decided_by,
            decided_at,
            tell_at: new.tell_at,
            told_at: None,
            lots: new.lots.clone(),
        };
        store::insert(tx, &decision).await?;
        let recorded = if decision.tell_at <= decided_at {
            decision.told_at = Some(decided_at);
            telling::tell(tx, &decision, decided_at).await?
        } else {
            // Bidders would learn from an entry of theirs that there is a decision.
            let funder = call.value.written.funder;
            Recorded::of("decision", decision.id).concerning([funder]).version(decision.number)
        };
        Ok((HttpResponse::Created().json(decision), recorded))
    })
    .await
}

/// Lists the decisions on a call, the first one first: the last one stands. For those who evaluate the call, after the opening.
#[utoipa::path(tag = "decisions", params(("id" = Uuid, Path, description = "Id of the call"), Paging),
    responses((status = 200, description = "A page of decisions", body = Page<Decision>)))]
#[get("/calls/{id}/decisions")]
pub(crate) async fn list_decisions(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    let (call, _) = bids::reading::evaluated(&db, &caller, *id).await?;
    let after = pager.slice().after.map(|number| number.parse::<i64>()).transpose();
    let after = after.map_err(|_| Problem::malformed(vec![Fault::parameter("cursor", "not of this list")]))?;
    let decisions = store::page(&db, *id, &pager.slice(), after).await?;
    let page = pager.page(decisions, |own: &Decision| own.number.to_string())?;
    page.items().for_each(|own| caller.saw("decision", own.id, Some(call.value.written.funder)));
    Ok(page)
}

/// Reads what was decided on a bid, once that is told: chosen or not, with the reasons, and whose bids were chosen. Those who read the
/// bid read this.
#[utoipa::path(tag = "decisions", params(("id" = Uuid, Path, description = "Id of the bid")),
    responses((status = 200, description = "What was decided; nothing yet where no decision is named", body = BidOutcome)))]
#[get("/bids/{id}/decision")]
pub(crate) async fn get_bid_decision(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (call, bid) = bids::reading::read(&db, &app, &caller, *id).await?;
    let decision = store::told(&db, call.id).await?;
    let standing = bids::store::standing_bids(&db, call.id).await?;
    let bidders = standing.into_iter().map(|own| (own.id, own.organisation_id)).collect();
    caller.saw("bid_decision", bid.receipt.id, Some(bid.receipt.organisation));
    Ok(HttpResponse::Ok().json(outcome(*id, decision, &bidders)))
}

fn outcome(bid: Uuid, decision: Option<Decision>, bidders: &BTreeMap<Uuid, Uuid>) -> BidOutcome {
    let Some(decision) = decision else {
        return BidOutcome { bid, decision: None, decided_at: None, lots: Vec::new() };
    };
    let lots = decision.lots.into_iter().filter_map(|lot| {
        let chosen = lot.bids.iter().filter(|own| own.chosen);
        let chosen_organisations = chosen.filter_map(|own| bidders.get(&own.bid).copied()).collect();
        let own = lot.bids.into_iter().find(|own| own.bid == bid)?;
        Some(BidOutcomeOnLot {
            lot: lot.lot,
            outcome: lot.outcome,
            lot_reasons: lot.reasons,
            chosen: own.chosen,
            reasons: own.reasons,
            chosen_organisations,
        })
    });
    let lots: Vec<BidOutcomeOnLot> = lots.collect();
    if lots.is_empty() {
        return BidOutcome { bid, decision: None, decided_at: None, lots };
    }
    BidOutcome { bid, decision: Some(decision.id), decided_at: Some(decision.decided_at), lots }
}
