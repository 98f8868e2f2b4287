//! Webhooks: what is sent, how it is signed, in which order, and where nothing is ever sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use attelage::audit::{Log, Recorded};
use attelage::events::{EventType, News};
use attelage::server::Setup;
use attelage::webhooks::Settings;
use reqwest::Method;
use reqwest::header::HeaderMap;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::Client;
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::people::{execute, founded, invite, person};
use crate::support::receiver::{Received, Receiver, eventually};
use crate::support::sample::places;
use crate::support::service::{App, audit_key, restarted_with, setup, spawn_with};

/// Loopback may be reached, and a receiver that failed is tried again at once.
fn hooked() -> Setup {
    let webhooks = Settings {
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        over_http: true,
        retries: vec![Duration::from_millis(30); 12],
        ..Settings::default()
    };
    Setup { webhooks, ..setup() }
}

/// An owner with an organisation.
struct Owner {
    app: App,
    client: Client,
    organisation: String,
}

async fn owner(engine: Engine, setup: Setup) -> Owner {
    let app = spawn_with(engine, setup).await;
    let client = person(&app, "ada@example.org").await;
    let organisation = founded(&client, "La Fabrique").await;
    Owner { app, client, organisation }
}

impl Owner {
    /// Makes a webhook; gives it, and its secret.
    async fn hook(&self, url: &str, types: &[&str]) -> (Value, String) {
        let body = json!({ "organisation": self.organisation, "url": url, "types": types });
        let issued = self.client.post("/v1/webhooks", body).await.expect(201);
        (issued["webhook"].clone(), issued["secret"].as_str().unwrap().to_owned())
    }

    /// What was sent to a webhook, or waits.
    async fn deliveries(&self, webhook: &Value) -> Vec<Value> {
        let path = format!("/v1/webhooks/{}/deliveries?limit=100", webhook["id"].as_str().unwrap());
        self.client.get(&path).await.expect(200)["items"].as_array().unwrap().clone()
    }

    /// The first delivery to a webhook, once it stands there.
    async fn once(&self, webhook: &Value, enough: impl Fn(&Value) -> bool) -> Value {
        eventually(async || self.deliveries(webhook).await.into_iter().next().filter(&enough)).await
    }

    async fn webhook(&self, webhook: &Value) -> Value {
        self.client.get(&path(webhook)).await.expect(200).body
    }

    /// Tells the organisation of consortia, `rounds` times of each: versions 1, 2, 3…
    async fn tell(&self, consortia: &[Uuid], rounds: u32) {
        let db = self.app.database.connect().await;
        let log = Log::open(&db, audit_key()).await.unwrap();
        let audience: Uuid = self.organisation.parse().unwrap();
        for version in 1..=rounds {
            let tx = log.begin_own("test").await.unwrap();
            let recorded = consortia.iter().map(|id| {
                let news = News::of(EventType::ConsortiumChanged, "consortium", *id, [audience]);
                Recorded::of("consortium", id).telling(news.with(json!({ "version": version })))
            });
            tx.commit_all(recorded.collect()).await.unwrap();
        }
    }
}

fn path(webhook: &Value) -> String {
    format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap())
}

/// The versions that were accepted of each subject, in their order.
fn versions(accepted: &[Received]) -> BTreeMap<String, Vec<u64>> {
    let mut versions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for one in accepted {
        let event = one.event();
        let subject = event["subject"]["id"].as_str().unwrap().to_owned();
        versions.entry(subject).or_default().push(event["data"]["version"].as_u64().unwrap());
    }
    versions
}

