//! Rules on calls that the schema cannot express.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};

use super::{Criterion, EligibilityRule, Grouping, NewCall, Per, Scope};
use crate::organisations;
use crate::problem::Fault;
use crate::territories;
use crate::vocabularies::{self, Vocabulary};

/// The most of anything over a whole contract.
const MOST_UNITS: i64 = 1_000_000_000_000;
/// The most money of a whole contract.
const MOST_CENTS: i128 = 1_000_000_000_000_000;

/// All faults of a call about to be written. Up to six queries.
pub async fn faults(db: &impl ConnectionTrait, new: &NewCall) -> Result<Vec<Fault>, DbErr> {
    let mut faults = own_faults(new);
    if !organisations::store::exists(db, new.funder).await? {
        faults.push(Fault::at("/funder", "there is no such organisation"));
    }
    let mut terms: Vec<(Vocabulary, String, &str)> = Vec::new();
    let mut places: Vec<(String, &str)> = Vec::new();
    for (l, lot) in new.lots.iter().enumerate() {
        for (n, need) in lot.needs.iter().enumerate() {
            let at = format!("/lots/{l}/needs/{n}");
            terms.push((Vocabulary::Services, format!("{at}/service"), &need.service));
            terms.extend(need.public.as_deref().map(|code| (Vocabulary::Publics, format!("{at}/public"), code)));
            terms.extend(need.modality.as_deref().map(|code| (Vocabulary::Modalities, format!("{at}/modality"), code)));
            places.push((format!("{at}/territory"), &need.territory));
        }
    }
    for (r, rule) in new.eligibility.iter().enumerate() {
        let services = rule.services.iter().enumerate();
        terms.extend(
            services.map(|(s, code)| (Vocabulary::Services, format!("/eligibility/{r}/services/{s}"), code.as_str())),
        );
        places.extend(rule.territory.as_deref().map(|code| (format!("/eligibility/{r}/territory"), code)));
    }
    for vocabulary in [Vocabulary::Services, Vocabulary::Publics, Vocabulary::Modalities] {
        let used = terms.iter().filter(|(own, _, _)| *own == vocabulary);
        let known = vocabularies::store::existing(db, vocabulary, used.clone().map(|(_, _, code)| *code)).await?;
        let unknown = used.filter(|(_, _, code)| !known.contains(*code));
        faults.extend(unknown.map(|(_, pointer, code)| {
            Fault::at(pointer, format!("`{code}` is not in the list of {}: see what is, or add it", vocabulary.name()))
        }));
    }
    let known = territories::store::existing(db, places.iter().map(|(_, code)| *code)).await?;
    let unknown = places.iter().filter(|(_, code)| !known.contains(*code));
    faults.extend(unknown.map(|(pointer, code)| Fault::at(pointer, format!("there is no territory `{code}`"))));
    Ok(faults)
}

/// The faults that need no database.
fn own_faults(new: &NewCall) -> Vec<Fault> {
    let mut faults = Vec::new();
    unique(new.lots.iter().map(|lot| lot.code.as_str()), |i| format!("/lots/{i}/code"), &mut faults);
    let needs = new.lots.iter().enumerate().flat_map(|(l, lot)| {
        lot.needs.iter().enumerate().map(move |(n, need)| (format!("/lots/{l}/needs/{n}/code"), need.code.as_str()))
    });
    let (pointers, codes): (Vec<_>, Vec<_>) = needs.unzip();
    quantity_faults(new, &mut faults);
    unique(codes.into_iter(), |i| pointers[i].clone(), &mut faults);
    unique(new.eligibility.iter().map(|rule| rule.code.as_str()), |i| format!("/eligibility/{i}/code"), &mut faults);
    for (r, rule) in new.eligibility.iter().enumerate() {
        rule_faults(&format!("/eligibility/{r}"), rule, new, &mut faults);
    }
    if new.answers_due_at.is_some_and(|due| due.date_naive() >= new.starts_on) {
        faults.push(Fault::at("/answers_due_at", "answers are due before the first day of the contract"));
    }
    money_faults(new, &mut faults);
    group_faults(new, &mut faults);
    faults
}

/// A need of each year must be countable over the whole contract too, and so must all needs at the prices that the call names.
fn quantity_faults(new: &NewCall, faults: &mut Vec<Fault>) {
    let mut total = 0;
    let mut heaviest = (0, String::new());
    for (l, lot) in new.lots.iter().enumerate() {
        for (n, need) in lot.needs.iter().enumerate() {
            let whole = i128::from(need.quantity) * i128::from(new.duration_months) / 12;
            if need.per == Per::Year && whole > i128::from(MOST_UNITS) {
                faults.push(Fault::at(
                    format!("/lots/{l}/needs/{n}/quantity"),
                    format!("over {} months this is {whole}: at most {MOST_UNITS} can be counted", new.duration_months),
                ));
            }
            let units = if need.per == Per::Year { whole } else { i128::from(need.quantity) };
            let prices = [
                ("unmet_cost_cents", need.unmet_cost_cents),
                ("reference_unit_cost_cents", need.reference_unit_cost_cents.unwrap_or(0)),
            ];
            let (member, cents) = prices.into_iter().max_by_key(|(_, cents)| *cents).unwrap_or_default();
            let amount = units * i128::from(cents);
            total += amount;
            if amount > heaviest.0 {
                heaviest = (amount, format!("/lots/{l}/needs/{n}/{member}"));
            }
        }
    }
    let most = i128::from(attelage_solver::MOST_TOTAL_CENTS);
    if total > most {
        let message = format!(
            "the quantities at these prices come to {total} cents, this the most of it: at most {most} can be counted"
        );
        faults.push(Fault::at(heaviest.1, message));
    }
}

