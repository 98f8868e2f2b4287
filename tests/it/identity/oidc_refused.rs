//! What an identity provider, or whoever plays one, is not believed.

use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use attelage::identity::entrance::Settings;
use attelage::server::Setup;
use serde_json::{Value, json};

use super::oidc::{agreed, came, cookie, inside, returned, travelled, trusting};
use crate::support::issuer::{Issuer, Key};
use crate::support::on_both_engines;
use crate::support::people::scalar;
use crate::support::service::{App, setup, spawn_with};

async fn accounts(app: &App) -> i64 {
    scalar(app, "SELECT COUNT(*) FROM person").await
}

fn seconds_from_now(offset: i64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!(i64::try_from(now).unwrap() + offset)
}

on_both_engines! {
    async fn a_token_that_lies_lets_nobody_in(engine) {
        let issuer = Issuer::start(Key::rsa());
        let app = trusting(engine, &issuer).await;
        for lies in [
            json!({ "aud": "another-service" }),
            json!({ "aud": ["attelage", "another-service"] }),
            json!({ "iss": "https://id.example" }),
            json!({ "nonce": "of another sign-in" }),
            json!({ "nonce": null }),
            json!({ "exp": seconds_from_now(-1) }),
            json!({ "iat": seconds_from_now(-3600) }),
            json!({ "iat": seconds_from_now(3600) }),
            json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
        ] {
            issuer.script().lies = lies.clone();
            let answer = came(&app, &issuer).await;
            assert_eq!((answer.status, cookie(&answer, "__Host-attelage")), (401, None), "{lies}");
        }
        assert_eq!((accounts(&app).await, scalar::<i64>(&app, "SELECT COUNT(*) FROM session").await), (0, 0));
        issuer.script().lies = json!({});
        came(&app, &issuer).await.expect(200);
    }

    async fn a_signature_by_another_key_lets_nobody_in(engine) {
        for key in [Key::rsa(), Key::p256()] {
            let issuer = Issuer::start(key.clone());
            let app = trusting(engine, &issuer).await;
            // Under the name of the published key, and under one that nobody publishes.
            for forged in [key.forged(), Key::p256()] {
                issuer.script().signs = forged;
                came(&app, &issuer).await.problem(401);
            }
            assert_eq!(accounts(&app).await, 0);
        }
    }

    async fn a_sign_in_is_finished_once_by_the_browser_that_began_it(engine) {
        let issuer = Issuer::start(Key::p256());
        let app = trusting(engine, &issuer).await;
        let (back, waiting) = travelled(&app, &issuer).await;
        let (_, of_another) = travelled(&app, &issuer).await;
        app.anonymous().get(&back).await.problem(401);
        returned(&app, &back, &of_another).await.problem(401);
        returned(&app, &back, &format!("{waiting}x")).await.problem(401);
        returned(&app, &back.replace("state=", "state=x"), &waiting).await.problem(401);
        returned(&app, &back.replace("iss=http", "iss=https"), &waiting).await.problem(401);
        returned(&app, &back, &waiting).await.expect(200);
        // The provider does not take the code again; and if it did, the service would not take the state.
        returned(&app, &back, &waiting).await.problem(401);
        issuer.allow_codes_again();
        let replayed = returned(&app, &back, &waiting).await.problem(401);
        assert!(replayed["detail"].as_str().unwrap().contains("finished already"), "{replayed}");
        let (other_back, _) = travelled(&app, &issuer).await;
        let code = other_back.split(['=', '&']).nth(1).unwrap();
        let mine = travelled(&app, &issuer).await;
        let stolen = mine.0.replace(mine.0.split(['=', '&']).nth(1).unwrap(), code);
        // A code of another browser does not fit the verifier of this one.
        returned(&app, &stolen, &mine.1).await.problem(401);
    }

    async fn whoever_declines_at_the_provider_stays_outside(engine) {
        let issuer = Issuer::start(Key::p256());
        let app = trusting(engine, &issuer).await;
        issuer.script().consents = false;
        came(&app, &issuer).await.problem(401);
        app.anonymous().get("/v1/oidc/callback").await.problem(401);
    }

    async fn an_address_that_is_not_verified_makes_no_account(engine) {
        let issuer = Issuer::start(Key::p256());
        let app = trusting(engine, &issuer).await;
        for person in [
            json!({ "sub": "1", "email": "c@example.org", "email_verified": false, "name": "C" }),
            json!({ "sub": "1", "email": "c@example.org", "name": "C" }),
        ] {
            issuer.script().person = person;
            let problem = came(&app, &issuer).await.problem(403);
            assert!(problem["detail"].as_str().unwrap().contains("not verified"), "{problem}");
        }
        assert_eq!(accounts(&app).await, 0);

        // A provider that verifies every address without saying so, as some of the state's do.
        let oidc = Some(agreed(issuer.base()).with_verified_addresses());
        let app = spawn_with(engine, Setup { entrance: Settings { oidc, ..Settings::default() }, ..setup() }).await;
        let answer = came(&app, &issuer).await.expect(200);
        assert_eq!(inside(&app, &answer).get("/v1/me").await.expect(200)["person"]["email"], json!("c@example.org"));
        issuer.script().person = json!({ "sub": "2", "email": "d@example.org", "email_verified": false, "name": "D" });
        came(&app, &issuer).await.problem(403);
    }

    async fn what_the_userinfo_tells_of_somebody_else_is_not_believed(engine) {
        let issuer = Issuer::start(Key::p256());
        let app = trusting(engine, &issuer).await;
        issuer.script().person = json!({ "sub": "1" });
        issuer.script().more = Some((json!({ "sub": "2", "email": "victim@example.org", "email_verified": true }), false));
        came(&app, &issuer).await.problem(401);
        assert_eq!(accounts(&app).await, 0);
    }

    async fn a_provider_that_is_down_or_silent_is_told_and_nobody_hangs(engine) {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        for address in [closed, silent.local_addr().unwrap()] {
            let oidc = Some(agreed(&format!("http://{address}")));
            let app = spawn_with(engine, Setup { entrance: Settings { oidc, ..Settings::default() }, ..setup() }).await;
            let begun = Instant::now();
            let answers = futures_util::future::join_all((0..20).map(|_| app.get("/v1/oidc/authorize"))).await;
            for answer in answers {
                assert_eq!(answer.header("retry-after"), "5");
                answer.problem(503);
            }
            let patience = begun.elapsed();
            assert!(patience < Duration::from_secs(9), "one waits, and tells the others: {patience:?}");
        }
    }

    async fn a_provider_that_fails_meanwhile_is_told(engine) {
        let issuer = Issuer::start(Key::p256());
        let app = trusting(engine, &issuer).await;
        let (back, waiting) = travelled(&app, &issuer).await;
        issuer.script().fails = true;
        returned(&app, &back, &waiting).await.problem(503);
        issuer.script().fails = false;
        came(&app, &issuer).await.expect(200);
    }
}
