//! The conditions of a call, judged by what a bid says and what is public of its members.

use uuid::Uuid;

use super::measure::Facts;
use super::{ComparedRule, Verdict};
use crate::bids::{BidContent, Member, Role};
use crate::calls::{Criterion, EligibilityRule, Grouping, NewCall, Scope};
use crate::organisations::Organisation;

/// Judges every condition that the call sets. O(conditions × members × parts).
pub fn judge(bid: &BidContent, call: &NewCall, facts: &Facts) -> Vec<ComparedRule> {
    let case = Case { bid, call, facts };
    let mut rules = Vec::new();
    case.sizes(&mut rules);
    case.shares(&mut rules);
    case.families(&mut rules);
    case.budget(&mut rules);
    rules.extend(call.eligibility.iter().map(|rule| case.eligibility(rule)));
    rules
}

struct Case<'a> {
    bid: &'a BidContent,
    call: &'a NewCall,
    facts: &'a Facts,
}

fn told(code: &str, kept: bool, text_en: String, text_fr: String) -> ComparedRule {
    let verdict = if kept { Verdict::Kept } else { Verdict::Broken };
    ComparedRule { code: code.to_owned(), verdict, text_en, text_fr }
}

/// Whether a number is within bounds of which either may be absent.
fn within<T: PartialOrd>(value: &T, least: Option<T>, most: Option<T>) -> bool {
    least.is_none_or(|least| *value >= least) && most.is_none_or(|most| *value <= most)
}

