//! Rules that the list of members alone keeps or breaks, however they share the work.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::unionfind::UnionFind;

use crate::instance::Instance;
use crate::model::{Criterion, Options, Scope};
use crate::rules::{RuleId, RuleSet, eligibility};
use crate::text;

use super::super::Desk;
use super::{Case, Change};

/// The changes that such a rule asks of the team; `None` where the rule depends on who does what.
pub(super) fn changes(desk: &Desk<'_>, alone: &Options, case: Case<'_>) -> Option<Vec<Change>> {
    let team: Vec<usize> = alone.locked_in.iter().filter_map(|id| desk.instance.actors.get(id).copied()).collect();
    let group = &desk.instance.problem().call.group;
    match case.rule {
        RuleId::Size => Some(size(team.len(), group.minimum_members, group.maximum_members)),
        RuleId::LegalFamilies => Some(families(desk.instance, &team, group.minimum_legal_families)),
        RuleId::Incompatibility => Some(pairs(desk, &alone.locked_in)),
        RuleId::Preference => Some(lonely(desk, &alone.locked_in)),
        RuleId::Connected => Some(if group.connected { apart(desk, &alone.locked_in) } else { Vec::new() }),
        RuleId::Lead => Some(lead(desk, &team)),
        RuleId::Eligibility => condition(desk, &team, case),
        _ => None,
    }
}

fn size(count: usize, least: u32, most: Option<u32>) -> Vec<Change> {
    let change = |by: usize, text: String| vec![Change { quantity: Some(by as u64), text, ..Change::default() }];
    if count < least as usize {
        let by = least as usize - count;
        return change(by, format!("The call asks for at least {least} members: {by} more."));
    }
    match most.map(|most| most as usize) {
        Some(most) if count > most => {
            change(count - most, format!("The call allows at most {most} members: {} fewer.", count - most))
        }
        _ => Vec::new(),
    }
}

fn families(instance: &Instance, team: &[usize], least: Option<u32>) -> Vec<Change> {
    let own = team.iter().filter_map(|&actor| instance.problem().actors[actor].legal_family.as_deref());
    let found = own.collect::<BTreeSet<&str>>().len();
    let short = (least.unwrap_or(0) as usize).saturating_sub(found);
    let text = format!("The members have {found} legal families: {short} more are asked for.");
    if short == 0 { Vec::new() } else { vec![Change { quantity: Some(short as u64), text, ..Change::default() }] }
}

fn pairs(desk: &Desk<'_>, team: &[String]) -> Vec<Change> {
    let all = desk.instance.problem().incompatibilities.iter();
    let met = all.filter(|pair| team.contains(&pair.a) && team.contains(&pair.b));
    met.map(|pair| Change {
        actor: Some(pair.a.clone()),
        other: Some(pair.b.clone()),
        text: format!("{} and {} do not work together.", desk.name(&pair.a), desk.name(&pair.b)),
        ..Change::default()
    })
    .collect()
}

/// Members that join only with others, none of whom is there.
fn lonely(desk: &Desk<'_>, team: &[String]) -> Vec<Change> {
    let all = desk.instance.problem().preferences.iter();
    let missed = all.filter(|own| team.contains(&own.actor) && !own.only_with.iter().any(|id| team.contains(id)));
    missed
        .map(|own| {
            let wanted: Vec<String> = own.only_with.iter().map(|id| desk.name(id)).collect();
            let name = desk.name(&own.actor);
            let text = match wanted.as_slice() {
                [one] => format!("{name} joins only with {one}, who is not a member."),
                many => format!("{name} joins only with one of {}; none is a member.", text::list(many)),
            };
            let other = own.only_with.first().filter(|_| own.only_with.len() == 1).cloned();
            Change { actor: Some(own.actor.clone()), other, text, ..Change::default() }
        })
        .collect()
}

/// Groups of members that relations do not join with the largest one: each lacks one relation.
fn apart(desk: &Desk<'_>, team: &[String]) -> Vec<Change> {
    let known: BTreeMap<&str, usize> = team.iter().enumerate().map(|(i, id)| (id.as_str(), i)).collect();
    let mut groups = UnionFind::<usize>::new(team.len());
    for relation in &desk.instance.problem().relations {
        if let (Some(&a), Some(&b)) = (known.get(relation.a.as_str()), known.get(relation.b.as_str())) {
            groups.union(a, b);
        }
    }
    let mut members: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (&id, &i) in &known {
        members.entry(groups.find(i)).or_default().push(id);
    }
    let mut members: Vec<Vec<&str>> = members.into_values().collect();
    members.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    members
        .iter()
        .skip(1)
        .map(|group| {
            let names: Vec<String> = group.iter().map(|id| desk.name(id)).collect();
            let (verb, names) = (if group.len() == 1 { "has" } else { "have" }, text::list(&names));
            let text = format!("{names} {verb} no relation with the other members.");
            Change { actor: group.first().map(|&id| id.to_owned()), quantity: Some(1), text, ..Change::default() }
        })
        .collect()
}

/// Nobody may lead: what each member lacks.
fn lead(desk: &Desk<'_>, team: &[usize]) -> Vec<Change> {
    let on = RuleSet::without(desk.options.disabled_rules.iter().copied());
    let conditions: Vec<_> = on.eligibility(desk.instance.problem()).filter(|rule| rule.scope == Scope::Lead).collect();
    let lacks = |actor: usize| -> Vec<&str> {
        let failed = conditions.iter().filter(|rule| !eligibility::meets(desk.instance, actor, &rule.criterion));
        failed.map(|rule| rule.id.as_str()).collect()
    };
    if team.iter().any(|&actor| lacks(actor).is_empty()) {
        return Vec::new();
    }
    team.iter()
        .map(|&actor| {
            let quoted: Vec<String> = lacks(actor).iter().map(|id| format!("\"{id}\"")).collect();
            let name = desk.instance.actor_name(actor);
            Change {
                actor: Some(desk.instance.problem().actors[actor].id.clone()),
                text: format!("{name} could lead if it met {}.", text::list(&quoted)),
                ..Change::default()
            }
        })
        .collect()
}

/// Conditions on the members together, where no lot is named.
fn condition(desk: &Desk<'_>, team: &[usize], case: Case<'_>) -> Option<Vec<Change>> {
    let rule = case.eligibility.filter(|rule| rule.lots.is_empty())?;
    match (rule.scope, &rule.criterion) {
        (Scope::Lead, _) => Some(Vec::new()), // Told with the rule on the lead.
        (Scope::SumOverMembers, Criterion::Turnover { minimum_cents }) => {
            let own = team.iter().filter_map(|&actor| desk.instance.problem().actors[actor].turnover_cents);
            let sum: i128 = own.map(i128::from).sum();
            let short = i64::try_from(i128::from(*minimum_cents) - sum).unwrap_or(0).max(0);
            let text = format!("The turnovers of the members are {} short of \"{}\".", text::euros(short), rule.id);
            Some(if short == 0 { Vec::new() } else { vec![Change { cents: Some(short), text, ..Change::default() }] })
        }
        (Scope::AnyMember | Scope::SumOverMembers, criterion) => {
            let met = team.iter().any(|&actor| eligibility::meets(desk.instance, actor, criterion));
            let text = format!("At least one member must meet \"{}\"; none does.", rule.id);
            Some(if met { Vec::new() } else { vec![Change { quantity: Some(1), text, ..Change::default() }] })
        }
        (Scope::EachMember | Scope::Performer, _) => None,
    }
}
