//! The judge must catch each kind of lie, or it proves nothing.

use serde_json::json;

use super::*;

fn document() -> Document {
    Document::new(json!({
        "openapi": "3.1.0",
        "paths": {
            "/v1/actors/{id}": {
                "get": { "responses": {
                    "200": {
                        "description": "Found",
                        "headers": { "ETag": { "schema": { "type": "string", "pattern": "^\"" } }, "Link": {} },
                        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Actor" } } },
                    },
                    "default": { "$ref": "#/components/responses/Problem" },
                } },
                "delete": { "responses": { "204": { "description": "Gone" } } },
            },
            "/v1/actors/count": { "get": { "responses": { "2XX": {
                "description": "Counted",
                "headers": { "X-Count": { "schema": { "type": "integer" } } },
                "content": { "text/plain": { "schema": { "type": "string" } } },
            } } } },
        },
        "components": {
            "responses": { "Problem": { "description": "A problem", "content": { "application/problem+json": {
                "schema": { "type": "object", "required": ["title"], "properties": { "title": { "type": "string" } } },
            } } } },
            "schemas": {
                "Named": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } },
                "Actor": { "allOf": [{ "$ref": "#/components/schemas/Named" }, {
                    "type": "object",
                    "required": ["id", "capabilities"],
                    "properties": {
                        "id": { "type": "string", "format": "uuid" },
                        "capabilities": { "type": "array", "items": { "$ref": "#/components/schemas/Capability" } },
                        "home": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Named" }] },
                        "source": { "type": "object" },
                    },
                }] },
                "Capability": { "type": "object", "properties": { "hours": { "type": "integer", "minimum": 0 } } },
            },
        },
    }))
}

fn actor() -> Value {
    json!({
        "id": "0190a1b2-0000-7000-8000-000000000000",
        "name": "Weefund",
        "capabilities": [{ "hours": 3000 }],
        "home": { "name": "Lyon" },
        "source": { "anything": ["goes"] },
    })
}

/// The violations of a response; empty when it is right.
fn judged(request: &str, status: u16, headers: &[(&'static str, &'static str)], body: &[u8]) -> String {
    let (method, path) = request.split_once(' ').unwrap();
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let exchange = Exchange { method, path, status, headers: &headers, body };
    document().check(&exchange).err().unwrap_or_default()
}

fn judged_actor(body: &Value) -> String {
    let headers = [("content-type", "application/json; charset=utf-8"), ("etag", "\"1\"")];
    judged("GET /v1/actors/1?full=true", 200, &headers, body.to_string().as_bytes())
}

#[track_caller]
fn assert_says(violations: &str, expected: &str) {
    assert!(violations.contains(expected), "{expected:?} is not in {violations:?}");
}

const JSON: (&str, &str) = ("content-type", "application/json");
const A_PROBLEM: (&str, &str) = ("content-type", PROBLEM);

#[test]
fn a_documented_response_passes() {
    assert_eq!(judged_actor(&actor()), "");
    assert_eq!(judged("DELETE /v1/actors/1", 204, &[], b""), "");
    assert_eq!(judged("GET /v1/actors/count", 200, &[("content-type", "text/plain"), ("x-count", "7")], b"7"), "");
}

#[test]
fn the_body_comes_back_parsed() {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, PROBLEM.parse().unwrap())]);
    let exchange =
        Exchange { method: "GET", path: "/v1/actors/1", status: 410, headers: &headers, body: br#"{"title":"Gone"}"# };
    assert_eq!(document().check(&exchange).unwrap(), json!({ "title": "Gone" }));
}

#[test]
fn every_violation_of_a_body_is_listed_with_its_pointer() {
    let mut wrong = actor();
    wrong["id"] = json!("1");
    wrong["capabilities"] = json!([{ "hours": 1 }, { "hours": -1 }]);
    wrong.as_object_mut().unwrap().remove("name");
    let violations = judged_actor(&wrong);
    assert_says(&violations, "body/id: ");
    assert_says(&violations, "body/capabilities/1/hours: ");
    assert_says(&violations, "\"name\" is a required property");
}

