//! The shape of the group: who leads, how many, in which form, with how much subcontracting, and what is covered.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::machine::Phase;
use super::super::{Form, Role, validate};
use super::facts::{Facts, Taking};
use super::{Check, Verdict};
use crate::calls::{GroupForm, Grouping};
use crate::organisations::LegalFamily;

use Verdict::{Broken, Kept, NotJudged, Warning};

/// Longest contract reserved to organisations of the social economy, in months.
const LONGEST_RESERVED: i32 = 36;
/// The certificate of companies that belong to the social economy.
const SOCIAL_COMPANY: &str = "esus";

/// All of them.
pub fn checks(facts: &Facts<'_>) -> Vec<Check> {
    let mut checks = vec![one_lead(facts), several_groups(facts), size(facts)];
    checks.extend(lot_sizes(facts));
    checks.push(form(facts));
    checks.extend(subcontracting(facts));
    checks.extend(shares(facts));
    checks.extend(families(facts));
    checks.extend(connected(facts));
    checks.extend(budget(facts));
    checks.extend(shared_people(facts));
    checks.extend(reserved(facts));
    checks.extend(coverage(facts));
    checks
}

/// The lots of this consortium that the reader has to do with elsewhere.
fn overlap<'a>(facts: &'a Facts<'_>, leads: bool) -> BTreeSet<&'a str> {
    let own = facts.elsewhere.iter().filter(|other| other.leads || !leads).flat_map(|other| &other.lots);
    own.filter(|lot| facts.whole.lots.contains(lot)).map(String::as_str).collect()
}

fn one_lead(facts: &Facts<'_>) -> Check {
    let code = "one_lead";
    if !facts.leads {
        let (en, fr) = (
            "What else the lead leads is its own affair: it is told if that is too much.",
            "Ce que le mandataire conduit par ailleurs ne regarde que lui : il est averti si c'est trop.",
        );
        return Check::new(code, NotJudged, en, fr);
    }
    if overlap(facts, true).is_empty() {
        return Check::new(
            code,
            Kept,
            "You lead no other group for these lots.",
            "Vous n'êtes mandataire d'aucun autre groupement pour ces lots.",
        );
    }
    let (en, fr) = (
        "You lead another group for one of these lots: nobody leads two groups for one contract.",
        "Vous êtes déjà mandataire d'un autre groupement pour l'un de ces lots : nul ne peut l'être de deux groupements pour un même marché.",
    );
    Check::new(code, Broken, en, fr).of([facts.reader])
}

fn several_groups(facts: &Facts<'_>) -> Check {
    let code = "several_groups";
    if facts.call.group_policy.several_groups_allowed {
        return Check::new(
            code,
            Kept,
            "The call allows answers in several groups.",
            "L'appel autorise à répondre dans plusieurs groupements.",
        );
    }
    let lots = overlap(facts, false);
    if lots.is_empty() {
        let (en, fr) = (
            "You answer for these lots in no other group and not alone. Each member is told this of itself only.",
            "Vous ne répondez pour ces lots ni dans un autre groupement ni seul. Chaque membre ne l'apprend que pour lui-même.",
        );
        return Check::new(code, Kept, en, fr);
    }
    let lots = lots.into_iter().collect::<Vec<_>>().join(", ");
    let en = format!("You answer for {lots} elsewhere too, which the call forbids.");
    let fr = format!("Vous répondez aussi ailleurs pour {lots}, ce que l'appel interdit.");
    Check::new(code, Broken, en, fr).of([facts.reader])
}

/// A number between bounds; what more invitations may still mend is not broken for good, but it is not kept.
fn between(code: &str, count: usize, least: u32, most: Option<u32>) -> Check {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let bounds = most.map_or(format!("{least}+"), |most| format!("{least}–{most}"));
    let verdict = if count < least || most.is_some_and(|most| count > most) { Broken } else { Kept };
    let en = format!("{count} members; the call wants {bounds}.");
    let fr = format!("{count} membres ; l'appel en demande {bounds}.");
    Check::new(code, verdict, en, fr)
}

