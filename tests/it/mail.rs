//! Mail: what it says, to whom, how rarely, and how it ends.

use std::time::Duration;

use attelage::access::Role;
use attelage::audit::{Log, Recorded};
use attelage::events::{EventType, News};
use attelage::identity;
use attelage::mail::{Settings, Tls};
use attelage::server::Setup;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::Client;
use crate::support::bidding;
use crate::support::database::Engine;
use crate::support::logs;
use crate::support::on_both_engines;
use crate::support::people::{founded, invite, person};
use crate::support::receiver::eventually;
use crate::support::sample::{self, created, places};
use crate::support::service::{App, audit_key, restarted_with, setup, spawn_with};
use crate::support::smtp::{Mail, Smtp};
use crate::support::world;

const QUIET: Duration = Duration::from_millis(700);

/// Mails go to a server on this machine.
fn mailed(smtp: &Smtp) -> Setup {
    let server = ("127.0.0.1", Some(smtp.port));
    let public_url = Some("https://attelage.example/");
    let settings = Settings::new(server, Tls::None, None, "Attelage <no-reply@attelage.example>", public_url, QUIET);
    Setup { mail: Some(settings.unwrap()), ..setup() }
}

async fn first(smtp: &Smtp, to: &str) -> Mail {
    eventually(async || smtp.taken(to).into_iter().next()).await
}

/// The path of the link that ends mails.
fn link(mail: &Mail) -> String {
    let link = mail.headers["list-unsubscribe"].trim_start_matches('<').trim_end_matches('>').to_owned();
    link.strip_prefix("https://attelage.example").unwrap().to_owned()
}

async fn preferences(client: &Client) -> (String, Value) {
    let answer = client.get("/v1/me/mail").await.expect(200);
    (answer.etag().to_owned(), answer.body)
}

/// Tells an organisation of these at one moment.
async fn tell(db: &DatabaseConnection, organisation: Uuid, kinds: &[EventType]) {
    let tx = Log::open(db, audit_key()).await.unwrap().begin_own("test").await.unwrap();
    let told = kinds.iter().map(|kind| {
        let news = News::of(*kind, "organisation", organisation, [organisation]);
        Recorded::of("organisation", organisation).telling(news)
    });
    tx.commit_all(told.collect()).await.unwrap();
}

async fn founder(app: &App) -> (Client, String) {
    let ada = person(app, "ada@example.org").await;
    let own = founded(&ada, "La Fabrique").await;
    (ada, own)
}

