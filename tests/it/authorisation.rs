//! Every operation of the document × everybody who may ask × everybody whose thing it may be: who gets in, and what the others are told.
//!
//! The rules are written down a second time, apart from the code. An operation without a rule fails the test: there is no list of
//! exceptions.

use std::collections::BTreeMap;

use attelage::openapi;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH};
use serde_json::{Value, json};

use crate::support::app::Answer;
use crate::support::on_both_engines;
use crate::support::sample::{self, created};
use crate::support::service::spawn;
use crate::support::world::{self, Caller, TENANTS, Tenant, id_of};

mod requests;
mod rules;

use requests::request;
use rules::{NOT_SET_UP, RULES, Told, expected, told};

const NOBODY: &str = "019e0000-0000-7000-8000-000000000000";

/// An operation of the document.
struct Operation {
    id: String,
    method: Method,
    path: String,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi::document().to_json().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
                path: path.clone(),
            });
        }
    }
    // Whoever registers an organisation belongs to one more: that comes last.
    operations.sort_by_key(|operation| operation.id == "create_organisation");
    operations
}

async fn send(caller: &Caller, operation: &Operation, fill: &BTreeMap<&'static str, String>, body: &Value) -> Answer {
    let mut path = operation.path.clone();
    for (name, value) in fill {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    if operation.id == "create_import" {
        path.push_str("?kind=territories");
    }
    let mut headers = HeaderMap::new();
    if operation.method == Method::PUT && !operation.id.starts_with("put_") || operation.method == Method::DELETE {
        headers.insert(IF_MATCH, HeaderValue::from_static("\"1000\""));
    }
    let text = match body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    if !text.is_empty() {
        let media_type = if operation.id == "create_import" { "text/csv" } else { "application/json" };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    caller.client.send_raw(operation.method.clone(), &path, headers, text).await
}

/// What a refusal says, without what is different each time.
fn said(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    body["request_id"] = Value::Null;
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| {
            !["x-request-id", "date", "content-length", "connection"].contains(&name.as_str())
                && !name.as_str().starts_with("ratelimit")
        })
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    json!([answer.status, body, headers])
}

on_both_engines! {
    async fn everybody_gets_what_the_rules_say_and_nothing_else(engine) {
        let app = spawn(engine).await;
        let world = world::world(&app).await;
        let mut wrong = Vec::new();
        let mut tried = 0;
        for operation in operations() {
            let Some((_, scope, rule)) = RULES.iter().find(|(id, _, _)| *id == operation.id) else {
                panic!("{}: say here who may", operation.id);
            };
            // Whoever is erased or signed out is no use afterwards: their turn comes below.
            if ["erase_me", "end_session"].contains(&operation.id.as_str()) {
                continue;
            }
            // What a request is on, until somebody gets in with one that may use it up.
            let mut made = BTreeMap::new();
            for caller in &world.callers {
                let mut not_there = None;
                // What is not there comes first: other people's things must look the same.
                for tenant in TENANTS.into_iter().rev() {
                    if tenant == Tenant::Nobody && !names_something(&operation) {
                        continue;
                    }
                    let (fill, body) = match made.remove(&tenant) {
                        Some(left) => left,
                        None => request(&world, &operation.id, tenant).await,
                    };
                    let answer = send(caller, &operation, &fill, &body).await;
                    tried += 1;
                    // Nobody belongs to an organisation that is not claimed.
                    let of_members = ["set_member_role", "remove_member"].contains(&operation.id.as_str());
                    let counted = if of_members && tenant == Tenant::Unclaimed { Tenant::Nobody } else { tenant };
                    let want = expected(*rule, scope, caller, counted);
                    let missing = want == Told::In && NOT_SET_UP.contains(&operation.id.as_str());
                    let want = if missing { Told::NotThere } else { want };
                    let got = told(&answer);
                    if got != Told::In || operation.method == Method::GET {
                        made.insert(tenant, (fill, body));
                    }
                    if got != want {
                        wrong.push(format!("{} by {} on {tenant:?}: {got:?} ({}), not {want:?}: {}", operation.id, caller.name, answer.status, answer.body));
                    }
                    if want == Told::NotThere {
                        let said = said(&answer);
                        let before = not_there.get_or_insert_with(|| said.clone());
                        if *before != said {
                            wrong.push(format!("{} by {} on {tenant:?} tells that it is there: {said} instead of {before}", operation.id, caller.name));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
        assert!(tried > 1_800, "{tried} requests");
    }

    async fn everybody_ends_their_own_sessions_and_account_only(engine) {
        let app = spawn(engine).await;
        let world = world::world(&app).await;
        let sessions = |caller: &str| {
            let client = world.caller(caller).client.clone();
            async move { id_of(&client.get("/v1/sessions").await.expect(200)["items"][0]) }
        };
        let (own, colleague) = (sessions("a viewer of A").await, sessions("an owner of A").await);
        for caller in &world.callers {
            let expected = match (caller.person.is_some(), caller.name) {
                (_, "nobody") => 401,
                (true, "a viewer of A") => continue,
                (true, _) => 404,
                (false, _) => 403,
            };
            caller.client.send_raw(Method::DELETE, &format!("/v1/sessions/{own}"), HeaderMap::new(), "").await.problem(expected);
            if expected != 404 {
                caller.client.send_raw(Method::DELETE, "/v1/me", HeaderMap::new(), "").await.problem(expected);
            }
        }
        let viewer = &world.caller("a viewer of A").client;
        viewer.send_raw(Method::DELETE, &format!("/v1/sessions/{colleague}"), HeaderMap::new(), "").await.problem(404);
        viewer.send_raw(Method::DELETE, &format!("/v1/sessions/{own}"), HeaderMap::new(), "").await.expect(204);
        viewer.get("/v1/me").await.problem(401);
        let owner = &world.caller("an owner of A").client;
        owner.send_raw(Method::DELETE, "/v1/me", HeaderMap::new(), "").await.problem(409);
        let stranger = &world.caller("a person of no organisation").client;
        stranger.send_raw(Method::DELETE, "/v1/me", HeaderMap::new(), "").await.expect(204);
        stranger.get("/v1/me").await.problem(401);
    }

    async fn what_is_published_everybody_reads_and_only_its_funder_changes(engine) {
        let app = spawn(engine).await;
        let world = world::world(&app).await;
        let owner = world.owner_of(Tenant::A);
        let call = created(owner, "/v1/calls", sample::call(world.organisation(Tenant::A))).await;
        owner.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
        for caller in &world.callers {
            caller.client.get(&format!("/v1/calls/{call}")).await.expect(200);
            let page = caller.client.get("/v1/calls").await.expect(200);
            assert_eq!(page["items"].as_array().unwrap().len(), 1, "{}", caller.name);
        }
        let close = format!("/v1/calls/{call}/close");
        world.owner_of(Tenant::B).post(&close, json!({})).await.problem(403);
        app.post(&close, json!({})).await.problem(403);
        app.anonymous().post(&close, json!({})).await.problem(401);
        // Whoever computes on it sees their own runs, and not those of others.
        let run = world.owner_of(Tenant::B).post(&format!("/v1/calls/{call}/runs"), json!({})).await;
        let run = id_of(&run.body);
        for caller in &world.callers {
            let status = caller.client.get(&format!("/v1/runs/{run}")).await.status;
            assert_eq!(status == 200, caller.name == "an owner of B", "{}: {status}", caller.name);
            let runs = caller.client.get(&format!("/v1/calls/{call}/runs")).await;
            let count = runs.body["items"].as_array().map_or(0, Vec::len);
            assert_eq!(count, usize::from(caller.name == "an owner of B"), "{}", caller.name);
        }
    }
}

/// Whether an operation is on something that may not be there.
fn names_something(operation: &Operation) -> bool {
    let creates = operation.id.starts_with("put_");
    let in_body = ["create_capability", "create_call", "create_interest", "create_relation", "start_joint_run"]
        .contains(&operation.id.as_str());
    in_body
        || operation.path.contains("{id}")
        || !creates && (operation.path.contains("{code}") || operation.path.contains("{kind}"))
}