fn size(facts: &Facts<'_>) -> Check {
    let policy = &facts.call.group_policy;
    let at_least = if policy.grouping == Grouping::Required { 2 } else { 1 };
    let least = policy.minimum_members.unwrap_or(1).max(at_least);
    unless_partial(facts, between("size", facts.members().count(), least, policy.maximum_members))
}

/// What one counts is not the whole while somebody whom the reader does not know may still join.
fn unless_partial(facts: &Facts<'_>, check: Check) -> Check {
    if facts.knows_all || check.verdict == Kept {
        return check;
    }
    let (en, fr) =
        ("Some who were invited have not answered.", "Certaines structures invitées n'ont pas encore répondu.");
    Check {
        verdict: NotJudged,
        text_en: format!("{} {en}", check.text_en),
        text_fr: format!("{} {fr}", check.text_fr),
        ..check
    }
}

fn lot_sizes(facts: &Facts<'_>) -> Vec<Check> {
    let lots = facts.call.lots.iter().filter(|lot| facts.whole.lots.contains(&lot.code));
    let bounded = lots.filter(|lot| lot.minimum_members.is_some() || lot.maximum_members.is_some());
    let check = |lot: &crate::calls::Lot| {
        let needs = facts.needs_of(&lot.code);
        let works = |one: &&Taking| one.parts.iter().any(|part| needs.contains(part.need.as_str()));
        let least = lot.minimum_members.map_or(0, i32::unsigned_abs);
        let count = facts.members().filter(works).count();
        unless_partial(facts, between("lot_size", count, least, lot.maximum_members.map(i32::unsigned_abs)))
            .about(&lot.code)
    };
    bounded.map(check).collect()
}

fn form(facts: &Facts<'_>) -> Check {
    let wanted = match facts.call.group_policy.form_after_award {
        GroupForm::Any => {
            return Check::new(
                "form",
                Kept,
                "The call imposes no form.",
                "L'appel n'impose aucune forme de groupement.",
            );
        }
        GroupForm::Conjoint => Form::Conjoint,
        GroupForm::ConjointSolidaryLead => Form::ConjointSolidaryLead,
        GroupForm::Solidary => Form::Solidary,
    };
    if wanted == facts.whole.form {
        return Check::new(
            "form",
            Kept,
            "The form is the one that the call wants after the award.",
            "La forme est celle que l'appel demande après attribution.",
        );
    }
    let (en, fr) = (
        "The call wants another form after the award. It cannot ask for it before: the group would have to change.",
        "L'appel demande une autre forme après attribution. Elle ne peut être exigée avant : le groupement devrait se transformer.",
    );
    Check::new("form", Warning, en, fr)
}

fn subcontracting(facts: &Facts<'_>) -> Option<Check> {
    let limit = facts.call.group_policy.maximum_subcontracting_percent?;
    let code = "subcontracting";
    let Some(worths) = facts.worths().filter(|_| facts.knows_all) else {
        let (en, fr) = (
            "The part that is subcontracted depends on amounts that you do not know.",
            "La part sous-traitée dépend de montants que vous ne connaissez pas.",
        );
        return Some(Check::new(code, NotJudged, en, fr));
    };
    let total: i128 = worths.values().sum();
    let helpers = facts.team.iter().filter(|one| one.role == Role::Subcont);
    let part: i128 = helpers.clone().filter_map(|one| worths.get(&one.id)).sum();
    if part * 100 <= total * i128::from(limit) {
        let (en, fr) = (
            format!("No more than {limit} % is subcontracted."),
            format!("La sous-traitance ne dépasse pas {limit} %."),
        );
        return Some(Check::new(code, Kept, en, fr));
    }
    let (en, fr) = (format!("More than {limit} % is subcontracted."), format!("La sous-traitance dépasse {limit} %."));
    Some(Check::new(code, Broken, en, fr).of(helpers.map(|one| one.id)))
}

