//! What has changed in an organisation between two days, from what everybody may know on each.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{CapabilityChange, CapabilityChangeKind, CredentialChange, CredentialChangeKind, KeptCapability, Snapshot};
use crate::calls::window::Window;
use crate::organisations::Credential;
use crate::vocabularies::{self, Vocabulary};

/// The days that count.
#[derive(Clone, Copy, Debug)]
pub struct Days {
    /// When the consortium was kept.
    pub kept: NaiveDate,
    /// Today.
    pub today: NaiveDate,
    /// The first and the last day of the contract that is looked at.
    pub contract: Option<(NaiveDate, NaiveDate)>,
}

impl Days {
    /// Whether a capability lasts: today, or for the whole contract.
    fn lasts(self, own: &KeptCapability) -> bool {
        let (first, last) = self.contract.unwrap_or((self.today, self.today));
        own.valid_from.is_none_or(|from| from <= first) && own.valid_to.is_none_or(|to| to >= last)
    }
}

/// What lies above each code.
#[derive(Clone, Debug, Default)]
pub struct Trees {
    territories: BTreeMap<String, String>,
    publics: BTreeMap<String, String>,
    services: BTreeMap<String, String>,
}

impl Trees {
    /// Reads them. Three queries; O(territories).
    ///
    /// # Errors
    /// The database's.
    pub async fn load(window: &Window<'_, impl ConnectionTrait>) -> Result<Self, DbErr> {
        let territories = window.territories().await?.into_iter();
        Ok(Self {
            territories: territories.filter_map(|row| Some((row.code, row.parent_code?))).collect(),
            publics: parents(window, Vocabulary::Publics).await?,
            services: parents(window, Vocabulary::Services).await?,
        })
    }
}

async fn parents(
    window: &Window<'_, impl ConnectionTrait>,
    vocabulary: Vocabulary,
) -> Result<BTreeMap<String, String>, DbErr> {
    let terms = window.terms(vocabulary).await?.into_iter().map(vocabularies::store::view);
    Ok(terms.filter_map(|term| Some((term.code, term.value.parent?))).collect())
}

/// A code, and all above it.
fn up<'a>(tree: &'a BTreeMap<String, String>, code: &'a str) -> impl Iterator<Item = &'a str> {
    std::iter::successors(Some(code), |code| tree.get(*code).map(String::as_str))
}

/// The capabilities that are not what they were, those of that day first, each in the order of their ids. O(codes × depth of the trees).
#[must_use]
pub fn capabilities(then: &Snapshot, now: &Snapshot, days: Days, trees: &Trees) -> Vec<CapabilityChange> {
    let before: BTreeMap<Uuid, &KeptCapability> = then.capabilities.iter().map(|own| (own.capability, own)).collect();
    let after: BTreeMap<Uuid, &KeptCapability> = now.capabilities.iter().map(|own| (own.capability, own)).collect();
    let kept = before.iter().map(|(id, own)| change(*id, Some(own), after.get(id).copied(), days, trees));
    let new = after.iter().filter(|(id, _)| !before.contains_key(id));
    let new = new.map(|(id, own)| change(*id, None, Some(own), days, trees));
    kept.chain(new).filter(|change| !change.changes.is_empty()).collect()
}

fn change(
    capability: Uuid,
    before: Option<&KeptCapability>,
    after: Option<&KeptCapability>,
    days: Days,
    trees: &Trees,
) -> CapabilityChange {
    use CapabilityChangeKind::{Gone, Lapsed, New};
    let mut changes = match (before, after) {
        (Some(before), Some(after)) => kinds(before, after, trees),
        (Some(_), None) => vec![Gone],
        (None, Some(_)) => vec![New],
        (None, None) => Vec::new(),
    };
    changes.extend(after.filter(|own| !days.lasts(own)).map(|_| Lapsed));
    let services = after.or(before).map(|own| own.services.clone()).unwrap_or_default();
    let band = |own: Option<&KeptCapability>| own.and_then(|own| own.band);
    CapabilityChange { capability, services, changes, before: band(before), now: band(after) }
}

fn kinds(before: &KeptCapability, after: &KeptCapability, trees: &Trees) -> Vec<CapabilityChangeKind> {
    use CapabilityChangeKind::{Grown, Narrowed, Restated, Shrunk, Widened};
    let mut kinds = Vec::new();
    match (before.band, after.band) {
        (Some(was), Some(is)) if before.unit == after.unit => {
            kinds.extend((is.at_least < was.at_least).then_some(Shrunk));
            kinds.extend((is.at_least > was.at_least).then_some(Grown));
        }
        (None, None) if before.unit == after.unit => {}
        _ => kinds.push(Restated),
    }
    kinds.extend((!serves_as_much(after, before, trees)).then_some(Narrowed));
    kinds.extend((!serves_as_much(before, after, trees)).then_some(Widened));
    kinds
}

