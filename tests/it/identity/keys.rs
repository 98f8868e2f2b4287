//! Keys of organisations and of the platform.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use attelage::access::credential::{Kind, Secret};
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::HeaderMap;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::app::Client;
use crate::support::on_both_engines;
use crate::support::people::{execute, founded, invite, let_in, person};
use crate::support::sample::places;
use crate::support::service::{App, restarted, spawn};

/// Makes a key; gives it with its secret.
async fn issue(client: &Client, organisation: &str, body: Value) -> Value {
    client.post(&format!("/v1/organisations/{organisation}/api-keys"), body).await.expect(201).body
}

fn secret(issued: &Value) -> &str {
    issued["secret"].as_str().unwrap()
}

fn id(issued: &Value) -> &str {
    issued["api_key"]["id"].as_str().unwrap()
}

async fn revoke(client: &Client, key: &str) -> u16 {
    client.send_raw(Method::DELETE, &format!("/v1/api-keys/{key}"), HeaderMap::new(), "").await.status
}

/// Every value of every table, as text.
async fn dump(app: &App) -> String {
    let db = app.database.connect().await;
    let mut text = String::new();
    for table in
        ["person", "session", "membership", "invitation", "join_request", "api_key", "idempotency_key", "setting"]
    {
        let rows =
            db.query_all_raw(Statement::from_string(db.get_database_backend(), format!("SELECT * FROM {table}"))).await;
        for row in rows.unwrap() {
            for column in row.column_names() {
                let column = column.as_str();
                let bytes = row.try_get::<Option<Vec<u8>>>("", column).ok().flatten();
                let words = row.try_get::<Option<String>>("", column).ok().flatten();
                text += &words.or(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())).unwrap_or_default();
                text += "\n";
            }
        }
    }
    text
}

