//! What is asked in the matrix: for each operation a path and a body, on something of a tenant.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::NOBODY;
use crate::runs::patient;
use crate::support::app::Client;
use crate::support::bidding;
use crate::support::sample::{self, METROPOLE, created};
use crate::support::world::{self, Tenant, World, id_of};

/// A path and a body in the making.
struct Draft<'w> {
    world: &'w World,
    operation: &'w str,
    tenant: Tenant,
    organisation: &'w str,
    owner: &'w Client,
    platform: &'w Client,
    is_there: bool,
    fill: BTreeMap<&'static str, String>,
    body: Value,
}

/// A path and a body for an operation on something of a tenant, made afresh where the operation may use it up.
pub async fn request(world: &World, operation: &str, tenant: Tenant) -> (BTreeMap<&'static str, String>, Value) {
    let is_there = tenant != Tenant::Nobody;
    let names = ["id", "person", "invitation", "reservation", "delivery", "organisation"];
    let mut fill: BTreeMap<&'static str, String> = names.into_iter().map(|name| (name, NOBODY.to_owned())).collect();
    fill.insert("vocabulary", "services".to_owned());
    fill.insert("token", "none".to_owned());
    fill.insert("kind", "invalid".to_owned());
    fill.insert("code", if is_there { METROPOLE } else { "none" }.to_owned());
    let mut draft = Draft {
        world,
        operation,
        tenant,
        organisation: world.organisation(tenant),
        owner: world.owner_of(tenant),
        platform: world.owner_of(Tenant::Unclaimed),
        is_there,
        fill,
        body: Value::Null,
    };
    draft.of_platform().await;
    draft.of_market().await;
    draft.on_calls().await;
    draft.on_bids().await;
    draft.on_partners().await;
    draft.of_people().await;
    draft.of_webhooks().await;
    draft.on_consortia().await;
    draft.on_frameworks().await;
    let Draft { fill, body, .. } = draft;
    let without_body = operation.starts_with("delete_") || operation == "remove_member";
    (fill, if without_body { Value::Null } else { body })
}

