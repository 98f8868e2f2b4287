//! Valid bodies, damaged in a few hundred ways that a seed decides: the service answers, and as the document says.

use serde_json::{Map, Value, json};

use crate::runs::patient;
use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, NORTH, siret};
use crate::support::service::spawn;

/// Mutations per resource and engine.
const ROUNDS: usize = 60;

/// A small generator (xorshift): the same seed, the same bodies, on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    /// A value that somebody once forgot to think of.
    fn value(&mut self) -> Value {
        let values = [
            json!(null),
            json!(true),
            json!(0),
            json!(-1),
            json!(1),
            json!(1.5),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(1e300),
            json!(-0.0),
            json!(""),
            json!(" "),
            json!("é\u{301}\u{202e}𝕏"),
            json!("'; DROP TABLE organisation; --"),
            json!("x".repeat(4_000)),
            json!("%_\\"),
            json!([]),
            json!([[]]),
            json!({}),
            json!("0000-01-01"),
            json!("9999-12-31"),
            json!("2026-06-30T23:59:60Z"),
            json!("0000-01-01T00:00:00Z"),
            json!("9999-12-31T23:59:59.999999999-23:59"),
            json!(METROPOLE),
            json!("019e0000-0000-7000-8000-000000000000"),
            json!("{019E0000-0000-7000-8000-000000000000}"),
            json!("hour"),
            json!(100),
            json!(1_000_000_000_000_u64),
            json!("\u{ffff}\u{10ffff}\u{1}"),
        ];
        values[self.below(values.len())].clone()
    }

    /// Damages one place of `value`, chosen by going down at random.
    pub fn damage(&mut self, value: &mut Value) {
        if self.below(4) > 0 {
            match value {
                Value::Object(members) if !members.is_empty() => {
                    let name = members.keys().nth(self.below(members.len())).unwrap().clone();
                    return self.damage_member(members, &name);
                }
                Value::Array(items) if !items.is_empty() => {
                    let place = self.below(items.len());
                    return match self.below(5) {
                        0 => items.push(items[place].clone()),
                        1 => _ = items.remove(place),
                        _ => self.damage(&mut items[place]),
                    };
                }
                _ => {}
            }
        }
        *value = self.value();
    }

    fn damage_member(&mut self, members: &mut Map<String, Value>, name: &str) {
        match self.below(8) {
            0 => _ = members.shift_remove(name),
            1 => _ = members.insert(format!("{name}_"), json!(1)),
            _ => self.damage(&mut members[name]),
        }
    }
}

/// A rich body for each path that takes one.
fn bodies(market: &sample::Market) -> Vec<(String, Value)> {
    let organisation = json!({
        "name": "Cobaye", "aliases": ["C"], "identifiers": [{ "scheme": "siret", "id": siret(9, 9) }], "legal_form": "9220",
        "resource_mix": { "subsidies_percent": 50 }, "volunteers": 3, "full_time_equivalents": 1.5, "home_territories": [NORTH],
        "credentials": [{ "code": "q", "valid_from": "2026-01-01", "valid_to": "2027-01-01" }],
        "links": [{ "to": market.workshop, "kind": "same_group", "shares_capacity": true }], "fresh_on": "2026-01-01",
        "turnover_cents": 5, "website": "https://c.example"
    });
    let mut call = sample::call(&market.funder);
    call["answers_due_at"] = json!("2026-12-31T11:00:00Z");
    call["eligibility"] =
        json!([{ "code": "r", "criterion": "turnover", "scope": "sum_over_members", "minimum_cents": 1 }]);
    call["group_policy"] = json!({ "maximum_members": 3, "maximum_share_percent": 90, "minimum_share_percent": 1 });
    call["award_criteria"] = json!([{ "name": "Prix", "weight_percent": 100 }]);
    call["assumptions"] = json!({ "capacity_per_year_by_unit": { "hour": 10 } });
    let capability = json!({
        "organisation": market.school, "services": ["training"], "publics": ["seniors"], "territories": [NORTH],
        "modalities": ["remote"], "unit": "hour", "capacity_per_year": 1, "unit_cost_cents": 1, "valid_from": "2026-01-01"
    });
    let relation = json!({ "a": market.school, "b": market.workshop, "kind": "network", "strength_percent": 5, "since": "2026-01-01" });
    let term = json!({ "parent": "training", "label_en": "A", "label_fr": "B", "crosswalks": { "cpv": ["1"] } });
    let territory = json!({ "name": "T", "kind": "commune", "parent": METROPOLE, "latitude": 1, "longitude": 2, "indicators": { "i": 0.5 } });
    vec![
        ("/v1/organisations".to_owned(), organisation),
        ("/v1/capabilities".to_owned(), capability),
        ("/v1/relations".to_owned(), relation),
        ("/v1/calls".to_owned(), call),
        ("/v1/territories/T".to_owned(), territory),
        ("/v1/vocabularies/services/terms/t".to_owned(), term),
    ]
}

on_both_engines! {
    async fn a_damaged_body_never_breaks_the_service(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let (mut accepted, mut refused) = (0, 0);
        for (number, (path, body)) in bodies(&market).into_iter().enumerate() {
            let mut dice = Dice(0x9E37_79B9_7F4A_7C15 + number as u64);
            let is_collection = !path.contains("/T") && !path.ends_with("/t");
            for _ in 0..ROUNDS {
                let mut damaged = body.clone();
                for _ in 0..=dice.below(2) {
                    dice.damage(&mut damaged);
                }
                // Create, or where the client names it, create or replace; then replace what was created.
                let answer = if is_collection { app.post(&path, damaged.clone()).await } else { app.put_new(&path, damaged.clone()).await };
                if answer.status >= 400 {
                    refused += 1;
                    let problem = answer.problem_of_client();
                    assert!(problem["errors"].is_array() || problem["status"] == 409 || problem["status"] == 428, "{damaged:#} {problem:#}");
                    continue;
                }
                accepted += 1;
                let written = if is_collection { answer.header("location").to_owned() } else { path.clone() };
                assert_eq!(app.get(&written).await.expect(200).body, answer.body);
                let again = app.put(&written, answer.etag(), damaged).await.expect(200);
                app.get(&format!("{}?limit=100", if is_collection { &path } else { "/v1/territories" })).await.expect(200);
                app.delete(&written, again.etag()).await.expect(204);
            }
        }
        assert!(accepted > 30 && refused > 150, "{accepted} accepted, {refused} refused: the dice are loaded");
    }

    async fn a_run_on_any_call_that_is_accepted_has_an_answer(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let (_, call) = bodies(&market).swap_remove(3);
        let mut dice = Dice(0x2545_F491_4F6C_DD1D);
        let mut runs = 0;
        for _ in 0..ROUNDS {
            let mut damaged = call.clone();
            dice.damage(&mut damaged);
            let answer = app.post("/v1/calls", damaged.clone()).await;
            if answer.status != 201 {
                answer.problem_of_client();
                continue;
            }
            let options = json!({ "proposals": 1, "time_limit_seconds": 2 });
            let run = app.post_with(&format!("{}/runs", answer.header("location")), patient(), options).await;
            if run.status == 422 {
                assert!(run.problem(422)["errors"][0]["detail"].as_str().unwrap().contains("at most"), "{damaged:#}");
            } else {
                assert_eq!(run.expect(200)["state"], "succeeded", "{damaged:#}");
                runs += 1;
            }
        }
        assert!(runs > 5, "{runs} runs: the dice are loaded");
    }
}