fn shares(facts: &Facts<'_>) -> Vec<Check> {
    let policy = &facts.call.group_policy;
    if policy.maximum_share_percent.is_none() && policy.minimum_share_percent.is_none() {
        return Vec::new();
    }
    let Some(worths) = facts.worths().filter(|_| facts.knows_all) else {
        let (en, fr) = (
            "Shares depend on amounts that you do not know.",
            "Les parts dépendent de montants que vous ne connaissez pas.",
        );
        return vec![Check::new("shares", NotJudged, en, fr)];
    };
    let total: i128 = worths.values().sum();
    let beyond = |one: &&Taking| {
        let own = worths.get(&one.id).copied().unwrap_or_default() * 100;
        let most = policy.maximum_share_percent.is_some_and(|most| own > total * i128::from(most));
        most || policy.minimum_share_percent.is_some_and(|least| own < total * i128::from(least))
    };
    let outside: Vec<Uuid> = facts.members().filter(beyond).map(|one| one.id).collect();
    let (verdict, en, fr) = if outside.is_empty() {
        (
            Kept,
            "Every member's share is within the bounds of the call.",
            "La part de chaque membre respecte les bornes de l'appel.",
        )
    } else {
        (
            Broken,
            "These members' shares are outside the bounds of the call.",
            "La part de ces membres sort des bornes de l'appel.",
        )
    };
    vec![Check::new("shares", verdict, en, fr).of(outside)]
}

fn families(facts: &Facts<'_>) -> Option<Check> {
    let least = facts.call.group_policy.minimum_legal_families?;
    let families = facts.members().filter_map(|one| one.profile?.legal_family);
    let families: BTreeSet<String> = families.map(|family| format!("{family:?}")).collect();
    let verdict = if families.len() >= usize::try_from(least).unwrap_or(usize::MAX) { Kept } else { Broken };
    let en = format!("{} legal families; the call wants {least}.", families.len());
    let fr = format!("{} familles juridiques ; l'appel en demande {least}.", families.len());
    Some(unless_partial(facts, Check::new("legal_families", verdict, en, fr)))
}

/// Entities that draw on the same people, and both count on them.
/// Whether each member reaches each other one through relations among members, where the call wants that.
fn connected(facts: &Facts<'_>) -> Option<Check> {
    if !facts.call.group_policy.connected {
        return None;
    }
    let members: BTreeSet<Uuid> = facts.members().map(|one| one.id).collect();
    let mut reached: BTreeSet<Uuid> = members.first().copied().into_iter().collect();
    let among = || facts.relations.iter().filter(|(a, b)| members.contains(a) && members.contains(b));
    while let Some((a, b)) = among().find(|(a, b)| reached.contains(a) != reached.contains(b)) {
        reached.extend([*a, *b]);
    }
    let apart: Vec<Uuid> = members.difference(&reached).copied().collect();
    let check = if apart.is_empty() {
        let (en, fr) = (
            "Each member reaches each other one through relations.",
            "Chaque membre est relié à chaque autre par des liens de coopération.",
        );
        Check::new("connected", Kept, en, fr)
    } else {
        let (en, fr) = (
            "The call wants members that know each other: no relation leads from the others to these.",
            "L'appel demande des membres qui se connaissent : aucun lien de coopération ne mène des autres à ceux-ci.",
        );
        Check::new("connected", Broken, en, fr).of(apart)
    };
    Some(unless_partial(facts, check))
}

/// Whether all that is asked for, with what the lead is paid for coordinating, stays within what the call can pay.
fn budget(facts: &Facts<'_>) -> Option<Check> {
    let budget = i128::from(facts.call.budget_cents?);
    let code = "budget";
    let Some(amounts) = facts.amounts().filter(|_| facts.knows_all) else {
        let (en, fr) = (
            "The price depends on amounts that you do not know, or that are open.",
            "Le prix dépend de montants que vous ne connaissez pas, ou qui restent à fixer.",
        );
        return Some(Check::new(code, NotJudged, en, fr));
    };
    let total = amounts.values().sum::<i128>() + i128::from(facts.whole.coordination_cents);
    // The funder pays the part that the consortium does not finance itself.
    let paid = i128::from(100 - facts.call.money_policy.co_financing_percent.min(99));
    Some(if total * paid <= budget * 100 {
        let (en, fr) = ("The price is within the budget of the call.", "Le prix tient dans le budget de l'appel.");
        Check::new(code, Kept, en, fr)
    } else {
        let (en, fr) = ("The price is above the budget of the call.", "Le prix dépasse le budget de l'appel.");
        Check::new(code, Broken, en, fr)
    })
}

