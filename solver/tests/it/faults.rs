//! Every mistake of a problem is told at once, with where it stands.

use attelage_solver::{Instance, Problem};
use serde_json::{Value, json};

use crate::support::{lyon, parse};

fn paths(value: &Value) -> Vec<String> {
    let faults = Instance::new(parse(value)).expect_err("the problem has a mistake");
    faults.into_iter().map(|fault| fault.path).collect()
}

/// Paths of the faults after one field of the example was set.
fn after(pointer: &str, value: Value) -> Vec<String> {
    let mut problem = lyon();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match problem.pointer_mut(parent).unwrap() {
        Value::Object(map) => drop(map.insert(key.to_owned(), value)),
        Value::Array(list) => match key.parse::<usize>() {
            Ok(i) if i < list.len() => list[i] = value,
            _ => list.push(value),
        },
        other => panic!("{other:?}"),
    }
    paths(&problem)
}

#[test]
fn each_field_tells_its_own_mistake() {
    let many = 1_000_000_000_001_u64;
    for (pointer, value) in [
        ("/call/id", json!("")),
        ("/call/duration_months", json!(0)),
        ("/call/duration_months", json!(241)),
        ("/call/start", json!("2026-02-30")),
        ("/call/budget_cents", json!(-1)),
        ("/call/budget_cents", json!(1_000_000_000_000_001_u64)),
        ("/call/lots/0/needs", json!([])),
        ("/call/lots/0/needs/0/service", json!("nothing")),
        ("/call/lots/0/needs/0/territory", json!("nowhere")),
        ("/call/lots/0/needs/0/public", json!("nobody")),
        ("/call/lots/0/needs/0/unit", json!("")),
        ("/call/lots/0/needs/0/quantity", json!(0)),
        ("/call/lots/0/needs/0/quantity", json!(many)),
        ("/call/lots/0/needs/0/unmet_cost_cents", json!(-5)),
        ("/call/eligibility/0/lots", json!(["ghost"])),
        ("/call/eligibility/0/services", json!(["ghost"])),
        ("/call/group/minimum_members", json!(0)),
        ("/call/group/maximum_members", json!(0)),
        ("/call/group/maximum_share_percent", json!(101)),
        ("/call/coordination/per_member_cents", json!(-1)),
        ("/call/payment/advance_percent", json!(101)),
        ("/call/payment/delay_days", json!(3651)),
        ("/territories/0/population", json!(many)),
        ("/territories/0/parent", json!("nowhere")),
        ("/actors/0/id", json!("")),
        ("/actors/0/home_territories", json!(["nowhere"])),
        ("/actors/0/turnover_cents", json!(-1)),
        ("/actors/0/available_cash_cents", json!(-1)),
        ("/actors/0/capabilities/0/services", json!([])),
        ("/actors/0/capabilities/0/territories", json!([])),
        ("/actors/0/capabilities/0/capacity_per_year", json!(many)),
        ("/actors/0/capabilities/0/unit_cost_cents", json!(-1)),
        ("/actors/0/capabilities/0/minimum_quantity", json!(many)),
        ("/relations/0/a", json!("ghost")),
        ("/relations/0/strength_percent", json!(101)),
    ] {
        let found = after(pointer, value.clone());
        assert!(found.iter().any(|path| path.starts_with(pointer)), "{pointer} = {value}: {found:?}");
    }
}

#[test]
fn everything_is_told_at_once() {
    let mut problem = lyon();
    problem["call"]["duration_months"] = json!(0);
    problem["actors"][0]["turnover_cents"] = json!(-1);
    problem["relations"][0]["b"] = json!("refurbisher");
    assert_eq!(paths(&problem), ["/call/duration_months", "/actors/0/turnover_cents", "/relations/0"]);
}

