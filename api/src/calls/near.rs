//! Where calls are: of a large directory, only who is there can answer them.

use std::collections::{BTreeMap, BTreeSet};

use super::Call;
use crate::territories::TerritoryKind;
use crate::territories::entity::Model;

/// The codes of the territories where the needs of some calls are, with all that lie in them and all that they lie in.
///
/// A commune, and what is smaller, is seen with the group of communes or the département that it lies in: who works next door almost fits,
/// which is worth telling. O(territories × log).
#[must_use]
pub fn surroundings(territories: &[Model], calls: &[&Call]) -> BTreeSet<String> {
    let rows: BTreeMap<&str, &Model> = territories.iter().map(|row| (row.code.as_str(), row)).collect();
    let mut inside: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in territories {
        if let Some(parent) = &row.parent_code {
            inside.entry(parent).or_default().push(&row.code);
        }
    }
    let lots = calls.iter().flat_map(|call| &call.value.written.lots);
    let tops: BTreeSet<&str> = lots
        .flat_map(|lot| &lot.needs)
        .filter_map(|need| {
            let mut row = *rows.get(need.territory.as_str())?;
            // A tree that had become a circle comes to an end.
            for _ in 0..rows.len() {
                let above = row.parent_code.as_deref().and_then(|code| rows.get(code));
                let Some(above) = above.filter(|_| row.kind >= TerritoryKind::Commune) else { break };
                row = above;
            }
            Some(row.code.as_str())
        })
        .collect();
    let mut codes: BTreeSet<&str> = BTreeSet::new();
    let mut next: Vec<&str> = tops.iter().copied().collect();
    while let Some(code) = next.pop() {
        if codes.insert(code) {
            next.extend(inside.get(code).into_iter().flatten());
        }
    }
    let mut codes = codes.into_iter().map(str::to_owned).collect();
    add_with_above(&mut codes, territories, tops.iter().filter_map(|top| rows.get(top)?.parent_code.as_deref()));
    codes
}

/// Adds territories, with all that they lie in, to some that have this already. O(territories × log).
pub fn add_with_above<'a>(
    codes: &mut BTreeSet<String>,
    territories: &[Model],
    others: impl IntoIterator<Item = &'a str>,
) {
    let parents: BTreeMap<&str, Option<&str>> =
        territories.iter().map(|row| (row.code.as_str(), row.parent_code.as_deref())).collect();
    for other in others {
        let mut next = Some(other);
        while let Some(code) = next.filter(|code| parents.contains_key(code) && codes.insert((*code).to_owned())) {
            next = parents.get(code).copied().flatten();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::DateTime;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::calls::{CallState, CallStatus};
    use crate::territories::Indicators;

    fn row(code: &str, kind: TerritoryKind, parent: Option<&str>) -> Model {
        Model {
            code: code.to_owned(),
            name: code.to_owned(),
            search_name: code.to_owned(),
            kind,
            parent_code: parent.map(str::to_owned),
            population: None,
            latitude: None,
            longitude: None,
            indicators: Indicators::default(),
            version: 1,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn country() -> Vec<Model> {
        use TerritoryKind::{Arrondissement, Commune, Country, Departement, Metropole, Region};
        vec![
            row("FR", Country, None),
            row("84", Region, Some("FR")),
            row("200046977", Metropole, Some("84")),
            row("69123", Commune, Some("200046977")),
            row("69381", Arrondissement, Some("69123")),
            row("69266", Commune, Some("200046977")),
            row("42", Departement, Some("84")),
            row("42218", Commune, Some("42")),
            row("75", Departement, Some("FR")),
        ]
    }

    fn call_in(place: &str) -> Call {
        let need = json!({ "code": "n", "title": "n", "service": "access", "territory": place, "unit": "hour", "quantity": 1 });
        let written = json!({
            "funder": Uuid::nil(), "title": "c", "kind": "grant", "starts_on": "2027-01-01", "duration_months": 12,
            "lots": [{ "code": "l", "title": "l", "needs": [need] }]
        });
        let written = serde_json::from_value(written).unwrap();
        let value = CallState { status: CallStatus::Draft, published_at: None, closed_at: None, written };
        let never = DateTime::UNIX_EPOCH;
        Call { id: Uuid::nil(), version: 1, created_at: never, updated_at: never, value }
    }

    fn near(territories: &[Model], place: &str) -> Vec<String> {
        let call = call_in(place);
        surroundings(territories, &[&call]).into_iter().collect()
    }

    #[test]
    fn what_is_small_is_seen_with_its_neighbours_and_what_is_large_by_itself() {
        let metropolis = ["200046977", "69123", "69266", "69381", "84", "FR"];
        for place in ["69381", "69266", "200046977"] {
            assert_eq!(near(&country(), place), metropolis, "{place}");
        }
        assert_eq!(near(&country(), "42"), ["42", "42218", "84", "FR"]);
        assert_eq!(near(&country(), "75"), ["75", "FR"]);
        assert_eq!(near(&country(), "FR").len(), country().len());
        assert!(near(&country(), "unknown").is_empty());
    }

    #[test]
    fn others_come_with_what_they_lie_in() {
        let mut codes = BTreeSet::from(["75".to_owned(), "FR".to_owned()]);
        add_with_above(&mut codes, &country(), ["42218", "unknown"]);
        assert_eq!(Vec::from_iter(codes), ["42", "42218", "75", "84", "FR"]);
    }

    #[test]
    fn a_tree_that_has_become_a_circle_comes_to_an_end() {
        use TerritoryKind::Commune;
        let circle = [row("a", Commune, Some("b")), row("b", Commune, Some("a"))];
        assert_eq!(near(&circle, "a"), ["a", "b"]);
    }
}
