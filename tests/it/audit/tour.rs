//! A way through every operation, with a look into the log after each.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use attelage::audit::entity::{Column, Entity};
use attelage::mail::Links;
use attelage::{openapi, setting};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use super::join;
use crate::identity::oidc;
use crate::support::app::{Answer, Client};
use crate::support::bidding;
use crate::support::issuer::Issuer;
use crate::support::sample;
use crate::support::secrets::postpone_run;
use crate::support::service::App;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(openapi::document()).unwrap());

/// Every operation with its method and definition.
fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let items = DOCUMENT["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().iter());
    operations.map(|(method, operation)| (operation["operationId"].as_str().unwrap(), method.as_str(), operation))
}

/// Whether a schema, or one that it refers to, has a field of class P3 or P4.
fn is_sealed(value: &Value, seen: &mut BTreeSet<String>) -> bool {
    let text = value.to_string();
    if text.contains(r#""x-visibility":"P3""#) || text.contains(r#""x-visibility":"P4""#) {
        return true;
    }
    let named = text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
    named
        .into_iter()
        .any(|name| seen.insert(name.to_owned()) && is_sealed(&DOCUMENT["components"]["schemas"][name], seen))
}

/// Whether an operation must leave an entry: it changes something, or shows something sealed.
fn is_told(operation: &str) -> bool {
    let (_, method, definition) = operations().find(|(id, ..)| *id == operation).unwrap();
    let answers = &definition["responses"]["200"]["content"];
    // Events are of something sealed: a run.
    method != "get"
        || answers.get("text/event-stream").is_some()
        || is_sealed(&answers["application/json"], &mut BTreeSet::new())
}

/// Goes through the operations, and looks into the log after each.
pub struct Tour<'t> {
    app: &'t App,
    db: &'t DatabaseConnection,
    done: RefCell<BTreeSet<&'static str>>,
}

impl<'t> Tour<'t> {
    /// One through a service with a contact for security and an identity provider, and the territories of the samples.
    pub fn new(app: &'t App, db: &'t DatabaseConnection) -> Self {
        Self { app, db, done: RefCell::default() }
    }

