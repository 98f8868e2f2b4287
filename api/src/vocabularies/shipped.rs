//! The terms that the product ships: services, publics and modalities, with their crosswalks.
//!
//! The files in `api/data` are the source; they are read once, on first use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::fold::fold;

const SERVICES: &str = include_str!("../../data/services.csv");
const PUBLICS: &str = include_str!("../../data/publics.csv");
const MODALITIES: &str = include_str!("../../data/modalities.csv");

static EMBEDDED: LazyLock<Result<Shipped, ShippedError>> = LazyLock::new(|| {
    Ok(Shipped {
        services: Terms::parse("services", SERVICES)?,
        publics: Terms::parse("publics", PUBLICS)?,
        modalities: Terms::parse("modalities", MODALITIES)?,
    })
});

/// The terms that ship with the service, parsed on the first call.
///
/// # Errors
/// When a data file breaks a rule of [`Terms::parse`]; the same error on every call.
pub fn shipped() -> Result<&'static Shipped, ShippedError> {
    EMBEDDED.as_ref().map_err(Clone::clone)
}

/// All lists of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// What an actor delivers; a tree.
    pub services: Terms,
    /// For whom; a tree under `everyone`.
    pub publics: Terms,
    /// How; a flat list.
    pub modalities: Terms,
}

impl Shipped {
    /// Our service for a service of the national standard; case, accents and punctuation do not matter.
    #[must_use]
    pub fn service_of_standard(&self, value: &str) -> Option<&str> {
        self.services.of_standard(value)
    }

    /// Our public for a public, or a specific care, of the national standard.
    #[must_use]
    pub fn public_of_standard(&self, value: &str) -> Option<&str> {
        self.publics.of_standard(value)
    }

    /// Our modality for a way of support of the national standard.
    #[must_use]
    pub fn modality_of_standard(&self, value: &str) -> Option<&str> {
        self.modalities.of_standard(value)
    }
}

/// One value of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Our stable code, in kebab-case.
    pub code: String,
    /// The code of the wider term; none at a root.
    pub parent: Option<String>,
    /// English label.
    pub label_en: String,
    /// French label.
    pub label_fr: String,
    /// Values of the national standard for places of digital mediation.
    pub mediation_numerique: Vec<String>,
    /// Values of data·inclusion.
    pub data_inclusion: Vec<String>,
    /// Codes of the common procurement vocabulary, with their check digit.
    pub cpv: Vec<String>,
}

/// A list of terms in the order of its file, where parents come before their children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    in_order: Vec<Term>,
    by_code: BTreeMap<String, usize>,
    by_standard: BTreeMap<String, usize>,
    data_inclusion_seen: BTreeSet<String>,
}

impl Terms {
    /// Reads a list: unique kebab-case codes, parents before children, both labels, and every official value of the
    /// standard and of data·inclusion at one term only, so that the way back is a function.
    ///
    /// `list` names the list in errors; absent columns mean empty values.
    ///
    /// # Errors
    /// The first rule that a line breaks, with its line.
    pub fn parse(list: &'static str, csv: &str) -> Result<Self, ShippedError> {
        let mut terms = Self {
            in_order: Vec::new(),
            by_code: BTreeMap::new(),
            by_standard: BTreeMap::new(),
            data_inclusion_seen: BTreeSet::new(),
        };
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let malformed = |line: usize, e: &csv::Error| ShippedError { list, line, reason: e.to_string() };
        let headers = reader.headers().map_err(|e| malformed(1, &e))?.clone();
        for (index, record) in reader.into_records().enumerate() {
            let line = index + 2;
            let record = record.map_err(|e| malformed(line, &e))?;
            let field = |name: &str| headers.iter().position(|h| h == name).and_then(|i| record.get(i)).unwrap_or("");
            let term = Term {
                code: field("code").to_owned(),
                parent: Some(field("parent")).filter(|p| !p.is_empty()).map(str::to_owned),
                label_en: field("label_en").to_owned(),
                label_fr: field("label_fr").to_owned(),
                mediation_numerique: values(field("mediation_numerique")),
                data_inclusion: values(field("data_inclusion")),
                cpv: values(field("cpv")),
            };
            terms.add(term).map_err(|reason| ShippedError { list, line, reason })?;
        }
        Ok(terms)
    }

    fn add(&mut self, term: Term) -> Result<(), String> {
        if !is_kebab_case(&term.code) {
            return Err(format!("code {:?} is not in kebab-case", term.code));
        }
        if term.label_en.is_empty() || term.label_fr.is_empty() {
            return Err(format!("{} lacks a label", term.code));
        }
        if let Some(parent) = term.parent.as_ref().filter(|p| !self.by_code.contains_key(*p)) {
            return Err(format!("the parent {parent} of {} is not above it", term.code));
        }
        let index = self.in_order.len();
        if self.by_code.insert(term.code.clone(), index).is_some() {
            return Err(format!("{} stands twice", term.code));
        }
        for value in &term.mediation_numerique {
            if self.by_standard.insert(fold(value), index).is_some() {
                return Err(format!("{value:?} belongs to two codes"));
            }
        }
        for value in &term.data_inclusion {
            if !self.data_inclusion_seen.insert(value.clone()) {
                return Err(format!("{value:?} belongs to two codes"));
            }
        }
        self.in_order.push(term);
        Ok(())
    }

