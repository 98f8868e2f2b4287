//! The examples of the document: each follows its schema, and the service takes each of those that it asks for.

use std::sync::LazyLock;

use attelage::openapi;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};

use crate::support::app::Answer;
use crate::support::on_both_engines;
use crate::support::sample::METROPOLE;
use crate::support::service::{App, spawn};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(openapi::document()).unwrap());

/// Every example of a value, with the schema that it must follow and where it stands.
fn all() -> Vec<(&'static Value, &'static Value, String)> {
    fn collect(value: &'static Value, at: &str, found: &mut Vec<(&'static Value, &'static Value, String)>) {
        if let Some(example) = value.get("example") {
            found.push((example, &value["schema"], at.to_owned()));
        }
        for example in value.get("examples").and_then(Value::as_array).into_iter().flatten() {
            found.push((example, value, at.to_owned()));
        }
        let members = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "example");
        members.for_each(|(name, member)| collect(member, &format!("{at}/{name}"), found));
        let items = value.as_array().into_iter().flatten().enumerate();
        items.for_each(|(index, item)| collect(item, &format!("{at}/{index}"), found));
    }
    let mut found = Vec::new();
    collect(&DOCUMENT["paths"], "/paths", &mut found);
    collect(&DOCUMENT["components"], "/components", &mut found);
    found
}

#[test]
fn every_example_follows_its_schema() {
    // All at once: the schemas are compiled together, as those of the members of one object.
    let found = all();
    let member = |index: usize, at: &str| format!("{index} {at}");
    let schemas: Map<String, Value> =
        found.iter().enumerate().map(|(index, (_, schema, at))| (member(index, at), (*schema).clone())).collect();
    let examples: Map<String, Value> =
        found.iter().enumerate().map(|(index, (example, _, at))| (member(index, at), (*example).clone())).collect();
    let root = json!({ "properties": schemas, "components": DOCUMENT["components"] });
    let validator = jsonschema::options().should_validate_formats(true).build(&root).unwrap();
    let examples = Value::Object(examples);
    let faults: Vec<String> =
        validator.iter_errors(&examples).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let places = found.len();
    assert!(places > 300, "{places} examples");
}

#[test]
fn every_body_has_an_example() {
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap().iter();
            let bodies = answers.chain(operation.get("requestBody").map(|body| (method, body)));
            for (which, body) in bodies {
                for (media_type, content) in body["content"].as_object().into_iter().flatten() {
                    // The document itself, and a page for people.
                    let is_free = content["schema"].get("$ref").is_none();
                    assert!(is_free || content.get("example").is_some(), "{method} {path} {which} {media_type}");
                }
            }
        }
    }
}

/// The example of what an operation takes.
fn taken(operation: &str) -> &'static Value {
    let items = DOCUMENT["paths"].as_object().unwrap().values();
    let mut operations = items.flat_map(|item| item.as_object().unwrap().values());
    let operation = operations.find(|each| each["operationId"] == operation).unwrap();
    let mut contents = operation["requestBody"]["content"].as_object().unwrap().values();
    &contents.next().unwrap()["example"]
}

/// A service with what the examples refer to: their ids are of another service, these are its own.
struct Shop {
    app: App,
    ids: Vec<(Value, Value)>,
}

impl Shop {
    /// The example of an operation, with ids of this service.
    fn example(&self, operation: &str) -> Value {
        let text = self.ids.iter().fold(taken(operation).to_string(), |text, (theirs, ours)| {
            text.replace(theirs.as_str().unwrap(), ours.as_str().unwrap())
        });
        serde_json::from_str(&text).unwrap()
    }

    /// Sends the example of an operation; from then on `theirs` is the id of what it has made.
    async fn post(&mut self, path: &str, operation: &str, theirs: &Value) -> Answer {
        let answer = self.app.post(path, self.example(operation)).await.expect(201);
        self.ids.push((theirs.clone(), answer["id"].clone()));
        answer
    }