/// A number that a text and a count always give: which attempts fail.
fn drawn(text: &str, count: usize) -> u64 {
    let mixed =
        text.bytes().fold(20_261_122_u64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (mixed ^ count as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

on_both_engines! {
    async fn an_event_is_posted_as_the_feed_shows_it_and_signed(engine) {
        let receiver = Receiver::start();
        let owner = owner(engine, hooked()).await;
        let (webhook, secret) = owner.hook(&receiver.url("/a?b=c"), &["organisation.invited"]).await;
        let (other, _) = owner.hook(&receiver.url("/other"), &["organisation.joined"]).await;
        invite(&owner.client, &owner.organisation, "viewer").await;
        let posts = receiver.until(|all| !all.is_empty()).await.remove(0);
        let feed = owner.client.get("/v1/events").await.expect(200);
        assert_eq!(posts.event(), feed["items"][0]);
        assert_eq!((posts.id.as_str(), posts.path.as_str()), (feed["items"][0]["id"].as_str().unwrap(), "/a"));
        assert!(posts.is_signed_with(&secret) && !posts.is_signed_with("whsec_AAAA"));
        let delivery = owner.once(&webhook, |one| one["state"] == "delivered").await;
        assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!(204), &json!(1)));
        assert!(owner.deliveries(&other).await.is_empty(), "it wants other types");

        // After a rotation both secrets sign, after two the first does not.
        let rotate = format!("{}/rotate-secret", path(&webhook));
        let second = owner.client.post(&rotate, json!({})).await.expect(201)["secret"].as_str().unwrap().to_owned();
        invite(&owner.client, &owner.organisation, "viewer").await;
        let posts = receiver.until(|all| all.len() == 2).await.remove(1);
        assert!(posts.is_signed_with(&secret) && posts.is_signed_with(&second));
        let third = owner.client.post(&rotate, json!({})).await.expect(201)["secret"].as_str().unwrap().to_owned();
        invite(&owner.client, &owner.organisation, "viewer").await;
        let posts = receiver.until(|all| all.len() == 3).await.remove(2);
        assert!(!posts.is_signed_with(&secret) && posts.is_signed_with(&second) && posts.is_signed_with(&third));

        // The secret is shown once, and is in the database for nobody who has not got the sealing key.
        let seen = owner.webhook(&webhook).await.to_string() + &owner.client.get("/v1/webhooks").await.body.to_string();
        assert!(!seen.contains("whsec_"));
        execute(&owner.app, "UPDATE webhook_secret SET expires_at = '2020-01-01T00:00:00Z' WHERE expires_at IS NOT NULL", []).await;
        invite(&owner.client, &owner.organisation, "viewer").await;
        let posts = receiver.until(|all| all.len() == 4).await.remove(3);
        assert!(!posts.is_signed_with(&second) && posts.is_signed_with(&third), "a secret that is over signs nothing");
    }

    async fn a_thousand_events_reach_a_receiver_that_fails_thirty_times_in_a_hundred_in_their_order(engine) {
        let receiver = Receiver::start();
        receiver.behaves(|event, before| if drawn(&format!("{} {}", event["subject"]["id"], event["data"]["version"]), before) % 10 < 3 { 503 } else { 200 });
        let owner = owner(engine, hooked()).await;
        let (webhook, _) = owner.hook(&receiver.url("/"), &[]).await;
        let consortia: Vec<Uuid> = (0..50).map(|number| Uuid::from_u128(0x019e_0000_0000_7000_8000_0000_0000_0000 + number)).collect();
        let start = std::time::Instant::now();
        owner.tell(&consortia, 20).await;
        let posts = receiver.until(|all| all.iter().filter(|one| one.status == 200).count() >= 1_000).await;
        let took = start.elapsed();
        let accepted = receiver.accepted();
        assert_eq!((accepted.len(), accepted.iter().map(|one| &one.id).collect::<BTreeSet<_>>().len()), (1_000, 1_000));
        let in_order: Vec<u64> = (1..=20).collect();
        let versions = versions(&accepted);
        assert!(versions.len() == 50 && versions.values().all(|own| *own == in_order), "{versions:?}");
        let failed = posts.len() - 1_000;
        assert!((250..700).contains(&failed), "{failed} attempts failed");
        eprintln!("{engine:?}: 1,000 events in {} attempts, {took:?}", posts.len());
        let pending = format!("{}/deliveries?state=pending", path(&webhook));
        eventually(async || Some(owner.client.get(&pending).await).filter(|page| page["items"] == json!([]))).await;
    }

    async fn one_that_fails_holds_back_its_own_subject_and_no_other(engine) {
        let receiver = Receiver::start();
        let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
        receiver.behaves(move |event, _| if event["subject"]["id"] == json!(bad) { 500 } else { 200 });
        let owner = owner(engine, hooked()).await;
        let (webhook, _) = owner.hook(&receiver.url("/"), &[]).await;
        owner.tell(&[bad, good], 2).await;
        receiver.until(|all| all.iter().filter(|one| one.status == 200).count() == 2 && all.len() > 5).await;
        let of_bad: BTreeSet<u64> = receiver.received().iter().filter(|one| one.status == 500).map(|one| one.event()["data"]["version"].as_u64().unwrap()).collect();
        assert_eq!(of_bad, BTreeSet::from([1]), "the second waits for the first");
        // After the last attempt the first is given up, and the second has its turn.
        receiver.until(|all| all.iter().any(|one| one.status == 500 && one.event()["data"]["version"] == 2)).await;
        let first = owner.once(&webhook, |one| one["state"] == "failed").await;
        assert_eq!((&first["attempts"], &first["status"], &first["answer"]), (&json!(13), &json!(500), &json!("what the receiver says")));
        // Replayed, it goes again.
        receiver.behaves(|_, _| 200);
        let replay = format!("{}/deliveries/{}/replay", path(&webhook), first["id"].as_str().unwrap());
        let again = owner.client.post(&replay, json!({})).await.expect(200);
        assert_eq!((&again["state"], &again["attempts"]), (&json!("pending"), &json!(0)));
        owner.once(&webhook, |one| one["state"] == "delivered" && one["attempts"] == 1).await;
    }

    async fn what_was_missed_is_sent_again_from_an_event_on(engine) {
        let receiver = Receiver::start();
        let owner = owner(engine, hooked()).await;
        let consortium = Uuid::now_v7();
        owner.tell(&[consortium], 3).await;
        let (webhook, _) = owner.hook(&receiver.url("/"), &["consortium.changed"]).await;
        invite(&owner.client, &owner.organisation, "viewer").await;
        owner.tell(&[consortium], 1).await;
        receiver.until(|all| all.len() == 1).await;
        let feed = owner.client.get("/v1/events").await.expect(200);
        let replay = format!("{}/replay", path(&webhook));
        let again = owner.client.post(&replay, json!({ "after": feed["items"][0]["id"] })).await.expect(200);
        assert_eq!(again["deliveries"], 3, "two that it never had, and the one that it had");
        let posts = receiver.until(|all| all.len() == 4).await;
        assert_eq!(versions(&posts[1..]), BTreeMap::from([(consortium.to_string(), vec![2, 3, 1])]));
        assert_eq!(posts[0].id, posts[3].id, "a receiver knows what it has by the id");
        for unknown in [Uuid::now_v7(), Uuid::nil()] {
            let problem = owner.client.post(&replay, json!({ "after": unknown })).await.problem(422);
            assert_eq!(places(&problem), ["/after"]);
        }
        let elsewhere = person(&owner.app, "bob@example.org").await;
        founded(&elsewhere, "Ailleurs").await;
        elsewhere.post(&replay, json!({ "after": feed["items"][0]["id"] })).await.problem(404);
    }

    async fn a_receiver_that_fails_too_long_is_switched_off_and_its_owner_is_told(engine) {
        let receiver = Receiver::start();
        receiver.behaves(|_, _| 503);
        let setup = hooked();
        let webhooks = Settings { patience: Duration::from_millis(100), ..setup.webhooks.clone() };
        let owner = owner(engine, Setup { webhooks, ..setup }).await;
        let (webhook, _) = owner.hook(&receiver.url("/"), &["organisation.invited"]).await;
        invite(&owner.client, &owner.organisation, "viewer").await;
        let off = eventually(async || Some(owner.webhook(&webhook).await).filter(|now| now["enabled"] == false)).await;
        assert_eq!(off["disabled_because"], "failing");
        let feed = owner.client.get("/v1/events?type=webhook.disabled").await.expect(200);
        assert_eq!((&feed["items"][0]["subject"]["id"], &feed["items"][0]["data"]), (&webhook["id"], &json!({ "because": "failing" })));
        let log = owner.client.get(&format!("/v1/organisations/{}/audit?limit=100", owner.organisation)).await.expect(200);
        assert!(log["items"].as_array().unwrap().iter().any(|entry| entry["action"] == "disable_webhook"), "{:#}", log.body);
        // Nothing is sent any more, and nothing kept for it.
        let sent = receiver.received().len();
        invite(&owner.client, &owner.organisation, "viewer").await;
        let test = owner.client.post(&format!("{}/test", path(&webhook)), json!({})).await;
        test.problem(409);
        assert_eq!((receiver.received().len(), owner.deliveries(&webhook).await.len()), (sent, 1));
        // Switched on again, it goes on with what waits.
        receiver.behaves(|_, _| 200);
        let on = json!({ "url": receiver.url("/"), "types": ["organisation.invited"] });
        let etag = format!("\"{}\"", off["version"]);
        let on = owner.client.put(&path(&webhook), &etag, on).await.expect(200);
        assert!(on["enabled"] == true && on.body.get("disabled_because").is_none());
        owner.once(&webhook, |one| one["state"] == "delivered").await;
        owner.client.put(&path(&webhook), &etag, json!({ "url": receiver.url("/") })).await.problem(412);
    }

    async fn one_that_is_gone_is_switched_off_at_once_and_a_redirect_leads_nowhere(engine) {
        let receiver = Receiver::start();
        receiver.behaves(|_, before| if before == 0 { 307 } else { 410 });
        let owner = owner(engine, hooked()).await;
        let (webhook, secret) = owner.hook(&receiver.url("/start"), &["call.published"]).await;
        owner.client.post(&format!("{}/test", path(&webhook)), json!({})).await.expect(202);
        let off = eventually(async || Some(owner.webhook(&webhook).await).filter(|now| now["enabled"] == false)).await;
        assert_eq!(off["disabled_because"], "gone");
        let posts = receiver.received();
        assert_eq!(posts.iter().map(|one| (one.path.as_str(), one.status)).collect::<Vec<_>>(), [("/start", 307), ("/start", 410)]);
        assert!(posts.iter().all(|one| one.event()["type"] == "test.ping" && one.is_signed_with(&secret)));
        owner.client.delete(&path(&webhook), &format!("\"{}\"", off["version"])).await.expect(204);
        owner.client.get(&path(&webhook)).await.problem(404);
    }

    async fn nothing_is_sent_to_an_address_that_is_not_public(engine) {
        let receiver = Receiver::start();
        let port = receiver.url("").rsplit_once(':').unwrap().1.to_owned();
        let over_http = Settings { over_http: true, retries: vec![Duration::from_millis(10)], ..Settings::default() };
        let owner = owner(engine, Setup { webhooks: over_http, ..setup() }).await;
        for inside in ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "100.64.0.1", "[fd00::1]", "0.0.0.0"] {
            let body = json!({ "organisation": owner.organisation, "url": format!("http://{inside}:{port}/") });
            let problem = owner.client.post("/v1/webhooks", body).await.problem(422);
            assert_eq!(places(&problem), ["/url"], "{inside}");
        }
        // A name is resolved when something is sent, and every address that it has is checked.
        let (webhook, _) = owner.hook(&format!("http://localhost:{port}/"), &[]).await;
        owner.client.post(&format!("{}/test", path(&webhook)), json!({})).await.expect(202);
        let failed = owner.once(&webhook, |one| one["state"] == "failed").await;
        assert_eq!((&failed["attempts"], failed["answer"].as_str()), (&json!(2), Some("the address is not public")));
        assert!(failed.get("status").is_none() && receiver.received().is_empty());
    }

    async fn two_replicas_send_everything_once(engine) {
        let receiver = Receiver::start();
        let owner = owner(engine, hooked()).await;
        let _second = restarted_with(&owner.app, hooked()).await;
        let (webhook, _) = owner.hook(&receiver.url("/"), &[]).await;
        let consortia: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
        owner.tell(&consortia, 10).await;
        receiver.until(|all| all.len() >= 200).await;
        let pending = format!("{}/deliveries?state=pending", path(&webhook));
        eventually(async || Some(owner.client.get(&pending).await).filter(|page| page["items"] == json!([]))).await;
        let accepted = receiver.accepted();
        assert_eq!(accepted.len(), 200, "nobody fails, so nothing is sent twice");
        let in_order: Vec<u64> = (1..=10).collect();
        assert!(versions(&accepted).values().all(|own| *own == in_order));
    }

    async fn what_somebody_had_claimed_who_is_gone_is_sent_by_the_next_and_their_word_counts_no_more(engine) {
        let receiver = Receiver::start();
        let owner = owner(engine, hooked()).await;
        let (webhook, _) = owner.hook(&receiver.url("/"), &["consortium.changed"]).await;
        let disabled = json!({ "url": receiver.url("/"), "types": ["consortium.changed"], "enabled": false });
        owner.tell(&[Uuid::now_v7()], 1).await;
        owner.once(&webhook, |one| one["state"] == "delivered").await;
        // As a process leaves it that was killed while it sent.
        execute(&owner.app, "UPDATE delivery SET state = 'pending', ended_at = NULL, attempts = 1, due_at = '2020-01-01T00:00:00Z'", []).await;
        owner.once(&webhook, |one| one["state"] == "delivered" && one["attempts"] == 2).await;
        assert_eq!(receiver.received().len(), 2);
        let version = owner.webhook(&webhook).await["version"].clone();
        let off = owner.client.put(&path(&webhook), &format!("\"{version}\""), disabled).await.expect(200);
        assert!(off["enabled"] == false && off.body.get("disabled_because").is_none(), "nobody but the owner did it");
    }
}

