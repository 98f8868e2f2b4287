//! From a stored call to the solver's.

use attelage_solver as solver;
use chrono::{Months, NaiveDate};
use uuid::Uuid;

use super::{Between, Call, Criterion, EligibilityRule, Grouping, Need, NewCall, Per, Scope, Spread};
use crate::problem::Fault;

/// The last day of the contract.
pub fn last_day(written: &NewCall) -> Option<NaiveDate> {
    let months = Months::new(u32::try_from(written.duration_months).ok()?);
    written.starts_on.checked_add_months(months)?.pred_opt()
}

/// Non-negative by the schema.
pub fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// The code of a value whose JSON is a string.
pub fn code(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|json| json.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A call reduced to some of its lots; all where none is named. Conditions that concern other lots alone fall away.
///
/// # Errors
/// A fault at `/lots` for each code that names no lot of the call, or stands twice.
pub fn of_lots(call: &Call, lots: &[String]) -> Result<Call, Vec<Fault>> {
    let mut reduced = call.clone();
    if lots.is_empty() {
        return Ok(reduced);
    }
    let written = &mut reduced.value.written;
    let mut faults = Vec::new();
    for (position, code) in lots.iter().enumerate() {
        let at = format!("/lots/{position}");
        if !written.lots.iter().any(|lot| lot.code == *code) {
            faults.push(Fault::at(at, format!("the call has no lot `{code}`")));
        } else if lots[..position].contains(code) {
            faults.push(Fault::at(at, "this lot is there twice"));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    written.lots.retain(|lot| lots.contains(&lot.code));
    written.eligibility.retain_mut(|rule| {
        let of_all = rule.lots.is_empty();
        rule.lots.retain(|code| lots.contains(code));
        of_all || !rule.lots.is_empty()
    });
    Ok(reduced)
}

/// The call as the solver reads it.
pub fn call_of(id: Uuid, written: &NewCall) -> solver::Call {
    let months = u32::try_from(written.duration_months).unwrap_or(1);
    let group = &written.group_policy;
    let money = &written.money_policy;
    let at_least = if group.grouping == Grouping::Required { 2 } else { 1 };
    // The funder pays the part that the consortium does not finance itself.
    let budget_cents = written.budget_cents.map(|budget| {
        let paid = i128::from(100 - money.co_financing_percent.min(99));
        i64::try_from(i128::from(budget) * 100 / paid).unwrap_or(i64::MAX)
    });
    solver::Call {
        id: id.to_string(),
        title: Some(written.title.clone()),
        duration_months: months,
        start: Some(written.starts_on.to_string()),
        budget_cents,
        lots: written
            .lots
            .iter()
            .map(|lot| solver::Lot {
                id: lot.code.clone(),
                name: Some(lot.title.clone()),
                needs: lot.needs.iter().map(|own| need(own, months)).collect(),
                minimum_members: lot.minimum_members.map(i32::unsigned_abs),
                maximum_members: lot.maximum_members.map(i32::unsigned_abs),
            })
            .collect(),
        eligibility: written.eligibility.iter().map(rule).collect(),
        group: solver::GroupPolicy {
            minimum_members: group.minimum_members.unwrap_or(1).max(at_least),
            maximum_members: group.maximum_members,
            maximum_share_percent: group.maximum_share_percent,
            minimum_share_percent: group.minimum_share_percent,
            minimum_legal_families: group.minimum_legal_families,
            connected: group.connected,
        },
        coordination: solver::Coordination {
            per_member_cents: money.coordination_per_member_cents,
            per_new_pair_cents: money.coordination_per_new_pair_cents,
            between: match money.coordination_between {
                Between::All => solver::Between::All,
                Between::Lead => solver::Between::Lead,
                Between::Lot => solver::Between::Lot,
            },
            overhead_percent: money.coordination_overhead_percent,
        },
        payment: solver::Payment { advance_percent: money.advance_percent, delay_days: money.payment_delay_days },
        assumptions: solver::Assumptions {
            capacity_per_year_by_unit: written
                .assumptions
                .capacity_per_year_by_unit
                .iter()
                .map(|(unit, capacity)| (unit.code().to_owned(), unsigned(*capacity)))
                .collect(),
        },
    }
}

fn need(own: &Need, months: u32) -> solver::Need {
    let quantity = unsigned(own.quantity);
    solver::Need {
        id: own.code.clone(),
        name: Some(own.title.clone()),
        service: own.service.clone(),
        territory: own.territory.clone(),
        public: own.public.clone(),
        modality: own.modality.clone(),
        unit: own.unit.code().to_owned(),
        quantity: match own.per {
            Per::Contract => quantity,
            // Rounded as capacities are, so that an actor that does exactly as much a year is enough.
            Per::Year => (quantity.saturating_mul(u64::from(months)) / 12).max(1),
        },
        mandatory: own.mandatory,
        unmet_cost_cents: own.unmet_cost_cents,
        reference_unit_cost_cents: own.reference_unit_cost_cents,
        spread: match own.spread {
            Spread::Anywhere => solver::Spread::Anywhere,
            Spread::Population => solver::Spread::Population,
        },
        maximum_suppliers: own.maximum_suppliers.map(i32::unsigned_abs),
    }
}

fn rule(own: &EligibilityRule) -> solver::EligibilityRule {
    solver::EligibilityRule {
        id: own.code.clone(),
        criterion: match own.criterion {
            Criterion::Credential => solver::Criterion::Credential {
                code: own.credential.clone().unwrap_or_default(),
                accept_linked: own.accept_linked,
            },
            Criterion::LegalFamily => {
                solver::Criterion::LegalFamily { any_of: own.legal_families.iter().map(code).collect() }
            }
            Criterion::HomeTerritory => {
                solver::Criterion::HomeTerritory { territory: own.territory.clone().unwrap_or_default() }
            }
            Criterion::Turnover => solver::Criterion::Turnover { minimum_cents: own.minimum_cents.unwrap_or_default() },
        },
        scope: match own.scope {
            Scope::EachMember => solver::Scope::EachMember,
            Scope::AnyMember => solver::Scope::AnyMember,
            Scope::SumOverMembers => solver::Scope::SumOverMembers,
            Scope::Lead => solver::Scope::Lead,
            Scope::Performer => solver::Scope::Performer,
        },
        lots: own.lots.clone(),
        services: own.services.clone(),
    }
}
