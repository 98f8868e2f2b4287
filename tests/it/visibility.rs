//! Unique marks in every field that not everybody may read: nobody finds one in any answer or log line but those who may.

use std::collections::BTreeMap;

use attelage::openapi;
use attelage::telemetry::exposition;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use crate::runs::patient;
use crate::support::app::Client;
use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, created};
use crate::support::service::spawn;
use crate::support::world::{self, PASSWORD, Role, Tenant, World, id_of};
use crate::support::{collector, logs, secrets};

/// From which clearance on a mark may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Registered,
    Partners,
    Owner,
}

/// Text that appears nowhere else; numbers in the shapes in which answers write them.
struct Mark {
    field: &'static str,
    class: Class,
    text: String,
}

const UNIT_COST: i64 = 1_234_567;
const FIXED_COST: i64 = 23_456_789;
const CAPACITY: i64 = 7_654_321;
const MINIMUM: i64 = 45_678;
const TURNOVER: i64 = 98_765_432_101;
const CASH: i64 = 87_654_321_012;
const VOLUNTEERS: i64 = 314_159;
const PART: i64 = 567_891_234;
const OFFERED: i64 = 432_198_765;
const COORDINATION: i64 = 891_234_567;

fn marks() -> Vec<Mark> {
    let mark = |field, class, text: &dyn ToString| Mark { field, class, text: text.to_string() };
    vec![
        mark("unit cost", Class::Owner, &UNIT_COST),
        mark("fixed cost", Class::Owner, &FIXED_COST),
        mark("capacity", Class::Partners, &CAPACITY),
        mark("minimum quantity", Class::Partners, &MINIMUM),
        mark("turnover", Class::Owner, &TURNOVER),
        mark("cash", Class::Owner, &CASH),
        mark("contact", Class::Partners, &"canary-contact"),
        mark("volunteers", Class::Registered, &VOLUNTEERS),
        mark("certificate", Class::Registered, &"canary-certificate"),
        mark("relation", Class::Registered, &"canary-relation"),
        mark("reservation", Class::Owner, &"canary-reservation"),
        mark("member", Class::Owner, &"owner-b@example.org"),
        mark("draft", Class::Owner, &"canary-draft"),
        mark("key", Class::Owner, &"canary-key"),
        mark("request to join", Class::Owner, &"canary-request"),
        mark("webhook", Class::Owner, &"canary-webhook"),
        mark("address of a webhook", Class::Owner, &"canary-hook.invalid"),
        mark("interest", Class::Owner, &"canary-interest"),
        mark("consortium", Class::Owner, &"canary-consortium"),
        mark("amount in a consortium", Class::Owner, &PART),
        mark("amount offered to another", Class::Owner, &OFFERED),
        mark("payment for coordination", Class::Owner, &COORDINATION),
        mark("word to who is invited", Class::Owner, &"canary-invited"),
        mark("reason of a refusal", Class::Owner, &"canary-declined"),
        mark("framework", Class::Owner, &"canary-framework"),
    ]
}