    /// All of it; gives the operations that were not visited.
    pub async fn everywhere(&self, issuer: &Issuer) -> Vec<&'static str> {
        self.words().await;
        let ada = self.people().await;
        let own = self.market(&ada).await;
        self.bids(&ada, &own).await;
        self.consortia(&ada, &own).await;
        self.filing().await;
        self.decisions(&ada, &own).await;
        self.provider(issuer).await;
        self.members(&ada, &own).await;
        self.keys(&ada, &own).await;
        let all: BTreeSet<&str> = operations().map(|(id, ..)| id).collect();
        all.difference(&*self.done.borrow()).copied().collect()
    }

    /// Goes on where an operation succeeded and the log tells of it, where it must.
    async fn did(&self, operation: &'static str, answer: Answer) -> Answer {
        assert!((200..400).contains(&answer.status), "{operation} answered {} {:#}", answer.status, answer.body);
        let of_request = Column::RequestId.eq(answer.header("x-request-id"));
        let entries = Entity::find().filter(of_request).all(self.db).await.unwrap();
        assert_eq!(!entries.is_empty(), is_told(operation), "{operation} left {entries:?}");
        assert!(entries.iter().all(|entry| entry.action == operation), "{operation} left {entries:?}");
        self.done.borrow_mut().insert(operation);
        answer
    }

    async fn get(&self, operation: &'static str, client: &Client, path: &str) -> Answer {
        self.did(operation, client.get(path).await).await
    }

    async fn post(&self, operation: &'static str, client: &Client, path: &str, body: Value) -> Answer {
        let patient = HeaderMap::from_iter([(HeaderName::from_static("prefer"), "wait=30".parse().unwrap())]);
        self.did(operation, client.post_with(path, patient, body).await).await
    }

    async fn words(&self) {
        let term = "/v1/vocabularies/publics/terms/divers";
        self.did("put_term", self.app.put_new(term, json!({ "label_en": "Various", "label_fr": "Divers" })).await)
            .await;
        self.get("get_term", self.app, term).await;
        self.get("list_terms", self.app, "/v1/vocabularies/publics/terms").await;
        self.did("delete_term", self.app.delete(term, "\"1\"").await).await;
        let place = "/v1/territories/ici";
        self.did("put_territory", self.app.put_new(place, json!({ "name": "Ici", "kind": "commune" })).await).await;
        self.get("get_territory", self.app, place).await;
        self.get("list_territories", self.app, "/v1/territories").await;
        self.did("delete_territory", self.app.delete(place, "\"1\"").await).await;
        let csv = "code,name,kind,parent\n99001,Là,commune,\n";
        let import = self.app.post_text("/v1/imports?kind=territories", "text/csv", csv).await;
        let path = format!("/v1/imports/{}", self.did("create_import", import).await["id"].as_str().unwrap());
        self.get("list_imports", self.app, "/v1/imports").await;
        self.get("get_import", self.app, &path).await;
        self.get("list_import_faults", self.app, &format!("{path}/faults")).await;
        self.get("get_health", self.app, "/healthz").await;
        self.get("get_live", self.app, "/health/live").await;
        self.get("get_ready", self.app, "/health/ready").await;
        self.get("get_openapi", self.app, "/openapi.json").await;
        self.get("get_security_txt", self.app, "/.well-known/security.txt").await;
        self.get("get_problem_page", self.app, "/problems/not-found").await;
    }

    /// What a person does about themself.
    async fn people(&self) -> Client {
        let nobody = self.app.anonymous();
        let account = json!({ "email": "ada@example.org", "name": "Ada", "password": "douze caractères" });
        self.post("register", &nobody, "/v1/people", account).await;
        let own = json!({ "email": "ada@example.org", "password": "douze caractères" });
        let session = self.post("sign_in", &nobody, "/v1/sessions", own).await;
        let ada = self.app.with_cookie(session.header("set-cookie"));
        self.get("get_me", &ada, "/v1/me").await;
        self.get("list_sessions", &ada, "/v1/sessions").await;
        let change = json!({ "current": "douze caractères", "new": "treize caractères" });
        let answer = ada.send_raw(Method::PUT, "/v1/me/password", json_headers(), change.to_string()).await;
        self.did("change_password", answer).await;
        ada
    }

    async fn market(&self, ada: &Client) -> String {
        let body = json!({ "name": "La Fabrique", "turnover_cents": 1 });
        let own = self.post("create_organisation", ada, "/v1/organisations", body.clone()).await;
        let (id, path) = (own["id"].as_str().unwrap().to_owned(), own.header("location").to_owned());
        self.did("replace_organisation", ada.put(&path, "\"1\"", body).await).await;
        self.get("get_organisation", ada, &path).await;
        self.get("list_organisations", ada, "/v1/organisations").await;
        let offer = self.post("create_capability", ada, "/v1/capabilities", sample::devices(&id, 150, 10_000)).await;
        let offer = offer.header("location").to_owned();
        self.did("replace_capability", ada.put(&offer, "\"1\"", sample::devices(&id, 160, 10_000)).await).await;
        self.get("get_capability", ada, &offer).await;
        self.get("list_capabilities", ada, "/v1/capabilities").await;
        let other = sample::organisation(self.app, "Une autre").await;
        let relation = json!({ "a": id, "b": other, "kind": "network", "strength_percent": 40 });
        let link =
            self.post("create_relation", ada, "/v1/relations", relation.clone()).await.header("location").to_owned();
        self.did("replace_relation", ada.put(&link, "\"1\"", relation).await).await;
        self.get("get_relation", ada, &link).await;
        self.get("list_relations", ada, "/v1/relations").await;
        self.did("delete_relation", ada.delete(&link, "\"2\"").await).await;
        let reservations = format!("{path}/reservations");
        let reserved = self.post("create_reservation", ada, &reservations, json!({ "against": other })).await;
        self.get("list_reservations", ada, &reservations).await;
        let reserved = reserved.header("location").to_owned();
        self.did("delete_reservation", ada.send_raw(Method::DELETE, &reserved, HeaderMap::new(), "").await).await;
        self.partners(ada, &id, &other).await;
        self.runs(ada, &id).await;
        self.did("delete_capability", ada.delete(&offer, "\"2\"").await).await;
        id
    }

    /// Looks for partners in a call of somebody else.
    async fn partners(&self, ada: &Client, own: &str, other: &str) {
        let funder = sample::organisation(self.app, "Qui finance").await;
        sample::created(self.app, "/v1/capabilities", sample::hours(other, 800, 3_000)).await;
        let call = sample::created(self.app, "/v1/calls", sample::call(&funder)).await;
        self.app.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
        let interest = json!({ "call": call, "organisation": own, "audience": "funder" });
        let declared = self.post("create_interest", ada, "/v1/interests", interest.clone()).await;
        let path = declared.header("location").to_owned();
        self.did("replace_interest", ada.put(&path, "\"1\"", interest).await).await;
        self.get("get_interest", ada, &path).await;
        self.get("list_interests", ada, "/v1/interests").await;
        self.did("delete_interest", ada.delete(&path, "\"2\"").await).await;
        let path = format!("/v1/calls/{call}");
        self.post("suggest_partners", ada, &format!("{path}/partner-suggestions"), json!({})).await;
        self.post("check_team", ada, &format!("{path}/team-checks"), json!({ "team": [own, other] })).await;
        self.post("explain_absence", ada, &format!("{path}/absences"), json!({ "absent": other })).await;
        self.get("list_matching_calls", ada, &format!("/v1/organisations/{own}/matching-calls")).await;
    }

    async fn runs(&self, ada: &Client, own: &str) {
        let draft = self.post("create_call", ada, "/v1/calls", sample::call(own)).await;
        let (call, path) = (draft["id"].clone(), draft.header("location").to_owned());
        self.did("replace_call", ada.put(&path, "\"1\"", sample::call(own)).await).await;
        self.get("get_call", ada, &path).await;
        self.get("list_calls", ada, "/v1/calls").await;
        self.post("publish_call", ada, &format!("{path}/publish"), json!({})).await;
        let runs = format!("{path}/runs");
        let run = self.post("start_run", ada, &runs, json!({})).await.header("location").to_owned();
        self.get("get_run", ada, &run).await;
        self.get("list_runs", ada, &runs).await;
        self.get("list_proposals", ada, &format!("{run}/proposals")).await;
        self.get("follow_run", ada, &format!("{run}/events")).await;
        self.get("list_all_runs", self.app, "/v1/runs?state=succeeded").await;
        postpone_run(self.db, run.rsplit('/').next().unwrap()).await;
        self.did("cancel_run", ada.send_raw(Method::DELETE, &run, HeaderMap::new(), "").await).await;
        let asked = self.post("start_run", ada, &runs, json!({ "question": { "rules": {} } })).await;
        self.get("get_reply", ada, &format!("{}/reply", asked.header("location"))).await;
        let other = ada.post("/v1/calls", sample::call(own)).await.expect(201);
        let joint = self.post("start_joint_run", ada, "/v1/runs", json!({ "calls": [call, other["id"]] })).await;
        self.get("get_portfolio", ada, &format!("{}/portfolio", joint.header("location"))).await;
        self.post("close_call", ada, &format!("{path}/close"), json!({})).await;
        self.did("delete_call", ada.delete(other.header("location"), "\"1\"").await).await;
    }

    async fn members(&self, ada: &Client, own: &str) {
        let path = format!("/v1/organisations/{own}");
        let (bob, cleo, dan) = (join(self.app, "bob").await, join(self.app, "cleo").await, join(self.app, "dan").await);
        let invitations = format!("{path}/invitations");
        let invited = self.post("create_invitation", ada, &invitations, json!({ "role": "viewer" })).await;
        self.get("list_invitations", ada, &invitations).await;
        let secret = json!({ "secret": invited["secret"] });
        self.post("accept_invitation", &bob.client, "/v1/invitations/accept", secret).await;
        let spare = ada.post(&invitations, json!({ "role": "viewer" })).await.expect(201).header("location").to_owned();
        self.did("delete_invitation", ada.send_raw(Method::DELETE, &spare, HeaderMap::new(), "").await).await;
        let requests = format!("{path}/join-requests");
        let asked =
            self.post("create_join_request", &cleo.client, &requests, json!({})).await.header("location").to_owned();
        self.get("list_join_requests", ada, "/v1/join-requests").await;
        self.post("accept_join_request", ada, &format!("{asked}/accept"), json!({})).await;
        let asked = dan.client.post(&requests, json!({})).await.expect(201).header("location").to_owned();
        self.post("decline_join_request", ada, &format!("{asked}/decline"), json!({})).await;
        let member = format!("{path}/members/{}", bob.id);
        self.get("list_members", ada, &format!("{path}/members")).await;
        self.did("set_member_role", ada.put(&member, "\"1\"", json!({ "role": "editor" })).await).await;
        self.did("remove_member", ada.delete(&member, "\"2\"").await).await;
        let sessions = dan.client.get("/v1/sessions").await.expect(200);
        let session = format!("/v1/sessions/{}", sessions["items"][0]["id"].as_str().unwrap());
        self.did("end_session", dan.client.send_raw(Method::DELETE, &session, HeaderMap::new(), "").await).await;
        self.did("erase_me", bob.client.send_raw(Method::DELETE, "/v1/me", HeaderMap::new(), "").await).await;
    }

    async fn bids(&self, ada: &Client, own: &str) {
        let (eve, finn) = (join(self.app, "eve").await, join(self.app, "finn").await);
        let bidder = eve.client.post("/v1/organisations", json!({ "name": "La candidate" })).await.expect(201);
        let bidder = bidder["id"].as_str().unwrap();
        let call = ada.post("/v1/calls", bidding::call(own)).await.expect(201).header("location").to_owned();
        ada.post(&format!("{call}/publish"), json!({})).await.expect(200);
        let bids = format!("{call}/bids");
        let bid = self.post("create_bid", &eve.client, &bids, bidding::alone(bidder, 10, 90)).await;
        let bid = bid.header("location");
        self.get("list_bids", &eve.client, &bids).await;
        self.get("get_bid", &eve.client, bid).await;
        self.did("withdraw_bid", eve.client.send_raw(Method::DELETE, bid, HeaderMap::new(), "").await).await;
        let evaluator = format!("{call}/evaluators/{}", finn.id);
        self.did("put_evaluator", ada.put_new(&evaluator, json!({})).await).await;
        self.get("get_evaluator", ada, &evaluator).await;
        self.get("list_evaluators", ada, &format!("{call}/evaluators")).await;
        self.did("delete_evaluator", ada.send_raw(Method::DELETE, &evaluator, HeaderMap::new(), "").await).await;
        self.db.execute_unprepared("UPDATE call SET answers_due_at = '2020-01-01T00:00:00+00:00'").await.unwrap();
        self.post("open_bids", ada, &format!("{call}/openings"), json!({})).await;
    }

    /// A consortium with a member that comes, goes and would come again, an alternate, and signatures.
    async fn consortia(&self, ada: &Client, own: &str) {
        let gus = join(self.app, "gus").await;
        let other = gus.client.post("/v1/organisations", json!({ "name": "La partenaire" })).await.expect(201);
        let other = other["id"].as_str().unwrap().to_owned();
        let funder = sample::organisation(self.app, "La financeuse").await;
        let call = self.app.post("/v1/calls", bidding::call(&funder)).await.expect(201);
        self.app.post(&format!("{}/publish", call.header("location")), json!({})).await.expect(200);
        let new = json!({ "organisation": own, "call": call["id"], "name": "Ensemble" });
        let path = self.post("create_consortium", ada, "/v1/consortia", new).await.header("location").to_owned();
        let member = format!("{path}/members/{other}");
        let invite =
            json!({ "organisation": other, "role": "group-mem", "parts": [{ "need": "kits", "quantity": 10 }] });
        self.post("invite_into_consortium", ada, &format!("{path}/invitations"), invite.clone()).await;
        self.get("list_consortia", ada, "/v1/consortia").await;
        self.post("decline_membership", &gus.client, &format!("{member}/decline"), json!({})).await;
        self.post("ask_to_be_invited_again", &gus.client, &format!("{member}/ask"), json!({})).await;
        ada.post(&format!("{path}/invitations"), invite.clone()).await.expect(200);
        self.post("accept_membership", &gus.client, &format!("{member}/accept"), json!({ "terms": 2 })).await;
        let seen = self.get("get_consortium", &gus.client, &path).await;
        let terms = json!({ "consent": {}, "amounts": [{ "need": "kits", "amount_cents": 90 }] });
        self.did("replace_membership", gus.client.put(&member, seen.etag(), terms).await).await;
        let seen = ada.get(&path).await.expect(200);
        let members = json!([
            { "organisation": own, "role": "group-lead" },
            { "organisation": other, "role": "group-mem", "parts": [{ "need": "kits", "quantity": 10 }] }
        ]);
        let seen = self.did("replace_consortium", ada.put(&path, seen.etag(), sample::plan(&members)).await).await;
        self.get("get_consortium_checks", ada, &format!("{path}/checks")).await;
        let sign = json!({ "organisation": own, "digest": seen["digest"] });
        self.post("sign_consortium", ada, &format!("{path}/sign"), sign).await;
        self.post("leave_consortium", &gus.client, &format!("{member}/leave"), json!({})).await;
        ada.post("/v1/capabilities", sample::hours(own, 800, 3_000)).await.expect(201);
        let run = self.post("start_repair", ada, &format!("{path}/repairs"), json!({})).await;
        let choice = json!({ "run": run["id"], "plan": 1 });
        self.post("apply_repair", ada, &format!("{path}/repairs/apply"), choice).await;
        let third = sample::organisation(self.app, "La suppléante").await;
        let standby = json!({ "organisation": third, "role": "group-mem", "alternate": true });
        ada.post(&format!("{path}/invitations"), standby).await.expect(200);
        let spare = format!("{path}/members/{third}");
        self.post("promote_alternate", ada, &format!("{spare}/promote"), json!({})).await;
        let seen = self.post("rescind_membership", ada, &format!("{spare}/rescind"), json!({})).await;
        self.did("dissolve_consortium", ada.delete(&path, seen.etag()).await).await;
    }

    /// What follows the opening: bids side by side, changes, a decision.
    async fn decisions(&self, ada: &Client, own: &str) {
        let (hal, ines) = (join(self.app, "hal").await, join(self.app, "ines").await);
        let bidder = hal.client.post("/v1/organisations", json!({ "name": "La soumissionnaire" })).await.expect(201);
        let bidder = bidder["id"].as_str().unwrap();
        let mut call = bidding::call(own);
        call["group_policy"] = json!({ "negotiated": true });
        let call = ada.post("/v1/calls", call).await.expect(201).header("location").to_owned();
        ada.post(&format!("{call}/publish"), json!({})).await.expect(200);
        let bid = hal.client.post(&format!("{call}/bids"), bidding::alone(bidder, 10, 90)).await.expect(201);
        let bid = bid.header("location").to_owned();
        self.get("get_bid_answer", &hal.client, &format!("{bid}/answer")).await;
        ada.put_new(&format!("{call}/evaluators/{}", ines.id), json!({})).await.expect(201);
        let passed = "UPDATE call SET answers_due_at = '2020-01-01T00:00:00+00:00'";
        self.db.execute_unprepared(passed).await.unwrap();
        ada.post(&format!("{call}/openings"), json!({})).await.expect(200);
        ines.client.post(&format!("{call}/openings"), json!({})).await.expect(200);
        self.get("compare_bids", ada, &format!("{call}/comparison")).await;
        let ask = json!({ "due_at": "2190-01-01T00:00:00Z", "text": "Davantage" });
        self.post("ask_changes", ada, &format!("{bid}/change-requests"), ask).await;
        self.get("list_change_requests", &hal.client, &format!("{bid}/change-requests")).await;
        let revisions = format!("{bid}/revisions");
        let revised = self.post("create_bid_revision", &hal.client, &revisions, bidding::alone(bidder, 11, 90)).await;
        let on = json!({ "bid": revised["id"], "chosen": true, "reasons": "Complète" });
        let lot = json!({ "lot": "equipment", "outcome": "awarded", "reasons": "Une offre", "bids": [on] });
        let decision = json!({ "tell_at": "2020-01-01T00:00:00Z", "lots": [lot] });
        self.post("record_decision", ada, &format!("{call}/decisions"), decision).await;
        self.get("list_decisions", ada, &format!("{call}/decisions")).await;
        self.get("get_bid_decision", &hal.client, &format!("{}/decision", revised.header("location"))).await;
    }

    /// A consortium of one that files its answer and takes it back.
    async fn filing(&self) {
        let jo = join(self.app, "jo").await;
        let own = jo.client.post("/v1/organisations", json!({ "name": "La déposante" })).await.expect(201);
        let funder = sample::organisation(self.app, "La destinataire").await;
        let call = self.app.post("/v1/calls", bidding::call(&funder)).await.expect(201);
        self.app.post(&format!("{}/publish", call.header("location")), json!({})).await.expect(200);
        let parts = json!([{ "need": "kits", "quantity": 10, "amount_cents": 90 }]);
        let new = json!({ "organisation": own["id"], "call": call["id"], "name": "Seule", "lots": ["equipment"], "parts": parts });
        let made = jo.client.post("/v1/consortia", new).await.expect(201);
        let path = made.header("location").to_owned();
        self.get("get_consortium_treasury", &jo.client, &format!("{path}/treasury")).await;
        self.get("get_consortium_answer", &jo.client, &format!("{path}/answer")).await;
        let offer = sample::devices(own["id"].as_str().unwrap(), 150, 5);
        jo.client.post("/v1/capabilities", offer).await.expect(201);
        let consents = format!("{path}/share-consents");
        self.post("agree_to_share", &jo.client, &consents, json!({ "plan": made["plan"] })).await;
        self.get("get_consortium_shares", &jo.client, &format!("{path}/shares")).await;
        self.did("delete_share_consent", jo.client.delete(&consents, "\"1\"").await).await;
        jo.client.post(&format!("{path}/sign"), json!({ "digest": made["digest"] })).await.expect(200);
        self.post("file_consortium", &jo.client, &format!("{path}/file"), json!({})).await;
        self.post("withdraw_filing", &jo.client, &format!("{path}/withdraw"), json!({})).await;
        self.frameworks(&jo.client, own["id"].as_str().unwrap(), &call["id"]).await;
        // The contract is over at once: what comes before is told by other tests.
        for sql in ["UPDATE consortium SET phase = 'execution'", "UPDATE call SET starts_on = '2020-01-01'"] {
            self.db.execute_unprepared(sql).await.unwrap();
        }
        self.post("complete_consortium", &jo.client, &format!("{path}/complete"), json!({})).await;
    }

    /// A consortium that is kept for the next call, and a member that stays, and leaves.
    async fn frameworks(&self, lead: &Client, own: &str, call: &Value) {
        let kim = join(self.app, "kim").await;
        let other = kim.client.post("/v1/organisations", json!({ "name": "La fidèle" })).await.expect(201);
        let new = json!({ "organisation": own, "call": call, "name": "Duo", "lots": ["equipment"] });
        let made = lead.post("/v1/consortia", new).await.expect(201);
        let path = made.header("location");
        let invite = json!({ "organisation": other["id"], "role": "group-mem" });
        lead.post(&format!("{path}/invitations"), invite).await.expect(200);
        let member = format!("members/{}", other["id"].as_str().unwrap());
        kim.client.post(&format!("{path}/{member}/accept"), json!({ "terms": 1 })).await.expect(200);
        for client in [lead, &kim.client] {
            let seen = client.get(path).await.expect(200);
            client.post(&format!("{path}/sign"), json!({ "digest": seen["digest"] })).await.expect(200);
        }
        let kept = json!({ "consortium": made["id"], "name": "Toujours" });
        let made = self.post("create_framework", lead, "/v1/frameworks", kept).await;
        let path = made.header("location").to_owned();
        self.get("list_frameworks", lead, "/v1/frameworks").await;
        self.get("get_framework", lead, &path).await;
        let changes = format!("{path}/changes?call={}", call.as_str().unwrap());
        self.get("get_framework_changes", lead, &changes).await;
        self.post("accept_framework", &kim.client, &format!("{path}/{member}/accept"), json!({})).await;
        self.post("leave_framework", &kim.client, &format!("{path}/{member}/leave"), json!({})).await;
        self.did("end_framework", lead.delete(&path, "\"3\"").await).await;
    }

    /// Comes in by an identity provider, and links it.
    async fn provider(&self, issuer: &Issuer) {
        let left = self.get("begin_oidc_sign_in", &self.app.anonymous(), "/v1/oidc/authorize").await;
        let back = issuer.visit(left.header("location")).await;
        let remembered = oidc::cookie(&left, "__Host-attelage-oidc").unwrap();
        let came = oidc::returned(self.app, &back, remembered).await;
        let camille = oidc::inside(self.app, &self.did("finish_oidc_sign_in", came).await);
        self.post("link_oidc", &camille, "/v1/me/oidc-link", json!({})).await;
    }

    async fn keys(&self, ada: &Client, own: &str) {
        let path = format!("/v1/organisations/{own}/api-keys");
        let new = json!({ "name": "nightly", "scopes": ["read"] });
        let key = self.post("create_api_key", ada, &path, new.clone()).await.header("location").to_owned();
        self.get("list_api_keys", ada, &path).await;
        let key =
            self.post("rotate_api_key", ada, &format!("{key}/rotate"), json!({})).await.header("location").to_owned();
        self.did("revoke_api_key", ada.send_raw(Method::DELETE, &key, HeaderMap::new(), "").await).await;
        self.post("create_platform_key", self.app, "/v1/platform/api-keys", new).await;
        self.get("list_platform_keys", self.app, "/v1/platform/api-keys").await;
        self.get("list_events", ada, "/v1/events").await;
        self.webhooks(ada, own).await;
        self.mail(ada).await;
        self.get("list_audit_entries", ada, &format!("/v1/organisations/{own}/audit")).await;
        self.get("export_organisation", ada, &format!("/v1/organisations/{own}/export")).await;
        let path = format!("/v1/organisations/{own}");
        let spare = ada.post("/v1/organisations", json!({ "name": "Éphémère" })).await.expect(201);
        self.did("delete_organisation", ada.delete(spare.header("location"), "\"1\"").await).await;
        ada.get(&path).await.expect(200);
    }
}