on_both_engines! {
    async fn what_happens_in_a_quiet_period_is_one_mail_in_the_language_of_its_reader(engine) {
        let smtp = Smtp::start().await;
        let app = spawn_with(engine, mailed(&smtp)).await;
        let (_ada, own) = founder(&app).await;
        let (bob, bob_id) = world::person(&app, "bob@example.org").await;
        let english = json!({ "language": "en", "enabled": true, "muted": ["organisation.joined"] });
        bob.put("/v1/me/mail", "\"1\"", english).await.expect(200);
        let db = app.database.connect().await;
        let own: Uuid = own.parse().unwrap();
        identity::store::join(&db, own, bob_id.parse().unwrap(), Role::Viewer).await.unwrap();
        let (invited, joined) = (EventType::OrganisationInvited, EventType::OrganisationJoined);
        tell(&db, own, &[invited, invited, joined, invited]).await;
        let mail = first(&smtp, "ada@example.org").await;
        assert_eq!(mail.headers["from"], "Attelage <no-reply@attelage.example>");
        assert!(mail.headers["to"].contains("<ada@example.org>") && mail.headers["subject"].contains("4 nouvelles"), "{mail:?}");
        assert_eq!(mail.headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
        assert_eq!(mail.headers["auto-submitted"], "auto-generated");
        assert!(mail.body.starts_with("La Fabrique\n"), "{}", mail.body);
        assert_eq!(mail.body.matches("Une personne a été invitée dans votre structure.").count(), 3);
        assert_eq!(mail.body.matches("Une personne a rejoint votre structure.").count(), 1);
        assert!(mail.body.contains(&link(&mail)) && mail.headers["message-id"].ends_with("@attelage.example>"));
        // Bob reads English, and does not want to hear who has joined.
        let theirs = first(&smtp, "bob@example.org").await;
        assert_eq!(theirs.body.matches("Somebody was invited into your organisation.").count(), 3, "{}", theirs.body);
        assert!(!theirs.body.contains("has joined"));
        // What happens right after is told when the quiet period is over, once.
        tell(&db, own, &[invited]).await;
        eventually(async || Some(()).filter(|()| smtp.taken("ada@example.org").len() == 2)).await;
        tokio::time::sleep(2 * QUIET).await;
        let mails = smtp.taken("ada@example.org");
        assert!(mails.len() == 2 && mails[1].body.matches("invitée").count() == 1, "{mails:?}");
        assert!(mails[1].at - mails[0].at >= QUIET, "never two in a quiet period");
        assert_ne!(mails[0].headers["message-id"], mails[1].headers["message-id"]);
    }

    async fn whoever_joins_is_not_told_what_was_before(engine) {
        let smtp = Smtp::start().await;
        let app = spawn_with(engine, mailed(&smtp)).await;
        let (_ada, own) = founder(&app).await;
        let db = app.database.connect().await;
        let own: Uuid = own.parse().unwrap();
        tell(&db, own, &[EventType::OrganisationInvited; 2]).await;
        let (_bob, bob) = world::person(&app, "bob@example.org").await;
        identity::store::join(&db, own, bob.parse().unwrap(), Role::Viewer).await.unwrap();
        tell(&db, own, &[EventType::RunFinished]).await;
        let mail = first(&smtp, "bob@example.org").await;
        assert!(mail.headers["subject"].contains("une nouvelle") && mail.body.contains("Un calcul est terminé."), "{mail:?}");
    }

    async fn one_click_ends_the_mails_without_signing_in_and_looking_at_the_page_does_not(engine) {
        let smtp = Smtp::start().await;
        let app = spawn_with(engine, mailed(&smtp)).await;
        let (ada, own) = founder(&app).await;
        invite(&ada, &own, "viewer").await;
        let link = link(&first(&smtp, "ada@example.org").await);
        let nobody = app.anonymous();
        let page = nobody.get(&link).await.expect(200);
        assert!(page.body.as_str().unwrap().contains("<form method=\"post\">"));
        assert!(page.header("content-security-policy").contains("form-action 'self'"));
        assert_eq!(preferences(&ada).await, ("\"1\"".to_owned(), json!({ "version": 1, "language": "fr", "enabled": true, "muted": [] })));
        let form = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))]);
        for _ in 0..2 {
            nobody.send_raw(Method::POST, &link, form.clone(), "List-Unsubscribe=One-Click").await.expect(200);
        }
        let (etag, now) = preferences(&ada).await;
        assert_eq!((etag.as_str(), &now["enabled"]), ("\"2\"", &json!(false)));
        invite(&ada, &own, "viewer").await;
        tokio::time::sleep(3 * QUIET).await;
        assert_eq!(smtp.taken("ada@example.org").len(), 1, "she gets no more");
        let changed = link.replace("/v1/unsubscribe/", "/v1/unsubscribe/A");
        for forged in [changed.as_str(), "/v1/unsubscribe/none", "/v1/unsubscribe/AAAAAAAAAAAAAAAAAAAAAA"] {
            nobody.get(forged).await.problem(404);
            nobody.send_raw(Method::POST, forged, HeaderMap::new(), "").await.problem(404);
        }
        // Whoever wants mail again is told what was kept for them of the last days.
        ada.put("/v1/me/mail", &etag, json!({ "enabled": true })).await.expect(200);
        eventually(async || Some(()).filter(|()| smtp.taken("ada@example.org").len() == 2)).await;
        ada.put("/v1/me/mail", &etag, json!({ "enabled": true })).await.problem(412);
    }

    async fn a_server_that_refuses_is_asked_again_and_nothing_is_told_twice(engine) {
        let smtp = Smtp::start().await;
        smtp.refuses(Some("451 later"));
        let app = spawn_with(engine, mailed(&smtp)).await;
        let _second = restarted_with(&app, mailed(&smtp)).await;
        let (ada, own) = founder(&app).await;
        invite(&ada, &own, "viewer").await;
        eventually(async || Some(()).filter(|()| smtp.refused() >= 2)).await;
        assert!(smtp.taken("ada@example.org").is_empty());
        smtp.refuses(None);
        first(&smtp, "ada@example.org").await;
        tokio::time::sleep(3 * QUIET).await;
        assert_eq!(smtp.taken("ada@example.org").len(), 1, "two replicas send one mail");
        // An address that is refused for good is not asked again for the same news.
        smtp.refuses(Some("550 never"));
        let before = smtp.refused();
        invite(&ada, &own, "viewer").await;
        eventually(async || Some(()).filter(|()| smtp.refused() > before)).await;
        tokio::time::sleep(3 * QUIET).await;
        assert_eq!(smtp.refused(), before + 1);
    }

    async fn a_mail_tells_nothing_that_is_sealed_and_the_log_no_address(engine) {
        let listening = logs::listen();
        let smtp = Smtp::start().await;
        let app = spawn_with(engine, mailed(&smtp)).await;
        sample::territories(&app).await;
        let ada = person(&app, "canary-ada@example.org").await;
        let own = founded(&ada, "La Fabrique").await;
        let funder = sample::organisation(&app, "Métropole").await;
        let call = created(&app, "/v1/calls", bidding::call(&funder)).await;
        app.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
        let mut bid = bidding::alone(&own, 10, 987_654_321);
        bid["note"] = json!("canary-note");
        ada.post(&format!("/v1/calls/{call}/bids"), bid).await.expect(201);
        let mail = first(&smtp, "canary-ada@example.org").await;
        assert!(mail.body.contains("Votre réponse a été reçue. Appel : « Équiper et former »."), "{}", mail.body);
        for sealed in ["987654321", "9876543.21", "canary-note"] {
            assert!(!format!("{mail:?}").contains(sealed), "{sealed}");
        }
        let log = listening.heard();
        assert!(log.contains("answered") && !log.contains("canary-ada@") && !log.contains("canary-note"));
    }
}

