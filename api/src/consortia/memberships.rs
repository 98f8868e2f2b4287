//! `/v1/consortia/{id}/members`: what an organisation does that was invited.

use std::collections::BTreeSet;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, post, put};
use uuid::Uuid;

use super::acting::Acting;
use super::machine::{Event, Standing};
use super::{Amount, Consortium, ConsortiumAcceptance, ConsortiumDeparture, ConsortiumMemberTerms, validate};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::bids::seal::salt;
use crate::body::Body;
use crate::once::Once;
use crate::problem::Problem;
use crate::resource::{missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(accept_membership)
        .service(decline_membership)
        .service(leave_consortium)
        .service(ask_to_be_invited_again)
        .service(replace_membership);
}

/// Accepts an invitation, in the terms that were read.
///
/// From then on members see each other's contacts and shares. Nobody is bound before they have signed and the answer is filed.
#[utoipa::path(tag = "consortia", request_body = ConsortiumAcceptance,
    params(("id" = Uuid, Path, description = "Id of the consortium"),
        ("organisation" = Uuid, Path, description = "Id of the organisation that accepts")),
    responses((status = 200, description = "Accepted", body = Consortium)))]
#[post("/consortia/{id}/members/{organisation}/accept")]
pub(crate) async fn accept_membership(
    app: Data<App>,
    caller: Caller,
    once: Once,
    path: Path<(Uuid, Uuid)>,
    Body(answer): Body<ConsortiumAcceptance>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let mut acting = Acting::of_member(tx, &caller, path.0, path.1).await?;
        acting.done(&Event::Accept { terms: answer.terms })?;
        if let Some(own) = acting.whole.details.get_mut(&path.1) {
            own.consent = answer.consent;
        }
        let recorded = acting.keep(tx).await?;
        Ok((acting.answer(tx, &caller).await?, recorded))
    })
    .await
}

/// Declines an invitation. The lead cannot invite the organisation again unless it asks for that; the first alternate is invited in its
/// place.
#[utoipa::path(tag = "consortia", request_body = ConsortiumDeparture,
    params(("id" = Uuid, Path, description = "Id of the consortium"),
        ("organisation" = Uuid, Path, description = "Id of the organisation that declines")),
    responses((status = 200, description = "Declined", body = Consortium)))]
#[post("/consortia/{id}/members/{organisation}/decline")]
pub(crate) async fn decline_membership(
    app: Data<App>,
    caller: Caller,
    once: Once,
    path: Path<(Uuid, Uuid)>,
    Body(answer): Body<ConsortiumDeparture>,
) -> Result<HttpResponse, Problem> {
    gone(&app, &caller, once, *path, &Event::Decline, answer.reason).await
}

/// Leaves a consortium: freely while it is being formed and in negotiation; else only where the organisation has become unable for
/// reasons not its own.
#[utoipa::path(tag = "consortia", request_body = ConsortiumDeparture,
    params(("id" = Uuid, Path, description = "Id of the consortium"),
        ("organisation" = Uuid, Path, description = "Id of the organisation that leaves")),
    responses((status = 200, description = "Left", body = Consortium)))]
#[post("/consortia/{id}/members/{organisation}/leave")]
pub(crate) async fn leave_consortium(
    app: Data<App>,
    caller: Caller,
    once: Once,
    path: Path<(Uuid, Uuid)>,
    Body(answer): Body<ConsortiumDeparture>,
) -> Result<HttpResponse, Problem> {
    gone(&app, &caller, once, *path, &Event::Leave { unable: answer.unable }, answer.reason).await
}

/// Asks to be invited again, after having declined or left. Only the lead learns of it.
#[utoipa::path(tag = "consortia",
    params(("id" = Uuid, Path, description = "Id of the consortium"),
        ("organisation" = Uuid, Path, description = "Id of the organisation that asks")),
    responses((status = 200, description = "Asked", body = Consortium)))]
#[post("/consortia/{id}/members/{organisation}/ask")]
pub(crate) async fn ask_to_be_invited_again(
    app: Data<App>,
    caller: Caller,
    once: Once,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    gone(&app, &caller, once, *path, &Event::AskAgain, None).await
}

/// Does what a member does to go, or what one does who has gone.
async fn gone(
    app: &App,
    caller: &Caller,
    once: Once,
    (id, organisation): (Uuid, Uuid),
    event: &Event,
    reason: Option<String>,
) -> Result<HttpResponse, Problem> {
    once.write(app, async |tx| {
        let mut acting = Acting::of_member(tx, caller, id, organisation).await?;
        acting.done(event)?;
        if let Some(own) = acting.whole.details.get_mut(&organisation).filter(|_| reason.is_some()) {
            own.reason.clone_from(&reason);
        }
        let recorded = acting.keep(tx).await?;
        Ok((acting.answer(tx, caller).await?, recorded))
    })
    .await
}

/// Replaces what a member has settled for itself: what others see of it, and what it asks for its part.
///
/// Amounts that a member settles are its own secret, of the lead too, unless both share theirs. They make a new version of the plan.
#[utoipa::path(tag = "consortia", request_body = ConsortiumMemberTerms,
    params(("id" = Uuid, Path, description = "Id of the consortium"),
        ("organisation" = Uuid, Path, description = "Id of the member"),
        ("If-Match" = String, Header, description = "`ETag` of the version that was read")),
    responses((status = 200, description = "Replaced", body = Consortium)))]
#[put("/consortia/{id}/members/{organisation}")]
pub(crate) async fn replace_membership(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    path: Path<(Uuid, Uuid)>,
    Body(new): Body<ConsortiumMemberTerms>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let mut acting = Acting::of_member(&tx, &caller, path.0, path.1).await?;
    if acting.version() != version {
        return Err(missed(true));
    }
    if acting.whole.standing(path.1) != Some(Standing::Accepted) {
        return Err(Problem::conflict("only members settle their terms: accept the invitation first"));
    }
    if let Some(amounts) = &new.amounts {
        settle(&mut acting, path.1, amounts)?;
    }
    if let Some(own) = acting.whole.details.get_mut(&path.1) {
        own.consent = new.consent;
    }
    let recorded = acting.keep(&tx).await?;
    let answer = acting.answer(&tx, &caller).await?;
    tx.commit(recorded).await?;
    Ok(answer)
}

/// Writes what a member asks.
fn settle(acting: &mut Acting, organisation: Uuid, amounts: &[Amount]) -> Result<(), Problem> {
    let lead = acting.whole.state.lead;
    let Some(own) = acting.whole.details.get_mut(&organisation) else { return Ok(()) };
    Problem::check(validate::amount_faults(&own.parts, amounts))?;
    for part in &mut own.parts {
        part.amount_cents = amounts.iter().find(|one| one.need == part.need).map(|one| one.amount_cents);
    }
    own.own_prices = organisation != lead;
    own.salt = salt()?;
    acting.done(&Event::Change { of: BTreeSet::from([organisation]) })?;
    Ok(())
}
