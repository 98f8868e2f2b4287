//! Territories of a file into the database.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::ConnectionTrait;

use super::Report;
use crate::imports::territories::ImportedTerritory;
use crate::imports::{ImportSummary, RowAction, RowFault, RowProblem};
use crate::problem::Problem;
use crate::territories::{NewTerritory, store};

/// Creates the territories that are new and updates those that differ; indicators stay. Two queries, one per few hundred
/// new territories, one per changed one.
pub async fn write(
    db: &impl ConnectionTrait,
    read: Vec<ImportedTerritory>,
    summary: &mut ImportSummary,
    report: &mut Report,
) -> Result<(), Problem> {
    let stored: BTreeMap<String, _> =
        store::all(db).await?.into_iter().map(|row| (row.code.clone(), store::view(row))).collect();
    let in_file: BTreeSet<String> = read.iter().map(|territory| territory.code.clone()).collect();
    let mut parents: BTreeMap<String, String> =
        stored.iter().filter_map(|(code, territory)| Some((code.clone(), territory.value.parent.clone()?))).collect();
    let mut refused: BTreeSet<String> = BTreeSet::new();
    let mut created = Vec::new();
    let mut changed = Vec::new();
    for territory in read {
        if let Some(fault) = parent_fault(&territory, &in_file, &refused, &stored, &mut parents) {
            refused.insert(territory.code);
            report.add(fault);
            continue;
        }
        let before = stored.get(&territory.code);
        let indicators = before.map(|before| before.value.indicators.clone()).unwrap_or_default();
        let (code, new) = territory_of(territory, indicators);
        match before {
            None => created.push((code, new)),
            Some(before) if before.value == new => summary.territories.unchanged += 1,
            Some(before) => changed.push((code, new, before.version)),
        }
    }
    summary.territories.created += created.len() as u64;
    store::insert_many(db, &created).await?;
    // The new parent of a known territory may be one of those just created.
    summary.territories.updated += changed.len() as u64;
    for (code, new, version) in changed {
        if !store::replace(db, &code, &new, version).await? {
            return Err(Problem::conflict(format!(
                "the territory {code} was changed meanwhile: import the file again"
            )));
        }
    }
    Ok(())
}

/// What is wrong with the parent of a territory; where nothing is, records it in `parents`.
fn parent_fault<T>(
    territory: &ImportedTerritory,
    in_file: &BTreeSet<String>,
    refused: &BTreeSet<String>,
    stored: &BTreeMap<String, T>,
    parents: &mut BTreeMap<String, String>,
) -> Option<RowFault> {
    let Some(parent) = &territory.parent else {
        parents.remove(&territory.code);
        return None;
    };
    let fault = |message: String| RowFault {
        line: territory.line,
        field: "parent".to_owned(),
        value: parent.clone(),
        problem: RowProblem::UnknownTerritory,
        message,
        action: RowAction::RowSkipped,
    };
    if !stored.contains_key(parent) && (!in_file.contains(parent) || refused.contains(parent)) {
        return Some(fault(format!(
            "there is no territory {parent}, neither in this file nor known: the row is skipped"
        )));
    }
    let mut above = Some(parent);
    let mut steps = 0;
    while let Some(code) = above {
        steps += 1;
        if *code == territory.code || steps > parents.len() + 1 {
            return Some(fault(format!("{parent} already lies in {}: the row is skipped", territory.code)));
        }
        above = parents.get(code);
    }
    parents.insert(territory.code.clone(), parent.clone());
    None
}

fn territory_of(territory: ImportedTerritory, indicators: crate::territories::Indicators) -> (String, NewTerritory) {
    let ImportedTerritory { line: _, code, name, kind, parent, population, position } = territory;
    let new = NewTerritory {
        name,
        kind,
        parent,
        population: population.and_then(|inhabitants| i64::try_from(inhabitants).ok()),
        latitude: position.map(|position| position.latitude),
        longitude: position.map(|position| position.longitude),
        indicators,
    };
    (code, new)
}
