//! Every operation of the document × everybody who may ask × everybody whose thing it may be: who gets in, and what the others are told.
//!
//! The rules below are written down a second time, apart from the code. An operation without a rule fails the test: there is no list of
//! exceptions.

#![allow(clippy::similar_names, clippy::too_many_lines, clippy::match_same_arms, reason = "tables are read as one")]

use std::collections::BTreeMap;

use attelage::openapi;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH};
use serde_json::{Value, json};

use crate::support::app::Answer;
use crate::support::bidding;
use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, created, places};
use crate::support::service::spawn;
use crate::support::world::{self, Caller, Role, TENANTS, Tenant, World, id_of};

const NOBODY: &str = "019e0000-0000-7000-8000-000000000000";

/// Who may use an operation, and what the others are told.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// Everybody, on whatever is there.
    Everyone,
    /// Whoever shows a credential.
    SignedIn,
    /// People only; each on what is their own: for others it is not there.
    Personal,
    /// People and the platform.
    People,
    /// Whoever belongs to an organisation, on whatever is there.
    Registered,
    /// The organisation whose it is, from this role on. Others see that it is there, and may not.
    Owned(Role),
    /// The same, of what others do not see.
    Inside(Role),
    /// Whoever belongs to the organisation whose it is; for everybody else it is not there.
    Seen,
    /// The same, for whoever shows a credential.
    Shown,
    /// The same, of drafts: what one may not read is not there, for writing either.
    Draft(Role),
    /// From this role on in any organisation; the body names whose it shall be.
    Named(Role),
    /// The same, where what the body names are drafts.
    NamedDraft(Role),
    /// Whoever belongs to the organisation may leave it; only owners may take out others.
    Leave,
    /// Owners of the organisation, in person; for other people it is not there.
    Opens,
    /// Administrators.
    Platform,
    /// Whoever decides on requests to join: owners of the organisation, or the platform where there is none.
    Decides,
}

use Rule::{
    Decides, Draft, Everyone, Inside, Leave, Named, NamedDraft, Opens, Owned, People, Personal, Platform, Registered,
    Seen, Shown, SignedIn,
};

