//! Who sees what of a consortium, at each stage.

use serde_json::{Value, json};

use super::team::{Actor, Team, member, of, team};
use crate::support::app::Answer;
use crate::support::on_both_engines;

const NOWHERE: &str = "/v1/consortia/019e0000-0000-7000-8000-000000000000";

fn anonymous(answer: Answer) -> Value {
    let mut problem = answer.problem(404);
    problem["request_id"] = json!("");
    problem
}

/// Somebody cannot tell the consortium from one that does not exist.
async fn blind(path: &str, who: &Actor) {
    let terms = json!({ "terms": 1 });
    let none = anonymous(who.client.get(NOWHERE).await);
    assert_eq!(anonymous(who.client.get(path).await), none);
    assert_eq!(anonymous(who.client.get(&format!("{path}?organisation={}", who.id)).await), none);
    assert_eq!(anonymous(who.client.post(&member(path, who, "accept"), terms).await), none);
    assert_eq!(anonymous(who.client.post(&format!("{path}/sign"), json!({ "digest": "0".repeat(64) })).await), none);
    assert_eq!(anonymous(who.client.post(&member(path, who, "rescind"), json!({})).await), none);
    assert_eq!(anonymous(who.client.delete(path, "\"1\"").await), none);
    assert_eq!(who.client.get("/v1/consortia").await.expect(200)["items"], json!([]));
}

/// The organisations of which somebody reads.
async fn known(team: &Team, path: &str, who: &Actor) -> Vec<&'static str> {
    let view = who.client.get(path).await.expect(200).body;
    let all = [
        ("school", &team.school),
        ("workshop", &team.workshop),
        ("library", &team.library),
        ("stranger", &team.stranger),
    ];
    all.into_iter().filter(|(_, one)| !of(&view, one).is_null()).map(|(name, _)| name).collect()
}

