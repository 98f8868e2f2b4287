//! Rules on capabilities that the schema cannot express.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};

use super::NewCapability;
use crate::organisations;
use crate::problem::Fault;
use crate::territories;
use crate::vocabularies::{self, Vocabulary};

/// All faults of a capability about to be written. Up to five queries.
pub async fn faults(db: &impl ConnectionTrait, new: &NewCapability) -> Result<Vec<Fault>, DbErr> {
    let mut faults = own_faults(new);
    if !organisations::store::exists(db, new.organisation).await? {
        faults.push(Fault::at("/organisation", "there is no such organisation"));
    }
    let lists = [
        ("services", Vocabulary::Services, &new.services),
        ("publics", Vocabulary::Publics, &new.publics),
        ("modalities", Vocabulary::Modalities, &new.modalities),
    ];
    for (member, vocabulary, codes) in lists {
        let known = vocabularies::store::existing(db, vocabulary, codes.iter().map(String::as_str)).await?;
        unknown(member, codes, &known, &mut faults);
    }
    let known = territories::store::existing(db, new.territories.iter().map(String::as_str)).await?;
    unknown("territories", &new.territories, &known, &mut faults);
    Ok(faults)
}

fn unknown(member: &str, codes: &[String], known: &BTreeSet<String>, faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for (position, code) in codes.iter().enumerate() {
        let pointer = format!("/{member}/{position}");
        if !known.contains(code) {
            faults.push(Fault::at(pointer, format!("`{code}` is not in the list of {member}: see what is, or add it")));
        } else if !seen.insert(code) {
            faults.push(Fault::at(pointer, format!("`{code}` is there twice")));
        }
    }
}

/// The faults that need no database.
fn own_faults(new: &NewCapability) -> Vec<Fault> {
    let mut faults = Vec::new();
    if new.valid_from.zip(new.valid_to).is_some_and(|(from, to)| from > to) {
        faults.push(Fault::at("/valid_to", "the last day comes before the first"));
    }
    if new.capacity_per_year.is_some() && new.unit.is_none() {
        faults.push(Fault::at("/unit", "a known capacity counts something: say what"));
    }
    faults
}
