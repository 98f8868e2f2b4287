#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use proptest::prelude::*;

use super::{COLUMNS, ImportedOrganisation, Lieux, Place, parse};
use crate::imports::{NotThisFormat, RowAction, RowProblem};
use crate::vocabularies::shipped::shipped;

/// Ten invented places.
const FIXTURE: &str = include_str!("../fixtures/invented-lieux.csv");

fn read(file: &[u8]) -> Result<Lieux, NotThisFormat> {
    parse(file, shipped().unwrap(), &|_, _| None)
}

fn read_ok(file: impl AsRef<[u8]>) -> Lieux {
    read(file.as_ref()).unwrap()
}

/// A file of sound places, one for each list of fields that differ from the sound ones.
fn file(records: &[&[(&str, &str)]]) -> String {
    let mut file = COLUMNS.join(",");
    for (index, fields) in records.iter().enumerate() {
        let id = (index + 1).to_string();
        let sound = [
            ("id", id.as_str()),
            ("pivot", "99999101100019"),
            ("nom", "Les Cliqueurs"),
            ("commune", "Bron"),
            ("code_postal", "69500"),
            ("code_insee", "69029"),
            ("adresse", "1 rue du Fil"),
            ("date_maj", "2024-02-01"),
            ("services", "Loisirs et créations numériques"),
        ];
        file.push('\n');
        for (position, column) in COLUMNS.iter().enumerate() {
            let value = fields.iter().rev().chain(&sound).find(|(name, _)| name == column).map_or("", |(_, v)| v);
            let comma = if position == 0 { "" } else { "," };
            write!(file, "{comma}\"{}\"", value.replace('"', "\"\"")).unwrap();
        }
    }
    file
}

/// The one place of a file whose only record has these fields, with its faults as `field:problem`.
fn place(fields: &[(&str, &str)]) -> (Place, Vec<String>) {
    let lieux = read_ok(file(&[fields]));
    let faults = lieux.report.faults.iter().map(|f| format!("{}:{}", f.field, f.problem)).collect();
    (lieux.places.into_iter().next().unwrap(), faults)
}

fn organisation<'l>(lieux: &'l Lieux, key: &str) -> &'l ImportedOrganisation {
    lieux.organisations.iter().find(|o| o.key == key).unwrap_or_else(|| panic!("no organisation {key}"))
}

#[test]
fn a_sound_record_has_no_fault() {
    let (place, faults) = place(&[]);
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!((place.key.as_str(), place.line), ("/1", 2));
    assert_eq!((place.commune_code.as_deref(), place.services), (Some("69029"), vec!["training-creation".to_owned()]));
}

#[test]
fn places_of_one_entity_are_one_organisation() {
    let lieux = read_ok(FIXTURE);
    assert_eq!((lieux.rows_read, lieux.places.len()), (10, 10));
    let cliqueurs = organisation(&lieux, "siren:999991011");
    assert_eq!(
        (cliqueurs.name.as_str(), cliqueurs.aliases.as_slice()),
        ("Les Cliqueurs", &["Les Cliqueurs Bron".to_owned()][..])
    );
    assert_eq!(cliqueurs.places, ["reseau-fictif/1", "reseau-fictif/2", "reseau-fictif/3", "reseau-fictif/5"]);
    assert_eq!(cliqueurs.sirets.len(), 2);
    assert_eq!(cliqueurs.credentials, ["aidants-connect", "conseillers-numeriques"]);
    assert_eq!(cliqueurs.other_labels, ["Label inventé"]);
    assert_eq!(cliqueurs.updated_on.unwrap().to_string(), "2024-03-15");
}

#[test]
fn equal_offers_are_one_capability_over_their_communes() {
    let lieux = read_ok(FIXTURE);
    let mut capabilities = organisation(&lieux, "siren:999991011").capabilities.clone();
    capabilities.sort_by_key(|capability| capability.publics.len());
    let [for_all, for_seniors] = capabilities.as_slice() else { panic!("{capabilities:?}") };
    assert_eq!(for_all.services, ["training-daily-tools", "training-security"]);
    assert_eq!(for_all.territories, ["69029", "69259", "69266"]);
    assert_eq!((for_all.publics.len(), for_all.modalities.as_slice()), (0, &["workshop".to_owned()][..]));
    assert_eq!(
        (for_seniors.publics.as_slice(), for_seniors.territories.as_slice()),
        (&["seniors".to_owned()][..], &["69029".to_owned()][..])
    );
}