impl Tour<'_> {
    async fn mail(&self, ada: &Client) {
        let preferences = self.get("get_mail_preferences", ada, "/v1/me/mail").await;
        let wants = json!({ "enabled": true });
        self.did("replace_mail_preferences", ada.put("/v1/me/mail", preferences.etag(), wants).await).await;
        let person = ada.get("/v1/me").await.expect(200)["person"]["id"].as_str().unwrap().parse().unwrap();
        let links = Links::new(setting::secret(self.db, Links::SECRET).await.unwrap());
        let path = links.path(person).unwrap();
        self.get("get_unsubscription", &self.app.anonymous(), &path).await;
        self.post("unsubscribe", &self.app.anonymous(), &path, json!({})).await;
    }

    async fn webhooks(&self, ada: &Client, own: &str) {
        let new = json!({ "organisation": own, "url": "https://hooks.invalid/" });
        let made = self.post("create_webhook", ada, "/v1/webhooks", new.clone()).await.header("location").to_owned();
        self.get("list_webhooks", ada, "/v1/webhooks").await;
        self.get("get_webhook", ada, &made).await;
        self.post("rotate_webhook_secret", ada, &format!("{made}/rotate-secret"), json!({})).await;
        self.post("test_webhook", ada, &format!("{made}/test"), json!({})).await;
        let deliveries = format!("{made}/deliveries");
        let sent = self.get("list_deliveries", ada, &deliveries).await;
        let (delivery, event) = (sent["items"][0]["id"].as_str().unwrap(), &sent["items"][0]["event"]["id"]);
        self.post("replay_delivery", ada, &format!("{deliveries}/{delivery}/replay"), json!({})).await;
        self.post("replay_webhook", ada, &format!("{made}/replay"), json!({ "after": event })).await;
        self.did("replace_webhook", ada.put(&made, "\"1\"", new).await).await;
        self.did("delete_webhook", ada.delete(&made, "\"2\"").await).await;
    }
}

fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(reqwest::header::CONTENT_TYPE, "application/json".parse().unwrap())])
}
