//! Interest in calls: declared, changed, withdrawn, and known to those alone whom it is shown to.

use serde_json::{Value, json};

use crate::support::app::Client;
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample::{self, Market, created, places};
use crate::support::service::{App, spawn};
use crate::support::world::{ALL_SCOPES, key};

const PATH: &str = "/v1/interests";
const NOBODY: &str = "019e0000-0000-7000-8000-000000000000";

/// A market whose call is published, with a key for each of its organisations.
struct World {
    app: App,
    market: Market,
    workshop: Client,
    school: Client,
    generalist: Client,
    funder: Client,
}

async fn world(engine: Engine) -> World {
    let app = spawn(engine).await;
    let market = sample::market(&app).await;
    app.post(&format!("/v1/calls/{}/publish", market.call), json!({})).await.expect(200);
    let workshop = key(&app, &app, &market.workshop, "owner", ALL_SCOPES).await;
    let school = key(&app, &app, &market.school, "owner", ALL_SCOPES).await;
    let generalist = key(&app, &app, &market.generalist, "owner", ALL_SCOPES).await;
    let funder = key(&app, &app, &market.funder, "owner", ALL_SCOPES).await;
    World { app, market, workshop, school, generalist, funder }
}

impl World {
    /// Of the workshop, to an audience.
    fn interest(&self, audience: &str, chosen: &[&str]) -> Value {
        json!({
            "call": self.market.call, "organisation": self.market.workshop, "lots": ["equipment"],
            "message": "Nous cherchons des formateurs.", "audience": audience, "chosen": chosen
        })
    }

    /// Who reads an interest, by its id and in the lists alike.
    async fn readers(&self, path: &str) -> Vec<&'static str> {
        let mut readers = Vec::new();
        for (name, client) in [
            ("workshop", &self.workshop),
            ("school", &self.school),
            ("generalist", &self.generalist),
            ("funder", &self.funder),
        ] {
            let one = client.get(path).await;
            let list = client.get(&format!("{PATH}?call={}", self.market.call)).await.expect(200);
            let count = list["items"].as_array().unwrap().len();
            assert_eq!(count, usize::from(one.status == 200), "{name}");
            if one.status == 200 {
                assert_eq!((&one.body, count), (&list["items"][0], 1), "{name}");
                let theirs = name == "workshop";
                assert_eq!(
                    (one.body.get("audience").is_some(), one.body.get("chosen").is_some()),
                    (theirs, theirs),
                    "{name}"
                );
                readers.push(name);
            } else {
                let mut problem = one.problem(404);
                let mut nothing = client.get(&format!("{PATH}/{NOBODY}")).await.problem(404);
                problem["request_id"] = json!("");
                nothing["request_id"] = json!("");
                assert_eq!(problem, nothing, "{name}");
            }
        }
        readers
    }
}

