//! `/v1/consortia/{id}/file`, `…/withdraw` and `…/answer`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use attelage_documents::{AnswerDocument, AnswerGroup, AnswerSignature};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use super::entity::Model;
use super::{content::content, store};
use crate::access::{Caller, Routes};
use crate::answers::assemble::{Setting, assemble};
use crate::answers::format::{Format, Wanted, shown};
use crate::answers::store::names;
use crate::app::App;
use crate::bids::{self, BidReceipt, intake};
use crate::calls::Call;
use crate::consortia::acting::{Acting, call_of, readable};
use crate::consortia::machine::{Event, Phase, Refusal};
use crate::consortia::statement::statement;
use crate::consortia::whole::Whole;
use crate::consortia::{self, Form};
use crate::database::begin_read;
use crate::events::{EventType, News};
use crate::negotiation;
use crate::once::Once;
use crate::problem::{Kind, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(file_consortium).service(withdraw_filing).service(get_consortium_answer);
}

/// Files the answer of a consortium, once every member has signed the same version: it becomes the sealed bid of its lead.
///
/// Before the deadline, by the database's clock; where the funder has asked for changes, until these are due. Keep the receipt.
#[utoipa::path(tag = "consortia", params(("id" = Uuid, Path, description = "Id of the consortium")),
    responses((status = 201, description = "Received", body = BidReceipt)))]
#[post("/consortia/{id}/file")]
pub(crate) async fn file_consortium(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (before, _) = readable(&app.db, &caller, *id, None).await?;
    let key = bids::keys::of_call(&app.log, &caller, &app.sealing, before.call).await?;
    once.write(&app, async |tx| {
        // The call comes before the consortium, wherever both are locked.
        bids::store::lock(tx, before.call).await?;
        let mut acting = Acting::of_lead(tx, &caller, *id).await?;
        let (call, asked, now) = taking(tx, &acting.whole).await?;
        let agreed = statement(&acting.whole)?;
        acting.done(&Event::File)?;
        let content = content(&acting.whole, &call.value.written).zip(agreed);
        let (content, (_, digest)) = content.ok_or_else(|| Problem::from(Refusal::Unsigned))?;
        let lead = acting.whole.state.lead;
        let receipt = intake::take_in(tx, &key, &call, now, lead, content).await?;
        store::insert(tx, Model { bid_id: receipt.id, consortium_id: *id, plan: acting.whole.state.plan, digest })
            .await?;
        if let Some(asked) = asked {
            negotiation::store::answer(tx, asked, receipt.id, now).await?;
        }
        let told = News::of(EventType::BidReceived, "bid", receipt.id, [lead]);
        let told = told.with(json!({ "call": call.id, "consortium": *id }));
        let recorded = acting.keep(tx).await?.telling(told);
        Ok((HttpResponse::Created().json(receipt), recorded))
    })
    .await
}

/// The call that takes the answer of a consortium now, what it answers where changes were asked for, and what time it is.
async fn taking(tx: &impl ConnectionTrait, whole: &Whole) -> Result<(Call, Option<Uuid>, DateTime<Utc>), Problem> {
    if whole.state.phase == Phase::Negotiation
        && let Some(bid) = store::standing(tx, whole.id).await?
    {
        let (call, asked, now) = negotiation::routes::waiting(tx, bid.id).await?;
        return Ok((call, Some(asked.id), now));
    }
    let (call, now) = intake::taking_bids(tx, whole.call).await?;
    Ok((call, None, now))
}

/// Takes back the answer that a consortium has filed, before the deadline: then its plan may change, and be signed and filed anew.
#[utoipa::path(tag = "consortia", params(("id" = Uuid, Path, description = "Id of the consortium")),
    responses((status = 200, description = "Withdrawn", body = consortia::Consortium)))]
#[post("/consortia/{id}/withdraw")]
pub(crate) async fn withdraw_filing(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (before, _) = readable(&app.db, &caller, *id, None).await?;
    once.write(&app, async |tx| {
        bids::store::lock(tx, before.call).await?;
        let mut acting = Acting::of_lead(tx, &caller, *id).await?;
        acting.done(&Event::Withdraw)?;
        let (_, now) = intake::taking_bids(tx, before.call).await?;
        let bid = store::standing(tx, *id).await?;
        let bid = bid.ok_or_else(|| Problem::internal("a consortium that has filed without its bid"))?;
        bids::store::withdraw(tx, bid.id, now).await?;
        let told = News::of(EventType::BidWithdrawn, "bid", bid.id, [bid.organisation_id]);
        let recorded = acting.keep(tx).await?.telling(told.with(json!({ "call": before.call, "consortium": *id })));
        Ok((acting.answer(tx, &caller).await?, recorded))
    })
    .await
}

/// Reads the answer of a consortium as a document, with the signatures on its present version.
///
/// For programs as JSON; for people, in French, as tagged PDF or as DOCX. It holds every amount, so it is for members only, and only
/// where each member of the plan has accepted and shares its prices.
#[utoipa::path(tag = "consortia", params(("id" = Uuid, Path, description = "Id of the consortium"), Wanted),
    responses((status = 200, description = "The answer", headers(("Content-Disposition" = String, description = "A name to keep it by")),
        content((AnswerDocument = "application/json"), (String = "application/pdf"),
            (String = "application/vnd.openxmlformats-officedocument.wordprocessingml.document")))))]
#[get("/consortia/{id}/answer")]
pub(crate) async fn get_consortium_answer(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (whole, reader) = readable(&db, &caller, *id, None).await?;
    if !whole.in_plan().all(|(member, _)| whole.knows_amounts(reader, member)) {
        let detail = "an answer shows every amount: it is read once all members have accepted and share their prices";
        return Err(Problem::new(Kind::Forbidden).because(detail));
    }
    let call = call_of(&db, &whole).await?;
    let bid = content(&whole, &call.value.written);
    let bid =
        bid.ok_or_else(|| Problem::conflict("some amounts are open: the answer is written once they are settled"))?;
    let names = names(&db, &call.value.written, bid.members.iter().map(|member| member.organisation)).await?;
    let setting = setting(&db, &whole).await?;
    db.commit().await?;
    whole.in_plan().for_each(|(member, _)| caller.saw("consortium", whole.id, Some(member)));
    let answer = assemble(&call, &bid, setting, &names);
    shown(Format::of(&request, &wanted), answer, &format!("reponse-{}", *id)).await
}

/// What is said of a consortium beside its bid. One query.
async fn setting(db: &impl ConnectionTrait, whole: &Whole) -> Result<Setting, Problem> {
    let form = match whole.form {
        Form::Conjoint => "conjoint",
        Form::ConjointSolidaryLead => "conjoint_solidary_lead",
        Form::Solidary => "solidary",
    };
    let signatures = consortia::store::signatures(db, whole.id, whole.state.plan).await?;
    let signatures = signatures.into_iter().map(|own| AnswerSignature {
        organisation: own.organisation_id.to_string(),
        signed_at: own.signed_at,
        digest: own.digest,
    });
    Ok(Setting {
        group: Some(AnswerGroup { name: Some(whole.name.clone()), form: Some(form.to_owned()) }),
        digest: statement(whole)?.map(|(_, digest)| digest),
        signatures: signatures.collect(),
    })
}