impl Draft<'_> {
    /// On vocabularies, territories, imports and keys of the platform.
    async fn of_platform(&mut self) {
        let Self { platform, is_there, operation, .. } = *self;
        match operation {
            "get_problem_page" if !is_there => _ = self.fill.insert("kind", "none".to_owned()),
            "get_term" if is_there => _ = self.fill.insert("code", "training-daily-tools".to_owned()),
            "put_term" => {
                self.fill.insert("code", fresh_code());
                self.body = json!({ "label_en": "x", "label_fr": "x" });
            }
            "delete_term" if is_there => {
                let code = fresh_code();
                let path = format!("/v1/vocabularies/services/terms/{code}");
                platform.put_new(&path, json!({ "label_en": "x", "label_fr": "x" })).await.expect(201);
                self.fill.insert("code", code);
            }
            "put_territory" => {
                self.fill.insert("code", fresh_code());
                self.body = json!({ "name": "x", "kind": "commune" });
            }
            "delete_territory" if is_there => {
                let code = fresh_code();
                platform
                    .put_new(&format!("/v1/territories/{code}"), json!({ "name": "x", "kind": "commune" }))
                    .await
                    .expect(201);
                self.fill.insert("code", code);
            }
            "create_import" => self.body = json!("code,name,kind,parent\n"),
            "get_import" | "list_import_faults" if is_there => {
                let import = platform
                    .post_text("/v1/imports?kind=territories", "text/csv", "code,name,kind,parent\n")
                    .await
                    .expect(201);
                self.fill.insert("id", id_of(&import.body));
            }
            "create_platform_key" => self.body = json!({ "name": "x", "scopes": ["read"] }),
            _ => {}
        }
    }

    /// On organisations and what they say of themselves.
    async fn of_market(&mut self) {
        let Self { world, organisation, owner, platform, is_there, operation, .. } = *self;
        match operation {
            "create_organisation" => self.body = json!({ "name": "Nouvelle" }),
            "get_organisation"
            | "list_members"
            | "list_invitations"
            | "list_api_keys"
            | "list_reservations"
            | "list_audit_entries"
            | "export_organisation" => _ = self.fill.insert("id", organisation.to_owned()),
            // A version that was never there: whoever gets in is told that it is stale, and the organisation stays.
            "replace_organisation" | "delete_organisation" => {
                self.fill.insert("id", organisation.to_owned());
                self.body = json!({ "name": "x" });
            }
            "create_capability" => self.body = sample::hours(organisation, 10, 100),
            "get_capability" | "replace_capability" | "delete_capability" => {
                self.body = sample::hours(organisation, 10, 100);
                if is_there {
                    self.fill.insert("id", created(owner, "/v1/capabilities", self.body.clone()).await);
                }
            }
            "create_relation" | "get_relation" | "replace_relation" | "delete_relation" => {
                let third = created(&world.third, "/v1/organisations", json!({ "name": "D" })).await;
                self.body = relation(organisation, &third);
                if is_there && operation != "create_relation" {
                    self.fill.insert("id", created(owner, "/v1/relations", self.body.clone()).await);
                }
            }
            "create_reservation" | "delete_reservation" => {
                self.fill.insert("id", organisation.to_owned());
                let against = created(platform, "/v1/organisations", json!({ "name": "E" })).await;
                self.body = json!({ "against": against });
                if is_there && operation.starts_with("delete") {
                    let path = format!("/v1/organisations/{organisation}/reservations");
                    self.fill.insert("reservation", created(owner, &path, self.body.take()).await);
                }
            }
            _ => {}
        }
    }

    /// On calls and computations.
    async fn on_calls(&mut self) {
        let Self { organisation, owner, is_there, operation, .. } = *self;
        match operation {
            "create_call" => self.body = sample::call(organisation),
            "get_call" | "replace_call" | "delete_call" | "publish_call" | "close_call" | "start_run" | "list_runs" => {
                if operation == "replace_call" {
                    self.body = sample::call(organisation);
                }
                if operation == "start_run" {
                    self.body = json!({ "organisation": organisation });
                }
                if is_there {
                    self.fill.insert("id", created(owner, "/v1/calls", sample::call(organisation)).await);
                }
            }
            "start_joint_run" => {
                let mut calls = vec![json!(NOBODY), json!("019e0000-0000-7000-8000-000000000001")];
                if is_there {
                    for call in &mut calls {
                        *call = json!(created(owner, "/v1/calls", sample::call(organisation)).await);
                    }
                }
                self.body = json!({ "organisation": organisation, "calls": calls });
            }
            "get_run" | "list_proposals" | "get_reply" | "get_portfolio" | "cancel_run" | "follow_run" if is_there => {
                let call = created(owner, "/v1/calls", sample::call(organisation)).await;
                // Over, so that they do not heap up: an organisation may have so many that are not.
                let body = json!({ "organisation": organisation });
                let run = owner.post_with(&format!("/v1/calls/{call}/runs"), patient(), body).await;
                assert!(run.status < 300, "{:#}", run.body);
                self.fill.insert("id", id_of(&run.body));
            }
            _ => {}
        }
    }

    /// On bids and those who open them.
    async fn on_bids(&mut self) {
        let Self { world, organisation, owner, platform, is_there, operation, .. } = *self;
        match operation {
            "create_bid" | "list_bids" | "open_bids" | "compare_bids" | "record_decision" | "list_decisions" => {
                if operation == "create_bid" {
                    self.body = bidding::alone(organisation, 1, 1);
                }
                if operation == "record_decision" {
                    let lot = json!({ "lot": "training", "outcome": "no_award", "reasons": "x", "bids": [] });
                    self.body = json!({ "tell_at": "2190-01-01T00:00:00Z", "lots": [lot] });
                }
                if is_there {
                    self.fill.insert("id", created(owner, "/v1/calls", sample::call(organisation)).await);
                }
            }
            "list_evaluators" | "get_evaluator" | "put_evaluator" | "delete_evaluator" => {
                let person = world.caller("a person of no organisation").person.clone().unwrap();
                if is_there {
                    let call = created(owner, "/v1/calls", sample::call(organisation)).await;
                    let path = format!("/v1/calls/{call}/evaluators/{person}");
                    owner.send_raw(Method::PUT, &path, HeaderMap::new(), "").await.expect(201);
                    self.fill.insert("id", call);
                }
                self.fill.insert("person", person);
            }
            "get_bid"
            | "withdraw_bid"
            | "get_bid_answer"
            | "list_change_requests"
            | "create_bid_revision"
            | "get_bid_decision" => {
                if operation == "create_bid_revision" {
                    self.body = bidding::alone(organisation, 1, 1);
                }
                if is_there {
                    let funder = created(platform, "/v1/organisations", json!({ "name": "G" })).await;
                    self.fill.insert("id", bid(platform, &funder, owner, organisation).await);
                }
            }
            // On a bid of somebody else on a call of the tenant.
            "ask_changes" => {
                self.body = json!({ "due_at": "2190-01-01T00:00:00Z", "text": "x" });
                if is_there {
                    let bidder = created(platform, "/v1/organisations", json!({ "name": "J" })).await;
                    self.fill.insert("id", bid(owner, organisation, platform, &bidder).await);
                }
            }
            _ => {}
        }
    }

    /// On interests, partners and teams.
    async fn on_partners(&mut self) {
        let Self { organisation, owner, platform, is_there, operation, .. } = *self;
        match operation {
            "list_matching_calls" => _ = self.fill.insert("id", organisation.to_owned()),
            "create_interest" | "get_interest" | "replace_interest" | "delete_interest" => {
                let funder = created(platform, "/v1/organisations", json!({ "name": "H" })).await;
                let call = created(platform, "/v1/calls", sample::call(&funder)).await;
                platform.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
                self.body = json!({ "call": call, "organisation": organisation });
                if is_there && operation != "create_interest" {
                    self.fill.insert("id", created(owner, "/v1/interests", self.body.clone()).await);
                }
            }
            "suggest_partners" | "check_team" | "explain_absence" => {
                self.body = json!({ "organisation": organisation });
                match operation {
                    "check_team" => self.body["team"] = json!([organisation]),
                    "explain_absence" => self.body["absent"] = json!(organisation),
                    _ => {}
                }
                if is_there {
                    self.fill.insert("id", created(owner, "/v1/calls", sample::call(organisation)).await);
                }
            }
            _ => {}
        }
    }

    /// On consortia that the tenant leads.
    async fn on_consortia(&mut self) {
        let Self { organisation, owner, platform, is_there, operation, .. } = *self;
        self.body = match operation {
            "create_consortium" => founding(platform, organisation).await,
            "replace_consortium" => sample::plan(&json!([{ "organisation": organisation, "role": "group-lead" }])),
            "invite_into_consortium" => {
                let invited = created(platform, "/v1/organisations", json!({ "name": "K" })).await;
                json!({ "organisation": invited, "role": "group-mem" })
            }
            "accept_membership" => json!({ "terms": 1 }),
            "decline_membership" | "leave_consortium" | "start_repair" => json!({}),
            "apply_repair" => json!({ "run": NOBODY, "plan": 1 }),
            "replace_membership" => json!({ "consent": {} }),
            "agree_to_share" => json!({ "organisation": organisation, "plan": 1 }),
            "sign_consortium" => json!({ "organisation": organisation, "digest": "0".repeat(64) }),
            "get_consortium"
            | "get_consortium_checks"
            | "file_consortium"
            | "withdraw_filing"
            | "get_consortium_answer"
            | "get_consortium_treasury"
            | "delete_share_consent"
            | "get_consortium_shares"
            | "dissolve_consortium"
            | "rescind_membership"
            | "promote_alternate"
            | "complete_consortium"
            | "ask_to_be_invited_again" => Value::Null,
            _ => return,
        };
        self.fill.insert("organisation", organisation.to_owned());
        if is_there && operation != "create_consortium" {
            let new = founding(platform, organisation).await;
            self.fill.insert("id", created(owner, "/v1/consortia", new).await);
        }
    }

    /// On what the tenant keeps for the next call.
    async fn on_frameworks(&mut self) {
        let Self { organisation, owner, platform, is_there, operation, .. } = *self;
        let keeps = [
            "create_framework",
            "get_framework",
            "get_framework_changes",
            "end_framework",
            "accept_framework",
            "leave_framework",
        ];
        if !keeps.contains(&operation) {
            return;
        }
        self.fill.insert("organisation", organisation.to_owned());
        let mut new = json!({ "consortium": NOBODY, "name": "Toujours ensemble" });
        if is_there {
            let mut founding = founding(platform, organisation).await;
            founding["lots"] = json!(["equipment"]);
            founding["parts"] = json!([{ "need": "kits", "quantity": 1, "amount_cents": 1 }]);
            let made = owner.post("/v1/consortia", founding).await.expect(201);
            let sign = json!({ "organisation": organisation, "digest": made["digest"] });
            owner.post(&format!("{}/sign", made.header("location")), sign).await.expect(200);
            new["consortium"] = made["id"].clone();
            if operation != "create_framework" {
                self.fill.insert("id", created(owner, "/v1/frameworks", new.clone()).await);
            }
        }
        if operation == "create_framework" {
            self.body = new;
        }
    }

    /// On people, memberships and keys.
    async fn of_people(&mut self) {
        let Self { organisation, owner, platform, is_there, tenant, operation, .. } = *self;
        match operation {
            "register" => {
                self.body = json!({ "email": format!("{}@example.org", fresh_code()), "name": "x", "password": world::PASSWORD });
            }
            "sign_in" => self.body = json!({ "email": "owner-a@example.org", "password": world::PASSWORD }),
            // The wrong password, so that the account stays as it is.
            "change_password" => self.body = json!({ "current": "not the password", "new": "not the password either" }),
            "set_member_role" | "remove_member" => {
                self.fill.insert("id", organisation.to_owned());
                self.body = json!({ "role": "viewer" });
                let members = owner.get(&format!("/v1/organisations/{organisation}/members")).await;
                if let Some(person) = members.body["items"][0]["person"]["id"].as_str() {
                    self.fill.insert("person", person.to_owned());
                }
            }
            "create_invitation" | "delete_invitation" => {
                self.fill.insert("id", organisation.to_owned());
                self.body = json!({ "role": "viewer" });
                if is_there && operation.starts_with("delete") {
                    let path = format!("/v1/organisations/{organisation}/invitations");
                    let made = owner.post(&path, self.body.take()).await.expect(201);
                    self.fill.insert("invitation", id_of(&made["invitation"]));
                }
            }
            "accept_invitation" => self.body = json!({ "secret": "attelage_invitation_none" }),
            "create_join_request" => {
                self.fill.insert("id", organisation.to_owned());
                self.body = json!({});
            }
            "accept_join_request" | "decline_join_request" if is_there => {
                let (newcomer, _) = world::person(platform, &format!("{}@example.org", fresh_code())).await;
                // Once it is claimed, nobody would be left who decides.
                let claimed = created(platform, "/v1/organisations", json!({ "name": "F" })).await;
                let organisation = if tenant == Tenant::Unclaimed { &claimed } else { organisation };
                self.fill.insert(
                    "id",
                    created(&newcomer, &format!("/v1/organisations/{organisation}/join-requests"), json!({})).await,
                );
            }
            "create_api_key" => {
                self.fill.insert("id", organisation.to_owned());
                self.body = json!({ "name": "x", "scopes": ["read"] });
            }
            "rotate_api_key" | "revoke_api_key" if is_there => {
                let made = owner
                    .post(
                        &format!("/v1/organisations/{organisation}/api-keys"),
                        json!({ "name": "x", "scopes": ["read"] }),
                    )
                    .await;
                self.fill.insert("id", id_of(&made.expect(201)["api_key"]));
            }
            _ => {}
        }
    }
}

