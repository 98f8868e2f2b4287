//! Files written by other hands: encodings, delimiters, line ends, and what is no table at all.

use serde_json::{Value, json};

use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample::{everything, places};
use crate::support::service::{App, spawn};

const TERRITORIES: &str = "/v1/imports?kind=territories";
const FILE: &str = "code,name,kind,parent,population,lat,lon\n\
                    M,Métropole de l’Écluse,metropole,,40000,,\n\
                    C1,Décines-la-Forêt,commune,M,30000,45.77,4.96\n";

/// The summary of an import that goes through.
async fn imported(app: &App, bytes: impl Into<Vec<u8>>) -> Value {
    app.post_text(TERRITORIES, "text/csv", bytes).await.expect(201)["summary"].clone()
}

/// In Windows-1252, of which Latin-1 is a part.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| if c == '’' { 0x92 } else { u8::try_from(u32::from(c)).unwrap() }).collect()
}

on_both_engines! {
    async fn every_way_of_writing_the_same_table_gives_the_same_territories(engine) {
        let comma = FILE.to_owned();
        let bom = [b"\xef\xbb\xbf", FILE.as_bytes()].concat();
        let glued = [b"code,name,kind,parent,population,lat,lon\n".to_vec(), latin1("M,Métropole de l’Écluse,metropole,,40000,,\n"),
            "C1,Décines-la-Forêt,commune,M,30000,45.77,4.96\n".into()].concat();
        let (utf8, windows, mixed) = ("utf8", "windows1252", "mixed");
        for (bytes, encoding, delimiter) in [
            (comma.clone().into_bytes(), utf8, "comma"),
            (latin1(&comma), windows, "comma"),
            (glued, mixed, "comma"),
            (bom, utf8, "comma"),
            (comma.replace('\n', "\r\n").into_bytes(), utf8, "comma"),
            (comma.replace('\n', "\r").into_bytes(), utf8, "comma"),
            (comma.replace(',', ";").into_bytes(), utf8, "semicolon"),
            (comma.replace(',', "\t").into_bytes(), utf8, "tab"),
            ([b"\xef\xbb\xbf".to_vec(), comma.replace(',', ";").replace('\n', "\r\n").into_bytes()].concat(), utf8, "semicolon"),
            (latin1(&comma.replace(',', ";").replace('\n', "\r\n")), windows, "semicolon"),
        ] {
            let app = spawn(engine).await;
            let summary = imported(&app, bytes).await;
            assert_eq!((&summary["encoding"], &summary["delimiter"], &summary["rows"]), (&json!(encoding), &json!(delimiter), &json!(2)));
            assert_eq!((&summary["territories"]["created"], &summary["rows_skipped"]), (&json!(2), &json!(0)), "{summary:#}");
            let commune = app.get("/v1/territories/C1").await.expect(200);
            assert_eq!((&commune["name"], &commune["parent"], &commune["latitude"]), (&json!("Décines-la-Forêt"), &json!("M"), &json!(45.77)));
            assert_eq!(app.get("/v1/territories/M").await.expect(200)["name"], "Métropole de l’Écluse");
        }
    }

    async fn what_is_no_table_of_the_format_is_refused_with_the_reason(engine) {
        let app = spawn(engine).await;
        let before = everything(&app).await;
        let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(FILE.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for (bytes, reason) in [
            (Vec::new(), "empty"),
            (b" \r\n\t ".to_vec(), "empty"),
            (utf16, "UTF-16"),
            (b"PK\x03\x04\x14\0\x06\0".to_vec(), "NUL"),
            (FILE.replace("commune", "comm\0une").into_bytes(), "NUL"),
            (b"{\"code\":\"M\"}".to_vec(), "lacks: code, name, kind, parent"),
            (b"code,name,kind\nM,M,metropole\n".to_vec(), "lacks: parent"),
        ] {
            let problem = app.post_text(TERRITORIES, "text/csv", bytes).await.problem(422);
            assert_eq!(places(&problem), [""]);
            assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(reason), "{reason}: {problem:#}");
        }
        assert_eq!(everything(&app).await, before);
    }
}

#[actix_web::test]
async fn an_import_says_which_format() {
    let app = spawn(Engine::Sqlite).await;
    for query in ["", "?kind=", "?kind=places", "?kind=lieux&kind=lieux", "?kind=lieux&dry_run=true"] {
        let problem = app.post_text(&format!("/v1/imports{query}"), "text/csv", FILE).await.problem(400);
        assert_eq!(places(&problem), ["query"], "{query}");
    }
}

#[actix_web::test]
async fn cells_of_any_bytes_never_break_the_service() {
    let app = spawn(Engine::Sqlite).await;
    let long = "x".repeat(5_000);
    for (file, what) in [
        (format!("code,name,kind,parent\nA,{long},commune,\n"), "a long name"),
        (format!("code,name,kind,parent\n{long},A,commune,\n"), "a long code"),
        ("code,name,kind,parent,population\nB,B,commune,,9007199254740991\n".to_owned(), "a large population"),
        ("code,name,kind,parent,population,lat,lon\nC,C,commune,,-4,1e400,NaN\n".to_owned(), "numbers that are none"),
        ("code,name,kind,parent\n\"D,\"D\"\",commune,\n\"E\n".to_owned(), "orphan quotes"),
        ("code,name,kind,parent\nF,\u{1}\u{7f}\u{202e}F,commune,\n".to_owned(), "control characters"),
    ] {
        let answer = app.post_text(TERRITORIES, "text/csv", file).await;
        assert_eq!(answer.status, 201, "{what}: {answer:?}");
        // Whatever was kept can be shown as the document says.
        app.get("/v1/territories?limit=100").await.expect(200);
    }
}
