//! Where a place is.

use super::Gazetteer;
use super::place::line_of_text;
use crate::fold::fold;
use crate::imports::Position;
use crate::imports::report::{Faults, RowProblem};
use crate::imports::table::Row;
use crate::imports::text::number;

/// What a record says of its location.
pub(super) struct Location {
    pub(super) commune_name: Option<String>,
    pub(super) post_code: Option<String>,
    pub(super) commune_code: Option<String>,
    pub(super) address: Option<String>,
    pub(super) address_complement: Option<String>,
    pub(super) position: Option<Position>,
}

/// Reads the location. When it is `withheld`, address and coordinates are neither read nor repeated in a fault.
pub(super) fn read(row: &Row<'_>, faults: &mut Faults<'_>, resolve: Gazetteer<'_>, withheld: bool) -> Location {
    let commune_name = line_of_text(row, "commune", faults);
    if commune_name.is_none() {
        faults.keep("commune", "", RowProblem::MissingValue, "the name of the commune is unknown");
    }
    let post_code = post_code(row, faults);
    let commune_code = commune_code(row, faults, post_code.as_deref(), resolve);
    if withheld {
        let protected = ["adresse", "complement_adresse", "latitude", "longitude"];
        if protected.into_iter().any(|field| !row.get(field).is_empty()) {
            let message = "the place is a shelter: its address and coordinates must not be published and were left out";
            faults.ignore("adresse", "", RowProblem::ProtectedAddress, message);
        }
        return Location {
            commune_name,
            post_code,
            commune_code,
            address: None,
            address_complement: None,
            position: None,
        };
    }
    let address = line_of_text(row, "adresse", faults);
    if address.is_none() {
        faults.keep("adresse", "", RowProblem::MissingValue, "the address is unknown");
    }
    let address_complement = line_of_text(row, "complement_adresse", faults);
    let position = position(row, faults);
    Location { commune_name, post_code, commune_code, address, address_complement, position }
}

fn post_code(row: &Row<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let value = row.get("code_postal");
    let compact: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    if compact.is_empty() {
        faults.keep("code_postal", "", RowProblem::MissingValue, "the post code is unknown");
        return None;
    }
    let padded = if compact.len() == 4 { format!("0{compact}") } else { compact };
    if !is_post_code(&padded) {
        faults.ignore("code_postal", value, RowProblem::InvalidPostCode, "not a French post code of five digits");
        return None;
    }
    match value.len() {
        _ if padded == value => {}
        4 => faults.correct("code_postal", value, RowProblem::LostLeadingZero, format!("read as {padded}")),
        _ => faults.correct("code_postal", value, RowProblem::NumberFormat, format!("read as {padded}")),
    }
    Some(padded)
}

fn is_post_code(code: &str) -> bool {
    let digits = code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit());
    digits && matches!(code[..2].parse(), Ok(1..=95 | 97 | 98))
}

/// The code of the commune: the one given, else the arrondissement that name and post code agree on, else what
/// `resolve` finds.
///
/// Where name and post code agree on an arrondissement and the code given is another one of the same city, two
/// witnesses win over one. The code of the whole city is right as well and stays.
fn commune_code(
    row: &Row<'_>,
    faults: &mut Faults<'_>,
    post_code: Option<&str>,
    resolve: Gazetteer<'_>,
) -> Option<String> {
    let field = "code_insee";
    let name = row.get("commune");
    let named = post_code.and_then(|post_code| City::arrondissement_named(name, post_code));
    let given = given_code(row, faults);
    if let Some(given) = given {
        let Some(city) = City::of_code(&given) else { return Some(given) };
        if given == city.code {
            return Some(given);
        }
        return match named {
            Some(named) if named != given => {
                let message = format!("commune and post code agree on {named}, which replaces the code");
                faults.correct(field, &given, RowProblem::ContradictoryCode, message);
                Some(named)
            }
            None if post_code.is_some_and(|p| city.arrondissement_of(p).is_some_and(|other| other != given)) => {
                let message = "the post code is that of another arrondissement; the code was kept";
                faults.keep(field, &given, RowProblem::ContradictoryCode, message);
                Some(given)
            }
            _ => Some(given),
        };
    }
    if let Some(named) = named {
        faults.correct(field, "", RowProblem::CodeDerived, format!("commune and post code agree on {named}"));
        return Some(named);
    }
    let found = if name.is_empty() { None } else { resolve(name, post_code.unwrap_or("")).filter(|c| !c.is_empty()) };
    if let Some(code) = &found {
        faults.correct(field, "", RowProblem::CodeDerived, format!("found by the name of the commune: {code}"));
    } else {
        let message = "no code and no commune of this name is known: the place is kept, it gives no capability";
        faults.keep(field, "", RowProblem::UnknownTerritory, message);
    }
    found
}

fn given_code(row: &Row<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let value = row.get("code_insee");
    let compact = value.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
    let padded = if compact.len() == 4 { format!("0{compact}") } else { compact };
    if value.is_empty() {
        return None;
    }
    if !is_commune_code(&padded) {
        faults.ignore("code_insee", value, RowProblem::InvalidCode, "not the code of a commune");
        return None;
    }
    match value.len() {
        _ if padded == value => {}
        4 => faults.correct("code_insee", value, RowProblem::LostLeadingZero, format!("read as {padded}")),
        _ => faults.correct("code_insee", value, RowProblem::NumberFormat, format!("read as {padded}")),
    }
    Some(padded)
}