/// Whoever writes down what came of an attempt locks the delivery, then the webhook. A deletion that did it the other way round would wait
/// for that one, and that one for it, until the database ended either.
#[actix_web::test]
async fn a_webhook_is_deleted_while_a_delivery_to_it_is_written_down() {
    let owner = owner(Engine::Postgres, hooked()).await;
    let receiver = Receiver::start();
    let (webhook, _) = owner.hook(&receiver.url("/"), &[]).await;
    owner.tell(&[Uuid::now_v7()], 1).await;
    owner.once(&webhook, |one| one["state"] == "delivered").await;
    let writing = owner.app.database.connect().await.begin().await.unwrap();
    writing.execute_unprepared("UPDATE delivery SET attempts = 2").await.unwrap();
    let path = path(&webhook);
    let deleting = owner.client.delete(&path, "\"1\"");
    let write = async {
        // Long enough for the deletion to wait for the delivery.
        tokio::time::sleep(Duration::from_millis(300)).await;
        writing.execute_unprepared("UPDATE webhook SET failing_since = now()").await.unwrap();
        writing.commit().await.unwrap();
    };
    let (deleted, ()) = tokio::join!(deleting, write);
    deleted.expect(204);
    owner.client.get(&path).await.problem(404);
}

#[actix_web::test]
async fn what_cannot_be_a_webhook_is_refused_with_all_that_is_wrong() {
    let owner = owner(Engine::Sqlite, setup()).await;
    let own = &owner.organisation;
    for (body, expected) in [
        (json!({ "url": "http://hooks.example.org" }), vec!["/url"]),
        (json!({ "url": "https://u:p@hooks.example.org" }), vec!["/url"]),
        (
            json!({ "url": "https://hooks.example.org", "types": ["bid.sold"], "secret": "x" }),
            vec!["/secret", "/types/0"],
        ),
        (json!({ "url": "https://hooks.example.org", "organisation": Uuid::now_v7() }), vec!["/organisation"]),
    ] {
        assert_eq!(places(&owner.client.post("/v1/webhooks", body).await.problem(422)), expected);
    }
    let (webhook, _) = owner.hook("https://hooks.example.org/", &[]).await;
    let viewer = person(&owner.app, "bob@example.org").await;
    crate::support::people::let_in(&owner.client, own, &viewer, "editor").await;
    viewer.get("/v1/webhooks").await.problem(403);
    let elsewhere = founded(&viewer, "Ailleurs").await;
    assert_eq!(viewer.get("/v1/webhooks").await.expect(200)["items"], json!([]), "an editor here, an owner there");
    viewer.get(&path(&webhook)).await.problem(403);
    let moved = json!({ "url": "https://hooks.example.org/", "organisation": elsewhere });
    assert_eq!(places(&owner.client.put(&path(&webhook), "\"1\"", moved).await.problem(422)), ["/organisation"]);
    owner.client.send_raw(Method::DELETE, &path(&webhook), HeaderMap::new(), "").await.problem(428);
}
