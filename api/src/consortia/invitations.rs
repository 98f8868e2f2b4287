//! `/v1/consortia/{id}/invitations` and what the lead does with those whom it has asked.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use uuid::Uuid;

use super::acting::{Acting, call_of};
use super::machine::{Event, Invitation};
use super::whole::Details;
use super::{Consent, Consortium, NewConsortiumInvitation, validate};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::bids::seal::salt;
use crate::body::Body;
use crate::once::Once;
use crate::problem::Problem;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(invite_into_consortium).service(rescind_membership).service(promote_alternate);
}

/// Invites an organisation into a consortium, or has it stand by as an alternate.
///
/// It is told the call, the lead and its own terms. Whether it answers is its own affair: who keeps a reservation against you looks like
/// anybody who does not answer.
#[utoipa::path(tag = "consortia", request_body = NewConsortiumInvitation,
    params(("id" = Uuid, Path, description = "Id of the consortium")),
    responses((status = 200, description = "Invited", body = Consortium)))]
#[post("/consortia/{id}/invitations")]
pub(crate) async fn invite_into_consortium(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<NewConsortiumInvitation>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let mut acting = Acting::of_lead(tx, &caller, *id).await?;
        let call = call_of(tx, &acting.whole).await?;
        Problem::check(validate::invitation_faults(tx, &call.value.written, &acting.whole, &new).await?)?;
        let NewConsortiumInvitation { organisation, role, parts, days_to_answer: days, alternate, replaces, message } =
            new.clone();
        acting.done(&Event::Invite(Invitation { organisation, days, alternate, replaces }))?;
        let consent = Consent::default();
        let details = Details { role, parts, own_prices: false, salt: salt()?, consent, message, reason: None };
        acting.whole.details.insert(organisation, details);
        let recorded = acting.keep(tx).await?;
        Ok((acting.answer(tx, &caller).await?, recorded))
    })
    .await
}

/// Takes an invitation back, excludes a member while the group is free, or lets an alternate go.
#[utoipa::path(tag = "consortia",
    params(("id" = Uuid, Path, description = "Id of the consortium"),
        ("organisation" = Uuid, Path, description = "Id of the organisation")),
    responses((status = 200, description = "Taken back", body = Consortium)))]
#[post("/consortia/{id}/members/{organisation}/rescind")]
pub(crate) async fn rescind_membership(
    app: Data<App>,
    caller: Caller,
    once: Once,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (id, organisation) = *path;
    led(&app, &caller, once, id, &Event::Rescind(organisation)).await
}

/// Invites an alternate at once, without waiting until somebody falls out.
#[utoipa::path(tag = "consortia",
    params(("id" = Uuid, Path, description = "Id of the consortium"),
        ("organisation" = Uuid, Path, description = "Id of the organisation")),
    responses((status = 200, description = "Invited", body = Consortium)))]
#[post("/consortia/{id}/members/{organisation}/promote")]
pub(crate) async fn promote_alternate(
    app: Data<App>,
    caller: Caller,
    once: Once,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (id, organisation) = *path;
    led(&app, &caller, once, id, &Event::Promote(organisation)).await
}

/// Does what only the lead does.
async fn led(app: &App, caller: &Caller, once: Once, id: Uuid, event: &Event) -> Result<HttpResponse, Problem> {
    once.write(app, async |tx| {
        let mut acting = Acting::of_lead(tx, caller, id).await?;
        acting.done(event)?;
        let recorded = acting.keep(tx).await?;
        Ok((acting.answer(tx, caller).await?, recorded))
    })
    .await
}
