//! Members of an organisation and their roles.

use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::json;

use crate::support::app::Client;
use crate::support::on_both_engines;
use crate::support::people::{founded, id, let_in, person};
use crate::support::service::spawn;

/// The path of a member.
async fn place(organisation: &str, member: &Client) -> String {
    format!("/v1/organisations/{organisation}/members/{}", id(member).await)
}

async fn owners(client: &Client, organisation: &str) -> usize {
    let page = client.get(&format!("/v1/organisations/{organisation}/members")).await.expect(200);
    page["items"].as_array().unwrap().iter().filter(|member| member["role"] == json!("owner")).count()
}

on_both_engines! {
    async fn an_owner_gives_roles_and_others_do_not(engine) {
        let app = spawn(engine).await;
        let (owner, member) = (person(&app, "o@example.org").await, person(&app, "m@example.org").await);
        let mine = founded(&owner, "Une").await;
        let_in(&owner, &mine, &member, "viewer").await;
        let path = place(&mine, &member).await;
        member.put(&path, "\"1\"", json!({ "role": "owner" })).await.problem(403);
        owner.put_new(&path, json!({ "role": "editor" })).await.problem(428);
        let changed = owner.put(&path, "\"1\"", json!({ "role": "editor" })).await.expect(200);
        assert_eq!((&changed["role"], changed.etag()), (&json!("editor"), "\"2\""));
        owner.put(&path, "\"1\"", json!({ "role": "owner" })).await.problem(412);
        let me = member.get("/v1/me").await.expect(200);
        assert_eq!(me["memberships"], json!([{ "organisation": mine, "role": "editor" }]), "at once");
        let stranger = person(&app, "s@example.org").await;
        founded(&stranger, "Ailleurs").await;
        stranger.put(&path, "\"2\"", json!({ "role": "owner" })).await.problem(404);
        stranger.get(&format!("/v1/organisations/{mine}/members")).await.problem(404);
        app.get(&format!("/v1/organisations/{mine}/members")).await.problem(404);
    }

    async fn everybody_may_leave_and_only_owners_take_out_others(engine) {
        let app = spawn(engine).await;
        let (owner, one, two) = (person(&app, "o@example.org").await, person(&app, "1@example.org").await, person(&app, "2@example.org").await);
        let mine = founded(&owner, "Une").await;
        let_in(&owner, &mine, &one, "editor").await;
        let_in(&owner, &mine, &two, "viewer").await;
        one.delete(&place(&mine, &two).await, "\"1\"").await.problem(403);
        two.delete(&place(&mine, &two).await, "\"1\"").await.expect(204);
        owner.delete(&place(&mine, &one).await, "\"1\"").await.expect(204);
        for gone in [&one, &two] {
            assert_eq!(gone.get("/v1/me").await.expect(200)["memberships"], json!([]));
        }
        owner.delete(&place(&mine, &one).await, "\"1\"").await.problem(404);
    }

    async fn the_last_owner_stays(engine) {
        let app = spawn(engine).await;
        let (owner, member) = (person(&app, "o@example.org").await, person(&app, "m@example.org").await);
        let mine = founded(&owner, "Une").await;
        let_in(&owner, &mine, &member, "editor").await;
        let path = place(&mine, &owner).await;
        owner.delete(&path, "\"1\"").await.problem(409);
        owner.put(&path, "\"1\"", json!({ "role": "editor" })).await.problem(409);
        owner.send_raw(Method::DELETE, "/v1/me", HeaderMap::new(), "").await.problem(409);
        owner.put(&place(&mine, &member).await, "\"1\"", json!({ "role": "owner" })).await.expect(200);
        owner.delete(&path, "\"1\"").await.expect(204);
        assert_eq!(owners(&member, &mine).await, 1);
    }

    async fn of_two_owners_who_go_at_once_one_stays(engine) {
        let app = spawn(engine).await;
        let (one, two) = (person(&app, "1@example.org").await, person(&app, "2@example.org").await);
        let leave = async |owner: &Client, path: &str| owner.delete(path, "\"1\"").await.status;
        let demote = async |owner: &Client, path: &str| owner.put(path, "\"1\"", json!({ "role": "viewer" })).await.status;
        for round in 0..6 {
            let mine = founded(&one, &format!("Une {round}")).await;
            let_in(&one, &mine, &two, "owner").await;
            let (first, second) = (place(&mine, &one).await, place(&mine, &two).await);
            let mut statuses = if round % 2 == 0 {
                join_all([leave(&one, &first), leave(&two, &second)]).await
            } else {
                // Each takes the role of the other.
                join_all([demote(&one, &second), demote(&two, &first)]).await
            };
            statuses.sort_unstable();
            assert!(statuses[0] < 300 && statuses[1] >= 400, "{statuses:?}");
            let path = format!("/v1/organisations/{mine}/members");
            let left = if one.get(&path).await.status == 200 { &one } else { &two };
            assert_eq!(owners(left, &mine).await, 1, "round {round}");
        }
    }

    async fn of_two_owners_who_erase_themselves_at_once_one_stays(engine) {
        let app = spawn(engine).await;
        let (one, two) = (person(&app, "1@example.org").await, person(&app, "2@example.org").await);
        let mine = founded(&one, "Une").await;
        let_in(&one, &mine, &two, "owner").await;
        let erase = async |owner: &Client| owner.send_raw(Method::DELETE, "/v1/me", HeaderMap::new(), "").await.status;
        let mut statuses = join_all([erase(&one), erase(&two)]).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
    }
}
