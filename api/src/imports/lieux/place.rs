//! One record of the file: one place.

use chrono::{Datelike, NaiveDate};

use super::location::{self, Location};
use super::{Gazetteer, codes, contact, lists};
use crate::fold::fold;
use crate::identifiers::{IdentifierError, Rna, Siren, Siret};
use crate::imports::Position;
use crate::imports::report::{Faults, RowProblem};
use crate::imports::table::Row;
use crate::imports::text::clean;
use crate::vocabularies::shipped::Shipped;

/// The longest short presentation that the standard admits, in characters.
const SUMMARY_LENGTH: usize = 280;

/// The longest name, id or address, in characters: what the API promises of names and what an index holds.
const LONGEST_LINE: usize = 200;

/// A place where people find digital help. Unknown values are absent, lists are in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The same at every import: the source's name, folded, `/` and the id.
    pub key: String,
    /// Physical line on which the record starts.
    pub line: u64,
    /// Identifier that the source gave.
    pub id: String,
    /// Who collected the data.
    pub source: Option<String>,
    /// Key of the organisation that runs the place.
    pub organisation: String,
    /// Official number of the place or its organisation.
    pub number: Option<PlaceNumber>,
    /// Name of the place.
    pub name: String,
    /// The network or organisation that it belongs to, as the file names it.
    pub parent_structure: Option<String>,
    /// Name of the commune, as the file spells it.
    pub commune_name: Option<String>,
    /// Five digits.
    pub post_code: Option<String>,
    /// Code of the commune or, in Paris, Lyon and Marseille, of the arrondissement.
    pub commune_code: Option<String>,
    /// Number and street; absent for shelters.
    pub address: Option<String>,
    /// Floor, building; absent for shelters.
    pub address_complement: Option<String>,
    /// Where it stands, within France; absent for shelters.
    pub position: Option<Position>,
    /// Whether address and position were left out because the place is a shelter.
    pub address_withheld: bool,
    /// Kinds of structure, as data·inclusion names them.
    pub typologies: Vec<String>,
    /// International notation, `+` and digits.
    pub telephone: Option<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Web addresses.
    pub websites: Vec<String>,
    /// Opening hours, in the notation of OpenStreetMap or in words.
    pub opening_hours: Option<String>,
    /// A few words on the place.
    pub summary: Option<String>,
    /// More words on the place.
    pub presentation: Option<String>,
    /// `mobile`, `fixed`.
    pub mobility: Vec<String>,
    /// When the record was updated.
    pub updated_on: Option<NaiveDate>,
    /// Codes of services.
    pub services: Vec<String>,
    /// Codes of publics, sorted; empty for everybody.
    pub publics: Vec<String>,
    /// Codes of modalities.
    pub modalities: Vec<String>,
    /// `free`, `free-on-conditions`, `paid`.
    pub fees: Vec<String>,
    /// `walk-in`, `telephone`, `email`, `online-booking`, `closed-to-public`, `prescription`.
    pub access: Vec<String>,
    /// Codes of national programmes and labels.
    pub credentials: Vec<String>,
    /// Other labels, in free text.
    pub other_labels: Vec<String>,
    /// Page that describes how accessible the place is.
    pub accessibility_page: Option<String>,
    /// Page to book an appointment.
    pub booking_page: Option<String>,
}

/// The official number in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceNumber {
    /// Of the site.
    Siret(Siret),
    /// Of the entity, where the standard expects the site's.
    Siren(Siren),
    /// Of the association, which has no SIRET.
    Rna(Rna),
}

/// What tells this place from all others, at every import.
pub(super) fn key(row: &Row<'_>) -> String {
    let source: String = row.get("source").chars().take(LONGEST_LINE).collect();
    format!("{}/{}", fold(&source).replace(' ', "-"), row.get("id"))
}