fn shared_people(facts: &Facts<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for one in &facts.team {
        for link in one.profile.iter().flat_map(|profile| &profile.links).filter(|link| link.shares_capacity) {
            let Some(other) = facts.team.iter().find(|other| other.id == link.to) else { continue };
            let both = one.parts.iter().find(|part| other.parts.iter().any(|theirs| theirs.need == part.need));
            if let Some(part) = both {
                let (en, fr) = (
                    "These entities share their people and both deliver this: their capacity counts once.",
                    "Ces entités partagent leurs équipes et assurent toutes deux cette prestation : leur capacité ne compte qu'une fois.",
                );
                checks.push(Check::new("shared_capacity", Warning, en, fr).about(&part.need).of([one.id, other.id]));
            }
        }
    }
    checks
}

fn reserved(facts: &Facts<'_>) -> Vec<Check> {
    if !facts.call.group_policy.reserved_to_social_economy {
        return Vec::new();
    }
    let is_social = |one: &&Taking| {
        one.profile.is_some_and(|profile| {
            let family = matches!(
                profile.legal_family,
                Some(LegalFamily::Association | LegalFamily::Cooperative | LegalFamily::Foundation)
            );
            family || profile.credentials.iter().any(|held| held.code == SOCIAL_COMPANY)
        })
    };
    let others: Vec<Uuid> = facts.members().filter(|one| !is_social(one)).map(|one| one.id).collect();
    let mut checks = vec![if others.is_empty() {
        Check::new(
            "reserved",
            Kept,
            "All members belong to the social economy.",
            "Tous les membres relèvent de l'économie sociale et solidaire.",
        )
    } else {
        let (en, fr) = (
            "The call is reserved to the social economy, to which these members do not show that they belong.",
            "L'appel est réservé à l'économie sociale et solidaire, dont ces membres ne justifient pas relever.",
        );
        Check::new("reserved", Broken, en, fr).of(others)
    }];
    if facts.call.duration_months > LONGEST_RESERVED {
        let (en, fr) = (
            "A contract reserved to the social economy lasts three years at most: ask the funder.",
            "Un marché réservé à l'économie sociale et solidaire dure au plus trois ans : interrogez l'acheteur.",
        );
        checks.push(Check::new("reserved_duration", Warning, en, fr));
    }
    checks
}

fn coverage(facts: &Facts<'_>) -> Vec<Check> {
    let asked = validate::asked(facts.call, &facts.whole.lots);
    let mut given: BTreeMap<&str, i128> = BTreeMap::new();
    for part in facts.team.iter().flat_map(|one| one.parts) {
        *given.entry(part.need.as_str()).or_default() += i128::from(part.quantity);
    }
    let over = facts.whole.state.phase == Phase::Ended;
    let needs = facts.call.lots.iter().flat_map(|lot| &lot.needs);
    let mut checks = Vec::new();
    for need in needs.filter(|need| !over && asked.contains_key(need.code.as_str())) {
        let whole = asked.get(need.code.as_str()).copied().unwrap_or_default();
        let got = given.get(need.code.as_str()).copied().unwrap_or_default();
        let verdict = match (got >= whole, need.mandatory) {
            (true, _) => Kept,
            (false, true) => Broken,
            (false, false) => Warning,
        };
        let en = format!("{got} of {whole} are delivered over the contract.");
        let fr = format!("{got} sur {whole} sont assurés sur la durée du contrat.");
        checks.push(unless_partial(facts, Check::new("coverage", verdict, en, fr).about(&need.code)));
    }
    checks
}
