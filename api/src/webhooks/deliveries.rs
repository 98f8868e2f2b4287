//! `/v1/webhooks/{id}/deliveries` and `/v1/webhooks/{id}/replay`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use uuid::Uuid;

use super::routes::owned;
use super::{Delivery, DeliveryState, Replay, ReplayRequest, queue};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::database::begin_read;
use crate::events;
use crate::once::Once;
use crate::page::{Page, Pager};
use crate::problem::{Fault, Problem};

/// How many events are sent again at once.
const MOST: u64 = 10_000;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(list_deliveries).service(replay_delivery).service(replay_webhook);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListDeliveries {
    /// Only those that stand here.
    state: Option<DeliveryState>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists what was sent to a webhook or waits for it, oldest first. What has ended is kept for 30 days.
#[utoipa::path(tag = "events", params(("id" = Uuid, Path, description = "Id of the webhook"), ListDeliveries),
    responses((status = 200, description = "A page of deliveries", body = Page<Delivery>)))]
#[get("/webhooks/{id}/deliveries")]
pub(crate) async fn list_deliveries(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<ListDeliveries>,
) -> Result<impl Responder, Problem> {
    let ListDeliveries { state, limit, cursor } = query.into_inner();
    let pager = Pager::new(&request, &app.cursors, limit, cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    let webhook = owned(&db, &caller, *id).await?;
    let deliveries = queue::page(&db, *id, state, &pager.slice(), pager.after_id()?).await?;
    caller.saw("webhook", webhook.id, Some(webhook.organisation));
    pager.page(deliveries, |delivery: &Delivery| delivery.id.to_string())
}

/// Sends a delivery again, whatever came of it before.
#[utoipa::path(tag = "events",
    params(("id" = Uuid, Path, description = "Id of the webhook"), ("delivery" = Uuid, Path, description = "Id of the delivery")),
    responses((status = 200, description = "It is on its way", body = Delivery)))]
#[post("/webhooks/{id}/deliveries/{delivery}/replay")]
pub(crate) async fn replay_delivery(
    app: Data<App>,
    caller: Caller,
    once: Once,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (id, delivery) = path.into_inner();
    let response = once
        .write(&app, async |tx| {
            let webhook = owned(tx, &caller, id).await?;
            queue::replay(tx, id, delivery).await?;
            let delivery = queue::find(tx, id, delivery).await?.ok_or_else(Problem::not_found)?;
            let recorded = Recorded::of("delivery", delivery.id).concerning([webhook.organisation]);
            Ok((HttpResponse::Ok().json(delivery), recorded))
        })
        .await?;
    app.log.bell().ring();
    Ok(response)
}

/// Sends again all events after one, and those that the webhook has never been sent, in their order: 10,000 at most.
#[utoipa::path(tag = "events", request_body = ReplayRequest, params(("id" = Uuid, Path, description = "Id of the webhook")),
    responses((status = 200, description = "They are on their way", body = Replay)))]
#[post("/webhooks/{id}/replay")]
pub(crate) async fn replay_webhook(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(ReplayRequest { after }): Body<ReplayRequest>,
) -> Result<HttpResponse, Problem> {
    let response = once
        .write(&app, async |tx| {
            let webhook = owned(tx, &caller, *id).await?;
            let unknown = || Problem::invalid(vec![Fault::at("/after", "no event that you were told has this id")]);
            let told = events::store::find_told(tx, webhook.organisation, after).await?;
            let events =
                events::store::since(tx, webhook.organisation, &webhook.types, told.ok_or_else(unknown)?, MOST).await?;
            let deliveries = queue::replay_all(tx, webhook.id, &events).await?;
            let recorded = Recorded::of("webhook", webhook.id).concerning([webhook.organisation]);
            let recorded = recorded.with(json!({ "after": after, "deliveries": deliveries }));
            Ok((HttpResponse::Ok().json(Replay { deliveries }), recorded))
        })
        .await?;
    app.log.bell().ring();
    Ok(response)
}
