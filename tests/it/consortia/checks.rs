//! Which rules a consortium keeps, as far as each may know.

use std::collections::BTreeMap;

use serde_json::json;

use super::team::{Actor, member, profile, team, team_for};
use crate::support::on_both_engines;
use crate::support::sample;

/// The verdicts that somebody reads, by code and by what they are about.
async fn verdicts(path: &str, who: &Actor) -> BTreeMap<String, String> {
    let answer = who.client.get(&format!("{path}/checks")).await.expect(200);
    let checks = answer["checks"].as_array().unwrap().iter();
    checks
        .map(|one| {
            assert!(!one["text_en"].as_str().unwrap().is_empty() && !one["text_fr"].as_str().unwrap().is_empty());
            let about = one["about"].as_str().map_or(String::new(), |about| format!(" {about}"));
            (format!("{}{about}", one["code"].as_str().unwrap()), one["verdict"].as_str().unwrap().to_owned())
        })
        .collect()
}

#[track_caller]
fn assert_says(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (code, verdict) in expected {
        assert_eq!(found.get(*code).map(String::as_str), Some(*verdict), "{code} in {found:#?}");
    }
}

on_both_engines! {
    async fn each_rule_is_kept_or_broken_or_not_for_the_reader_to_judge(engine) {
        let team = team_for(engine, |call| {
            call["group_policy"] = json!({
                "minimum_members": 2, "maximum_members": 2, "form_after_award": "solidary", "maximum_subcontracting_percent": 10,
                "minimum_legal_families": 2, "reserved_to_social_economy": true, "maximum_share_percent": 90
            });
            call["duration_months"] = json!(48);
            call["lots"][1]["maximum_members"] = json!(1);
            call["eligibility"] = json!([
                { "code": "qualiopi", "criterion": "credential", "credential": "qualiopi", "scope": "performer", "services": ["training-daily-tools"], "accept_linked": true },
                { "code": "local", "criterion": "home_territory", "territory": sample::METROPOLE, "scope": "each_member" },
                { "code": "turnover", "criterion": "turnover", "minimum_cents": 100, "scope": "each_member" },
                { "code": "esus", "criterion": "credential", "credential": "esus", "scope": "any_member" },
                { "code": "leads", "criterion": "legal_family", "legal_families": ["association"], "scope": "lead" }
            ]);
        }).await;
        let (school, workshop) = (&team.school, &team.workshop);
        profile(school, json!({ "legal_family": "association", "home_territories": [sample::NORTH], "turnover_cents": 100 })).await;
        profile(workshop, json!({ "legal_family": "company", "home_territories": [] })).await;
        let path = team.founded().await;
        assert_says(&verdicts(&path, school).await, &[("size", "broken"), ("legal_families", "broken"), ("reserved", "kept"), ("reserved_duration", "warning"), ("coverage lessons", "broken"), ("coverage kits", "warning"), ("condition:qualiopi", "broken"), ("condition:turnover", "kept"), ("condition:leads", "kept")]);
        team.invite(&path, workshop, 100, json!({})).await.expect(200);
        workshop.client.get(&format!("{path}/checks")).await.problem(403);
        assert_says(&verdicts(&path, school).await, &[
            ("size", "kept"), ("lot_size training", "kept"), ("form", "warning"), ("legal_families", "kept"), ("reserved", "broken"), ("subcontracting", "kept"), ("shares", "broken"),
            ("condition:qualiopi", "broken"), ("condition:local", "broken"), ("condition:turnover", "not_judged"), ("condition:esus", "broken"), ("condition:leads", "kept"),
            ("one_lead", "kept"), ("several_groups", "kept"), ("declared", "warning"),
        ]);
        // A certificate of a linked entity does where the call accepts it, on the first day of the contract.
        let link = |kind: &str| json!([{ "to": school.id, "kind": kind, "shares_credentials": true }]);
        let held = |until: &str| json!({ "credentials": [{ "code": "qualiopi", "valid_to": until }], "links": link("subsidiary") });
        profile(&team.library, held("2189-12-31")).await;
        assert_says(&verdicts(&path, school).await, &[("condition:qualiopi", "broken")]);
        profile(&team.library, held("2190-01-01")).await;
        profile(workshop, json!({ "legal_family": "cooperative", "home_territories": [sample::METROPOLE], "credentials": [{ "code": "esus" }], "links": [{ "to": school.id, "kind": "same_group", "shares_capacity": true }] })).await;
        assert_says(&verdicts(&path, school).await, &[("condition:qualiopi", "kept"), ("condition:local", "kept"), ("condition:esus", "kept"), ("reserved", "kept")]);
        team.accept(&path, workshop, json!({})).await.expect(200);
        // The member does not know what the school asks, nor what it leads.
        assert_says(&verdicts(&path, workshop).await, &[("size", "kept"), ("one_lead", "not_judged"), ("subcontracting", "not_judged"), ("shares", "not_judged"), ("several_groups", "kept")]);
        team.invite(&path, &team.stranger, 1, json!({ "role": "subcont" })).await.expect(200);
        assert_says(&verdicts(&path, workshop).await, &[("coverage lessons", "not_judged")]);
    }

    async fn the_price_is_held_against_the_budget_and_members_know_each_other_where_the_call_wants_that(engine) {
        let team = team_for(engine, |call| {
            call["group_policy"] = json!({ "connected": true });
            call["money_policy"] = json!({ "co_financing_percent": 50 });
            call["budget_cents"] = json!(1_855_000);
        }).await;
        let (school, workshop) = (&team.school, &team.workshop);
        let path = team.pair().await;
        // 36,000 € and 100 €, and 1,000 € for coordinating: half of it is the funder's.
        assert_says(&verdicts(&path, school).await, &[("budget", "kept"), ("connected", "broken")]);
        assert_says(&verdicts(&path, workshop).await, &[("budget", "not_judged"), ("connected", "broken")]);
        let plan = |coordination: i64| json!({
            "name": "Ensemble", "form": "conjoint", "lots": ["equipment", "training"], "coordination_cents": coordination,
            "members": [
                { "organisation": school.id, "role": "group-lead", "parts": [{ "need": "lessons", "quantity": 1_200 }] },
                { "organisation": workshop.id, "role": "group-mem", "parts": [{ "need": "kits", "quantity": 100 }] }
            ]
        });
        let etag = school.client.get(&path).await.expect(200).etag().to_owned();
        school.client.put(&path, &etag, plan(100_001)).await.expect(200);
        let relation = |since: &str| json!({ "a": workshop.id, "b": school.id, "kind": "referral", "strength_percent": 1, "since": since });
        let made = school.client.post("/v1/relations", relation("2190-01-02")).await.expect(201);
        assert_says(&verdicts(&path, school).await, &[("budget", "broken"), ("connected", "broken")]);
        school.client.put(made.header("location"), made.etag(), relation("2190-01-01")).await.expect(200);
        assert_says(&verdicts(&path, workshop).await, &[("connected", "kept")]);
    }

    async fn whoever_answers_twice_is_told_and_nobody_else(engine) {
        let team = team(engine).await;
        let (school, workshop) = (&team.school, &team.workshop);
        let path = team.pair().await;
        let other = json!({ "call": team.call, "name": "Autre", "lots": ["equipment"] });
        let before = verdicts(&path, school).await;
        let second = workshop.client.post("/v1/consortia", other.clone()).await.expect(201).header("location").to_owned();
        assert_says(&verdicts(&path, workshop).await, &[("several_groups", "broken")]);
        assert_says(&verdicts(&second, workshop).await, &[("several_groups", "broken"), ("one_lead", "kept")]);
        assert_eq!(verdicts(&path, school).await, before, "what a member does elsewhere is not for the lead");
        let third = school.client.post("/v1/consortia", other).await.expect(201);
        assert_says(&verdicts(&path, school).await, &[("one_lead", "broken"), ("several_groups", "broken")]);
        assert_says(&verdicts(&path, workshop).await, &[("one_lead", "not_judged")]);
        // Over is over.
        school.client.delete(third.header("location"), third.etag()).await.expect(204);
        workshop.client.post(&member(&path, workshop, "leave"), json!({})).await.expect(200);
        assert_says(&verdicts(&path, school).await, &[("one_lead", "kept"), ("several_groups", "kept")]);
        assert_says(&verdicts(&second, workshop).await, &[("several_groups", "kept")]);
    }

    async fn a_member_without_whom_the_others_could_answer_is_named(engine) {
        let team = team_for(engine, |call| {
            for (lot, quantity) in [(0_usize, 10), (1, 600)] {
                let need = call["lots"][lot]["needs"][0].as_object_mut().unwrap();
                need.extend(json!({ "quantity": quantity, "mandatory": true, "reference_unit_cost_cents": 5_000 }).as_object().unwrap().clone());
            }
        }).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        school.client.post("/v1/capabilities", sample::hours(&school.id, 800, 3_000)).await.expect(201);
        for who in [workshop, library] {
            who.client.post("/v1/capabilities", sample::devices(&who.id, 150, 10_000)).await.expect(201);
        }
        let path = team.founded().await;
        team.invite(&path, workshop, 5, json!({})).await.expect(200);
        team.accept(&path, workshop, json!({})).await.expect(200);
        assert_says(&verdicts(&path, school).await, &[("able", "kept"), ("necessity", "kept"), ("coverage kits", "broken")]);
        team.invite(&path, library, 5, json!({})).await.expect(200);
        team.accept(&path, library, json!({})).await.expect(200);
        assert_says(&verdicts(&path, school).await, &[("able", "kept"), ("necessity", "warning"), ("coverage kits", "kept")]);
        let answer = school.client.get(&format!("{path}/checks")).await.expect(200);
        let named = answer["checks"].as_array().unwrap().iter().find(|one| one["code"] == "necessity").unwrap()["organisations"].clone();
        let named: Vec<&str> = named.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        assert!(named.contains(&workshop.id.as_str()) && named.contains(&library.id.as_str()) && !named.contains(&school.id.as_str()), "{named:?}");
    }
}