/// Reads a record; `None` when it lacks what makes a place, which is then a fault.
pub(super) fn read(
    row: &Row<'_>,
    faults: &mut Faults<'_>,
    vocabulary: &Shipped,
    resolve: Gazetteer<'_>,
) -> Option<Place> {
    let id = row.get("id").to_owned();
    if id.is_empty() {
        faults.skip("id", "", RowProblem::MissingValue, "without an id the record was skipped");
        return None;
    }
    if id.chars().count() > LONGEST_LINE {
        let message = format!("an id has at most {LONGEST_LINE} characters; the record was skipped");
        faults.skip("id", &id, RowProblem::TooLong, message);
        return None;
    }
    let Some(name) = line_of_text(row, "nom", faults) else {
        faults.skip("nom", row.get("nom"), RowProblem::MissingValue, "without a name the record was skipped");
        return None;
    };
    let source = line_of_text(row, "source", faults);
    let typologies = lists::read(row, "typologie", faults, codes::typology);
    let withheld = codes::is_shelter(&typologies, &name);
    let Location { commune_name, post_code, commune_code, address, address_complement, position } =
        location::read(row, faults, resolve, withheld);
    let summary = text(row, "presentation_resume", faults);
    if summary.as_ref().is_some_and(|s| s.chars().count() > SUMMARY_LENGTH) {
        let message = "the standard admits 280 characters; the text was kept whole";
        faults.keep("presentation_resume", row.get("presentation_resume"), RowProblem::TooLong, message);
    }
    Some(Place {
        key: key(row),
        line: row.line,
        id,
        source,
        organisation: String::new(),
        number: number(row, faults),
        name,
        parent_structure: line_of_text(row, "structure_parente", faults),
        commune_name,
        post_code,
        commune_code,
        address,
        address_complement,
        position,
        address_withheld: withheld,
        typologies,
        telephone: contact::telephone(row, faults),
        emails: contact::emails(row, faults),
        websites: contact::web_addresses(row, "site_web", faults),
        opening_hours: text(row, "horaires", faults),
        summary,
        presentation: text(row, "presentation_detail", faults),
        mobility: lists::read(row, "itinerance", faults, codes::mobility),
        updated_on: date(row, faults),
        services: services(row, faults, vocabulary),
        publics: publics(row, faults, vocabulary),
        modalities: lists::read(row, "modalites_accompagnement", faults, |v| codes::modality(vocabulary, v)),
        fees: lists::read(row, "frais_a_charge", faults, codes::fee),
        access: lists::read(row, "modalites_acces", faults, codes::access),
        credentials: credentials(row, faults),
        other_labels: lists::free(row, "autres_formations_labels", faults),
        accessibility_page: contact::web_addresses(row, "fiche_acces_libre", faults).into_iter().next(),
        booking_page: contact::web_addresses(row, "prise_rdv", faults).into_iter().next(),
    })
}

fn services(row: &Row<'_>, faults: &mut Faults<'_>, vocabulary: &Shipped) -> Vec<String> {
    if row.get("services").is_empty() {
        let message = "without a service the place gives no capability";
        faults.keep("services", "", RowProblem::MissingValue, message);
    }
    lists::read(row, "services", faults, |v| codes::service(vocabulary, v))
}

/// The publics that the place is for, and those it takes special care of.
///
/// By default a place is for everybody, so that special care alone narrows nothing: `everyone` then stands beside it.
fn publics(row: &Row<'_>, faults: &mut Faults<'_>, vocabulary: &Shipped) -> Vec<String> {
    let mut publics = lists::read(row, "publics_specifiquement_adresses", faults, |v| codes::public(vocabulary, v));
    let care = lists::read(row, "prise_en_charge_specifique", faults, |v| codes::public(vocabulary, v));
    if publics.is_empty() && !care.is_empty() {
        publics.push("everyone".to_owned());
    }
    publics.extend(care);
    publics.sort_unstable();
    publics.dedup();
    if publics == ["everyone"] {
        publics.clear();
    }
    publics
}

fn credentials(row: &Row<'_>, faults: &mut Faults<'_>) -> Vec<String> {
    let mut credentials = lists::read(row, "dispositif_programmes_nationaux", faults, codes::credential);
    for label in lists::read(row, "formations_labels", faults, codes::credential) {
        if !credentials.contains(&label) {
            credentials.push(label);
        }
    }
    credentials
}