on_both_engines! {
    async fn an_interest_is_declared_read_changed_and_withdrawn(engine) {
        let world = world(engine).await;
        let written = world.interest("chosen", &[&world.market.school]);
        let answer = world.workshop.post(PATH, written.clone()).await.expect(201);
        for (member, value) in written.as_object().unwrap() {
            assert_eq!(&answer[member.as_str()], value, "{member}");
        }
        let path = answer.header("location").to_owned();
        let read = world.workshop.get(&path).await.expect(200);
        assert_eq!((&read.body, read.etag()), (&answer.body, "\"1\""));
        world.workshop.put(&path, "\"7\"", written.clone()).await.problem(412);
        let changed = world.workshop.put(&path, "\"1\"", world.interest("registered", &[])).await.expect(200);
        assert_eq!((changed.etag(), &changed["chosen"], &changed["audience"]), ("\"2\"", &json!([]), &json!("registered")));
        world.workshop.delete(&path, "\"1\"").await.problem(412);
        world.workshop.delete(&path, "\"2\"").await.expect(204);
        world.workshop.get(&path).await.problem(404);
        assert_eq!(world.school.get(PATH).await.expect(200)["items"], json!([]));
    }

    async fn an_interest_is_known_to_those_whom_it_is_shown_to(engine) {
        let world = world(engine).await;
        let (school, funder) = (world.market.school.clone(), world.market.funder.clone());
        let made = world.workshop.post(PATH, world.interest("nobody", &[])).await.expect(201);
        let path = made.header("location").to_owned();
        assert_eq!(world.readers(&path).await, ["workshop"]);
        for (number, (audience, chosen, readers)) in [
            ("funder", vec![], vec!["workshop", "funder"]),
            ("chosen", vec![school.as_str()], vec!["workshop", "school"]),
            ("chosen", vec![school.as_str(), funder.as_str()], vec!["workshop", "school", "funder"]),
            ("registered", vec![], vec!["workshop", "school", "generalist", "funder"]),
            ("nobody", vec![], vec!["workshop"]),
        ].into_iter().enumerate() {
            let etag = format!("\"{}\"", number + 1);
            world.workshop.put(&path, &etag, world.interest(audience, &chosen)).await.expect(200);
            assert_eq!(world.readers(&path).await, readers, "{audience} {chosen:?}");
        }
        // Nobody learns of it from the log of another either.
        for (client, id) in [(&world.school, &school), (&world.funder, &funder)] {
            let log = client.get(&format!("/v1/organisations/{id}/audit?limit=100")).await.expect(200);
            assert!(!log.body.to_string().contains(made["id"].as_str().unwrap()));
        }
        world.app.anonymous().get(&path).await.problem(401);
    }

    async fn whoever_reads_an_interest_of_others_may_not_change_it(engine) {
        let world = world(engine).await;
        let made = world.workshop.post(PATH, world.interest("registered", &[])).await.expect(201);
        let path = made.header("location").to_owned();
        world.school.put(&path, "\"1\"", world.interest("nobody", &[])).await.problem(403);
        world.school.delete(&path, "\"1\"").await.problem(403);
        let hidden = world.workshop.put(&path, "\"1\"", world.interest("nobody", &[])).await.expect(200);
        world.school.delete(&path, hidden.etag()).await.problem(404);
        let problem = world.school.post(PATH, world.interest("nobody", &[])).await.problem(422);
        assert_eq!(places(&problem), ["/organisation"]);
        let mut moved = world.interest("nobody", &[]);
        moved["organisation"] = json!(world.market.school);
        moved["call"] = json!(NOBODY);
        let problem = world.workshop.put(&path, hidden.etag(), moved).await.problem(422);
        assert_eq!(places(&problem), ["/call", "/call", "/organisation"]);
    }

    async fn an_organisation_has_one_interest_in_a_call_that_is_open(engine) {
        let world = world(engine).await;
        let made = world.workshop.post(PATH, world.interest("nobody", &[])).await.expect(201);
        world.workshop.post(PATH, world.interest("registered", &[])).await.problem(409);
        world.workshop.delete(made.header("location"), "\"1\"").await.expect(204);
        created(&world.workshop, PATH, world.interest("nobody", &[])).await;
        // A draft is there for its funder alone, and not open for it either.
        let draft = created(&world.funder, "/v1/calls", sample::call(&world.market.funder)).await;
        for (client, organisation, detail) in [
            (&world.workshop, &world.market.workshop, "there is no such call"),
            (&world.funder, &world.market.funder, "this call is not open: interest is in a published one"),
        ] {
            let problem = client.post(PATH, json!({ "call": draft, "organisation": organisation })).await.problem(422);
            assert_eq!((places(&problem), &problem["errors"][0]["detail"]), (vec!["/call"], &json!(detail)));
        }
        world.funder.post(&format!("/v1/calls/{}/close", world.market.call), json!({})).await.expect(200);
        let late = json!({ "call": world.market.call, "organisation": world.market.school });
        assert_eq!(places(&world.school.post(PATH, late).await.problem(422)), ["/call"]);
    }

    async fn a_list_goes_on_page_by_page_and_an_export_holds_what_is_ones_own(engine) {
        let world = world(engine).await;
        for (client, id) in [(&world.workshop, &world.market.workshop), (&world.school, &world.market.school), (&world.generalist, &world.market.generalist)] {
            let body = json!({ "call": world.market.call, "organisation": id, "audience": "registered", "message": format!("de {id}") });
            created(client, PATH, body).await;
        }
        let first = world.funder.get(&format!("{PATH}?limit=2")).await.expect(200);
        let next = first["next"].as_str().unwrap();
        let last = world.funder.get(&format!("{PATH}?limit=2&cursor={next}")).await.expect(200);
        assert_eq!((first["items"].as_array().unwrap().len(), last["items"].as_array().unwrap().len()), (2, 1));
        let own = world.funder.get(&format!("{PATH}?organisation={}", world.market.school)).await.expect(200);
        assert_eq!(own["items"][0]["organisation"], json!(world.market.school));
        let export = world.school.get(&format!("/v1/organisations/{}/export", world.market.school)).await.expect(200);
        let interests = export["interests"].as_array().unwrap();
        assert_eq!((interests.len(), &interests[0]["message"]), (1, &json!(format!("de {}", world.market.school))));
        assert_eq!(interests[0]["audience"], "registered");
    }
}

#[actix_web::test]
async fn every_fault_of_an_interest_is_told_at_once() {
    let world = world(Engine::Sqlite).await;
    let school = &world.market.school;
    let mut wrong = world.interest("chosen", &[NOBODY, &world.market.workshop, school, school]);
    wrong["lots"] = json!(["equipment", "catering", "equipment"]);
    let problem = world.workshop.post(PATH, wrong).await.problem(422);
    assert_eq!(places(&problem), ["/lots/1", "/lots/2", "/chosen/0", "/chosen/1", "/chosen/3"]);
    for (audience, chosen) in [("chosen", vec![]), ("funder", vec![school.as_str()])] {
        let problem = world.workshop.post(PATH, world.interest(audience, &chosen)).await.problem(422);
        assert_eq!(places(&problem), ["/chosen"], "{audience}");
    }
    assert_eq!(world.workshop.get(PATH).await.expect(200)["items"], json!([]));
}
