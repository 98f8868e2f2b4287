//! A consortium files what all its members have signed, and shows it as a document.

use serde_json::json;

use crate::consortia::team::{Team, member, of, team, team_for};
use crate::support::on_both_engines;

/// Has both share their prices.
async fn share(team: &Team, path: &str) {
    for who in [&team.school, &team.workshop] {
        let seen = who.client.get(path).await.expect(200);
        let own = member(path, who, "");
        let consent = json!({ "consent": { "share_prices": true } });
        who.client.put(own.trim_end_matches('/'), seen.etag(), consent).await.expect(200);
    }
}

async fn agreed(team: &Team, path: &str) {
    team.sign(path, &team.school).await.expect(200);
    team.sign(path, &team.workshop).await.expect(200);
}

on_both_engines! {
    async fn what_all_have_signed_becomes_the_sealed_bid_of_the_lead(engine) {
        let team = team(engine).await;
        let path = team.pair().await;
        let file = format!("{path}/file");
        let nothing = json!({});
        team.school.client.post(&file, nothing.clone()).await.problem(409);
        team.sign(&path, &team.school).await.expect(200);
        team.school.client.post(&file, nothing.clone()).await.problem(409);
        team.sign(&path, &team.workshop).await.expect(200);
        team.workshop.client.post(&file, nothing.clone()).await.problem(403);
        team.stranger.client.post(&file, nothing.clone()).await.problem(404);
        let receipt = team.school.client.post(&file, nothing.clone()).await.expect(201);
        let bid = format!("/v1/bids/{}", receipt["id"].as_str().unwrap());
        let content = team.school.client.get(&bid).await.expect(200)["sealed"]["content"].clone();
        assert_eq!((&content["organisation"], &content["coordination_cents"]), (&json!(team.school.id), &json!(100_000)));
        assert_eq!(content["amount_cents"], 3_600_000 + 100 * 100 + 100_000);
        let roles: Vec<_> = content["members"].as_array().unwrap().iter().map(|own| own["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["group-lead", "group-mem"]);
        team.workshop.client.get(&bid).await.problem(404);
        team.funder.client.get(&bid).await.problem(404);
        assert_eq!(team.workshop.client.get(&path).await.expect(200)["phase"], "filed");

        // It is the consortium's: its lead neither replaces nor withdraws it alone.
        let alone = crate::support::bidding::alone(&team.school.id, 1, 1);
        team.school.client.post(&format!("/v1/calls/{}/bids", team.call), alone).await.problem(409);
        team.school.client.delete(&bid, "\"1\"").await.problem(409);
        team.school.client.post(&file, nothing.clone()).await.problem(409);

        // Taken back, it may be filed anew: another bid, of what was signed.
        team.workshop.client.post(&format!("{path}/withdraw"), nothing.clone()).await.problem(403);
        team.school.client.post(&format!("{path}/withdraw"), nothing.clone()).await.expect(200);
        assert_eq!(team.school.client.get(&bid).await.expect(200)["receipt"]["state"], "withdrawn");
        let again = team.school.client.post(&file, nothing.clone()).await.expect(201);
        assert_ne!(again["id"], receipt["id"]);
        team.sql("UPDATE call SET answers_due_at = '2020-01-01T00:00:00+00:00'").await;
        team.school.client.post(&format!("{path}/withdraw"), nothing).await.problem(409);
    }

    async fn after_the_deadline_nothing_is_filed(engine) {
        let team = team(engine).await;
        let path = team.pair().await;
        agreed(&team, &path).await;
        team.sql("UPDATE call SET answers_due_at = '2020-01-01T00:00:00+00:00'").await;
        team.school.client.post(&format!("{path}/file"), json!({})).await.problem(409);
        let bids = team.school.client.get(&format!("/v1/calls/{}/bids", team.call)).await.expect(200);
        assert_eq!(bids["items"], json!([]));
    }

    async fn the_answer_is_a_document_with_signatures_for_members_who_all_share(engine) {
        let team = team(engine).await;
        let path = team.pair().await;
        let answer = format!("{path}/answer");
        // The lead has offered all amounts, and knows them; the workshop does not know the lead's.
        team.school.client.get(&answer).await.expect(200);
        team.workshop.client.get(&answer).await.problem(403);
        team.stranger.client.get(&answer).await.problem(404);
        share(&team, &path).await;
        agreed(&team, &path).await;
        let document = team.workshop.client.get(&answer).await.expect(200);
        assert_eq!((&document["group"]["name"], &document["group"]["form"]), (&json!("Ensemble"), &json!("conjoint")));
        assert_eq!((&document["coordination_cents"], &document["amount_cents"]), (&json!(100_000), &json!(3_710_000)));
        let digest = team.school.client.get(&path).await.expect(200)["digest"].clone();
        assert_eq!(document["digest"], digest);
        let signed = document["signatures"].as_array().unwrap();
        assert!(signed.len() == 2 && signed.iter().all(|own| own["digest"] == digest), "{signed:?}");
        let sums: i64 = document["years"].as_array().unwrap().iter().map(|year| year["amount_cents"].as_i64().unwrap()).sum();
        assert_eq!(sums, 3_710_000);
        let docx = team.school.client.get(&format!("{answer}?format=docx")).await.expect(200);
        let text = docx.body.as_str().unwrap();
        for said in ["school", "workshop", "Ordinateurs", "mandataire", digest.as_str().unwrap()] {
            assert!(text.contains(said), "the document does not say {said}");
        }
    }

    async fn a_consortium_answers_a_change_request_by_a_new_version_that_all_sign(engine) {
        let team = team_for(engine, |call| call["group_policy"] = json!({ "negotiated": true })).await;
        let path = team.pair().await;
        agreed(&team, &path).await;
        let filed = team.school.client.post(&format!("{path}/file"), json!({})).await.expect(201);
        team.sql("UPDATE call SET answers_due_at = '2020-01-01T00:00:00+00:00'").await;
        let second = crate::support::people::person(&team.app, "second@example.org").await;
        crate::support::people::let_in(&team.funder.client, &team.funder.id, &second, "owner").await;
        for who in [&team.funder.client, &second] {
            who.post(&format!("/v1/calls/{}/openings", team.call), json!({})).await.expect(200);
        }
        assert_eq!(team.school.client.get(&path).await.expect(200)["phase"], "negotiation");
        let bid = format!("/v1/bids/{}", filed["id"].as_str().unwrap());
        let ask = json!({ "due_at": "2190-01-01T00:00:00Z", "text": "Plus d'ordinateurs" });
        second.post(&format!("{bid}/change-requests"), ask).await.expect(201);
        let content = team.school.client.get(&bid).await.expect(200)["sealed"]["content"].clone();
        team.school.client.post(&format!("{bid}/revisions"), content).await.problem(409);

        let seen = team.workshop.client.get(&path).await.expect(200);
        let dearer = json!({ "consent": {}, "amounts": [{ "need": "kits", "amount_cents": 20_000 }] });
        let own = member(&path, &team.workshop, "");
        team.workshop.client.put(own.trim_end_matches('/'), seen.etag(), dearer).await.expect(200);
        team.school.client.post(&format!("{path}/file"), json!({})).await.problem(409);
        agreed(&team, &path).await;
        let revised = team.school.client.post(&format!("{path}/file"), json!({})).await.expect(201);
        let seen = second.get(&format!("/v1/bids/{}", revised["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(seen["sealed"]["content"]["amount_cents"], 3_720_000);
        second.get(&bid).await.problem(404);

        // A decision, once it is told, moves the consortium on.
        let on = json!({ "bid": revised["id"], "chosen": true, "reasons": "Complète" });
        let lot = |lot: &str| json!({ "lot": lot, "outcome": "awarded", "reasons": "Une offre", "bids": [on] });
        let decision = json!({ "tell_at": "2020-01-01T00:00:00Z", "lots": [lot("equipment"), lot("training")] });
        second.post(&format!("/v1/calls/{}/decisions", team.call), decision).await.expect(201);
        let seen = team.workshop.client.get(&path).await.expect(200);
        assert_eq!(seen["phase"], "execution");
        assert!(of(&seen.body, &team.workshop)["bound_by"].is_number(), "the plan binds it");
    }

    async fn a_consortium_that_is_dissolved_withdraws_its_answer_and_the_funder_learns_it_after_the_opening(engine) {
        let negotiated = |call: &mut serde_json::Value| call["group_policy"] = json!({ "negotiated": true });
        let team = team_for(engine, negotiated).await;
        let (school, funder) = (&team.school, &team.funder);
        let withdrawals = async |who: &crate::consortia::team::Actor| {
            let feed = who.client.get("/v1/events?type=bid.withdrawn").await.expect(200);
            feed["items"].as_array().unwrap().iter().map(|one| one["subject"]["id"].clone()).collect::<Vec<_>>()
        };
        let path = team.pair().await;
        let bid = team.filed(&path, &[school, &team.workshop]).await;
        let etag = school.client.get(&path).await.expect(200).etag().to_owned();
        school.client.delete(&path, &etag).await.problem(409);
        let second = team.opened(&team.call).await;
        let ask = json!({ "due_at": "2190-01-01T00:00:00Z", "text": "Plus d'ordinateurs" });
        second.post(&format!("/v1/bids/{bid}/change-requests"), ask).await.expect(201);
        let none = json!({ "tell_at": "2190-01-01T00:00:00Z", "lots": [{ "lot": "training", "outcome": "no_award", "reasons": "x", "bids": [] }] });
        let decisions = format!("/v1/calls/{}/decisions", team.call);
        second.post(&decisions, none.clone()).await.problem(409);
        let etag = school.client.get(&path).await.expect(200).etag().to_owned();
        team.workshop.client.delete(&path, &etag).await.problem(403);
        school.client.delete(&path, &etag).await.expect(204);
        assert_eq!(school.client.get(&path).await.expect(200)["ending"], "abandoned");
        let own = school.client.get(&format!("/v1/bids/{bid}")).await.expect(200);
        assert_eq!(own["receipt"]["state"], "withdrawn");
        second.get(&format!("/v1/bids/{bid}")).await.problem(404);
        assert_eq!(second.get(&format!("/v1/calls/{}/bids", team.call)).await.expect(200)["items"], json!([]));
        assert_eq!((withdrawals(funder).await, withdrawals(school).await), (vec![json!(bid)], vec![json!(bid)]));
        // Nobody waits for its changes any more.
        second.post(&decisions, none).await.expect(201);

        // Between the deadline and the opening nobody else knows that there was an answer.
        let next = team.another_call(negotiated).await;
        let new = json!({ "call": next, "name": "Seule", "lots": ["training"], "parts": [{ "need": "lessons", "quantity": 1_200, "amount_cents": 1 }] });
        let path = school.client.post("/v1/consortia", new).await.expect(201).header("location").to_owned();
        let bid = team.filed(&path, &[school]).await;
        team.sql("UPDATE call SET answers_due_at = '2020-01-01T00:00:00+00:00'").await;
        team.sql("UPDATE consortium SET due_at = '2020-01-01T00:00:00+00:00'").await;
        let seen = school.client.get(&path).await.expect(200);
        assert_eq!(seen["phase"], "negotiation");
        school.client.delete(&path, seen.etag()).await.expect(204);
        assert_eq!(school.client.get(&format!("/v1/bids/{bid}")).await.expect(200)["receipt"]["state"], "withdrawn");
        assert_eq!((withdrawals(funder).await.len(), withdrawals(school).await.len()), (1, 2));
    }
}
