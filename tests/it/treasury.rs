//! The treasury of a consortium over HTTP: who sees which line, and who is warned.

use serde_json::{Value, json};

use crate::consortia::team::{Team, member, team};
use crate::support::on_both_engines;
use crate::support::sample::places;

async fn lines(team: &Team, path: &str, who: &str) -> Vec<String> {
    let client = if who == "school" { &team.school.client } else { &team.workshop.client };
    let treasury = client.get(&format!("{path}/treasury")).await.expect(200);
    treasury["members"].as_array().unwrap().iter().map(|own| own["organisation"].as_str().unwrap().to_owned()).collect()
}

/// Has the school and the workshop share their prices.
async fn share(team: &Team, path: &str) {
    for who in [&team.school, &team.workshop] {
        let seen = who.client.get(path).await.expect(200);
        let consent = json!({ "consent": { "share_prices": true } });
        who.client.put(member(path, who, "").trim_end_matches('/'), seen.etag(), consent).await.expect(200);
    }
}

on_both_engines! {
    async fn each_reads_its_own_line_and_all_lines_only_where_all_share(engine) {
        let team = team(engine).await;
        let path = team.pair().await;
        assert_eq!(lines(&team, &path, "school").await, std::slice::from_ref(&team.school.id));
        assert_eq!(lines(&team, &path, "workshop").await, std::slice::from_ref(&team.workshop.id));
        team.stranger.client.get(&format!("{path}/treasury")).await.problem(404);
        team.funder.client.get(&format!("{path}/treasury")).await.problem(404);
        share(&team, &path).await;
        let both = lines(&team, &path, "workshop").await;
        assert_eq!(both, [team.school.id.clone(), team.workshop.id.clone()], "the lead first");
        assert_eq!(lines(&team, &path, "school").await, both);
    }

    async fn a_line_adds_up_and_only_its_owner_is_told_whether_its_cash_suffices(engine) {
        let team = team(engine).await;
        let path = team.pair().await;
        share(&team, &path).await;
        let cash = |client: crate::support::app::Client, id: String, cents: i64| async move {
            let own = format!("/v1/organisations/{id}");
            let seen = client.get(&own).await.expect(200);
            client.put(&own, seen.etag(), json!({ "name": "x", "available_cash_cents": cents })).await.expect(200);
        };
        cash(team.school.client.clone(), team.school.id.clone(), 123_457).await;
        let treasury = team.school.client.get(&format!("{path}/treasury")).await.expect(200);
        let own = &treasury["members"][0];
        // 36,000 € for lessons, and 1,000 € for coordinating.
        assert_eq!(own["amount_cents"], 3_700_000);
        let sum = |field: &str| own["months"].as_array().unwrap().iter().map(|month| month[field].as_i64().unwrap()).sum::<i64>();
        assert_eq!((sum("spent_cents"), sum("received_cents")), (3_700_000, own["paid_cents"].as_i64().unwrap()));
        let highest = own["months"].as_array().unwrap().iter().map(|month| month["highest_cents"].as_i64().unwrap()).max();
        assert_eq!(own["peak_cents"].as_i64(), highest);
        let means = &own["means"];
        assert_eq!((&means["available_cash_cents"], &means["suffices"]), (&json!(123_457), &json!(false)));
        assert_eq!(means["missing_cents"].as_i64().unwrap(), own["peak_cents"].as_i64().unwrap() - 123_457);
        assert!(means["warning_fr"].as_str().unwrap().contains("Avant de signer"));
        let other = team.workshop.client.get(&format!("{path}/treasury")).await.expect(200);
        assert!(!other.body.to_string().contains("123457"), "cash is its owner's secret");
        assert!(other["members"].as_array().unwrap().iter().all(|own| own.get("means").is_none()));
        cash(team.school.client.clone(), team.school.id.clone(), 1_000_000_000).await;
        let treasury = team.school.client.get(&format!("{path}/treasury")).await.expect(200);
        assert_eq!(treasury["members"][0]["means"]["suffices"], true);
    }

    async fn assumptions_are_stated_and_may_be_changed(engine) {
        let team = team(engine).await;
        let path = team.founded().await;
        let ask = async |query: &str| team.school.client.get(&format!("{path}/treasury{query}")).await;
        let usual = ask("").await.expect(200);
        assert_eq!((&usual["assumptions"]["invoicing"], &usual["assumptions"]["advance_above_cents"]), (&json!("quarterly"), &json!(5_000_000)));
        let monthly = ask("?invoicing=monthly").await.expect(200);
        let peak = |answer: &Value| answer["members"][0]["peak_cents"].as_i64().unwrap();
        assert!(peak(&monthly.body) < peak(&usual.body), "who invoices more often carries less");
        assert_eq!(places(&ask("?recovery_until_percent=0&advance_delay_days=366").await.problem(400)), ["advance_delay_days", "recovery_until_percent"]);
        ask("?invoicing=daily").await.problem(400);
    }

    async fn another_members_amounts_show_in_nothing_that_is_not_shared(engine) {
        let team = team(engine).await;
        let path = team.pair().await;
        let before = team.school.client.get(&format!("{path}/treasury")).await.expect(200);
        team.sql("UPDATE consortium_part SET amount_cents = 999999999 WHERE need_code = 'kits'").await;
        let after = team.school.client.get(&format!("{path}/treasury")).await.expect(200);
        assert_eq!(before.body, after.body);
    }
}
