//! Makes the client from the 3.0 copy of the OpenAPI document.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use openapiv3::{MediaType, OpenAPI, ReferenceOr, Response, StatusCode};
use progenitor::{GenerationSettings, Generator, InterfaceStyle};

const DOCUMENT: &str = "../../openapi-3.0.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed=build.rs");
    // The generator takes a response for JSON only under its plain name, although problems are JSON as well.
    let text = fs::read_to_string(DOCUMENT)?.replace("application/problem+json", "application/json");
    let mut document: OpenAPI = serde_json::from_str(&text)?;
    // It knows no body of CSV either: `import` is written by hand in `lib.rs`.
    if let Some(ReferenceOr::Item(imports)) = document.paths.paths.get_mut("/v1/imports") {
        imports.post = None;
    }
    // It knows one kind of success of an operation: where the answer may come later (202), that is an unexpected response, which tells where.
    for item in document.paths.paths.values_mut() {
        let ReferenceOr::Item(openapiv3::PathItem { post: Some(operation), .. }) = item else { continue };
        let responses = &mut operation.responses.responses;
        let (now, later) = (responses.get(&StatusCode::Code(200)), responses.get(&StatusCode::Code(202)));
        if now.is_some() && later.is_some_and(|later| schema(Some(later)) != schema(now)) {
            responses.shift_remove(&StatusCode::Code(202));
        }
    }
    let mut generator = Generator::new(GenerationSettings::default().with_interface(InterfaceStyle::Builder));
    let code = prettyplease::unparse(&syn::parse2(generator.generate_tokens(&document)?)?);
    fs::write(Path::new(&env::var("OUT_DIR")?).join("generated.rs"), code)?;
    Ok(())
}

/// What a response says, if it is JSON.
fn schema(response: Option<&ReferenceOr<Response>>) -> Option<&MediaType> {
    response?.as_item()?.content.get("application/json")
}
