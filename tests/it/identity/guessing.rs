//! Whoever tries passwords runs out of attempts.

use attelage::identity::attempts::{PER_ACCOUNT, PER_NETWORK};
use attelage::identity::entrance::Settings;
use attelage::server::Setup;
use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::identity::accounts::told;
use crate::support::app::{Answer, Client};
use crate::support::on_both_engines;
use crate::support::people::{PASSWORD, execute, person, register, scalar, sign_in};
use crate::support::service::{restarted, setup, spawn, spawn_with};

fn guess(email: &str) -> Value {
    json!({ "email": email, "password": "not the right one" })
}

fn right(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD })
}

/// Uses up all the failures of an address.
async fn exhaust(client: &Client, email: &str) {
    for _ in 0..PER_ACCOUNT {
        client.post("/v1/sessions", guess(email)).await.problem(401);
    }
}

/// Tries from a network that a proxy names, after whatever the caller said.
async fn from(client: &Client, network: &str, body: Value) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", format!("203.0.113.99, {network}").parse().unwrap());
    client.post_with("/v1/sessions", headers, body).await
}

on_both_engines! {
    async fn after_ten_failures_even_the_right_password_waits_a_quarter_of_an_hour(engine) {
        let app = spawn(engine).await;
        register(&app, "camille@example.org").await;
        let nobody = app.anonymous();
        exhaust(&nobody, "camille@example.org").await;
        let second = restarted(&app).await;
        for client in [&nobody, &second.client.anonymous()] {
            let refused = client.post("/v1/sessions", right(" Camille@example.org")).await;
            let seconds: i64 = refused.header("retry-after").parse().unwrap();
            assert!((840..=900).contains(&seconds), "{seconds}");
            assert_eq!(refused.problem(429)["type"], json!("/problems/too-many-requests"));
        }
        register(&app, "dominique@example.org").await;
        sign_in(&app, "dominique@example.org", PASSWORD).await;
        execute(&app, "UPDATE sign_in_attempt SET expires_at = $1", [(Utc::now() - TimeDelta::seconds(1)).into()]).await;
        sign_in(&app, "camille@example.org", PASSWORD).await;
    }

    async fn an_unknown_address_is_refused_like_a_known_one(engine) {
        let app = spawn(engine).await;
        register(&app, "camille@example.org").await;
        let nobody = app.anonymous();
        let mut answers = Vec::new();
        for email in ["camille@example.org", "nobody@example.org"] {
            exhaust(&nobody, email).await;
            let mut refused = nobody.post("/v1/sessions", guess(email)).await.expect(429);
            refused.headers.remove("retry-after");
            answers.push(told(refused));
        }
        assert_eq!(answers[0], answers[1]);
    }

    async fn guesses_that_meet_are_all_counted(engine) {
        let app = spawn(engine).await;
        register(&app, "camille@example.org").await;
        let nobody = app.anonymous();
        let answers = join_all((0..20).map(|_| nobody.post("/v1/sessions", guess("camille@example.org")))).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(401), count(429)), (10, 10));
    }

    async fn a_sign_in_forgives_the_failures_before_it(engine) {
        let app = spawn(engine).await;
        register(&app, "camille@example.org").await;
        let nobody = app.anonymous();
        for _ in 0..2 {
            for _ in 1..PER_ACCOUNT {
                nobody.post("/v1/sessions", guess("camille@example.org")).await.problem(401);
            }
            nobody.post("/v1/sessions", right("camille@example.org")).await.expect(201);
        }
    }

    async fn whoever_found_a_session_open_does_not_find_the_password(engine) {
        let app = spawn(engine).await;
        let camille = person(&app, "camille@example.org").await;
        let change = |current: &str| json!({ "current": current, "new": "a password of the thief" });
        for _ in 0..PER_ACCOUNT {
            camille.put_new("/v1/me/password", change("a guess of the thief")).await.problem(422);
        }
        camille.put_new("/v1/me/password", change(PASSWORD)).await.problem(429);
    }

    async fn a_network_that_tries_many_addresses_is_refused_and_no_other(engine) {
        let settings = Settings { address_header: Some("x-forwarded-for".parse().unwrap()), ..Settings::default() };
        let app = spawn_with(engine, Setup { entrance: settings, ..setup() }).await;
        register(&app, "camille@example.org").await;
        let nobody = app.anonymous();
        from(&nobody, "2001:db8:0:1::1", guess("someone@example.org")).await.problem(401);
        // All but one, without the time that so many passwords take.
        execute(&app, "UPDATE sign_in_attempt SET failures = $1", [(PER_NETWORK - 1).into()]).await;
        from(&nobody, "2001:db8:0:1::2", guess("another@example.org")).await.problem(401);
        from(&nobody, "2001:db8:0:1::3", right("camille@example.org")).await.problem(429);
        from(&nobody, "2001:db8:0:2::1", right("camille@example.org")).await.expect(201);
        from(&nobody, "192.0.2.1", right("camille@example.org")).await.expect(201);
        let named: i64 = scalar(&app, "SELECT COUNT(*) FROM sign_in_attempt WHERE subject LIKE '%@%' OR subject LIKE '%2001%'").await;
        assert_eq!(named, 0, "what is counted names nobody");
    }
}