/// Two characters of the département (`2A` and `2B` in Corsica), three digits.
fn is_commune_code(code: &str) -> bool {
    let Some((departement, rest)) = code.split_at_checked(2) else { return false };
    let sound = matches!(departement, "2A" | "2B") || matches!(departement.parse(), Ok(1..=95 | 97 | 98));
    sound
        && departement.bytes().all(|b| b.is_ascii_alphanumeric())
        && rest.len() == 3
        && rest.bytes().all(|b| b.is_ascii_digit())
}

/// The three cities whose arrondissements have codes of their own.
struct City {
    name: &'static str,
    code: &'static str,
    /// Add the number of the arrondissement.
    codes_from: u32,
    /// Add the number of the arrondissement.
    post_codes_from: u32,
    arrondissements: u32,
}

const CITIES: [City; 3] = [
    City { name: "lyon", code: "69123", codes_from: 69_380, post_codes_from: 69_000, arrondissements: 9 },
    City { name: "marseille", code: "13055", codes_from: 13_200, post_codes_from: 13_000, arrondissements: 16 },
    City { name: "paris", code: "75056", codes_from: 75_100, post_codes_from: 75_000, arrondissements: 20 },
];

impl City {
    fn of_code(code: &str) -> Option<&'static Self> {
        let number: u32 = code.parse().ok()?;
        CITIES
            .iter()
            .find(|c| c.code == code || (c.codes_from + 1..=c.codes_from + c.arrondissements).contains(&number))
    }

    /// The arrondissement that a post code of this city belongs to.
    fn arrondissement_of(&self, post_code: &str) -> Option<String> {
        let number: u32 = post_code.parse().ok()?;
        let arrondissement = match number {
            // The second post code of the sixteenth arrondissement of Paris.
            75_116 => 16,
            _ => number.checked_sub(self.post_codes_from)?,
        };
        let exists = (1..=self.arrondissements).contains(&arrondissement);
        exists.then(|| (self.codes_from + arrondissement).to_string())
    }

    /// `LYON 8EME` with 69008 is 69388; nothing when name and post code do not say the same.
    fn arrondissement_named(commune: &str, post_code: &str) -> Option<String> {
        let folded = fold(commune);
        let mut words = folded.split(' ');
        let first = words.next()?;
        let city = CITIES.iter().find(|city| city.name == first)?;
        let digits: String = words.next()?.chars().take_while(char::is_ascii_digit).collect();
        let number: u32 = digits.parse().ok()?;
        let code = city.codes_from.checked_add(number)?.to_string();
        city.arrondissement_of(post_code).filter(|by_post_code| *by_post_code == code)
    }
}

/// Both coordinates, within France.
fn position(row: &Row<'_>, faults: &mut Faults<'_>) -> Option<Position> {
    let written = (row.get("latitude"), row.get("longitude"));
    match written {
        ("", "") => return None,
        ("", value) | (value, "") => {
            let field = if written.0.is_empty() { "longitude" } else { "latitude" };
            let message = "one coordinate without the other; the place has no position";
            faults.ignore(field, value, RowProblem::IncompleteCoordinates, message);
            return None;
        }
        _ => {}
    }
    let latitude = coordinate(row, "latitude", faults);
    let longitude = coordinate(row, "longitude", faults);
    let (latitude, longitude) = (latitude?, longitude?);
    let as_written = Position::on_earth(latitude, longitude).filter(|position| position.is_french());
    if as_written.is_some() {
        return as_written;
    }
    let both = format!("{}, {}", written.0, written.1);
    let swapped = Position { latitude, longitude }.swapped();
    if swapped.is_french() {
        let message = "latitude and longitude were exchanged: only so does the place lie in France";
        faults.correct("latitude", &both, RowProblem::SwappedCoordinates, message);
        return Some(swapped);
    }
    faults.ignore("latitude", &both, RowProblem::OutsideArea, "not in metropolitan or overseas France");
    None
}

fn coordinate(row: &Row<'_>, field: &str, faults: &mut Faults<'_>) -> Option<f64> {
    let value = row.get(field);
    let Some((degrees, corrected)) = number(value) else {
        faults.ignore(field, value, RowProblem::InvalidNumber, "not a number of degrees; the place has no position");
        return None;
    };
    if corrected {
        faults.correct(field, value, RowProblem::NumberFormat, format!("read as {degrees}"));
    }
    Some(degrees)
}

#[cfg(test)]
mod tests {
    use super::{City, is_commune_code, is_post_code};

    #[test]
    fn arrondissements_need_a_name_and_a_post_code_that_agree() {
        for (commune, post_code, code) in [
            ("LYON 8EME", "69008", Some("69388")),
            ("Lyon 1er arrondissement", "69001", Some("69381")),
            ("Lyon 03", "69003", Some("69383")),
            ("Marseille 15e", "13015", Some("13215")),
            ("PARIS 16", "75116", Some("75116")),
            ("Lyon 8ᵉ", "69003", None),
            ("Lyon", "69003", None),
            ("Lyon 12", "69012", None),
            ("Lyons-la-Forêt", "27480", None),
            ("Villeurbanne 1", "69100", None),
            ("Lyon 99999999999999", "69001", None),
        ] {
            assert_eq!(City::arrondissement_named(commune, post_code).as_deref(), code, "{commune} {post_code}");
        }
    }

    #[test]
    fn codes_of_communes_and_post_codes_have_their_shapes() {
        for code in ["69123", "2A004", "97411", "01004"] {
            assert!(is_commune_code(code), "{code}");
        }
        for code in ["00123", "2C004", "6912", "69é1", "96001", "+1234", "691234"] {
            assert!(!is_commune_code(code), "{code}");
        }
        assert!(is_post_code("20000") && is_post_code("98800"));
        assert!(!is_post_code("00000") && !is_post_code("6900A") && !is_post_code("99000"));
    }
}