fn unique<'a>(codes: impl Iterator<Item = &'a str>, pointer: impl Fn(usize) -> String, faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for (position, code) in codes.enumerate() {
        if !seen.insert(code) {
            faults.push(Fault::at(pointer(position), format!("`{code}` is there twice: codes are unique in a call")));
        }
    }
}

fn rule_faults(at: &str, rule: &EligibilityRule, call: &NewCall, faults: &mut Vec<Fault>) {
    let (member, given) = match rule.criterion {
        Criterion::Credential => ("credential", rule.credential.is_some()),
        Criterion::LegalFamily => ("legal_families", !rule.legal_families.is_empty()),
        Criterion::HomeTerritory => ("territory", rule.territory.is_some()),
        Criterion::Turnover => ("minimum_cents", rule.minimum_cents.is_some()),
    };
    if !given {
        faults.push(Fault::at(format!("{at}/{member}"), "this criterion needs it"));
    }
    let others = [
        ("credential", rule.credential.is_some()),
        ("legal_families", !rule.legal_families.is_empty()),
        ("territory", rule.territory.is_some()),
        ("minimum_cents", rule.minimum_cents.is_some()),
    ];
    for (other, _) in others.into_iter().filter(|(other, given)| *given && *other != member) {
        faults.push(Fault::at(format!("{at}/{other}"), "this criterion has no use for it"));
    }
    if !rule.services.is_empty() && rule.scope != Scope::Performer {
        faults.push(Fault::at(format!("{at}/services"), "only the scope `performer` looks at services"));
    }
    if !rule.lots.is_empty() && rule.scope == Scope::Lead {
        faults.push(Fault::at(format!("{at}/lots"), "there is one lead for all lots"));
    }
    for (position, code) in rule.lots.iter().enumerate() {
        if !call.lots.iter().any(|lot| lot.code == *code) {
            faults.push(Fault::at(format!("{at}/lots/{position}"), format!("there is no lot `{code}`")));
        }
    }
}

fn money_faults(new: &NewCall, faults: &mut Vec<Fault>) {
    let money = &new.money_policy;
    let paid = i128::from(100 - money.co_financing_percent.min(99));
    if new.budget_cents.is_some_and(|budget| i128::from(budget) * 100 / paid > MOST_CENTS) {
        let detail = format!("with the co-financing, the whole would be more than {MOST_CENTS} cents");
        faults.push(Fault::at("/money_policy/co_financing_percent", detail));
    }
    if !money.budget_by_year_cents.is_empty() {
        let at = "/money_policy/budget_by_year_cents";
        let years = (new.duration_months.max(1) + 11) / 12;
        if usize::try_from(years).is_ok_and(|years| years != money.budget_by_year_cents.len()) {
            faults.push(Fault::at(
                at,
                format!("{} months have {years} years: give one amount for each", new.duration_months),
            ));
        }
        let sum = money.budget_by_year_cents.iter().try_fold(0_i64, |sum, part| sum.checked_add(*part));
        if money.budget_by_year_cents.iter().any(|part| *part < 0) {
            faults.push(Fault::at(at, "no amount is negative"));
        } else if sum != new.budget_cents {
            faults.push(Fault::at(at, "the years do not add up to `budget_cents`"));
        }
    }
    let weights: u32 = new.award_criteria.iter().map(|criterion| u32::from(criterion.weight_percent)).sum();
    if !new.award_criteria.is_empty() && weights != 100 {
        faults.push(Fault::at("/award_criteria", format!("the weights add up to {weights}, not to 100")));
    }
    for (unit, capacity) in &new.assumptions.capacity_per_year_by_unit {
        if !(0..=MOST_UNITS).contains(capacity) {
            let at = format!("/assumptions/capacity_per_year_by_unit/{}", unit.code());
            faults.push(Fault::at(at, "between 0 and 1000000000000"));
        }
    }
}

fn group_faults(new: &NewCall, faults: &mut Vec<Fault>) {
    let group = &new.group_policy;
    for (l, lot) in new.lots.iter().enumerate() {
        if lot.minimum_members.zip(lot.maximum_members).is_some_and(|(least, most)| least > most) {
            faults.push(Fault::at(format!("/lots/{l}/maximum_members"), "fewer than `minimum_members`"));
        }
    }
    if group.minimum_members.zip(group.maximum_members).is_some_and(|(least, most)| least > most) {
        faults.push(Fault::at("/group_policy/maximum_members", "fewer than `minimum_members`"));
    }
    if group.minimum_share_percent.zip(group.maximum_share_percent).is_some_and(|(least, most)| least > most) {
        faults.push(Fault::at("/group_policy/maximum_share_percent", "less than `minimum_share_percent`"));
    }
    if group.grouping == Grouping::Required && group.maximum_members == Some(1) {
        faults.push(Fault::at("/group_policy/maximum_members", "a group that is required has at least two members"));
    }
}
