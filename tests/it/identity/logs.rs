//! Secrets are never in the logs, however much those tell.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use crate::cli::{attelage, prints};
use crate::support::app::Client;
use crate::support::people::{PASSWORD, founded, invite, person};
use crate::support::service::document;

#[actix_web::test]
async fn no_secret_is_in_the_logs() {
    let folder = TempDir::new().unwrap();
    let key = prints(folder.path(), &["admin", "key", "--name", "logs"]).trim().to_owned();
    let mut service = attelage(folder.path(), &["serve", "--port", "0"])
        .env("ATTELAGE_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut said).unwrap();
    // Read meanwhile, or the service would wait for room.
    let mut stderr = service.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut log = Vec::new();
        stderr.read_to_end(&mut log).map(|_| String::from_utf8_lossy(&log).into_owned())
    });
    let base = said.trim().strip_prefix("Attelage listens on ").expect("where it listens").to_owned();
    let platform = Client::new(base, Arc::clone(document()), Some(key.clone()));

    let owner = person(&platform, "camille@example.org").await;
    let body = json!({ "email": "camille@example.org", "password": PASSWORD });
    let session = platform.anonymous().post("/v1/sessions", body).await.expect(201);
    let session = session.header("set-cookie").split(['=', ';']).nth(1).unwrap().to_owned();
    let mine = founded(&owner, "Une").await;
    let keys = format!("/v1/organisations/{mine}/api-keys");
    let issued = owner.post(&keys, json!({ "name": "k", "scopes": ["read"] })).await.expect(201);
    let issued = issued["secret"].as_str().unwrap().to_owned();
    platform.with_key(&issued).get("/v1/me").await.expect(200);
    let invited = invite(&owner, &mine, "viewer").await["secret"].as_str().unwrap().to_owned();
    owner.post("/v1/invitations/accept", json!({ "secret": invited })).await.problem(409);
    platform
        .anonymous()
        .post("/v1/sessions", json!({ "email": "camille@example.org", "password": "a wrong secret" }))
        .await
        .problem(401);

    service.kill().unwrap();
    service.wait().unwrap();
    let log = reader.join().unwrap().unwrap();
    assert!(log.contains("/v1/organisations") || log.contains("TRACE"), "the log tells much: {log}");
    for secret in [&key, &session, &issued, &invited, PASSWORD, "a wrong secret"] {
        let telling = if secret.starts_with("attelage_") { &secret[secret.len() - 64..] } else { secret };
        assert!(!log.contains(telling), "in the log: {secret}");
    }
}
