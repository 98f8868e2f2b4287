//! Makes the client from the 3.0 copy of the OpenAPI document.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use openapiv3::OpenAPI;
use progenitor::{GenerationSettings, Generator, InterfaceStyle};

const DOCUMENT: &str = "../../openapi-3.0.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed=build.rs");
    // The generator takes a response for JSON only under its plain name, although problems are JSON as well.
    let text = fs::read_to_string(DOCUMENT)?.replace("application/problem+json", "application/json");
    let mut document: OpenAPI = serde_json::from_str(&text)?;
    // It knows no body of CSV either: `import` is written by hand in `lib.rs`.
    if let Some(openapiv3::ReferenceOr::Item(imports)) = document.paths.paths.get_mut("/v1/imports") {
        imports.post = None;
    }
    let mut generator = Generator::new(GenerationSettings::default().with_interface(InterfaceStyle::Builder));
    let code = prettyplease::unparse(&syn::parse2(generator.generate_tokens(&document)?)?);
    fs::write(Path::new(&env::var("OUT_DIR")?).join("generated.rs"), code)?;
    Ok(())
}
