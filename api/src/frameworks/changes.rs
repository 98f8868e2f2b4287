//! What has changed in an organisation between two days, from what everybody may know on each.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    CapabilityChange, CapabilityChangeKind, CredentialChange, CredentialChangeKind, KeptCapability, Snapshot,
};
use crate::organisations::Credential;

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

/// The capabilities that are not what they were, those of that day first, each in the order of their ids. O(codes).
#[must_use]
pub fn capabilities(then: &Snapshot, now: &Snapshot, days: Days) -> Vec<CapabilityChange> {
    let before: BTreeMap<Uuid, &KeptCapability> = then.capabilities.iter().map(|own| (own.capability, own)).collect();
    let after: BTreeMap<Uuid, &KeptCapability> = now.capabilities.iter().map(|own| (own.capability, own)).collect();
    let kept = before.iter().map(|(id, own)| change(*id, Some(own), after.get(id).copied(), days));
    let new = after.iter().filter(|(id, _)| !before.contains_key(id));
    let new = new.map(|(id, own)| change(*id, None, Some(own), days));
    kept.chain(new).filter(|change| !change.changes.is_empty()).collect()
}

fn change(
    capability: Uuid,
    before: Option<&KeptCapability>,
    after: Option<&KeptCapability>,
    days: Days,
) -> CapabilityChange {
    use CapabilityChangeKind::{Gone, Lapsed, New};
    let mut changes = match (before, after) {
        (Some(before), Some(after)) => kinds(before, after),
        (Some(_), None) => vec![Gone],
        (None, Some(_)) => vec![New],
        (None, None) => Vec::new(),
    };
    changes.extend(after.filter(|own| !days.lasts(own)).map(|_| Lapsed));
    let services = after.or(before).map(|own| own.services.clone()).unwrap_or_default();
    let band = |own: Option<&KeptCapability>| own.and_then(|own| own.band);
    CapabilityChange { capability, services, changes, before: band(before), now: band(after) }
}

fn kinds(before: &KeptCapability, after: &KeptCapability) -> Vec<CapabilityChangeKind> {
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
    // Of services and territories none is none; of publics and modalities none is all.
    let lists = [
        (&before.services, &after.services, false),
        (&before.territories, &after.territories, false),
        (&before.publics, &after.publics, true),
        (&before.modalities, &after.modalities, true),
    ];
    let less = |a: &[String], b: &[String], empty_is_all: bool| {
        if empty_is_all && (a.is_empty() || b.is_empty()) {
            return a.is_empty() && !b.is_empty();
        }
        let kept: BTreeSet<&String> = b.iter().collect();
        a.iter().any(|code| !kept.contains(code))
    };
    kinds.extend(lists.iter().any(|(was, is, all)| less(was, is, *all)).then_some(Narrowed));
    kinds.extend(lists.iter().any(|(was, is, all)| less(is, was, *all)).then_some(Widened));
    kinds
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

    fn of(capabilities: Vec<KeptCapability>) -> Snapshot {
        Snapshot { version: 1, capabilities, credentials: Vec::new() }
    }

    #[test]
    fn each_kind_of_change_of_a_capability_is_told_and_no_other() {
        use CapabilityChangeKind::{Gone, Grown, Lapsed, Narrowed, New, Restated, Shrunk, Widened};
        type Case = (fn(&mut KeptCapability), &'static [CapabilityChangeKind]);
        let cases: [Case; 12] = [
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
            (|own| own.valid_to = Some(day("2026-12-31")), &[Lapsed]),
        ];
        for (number, (alter, expected)) in cases.into_iter().enumerate() {
            let changes = capabilities(&of(vec![offer(|_| {})]), &of(vec![offer(alter)]), days(None));
            let found: Vec<_> = changes.into_iter().flat_map(|change| change.changes).collect();
            assert_eq!(found, expected, "case {number}");
        }
        let (one, other) = (of(vec![offer(|_| {})]), of(vec![offer(|own| own.capability = Uuid::from_u128(2))]));
        let changes = capabilities(&one, &other, days(None));
        let found: Vec<_> = changes.iter().map(|own| (own.capability.as_u128(), own.changes.clone())).collect();
        assert_eq!(found, [(1, vec![Gone]), (2, vec![New])]);
        let until = |to| of(vec![offer(|own| own.valid_to = Some(day(to)))]);
        let contract = days(Some(("2027-06-01", "2028-05-31")));
        assert_eq!(capabilities(&one, &until("2028-05-30"), contract)[0].changes, [Lapsed]);
        assert!(capabilities(&one, &until("2028-05-31"), contract).is_empty());
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
                let changes = credentials(&of(&[was.clone()]), &of(&[is.clone()]), days);
                changes.first().map(|own| own.change)
            };
            assert_eq!(found(days(None)), alone, "{was:?} {is:?}");
            assert_eq!(found(days(Some(("2027-06-01", "2028-05-31")))), in_call, "{was:?} {is:?} in a call");
        }
        let several = of(&[over, long.clone()]);
        assert!(credentials(&of(&[long]), &several, days(None)).is_empty(), "the longest counts");
    }
}
