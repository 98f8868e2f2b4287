//! Conditions of participation, by their scope, on the first day of the contract.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::facts::{Facts, Taking};
use super::{Check, Verdict};
use crate::calls::{Criterion, EligibilityRule, Scope};
use crate::organisations::profile::Profile;

/// One for each condition of the lots that the consortium answers.
pub fn checks(facts: &Facts<'_>) -> Vec<Check> {
    let concerned =
        |rule: &&EligibilityRule| rule.lots.is_empty() || rule.lots.iter().any(|lot| facts.whole.lots.contains(lot));
    facts.call.eligibility.iter().filter(concerned).map(|rule| check(facts, rule)).collect()
}

/// Whether somebody meets a criterion; nothing where the reader may not know.
fn meets(facts: &Facts<'_>, rule: &EligibilityRule, one: &Taking<'_>) -> Option<bool> {
    let Some(profile) = one.profile else { return Some(false) };
    Some(match rule.criterion {
        Criterion::Credential => {
            let lends = |other: &&Profile| {
                other.links.iter().any(|link| link.to == one.id && link.shares_credentials) && holds(facts, other, rule)
            };
            holds(facts, profile, rule) || (rule.accept_linked && facts.profiles.values().any(|other| lends(&other)))
        }
        Criterion::LegalFamily => profile.legal_family.is_some_and(|family| rule.legal_families.contains(&family)),
        Criterion::HomeTerritory => {
            let asked = rule.territory.as_deref().unwrap_or_default();
            profile.home_territories.iter().any(|home| facts.are_related(home, asked))
        }
        Criterion::Turnover => {
            let own = facts.own_finances.filter(|_| one.id == facts.reader)?;
            own.turnover_cents.unwrap_or(0) >= rule.minimum_cents.unwrap_or(0)
        }
    })
}

fn holds(facts: &Facts<'_>, profile: &Profile, rule: &EligibilityRule) -> bool {
    let day = facts.call.starts_on;
    profile.credentials.iter().any(|held| {
        let begun = held.valid_from.is_none_or(|from| from <= day);
        Some(&held.code) == rule.credential.as_ref() && begun && held.valid_to.is_none_or(|to| to >= day)
    })
}

/// Those whom a condition looks at: members, or whoever delivers.
fn looked_at<'f, 'a>(facts: &'f Facts<'a>, rule: &EligibilityRule) -> Vec<&'f Taking<'a>> {
    let needs: BTreeSet<&str> = facts
        .call
        .lots
        .iter()
        .filter(|lot| rule.lots.is_empty() || rule.lots.contains(&lot.code))
        .flat_map(|lot| &lot.needs)
        .filter(|need| rule.services.is_empty() || rule.services.contains(&need.service))
        .map(|need| need.code.as_str())
        .collect();
    let delivers = |one: &&Taking| one.parts.iter().any(|part| needs.contains(part.need.as_str()));
    match rule.scope {
        Scope::Performer => facts.team.iter().filter(delivers).collect(),
        Scope::Lead => facts.team.iter().filter(|one| one.id == facts.whole.state.lead).collect(),
        Scope::EachMember if !rule.lots.is_empty() => facts.members().filter(delivers).collect(),
        // What the group shows together may come from those on whom it relies.
        Scope::AnyMember | Scope::SumOverMembers => facts.team.iter().collect(),
        Scope::EachMember => facts.members().collect(),
    }
}

fn check(facts: &Facts<'_>, rule: &EligibilityRule) -> Check {
    let code = format!("condition:{}", rule.code);
    let looked_at = looked_at(facts, rule);
    let met: Vec<(Uuid, Option<bool>)> = looked_at.iter().map(|one| (one.id, meets(facts, rule, one))).collect();
    let one_suffices = matches!(rule.scope, Scope::AnyMember | Scope::SumOverMembers);
    let verdict = if one_suffices {
        match (met.iter().any(|(_, met)| *met == Some(true)), met.iter().all(|(_, met)| met.is_some())) {
            (true, _) => Verdict::Kept,
            (false, true) if facts.knows_all => Verdict::Broken,
            _ => Verdict::NotJudged,
        }
    } else if met.iter().any(|(_, met)| *met == Some(false)) {
        Verdict::Broken
    } else if met.iter().all(|(_, met)| *met == Some(true)) && facts.knows_all {
        Verdict::Kept
    } else {
        Verdict::NotJudged
    };
    let (en, fr) = match verdict {
        Verdict::Kept => ("This condition is met.", "Cette condition est remplie."),
        Verdict::Broken if one_suffices => {
            ("Nobody in the group meets this condition.", "Personne dans le groupement ne remplit cette condition.")
        }
        Verdict::Broken => ("These do not meet this condition.", "Ces structures ne remplissent pas cette condition."),
        Verdict::NotJudged | Verdict::Warning => (
            "This depends on what you may not know, or on who has not answered yet.",
            "Cela dépend de ce que vous ne pouvez pas savoir, ou de structures qui n'ont pas encore répondu.",
        ),
    };
    let failing =
        met.into_iter().filter(|(_, met)| verdict == Verdict::Broken && *met == Some(false)).map(|(id, _)| id);
    let failing: Vec<Uuid> = if one_suffices { Vec::new() } else { failing.collect() };
    Check::new(&code, verdict, en, fr).of(failing)
}