on_both_engines! {
    async fn a_key_looks_like_one_and_only_its_digest_is_kept(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let organisation = founded(&owner, "Une").await;
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", "one".parse().unwrap());
        let path = format!("/v1/organisations/{organisation}/api-keys");
        let body = json!({ "name": "nightly", "scopes": ["read", "market", "read"] });
        let issued = owner.post_with(&path, headers.clone(), body.clone()).await.expect(201);
        owner.post_with(&path, headers, body).await.problem(409);
        let text = issued["secret"].as_str().unwrap();
        assert!(text.starts_with("attelage_key_") && text.len() == "attelage_key_".len() + 64 + 8, "{text}");
        assert_eq!(issued["api_key"]["prefix"].as_str().unwrap(), &text[..21]);
        assert_eq!((&issued["api_key"]["role"], &issued["api_key"]["scopes"]), (&json!("editor"), &json!(["read", "market"])));
        let invited = invite(&owner, &organisation, "viewer").await;
        let kept = dump(&app).await;
        assert!(kept.contains(&Secret::parse(text).unwrap().digest()), "the dump sees the digest");
        for secret in [text, invited["secret"].as_str().unwrap()] {
            let random = &secret[secret.len() - 72 + 8..secret.len() - 8];
            assert!(!kept.contains(random), "the rest of a secret is in the database");
        }
        let listed = owner.get(&path).await.expect(200);
        assert!(!listed.body.to_string().contains(&text[21..]), "shown once");
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    }

    async fn a_mistyped_key_is_refused_like_an_unknown_one(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let organisation = founded(&owner, "Une").await;
        let issued = issue(&owner, &organisation, json!({ "name": "k", "scopes": ["read"] })).await;
        let right = secret(&issued).to_owned();
        app.with_key(&right).get("/v1/me").await.expect(200);
        let last = if right.ends_with('0') { "1" } else { "0" };
        let mistyped = format!("{}{last}", &right[..right.len() - 1]);
        let unknown = Secret::generate(Kind::ApiKey).unwrap();
        let session = right.replacen("attelage_key_", "attelage_session_", 1);
        for wrong in [mistyped.as_str(), unknown.reveal(), &session, "", "x"] {
            for path in ["/v1/me", "/v1/organisations"] {
                let problem = app.with_key(wrong).get(path).await.problem(401);
                assert_eq!(problem["detail"], json!("this key is not valid"));
            }
        }
        for scheme in ["bearer", "BEARER"] {
            let headers = [("authorization".parse().unwrap(), format!("{scheme} {right}").parse().unwrap())];
            app.anonymous().get_with("/v1/me", HeaderMap::from_iter(headers)).await.expect(200);
        }
        let basic = [("authorization".parse().unwrap(), format!("Basic {right}").parse().unwrap())];
        app.anonymous().get_with("/v1/me", HeaderMap::from_iter(basic)).await.problem(401);
    }

    async fn a_key_does_what_its_scopes_and_its_role_say_and_no_more(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let (mine, other) = (founded(&owner, "Une").await, founded(&person(&app, "d@example.org").await, "Autre").await);
        let change = async |key: &Value, organisation: &str| {
            let key = app.with_key(secret(key));
            let path = format!("/v1/organisations/{organisation}");
            let seen = app.get(&path).await.expect(200);
            key.put(&path, seen.etag(), json!({ "name": "Renommée" })).await.status
        };
        let reader = issue(&owner, &mine, json!({ "name": "r", "role": "editor", "scopes": ["read"] })).await;
        let viewer = issue(&owner, &mine, json!({ "name": "v", "role": "viewer", "scopes": ["read", "market"] })).await;
        let editor = issue(&owner, &mine, json!({ "name": "e", "role": "editor", "scopes": ["market"] })).await;
        assert_eq!([change(&reader, &mine).await, change(&viewer, &mine).await, change(&editor, &mine).await], [403, 403, 200]);
        assert_eq!(change(&editor, &other).await, 403, "of another organisation");
        let me = app.with_key(secret(&viewer)).get("/v1/me").await.expect(200);
        assert_eq!(me["memberships"], json!([{ "organisation": mine, "role": "viewer" }]));
        assert_eq!((&me["administrator"], &me["api_key"]), (&json!(false), &viewer["api_key"]["id"]));
    }

    async fn a_key_makes_none_that_can_do_more_than_itself(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let mine = founded(&owner, "Une").await;
        let path = format!("/v1/organisations/{mine}/api-keys");
        let maker = issue(&owner, &mine, json!({ "name": "m", "role": "owner", "scopes": ["read", "manage"] })).await;
        let maker = app.with_key(secret(&maker));
        let beyond = json!({ "name": "b", "scopes": ["read", "market", "calls"] });
        assert_eq!(places(&maker.post(&path, beyond).await.problem(422)), ["/scopes/1", "/scopes/2"]);
        maker.post(&path, json!({ "name": "w", "scopes": ["read"] })).await.expect(201);
        let strong = issue(&owner, &mine, json!({ "name": "s", "scopes": ["read", "market"] })).await;
        maker.post(&format!("/v1/api-keys/{}/rotate", id(&strong)), json!({})).await.problem(422);
        let editor = issue(&owner, &mine, json!({ "name": "e", "role": "editor", "scopes": ["read", "manage"] })).await;
        app.with_key(secret(&editor)).post(&path, json!({ "name": "x", "scopes": ["read"] })).await.problem(403);
        let member = person(&app, "e@example.org").await;
        let_in(&owner, &mine, &member, "editor").await;
        member.post(&path, json!({ "name": "x", "scopes": ["read"] })).await.problem(403);
        person(&app, "stranger@example.org").await.post(&path, json!({ "name": "x", "scopes": ["read"] })).await.problem(403);
        let owner_elsewhere = person(&app, "o@example.org").await;
        founded(&owner_elsewhere, "Ailleurs").await;
        owner_elsewhere.post(&path, json!({ "name": "x", "scopes": ["read"] })).await.problem(404);
        maker.post("/v1/platform/api-keys", json!({ "name": "x", "scopes": ["read"] })).await.problem(403);
    }

    async fn a_revoked_key_is_refused_at_once_on_every_server(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let mine = founded(&owner, "Une").await;
        let issued = issue(&owner, &mine, json!({ "name": "k", "scopes": ["read"] })).await;
        let second = restarted(&app).await;
        let (here, there) = (app.with_key(secret(&issued)), second.client.with_key(secret(&issued)));
        here.get("/v1/me").await.expect(200);
        there.get("/v1/me").await.expect(200);
        let owner_elsewhere = person(&app, "o@example.org").await;
        founded(&owner_elsewhere, "Ailleurs").await;
        assert_eq!(revoke(&owner_elsewhere, id(&issued)).await, 404, "it is not theirs");
        // Both are asked without pause until it is told: what they remember of the key is as fresh as it can be.
        let told = Cell::new(false);
        let ask = async |client: &Client| {
            let mut answers = BTreeSet::new();
            while !told.get() {
                answers.insert(client.get("/v1/me").await.status);
            }
            answers
        };
        let revocation = async {
            assert_eq!(revoke(&owner, id(&issued)).await, 204);
            told.set(true);
        };
        let ((), one, other) = tokio::join!(revocation, ask(&here), ask(&there));
        for answers in [one, other] {
            assert!(answers.is_subset(&BTreeSet::from([200, 401])) && answers.contains(&200), "{answers:?}");
        }
        there.get("/v1/me").await.problem(401);
        here.get("/v1/organisations").await.problem(401);
        assert_eq!(revoke(&owner, id(&issued)).await, 204, "again: nothing more happens");
        owner.post(&format!("/v1/api-keys/{}/rotate", id(&issued)), json!({})).await.problem(409);
    }

    async fn nothing_is_written_with_a_key_once_its_revocation_is(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let mine = founded(&owner, "Une").await;
        let issued = issue(&owner, &mine, json!({ "name": "k", "scopes": ["read", "market"] })).await;
        let key = app.with_key(secret(&issued));
        let path = format!("/v1/organisations/{mine}");
        let seen = key.get(&path).await.expect(200);
        execute(&app, "UPDATE api_key SET revoked_at = $1", [Utc::now().into()]).await;
        key.put(&path, seen.etag(), json!({ "name": "Renommée" })).await.problem(401);
    }

    async fn a_request_that_comes_in_two_parts_does_nothing_where_its_key_is_revoked_between_them(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let mine = founded(&owner, "Une").await;
        let issued = issue(&owner, &mine, json!({ "name": "k", "role": "owner", "scopes": ["read", "manage"] })).await;
        let keys = format!("/v1/organisations/{mine}/api-keys");
        let body = json!({ "name": "another", "scopes": ["read"] }).to_string();
        let head = format!(
            "POST {keys} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            secret(&issued), body.len(),
        );
        let mut stream = TcpStream::connect(app.base().trim_start_matches("http://")).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Let in meanwhile.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(revoke(&owner, id(&issued)).await, 204);
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("not valid any more"), "{answer}");
        let names = owner.get(&keys).await.expect(200)["items"].as_array().unwrap().len();
        assert_eq!(names, 1, "no other key was made");
    }

    async fn who_waits_for_news_with_a_key_gets_none_after_its_revocation(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let mine = founded(&owner, "Une").await;
        let issued = issue(&owner, &mine, json!({ "name": "k", "scopes": ["read"] })).await;
        let key = app.with_key(secret(&issued));
        let cursor = key.get("/v1/events").await.expect(200)["next"].as_str().unwrap().to_owned();
        let wait = HeaderMap::from_iter([("prefer".parse().unwrap(), "wait=30".parse().unwrap())]);
        let path = format!("/v1/events?cursor={cursor}");
        let waiting = key.get_with(&path, wait);
        let news = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(revoke(&owner, id(&issued)).await, 204);
            invite(&owner, &mine, "viewer").await;
        };
        let (answer, ()) = tokio::join!(waiting, news);
        answer.problem(401);
    }

    async fn the_keys_of_an_organisation_end_with_it(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let mine = founded(&owner, "Une").await;
        let key = app.with_key(secret(&issue(&owner, &mine, json!({ "name": "k", "scopes": ["read"] })).await));
        let path = format!("/v1/organisations/{mine}");
        let seen = key.get(&path).await.expect(200);
        owner.delete(&path, seen.etag()).await.expect(204);
        key.get("/v1/me").await.problem(401);
    }

    async fn a_rotated_key_gives_way_to_one_like_it(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let mine = founded(&owner, "Une").await;
        let old = issue(&owner, &mine, json!({ "name": "k", "scopes": ["read", "market"], "valid_days": 30 })).await;
        app.with_key(secret(&old)).get("/v1/me").await.expect(200);
        let new = owner.post(&format!("/v1/api-keys/{}/rotate", id(&old)), json!({})).await.expect(201).body;
        for same in ["name", "role", "scopes", "organisation"] {
            assert_eq!(new["api_key"][same], old["api_key"][same], "{same}");
        }
        assert_ne!(secret(&new), secret(&old));
        app.with_key(secret(&old)).get("/v1/me").await.problem(401);
        app.with_key(secret(&new)).get("/v1/me").await.expect(200);
    }

    async fn a_key_is_void_after_its_time(engine) {
        let app = spawn(engine).await;
        let owner = person(&app, "camille@example.org").await;
        let mine = founded(&owner, "Une").await;
        let issued = issue(&owner, &mine, json!({ "name": "k", "scopes": ["read"], "valid_days": 1 })).await;
        let time = |member: &str| issued["api_key"][member].as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap();
        assert_eq!(time("expires_at") - time("created_at"), TimeDelta::days(1));
        let key = app.with_key(secret(&issued));
        key.get("/v1/me").await.expect(200);
        let over = [(Utc::now() - TimeDelta::seconds(1)).into(), "k".into()];
        execute(&app, "UPDATE api_key SET expires_at = $1 WHERE name = $2", over).await;
        // Its end does not move; here it did, and what was read of the key before counts half a second.
        tokio::time::sleep(Duration::from_millis(600)).await;
        key.get("/v1/me").await.problem(401);
    }
}
