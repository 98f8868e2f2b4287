//! Places of digital mediation, in the national standard of version 1 (CSV).
//!
//! ```
//! use attelage::imports::lieux;
//! use attelage::vocabularies::shipped::shipped;
//!
//! let file = "id,pivot,nom,commune,code_postal,code_insee,adresse,date_maj,services\n\
//!             1,73282932000074,Espace exemple,Bron,69500,69029,1 rue Neuve,2024-05-01,Loisirs et créations numériques\n";
//! let lieux = lieux::parse(file.as_bytes(), shipped()?, &|_, _| None)?;
//! assert!(lieux.report.faults.is_empty());
//! assert_eq!(lieux.organisations[0].key, "siren:732829320");
//! assert_eq!(lieux.organisations[0].capabilities[0].services, ["training-creation"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Such files carry no capacity, no cost and no unit: what comes out has none either.

mod codes;
mod contact;
mod grouping;
mod lists;
mod location;
mod place;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::report::{NotThisFormat, Report, RowProblem};
use super::table::Table;
use super::text::{Delimiter, Encoding, decode};
use crate::identifiers::{Rna, Siren, Siret};
use crate::vocabularies::shipped::Shipped;

pub use codes::credential_label;
pub use place::{Place, PlaceNumber};

/// Every column of the standard, in its order.
const COLUMNS: [&str; 32] = [
    "id",
    "pivot",
    "nom",
    "commune",
    "code_postal",
    "code_insee",
    "adresse",
    "complement_adresse",
    "latitude",
    "longitude",
    "typologie",
    "telephone",
    "courriels",
    "site_web",
    "horaires",
    "presentation_resume",
    "presentation_detail",
    "source",
    "itinerance",
    "structure_parente",
    "date_maj",
    "services",
    "publics_specifiquement_adresses",
    "prise_en_charge_specifique",
    "frais_a_charge",
    "dispositif_programmes_nationaux",
    "formations_labels",
    "autres_formations_labels",
    "modalites_acces",
    "modalites_accompagnement",
    "fiche_acces_libre",
    "prise_rdv",
];

/// Columns without which the file is of no use. The standard also requires a value in each, which is looser in life.
const REQUIRED: [&str; 8] = ["id", "pivot", "nom", "commune", "code_postal", "adresse", "date_maj", "services"];

/// Columns that came with version 1.
const NEWER: [&str; 6] = [
    "publics_specifiquement_adresses",
    "prise_en_charge_specifique",
    "frais_a_charge",
    "dispositif_programmes_nationaux",
    "formations_labels",
    "modalites_acces",
];

/// Columns of version 0.1.1 that version 1 dropped or renamed.
const OLDER: [&str; 8] = [
    "publics_accueillis",
    "conditions_access",
    "conditions_acces",
    "labels_nationaux",
    "labels_autres",
    "accessibilite",
    "cle_ban",
    "courriel",
];

/// More places than France has, by far: each takes about a kilobyte of memory.
const MOST_RECORDS: usize = 100_000;

/// Finds the code of a commune from its name and post code, as they stand in the file; `None` when it is not sure.
pub type Gazetteer<'g> = &'g dyn Fn(&str, &str) -> Option<String>;

/// What a file of places gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Lieux {
    /// The sound records, in the order of the file.
    pub places: Vec<Place>,
    /// The entities that run them, by key.
    pub organisations: Vec<ImportedOrganisation>,
    /// Records in the file, skipped ones included, blank lines not.
    pub rows_read: usize,
    /// What is wrong and what was done.
    pub report: Report,
    /// How the file was written.
    pub encoding: Encoding,
    /// What separates its fields.
    pub delimiter: Delimiter,
}

