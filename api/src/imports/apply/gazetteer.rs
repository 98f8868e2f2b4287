//! Finds the code of a commune by its name and post code, among the territories that the database knows.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr};

use crate::fold::fold;
use crate::territories::{TerritoryKind, store};

/// The communes by their folded name.
pub struct Gazetteer(BTreeMap<String, Vec<String>>);

impl Gazetteer {
    /// Reads the communes. One query.
    pub async fn load(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let mut communes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let rows = store::all(db).await?;
        for row in rows.into_iter().filter(|row| row.kind == TerritoryKind::Commune) {
            communes.entry(row.search_name).or_default().push(row.code);
        }
        Ok(Self(communes))
    }

    /// The one commune of that name in that département; `None` when there are several, or none.
    pub fn code(&self, name: &str, post_code: &str) -> Option<String> {
        // A post code begins with the département's code, but for Corsica (20 for 2A and 2B).
        let departement = post_code.get(..2)?;
        let fits = |code: &&String| {
            code.starts_with(departement) || (departement == "20" && (code.starts_with("2A") || code.starts_with("2B")))
        };
        let mut found = self.0.get(&fold(name))?.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(code), None) => Some(code.clone()),
            _ => None,
        }
    }
}