#[test]
fn a_member_that_no_schema_describes_is_a_violation_at_any_depth() {
    for pointer in ["", "/capabilities/0", "/home"] {
        let mut wrong = actor();
        wrong.pointer_mut(pointer).unwrap()["secret_cost"] = json!(1);
        assert_says(&judged_actor(&wrong), "secret_cost");
    }
}

#[test]
fn an_undocumented_status_is_a_violation() {
    assert_says(&judged("DELETE /v1/actors/1", 500, &[A_PROBLEM], b"{}"), "status is not documented");
}

#[test]
fn the_default_response_is_judged_too() {
    assert_eq!(judged("GET /v1/actors/1", 404, &[A_PROBLEM], br#"{"title":"None"}"#), "");
    assert_says(&judged("GET /v1/actors/1", 404, &[A_PROBLEM], b"{}"), "\"title\" is a required property");
}

#[test]
fn another_content_type_is_a_violation() {
    assert_says(&judged("GET /v1/actors/1", 404, &[JSON], br#"{"title":"None"}"#), "content type");
    assert_says(&judged("GET /v1/actors/1", 404, &[], b""), "content type");
    assert_says(&judged("GET /v1/actors/1", 404, &[A_PROBLEM], b"{"), "announced as JSON");
}

#[test]
fn a_body_where_none_is_announced_is_a_violation() {
    assert_says(&judged("DELETE /v1/actors/1", 204, &[JSON], b"{}"), "announces no body");
}

#[test]
fn a_documented_header_must_be_sent_and_right() {
    let body = actor().to_string();
    assert_says(&judged("GET /v1/actors/1", 200, &[JSON], body.as_bytes()), "header ETag: documented, but missing");
    let unquoted = [JSON, ("etag", "1")];
    assert_says(&judged("GET /v1/actors/1", 200, &unquoted, body.as_bytes()), "header ETag: ");
    let words = [("content-type", "text/plain"), ("x-count", "many")];
    assert_says(&judged("GET /v1/actors/count", 200, &words, b"7"), "header X-Count");
}

#[test]
fn a_telling_header_must_be_documented() {
    let found = judged("DELETE /v1/actors/1", 204, &[("location", "/v1/actors/2")], b"");
    assert_says(&found, "header location: sent, but not documented");
}

#[test]
fn the_most_literal_path_wins() {
    assert_says(&judged("GET /v1/actors/count", 200, &[JSON], b"{}"), "text/plain");
}

#[test]
fn an_unknown_path_must_be_a_404_problem() {
    for path in ["/v1/actors", "/v1/actors/", "/v1/actors/1/2", "/nowhere"] {
        assert_eq!(judged(&format!("GET {path}"), 404, &[A_PROBLEM], b"{}"), "");
        assert_says(&judged(&format!("GET {path}"), 200, &[JSON], b"{}"), "the path is not in the document");
        assert_says(&judged(&format!("GET {path}"), 404, &[], b""), PROBLEM);
    }
}

#[test]
fn an_unknown_method_must_be_a_405_problem_that_names_the_others() {
    let right = [A_PROBLEM, ("allow", "GET, HEAD, DELETE")];
    assert_eq!(judged("POST /v1/actors/1", 405, &right, b"{}"), "");
    assert_says(&judged("POST /v1/actors/1", 405, &[A_PROBLEM], b"{}"), "Allow: get is served");
    assert_says(&judged("POST /v1/actors/1", 404, &right, b"{}"), "the status must be 405");
    let too_much = [A_PROBLEM, ("allow", "GET, DELETE, PUT")];
    assert_says(&judged("POST /v1/actors/1", 405, &too_much, b"{}"), "Allow: put is not served");
}