on_both_engines! {
    async fn each_sees_what_it_may_at_each_stage(engine) {
        let team = team(engine).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        for who in [school, workshop, library] {
            let organisation = format!("/v1/organisations/{}", who.id);
            let etag = who.client.get(&organisation).await.expect(200).etag().to_owned();
            who.client.put(&organisation, &etag, json!({ "name": "x", "contact": format!("canary-{}", who.id) })).await.expect(200);
        }
        let path = team.founded().await;
        team.invite(&path, workshop, 100, json!({})).await.expect(200);
        team.invite(&path, library, 77, json!({})).await.expect(200);
        team.invite(&path, &team.stranger, 3, json!({ "alternate": true })).await.expect(200);
        for who in [&team.stranger, &team.funder] {
            blind(&path, who).await;
        }
        // Invited: the call, who invites, one's own terms; nothing of the others, nor how they do.
        let first = workshop.client.get(&path).await.expect(200);
        assert_eq!((&first["lead"], &first["call"], &first["version"]), (&json!(school.id), &json!(team.call), &json!(1)));
        assert_eq!(known(&team, &path, workshop).await, ["workshop"]);
        for hidden in ["phase", "plan", "pending", "coordination_cents", "digest", "statement", "ending"] {
            assert!(first.body.get(hidden).is_none(), "{hidden}");
        }
        let text = first.body.to_string();
        assert!(text.contains("10000") && !text.contains("7700") && !text.contains("3600000") && !text.contains("canary"), "{text}");
        // What the others do changes nothing of it, to the byte.
        team.accept(&path, library, json!({})).await.expect(200);
        assert_eq!(workshop.client.get(&path).await.expect(200).body, first.body);
        assert_eq!(known(&team, &path, library).await, ["school", "library"]);
        let seen = library.client.get(&path).await.expect(200);
        assert_eq!((&seen["pending"], &seen["phase"]), (&json!(1), &json!("forming")));
        // Contacts and shares of who has accepted; amounts of nobody but oneself.
        let text = seen.body.to_string();
        assert!(text.contains(&format!("canary-{}", school.id)) && !text.contains(&format!("canary-{}", workshop.id)));
        assert!(text.contains("1200") && text.contains("7700") && !text.contains("3600000"), "{text}");
        // Who lets itself be shown is shown to those who are invited: that it takes part, not for what.
        let etag = seen.etag().to_owned();
        let shown = json!({ "consent": { "show_to_invited": true } });
        library.client.put(&format!("{path}/members/{}", library.id), &etag, shown).await.expect(200);
        assert_eq!(known(&team, &path, workshop).await, ["workshop", "library"]);
        let view = workshop.client.get(&path).await.expect(200).body;
        assert_eq!(of(&view, library), json!({ "organisation": library.id, "role": "group-mem", "standing": "accepted" }));
        // The lead knows whom it has asked, and the alternate; others do not.
        assert_eq!(known(&team, &path, school).await, ["school", "workshop", "library", "stranger"]);
        team.accept(&path, workshop, json!({})).await.expect(200);
        assert_eq!(known(&team, &path, workshop).await, ["school", "workshop", "library"]);
        let view = workshop.client.get(&path).await.expect(200).body;
        assert!(view.to_string().contains("canary-") && !view.to_string().contains("7700"));
        // Who has gone sees what it was asked, and no more of the others.
        workshop.client.post(&member(&path, workshop, "leave"), json!({})).await.expect(200);
        let past = workshop.client.get(&path).await.expect(200).body;
        assert_eq!((known(&team, &path, workshop).await, &past["standing"], past.get("phase")), (vec!["workshop"], &json!("left"), None));
        assert_eq!(known(&team, &path, &team.stranger).await, ["library", "stranger"], "it has moved up");
        blind(&path, &team.funder).await;
    }

    async fn an_alternate_that_is_let_go_never_knew(engine) {
        let team = team(engine).await;
        let path = team.founded().await;
        team.invite(&path, &team.library, 3, json!({ "alternate": true })).await.expect(200);
        team.school.client.post(&member(&path, &team.library, "rescind"), json!({})).await.expect(200);
        blind(&path, &team.library).await;
        team.invite(&path, &team.library, 3, json!({ "alternate": true })).await.expect(200);
        let organisation = format!("/v1/organisations/{}", team.library.id);
        let etag = team.library.client.get(&organisation).await.expect(200).etag().to_owned();
        team.library.client.delete(&organisation, &etag).await.expect(204);
        assert_eq!(known(&team, &path, &team.school).await, ["school"]);
    }

    async fn a_reservation_looks_like_any_invitation_that_is_not_answered(engine) {
        let mut seen = Vec::new();
        let team = team(engine).await;
        let path = team.founded().await;
        let against = json!({ "against": team.school.id });
        for (who, reserves) in [(&team.workshop, true), (&team.library, false)] {
            if reserves {
                let reservations = format!("/v1/organisations/{}/reservations", who.id);
                who.client.post(&reservations, against.clone()).await.expect(201);
            }
            let answer = team.invite(&path, who, 9, json!({})).await.expect(200);
            let mut own = of(&answer.body, who);
            for varies in ["organisation", "answer_by"] {
                own[varies] = json!("");
            }
            seen.push(own);
        }
        assert_eq!(seen[0], seen[1]);
    }

    async fn what_is_read_of_others_is_in_their_log(engine) {
        let team = team(engine).await;
        let path = team.pair().await;
        let readings = async |who: &Actor| {
            let log = who.client.get(&format!("/v1/organisations/{}/audit?limit=100", who.id)).await.expect(200);
            log["items"].as_array().unwrap().iter().filter(|one| one["action"] == "get_consortium").count()
        };
        // The workshop has read its invitation.
        assert_eq!((readings(&team.school).await, readings(&team.workshop).await), (0, 1));
        team.school.client.get(&path).await.expect(200);
        assert_eq!((readings(&team.school).await, readings(&team.workshop).await), (1, 2), "amounts of the workshop were shown");
        team.workshop.client.get(&path).await.expect(200);
        assert_eq!((readings(&team.school).await, readings(&team.workshop).await), (1, 3), "none of the school were");
        team.invite(&path, &team.library, 5, json!({ "alternate": true })).await.expect(200);
        team.school.client.get(&path).await.expect(200);
        assert_eq!(readings(&team.library).await, 0, "an alternate learns nothing from its log");
    }
}