/// What belongs to B, each field that is not public with its mark, and where to look for it.
async fn bury(world: &World, platform: &crate::support::app::Client) -> BTreeMap<&'static str, String> {
    let owner = world.owner_of(Tenant::B);
    let organisation = world.organisation(Tenant::B).to_owned();
    let path = format!("/v1/organisations/{organisation}");
    let etag = owner.get(&path).await.expect(200).etag().to_owned();
    let whole = json!({
        "name": "B", "turnover_cents": TURNOVER, "available_cash_cents": CASH, "contact": "canary-contact", "volunteers": VOLUNTEERS,
        "credentials": [{ "code": "qualiopi", "number": "canary-certificate" }], "resource_mix": { "sales_percent": 7 }
    });
    owner.put(&path, &etag, whole).await.expect(200);
    let mut offer = sample::devices(&organisation, CAPACITY, UNIT_COST);
    offer["fixed_cost_cents"] = json!(FIXED_COST);
    offer["minimum_quantity"] = json!(MINIMUM);
    let capability = created(owner, "/v1/capabilities", offer).await;
    let relation = json!({ "a": organisation, "b": world.organisation(Tenant::Unclaimed), "kind": "network", "strength_percent": 3, "source": "canary-relation" });
    let relation = created(owner, "/v1/relations", relation).await;
    let reservation = json!({ "against": world.organisation(Tenant::A), "note": "canary-reservation" });
    let reservation = created(owner, &format!("{path}/reservations"), reservation).await;
    let mut call = sample::call(&organisation);
    call["title"] = json!("canary-draft");
    let draft = created(owner, "/v1/calls", call).await;
    let run = owner.post_with(&format!("/v1/calls/{draft}/runs"), patient(), json!({})).await.expect(200);
    owner.post(&format!("{path}/api-keys"), json!({ "name": "canary-key", "scopes": ["read"] })).await.expect(201);
    let (newcomer, _) = world::person(platform, "newcomer@example.org").await;
    created(&newcomer, &format!("{path}/join-requests"), json!({ "message": "canary-request" })).await;
    let webhook = json!({ "url": "https://canary-hook.invalid/", "description": "canary-webhook" });
    let webhook = id_of(&owner.post("/v1/webhooks", webhook).await.expect(201)["webhook"]);
    owner.post(&format!("/v1/webhooks/{webhook}/test"), json!({})).await.expect(202);
    // A call that B may answer, which everybody reads and computes on.
    let funder = world.organisation(Tenant::Unclaimed);
    let mut open = sample::call(funder);
    open["lots"] = json!([{ "code": "kits", "title": "x", "needs": [{
        "code": "kits", "title": "x", "service": "equipment-refurbishing", "territory": METROPOLE, "unit": "device",
        "quantity": 100, "reference_unit_cost_cents": 10_000
    }] }]);
    let open = created(platform, "/v1/calls", open).await;
    platform.post(&format!("/v1/calls/{open}/publish"), json!({})).await.expect(200);
    let interest = json!({ "call": open, "organisation": organisation, "message": "canary-interest" });
    let interest = created(owner, "/v1/interests", interest).await;
    let run = run["id"].as_str().unwrap().to_owned();
    let part = json!({ "need": "kits", "quantity": 1, "amount_cents": PART });
    let consortium =
        json!({ "call": open, "name": "canary-consortium", "coordination_cents": COORDINATION, "parts": [part] });
    let consortium = created(owner, "/v1/consortia", consortium).await;
    let framework = refused_and_kept(owner, &newcomer, &format!("/v1/consortia/{consortium}")).await;
    BTreeMap::from([
        ("consortia", consortium),
        ("frameworks", framework),
        ("organisations", organisation),
        ("capabilities", capability),
        ("relations", relation),
        ("reservation", reservation),
        ("calls", draft),
        ("runs", run),
        ("open", open),
        ("webhooks", webhook),
        ("interests", interest),
    ])
}

/// Has a consortium ask an organisation of somebody who looks at nothing here, which declines; then its lead signs alone, agrees to share,
/// and keeps it. Gives the framework.
async fn refused_and_kept(owner: &Client, newcomer: &Client, path: &str) -> String {
    let asked = created(newcomer, "/v1/organisations", json!({ "name": "Sollicitée" })).await;
    let part = json!({ "need": "kits", "quantity": 2, "amount_cents": OFFERED });
    let invitation =
        json!({ "organisation": asked, "role": "group-mem", "parts": [part], "message": "canary-invited" });
    owner.post(&format!("{path}/invitations"), invitation).await.expect(200);
    let decline = format!("{path}/members/{asked}/decline");
    newcomer.post(&decline, json!({ "reason": "canary-declined" })).await.expect(200);
    let seen = owner.get(path).await.expect(200);
    owner.post(&format!("{path}/sign"), json!({ "digest": seen["digest"] })).await.expect(200);
    owner.post(&format!("{path}/share-consents"), json!({ "plan": seen["plan"] })).await.expect(200);
    created(owner, "/v1/frameworks", json!({ "consortium": seen["id"], "name": "canary-framework" })).await
}

/// Every path that can be read, on what belongs to B.
fn readable(things: &BTreeMap<&'static str, String>) -> Vec<String> {
    let document: Value = serde_json::from_str(&openapi::document().to_json().unwrap()).unwrap();
    let mut paths = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if item.get("get").is_none() {
            continue;
        }
        let collection = path.trim_start_matches("/v1/").split('/').next().unwrap();
        let id = things.get(collection).cloned().unwrap_or_else(|| things["organisations"].clone());
        let path = path
            .replace("{id}", &id)
            .replace("{vocabulary}", "services")
            .replace("{code}", METROPOLE)
            .replace("{kind}", "invalid")
            .replace("{token}", "none");
        paths.push(path);
    }
    paths.push(format!("/v1/calls/{}/runs", things["open"]));
    // One cannot look for what one may not read.
    for filter in ["name=canary", "identifier=canary-certificate", "credential=canary-certificate"] {
        paths.push(format!("/v1/organisations?{filter}"));
    }
    paths.push(format!("/v1/capabilities?organisation={}", things["organisations"]));
    paths.push(format!("/v1/interests?call={}&organisation={}", things["open"], things["organisations"]));
    paths
}

