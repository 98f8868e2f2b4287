//! How people come to belong to an organisation: invited, let in, or by a claim that was reviewed.

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::app::Client;
use crate::support::on_both_engines;
use crate::support::people::{execute, founded, id, invite, person, scalar};
use crate::support::sample::{organisation, places};
use crate::support::service::spawn;

async fn accept(somebody: &Client, invited: &Value) -> crate::support::app::Answer {
    somebody.post("/v1/invitations/accept", json!({ "secret": invited["secret"] })).await
}

async fn ask(somebody: &Client, organisation: &str) -> Value {
    let path = format!("/v1/organisations/{organisation}/join-requests");
    somebody.post(&path, json!({ "message": "J’y travaille." })).await.expect(201).body
}

async fn decide(somebody: &Client, request: &Value, decision: &str) -> crate::support::app::Answer {
    somebody.post(&format!("/v1/join-requests/{}/{decision}", request["id"].as_str().unwrap()), json!({})).await
}

async fn memberships(somebody: &Client) -> Value {
    somebody.get("/v1/me").await.expect(200)["memberships"].clone()
}

on_both_engines! {
    async fn an_invitation_lets_one_person_in_once_in_its_role(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "owner@example.org").await;
        let mine = founded(&owner, "Une").await;
        let invited = invite(&owner, &mine, "editor").await;
        let (first, second) = (person(&app, "a@example.org").await, person(&app, "b@example.org").await);
        app.anonymous().post("/v1/invitations/accept", json!({ "secret": invited["secret"] })).await.problem(401);
        app.post("/v1/invitations/accept", json!({ "secret": invited["secret"] })).await.problem(403);
        let membership = accept(&first, &invited).await.expect(200);
        assert_eq!(membership.body, json!({ "organisation": mine, "role": "editor" }));
        assert_eq!(memberships(&first).await, json!([membership.body]));
        assert_eq!(places(&accept(&second, &invited).await.problem(422)), ["/secret"]);
        assert_eq!(memberships(&second).await, json!([]));
        let another = invite(&owner, &mine, "owner").await;
        accept(&first, &another).await.problem(409);
        accept(&second, &another).await.expect(200);
    }

    async fn of_eight_people_who_accept_at_once_one_joins(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "owner@example.org").await;
        let mine = founded(&owner, "Une").await;
        let invited = invite(&owner, &mine, "viewer").await;
        let mut people = Vec::new();
        for number in 0..8 {
            people.push(person(&app, &format!("p{number}@example.org")).await);
        }
        let answers = join_all(people.iter().map(|somebody| accept(somebody, &invited))).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(200), count(422)), (1, 7));
        let members = owner.get(&format!("/v1/organisations/{mine}/members")).await.expect(200);
        assert_eq!(members["items"].as_array().unwrap().len(), 2);
    }

    async fn an_invitation_is_void_when_it_is_old_or_taken_back(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "owner@example.org").await;
        let mine = founded(&owner, "Une").await;
        let guest = person(&app, "guest@example.org").await;
        let back = invite(&owner, &mine, "viewer").await;
        let path = format!("/v1/organisations/{mine}/invitations/{}", back["invitation"]["id"].as_str().unwrap());
        let elsewhere = person(&app, "elsewhere@example.org").await;
        founded(&elsewhere, "Ailleurs").await;
        elsewhere.send_raw(Method::DELETE, &path, HeaderMap::new(), "").await.problem(404);
        owner.send_raw(Method::DELETE, &path, HeaderMap::new(), "").await.expect(204);
        accept(&guest, &back).await.problem(422);
        let old = invite(&owner, &mine, "viewer").await;
        execute(&app, "UPDATE invitation SET expires_at = $1", [(Utc::now() - TimeDelta::seconds(1)).into()]).await;
        let refused = accept(&guest, &old).await.problem(422);
        let never = json!({ "secret": format!("attelage_invitation_{}", "0".repeat(72)) });
        let unknown = guest.post("/v1/invitations/accept", never).await.problem(422);
        assert_eq!(refused["errors"], unknown["errors"], "nobody learns that there was one");
    }

    async fn owners_decide_who_joins_an_organisation_that_has_some(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "owner@example.org").await;
        let mine = founded(&owner, "Une").await;
        let (guest, stranger) = (person(&app, "guest@example.org").await, person(&app, "x@example.org").await);
        let request = ask(&guest, &mine).await;
        assert_eq!((&request["kind"], &request["state"]), (&json!("membership"), &json!("open")));
        let again = format!("/v1/organisations/{mine}/join-requests");
        guest.post(&again, json!({})).await.problem(409);
        owner.post(&again, json!({})).await.problem(409);
        // The platform has no say there, and does not even see it; the one who asks sees it, and cannot decide.
        assert_eq!(app.get("/v1/join-requests").await.expect(200)["items"], json!([]));
        decide(&app, &request, "accept").await.problem(404);
        decide(&stranger, &request, "accept").await.problem(404);
        decide(&guest, &request, "accept").await.problem(403);
        assert_eq!(decide(&owner, &request, "accept").await.expect(200)["state"], json!("accepted"));
        assert_eq!(memberships(&guest).await, json!([{ "organisation": mine, "role": "viewer" }]));
        decide(&owner, &request, "decline").await.problem(409);
        let request = ask(&stranger, &mine).await;
        assert_eq!(decide(&owner, &request, "decline").await.expect(200)["state"], json!("declined"));
        assert_eq!(memberships(&stranger).await, json!([]));
        ask(&stranger, &mine).await;
    }

    async fn one_person_who_asks_twice_at_once_has_asked_once(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "owner@example.org").await;
        let path = format!("/v1/organisations/{}/join-requests", founded(&owner, "Une").await);
        let guest = person(&app, "guest@example.org").await;
        let answers = join_all((0..6).map(|_| guest.post(&path, json!({})))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(scalar::<i64>(&app, "SELECT COUNT(*) FROM join_request").await, 1);
    }

    async fn an_imported_organisation_is_claimed_with_a_review_and_then_its_owners(engine) {
        let app = spawn(engine).await;
        let imported = organisation(&app, "Importée").await;
        let path = format!("/v1/organisations/{imported}");
        let seen = app.get(&path).await.expect(200);
        app.put(&path, seen.etag(), json!({ "name": "Importée", "turnover_cents": 12_345 })).await.expect(200);
        assert_eq!(app.get(&path).await.expect(200)["turnover_cents"], json!(12_345), "in the care of the platform");
        let (one, other) = (person(&app, "one@example.org").await, person(&app, "other@example.org").await);
        let (claim, rival) = (ask(&one, &imported).await, ask(&other, &imported).await);
        assert_eq!((&claim["kind"], &rival["kind"]), (&json!("claim"), &json!("claim")));
        decide(&one, &claim, "accept").await.problem(403);
        decide(&other, &claim, "accept").await.problem(404);
        assert_eq!(app.get("/v1/join-requests").await.expect(200)["items"].as_array().unwrap().len(), 2);

        let answers = join_all([decide(&app, &claim, "accept"), decide(&app, &rival, "accept")]).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "of two claims one is accepted");
        let members: i64 = scalar(&app, "SELECT COUNT(*) FROM membership").await;
        assert_eq!(members, 1);

        let (winner, loser) = if answers[0].status == 200 { (&one, &other) } else { (&other, &one) };
        assert_eq!(memberships(winner).await, json!([{ "organisation": imported, "role": "owner" }]));
        assert_eq!(winner.get(&path).await.expect(200)["turnover_cents"], json!(12_345));
        assert!(loser.get(&path).await.expect(200).body.get("turnover_cents").is_none());
        assert!(app.get(&path).await.expect(200).body.get("turnover_cents").is_none(), "the platform sees P4 no more");
        let seen = app.get(&path).await.expect(200);
        app.put(&path, seen.etag(), json!({ "name": "Reprise" })).await.problem(403);
        app.get(&format!("{path}/members")).await.problem(404);
    }

    async fn what_the_platform_gave_out_in_its_care_is_void_after_the_first_member(engine) {
        let app = spawn(engine).await;
        let imported = organisation(&app, "Importée").await;
        let keys = format!("/v1/organisations/{imported}/api-keys");
        let issued = app.post(&keys, json!({ "name": "k", "role": "owner", "scopes": ["read", "manage"] })).await.expect(201);
        let key = app.with_key(issued["secret"].as_str().unwrap());
        let (first, kept) = (invite(&app, &imported, "owner").await, invite(&app, &imported, "owner").await);
        let (one, other) = (person(&app, "one@example.org").await, person(&app, "other@example.org").await);
        key.get("/v1/me").await.expect(200);
        accept(&one, &first).await.expect(200);
        key.get("/v1/me").await.problem(401);
        accept(&other, &kept).await.problem(422);
        let own = invite(&one, &imported, "owner").await;
        accept(&other, &own).await.expect(200);
        assert_eq!(one.get(&keys).await.expect(200)["items"][0]["name"], json!("k"), "its owners see that there was one");
        assert_ne!(id(&one).await, id(&other).await);
    }
}
