//! Territories from a simple table: `code,name,kind,parent,population,lat,lon`.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::Position;
use super::report::{Faults, NotThisFormat, Report, RowProblem};
use super::table::{Row, Table};
use super::text::{Delimiter, Encoding, clean, decode, number};
use crate::territories::TerritoryKind;

const COLUMNS: [&str; 7] = ["code", "name", "kind", "parent", "population", "lat", "lon"];
const REQUIRED: [&str; 4] = ["code", "name", "kind", "parent"];
/// More than the communes and the statistical districts of France together.
const MOST_RECORDS: usize = 200_000;

const LONGEST_CODE: usize = 32;

/// The most inhabitants that the API promises; no population comes near it.
const LARGEST_POPULATION: f64 = 10_000_000_000.0;

/// The longest name that the API promises, in characters.
const LONGEST_NAME: usize = 200;

/// What a file of territories gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Territories {
    /// The sound records: parents that the file defines come before their children, else in the order of the file.
    pub territories: Vec<ImportedTerritory>,
    /// Records in the file, skipped ones included, blank lines not.
    pub rows_read: usize,
    /// What is wrong and what was done.
    pub report: Report,
    /// How the file was written.
    pub encoding: Encoding,
    /// What separates its fields.
    pub delimiter: Delimiter,
}

/// A territory as the file gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedTerritory {
    /// Physical line on which the record starts.
    pub line: u64,
    /// Unique in the file: letters, digits, `-`, `_` and `.`, at most 32 of them.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its level.
    pub kind: TerritoryKind,
    /// The code of the territory around it. It may stand in no record of this file: then it must exist already.
    pub parent: Option<String>,
    /// Inhabitants.
    pub population: Option<u64>,
    /// Its centre.
    pub position: Option<Position>,
}

/// Reads a table of territories. Only the first four columns must stand in the header, in any order.
///
/// Parents may come later in the file, or not at all: whether those exist is for the caller to check.
/// Every territory of a cycle is refused; those below it are not. O(n log n).
///
/// # Errors
/// When the file is not of this format, with the reason. Anything wrong inside a record is a fault of the report.
pub fn parse(bytes: &[u8]) -> Result<Territories, NotThisFormat> {
    let (text, encoding) = decode(bytes)?;
    let table = Table::open(&text, &COLUMNS);
    let missing = table.missing(&REQUIRED);
    if !missing.is_empty() {
        return Err(NotThisFormat::MissingColumns { format: "a list of territories", missing });
    }
    let delimiter = table.delimiter();

    let mut report = Report::default();
    encoding.note(&mut report);
    table.note_columns(&COLUMNS, &[], &mut report);
    let mut territories: Vec<ImportedTerritory> = Vec::new();
    let mut seen = BTreeSet::new();
    let rows_read = table.each(MOST_RECORDS, &mut report, |row, faults| {
        if seen.contains(row.get("code")) {
            let message = "an earlier record has this code; this one was skipped";
            faults.skip("code", row.get("code"), RowProblem::Duplicate, message);
        } else if let Some(territory) = read(row, faults) {
            seen.insert(territory.code.clone());
            territories.push(territory);
        }
    })?;
    let territories = parents_first(territories, &mut report);
    report.sort();
    Ok(Territories { territories, rows_read, report, encoding, delimiter })
}

fn read(row: &Row<'_>, faults: &mut Faults<'_>) -> Option<ImportedTerritory> {
    let code = row.get("code");
    let (name, _) = clean(row.get("name"));
    for (field, is_missing) in [("code", code.is_empty()), ("name", name.is_empty())] {
        if is_missing {
            faults.skip(field, "", RowProblem::MissingValue, format!("without a {field} the record was skipped"));
            return None;
        }
    }
    let parent = row.get("parent");
    for (field, value) in [("code", code), ("parent", parent)] {
        if !value.is_empty() && !is_code(value) {
            let message = "a code has letters, digits, `-`, `_` and `.`, at most 32 of them; the record was skipped";
            faults.skip(field, value, RowProblem::InvalidCode, message);
            return None;
        }
    }
    let kind = match row.get("kind").parse::<TerritoryKind>() {
        Ok(kind) => kind,
        Err(error) => {
            faults.skip("kind", row.get("kind"), RowProblem::UnknownKind, format!("{error}; the record was skipped"));
            return None;
        }
    };
    if parent == code {
        let message = "a territory cannot be its own parent; the record was skipped";
        faults.skip("parent", parent, RowProblem::SelfParent, message);
        return None;
    }
    Some(ImportedTerritory {
        line: row.line,
        code: code.to_owned(),
        name: short(&name.replace('\n', " "), row, faults),
        kind,
        parent: Some(parent).filter(|parent| !parent.is_empty()).map(str::to_owned),
        population: population(row, faults),
        position: position(row, faults),
    })
}