/// Operation, scope of its keys, rule.
const RULES: &[(&str, &str, Rule)] = &[
    ("get_health", "read", Everyone),
    ("get_openapi", "read", Everyone),
    ("get_problem_page", "read", Everyone),
    ("get_security_txt", "read", Everyone),
    ("list_terms", "read", Everyone),
    ("get_term", "read", Everyone),
    ("put_term", "manage", Platform),
    ("delete_term", "manage", Platform),
    ("list_territories", "read", Everyone),
    ("get_territory", "read", Everyone),
    ("put_territory", "manage", Platform),
    ("delete_territory", "manage", Platform),
    ("list_organisations", "read", Everyone),
    ("get_organisation", "read", Everyone),
    ("create_organisation", "market", People),
    ("replace_organisation", "market", Owned(Role::Editor)),
    ("delete_organisation", "market", Owned(Role::Owner)),
    ("list_capabilities", "read", Everyone),
    ("get_capability", "read", Everyone),
    ("create_capability", "market", Named(Role::Editor)),
    ("replace_capability", "market", Owned(Role::Editor)),
    ("delete_capability", "market", Owned(Role::Editor)),
    ("list_relations", "read", Registered),
    ("get_relation", "read", Registered),
    ("create_relation", "market", Named(Role::Editor)),
    ("replace_relation", "market", Owned(Role::Editor)),
    ("delete_relation", "market", Owned(Role::Editor)),
    ("list_reservations", "read", Inside(Role::Viewer)),
    ("create_reservation", "market", Inside(Role::Editor)),
    ("delete_reservation", "market", Inside(Role::Editor)),
    ("list_calls", "read", Everyone),
    // Of a draft: what is published, everybody reads (below).
    ("get_call", "read", Seen),
    ("create_call", "calls", Named(Role::Editor)),
    ("replace_call", "calls", Draft(Role::Editor)),
    ("delete_call", "calls", Draft(Role::Editor)),
    ("publish_call", "calls", Draft(Role::Editor)),
    ("close_call", "calls", Draft(Role::Editor)),
    ("start_run", "solve", Draft(Role::Editor)),
    ("list_runs", "read", Draft(Role::Viewer)),
    ("start_joint_run", "solve", NamedDraft(Role::Editor)),
    ("get_run", "read", Inside(Role::Viewer)),
    ("list_proposals", "read", Inside(Role::Viewer)),
    ("get_reply", "read", Inside(Role::Viewer)),
    ("get_portfolio", "read", Inside(Role::Viewer)),
    ("create_import", "manage", Platform),
    ("list_imports", "read", Platform),
    ("get_import", "read", Platform),
    ("list_import_faults", "read", Platform),
    ("register", "read", Everyone),
    ("get_me", "read", SignedIn),
    ("change_password", "manage", Personal),
    ("erase_me", "manage", Personal),
    ("sign_in", "read", Everyone),
    ("list_sessions", "read", Personal),
    ("end_session", "manage", Personal),
    ("list_members", "read", Inside(Role::Viewer)),
    ("set_member_role", "manage", Inside(Role::Owner)),
    ("remove_member", "manage", Leave),
    ("create_invitation", "manage", Inside(Role::Owner)),
    ("list_invitations", "read", Inside(Role::Owner)),
    ("delete_invitation", "manage", Inside(Role::Owner)),
    ("accept_invitation", "manage", Personal),
    ("create_join_request", "manage", Personal),
    ("list_join_requests", "read", People),
    ("accept_join_request", "manage", Decides),
    ("decline_join_request", "manage", Decides),
    ("create_api_key", "manage", Inside(Role::Owner)),
    ("list_api_keys", "read", Inside(Role::Owner)),
    ("create_platform_key", "manage", Platform),
    ("list_platform_keys", "read", Platform),
    ("rotate_api_key", "manage", Inside(Role::Owner)),
    ("revoke_api_key", "manage", Inside(Role::Owner)),
    ("create_bid", "bids", Draft(Role::Editor)),
    ("list_bids", "read", Shown),
    ("get_bid", "read", Shown),
    ("withdraw_bid", "bids", Inside(Role::Editor)),
    ("list_evaluators", "read", Draft(Role::Owner)),
    ("get_evaluator", "read", Draft(Role::Owner)),
    ("put_evaluator", "calls", Draft(Role::Owner)),
    ("delete_evaluator", "calls", Draft(Role::Owner)),
    ("open_bids", "bids", Opens),
    ("begin_oidc_sign_in", "read", Everyone),
    ("finish_oidc_sign_in", "read", Everyone),
    ("link_oidc", "manage", Personal),
];

/// What an installation without settings does not have: whoever gets in finds nothing.
const NOT_SET_UP: [&str; 4] = ["begin_oidc_sign_in", "finish_oidc_sign_in", "get_security_txt", "link_oidc"];

/// What somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// They get in: whatever the answer, it is not about who they are.
    In,
    /// Say who you are.
    Unknown,
    /// You may not.
    Forbidden,
    /// There is no such thing.
    NotThere,
    /// The body names what is not theirs.
    NotYours,
}