/// The number in `pivot`. Without a usable one, the place is grouped by its name.
fn number(row: &Row<'_>, faults: &mut Faults<'_>) -> Option<PlaceNumber> {
    let value = row.get("pivot");
    if value.is_empty() {
        let message = "no number identifies the organisation; the place is grouped by its name";
        faults.keep("pivot", "", RowProblem::MissingValue, message);
        return None;
    }
    if value.starts_with(['W', 'w']) {
        return match value.parse() {
            Ok(rna) => Some(PlaceNumber::Rna(rna)),
            Err(error) => invalid_number(value, error, faults),
        };
    }
    match value.parse::<Siret>() {
        Ok(siret) => Some(PlaceNumber::Siret(siret)),
        Err(IdentifierError::Length { found: 9, .. }) => match value.parse() {
            Ok(siren) => {
                let message = "the number of the entity (SIREN) stands for the number of the site (SIRET)";
                faults.keep("pivot", value, RowProblem::SirenForSiret, message);
                Some(PlaceNumber::Siren(siren))
            }
            Err(error) => invalid_number(value, error, faults),
        },
        Err(error @ IdentifierError::Length { found: 13, .. }) => match format!("0{value}").parse::<Siret>() {
            Ok(siret) => {
                faults.correct("pivot", value, RowProblem::LostLeadingZero, format!("read as {siret}"));
                Some(PlaceNumber::Siret(siret))
            }
            Err(_) => invalid_number(value, error, faults),
        },
        Err(error) => invalid_number(value, error, faults),
    }
}

fn invalid_number(value: &str, error: IdentifierError, faults: &mut Faults<'_>) -> Option<PlaceNumber> {
    let problem = match error {
        IdentifierError::Placeholder => RowProblem::PlaceholderIdentifier,
        _ => RowProblem::InvalidIdentifier,
    };
    faults.ignore("pivot", value, problem, format!("{error}; the place is grouped by its name"));
    None
}

/// The date of update: `2024-05-31`, or that date in front of a time, or `31/05/2024`.
fn date(row: &Row<'_>, faults: &mut Faults<'_>) -> Option<NaiveDate> {
    let value = row.get("date_maj");
    if value.is_empty() {
        faults.keep("date_maj", "", RowProblem::MissingValue, "the age of the record is unknown");
        return None;
    }
    let iso = value.get(..10).and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok());
    let has_time = value.get(10..).is_some_and(|time| time.starts_with(['T', ' ']));
    let date = iso
        .filter(|_| value.len() == 10 || has_time)
        .or_else(|| NaiveDate::parse_from_str(value, "%d/%m/%Y").ok())
        .filter(|date| (1990..=2100).contains(&date.year()));
    match date {
        Some(date) if date.to_string() != value => {
            faults.correct("date_maj", value, RowProblem::DateFormat, format!("read as {date}"));
        }
        Some(_) => {}
        None => faults.ignore("date_maj", value, RowProblem::InvalidDate, "not a date such as 2024-05-31"),
    }
    date
}

/// A text without its markup; absent when nothing is left.
pub(super) fn text(row: &Row<'_>, field: &str, faults: &mut Faults<'_>) -> Option<String> {
    let value = row.get(field);
    let (text, had_markup) = clean(value);
    if had_markup {
        faults.correct(field, value, RowProblem::Markup, "markup was taken out of the text");
    }
    Some(text).filter(|text| !text.is_empty())
}

/// A text on one line, of at most [`LONGEST_LINE`] characters.
pub(super) fn line_of_text(row: &Row<'_>, field: &str, faults: &mut Faults<'_>) -> Option<String> {
    let line = text(row, field, faults)?.replace('\n', " ");
    if line.chars().count() <= LONGEST_LINE {
        return Some(line);
    }
    let message = format!("longer than {LONGEST_LINE} characters; the rest was left out");
    faults.correct(field, row.get(field), RowProblem::TooLong, message);
    Some(line.chars().take(LONGEST_LINE).collect::<String>().trim_end().to_owned())
}
