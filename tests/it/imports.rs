//! Files of territories, and what every import has in common.

use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::sample::everything;
use crate::support::service::{App, spawn};

const HEADER: &str = "code,name,kind,parent,population,lat,lon";

/// The import of these rows.
pub async fn import(app: &App, kind: &str, text: &str) -> Value {
    let answer = app.post_text(&format!("/v1/imports?kind={kind}"), "text/csv", text).await.expect(201);
    let read = app.get(answer.header("location")).await.expect(200);
    assert_eq!(read.body, answer.body);
    answer.body
}

/// The faults of an import, each as `line field problem action`.
pub async fn faults(app: &App, import: &Value) -> Vec<String> {
    let page = app.get(&format!("/v1/imports/{}/faults?limit=100", import["id"].as_str().unwrap())).await.expect(200);
    let word = |fault: &Value, member: &str| fault[member].as_str().unwrap().to_owned();
    let line = |fault: &Value| {
        assert!(!word(fault, "message").is_empty());
        format!("{} {} {} {}", fault["line"], word(fault, "field"), word(fault, "problem"), word(fault, "action"))
    };
    page["items"].as_array().unwrap().iter().map(line).collect()
}

async fn territories(app: &App, rows: &str) -> Value {
    import(app, "territories", &format!("{HEADER}\n{rows}")).await
}

/// How many were created, updated and left as they were.
pub fn touched(import: &Value, what: &str) -> [u64; 3] {
    ["created", "updated", "unchanged"].map(|member| import["summary"][what][member].as_u64().unwrap())
}

on_both_engines! {
    async fn territories_come_in_any_order_and_twice_the_same_file_changes_nothing(engine) {
        let app = spawn(engine).await;
        let rows = "C1,Nord,commune,M,30000,45.77,4.96\nM,Métropole,metropole,R,,,\nR,Région,region,,,,\n";
        let first = territories(&app, rows).await;
        assert_eq!((touched(&first, "territories"), &first["summary"]["faults"]), ([3, 0, 0], &json!({})));
        assert_eq!(app.get("/v1/territories/C1").await.expect(200)["population"], json!(30_000));

        let before = app.get("/v1/territories?limit=100").await.expect(200).body;
        let second = territories(&app, rows).await;
        assert_eq!((touched(&second, "territories"), &second["digest"]), ([0, 0, 3], &first["digest"]));
        assert_eq!(app.get("/v1/territories?limit=100").await.expect(200).body, before, "neither versions nor times move");
    }

    async fn a_file_completes_what_is_known_and_keeps_the_indicators(engine) {
        let app = spawn(engine).await;
        let body = json!({ "name": "Nord", "kind": "commune", "indicators": { "fragility": 0.4 } });
        app.put_new("/v1/territories/C1", body).await.expect(201);
        // The new parent stands in the same file.
        let import = territories(&app, "C1,Nord,commune,M,30000,,\nM,Métropole,metropole,,,,\n").await;
        assert_eq!(touched(&import, "territories"), [1, 1, 0]);
        let territory = app.get("/v1/territories/C1").await.expect(200);
        assert_eq!((&territory["parent"], &territory["version"]), (&json!("M"), &json!(2)));
        assert_eq!(territory["indicators"], json!({ "fragility": 0.4 }));
    }

    async fn a_tree_may_be_turned_upside_down_by_a_file(engine) {
        let app = spawn(engine).await;
        territories(&app, "A,A,district,,,,\nB,B,district,A,,,\n").await;
        let import = territories(&app, "A,A,district,B,,,\nB,B,district,,,,\n").await;
        assert_eq!((touched(&import, "territories"), faults(&app, &import).await), ([0, 2, 0], vec![]));
        assert_eq!(app.get("/v1/territories/A").await.expect(200)["parent"], "B");
    }

    async fn a_bad_row_never_stops_the_good_ones(engine) {
        let app = spawn(engine).await;
        let import = territories(
            &app,
            "A,Bonne,commune,,100,45.1,4.8\n,Sans code,commune,,,,\nB,,commune,,,,\nC,Mauvais genre,village,,,,\nD,Lui-même,commune,D,,,\n\
             E,Orphelin,commune,nulle-part,,,\nF,Sous l’orphelin,district,E,,,\nA,Deux fois,commune,,,,\nG g,Espace,commune,,,,\nH,Trop,commune,,,,,\n\
             I,Nombres,commune,,beaucoup,91,4\nJ,Virgule,commune,,\"1 500\",\"45,5\",\"4,5\"\n",
        )
        .await;
        let expected = [
            "3 code missing_value row_skipped", "4 name missing_value row_skipped", "5 kind unknown_kind row_skipped",
            "6 parent self_parent row_skipped", "7 parent unknown_territory row_skipped", "8 parent unknown_territory row_skipped",
            "9 code duplicate row_skipped", "10 code invalid_code row_skipped", "11  wrong_field_count row_skipped",
            "12 population invalid_number value_ignored", "12 lat outside_area value_ignored",
            "13 population number_format value_corrected", "13 lat number_format value_corrected", "13 lon number_format value_corrected",
        ];
        assert_eq!(faults(&app, &import).await, expected);
        assert_eq!((&import["summary"]["rows"], &import["summary"]["rows_skipped"]), (&json!(12), &json!(9)));
        assert_eq!(touched(&import, "territories"), [3, 0, 0]);
        let page = app.get("/v1/territories").await.expect(200);
        let codes: Vec<&Value> = page["items"].as_array().unwrap().iter().map(|item| &item["code"]).collect();
        assert_eq!(codes, ["A", "I", "J"]);
        assert_eq!((&page["items"][2]["population"], &page["items"][2]["latitude"]), (&json!(1500), &json!(45.5)));
    }

    async fn cycles_are_refused_within_a_file_and_across_files(engine) {
        let app = spawn(engine).await;
        let within = territories(&app, "A,A,district,C,,,\nB,B,district,A,,,\nC,C,district,B,,,\nD,D,district,C,,,\nE,E,district,,,,\n").await;
        let expected = ["2 parent cycle row_skipped", "3 parent cycle row_skipped", "4 parent cycle row_skipped", "5 parent unknown_territory row_skipped"];
        assert_eq!(faults(&app, &within).await, expected);
        assert_eq!(touched(&within, "territories"), [1, 0, 0]);

        territories(&app, "F,F,district,E,,,\nG,G,district,F,,,\n").await;
        let before = app.get("/v1/territories").await.expect(200).body;
        let across = territories(&app, "E,E,district,G,,,\n").await;
        assert_eq!(faults(&app, &across).await.len(), 1);
        assert_eq!(app.get("/v1/territories").await.expect(200).body, before);
    }

    async fn imports_are_kept_and_listed(engine) {
        let app = spawn(engine).await;
        let one = territories(&app, "A,A,commune,,,,\n").await;
        let two = territories(&app, "").await;
        assert_eq!(app.get("/v1/imports").await.expect(200)["items"], json!([one, two]));
        assert_eq!((&two["kind"], &two["summary"]["rows"]), (&json!("territories"), &json!(0)));
        let before = everything(&app).await;
        app.post_text("/v1/imports?kind=territories", "text/csv", "nothing,of,this").await.problem(422);
        assert_eq!(everything(&app).await, before, "a refused file leaves no trace");
    }
}