/// What the rule says.
fn expected(rule: Rule, scope: &str, caller: &Caller, tenant: Tenant) -> Told {
    let there = if tenant == Tenant::Nobody { Told::NotThere } else { Told::In };
    if matches!(rule, Everyone) {
        return there;
    }
    let reads = caller.holds("read") && caller.role_in(tenant).is_some();
    if matches!(rule, Seen) {
        return if reads { Told::In } else { Told::NotThere };
    }
    if caller.name == "nobody" {
        return Told::Unknown;
    }
    if !caller.holds(scope) {
        return Told::Forbidden;
    }
    let anywhere = |role| caller.administrator || caller.roles.values().any(|own| *own >= role);
    let here = |role| caller.role_in(tenant).is_some_and(|own| own >= role);
    match rule {
        Everyone | Seen | SignedIn => there,
        Shown if reads => Told::In,
        Shown => Told::NotThere,
        Personal | Opens if caller.person.is_none() => Told::Forbidden,
        Opens if here(Role::Owner) => Told::In,
        Opens => Told::NotThere,
        Personal => there,
        People if caller.person.is_none() && !caller.administrator => Told::Forbidden,
        People => there,
        Registered if caller.roles.is_empty() && !caller.administrator => Told::Forbidden,
        Registered => there,
        Platform if !caller.administrator => Told::Forbidden,
        Platform => there,
        Owned(role) | Inside(role) | Draft(role) | Named(role) | NamedDraft(role) if !anywhere(role) => Told::Forbidden,
        Owned(_) if tenant == Tenant::Nobody => Told::NotThere,
        Owned(role) => {
            if here(role) {
                Told::In
            } else {
                Told::Forbidden
            }
        }
        Inside(role) => {
            if here(role) {
                Told::In
            } else {
                Told::NotThere
            }
        }
        Leave if !anywhere(Role::Viewer) => Told::Forbidden,
        Leave if caller.role_in(tenant).is_none() => Told::NotThere,
        Leave => {
            if here(Role::Owner) {
                Told::In
            } else {
                Told::Forbidden
            }
        }
        NamedDraft(_) if !reads => Told::NotYours,
        Draft(_) if !reads => Told::NotThere,
        Draft(role) => {
            if here(role) {
                Told::In
            } else {
                Told::Forbidden
            }
        }
        Named(role) | NamedDraft(role) => {
            if here(role) {
                Told::In
            } else {
                Told::NotYours
            }
        }
        Decides if caller.person.is_none() && !caller.administrator => Told::Forbidden,
        Decides => {
            if here(Role::Owner) {
                Told::In
            } else {
                Told::NotThere
            }
        }
    }
}

fn told(answer: &Answer) -> Told {
    let not_yours = ["/organisation", "/funder", "/a", "/calls/0"];
    match answer.status {
        401 => Told::Unknown,
        403 => Told::Forbidden,
        404 => Told::NotThere,
        422 if places(&answer.body).iter().any(|place| not_yours.contains(place)) => Told::NotYours,
        _ => Told::In,
    }
}

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

