//! A small market to test on: a métropole with two communes, actors that complement each other, and a call for both.
//!
//! Names and figures are invented.

use serde_json::{Value, json};

use super::app::Client;

/// A métropole of two communes: [`NORTH`] has three quarters of the people.
pub const METROPOLE: &str = "200046977";
pub const NORTH: &str = "69266";
pub const SOUTH: &str = "69029";

/// Everything that lists show, to see whether a refused request has left something behind.
pub async fn everything(client: &Client) -> Vec<Value> {
    let mut pages = Vec::new();
    for list in
        ["territories", "organisations", "capabilities", "relations", "calls", "imports", "vocabularies/services/terms"]
    {
        pages.push(client.get(&format!("/v1/{list}?limit=100")).await.expect(200).body);
    }
    pages
}

/// Creates a resource; gives its id.
pub async fn created(client: &Client, path: &str, body: Value) -> String {
    client.post(path, body).await.expect(201)["id"].as_str().expect("an id").to_owned()
}

pub async fn territories(client: &Client) {
    for (code, body) in [
        (METROPOLE, json!({ "name": "Métropole", "kind": "metropole" })),
        (NORTH, json!({ "name": "Nord", "kind": "commune", "parent": METROPOLE, "population": 30_000 })),
        (SOUTH, json!({ "name": "Sud", "kind": "commune", "parent": METROPOLE, "population": 10_000 })),
    ] {
        client.put_new(&format!("/v1/territories/{code}"), body).await.expect(201);
    }
}

/// A département that no call is about: what is read for one is a part of the directory only where there is more than that.
pub const ELSEWHERE: &str = "75";

pub async fn elsewhere(client: &Client) {
    let paris = json!({ "name": "Paris", "kind": "departement" });
    client.put_new(&format!("/v1/territories/{ELSEWHERE}"), paris).await.expect(201);
}

pub async fn organisation(client: &Client, name: &str) -> String {
    created(client, "/v1/organisations", json!({ "name": name })).await
}

/// Refurbished devices, so many a year, at so many cents each.
pub fn devices(organisation: &str, per_year: i64, cents: i64) -> Value {
    json!({
        "organisation": organisation, "services": ["equipment-refurbishing"], "territories": [METROPOLE],
        "unit": "device", "capacity_per_year": per_year, "unit_cost_cents": cents
    })
}

/// Hours of training, so many a year, at so many cents each.
pub fn hours(organisation: &str, per_year: i64, cents: i64) -> Value {
    json!({
        "organisation": organisation, "services": ["training-daily-tools"], "territories": [METROPOLE],
        "unit": "hour", "capacity_per_year": per_year, "unit_cost_cents": cents
    })
}

/// Two years of 100 devices and 600 hours a year, in two lots.
pub fn call(funder: &str) -> Value {
    json!({
        "funder": funder, "title": "Équiper et former", "kind": "grant", "starts_on": "2027-01-01",
        "duration_months": 24, "budget_cents": 10_000_000,
        "lots": [
            { "code": "equipment", "title": "Matériel", "needs": [{
                "code": "kits", "title": "Ordinateurs", "service": "equipment-refurbishing",
                "territory": METROPOLE, "unit": "device", "quantity": 100
            }] },
            { "code": "training", "title": "Formation", "needs": [{
                "code": "lessons", "title": "Ateliers", "service": "training-daily-tools",
                "territory": METROPOLE, "unit": "hour", "quantity": 600
            }] },
        ],
        "money_policy": { "coordination_per_member_cents": 100_000, "coordination_per_new_pair_cents": 50_000 }
    })
}

/// The plan of a consortium that answers both lots of [`call`].
pub fn plan(members: &Value) -> Value {
    json!({
        "name": "Ensemble", "form": "conjoint", "lots": ["equipment", "training"], "coordination_cents": 100_000,
        "members": members
    })
}

/// The market of [`market`], by id.
pub struct Market {
    pub funder: String,
    /// Devices: 150 a year at €100, and €500 to start.
    pub workshop: String,
    /// Hours: 800 a year at €30.
    pub school: String,
    /// Both, but too little of each and dear: 50 devices a year at €200, 300 hours at €60.
    pub generalist: String,
    /// What the generalist does with devices, and with hours.
    pub generalist_offers: [String; 2],
    /// Of the call, a draft.
    pub call: String,
}

/// Territories, three actors and a call that only the workshop and the school together answer well.
pub async fn market(client: &Client) -> Market {
    territories(client).await;
    let funder = organisation(client, "Métropole en commun").await;
    let workshop = organisation(client, "Atelier du Réemploi").await;
    let school = organisation(client, "École Pas à Pas").await;
    let generalist = organisation(client, "Le Grand Tout").await;
    let mut refurbishing = devices(&workshop, 150, 10_000);
    refurbishing["fixed_cost_cents"] = json!(50_000);
    created(client, "/v1/capabilities", refurbishing).await;
    created(client, "/v1/capabilities", hours(&school, 800, 3_000)).await;
    let generalist_offers = [
        created(client, "/v1/capabilities", devices(&generalist, 50, 20_000)).await,
        created(client, "/v1/capabilities", hours(&generalist, 300, 6_000)).await,
    ];
    let call = created(client, "/v1/calls", call(&funder)).await;
    Market { funder, workshop, school, generalist, generalist_offers, call }
}

/// A valid SIREN of its own for each number below 100,000.
pub fn siren(number: u32) -> String {
    with_check_digit(&format!("812{number:05}"))
}

/// A valid SIRET: a site below 1,000 of [`siren`].
pub fn siret(number: u32, site: u32) -> String {
    with_check_digit(&format!("{}0{site:03}", siren(number)))
}

/// Appends the digit that makes the Luhn sum a multiple of ten.
fn with_check_digit(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// So many hexadecimal digits without repetition, or a database would compress them.
pub fn noise(seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let digit = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from_digit(u32::try_from(state >> 60).unwrap(), 16).unwrap()
    };
    (0..length).map(digit).collect()
}

/// Where a problem points: pointers and parameters, in its order.
pub fn places(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().filter_map(|error| error["pointer"].as_str().or(error["parameter"].as_str())).collect()
}