impl Draft<'_> {
    /// On webhooks, on what was sent to them, and on mail.
    async fn of_webhooks(&mut self) {
        let Self { organisation, owner, is_there, operation, .. } = *self;
        let new = json!({ "organisation": organisation, "url": "https://hooks.invalid/" });
        match operation {
            "replace_mail_preferences" => self.body = json!({ "enabled": true }),
            "create_webhook" => self.body = new,
            "get_webhook"
            | "replace_webhook"
            | "delete_webhook"
            | "rotate_webhook_secret"
            | "test_webhook"
            | "list_deliveries"
            | "replay_delivery"
            | "replay_webhook" => {
                if is_there {
                    let made = owner.post("/v1/webhooks", new).await.expect(201);
                    let id = id_of(&made["webhook"]);
                    if operation == "replay_delivery" {
                        owner.post(&format!("/v1/webhooks/{id}/test"), json!({})).await.expect(202);
                        let sent = owner.get(&format!("/v1/webhooks/{id}/deliveries")).await.expect(200);
                        self.fill.insert("delivery", id_of(&sent["items"][0]));
                    }
                    self.fill.insert("id", id);
                }
                match operation {
                    "replace_webhook" => self.body = json!({ "url": "https://hooks.invalid/" }),
                    "replay_webhook" => self.body = json!({ "after": NOBODY }),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// The bid of an organisation on a call of a funder, with who acts for each.
async fn bid(for_funder: &Client, funder: &str, for_bidder: &Client, bidder: &str) -> String {
    let call = created(for_funder, "/v1/calls", bidding::call(funder)).await;
    for_funder.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
    created(for_bidder, &format!("/v1/calls/{call}/bids"), bidding::alone(bidder, 1, 1)).await
}

/// A code that was not there before.
fn fresh_code() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A consortium that an organisation founds for a call of somebody else.
async fn founding(platform: &Client, organisation: &str) -> Value {
    let funder = created(platform, "/v1/organisations", json!({ "name": "H" })).await;
    let call = created(platform, "/v1/calls", bidding::call(&funder)).await;
    platform.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
    json!({ "organisation": organisation, "call": call, "name": "Ensemble" })
}

fn relation(a: &str, b: &str) -> Value {
    json!({ "a": a, "b": b, "kind": "network", "strength_percent": 1 })
}