#[test]
fn duplicates_are_told_wherever_ids_are_unique() {
    for list in [
        "/call/lots",
        "/call/lots/1/needs",
        "/call/eligibility",
        "/actors",
        "/territories",
        "/services",
        "/publics",
        "/relations",
    ] {
        let first = lyon().pointer(list).unwrap()[0].clone();
        let found = after(&format!("{list}/-"), first);
        assert!(found.iter().any(|path| path.starts_with(list)), "{list}: {found:?}");
    }
    let twice = json!([{ "a": "trainer", "b": "district" }, { "a": "district", "b": "trainer" }]);
    assert_eq!(after("/incompatibilities", twice), ["/incompatibilities/1"]);
    let twice = json!([{ "from": "trainer", "to": "district" }, { "from": "district", "to": "trainer" }]);
    let mut problem = lyon();
    problem["links"] = twice;
    assert!(Instance::new(parse(&problem)).is_ok(), "links have a direction");
}

#[test]
fn cycles_are_told() {
    let cycle = json!([{ "id": "refurbishing", "parent": "training" }, { "id": "training", "parent": "refurbishing" }, { "id": "support" }, { "id": "equipment" }]);
    assert_eq!(after("/services", cycle), ["/services/0/parent", "/services/1/parent"]);
}

#[test]
fn dates_out_of_order_and_services_out_of_scope_are_told() {
    let credential = json!([{ "code": "q", "valid_from": "2026-01-02", "valid_to": "2026-01-01" }]);
    assert_eq!(after("/actors/0/credentials", credential), ["/actors/0/credentials/0/valid_to"]);
    assert_eq!(after("/call/eligibility/0/scope", json!("lead")), ["/call/eligibility/0/services"]);
}

#[test]
fn what_cannot_be_added_up_is_refused() {
    let found = after("/actors/0/capabilities/0/unit_cost_cents", json!(1_000_000_000_000_000_u64));
    assert_eq!(found, ["/actors/0/capabilities/0/unit_cost_cents"]);
    assert_eq!(
        after("/call/lots/0/needs/0/unmet_cost_cents", json!(1_000_000_000_000_000_u64)),
        ["/call/lots/0/needs/0/unmet_cost_cents"]
    );
    let mut problem = lyon();
    problem["call"]["coordination"]["per_new_pair_cents"] = json!(1_000_000_000_000_000_u64);
    problem["call"]["coordination"]["per_member_cents"] = json!(1_000_000_000_000_000_u64);
    assert!(Instance::new(parse(&problem)).is_ok());
    let crowd: Vec<Value> = (0..100).map(|i| json!({ "id": format!("n{i}") })).collect();
    problem["actors"].as_array_mut().unwrap().extend(crowd);
    assert_eq!(paths(&problem), ["/call/coordination"]);
}

#[test]
fn what_an_actor_asks_is_never_told_nor_counted_where_it_serves_no_need() {
    let (odd, path) = (999_999_999_999_989_u64, "/actors/0/capabilities/0");
    let mut problem = lyon();
    problem["actors"][0]["capabilities"][0]["unit_cost_cents"] = json!(odd);
    let faults = Instance::new(parse(&problem)).unwrap_err();
    assert_eq!(faults[0].path, format!("{path}/unit_cost_cents"));
    assert!(!faults[0].message.contains(&odd.to_string()), "{}", faults[0].message);
    // Equipment is broader than the refurbishing that is asked for: it cannot serve it.
    problem["actors"][0]["capabilities"][0]["services"] = json!(["equipment"]);
    assert!(Instance::new(parse(&problem)).is_ok());
    problem["actors"][0]["capabilities"][0]["fixed_cost_cents"] = json!(odd);
    let copies = vec![problem["actors"][0]["capabilities"][0].clone(); 150];
    let copies = copies.into_iter().enumerate().map(|(i, mut copy)| {
        copy["id"] = json!(format!("copy{i}"));
        copy
    });
    problem["actors"][0]["capabilities"] = copies.collect();
    assert!(Instance::new(parse(&problem)).is_ok());
    problem["call"]["lots"][0]["needs"][0]["service"] = json!("equipment");
    assert_eq!(paths(&problem), [format!("{path}/unit_cost_cents"), "/call/coordination".to_owned()]);
}

#[test]
fn unknown_fields_and_negative_quantities_do_not_parse() {
    let mut problem = lyon();
    problem["call"]["lots"][0]["needs"][0]["quantity"] = json!(-3);
    assert!(serde_json::from_value::<Problem>(problem).is_err());
    let mut problem = lyon();
    problem["call"]["colour"] = json!("blue");
    assert!(serde_json::from_value::<Problem>(problem).is_err());
}
