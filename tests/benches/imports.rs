//! Times of whole imports on a fresh SQLite file: `cargo bench -p attelage-tests --bench imports`.
//!
//! The files are invented, in the layout of the national standard; the reference is reading the same bytes with the csv
//! reader alone.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write as _;

use attelage::audit::Log;
use attelage::database;
use attelage::imports::{ImportKind, apply};
use attelage::keyfile::Key;
use divan::{Bencher, black_box};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Places in a file the size of a métropole's, and of the country's.
const SIZES: [usize; 2] = [121, 6_345];

fn main() {
    divan::main();
}

/// Everything: read, group, write, report.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn import(bencher: Bencher, places: usize) {
    let runtime = Runtime::new().unwrap();
    let file = file_of(places);
    bencher.with_inputs(|| fresh_database(&runtime)).bench_local_values(|(directory, log)| {
        let import = runtime.block_on(apply::import(&log, ImportKind::Lieux, file.clone())).unwrap();
        assert_eq!(import.summary.places.created, places as u64);
        directory
    });
}

/// The same file a second time: nothing is written but the report.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn import_again(bencher: Bencher, places: usize) {
    let runtime = Runtime::new().unwrap();
    let file = file_of(places);
    let (_directory, log) = fresh_database(&runtime);
    runtime.block_on(apply::import(&log, ImportKind::Lieux, file.clone())).unwrap();
    bencher.bench_local(|| {
        let import = runtime.block_on(apply::import(&log, ImportKind::Lieux, file.clone())).unwrap();
        assert_eq!(import.summary.places.unchanged, places as u64);
    });
}

/// The reference: the csv reader alone.
#[divan::bench(args = SIZES, sample_count = 5)]
fn csv_reader(bencher: Bencher, places: usize) {
    let file = file_of(places);
    bencher.bench(|| {
        let mut reader = csv::Reader::from_reader(black_box(file.as_slice()));
        reader.records().map(|record| record.unwrap().len()).sum::<usize>()
    });
}

fn fresh_database(runtime: &Runtime) -> (TempDir, Log) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("bench.sqlite").display());
    let log = runtime.block_on(async {
        let db = database::connect(&url).await.unwrap();
        database::prepare(&db).await.unwrap();
        Log::open(&db, Key::new([7; 32])).await.unwrap()
    });
    (directory, log)
}

const COLUMNS: &str = "id,pivot,nom,commune,code_postal,code_insee,adresse,complement_adresse,latitude,longitude,\
typologie,telephone,courriels,site_web,horaires,presentation_resume,presentation_detail,source,itinerance,\
structure_parente,date_maj,services,publics_specifiquement_adresses,prise_en_charge_specifique,frais_a_charge,\
dispositif_programmes_nationaux,formations_labels,autres_formations_labels,modalites_acces,\
modalites_accompagnement,fiche_acces_libre,prise_rdv";

/// Invented places: two of five without a number, one of three without a commune's code, as in real files.
fn file_of(places: usize) -> Vec<u8> {
    const SERVICES: [&str; 4] = [
        "Maîtrise des outils numériques du quotidien|Compréhension du monde numérique",
        "Aide aux démarches administratives",
        "Accès internet et matériel informatique|Maîtrise des outils numériques du quotidien",
        "Insertion professionnelle via le numérique",
    ];
    let mut file = format!("{COLUMNS}\n");
    for place in 0..places {
        let commune = place % 997;
        let number = if place % 5 < 2 { "00000000000000".to_owned() } else { siret(place / 2) };
        let code = if place % 3 == 0 { String::new() } else { format!("{:05}", 1_001 + commune) };
        let post_code = format!("{:05}", 1_000 + commune * 10);
        let services = SERVICES[place % SERVICES.len()];
        writeln!(
            file,
            "p{place},{number},Maison inventée {place},Bourg-{commune},{post_code},{code},{place} rue de l'Exemple,,46.2{place:04},5.2{place:04},\
             ,,,,Mo-Fr 09:00-17:00,,,invention,,,2026-01-01,{services},Seniors,,Gratuit,Conseillers numériques,,,,Accompagnement individuel,,",
        )
        .unwrap();
    }
    file.into_bytes()
}

/// A number whose two checksums hold, so that it is read as one.
fn siret(seed: usize) -> String {
    let with_key = |digits: String| (0..10).map(|key| format!("{digits}{key}")).find(|number| luhn(number)).unwrap();
    let siren = with_key(format!("{:08}", 10_000_000 + seed * 7));
    with_key(format!("{siren}0001"))
}

fn luhn(number: &str) -> bool {
    let digits = number.bytes().rev().map(|digit| u32::from(digit - b'0')).enumerate();
    digits.map(|(place, digit)| if place % 2 == 1 { (digit * 2) / 10 + (digit * 2) % 10 } else { digit }).sum::<u32>()
        % 10
        == 0
}