#[test]
fn a_place_without_number_joins_the_entity_of_its_name_and_the_report_says_so() {
    let lieux = read_ok(FIXTURE);
    let fault = lieux.report.faults.iter().find(|f| f.problem == RowProblem::JoinedByName).unwrap();
    assert_eq!((fault.line, fault.field.as_str(), fault.action), (6, "nom", RowAction::Kept));
}

#[test]
fn a_name_that_two_entities_bear_joins_none() {
    let lieux = read_ok(file(&[&[], &[("pivot", "99999102900011")], &[("pivot", "1")]]));
    assert_eq!(
        lieux.organisations.iter().map(|o| o.key.as_str()).collect::<Vec<_>>(),
        ["name:les cliqueurs", "siren:999991011", "siren:999991029"]
    );
    assert_eq!(lieux.report.counts[&RowProblem::AmbiguousName], 1);
}

#[test]
fn a_name_of_another_departement_joins_none() {
    let lieux = read_ok(file(&[&[], &[("pivot", "1"), ("code_postal", "59000"), ("code_insee", "59350")]]));
    assert_eq!(lieux.organisations.len(), 2);
}

#[test]
fn a_name_that_only_says_what_a_place_is_does_not_group_communes() {
    let lieux = read_ok(FIXTURE);
    assert_eq!(organisation(&lieux, "name:mediatheque municipale@69780").communes, ["69283"]);
    assert_eq!(organisation(&lieux, "name:mediatheque municipale@69960").communes, ["69273"]);
}

#[test]
fn the_parent_structure_names_the_organisation_however_it_is_spelled() {
    let lieux = read_ok(FIXTURE);
    let pixels = organisation(&lieux, "name:pixels en route");
    assert_eq!(pixels.name, "PIXELS en route", "of two names as frequent and as long, the first in the alphabet");
    assert_eq!(pixels.aliases, ["Bus des Pixels", "Camion des Pixels"]);
    assert_eq!(pixels.capabilities.len(), 1, "the order of publics in the file means nothing");
}

#[test]
fn a_parent_structure_given_by_its_number_is_that_entity() {
    let lieux = read_ok(file(&[&[("pivot", ""), ("structure_parente", "999 991 037")]]));
    let only = &lieux.organisations[0];
    assert_eq!((only.key.as_str(), only.name.as_str()), ("siren:999991037", "Les Cliqueurs"));
}

#[test]
fn an_association_without_siret_keeps_its_register_number() {
    let lieux = read_ok(FIXTURE);
    let atelier = organisation(&lieux, "rna:W691000001");
    assert_eq!((atelier.rna.as_ref().unwrap().as_str(), atelier.siren.is_none()), ("W691000001", true));
    assert_eq!(atelier.capabilities[0].publics, ["deafness", "everyone", "illiteracy"], "special care narrows nothing");
}

#[test]
fn the_address_of_a_shelter_is_nowhere_in_the_result() {
    let lieux = read_ok(FIXTURE);
    let refuge = lieux.places.iter().find(|p| p.id == "8").unwrap();
    assert!(refuge.address_withheld && refuge.address.is_none() && refuge.position.is_none());
    assert_eq!(refuge.commune_code.as_deref(), Some("69275"));
    assert_eq!(lieux.report.counts[&RowProblem::ProtectedAddress], 1);
    let damaged =
        FIXTURE.replace("8 rue du Secret", "<b>8 rue du Secret</b>").replace("45.7880,4.9670", "4.9670,45.7880");
    for text in [format!("{lieux:?}"), format!("{:?}", read_ok(damaged))] {
        assert!(!text.contains("Secret") && !text.contains("Bâtiment") && !text.contains("4.967"), "{text}");
    }
}

#[test]
fn without_a_commune_code_there_is_a_place_but_no_capability() {
    let lieux = read_ok(FIXTURE);
    let fault = lieux.report.faults.iter().find(|f| f.problem == RowProblem::UnknownTerritory).unwrap();
    assert_eq!((fault.line, fault.action), (10, RowAction::Kept));
    assert_eq!(organisation(&lieux, "name:pixels en route").capabilities[0].territories, ["69091"]);
}