on_both_engines! {
    async fn what_one_may_not_read_is_in_no_answer_log_line_metric_or_trace(engine) {
        let listening = logs::listen();
        collector::listen();
        let app = spawn(engine).await;
        let world = world::world(&app).await;
        let things = bury(&world, &app).await;
        let (paths, marks) = (readable(&things), marks());
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut leaks = Vec::new();
        for caller in &world.callers {
            let is_registered = caller.administrator || !caller.roles.is_empty();
            let clearance = match (caller.role_in(Tenant::B), is_registered && caller.holds("read")) {
                (Some(_), true) => Some(Class::Owner),
                (None, true) => Some(Class::Registered),
                _ => None,
            };
            let mut answers = Vec::new();
            for path in &paths {
                let answer = caller.client.get(path).await;
                answers.push((path.clone(), format!("{:?} {}", answer.headers, answer.body)));
            }
            let asks = caller.administrator || caller.roles.values().any(|role| *role >= Role::Editor) && caller.holds("solve") && caller.holds("read");
            for question in [json!({ "proposals": {} }), json!({ "partners": { "team": [world.organisation(Tenant::B)] } }), json!({ "territory": {} })] {
                if !asks {
                    break;
                }
                let path = format!("/v1/calls/{}/runs", things["open"]);
                let run = caller.client.post_with(&path, patient(), json!({ "question": question })).await.expect(200);
                answers.push((path, run.body.to_string()));
                for part in ["proposals", "reply"] {
                    let path = format!("{}/{part}", run.header("location"));
                    let answer = caller.client.get(&path).await;
                    answers.push((path, answer.body.to_string()));
                }
            }
            let theirs = world.organisation(Tenant::B);
            for (question, body) in [
                ("partner-suggestions", json!({ "team": [theirs] })),
                ("team-checks", json!({ "team": [theirs] })),
                ("absences", json!({ "absent": theirs })),
            ] {
                if asks {
                    let path = format!("/v1/calls/{}/{question}", things["open"]);
                    let answer = caller.client.post(&path, body).await.expect(200);
                    answers.push((path, answer.body.to_string()));
                }
            }
            for mark in &marks {
                for (path, text) in &answers {
                    if text.contains(&mark.text) {
                        found.entry(mark.field).or_default().push(caller.name);
                        if clearance.is_none_or(|clearance| clearance < mark.class) {
                            leaks.push(format!("{} to {} in {path}", mark.field, caller.name));
                        }
                    }
                }
            }
        }
        assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
        for mark in &marks {
            assert!(found.get(mark.field).is_some_and(|callers| callers.contains(&"an owner of B")), "{}: its owner does not see it", mark.field);
        }
        let log = listening.heard();
        // Shorter numbers stand in the times of log lines.
        let logged: Vec<&str> = marks.iter().filter(|mark| mark.text.len() > 6 && log.contains(&mark.text)).map(|mark| mark.field).collect();
        assert!(logged.is_empty(), "in the log: {logged:?}");
        assert!(log.contains("answered") && !log.contains(PASSWORD), "passwords are never logged");
        let metrics = exposition::text(&app.database.connect().await).await.unwrap();
        let traces = tokio::task::spawn_blocking(collector::sent).await.unwrap();
        assert!(traces.contains("/v1/calls/{id}/runs") && traces.contains("computation"), "they are sent");
        for mark in marks.iter().filter(|mark| mark.text.len() > 6) {
            assert!(!metrics.contains(&mark.text), "{} in the metrics", mark.field);
            assert!(!traces.contains(&mark.text), "{} in the traces", mark.field);
        }
        for secret in ["attelage_key_", "attelage_session_", "attelage_invitation_", PASSWORD, "@example.org"] {
            assert!(!metrics.contains(secret) && !traces.contains(secret), "{secret} in the metrics or the traces");
        }
        for organisation in [Tenant::A, Tenant::B].map(|tenant| world.organisation(tenant)) {
            assert!(!metrics.contains(organisation) && !traces.contains(organisation), "an organisation in them");
        }
        for secret in ["attelage_key_", "attelage_session_", "attelage_invitation_"] {
            assert!(!log.contains(secret), "{secret} in the log");
        }
    }
}

#[actix_web::test]
async fn who_may_not_read_a_draft_cannot_tell_it_from_nothing_by_a_cursor_or_a_filter() {
    let app = spawn(crate::support::database::Engine::Sqlite).await;
    let world = world::world(&app).await;
    let owner = world.owner_of(Tenant::B);
    for _ in 0..3 {
        created(owner, "/v1/calls", sample::call(world.organisation(Tenant::B))).await;
    }
    let nobody = app.anonymous();
    for query in ["", "?status=draft", "?limit=1", &format!("?funder={}", world.organisation(Tenant::B))] {
        let page = nobody.get(&format!("/v1/calls{query}")).await.expect(200);
        assert_eq!(page.body, json!({ "items": [] }), "{query}");
    }
    let headers =
        HeaderMap::from_iter([(HeaderName::from_static("authorization"), "Bearer attelage_key_0".parse().unwrap())]);
    nobody.get_with("/v1/calls", headers).await.problem(401);
    let db = app.database.connect().await;
    secrets::set_finances(&db, world.organisation(Tenant::B), Some(TURNOVER), None, "canary-contact").await;
    let seen = nobody.get(&format!("/v1/organisations/{}", world.organisation(Tenant::B))).await.expect(200);
    assert!(seen.body.get("turnover_cents").is_none() && seen.body.get("contact").is_none());
}
