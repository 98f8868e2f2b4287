//! `/v1/consortia/{id}/sign`.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use uuid::Uuid;

use super::acting::{Acting, own_sight};
use super::entity::signature;
use super::machine::{Event, Refusal};
use super::statement::statement;
use super::{Consortium, NewConsortiumSignature, store};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::body::Body;
use crate::once::Once;
use crate::problem::Problem;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(sign_consortium);
}

/// Signs the statement of a consortium, named by its digest.
///
/// Once every member has signed the same digest, the consortium is agreed and its lead may file the answer. Any change makes another
/// version, with another digest, and voids all signatures.
#[utoipa::path(tag = "consortia", request_body = NewConsortiumSignature,
    params(("id" = Uuid, Path, description = "Id of the consortium")),
    responses((status = 200, description = "Signed", body = Consortium)))]
#[post("/consortia/{id}/sign")]
pub(crate) async fn sign_consortium(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<NewConsortiumSignature>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let organisation = signatory(tx, &caller, *id, new.organisation).await?;
        let mut acting = Acting::of_member(tx, &caller, *id, organisation).await?;
        let plan = acting.whole.state.plan;
        let agreed = statement(&acting.whole)?;
        let Some((statement, digest)) = agreed else {
            let why = if acting.whole.state.all_have_answered() {
                "some amounts are open: they are settled before anybody signs".to_owned()
            } else {
                Refusal::Pending.to_string()
            };
            return Err(Problem::conflict(why));
        };
        if digest != new.digest {
            return Err(Refusal::Changed.into());
        }
        acting.done(&Event::Sign { plan })?;
        let signed = signature::Model {
            consortium_id: *id,
            plan,
            organisation_id: organisation,
            digest,
            signed_at: acting.now,
            signed_by: caller.name(),
        };
        let recorded = acting.keep(tx).await?;
        store::keep_signature(tx, statement, signed).await?;
        Ok((acting.answer(tx, &caller).await?, recorded))
    })
    .await
}

/// In whose name somebody signs: the organisation that is named, or the one that sees most.
async fn signatory(
    tx: &impl sea_orm::ConnectionTrait,
    caller: &Caller,
    id: Uuid,
    named: Option<Uuid>,
) -> Result<Uuid, Problem> {
    if let Some(named) = named {
        return Ok(named);
    }
    let whole = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
    own_sight(tx, caller, &whole).await?.ok_or_else(Problem::not_found)
}