#[test]
fn the_caller_may_know_the_commune_by_its_name() {
    let known = |name: &str, post_code: &str| (name == "Oullins" && post_code == "69600").then(|| "69149".to_owned());
    let lieux = parse(FIXTURE.as_bytes(), shipped().unwrap(), &known).unwrap();
    assert_eq!(organisation(&lieux, "name:pixels en route").capabilities[0].territories, ["69091", "69149"]);
    assert_eq!(lieux.report.counts[&RowProblem::CodeDerived], 1);
    assert!(!lieux.report.counts.contains_key(&RowProblem::UnknownTerritory));
}

#[test]
fn keys_survive_another_order_and_another_spelling_of_the_file() {
    let mut lines: Vec<&str> = FIXTURE.lines().collect();
    lines[1..].reverse();
    let (first, again) = (read_ok(FIXTURE), read_ok(format!("\u{feff}{}\r\n", lines.join("\r\n"))));
    assert_eq!(first.organisations, again.organisations);
    assert_eq!(first.report.counts, again.report.counts);
}

#[test]
fn windows_1252_semicolons_and_tabs_read_the_same() {
    let plain = file(&[&[("services", "Maîtrise des outils numériques du quotidien"), ("nom", "Œuvre d’Écully")]]);
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(&plain);
    let expected = read_ok(&plain).organisations;
    let from_latin = read_ok(latin);
    assert_eq!(from_latin.organisations, expected);
    assert_eq!(
        (from_latin.report.faults[0].line, from_latin.report.faults[0].problem),
        (1, RowProblem::ForeignEncoding)
    );
    for delimiter in [";", "\t"] {
        assert_eq!(
            read_ok(plain.replace("\",\"", &format!("\"{delimiter}\"")).replace(',', delimiter)).organisations,
            expected
        );
    }
}

#[test]
fn a_bad_row_never_stops_the_good_ones() {
    let mut lines: Vec<String> =
        file(&[&[], &[("nom", " ")], &[("id", "")], &[("id", "1")], &[]]).lines().map(str::to_owned).collect();
    lines.insert(2, "trop,court".to_owned());
    let lieux = read_ok(lines.join("\n"));
    assert_eq!(lieux.places.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 7]);
    let skipped: Vec<_> = lieux.report.faults.iter().map(|f| (f.line, f.problem.code(), f.action)).collect();
    assert_eq!(
        skipped,
        [
            (3, "wrong_field_count", RowAction::RowSkipped),
            (4, "missing_value", RowAction::RowSkipped),
            (5, "missing_value", RowAction::RowSkipped),
            (6, "duplicate", RowAction::RowSkipped),
        ]
    );
    assert_eq!(lieux.rows_read, 6);
}

