//! Sessions of people, and the cookie that holds one.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::json;

use crate::support::app::Client;
use crate::support::on_both_engines;
use crate::support::people::{PASSWORD, execute, person, register, sign_in};
use crate::support::sample::places;
use crate::support::service::{App, restarted, spawn};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

/// Its session, as the list shows it.
async fn own(client: &Client) -> (String, DateTime<Utc>, DateTime<Utc>) {
    let page = client.get("/v1/sessions").await.expect(200);
    let session = page["items"].as_array().unwrap().iter().find(|session| session["current"] == json!(true)).unwrap();
    let time = |member: &str| session[member].as_str().unwrap().parse().unwrap();
    (session["id"].as_str().unwrap().to_owned(), time("created_at"), time("expires_at"))
}

/// Lets time pass for all sessions: they begin and end so much earlier.
async fn age(app: &App, client: &Client, by: TimeDelta) {
    let (_, created_at, expires_at) = own(client).await;
    let values = [(created_at - by).into(), (expires_at - by).into()];
    execute(app, "UPDATE session SET created_at = $1, expires_at = $2", values).await;
}

on_both_engines! {
    async fn the_cookie_of_a_session_is_for_this_site_only_and_hidden_from_scripts(engine) {
        let app = spawn(engine).await;
        register(&app, "camille@example.org").await;
        let body = json!({ "email": "camille@example.org", "password": PASSWORD });
        let answer = app.anonymous().post("/v1/sessions", body).await.expect(201);
        let cookie = answer.header("set-cookie");
        let mut parts = cookie.split("; ");
        let value = parts.next().unwrap().strip_prefix("__Host-attelage=").expect("the cookie").to_owned();
        assert!(value.starts_with("attelage_session_") && value.len() == "attelage_session_".len() + 64 + 8, "{value}");
        let mut attributes: Vec<&str> = parts.collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Strict", "Secure"]);
        assert!(!answer.body.to_string().contains(&value[20..]), "the body does not repeat the secret");
        assert_eq!(answer.header("cache-control"), "no-store");
    }

    async fn signing_in_tells_the_session_and_nothing_of_the_person(engine) {
        let app = spawn(engine).await;
        for (email, administrator) in [("camille@example.org", false), ("admin@example.org", true)] {
            register(&app, email).await;
            if administrator {
                execute(&app, "UPDATE person SET administrator = $1 WHERE email = $2", [true.into(), email.into()]).await;
            }
            let body = json!({ "email": email, "password": PASSWORD });
            let answer = app.anonymous().post("/v1/sessions", body).await.expect(201);
            let mut members: Vec<&str> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
            members.sort_unstable();
            assert_eq!(members, ["created_at", "current", "expires_at", "id"]);
        }
    }

    async fn a_session_that_is_not_used_for_a_day_is_over(engine) {
        let app = spawn(engine).await;
        let camille = person(&app, "camille@example.org").await;
        let (_, created_at, expires_at) = own(&camille).await;
        assert_eq!(expires_at - created_at, TimeDelta::hours(24));
        age(&app, &camille, TimeDelta::hours(24)).await;
        camille.get("/v1/me").await.problem(401);
        sign_in(&app, "camille@example.org", PASSWORD).await;
        let left: i64 = crate::support::people::scalar(&app, "SELECT COUNT(*) FROM session").await;
        assert_eq!(left, 1, "what is over is forgotten at the next sign-in");
    }

    async fn use_moves_the_end_of_a_session_once_an_hour_and_never_past_a_week(engine) {
        let app = spawn(engine).await;
        let camille = person(&app, "camille@example.org").await;
        let (_, _, first) = own(&camille).await;
        assert_eq!(own(&camille).await.2, first, "within the hour nothing is written");
        age(&app, &camille, TimeDelta::hours(3)).await;
        camille.get("/v1/me").await.expect(200);
        let (_, created_at, moved) = own(&camille).await;
        assert!(moved >= first && moved - created_at >= TimeDelta::hours(27), "{moved}");
        execute(&app, "UPDATE session SET created_at = $1", [(Utc::now() - TimeDelta::hours(6 * 24 + 12)).into()]).await;
        execute(&app, "UPDATE session SET expires_at = $1", [(Utc::now() + TimeDelta::minutes(5)).into()]).await;
        camille.get("/v1/me").await.expect(200);
        let (_, created_at, last) = own(&camille).await;
        assert_eq!(last - created_at, TimeDelta::days(7));
        age(&app, &camille, TimeDelta::hours(12)).await;
        camille.get("/v1/me").await.problem(401);
    }

    async fn signing_out_ends_a_session_at_once_on_every_server(engine) {
        let app = spawn(engine).await;
        let camille = person(&app, "camille@example.org").await;
        let second = restarted(&app).await;
        let elsewhere = camille.at(second.client.base().to_owned());
        elsewhere.get("/v1/me").await.expect(200);
        let (id, ..) = own(&camille).await;
        let gone = camille.send_raw(Method::DELETE, &format!("/v1/sessions/{id}"), HeaderMap::new(), "").await.expect(204);
        let cookie = gone.header("set-cookie");
        assert!(cookie.starts_with("__Host-attelage=;") && cookie.contains("Max-Age=0"), "{cookie}");
        assert!(cookie.contains("Secure") && cookie.contains("Path=/"), "or a browser keeps it: {cookie}");
        elsewhere.get("/v1/me").await.problem(401);
        camille.get("/v1/me").await.problem(401);
    }

    async fn nobody_ends_or_sees_the_session_of_another(engine) {
        let app = spawn(engine).await;
        let (camille, dominique) = (person(&app, "c@example.org").await, person(&app, "d@example.org").await);
        let (id, ..) = own(&camille).await;
        let path = format!("/v1/sessions/{id}");
        dominique.send_raw(Method::DELETE, &path, HeaderMap::new(), "").await.problem(404);
        assert_eq!(dominique.get("/v1/sessions").await.expect(200)["items"].as_array().unwrap().len(), 1);
        camille.get("/v1/me").await.expect(200);
    }

    async fn a_changed_password_ends_all_other_sessions(engine) {
        let app = spawn(engine).await;
        let here = person(&app, "camille@example.org").await;
        let there = sign_in(&app, "camille@example.org", PASSWORD).await;
        let stranger = person(&app, "dominique@example.org").await;
        let change = |current: &str| json!({ "current": current, "new": "a password that nobody knows" });
        let wrong = here.put_new("/v1/me/password", change("not the present one")).await.problem(422);
        assert_eq!(places(&wrong), ["/current"]);
        there.get("/v1/me").await.expect(200);
        here.put_new("/v1/me/password", change(PASSWORD)).await.expect(204);
        there.get("/v1/me").await.problem(401);
        here.get("/v1/me").await.expect(200);
        stranger.get("/v1/me").await.expect(200);
        app.anonymous().post("/v1/sessions", json!({ "email": "camille@example.org", "password": PASSWORD })).await.problem(401);
        sign_in(&app, "camille@example.org", "a password that nobody knows").await;
    }

    async fn a_page_of_another_site_changes_nothing_by_a_cookie(engine) {
        let app = spawn(engine).await;
        let camille = person(&app, "camille@example.org").await;
        let organisation = |name: &str| json!({ "name": name });
        let host = camille.base().strip_prefix("http://").unwrap().to_owned();
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", &format!("http://{host}.evil.example"))],
            &[("sec-fetch-site", "cross-site"), ("origin", &format!("http://{host}"))],
        ] {
            camille.post_with("/v1/organisations", headers(foreign), organisation("Volée")).await.problem(403);
            camille.get_with("/v1/me", headers(foreign)).await.expect(200);
        }
        assert_eq!(app.get("/v1/organisations").await.expect(200)["items"], json!([]));
        for own in [&[][..], &[("sec-fetch-site", "same-origin")], &[("sec-fetch-site", "none")], &[("origin", &format!("http://{host}"))]] {
            camille.post_with("/v1/organisations", headers(own), organisation("À moi")).await.expect(201);
        }
        // A key is not sent by a browser of its own accord.
        app.post_with("/v1/organisations", headers(&[("origin", "https://app.example")]), organisation("Par clé")).await.expect(201);
    }

    async fn a_cookie_that_is_not_a_session_is_nobodys(engine) {
        let app = spawn(engine).await;
        let secret = format!("attelage_session_{}", "0".repeat(72));
        for wrong in ["", "x", &secret] {
            let nobody = app.with_cookie(&format!("__Host-attelage={wrong}"));
            nobody.get("/v1/me").await.problem(401);
            nobody.get("/v1/organisations").await.expect(200);
        }
    }
}
