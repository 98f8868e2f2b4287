//! The harness on a service of twenty lines: what it lets through, and what it stops.

use actix_web::dev::ServerHandle;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use sea_orm::ConnectionTrait;

use super::*;
use crate::support::database::MIGRATED;
use crate::support::on_both_engines;

/// Documents what `echo` does on `/notes/{id}`, and a member `text` that it forgets to send on GET.
fn document() -> Arc<Document> {
    let note = |required: Value| json!({ "type": "object", "required": required, "properties": { "text": {}, "version": {} } });
    let response = |status: &str, schema: Value| {
        let content = json!({ "application/json": { "schema": schema } });
        let problem = json!({ "application/problem+json": {} });
        let etag = json!({ "ETag": {} });
        json!({ "responses": {
            status: { "description": "Done", "headers": etag, "content": content },
            "default": { "description": "A problem", "content": problem },
        } })
    };
    let gone = json!({ "responses": { "204": { "description": "Gone" } } });
    Arc::new(Document::new(json!({ "paths": { "/notes/{id}": {
        "get": response("200", note(json!(["text"]))),
        "post": response("201", note(json!([]))),
        "put": response("200", note(json!([]))),
        "delete": gone,
    } } })))
}

/// Answers a POST or PUT with what was sent, a problem when the text is empty.
async fn echo(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let version = request.headers().get(header::IF_MATCH).map_or("\"1\"", |etag| etag.to_str().unwrap());
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    if request.method() == "DELETE" {
        return HttpResponse::NoContent().finish();
    }
    if sent["text"] == "" {
        let problem = json!({
            "type": "/problems/invalid", "title": "Invalid", "status": 422, "request_id": "r1",
            "errors": [{ "pointer": "/text", "detail": "must not be empty" }],
        });
        return HttpResponse::UnprocessableEntity().content_type(PROBLEM).body(problem.to_string());
    }
    let mut response = if request.method() == "POST" { HttpResponse::Created() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, version.to_owned())).json(json!({ "version": version }))
}

struct Service(ServerHandle);

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.0.stop(false));
    }
}

async fn spawn(engine: Engine) -> TestApp<Service> {
    TestApp::start(engine, &MIGRATED, document(), async |_, listener| {
        let app = || App::new().default_service(web::to(echo));
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        (Service(handle), None)
    })
    .await
}

on_both_engines! {
    async fn a_documented_answer_comes_through(engine) {
        let app = spawn(engine).await;
        let created = app.post("/notes/1", json!({ "text": "Bonjour" })).await.expect(201);
        assert_eq!((created["version"].as_str(), created.etag()), (Some("\"1\""), "\"1\""));
        app.put_new("/notes/1", json!({})).await.expect(200);
    let replaced = app.put("/notes/1", "\"2\"", json!({})).await.expect(200);
    assert_eq!(replaced.etag(), "\"2\"");
        app.delete("/notes/1", "\"2\"").await.expect(204);
        let db = app.database.connect().await;
        db.execute_unprepared("SELECT version FROM seaql_migrations").await.unwrap();
    }
}

#[actix_web::test]
async fn a_problem_is_handed_over_with_its_errors() {
    let app = spawn(Engine::Sqlite).await;
    let problem = app.post("/notes/1", json!({ "text": "" })).await.problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "/text");
    let raw = app.send_raw(Method::POST, "/notes/1", HeaderMap::new(), br#"{"text":""}"#).await;
    raw.problem(422);
}

#[actix_web::test]
#[should_panic(expected = "\"text\" is a required property")]
async fn an_answer_that_breaks_the_document_stops_the_test() {
    spawn(Engine::Sqlite).await.get("/notes/1").await;
}

#[actix_web::test]
#[should_panic(expected = "POST /notes/1 answered")]
async fn another_status_stops_the_test() {
    spawn(Engine::Sqlite).await.post("/notes/1", json!({})).await.expect(200);
}

#[test]
#[should_panic(expected = "points nowhere")]
fn a_problem_that_points_nowhere_stops_the_test() {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, PROBLEM.parse().unwrap())]);
    let error = json!({ "pointer": "text", "detail": "must not be empty" });
    let body = json!({ "type": "/problems/invalid", "title": "Invalid", "status": 422, "request_id": "r1", "errors": [error] });
    Answer { request: "POST /notes/1".to_owned(), status: 422, headers, body }.problem(422);
}
