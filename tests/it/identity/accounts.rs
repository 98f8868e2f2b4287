//! Accounts of people.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::Answer;
use crate::support::on_both_engines;
use crate::support::people::{self, PASSWORD, register, scalar, sign_in};
use crate::support::sample::places;
use crate::support::service::spawn;

/// What an answer tells, apart from what is of each answer alone.
pub fn told(mut answer: Answer) -> (u16, Value, Vec<String>) {
    for own in ["date", "x-request-id"] {
        answer.headers.remove(own);
    }
    let mut headers: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort_unstable();
    if let Some(body) = answer.body.as_object_mut() {
        body.remove("request_id");
    }
    (answer.status, answer.body, headers)
}

on_both_engines! {
    async fn a_taken_address_is_answered_like_a_free_one_and_keeps_its_password(engine) {
        let app = spawn(engine).await;
        let nobody = app.anonymous();
        let account = |email: &str, password: &str| json!({ "email": email, "name": "C", "password": password });
        let free = told(nobody.post("/v1/people", account("camille@example.org", PASSWORD)).await.expect(202));
        for same in ["camille@example.org", "Camille@Example.ORG"] {
            let taken = nobody.post("/v1/people", account(same, "another password of mine")).await;
            assert_eq!(told(taken), free, "{same}");
        }
        let again = json!({ "email": "camille@example.org", "password": "another password of mine" });
        nobody.post("/v1/sessions", again).await.problem(401);
        for same in ["camille@example.org", "CAMILLE@example.org", " camille@example.org "] {
            let me = sign_in(&app, same, PASSWORD).await.get("/v1/me").await.expect(200);
            assert_eq!(me["person"]["email"], json!("camille@example.org"), "{same}");
            assert_eq!((&me["memberships"], &me["administrator"]), (&json!([]), &json!(false)));
        }
    }

    async fn of_people_who_register_one_address_at_once_one_gets_it_and_nobody_learns_who(engine) {
        let app = spawn(engine).await;
        let nobody = app.anonymous();
        let answers = join_all((0..8).map(|number| {
            let body = json!({ "email": "camille@example.org", "name": "C", "password": format!("{PASSWORD} {number}") });
            nobody.post("/v1/people", body)
        })).await;
        let answers: Vec<_> = answers.into_iter().map(told).collect();
        assert!(answers.iter().all(|answer| answer.0 == 202 && *answer == answers[0]), "{answers:?}");
        assert_eq!(scalar::<i64>(&app, "SELECT COUNT(*) FROM person").await, 1);
    }

    async fn every_fault_of_an_account_is_told_at_once(engine) {
        let app = spawn(engine).await;
        let nobody = app.anonymous();
        let wrong = json!({ "email": "camille", "name": "", "password": "short", "administrator": true });
        let problem = nobody.post("/v1/people", wrong).await.problem(422);
        let mut found = places(&problem);
        found.sort_unstable();
        assert_eq!(found, ["/administrator", "/email", "/name", "/password"]);
        let own = json!({ "email": "camille@example.org", "name": "C", "password": "Camille@Example.org" });
        assert_eq!(places(&nobody.post("/v1/people", own).await.problem(422)), ["/password"]);
        assert_eq!(scalar::<i64>(&app, "SELECT COUNT(*) FROM person").await, 0);
    }

    async fn a_wrong_password_and_an_unknown_address_are_answered_alike_and_after_as_long(engine) {
        let app = spawn(engine).await;
        register(&app, "camille@example.org").await;
        let nobody = app.anonymous();
        let mut times = [Vec::new(), Vec::new()];
        let mut answers = Vec::new();
        // In turns, so that whatever else the machine does falls on both.
        for number in 0..9 {
            let unknown = format!("nobody{number}@example.org");
            for (kind, email) in ["camille@example.org", &unknown].into_iter().enumerate() {
                let begun = Instant::now();
                let answer = nobody.post("/v1/sessions", json!({ "email": email, "password": "not the one" })).await;
                times[kind].push(begun.elapsed());
                answers.push(told(answer));
            }
        }
        assert!(answers.iter().all(|answer| answer.0 == 401 && *answer == answers[0]), "{answers:?}");
        let [known, unknown]: [Duration; 2] = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        // A password is hashed in both cases, which takes far longer than all the rest.
        assert!(unknown * 2 > known && known * 2 > unknown, "{known:?} and {unknown:?}");
    }

    async fn no_column_holds_a_password(engine) {
        let app = spawn(engine).await;
        people::person(&app, "camille@example.org").await;
        let kept: String = scalar(&app, "SELECT password_hash FROM person").await;
        assert!(kept.starts_with("$argon2id$") && !kept.contains(PASSWORD), "{kept}");
    }
}