impl Case<'_> {
    /// Who signs for a part: subcontractors are no members.
    fn members(&self) -> impl Iterator<Item = &Member> {
        self.bid.members.iter().filter(|member| member.role != Role::Subcont)
    }

    fn sizes(&self, rules: &mut Vec<ComparedRule>) {
        let group = &self.call.group_policy;
        let least = if group.grouping == Grouping::Required { Some(2) } else { None };
        let least = least.max(group.minimum_members);
        let count = u32::try_from(self.members().count()).unwrap_or(u32::MAX);
        if least.is_some() || group.maximum_members.is_some() {
            let kept = within(&count, least, group.maximum_members);
            rules.push(told("size", kept, format!("{count} members."), format!("{count} membres.")));
        }
        for lot in self.call.lots.iter().filter(|lot| self.bid.lots.contains(&lot.code)) {
            if lot.minimum_members.is_none() && lot.maximum_members.is_none() {
                continue;
            }
            let working = self.members().filter(|member| member.lots.contains(&lot.code)).count();
            let working = i32::try_from(working).unwrap_or(i32::MAX);
            let kept = within(&working, lot.minimum_members, lot.maximum_members);
            let code = &lot.code;
            rules.push(told(
                "lot_size",
                kept,
                format!("{working} members work for lot {code}."),
                format!("{working} membres interviennent sur le lot {code}."),
            ));
        }
    }

    fn shares(&self, rules: &mut Vec<ComparedRule>) {
        let group = &self.call.group_policy;
        let whole = i128::from(self.bid.amount_cents);
        let shares = || self.members().map(|member| i128::from(self.bid.amount_of(member.organisation)) * 100);
        if let Some(most) = group.maximum_share_percent {
            let kept = shares().all(|share| share <= whole * i128::from(most));
            let (en, fr) = (
                format!("No member may carry more than {most} %."),
                format!("Aucun membre ne porte plus de {most} %."),
            );
            rules.push(told("largest_share", kept, en, fr));
        }
        if let Some(least) = group.minimum_share_percent {
            let kept = shares().all(|share| share >= whole * i128::from(least));
            let (en, fr) = (
                format!("Each member carries at least {least} %."),
                format!("Chaque membre porte au moins {least} %."),
            );
            rules.push(told("smallest_share", kept, en, fr));
        }
        if let Some(most) = group.maximum_subcontracting_percent {
            let others = self.bid.members.iter().filter(|member| member.role == Role::Subcont);
            let part: i128 = others.map(|member| i128::from(self.bid.amount_of(member.organisation))).sum();
            let kept = part * 100 <= whole * i128::from(most);
            let (en, fr) = (
                format!("At most {most} % may be subcontracted."),
                format!("Au plus {most} % peuvent être sous-traités."),
            );
            rules.push(told("subcontracting", kept, en, fr));
        }
    }

    fn families(&self, rules: &mut Vec<ComparedRule>) {
        let group = &self.call.group_policy;
        if let Some(least) = group.minimum_legal_families {
            let known = self.members().filter_map(|member| self.facts.organisations.get(&member.organisation));
            let mut families: Vec<String> =
                known.filter_map(|own| own.value.legal_family).map(|family| format!("{family:?}")).collect();
            families.sort();
            families.dedup();
            let count = families.len();
            let kept = u32::try_from(count).is_ok_and(|count| count >= least);
            rules.push(told(
                "legal_families",
                kept,
                format!("{count} legal families, of {least} asked for."),
                format!("{count} familles juridiques, pour {least} demandées."),
            ));
        }
        if group.connected {
            let members: Vec<Uuid> = self.members().map(|member| member.organisation).collect();
            let kept = self.facts.is_connected(&members, self.call);
            rules.push(told(
                "connected",
                kept,
                "Each member must reach each other one through declared relations.".to_owned(),
                "Chaque membre doit être relié aux autres par des liens déclarés.".to_owned(),
            ));
        }
    }

    fn budget(&self, rules: &mut Vec<ComparedRule>) {
        let Some(budget) = self.call.budget_cents else { return };
        let paid = 100 - i128::from(self.call.money_policy.co_financing_percent.min(99));
        let asked = i128::from(self.bid.amount_cents) * paid;
        rules.push(told(
            "budget",
            asked <= i128::from(budget) * 100,
            format!("The funder's part of the price against its budget of {budget} cents."),
            format!("La part du financeur dans le prix, pour un budget de {budget} centimes."),
        ));
    }

    fn eligibility(&self, rule: &EligibilityRule) -> ComparedRule {
        let code = format!("eligibility:{}", rule.code);
        if rule.criterion == Criterion::Turnover {
            return ComparedRule {
                code,
                verdict: Verdict::Unknown,
                text_en: "Turnovers are the secret of their owners: ask for the proof.".to_owned(),
                text_fr: "Les chiffres d’affaires sont le secret des structures : demandez le justificatif.".to_owned(),
            };
        }
        let concerned = self.concerned(rule);
        let lacking: Vec<Uuid> = concerned.iter().filter(|id| !self.meets(**id, rule)).copied().collect();
        let one_will_do = matches!(rule.scope, Scope::AnyMember | Scope::SumOverMembers);
        let kept =
            if one_will_do { lacking.len() < concerned.len() || concerned.is_empty() } else { lacking.is_empty() };
        let names: Vec<String> = lacking.iter().map(|id| self.facts.name(*id)).collect();
        let names = names.join(", ");
        let (en, fr) = match (kept, one_will_do) {
            (true, _) => {
                ("Those concerned meet it.".to_owned(), "Les structures concernées la remplissent.".to_owned())
            }
            (false, true) => {
                ("Nobody concerned meets it.".to_owned(), "Aucune structure concernée ne la remplit.".to_owned())
            }
            (false, false) => (format!("Not met by {names}."), format!("Non remplie par {names}.")),
        };
        told(&code, kept, en, fr)
    }

    /// Whom a condition concerns.
    fn concerned(&self, rule: &EligibilityRule) -> Vec<Uuid> {
        let in_lots = |lots: &[String]| rule.lots.is_empty() || lots.iter().any(|lot| rule.lots.contains(lot));
        let members = self.bid.members.iter();
        match rule.scope {
            Scope::Lead => members
                .filter(|own| matches!(own.role, Role::GroupLead | Role::SoleTenderer))
                .map(|own| own.organisation)
                .collect(),
            Scope::EachMember | Scope::AnyMember | Scope::SumOverMembers => {
                self.members().filter(|own| in_lots(&own.lots)).map(|own| own.organisation).collect()
            }
            Scope::Performer => {
                let lots = self.call.lots.iter().filter(|lot| rule.lots.is_empty() || rule.lots.contains(&lot.code));
                let needs = lots.flat_map(|lot| &lot.needs).filter(|need| self.is_service(&need.service, rule));
                let codes: Vec<&str> = needs.map(|need| need.code.as_str()).collect();
                let works = |id: Uuid| {
                    let mut parts = self.bid.allocations.iter().filter(|part| part.organisation == id);
                    parts.any(|part| codes.contains(&part.need.as_str()))
                };
                members.map(|own| own.organisation).filter(|id| works(*id)).collect()
            }
        }
    }

    /// Whether a service is one that a condition names, or below one. O(depth of the tree).
    fn is_service(&self, service: &str, rule: &EligibilityRule) -> bool {
        if rule.services.is_empty() {
            return true;
        }
        let above = std::iter::successors(Some(service), |code| self.facts.services.get(*code).map(String::as_str));
        above.take(self.facts.services.len() + 1).any(|code| rule.services.iter().any(|named| named == code))
    }

    fn meets(&self, id: Uuid, rule: &EligibilityRule) -> bool {
        let Some(own) = self.facts.organisations.get(&id) else { return false };
        match rule.criterion {
            Criterion::Turnover => false,
            Criterion::LegalFamily => {
                own.value.legal_family.is_some_and(|family| rule.legal_families.contains(&family))
            }
            Criterion::HomeTerritory => {
                rule.territory.as_deref().is_some_and(|territory| self.facts.is_at_home(id, territory))
            }
            Criterion::Credential => {
                let lends = |other: &&Organisation| {
                    let mut links = other.value.links.iter();
                    links.any(|link| link.to == id && link.shares_credentials)
                };
                let lenders = self.facts.organisations.values().filter(|_| rule.accept_linked).filter(lends);
                lenders.chain([own]).any(|holder| self.holds(holder, rule))
            }
        }
    }

    /// Whether an organisation holds a certificate on the first day.
    fn holds(&self, holder: &Organisation, rule: &EligibilityRule) -> bool {
        let day = self.call.starts_on;
        holder.value.credentials.iter().any(|own| {
            rule.credential.as_deref() == Some(own.code.as_str()) && within(&day, own.valid_from, own.valid_to)
        })
    }
}