/// The name, cut where it is too long.
fn short(name: &str, row: &Row<'_>, faults: &mut Faults<'_>) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let message = format!("longer than {LONGEST_NAME} characters; the rest was left out");
    faults.correct("name", row.get("name"), RowProblem::TooLong, message);
    name.chars().take(LONGEST_NAME).collect::<String>().trim_end().to_owned()
}

fn is_code(text: &str) -> bool {
    text.len() <= LONGEST_CODE && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within 0..=10^10")]
fn population(row: &Row<'_>, faults: &mut Faults<'_>) -> Option<u64> {
    let value = row.get("population");
    if value.is_empty() {
        return None;
    }
    match number(value) {
        Some((inhabitants, corrected))
            if inhabitants.fract() == 0.0 && (0.0..=LARGEST_POPULATION).contains(&inhabitants) =>
        {
            if corrected {
                faults.correct("population", value, RowProblem::NumberFormat, format!("read as {inhabitants}"));
            }
            Some(inhabitants as u64)
        }
        _ => {
            let message = "not a number of inhabitants; the population is unknown";
            faults.ignore("population", value, RowProblem::InvalidNumber, message);
            None
        }
    }
}

fn position(row: &Row<'_>, faults: &mut Faults<'_>) -> Option<Position> {
    let written = [("lat", row.get("lat")), ("lon", row.get("lon"))];
    match written.map(|(_, value)| value.is_empty()) {
        [true, true] => return None,
        [false, false] => {}
        [lat_is_empty, _] => {
            let (field, value) = written[usize::from(lat_is_empty)];
            let message = "one coordinate without the other; the centre is unknown";
            faults.ignore(field, value, RowProblem::IncompleteCoordinates, message);
            return None;
        }
    }
    let [latitude, longitude] = written.map(|(field, value)| {
        let degrees = number(value);
        match degrees {
            Some((degrees, true)) => {
                faults.correct(field, value, RowProblem::NumberFormat, format!("read as {degrees}"));
            }
            Some(_) => {}
            None => faults.ignore(field, value, RowProblem::InvalidNumber, "not a number of degrees"),
        }
        degrees.map(|(degrees, _)| degrees)
    });
    let (latitude, longitude) = (latitude?, longitude?);
    let position = Position::on_earth(latitude, longitude);
    if position.is_none() {
        let both = format!("{}, {}", written[0].1, written[1].1);
        let message = "latitudes go from -90 to 90, longitudes from -180 to 180; the centre is unknown";
        faults.ignore("lat", &both, RowProblem::OutsideArea, message);
    }
    position
}

/// Sorts parents before children and refuses the territories of every cycle.
///
/// Each territory has one parent, so walking up from it ends at a root or enters a cycle: no general method is needed.
fn parents_first(territories: Vec<ImportedTerritory>, report: &mut Report) -> Vec<ImportedTerritory> {
    let by_code: BTreeMap<&str, usize> = territories.iter().enumerate().map(|(i, t)| (t.code.as_str(), i)).collect();
    let parents: Vec<Option<usize>> =
        territories.iter().map(|t| t.parent.as_deref().and_then(|parent| by_code.get(parent).copied())).collect();
    let mut marks = vec![Mark::Unseen; territories.len()];
    let mut order = Vec::with_capacity(territories.len());
    for start in 0..territories.len() {
        let mut path = Vec::new();
        let mut at = Some(start);
        while let Some(index) = at.filter(|&index| marks[index] == Mark::Unseen) {
            marks[index] = Mark::OnPath;
            path.push(index);
            at = parents[index];
        }
        if let Some(entry) = at.filter(|&index| marks[index] == Mark::OnPath) {
            let from = path.iter().position(|&index| index == entry).unwrap_or(0);
            for &index in &path[from..] {
                marks[index] = Mark::InCycle;
            }
        }
        for &index in path.iter().rev().filter(|&&index| marks[index] == Mark::OnPath).collect::<Vec<_>>() {
            marks[index] = Mark::Placed;
            order.push(index);
        }
    }
    for (territory, _) in territories.iter().zip(&marks).filter(|(_, mark)| **mark == Mark::InCycle) {
        let message = "the parents lead back to this territory; all territories of the cycle were skipped";
        Faults::of_line(territory.line, report).skip("parent", &territory.code, RowProblem::Cycle, message);
    }
    let mut slots: Vec<Option<ImportedTerritory>> = territories.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| slots[index].take()).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    OnPath,
    InCycle,
    Placed,
}