/// A path and a body for an operation on something of a tenant, made afresh where the operation may use it up.
async fn request(world: &World, operation: &str, tenant: Tenant) -> (BTreeMap<&'static str, String>, Value) {
    let organisation = world.organisation(tenant);
    let owner = world.owner_of(tenant);
    let is_there = tenant != Tenant::Nobody;
    let mut fill = BTreeMap::from([
        ("id", NOBODY.to_owned()),
        ("vocabulary", "services".to_owned()),
        ("kind", "invalid".to_owned()),
    ]);
    fill.insert("code", if is_there { METROPOLE } else { "none" }.to_owned());
    for name in ["person", "invitation", "reservation"] {
        fill.insert(name, NOBODY.to_owned());
    }
    let mut body = Value::Null;
    match operation {
        "get_problem_page" if !is_there => _ = fill.insert("kind", "none".to_owned()),
        "get_term" if is_there => _ = fill.insert("code", "training-daily-tools".to_owned()),
        "put_term" => {
            fill.insert("code", sample_code());
            body = json!({ "label_en": "x", "label_fr": "x" });
        }
        "delete_term" if is_there => {
            let code = sample_code();
            let path = format!("/v1/vocabularies/services/terms/{code}");
            world
                .owner_of(Tenant::Unclaimed)
                .put_new(&path, json!({ "label_en": "x", "label_fr": "x" }))
                .await
                .expect(201);
            fill.insert("code", code);
        }
        "put_territory" => {
            fill.insert("code", sample_code());
            body = json!({ "name": "x", "kind": "commune" });
        }
        "delete_territory" if is_there => {
            let code = sample_code();
            let platform = world.owner_of(Tenant::Unclaimed);
            platform
                .put_new(&format!("/v1/territories/{code}"), json!({ "name": "x", "kind": "commune" }))
                .await
                .expect(201);
            fill.insert("code", code);
        }
        "create_organisation" => body = json!({ "name": "Nouvelle" }),
        "get_organisation" | "list_members" | "list_invitations" | "list_api_keys" | "list_reservations" => {
            fill.insert("id", organisation.to_owned());
        }
        // A version that was never there: whoever gets in is told that it is stale, and the organisation stays.
        "replace_organisation" | "delete_organisation" => {
            fill.insert("id", organisation.to_owned());
            body = json!({ "name": "x" });
        }
        "create_capability" => body = sample::hours(organisation, 10, 100),
        "get_capability" | "replace_capability" | "delete_capability" => {
            body = sample::hours(organisation, 10, 100);
            if is_there {
                fill.insert("id", created(owner, "/v1/capabilities", body.clone()).await);
            }
        }
        "create_relation" | "get_relation" | "replace_relation" | "delete_relation" => {
            let third = created(&world.third, "/v1/organisations", json!({ "name": "D" })).await;
            body = relation(organisation, &third);
            if is_there && operation != "create_relation" {
                fill.insert("id", created(owner, "/v1/relations", body.clone()).await);
            }
        }
        "create_reservation" | "delete_reservation" => {
            fill.insert("id", organisation.to_owned());
            let platform = world.owner_of(Tenant::Unclaimed);
            let against = created(platform, "/v1/organisations", json!({ "name": "E" })).await;
            body = json!({ "against": against });
            if is_there && operation.starts_with("delete") {
                let path = format!("/v1/organisations/{organisation}/reservations");
                fill.insert("reservation", created(owner, &path, body.take()).await);
            }
        }
        "create_call" => body = sample::call(organisation),
        "get_call" | "replace_call" | "delete_call" | "publish_call" | "close_call" | "start_run" | "list_runs" => {
            if operation == "replace_call" {
                body = sample::call(organisation);
            }
            if operation == "start_run" {
                body = json!({ "organisation": organisation });
            }
            if is_there {
                fill.insert("id", created(owner, "/v1/calls", sample::call(organisation)).await);
            }
        }
        "create_bid" | "list_bids" | "open_bids" if is_there => {
            fill.insert("id", created(owner, "/v1/calls", sample::call(organisation)).await);
        }
        "list_evaluators" | "get_evaluator" | "put_evaluator" | "delete_evaluator" => {
            let person = world.caller("a person of no organisation").person.clone().unwrap();
            if is_there {
                let call = created(owner, "/v1/calls", sample::call(organisation)).await;
                let path = format!("/v1/calls/{call}/evaluators/{person}");
                owner.send_raw(Method::PUT, &path, HeaderMap::new(), "").await.expect(201);
                fill.insert("id", call);
            }
            fill.insert("person", person);
        }
        "get_bid" | "withdraw_bid" if is_there => {
            let platform = world.owner_of(Tenant::Unclaimed);
            let funder = created(platform, "/v1/organisations", json!({ "name": "G" })).await;
            let call = created(platform, "/v1/calls", bidding::call(&funder)).await;
            platform.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
            fill.insert(
                "id",
                created(owner, &format!("/v1/calls/{call}/bids"), bidding::alone(organisation, 1, 1)).await,
            );
        }
        "start_joint_run" => {
            let mut calls = vec![json!(NOBODY), json!("019e0000-0000-7000-8000-000000000001")];
            if is_there {
                for call in &mut calls {
                    *call = json!(created(owner, "/v1/calls", sample::call(organisation)).await);
                }
            }
            body = json!({ "organisation": organisation, "calls": calls });
        }
        "get_run" | "list_proposals" | "get_reply" | "get_portfolio" if is_there => {
            let call = created(owner, "/v1/calls", sample::call(organisation)).await;
            let run = owner.post(&format!("/v1/calls/{call}/runs"), json!({ "organisation": organisation })).await;
            assert!(run.status < 300, "{:#}", run.body);
            fill.insert("id", id_of(&run.body));
        }
        "create_import" => body = json!("code,name,kind,parent\n"),
        "get_import" | "list_import_faults" if is_there => {
            let platform = world.owner_of(Tenant::Unclaimed);
            let import = platform
                .post_text("/v1/imports?kind=territories", "text/csv", "code,name,kind,parent\n")
                .await
                .expect(201);
            fill.insert("id", id_of(&import.body));
        }
        "register" => {
            body =
                json!({ "email": format!("{}@example.org", sample_code()), "name": "x", "password": world::PASSWORD });
        }
        "sign_in" => body = json!({ "email": "owner-a@example.org", "password": world::PASSWORD }),
        // The wrong password, so that the account stays as it is.
        "change_password" => body = json!({ "current": "not the password", "new": "not the password either" }),
        "set_member_role" | "remove_member" => {
            fill.insert("id", organisation.to_owned());
            body = json!({ "role": "viewer" });
            let members = owner.get(&format!("/v1/organisations/{organisation}/members")).await;
            if let Some(person) = members.body["items"][0]["person"]["id"].as_str() {
                fill.insert("person", person.to_owned());
            }
        }
        "create_invitation" | "delete_invitation" => {
            fill.insert("id", organisation.to_owned());
            body = json!({ "role": "viewer" });
            if is_there && operation.starts_with("delete") {
                let path = format!("/v1/organisations/{organisation}/invitations");
                let made = owner.post(&path, body.take()).await.expect(201);
                fill.insert("invitation", id_of(&made["invitation"]));
            }
        }
        "accept_invitation" => body = json!({ "secret": "attelage_invitation_none" }),
        "create_join_request" => {
            fill.insert("id", organisation.to_owned());
            body = json!({});
        }
        "accept_join_request" | "decline_join_request" if is_there => {
            let platform = world.owner_of(Tenant::Unclaimed);
            let (newcomer, _) = world::person(platform, &format!("{}@example.org", sample_code())).await;
            // Once it is claimed, nobody would be left who decides.
            let claimed = created(platform, "/v1/organisations", json!({ "name": "F" })).await;
            let organisation = if tenant == Tenant::Unclaimed { &claimed } else { organisation };
            fill.insert(
                "id",
                created(&newcomer, &format!("/v1/organisations/{organisation}/join-requests"), json!({})).await,
            );
        }
        "create_api_key" => {
            fill.insert("id", organisation.to_owned());
            body = json!({ "name": "x", "scopes": ["read"] });
        }
        "create_platform_key" => body = json!({ "name": "x", "scopes": ["read"] }),
        "rotate_api_key" | "revoke_api_key" if is_there => {
            let made = owner
                .post(&format!("/v1/organisations/{organisation}/api-keys"), json!({ "name": "x", "scopes": ["read"] }))
                .await;
            fill.insert("id", id_of(&made.expect(201)["api_key"]));
        }
        _ => {}
    }
    if operation == "create_bid" {
        body = bidding::alone(organisation, 1, 1);
    }
    if operation.starts_with("delete_") || operation == "remove_member" {
        body = Value::Null;
    }
    (fill, body)
}

