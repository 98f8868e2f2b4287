//! `/v1/webhooks`.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post, put};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{IssuedWebhook, NewWebhook, Webhook, secrets, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::database::begin_read;
use crate::events::{EventType, News};
use crate::once::Once;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};
use crate::resource::{etagged, missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(list_webhooks)
        .service(create_webhook)
        .service(get_webhook)
        .service(replace_webhook)
        .service(delete_webhook)
        .service(rotate_webhook_secret)
        .service(test_webhook);
}

/// What is wrong with an address.
fn faults(app: &App, new: &NewWebhook) -> Vec<Fault> {
    let checked = app.webhooks.reach().check(&new.url);
    checked.err().map(|error| Fault::at("/url", error.to_string())).into_iter().collect()
}

fn recorded(webhook: &Webhook) -> Recorded {
    Recorded::of("webhook", webhook.id).concerning([webhook.organisation])
}

fn issued(webhook: Webhook, secret: String) -> (HttpResponse, Recorded) {
    let recorded = recorded(&webhook).version(webhook.version);
    let place = format!("/v1/webhooks/{}", webhook.id);
    (HttpResponse::Created().insert_header((LOCATION, place)).json(IssuedWebhook { webhook, secret }), recorded)
}

/// A webhook of an organisation that the caller owns. For those who do not belong to it, it is not there.
pub(super) async fn owned(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Webhook, Problem> {
    let webhook = store::find(db, id).await?.ok_or_else(Problem::not_found)?;
    caller.require_inside(db, webhook.organisation, Role::Owner).await?;
    Ok(webhook)
}

/// Lists the webhooks of the organisations that you own, oldest first.
#[utoipa::path(tag = "events", params(Paging), responses((status = 200, description = "A page of webhooks", body = Page<Webhook>)))]
#[get("/webhooks")]
pub(crate) async fn list_webhooks(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let webhooks =
        store::page(&begin_read(&app.db).await?, store::owned(&caller), &pager.slice(), pager.after_id()?).await?;
    let page = pager.page(webhooks, |webhook: &Webhook| webhook.id.to_string())?;
    page.items().for_each(|webhook| caller.saw("webhook", webhook.id, Some(webhook.organisation)));
    Ok(page)
}

/// Has events sent to an address.
///
/// Each is posted as the feed shows it, signed as Standard Webhooks says. An answer 2xx within 15 seconds counts; anything else is tried
/// again. Events about one subject come in their order.
#[utoipa::path(tag = "events", request_body = NewWebhook,
    responses((status = 201, description = "Keep the secret: it is shown this once", body = IssuedWebhook)))]
#[post("/webhooks")]
pub(crate) async fn create_webhook(
    app: Data<App>,
    caller: Caller,
    once: Once,
    Body(new): Body<NewWebhook>,
) -> Result<HttpResponse, Problem> {
    once.issue(&app, async |tx| {
        Problem::check(faults(&app, &new))?;
        let organisation = caller.acting(tx, "/organisation", new.organisation, Role::Owner).await?;
        let unnamed = || Problem::invalid(vec![Fault::at("/organisation", "say whose the webhook is")]);
        let webhook = store::insert(tx, organisation.ok_or_else(unnamed)?, new).await?;
        let secret = secrets::issue(tx, &app.sealing, webhook.id, app.webhooks.overlap).await?;
        Ok(issued(webhook, secret))
    })
    .await
}

/// Reads a webhook: where it leads, and whether it works.
#[utoipa::path(tag = "events", params(("id" = Uuid, Path, description = "Id of the webhook")),
    responses((status = 200, description = "The webhook", body = Webhook)))]
#[get("/webhooks/{id}")]
pub(crate) async fn get_webhook(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let webhook = owned(&begin_read(&app.db).await?, &caller, *id).await?;
    caller.saw("webhook", webhook.id, Some(webhook.organisation));
    Ok(etagged(webhook.version, &webhook))
}

/// Replaces the version of a webhook named by `If-Match`. What waits for it is sent once it is switched on.
#[utoipa::path(tag = "events", request_body = NewWebhook,
    params(("id" = Uuid, Path, description = "Id of the webhook"),
        ("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "Replaced", body = Webhook)))]
#[put("/webhooks/{id}")]
pub(crate) async fn replace_webhook(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(new): Body<NewWebhook>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = owned(&tx, &caller, *id).await?;
    let mut faults = faults(&app, &new);
    if new.organisation.is_some_and(|named| named != before.organisation) {
        faults.push(Fault::at("/organisation", "a webhook stays with its organisation: make another one there"));
    }
    Problem::check(faults)?;
    if !store::replace(&tx, *id, new, version).await? {
        return Err(missed(true));
    }
    let webhook = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    tx.commit(recorded(&webhook).version(webhook.version)).await?;
    // What waited for it may be sent at once.
    app.log.bell().ring();
    Ok(etagged(webhook.version, &webhook))
}

/// Deletes a webhook, with what is on its way to it.
#[utoipa::path(tag = "events",
    params(("id" = Uuid, Path, description = "Id of the webhook"),
        ("If-Match" = String, Header, description = "`ETag` of the version to delete")),
    responses((status = 204, description = "Deleted")))]
#[delete("/webhooks/{id}")]
pub(crate) async fn delete_webhook(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = owned(&tx, &caller, *id).await?;
    if !store::delete(&tx, *id, version).await? {
        return Err(missed(true));
    }
    tx.commit(recorded(&before)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Makes another secret. For a day, deliveries are signed with both; one that was replaced before is void at once.
#[utoipa::path(tag = "events", params(("id" = Uuid, Path, description = "Id of the webhook")),
    responses((status = 201, description = "Keep the secret: it is shown this once", body = IssuedWebhook)))]
#[post("/webhooks/{id}/rotate-secret")]
pub(crate) async fn rotate_webhook_secret(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    once.issue(&app, async |tx| {
        let webhook = owned(tx, &caller, *id).await?;
        store::lock_one(tx, webhook.id).await?;
        let secret = secrets::issue(tx, &app.sealing, webhook.id, app.webhooks.overlap).await?;
        Ok(issued(webhook, secret))
    })
    .await
}

/// Sends a webhook an event of the type `test.ping`, whichever types it wants. Look at its deliveries for what came of it.
#[utoipa::path(tag = "events", params(("id" = Uuid, Path, description = "Id of the webhook")),
    responses((status = 202, description = "It is on its way")))]
#[post("/webhooks/{id}/test")]
pub(crate) async fn test_webhook(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let webhook = owned(tx, &caller, *id).await?;
        if !webhook.enabled {
            return Err(Problem::conflict("this webhook is switched off: switch it on to test it"));
        }
        let news = News::of(EventType::TestPing, "webhook", webhook.id, [webhook.organisation]);
        Ok((HttpResponse::Accepted().finish(), recorded(&webhook).telling(news)))
    })
    .await
}
