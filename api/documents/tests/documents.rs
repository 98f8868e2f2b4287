//! Both documents say all that the answer says, and nothing that somebody slipped in.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use attelage_documents::{AnswerDocument, docx, pdf};
use serde_json::{Value, json};
use zip::ZipArchive;

const LEAD: &str = "Le Pas Numérique";

fn term(code: &str, label: &str) -> Value {
    json!({ "code": code, "label": label })
}

fn answer() -> AnswerDocument {
    let year = |number: u32| {
        json!({
            "number": number, "from": format!("{}-01-01", 2026 + number), "to": format!("{}-12-31", 2026 + number),
            "needs": [{ "need": "lessons", "quantity": 600 }, { "need": "kits", "quantity": 75 }],
            "parts": [{ "organisation": "a", "amount_cents": 1_800_000 }, { "organisation": "b", "amount_cents": 750_050 }],
            "amount_cents": 2_550_050,
        })
    };
    let signature =
        |who: &str| json!({ "organisation": who, "signed_at": "2026-09-01T08:30:00Z", "digest": "ab".repeat(32) });
    let need = |code: &str, title: &str, unit: Value, asked: i64, who: &str, amount: i64| {
        json!({
            "code": code, "title": title, "service": term("s", "Formation & suivi"), "territory": term("69M", "Métropole de Lyon"),
            "unit": unit, "mandatory": code == "lessons", "asked": asked, "covered": asked, "coverage_percent": 100.0,
            "parts": [{ "organisation": who, "quantity": asked, "amount_cents": amount }],
        })
    };
    serde_json::from_value(json!({
        "call": { "id": "019e0000-0000-7000-8000-000000000001", "version": 2, "title": "Inclusion numérique", "reference": "2026-17",
            "funder": "Métropole en commun", "kind": "contract", "starts_on": "2027-01-01", "duration_months": 24 },
        "group": { "name": "Ensemble", "form": "conjoint_solidary_lead" },
        "members": [
            { "organisation": "a", "name": LEAD, "identifiers": [term("356000000", "SIREN")], "role": "group-lead", "lots": ["training"],
                "amount_cents": 3_600_000, "share_percent": 70.59 },
            { "organisation": "b", "name": "#strong[Atelier] <du> \"Réemploi\" & Cie", "identifiers": [], "role": "group-mem", "lots": ["equipment"],
                "amount_cents": 1_500_100, "share_percent": 29.41 },
        ],
        "lots": [
            { "code": "training", "title": "Former", "amount_cents": 3_600_000, "coverage_percent": 100.0,
                "needs": [need("lessons", "Heures d’atelier", term("hour", "heures"), 1_200, "a", 3_600_000)] },
            { "code": "equipment", "title": "Équiper", "amount_cents": 1_500_100, "coverage_percent": 100.0,
                "needs": [need("kits", "Ordinateurs remis en état", term("device", "appareils"), 150, "b", 1_500_100)] },
        ],
        "years": [year(1), year(2)],
        "amount_cents": 5_100_100, "coverage_percent": 100.0, "note": "Depuis 2019.\n= Pas un titre\u{1}\n#eval(\"1\")",
        "digest": "ab".repeat(32), "signatures": [signature("a"), signature("b")],
    }))
    .unwrap()
}

/// What must be read in every document, without spaces.
const SAID: [&str; 24] = [
    "RéponsedugroupementEnsemble",
    "Métropoleencommun",
    "2026-17",
    "marchépublic",
    "LePasNumérique",
    "#strong[Atelier]<du>\"Réemploi\"&Cie",
    "356000000",
    "mandataire",
    "cotraitant",
    "mandatairesolidaire",
    "Heuresd’atelier",
    "Ordinateursremisenétat",
    "Formation&suivi",
    "MétropoledeLyon",
    "36000,00€",
    "15001,00€",
    "51001,00€",
    "7500,50€",
    "70,59%",
    "1200heures",
    "Depuis2019.",
    "=Pasuntitre",
    "#eval(\"1\")",
    "1erseptembre2026",
];

/// Text without what differs by line breaks.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && *letter != '\u{200b}').collect()
}

fn in_pdf(answer: &AnswerDocument) -> String {
    plain(&pdf_extract::extract_text_from_mem(&pdf(answer).unwrap()).unwrap())
}

/// The parts of a DOCX, by name.
fn parts(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let read = |i| {
        let mut file = archive.by_index(i).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        (file.name().unwrap().into_owned(), text)
    };
    (0..7).map(read).collect()
}

/// The text of a DOCX, as a reader of XML has it.
fn in_docx(answer: &AnswerDocument) -> String {
    let document = parts(&docx(answer).unwrap())["word/document.xml"].clone();
    let texts = document.split("<w:t ").skip(1).filter_map(|rest| rest.split_once('>')?.1.split_once("</w:t>"));
    let texts: String = texts.map(|(text, _)| text).collect();
    plain(&texts.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

#[test]
fn both_documents_say_every_member_need_and_amount() {
    let answer = answer();
    for (format, text) in [("PDF", in_pdf(&answer)), ("DOCX", in_docx(&answer))] {
        for said in SAID {
            assert!(text.contains(said), "the {format} does not say {said:?}:\n{text}");
        }
        assert_eq!(text.matches(&"ab".repeat(32)).count(), 3, "the {format} shows what was signed");
    }
}

#[test]
fn equal_answers_give_equal_bytes_and_others_give_others() {
    let (one, mut other) = (answer(), answer());
    assert_eq!((pdf(&one).unwrap(), docx(&one).unwrap()), (pdf(&other).unwrap(), docx(&other).unwrap()));
    other.amount_cents += 1;
    assert_ne!(pdf(&one).unwrap(), pdf(&other).unwrap());
    assert_ne!(docx(&one).unwrap(), docx(&other).unwrap());
}

#[test]
fn the_pdf_is_tagged_and_promises_to_be_accessible_unless_it_cannot_show_a_letter() {
    let promises = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("<pdfuaid:part>1</pdfuaid:part>");
    let tagged = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("/StructTreeRoot");
    let accessible = pdf(&answer()).unwrap();
    assert!(accessible.starts_with(b"%PDF-1.7") && tagged(&accessible) && promises(&accessible));
    let mut other = answer();
    other.members[0].name = "協会 \u{10FFFD}".to_owned();
    let set = pdf(&other).unwrap();
    assert!(tagged(&set) && !promises(&set));
}

#[test]
fn the_docx_is_well_formed_and_its_tables_repeat_their_heads() {
    let parts = parts(&docx(&answer()).unwrap());
    for (name, text) in &parts {
        // What was opened is closed, in order: the parts have no comments and no CDATA.
        let mut open = Vec::new();
        for tag in text.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
            let word = tag.split_whitespace().next().unwrap();
            if let Some(closed) = word.strip_prefix('/') {
                assert_eq!(open.pop(), Some(closed), "{name}");
            } else if !tag.ends_with('/') && !tag.ends_with('?') {
                open.push(word);
            }
        }
        assert_eq!(open, [""; 0], "{name}");
        assert!(!text.contains('\u{1}'), "{name}");
    }
    let document = &parts["word/document.xml"];
    assert_eq!(document.matches("<w:tblHeader/>").count(), document.matches("<w:tbl>").count());
    assert!(parts["docProps/core.xml"].contains("<dc:title>Réponse du groupement Ensemble</dc:title>"));
}