/// A code that was not there before.
fn sample_code() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn relation(a: &str, b: &str) -> Value {
    json!({ "a": a, "b": b, "kind": "network", "strength_percent": 1 })
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
            for caller in &world.callers {
                let mut not_there = None;
                // What is not there comes first: other people's things must look the same.
                for tenant in TENANTS.into_iter().rev() {
                    if tenant == Tenant::Nobody && !names_something(&operation) {
                        continue;
                    }
                    let (fill, body) = request(&world, &operation.id, tenant).await;
                    let answer = send(caller, &operation, &fill, &body).await;
                    tried += 1;
                    // Nobody belongs to an organisation that is not claimed.
                    let of_members = ["set_member_role", "remove_member"].contains(&operation.id.as_str());
                    let counted = if of_members && tenant == Tenant::Unclaimed { Tenant::Nobody } else { tenant };
                    let want = expected(*rule, scope, caller, counted);
                    let missing = want == Told::In && NOT_SET_UP.contains(&operation.id.as_str());
                    let want = if missing { Told::NotThere } else { want };
                    let got = told(&answer);
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
    let in_body =
        ["create_capability", "create_call", "create_relation", "start_joint_run"].contains(&operation.id.as_str());
    in_body
        || operation.path.contains("{id}")
        || !creates && (operation.path.contains("{code}") || operation.path.contains("{kind}"))
}