#[test]
fn every_fault_of_a_value_is_reported_with_what_was_done() {
    let cases: &[(&str, &str, &str)] = &[
        ("pivot", "00000000000000", "placeholder_identifier"),
        ("pivot", "1", "placeholder_identifier"),
        ("pivot", "99999101100018", "invalid_identifier"),
        ("pivot", "W69", "invalid_identifier"),
        ("pivot", "999991011", "siren_for_siret"),
        ("pivot", "9999104400019", "lost_leading_zero"),
        ("pivot", "", "missing_value"),
        ("commune", "", "missing_value"),
        ("code_postal", "", "missing_value"),
        ("code_postal", "1000", "lost_leading_zero"),
        ("code_postal", "69\u{202f}500", "number_format"),
        ("code_postal", "Bron", "invalid_post_code"),
        ("code_insee", "1053", "lost_leading_zero"),
        ("adresse", "", "missing_value"),
        ("typologie", "PE", "obsolete_value"),
        ("typologie", "SHOP", "unknown_value"),
        ("telephone", "04 72 00 00 01", "phone_format"),
        ("telephone", "3949", "invalid_phone"),
        ("courriels", "a@exemple.fr;b@exemple.fr", "list_separator"),
        ("courriels", "a chez exemple.fr", "invalid_email"),
        ("site_web", "www.exemple.fr", "url_format"),
        ("site_web", "https://a.fr;https://b.fr", "list_separator"),
        ("site_web", "javascript:alert(1)", "invalid_url"),
        ("horaires", "Lundi<br>Mardi", "markup"),
        ("itinerance", "Volant", "unknown_value"),
        ("date_maj", "", "missing_value"),
        ("date_maj", "31/05/2024", "date_format"),
        ("date_maj", "2024-05-31T08:00:00Z", "date_format"),
        ("date_maj", "2024-02-30", "invalid_date"),
        ("date_maj", "24-05-31", "invalid_date"),
        ("services", "", "missing_value"),
        ("services", "Aide aux démarches administratives;Loisirs et créations numériques", "list_separator"),
        ("services", "Prendre en main un ordinateur", "obsolete_value"),
        ("services", "Poterie", "unknown_value"),
        ("publics_specifiquement_adresses", "Seniors (+ 65 ans)", "obsolete_value"),
        ("prise_en_charge_specifique", "Vertige", "unknown_value"),
        ("frais_a_charge", "Gratuit : entrée libre", "obsolete_value"),
        ("dispositif_programmes_nationaux", "CNFS", "obsolete_value"),
        ("formations_labels", "Label de cuisine", "unknown_value"),
        ("autres_formations_labels", "<i>Label</i>", "markup"),
        ("modalites_acces", "À cheval", "unknown_value"),
        ("modalites_accompagnement", "Seul", "obsolete_value"),
        ("fiche_acces_libre", "oui", "invalid_url"),
        ("prise_rdv", "sur place", "invalid_url"),
    ];
    for (field, value, problem) in cases {
        let (_, faults) = place(&[(field, value)]);
        assert_eq!(faults, [format!("{field}:{problem}")], "{field} = {value:?}");
    }
    let (_, faults) = place(&[("services", &"Aide aux démarches administratives|".repeat(101))]);
    assert_eq!(faults, ["services:too_long"]);
    let (_, faults) = place(&[("presentation_resume", &"a".repeat(281))]);
    assert_eq!(faults, ["presentation_resume:too_long"]);
}

#[test]
fn corrected_values_are_the_right_ones() {
    let (place, _) = place(&[
        ("pivot", "9999104400019"),
        ("code_postal", "1000"),
        ("code_insee", "1053"),
        ("telephone", "0472000001"),
        ("site_web", "exemple.fr|https://exemple.fr"),
        ("services", "Prendre en main un ordinateur;Poterie;Maîtrise des outils numériques du quotidien"),
        ("date_maj", "31/05/2024"),
        ("nom", "  Clic &amp; <b>Câble</b> "),
    ]);
    assert_eq!((place.post_code.as_deref(), place.commune_code.as_deref()), (Some("01000"), Some("01053")));
    assert_eq!(place.organisation, "siren:099991044");
    assert_eq!(place.telephone.as_deref(), Some("+33472000001"));
    assert_eq!(place.websites, ["https://exemple.fr"]);
    assert_eq!(place.services, ["training-daily-tools"]);
    assert_eq!(place.updated_on.unwrap().to_string(), "2024-05-31");
    assert_eq!(place.name, "Clic & Câble");
}

#[test]
fn coordinates_are_checked_against_france_and_its_overseas_parts() {
    let cases: [(&str, &str, Option<[f64; 2]>, &str); 9] = [
        ("45.75", "4.85", Some([45.75, 4.85]), ""),
        ("-20.880783", "55.45791", Some([-20.880_783, 55.457_91]), ""),
        ("4.85", "45.75", Some([45.75, 4.85]), "latitude:swapped_coordinates"),
        ("45,75", "4.85", Some([45.75, 4.85]), "latitude:number_format"),
        ("0", "0", None, "latitude:outside_area"),
        ("4575", "4.85", None, "latitude:outside_area"),
        ("45.75", "", None, "latitude:incomplete_coordinates"),
        ("", "4.85", None, "longitude:incomplete_coordinates"),
        ("nord", "4.85", None, "latitude:invalid_number"),
    ];
    for (latitude, longitude, expected, problems) in cases {
        let (place, faults) = place(&[("latitude", latitude), ("longitude", longitude)]);
        assert_eq!(place.position.map(|p| [p.latitude, p.longitude]), expected, "{latitude} {longitude}");
        assert_eq!(faults.join(" "), problems);
    }
}

