//! Fields that hold several values.

use std::collections::BTreeSet;

use super::codes::Found;
use crate::imports::report::{Faults, RowProblem};
use crate::imports::table::Row;
use crate::imports::text::clean;

/// No list of the standard has a quarter of it.
const MOST_ITEMS: usize = 100;

/// The codes of the values of a list, in the order of the file, each once.
///
/// `|` separates; `;` is accepted and noted, no word of the standard contains it.
pub(super) fn read<'v>(
    row: &Row<'_>,
    field: &str,
    faults: &mut Faults<'_>,
    find: impl Fn(&str) -> Option<Found<'v>>,
) -> Vec<String> {
    let value = row.get(field);
    if value.contains(';') {
        let message = "`;` was read as the separator of the list; the standard's is `|`";
        faults.correct(field, value, RowProblem::ListSeparator, message);
    }
    let mut codes: Vec<String> = Vec::new();
    let items = value.split(['|', ';']).map(str::trim).filter(|item| !item.is_empty());
    for (index, item) in items.enumerate() {
        if index == MOST_ITEMS {
            faults.ignore(
                field,
                item,
                RowProblem::TooLong,
                "more than 100 values; from this one on they were left out",
            );
            break;
        }
        let code = match find(item) {
            Some(Found::Official(code)) => code,
            Some(Found::Older(code)) => {
                faults.correct(field, item, RowProblem::ObsoleteValue, format!("read as `{code}`"));
                code
            }
            None => {
                faults.ignore(field, item, RowProblem::UnknownValue, "not in the list of values; it was left out");
                continue;
            }
        };
        if !codes.iter().any(|known| known == code) {
            codes.push(code.to_owned());
        }
    }
    codes
}

/// The values of a list of free texts, in the order of the file, each once. Only `|` separates.
pub(super) fn free(row: &Row<'_>, field: &str, faults: &mut Faults<'_>) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for item in row.get(field).split('|') {
        let (text, had_markup) = clean(item);
        if had_markup {
            faults.correct(field, item, RowProblem::Markup, "markup was taken out of the text");
        }
        if !text.is_empty() {
            values.push(text.replace('\n', " "));
        }
    }
    distinct(values)
}

/// The values in their order, each once. O(n log n).
pub(super) fn distinct(mut values: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    values.retain(|value| seen.insert(value.clone()));
    values
}
