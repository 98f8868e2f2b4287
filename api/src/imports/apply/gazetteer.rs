//! Finds the code of a commune by its name and post code, among the territories that the database knows.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbErr};

use crate::fold::fold;
use crate::territories::{NewTerritory, TerritoryKind, store};

/// The communes by their folded name, and every code that is taken.
pub struct Gazetteer {
    codes: BTreeMap<String, Vec<String>>,
    known: BTreeSet<String>,
}

impl Gazetteer {
    /// Reads the communes. One query.
    pub async fn load(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let mut codes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for row in store::all(db).await? {
            known.insert(row.code.clone());
            if row.kind == TerritoryKind::Commune {
                codes.entry(row.search_name).or_default().push(row.code);
            }
        }
        Ok(Self { codes, known })
    }

    /// Adds communes that are not known yet, by code and name.
    pub fn add(&mut self, communes: &BTreeMap<String, NewTerritory>) {
        for (code, territory) in communes.iter().filter(|(_, territory)| territory.kind == TerritoryKind::Commune) {
            let codes = self.codes.entry(fold(&territory.name)).or_default();
            if !self.known.contains(code) {
                codes.push(code.clone());
            }
        }
    }

    /// The one commune of that name in that département; `None` when there are several, or none.
    pub fn code(&self, name: &str, post_code: &str) -> Option<String> {
        // A post code begins with the département's code, but for Corsica (20 for 2A and 2B).
        let departement = post_code.get(..2)?;
        let fits = |code: &&String| {
            code.starts_with(departement) || (departement == "20" && (code.starts_with("2A") || code.starts_with("2B")))
        };
        let mut found = self.codes.get(&fold(name))?.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(code), None) => Some(code.clone()),
            _ => None,
        }
    }
}