    /// All terms, parents first.
    pub fn iter(&self) -> std::slice::Iter<'_, Term> {
        self.in_order.iter()
    }

    /// The term of a code. O(log n).
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&Term> {
        self.by_code.get(code).map(|&index| &self.in_order[index])
    }

    /// The code itself, then its parent, up to the root; empty for an unknown code.
    pub fn lineage<'a>(&'a self, code: &str) -> impl Iterator<Item = &'a Term> {
        std::iter::successors(self.get(code), |term| term.parent.as_deref().and_then(|parent| self.get(parent)))
    }

    /// The code of a value of the national standard, compared without case, accents or punctuation.
    #[must_use]
    pub fn of_standard(&self, value: &str) -> Option<&str> {
        self.by_standard.get(&fold(value)).map(|&index| self.in_order[index].code.as_str())
    }
}

impl<'a> IntoIterator for &'a Terms {
    type Item = &'a Term;
    type IntoIter = std::slice::Iter<'a, Term>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A data file that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("list of {list}, line {line}: {reason}")]
pub struct ShippedError {
    list: &'static str,
    line: usize,
    reason: String,
}

fn values(cell: &str) -> Vec<String> {
    cell.split('|').filter(|value| !value.is_empty()).map(str::to_owned).collect()
}

fn is_kebab_case(code: &str) -> bool {
    code.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::{Terms, shipped};

    #[test]
    fn the_embedded_lists_hold_every_rule() {
        let lists = shipped().expect("the data files are sound");
        assert_eq!(
            (lists.services.iter().len(), lists.publics.iter().len(), lists.modalities.iter().len()),
            (21, 20, 6)
        );
    }

    #[test]
    fn every_value_of_the_national_standard_has_one_code() {
        let lists = shipped().unwrap();
        let services = [
            ("Accès internet et matériel informatique", "access-place"),
            ("Acquisition de matériel informatique à prix solidaire", "equipment-distribution"),
            ("Maîtrise des outils numériques du quotidien", "training-daily-tools"),
            ("Compréhension du monde numérique", "training-digital-culture"),
            ("Utilisation sécurisée du numérique", "training-security"),
            ("Parentalité et éducation avec le numérique", "training-parenting"),
            ("Insertion professionnelle via le numérique", "training-employment"),
            ("Loisirs et créations numériques", "training-creation"),
            ("Aide aux démarches administratives", "support-procedures"),
        ];
        for (value, code) in services {
            assert_eq!(lists.service_of_standard(value), Some(code), "{value}");
        }
        let publics = [
            ("Jeunes", "young"),
            ("Étudiants", "students"),
            ("Familles et/ou enfants", "families"),
            ("Seniors", "seniors"),
            ("Femmes", "women"),
            ("Surdité", "deafness"),
            ("Handicaps moteurs", "motor-disability"),
            ("Handicaps mentaux", "mental-disability"),
            ("Illettrisme", "illiteracy"),
            ("Langues étrangères (anglais)", "english"),
            ("Langues étrangères (autres)", "foreign-language"),
            ("Déficience visuelle", "visual-impairment"),
        ];
        for (value, code) in publics {
            assert_eq!(lists.public_of_standard(value), Some(code), "{value}");
        }
        for value in ["En autonomie", "Accompagnement individuel", "Dans un atelier collectif", "À distance"] {
            assert!(lists.modality_of_standard(value).is_some(), "{value}");
        }
    }

    #[test]
    fn a_value_is_found_without_its_accents_and_an_unknown_one_is_not() {
        let lists = shipped().unwrap();
        assert_eq!(lists.service_of_standard("COMPREHENSION du monde numérique"), Some("training-digital-culture"));
        assert_eq!(lists.service_of_standard("Yoga"), None);
    }

    #[test]
    fn a_lineage_climbs_to_the_root() {
        let publics = &shipped().unwrap().publics;
        let codes: Vec<&str> = publics.lineage("deafness").map(|term| term.code.as_str()).collect();
        assert_eq!(codes, ["deafness", "disabled", "everyone"]);
        assert_eq!(publics.lineage("nobody").count(), 0);
    }

    #[test]
    fn a_broken_list_says_where_and_why() {
        let header = "code,parent,label_en,label_fr,mediation_numerique\n";
        for (lines, reason) in [
            ("a,,A,A,\na,,A,A,\n", "line 3: a stands twice"),
            ("a,b,A,A,\nb,,B,B,\n", "line 2: the parent b of a is not above it"),
            ("A b,,A,A,\n", "line 2: code \"A b\" is not in kebab-case"),
            ("a,,A,,\n", "line 2: a lacks a label"),
            ("a,,A,A,Même\nb,,B,B,meme\n", "line 3: \"meme\" belongs to two codes"),
        ] {
            let error = Terms::parse("letters", &format!("{header}{lines}")).unwrap_err();
            assert_eq!(error.to_string(), format!("list of letters, {reason}"));
        }
    }
}