/// Whether a capability serves wherever, whomever and in whatever form another does. In a territory and for a public it serves all below;
/// a need for a service is met by a finer one, never by a broader one. Of publics and modalities none is all.
fn serves_as_much(own: &KeptCapability, other: &KeptCapability, trees: &Trees) -> bool {
    let territories: BTreeSet<&str> = own.territories.iter().map(String::as_str).collect();
    let publics: BTreeSet<&str> = own.publics.iter().map(String::as_str).collect();
    let services: BTreeSet<&str> = own.services.iter().flat_map(|code| up(&trees.services, code)).collect();
    let in_one = |code: &String| up(&trees.territories, code).any(|above| territories.contains(above));
    let of_one = |code: &String| up(&trees.publics, code).any(|above| publics.contains(above));
    other.territories.iter().all(in_one)
        && other.services.iter().all(|code| services.contains(code.as_str()))
        && (publics.is_empty() || !other.publics.is_empty() && other.publics.iter().all(of_one))
        && (own.modalities.is_empty()
            || !other.modalities.is_empty() && other.modalities.iter().all(|code| own.modalities.contains(code)))
}

/// The certificates that are not what they were, by code. Of several with one code, the one that is valid longest counts.
#[must_use]
pub fn credentials(then: &Snapshot, now: &Snapshot, days: Days) -> Vec<CredentialChange> {
    let (before, after) = (longest(then), longest(now));
    let codes: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let changed = codes.into_iter().filter_map(|code| {
        let (was, is) = (before.get(code).copied(), after.get(code).copied());
        let change = credential(was, is, days)?;
        let valid_to = is.or(was).and_then(|own| own.valid_to);
        Some(CredentialChange { code: code.to_owned(), change, valid_to })
    });
    changed.collect()
}

fn longest(of: &Snapshot) -> BTreeMap<&str, &Credential> {
    let mut found: BTreeMap<&str, &Credential> = BTreeMap::new();
    for own in &of.credentials {
        let best = found.entry(&own.code).or_insert(own);
        if last_day(own) > last_day(best) {
            *best = own;
        }
    }
    found
}

fn last_day(own: &Credential) -> NaiveDate {
    own.valid_to.unwrap_or(NaiveDate::MAX)
}