#[test]
fn arrondissements_of_lyon_are_told_apart() {
    let cases: [(&str, &str, &str, Option<&str>, &str); 8] = [
        ("Lyon", "69008", "69123", Some("69123"), ""),
        ("LYON 8EME", "69008", "69388", Some("69388"), ""),
        ("LYON 8EME", "69008", "", Some("69388"), "code_insee:code_derived"),
        ("LYON 8EME", "69008", "69387", Some("69388"), "code_insee:contradictory_code"),
        ("Lyon", "69008", "69387", Some("69387"), "code_insee:contradictory_code"),
        ("Lyon", "69008", "", None, "code_insee:unknown_territory"),
        ("LYON 8EME", "69003", "", None, "code_insee:unknown_territory"),
        ("Bron", "69500", "ABCDE", None, "code_insee:invalid_code code_insee:unknown_territory"),
    ];
    for (commune, post_code, code, expected, problems) in cases {
        let (place, faults) = place(&[("commune", commune), ("code_postal", post_code), ("code_insee", code)]);
        assert_eq!(place.commune_code.as_deref(), expected, "{commune} {post_code} {code}");
        assert_eq!(faults.join(" "), problems);
    }
}

#[test]
fn columns_of_no_use_are_noted_once() {
    let file = file(&[&[], &[]])
        .replace("prise_rdv", "prise_rdv,conditions_access,humeur,nom")
        .replace('\n', ",\"\",\"\",\"\"\n");
    let header_end = file.find(",\"\",\"\",\"\"\n").unwrap();
    let file = format!("{}{},\"\",\"\",\"\"", &file[..header_end], &file[header_end + 9..]);
    let lieux = read_ok(file);
    let notes: Vec<_> = lieux.report.faults.iter().map(|f| (f.line, f.field.as_str(), f.problem.code())).collect();
    assert_eq!(
        notes,
        [(1, "conditions_access", "obsolete_column"), (1, "humeur", "unknown_column"), (1, "nom", "duplicate_column"),]
    );
    assert_eq!(lieux.places.len(), 2);
}

#[test]
fn a_file_of_another_format_is_refused_with_the_reason() {
    assert_eq!(read(b" \n"), Err(NotThisFormat::Empty));
    assert!(matches!(read(b"PK\x03\x04\x00\x00"), Err(NotThisFormat::NotText { .. })));
    let older = "id,pivot,nom,commune,code_postal,adresse,date_maj,services,publics_accueillis,labels_nationaux\n";
    let refusal = read(older.as_bytes()).unwrap_err();
    assert_eq!(
        refusal,
        NotThisFormat::OlderStandard { found: vec!["publics_accueillis".into(), "labels_nationaux".into()] }
    );
    assert!(refusal.to_string().contains("0.1.1"), "{refusal}");
    let Err(NotThisFormat::MissingColumns { missing, .. }) = read(b"id;nom;commune;code_postal;adresse;date_maj\n")
    else {
        panic!("accepted")
    };
    assert_eq!(missing, ["pivot", "services"]);
}

#[test]
fn a_header_alone_is_a_file_without_places() {
    let lieux = read_ok(COLUMNS.join(","));
    assert_eq!((lieux.rows_read, lieux.places.len(), lieux.report.faults.len()), (0, 0, 0));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(read(&bytes), read(&bytes));
    }

    #[test]
    fn any_damage_to_a_file_is_survived_and_accounted_for(
        cuts in proptest::collection::vec((0..FIXTURE.len(), any::<u8>()), 0..40)
    ) {
        let mut bytes = FIXTURE.as_bytes().to_vec();
        for (at, byte) in cuts {
            bytes[at] = byte;
        }
        let first = read(&bytes);
        prop_assert_eq!(&first, &read(&bytes));
        if let Ok(lieux) = first {
            let skipped = lieux.report.faults.iter().filter(|f| f.action == RowAction::RowSkipped).count();
            prop_assert_eq!(lieux.rows_read, lieux.places.len() + skipped);
            let grouped: usize = lieux.organisations.iter().map(|o| o.places.len()).sum();
            prop_assert_eq!(grouped, lieux.places.len());
            prop_assert!(lieux.report.faults.is_sorted_by_key(|f| f.line));
        }
    }

    #[test]
    fn any_value_in_any_field_is_survived(column in 0..COLUMNS.len(), value in ".{0,60}") {
        let fields: &[(&str, &str)] = &[(COLUMNS[column], &value)];
        let file = file(&[fields]);
        prop_assert_eq!(read(file.as_bytes()), read(file.as_bytes()));
    }
}
