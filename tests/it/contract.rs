//! The committed OpenAPI documents are those that the code gives.

use std::collections::BTreeSet;
use std::path::Path;

use attelage::openapi;
use serde_json::Value;

#[track_caller]
fn assert_committed(file: &str, generated: &str, arguments: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi").join(file);
    let committed = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let generated = format!("{generated}\n");
    let differs = committed.lines().zip(generated.lines()).position(|(committed, generated)| committed != generated);
    assert!(
        committed == generated,
        "openapi/{file} is not what the code says, from line {}. If the change is meant, regenerate and commit it:\n    \
         cargo run --bin attelage -- {arguments} > openapi/{file}",
        differs.unwrap_or_else(|| committed.lines().count().min(generated.lines().count())) + 1
    );
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    assert_committed("openapi.json", &openapi::document().to_pretty_json().unwrap(), "openapi");
}

#[test]
fn the_committed_copy_in_3_0_is_what_the_code_says() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let copy = openapi::three_zero::convert(&document).unwrap();
    assert_committed("openapi-3.0.json", &serde_json::to_string_pretty(&copy).unwrap(), "openapi --as-3-0");
}

#[test]
fn every_operation_says_what_it_is_and_how_it_can_fail() {
    let document: Value = serde_json::from_str(&openapi::document().to_json().unwrap()).unwrap();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{name}: the id is not unique");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name}: no summary");
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}: one tag");
            let responses = operation["responses"].as_object().unwrap();
            for (status, response) in responses {
                let is_error = !status.starts_with(['2', '3']);
                let is_problem = response["content"].get("application/problem+json").is_some();
                assert_eq!(is_error, is_problem, "{name} {status}");
                assert!(
                    response["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{name} {status}: no description"
                );
            }
            let expected = [("{", "404"), ("{", "400")]
                .into_iter()
                .filter(|(part, _)| path.contains(part))
                .map(|(_, status)| status);
            let with_body = ["400", "408", "413", "415", "422"];
            let expected = expected.chain(with_body.into_iter().filter(|_| operation.get("requestBody").is_some()));
            for status in expected.chain(["500", "503"]) {
                assert!(responses.contains_key(status), "{name} does not say {status}");
            }
        }
    }
}
