//! Who already works with whom.

use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::sample::{self, created, everything, places};
use crate::support::service::spawn;

const PATH: &str = "/v1/relations";

fn relation(a: &str, b: &str) -> Value {
    json!({ "a": a, "b": b, "kind": "co_contracting", "strength_percent": 80, "source": "Marché de 2024",
        "since": "2024-01-01", "until": "2025-12-31" })
}

on_both_engines! {
    async fn a_relation_is_recorded_read_replaced_and_deleted(engine) {
        let app = spawn(engine).await;
        let one = sample::organisation(&app, "Une").await;
        let two = sample::organisation(&app, "Deux").await;
        let answer = app.post(PATH, relation(&one, &two)).await.expect(201);
        for (member, value) in relation(&one, &two).as_object().unwrap() {
            assert_eq!(&answer[member.as_str()], value, "{member}");
        }
        let path = answer.header("location").to_owned();
        assert_eq!(app.get(&path).await.expect(200).body, answer.body);
        let body = json!({ "a": one, "b": two, "kind": "network", "strength_percent": 1 });
        let replaced = app.put(&path, answer.etag(), body).await.expect(200);
        assert_eq!((replaced.etag(), replaced.body.get("source"), &replaced["kind"]), ("\"2\"", None, &json!("network")));
        app.delete(&path, "\"2\"").await.expect(204);
        app.get(&path).await.problem(404);
    }

    async fn a_pair_has_one_relation_of_a_kind_in_either_order(engine) {
        let app = spawn(engine).await;
        let one = sample::organisation(&app, "Une").await;
        let two = sample::organisation(&app, "Deux").await;
        created(&app, PATH, relation(&one, &two)).await;
        let before = everything(&app).await;
        app.post(PATH, relation(&one, &two)).await.problem(409);
        app.post(PATH, relation(&two, &one)).await.problem(409);
        assert_eq!(everything(&app).await, before);
        let mut other_kind = relation(&two, &one);
        other_kind["kind"] = json!("referral");
        let id = created(&app, PATH, other_kind).await;
        app.put(&format!("{PATH}/{id}"), "\"1\"", relation(&two, &one)).await.problem(409);
    }

    async fn a_list_is_narrowed_to_one_organisation(engine) {
        let app = spawn(engine).await;
        let ids = [sample::organisation(&app, "Une").await, sample::organisation(&app, "Deux").await, sample::organisation(&app, "Trois").await];
        created(&app, PATH, relation(&ids[0], &ids[1])).await;
        created(&app, PATH, relation(&ids[1], &ids[2])).await;
        for (id, count) in ids.iter().zip([1, 2, 1]) {
            let page = app.get(&format!("{PATH}?organisation={id}")).await.expect(200);
            assert_eq!(page["items"].as_array().unwrap().len(), count);
        }
    }

    async fn every_fault_of_a_relation_is_told_at_once(engine) {
        let app = spawn(engine).await;
        let nobody = "019e0000-0000-7000-8000-000000000000";
        let mut body = relation(nobody, nobody);
        body["until"] = json!("2023-12-31");
        assert_eq!(places(&app.post(PATH, body.clone()).await.problem(422)), ["/a", "/b", "/b", "/until"]);
        body["strength_percent"] = json!(0);
        body["kind"] = json!("marriage");
        body["a"] = json!("me");
        assert_eq!(places(&app.post(PATH, body).await.problem(422)), ["/a", "/kind", "/strength_percent"]);
        assert_eq!(app.get(PATH).await.expect(200)["items"], json!([]));
    }
}