#[actix_web::test]
async fn nothing_is_sent_without_a_server_and_preferences_are_checked() {
    let app = spawn_with(Engine::Sqlite, setup()).await;
    let (ada, own) = founder(&app).await;
    invite(&ada, &own, "viewer").await;
    let wrong = json!({ "language": "de", "enabled": "yes", "muted": ["bid.sold"], "address": "x" });
    let problem = ada.put("/v1/me/mail", "\"1\"", wrong).await.problem(422);
    assert_eq!(places(&problem), ["/address", "/enabled", "/language", "/muted/0"]);
    app.get("/v1/me/mail").await.problem(403);
    app.anonymous().get("/v1/me/mail").await.problem(401);
}

#[test]
fn settings_that_would_betray_a_password_or_lead_nowhere_are_refused() {
    let url = Some("https://attelage.example");
    let settings = |tls, credentials: Option<(&str, &str)>, sender, url| {
        let credentials = credentials.map(|(user, password)| (user.to_owned(), password.to_owned()));
        Settings::new(("smtp.example.org", None), tls, credentials, sender, url, QUIET)
            .err()
            .map(|error| error.to_string())
    };
    let sender = "Attelage <no-reply@attelage.example>";
    assert_eq!(settings(Tls::None, None, sender, url), None);
    for (refused, flag) in [
        (settings(Tls::None, Some(("user", "secret")), sender, url), "--smtp-tls"),
        (settings(Tls::None, None, "nobody", url), "--mail-from"),
        (settings(Tls::None, None, sender, None), "--public-url"),
    ] {
        assert!(refused.as_ref().is_some_and(|text| text.contains(flag)), "{refused:?}");
    }
}