fn credential(was: Option<&Credential>, is: Option<&Credential>, days: Days) -> Option<CredentialChangeKind> {
    use CredentialChangeKind::{Expired, Expiring, New, Renewed, Withdrawn};
    let counted = was.is_some_and(|was| last_day(was) >= days.kept);
    let Some(is) = is else { return counted.then_some(Withdrawn) };
    if last_day(is) < days.today {
        return counted.then_some(Expired);
    }
    if days.contract.is_some_and(|(first, _)| last_day(is) < first) {
        return Some(Expiring);
    }
    match was {
        None => Some(New),
        Some(was) => (last_day(is) > last_day(was)).then_some(Renewed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::capabilities::{CapacityBand, Unit};
    use crate::organisations::Evidence;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(contract: Option<(&str, &str)>) -> Days {
        let contract = contract.map(|(first, last)| (day(first), day(last)));
        Days { kept: day("2026-01-01"), today: day("2027-01-01"), contract }
    }

    fn offer(change: impl FnOnce(&mut KeptCapability)) -> KeptCapability {
        let list = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
        let mut own = KeptCapability {
            capability: Uuid::from_u128(1),
            version: 1,
            services: list(&["a", "b"]),
            publics: list(&["p"]),
            territories: list(&["t"]),
            modalities: Vec::new(),
            unit: Some(Unit::Hour),
            band: Some(CapacityBand::of(100)),
            valid_from: None,
            valid_to: None,
        };
        change(&mut own);
        own
    }

    /// Each letter has one code above it and one below.
    fn trees() -> Trees {
        let of = |letter: &str| {
            let (below, above) = (format!("below {letter}"), format!("above {letter}"));
            BTreeMap::from([(below, letter.to_owned()), (letter.to_owned(), above)])
        };
        Trees { territories: of("t"), publics: of("p"), services: of("a") }
    }

    fn of(capabilities: Vec<KeptCapability>) -> Snapshot {
        Snapshot { version: 1, capabilities, credentials: Vec::new() }
    }

    #[test]
    fn each_kind_of_change_of_a_capability_is_told_and_no_other() {
        use CapabilityChangeKind::{Gone, Grown, Lapsed, Narrowed, New, Restated, Shrunk, Widened};
        type Case = (fn(&mut KeptCapability), &'static [CapabilityChangeKind]);
        let cases: [Case; 17] = [
            (|own| own.version = 9, &[]),
            (|own| own.band = Some(CapacityBand::of(199)), &[]),
            (|own| own.band = Some(CapacityBand::of(99)), &[Shrunk]),
            (|own| own.band = Some(CapacityBand::of(200)), &[Grown]),
            (|own| own.band = None, &[Restated]),
            (|own| own.unit = Some(Unit::Session), &[Restated]),
            (|own| own.services.truncate(1), &[Narrowed]),
            (|own| own.territories.push("u".to_owned()), &[Widened]),
            (|own| own.publics.clear(), &[Widened]),
            (|own| own.modalities.push("m".to_owned()), &[Narrowed]),
            (|own| own.publics[0] = "q".to_owned(), &[Narrowed, Widened]),
            (|own| own.territories[0] = "below t".to_owned(), &[Narrowed]),
            (|own| own.territories[0] = "above t".to_owned(), &[Widened]),
            (|own| own.publics[0] = "below p".to_owned(), &[Narrowed]),
            (|own| own.services[0] = "below a".to_owned(), &[Widened]),
            (|own| own.services[0] = "above a".to_owned(), &[Narrowed]),
            (|own| own.valid_to = Some(day("2026-12-31")), &[Lapsed]),
        ];
        for (number, (alter, expected)) in cases.into_iter().enumerate() {
            let changes = capabilities(&of(vec![offer(|_| {})]), &of(vec![offer(alter)]), days(None), &trees());
            let found: Vec<_> = changes.into_iter().flat_map(|change| change.changes).collect();
            assert_eq!(found, expected, "case {number}");
        }
        let (one, other) = (of(vec![offer(|_| {})]), of(vec![offer(|own| own.capability = Uuid::from_u128(2))]));
        let changes = capabilities(&one, &other, days(None), &trees());
        let found: Vec<_> = changes.iter().map(|own| (own.capability.as_u128(), own.changes.clone())).collect();
        assert_eq!(found, [(1, vec![Gone]), (2, vec![New])]);
        let until = |to| of(vec![offer(|own| own.valid_to = Some(day(to)))]);
        let contract = days(Some(("2027-06-01", "2028-05-31")));
        assert_eq!(capabilities(&one, &until("2028-05-30"), contract, &trees())[0].changes, [Lapsed]);
        assert!(capabilities(&one, &until("2028-05-31"), contract, &trees()).is_empty());
    }

    #[test]
    fn a_certificate_is_judged_on_the_day_it_was_kept_today_and_on_the_first_day() {
        use CredentialChangeKind::{Expired, Expiring, New, Renewed, Withdrawn};
        let held = |to: Option<&str>| Credential {
            code: "qualiopi".to_owned(),
            number: None,
            valid_from: None,
            valid_to: to.map(day),
            evidence: Evidence::Declared,
        };
        let of = |held: &[Option<Credential>]| Snapshot {
            credentials: held.iter().flatten().cloned().collect(),
            ..Snapshot::default()
        };
        let (forever, long, soon, over) = (
            Some(held(None)),
            Some(held(Some("2029-01-01"))),
            Some(held(Some("2027-03-01"))),
            Some(held(Some("2026-06-01"))),
        );
        let before = Some(held(Some("2025-06-01")));
        for (was, is, alone, in_call) in [
            (&forever, &forever, None, None),
            (&long, &forever, Some(Renewed), Some(Renewed)),
            (&forever, &long, None, None),
            (&forever, &None, Some(Withdrawn), Some(Withdrawn)),
            (&None, &forever, Some(New), Some(New)),
            (&over, &over, Some(Expired), Some(Expired)),
            (&before, &before, None, None),
            (&before, &None, None, None),
            (&None, &before, None, None),
            (&soon, &soon, None, Some(Expiring)),
        ] {
            let found = |days| {
                let changes = credentials(&of(std::slice::from_ref(was)), &of(std::slice::from_ref(is)), days);
                changes.first().map(|own| own.change)
            };
            assert_eq!(found(days(None)), alone, "{was:?} {is:?}");
            assert_eq!(found(days(Some(("2027-06-01", "2028-05-31")))), in_call, "{was:?} {is:?} in a call");
        }
        let several = of(&[over, long.clone()]);
        assert!(credentials(&of(&[long]), &several, days(None)).is_empty(), "the longest counts");
    }
}