/// An entity that runs one or more places of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedOrganisation {
    /// The same at every import: `siren:…`, `rna:…`, or `name:…` when the file gives no number.
    pub key: String,
    /// The name of the parent structure if one is given, else the most frequent name of its places.
    pub name: String,
    /// The other names of the entity and its places, sorted.
    pub aliases: Vec<String>,
    /// The number of the entity.
    pub siren: Option<Siren>,
    /// The numbers of its sites, sorted.
    pub sirets: Vec<Siret>,
    /// The number of the association, when that is all the file gives.
    pub rna: Option<Rna>,
    /// Kinds of structure, as data·inclusion names them, sorted.
    pub typologies: Vec<String>,
    /// Web addresses of its places, sorted.
    pub websites: Vec<String>,
    /// Codes of the communes where it has places, sorted.
    pub communes: Vec<String>,
    /// Who collected the data, sorted.
    pub sources: Vec<String>,
    /// When the freshest of its records was updated.
    pub updated_on: Option<NaiveDate>,
    /// What it offers, by key.
    pub capabilities: Vec<ImportedCapability>,
    /// Codes of national programmes and labels, sorted; their validity is unknown.
    pub credentials: Vec<String>,
    /// Labels in free text, sorted.
    pub other_labels: Vec<String>,
    /// Keys of its places, sorted.
    pub places: Vec<String>,
}

/// What an entity offers in one or more communes. Capacity, costs and unit are unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedCapability {
    /// The same at every import, while services, publics and modalities stay the same: the organisation's key, `#` and
    /// sixteen hexadecimal digits.
    pub key: String,
    /// Codes of services, sorted, never empty.
    pub services: Vec<String>,
    /// Codes of publics, sorted; empty for everybody.
    pub publics: Vec<String>,
    /// Codes of modalities, sorted; empty when unknown.
    pub modalities: Vec<String>,
    /// Codes of communes, sorted, never empty.
    pub territories: Vec<String>,
    /// When the freshest of its records was updated.
    pub updated_on: Option<NaiveDate>,
}

/// Reads a file of the national standard, version 1, and groups its places into organisations.
///
/// `resolve` is asked only for communes without a usable code; answer `None` rather than a guess. Two records with the
/// same source and id are one place: the second is skipped. The result depends on the arguments only.
///
/// O(length of the file · log of the number of records).
///
/// # Errors
/// When the file is not of this format, with the reason. Anything wrong inside a record is a fault of the report.
pub fn parse(bytes: &[u8], vocabulary: &Shipped, resolve: Gazetteer<'_>) -> Result<Lieux, NotThisFormat> {
    let (text, encoding) = decode(bytes)?;
    let known: Vec<&str> = COLUMNS.into_iter().chain(OLDER).collect();
    let table = Table::open(&text, &known);
    refuse_other_formats(&table)?;
    let delimiter = table.delimiter();

    let mut report = Report::default();
    encoding.note(&mut report);
    table.note_columns(&COLUMNS, &OLDER, &mut report);
    let mut places: Vec<Place> = Vec::new();
    let mut seen = BTreeSet::new();
    let rows_read = table.each(MOST_RECORDS, &mut report, |row, faults| {
        if seen.contains(&place::key(row)) {
            let message = "an earlier record has this id and this source; this one was skipped";
            faults.skip("id", row.get("id"), RowProblem::Duplicate, message);
        } else if let Some(place) = place::read(row, faults, vocabulary, resolve) {
            seen.insert(place.key.clone());
            places.push(place);
        }
    })?;
    let organisations = grouping::group(&mut places, &mut report);
    report.sort();
    Ok(Lieux { places, organisations, rows_read, report, encoding, delimiter })
}

fn refuse_other_formats(table: &Table<'_>) -> Result<(), NotThisFormat> {
    let older: Vec<String> = OLDER.into_iter().filter(|c| table.has(c)).map(str::to_owned).collect();
    let is_of_this_family = ["nom", "services"].into_iter().all(|column| table.has(column));
    if is_of_this_family && !older.is_empty() && !NEWER.into_iter().any(|column| table.has(column)) {
        return Err(NotThisFormat::OlderStandard { found: older });
    }
    match table.missing(&REQUIRED) {
        missing if missing.is_empty() => Ok(()),
        missing => Err(NotThisFormat::MissingColumns {
            format: "a list of places of digital mediation (national standard, version 1)",
            missing,
        }),
    }
}