    /// Sends the example of an operation that computes, and waits for its end.
    async fn run(&self, path: &str, operation: &str) {
        let patient = HeaderMap::from_iter([("prefer".parse().unwrap(), HeaderValue::from_static("wait=30"))]);
        let run = self.app.post_with(path, patient, self.example(operation)).await.expect(200);
        assert_eq!(run["state"], "succeeded", "{:#}", run.body);
    }
}

on_both_engines! {
    async fn the_service_takes_the_examples_of_what_it_asks_for(engine) {
        let mut shop = Shop { app: spawn(engine).await, ids: Vec::new() };
        let metropole = json!({ "name": "Métropole", "kind": "metropole" });
        shop.app.put_new(&format!("/v1/territories/{METROPOLE}"), metropole).await.expect(201);
        let town = shop.app.put_new("/v1/territories/69266", shop.example("put_territory")).await.expect(201);
        shop.app.put("/v1/territories/69266", town.etag(), shop.example("put_territory")).await.expect(200);
        let term = "/v1/vocabularies/services/terms/training-safety";
        shop.app.put_new(term, shop.example("put_term")).await.expect(201);

        let file = shop.example("create_import");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/csv"))]);
        let path = "/v1/imports?kind=territories";
        let import = shop.app.send_raw(Method::POST, path, headers, file.as_str().unwrap()).await.expect(201);
        assert_eq!(import["summary"]["territories"]["created"], 1, "{:#}", import.body);

        let (relation, call) = (taken("create_relation"), taken("create_call"));
        let first = shop.post("/v1/organisations", "create_organisation", &relation["a"]).await;
        let place = format!("/v1/organisations/{}", first["id"].as_str().unwrap());
        shop.app.put(&place, first.etag(), shop.example("replace_organisation")).await.expect(200);
        shop.post("/v1/organisations", "create_organisation", &relation["b"]).await;
        shop.post("/v1/organisations", "create_organisation", &call["funder"]).await;
        for (collection, one) in [("relations", "relation"), ("capabilities", "capability")] {
            let made = shop.app.post(&format!("/v1/{collection}"), shop.example(&format!("create_{one}"))).await.expect(201);
            let place = format!("/v1/{collection}/{}", made["id"].as_str().unwrap());
            shop.app.put(&place, made.etag(), shop.example(&format!("replace_{one}"))).await.expect(200);
        }
        let mut lessons = shop.example("create_capability");
        for (field, value) in [
            ("organisation", shop.example("create_relation")["b"].take()),
            ("services", json!(["training-daily-tools"])),
            ("unit", json!("hour")),
            ("capacity_per_year", json!(1_200)),
        ] {
            lessons[field] = value;
        }
        shop.app.post("/v1/capabilities", lessons).await.expect(201);

        let calls = &taken("start_joint_run")["calls"];
        let draft = shop.post("/v1/calls", "create_call", &calls[0]).await;
        let place = format!("/v1/calls/{}", draft["id"].as_str().unwrap());
        shop.app.put(&place, draft.etag(), shop.example("replace_call")).await.expect(200);
        shop.post("/v1/calls", "create_call", &calls[1]).await;
        shop.run(&format!("{place}/runs"), "start_run").await;
        shop.run("/v1/runs", "start_joint_run").await;

        shop.app.post(&format!("{place}/publish"), json!({})).await.expect(200);
        let interest = shop.app.post("/v1/interests", shop.example("create_interest")).await.expect(201);
        shop.app.put(interest.header("location"), interest.etag(), shop.example("replace_interest")).await.expect(200);
        for (question, operation) in
            [("partner-suggestions", "suggest_partners"), ("team-checks", "check_team"), ("absences", "explain_absence")]
        {
            shop.app.post(&format!("{place}/{question}"), shop.example(operation)).await.expect(200);
        }
    }
}
