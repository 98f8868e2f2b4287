//! From a bid, and what its ids and codes stand for, to the document of an answer.

use std::collections::{BTreeMap, BTreeSet};

use attelage_documents::{
    AnswerCall, AnswerDocument, AnswerGroup, AnswerLot, AnswerMember, AnswerNeed, AnswerPart, AnswerSignature,
    AnswerTerm, AnswerYear, AnswerYearNeed, AnswerYearPart,
};
use chrono::{Months, NaiveDate};
use uuid::Uuid;

use super::coverage::{Covered, coverage, mean, percent};
use crate::bids::{Allocation, BidContent, Role};
use crate::calls::{Call, CallKind, NewCall};
use crate::capabilities::Unit;
use crate::organisations::{IdentifierScheme, Organisation};
use crate::treasury::apportion::by_year;

/// What ids and codes stand for.
#[derive(Debug, Default)]
pub struct Names {
    /// Organisations: the funder and the members.
    pub organisations: BTreeMap<Uuid, Organisation>,
    /// Labels of services, in French.
    pub services: BTreeMap<String, String>,
    /// Labels of publics, in French.
    pub publics: BTreeMap<String, String>,
    /// Names of territories.
    pub territories: BTreeMap<String, String>,
}

/// What is said beside the bid.
#[derive(Debug, Default)]
pub struct Setting {
    /// How those who answer are bound.
    pub group: Option<AnswerGroup>,
    /// What was signed or sealed.
    pub digest: Option<String>,
    /// Who has signed it.
    pub signatures: Vec<AnswerSignature>,
}

/// The document of an answer. O(members × needs × years).
#[must_use]
pub fn assemble(call: &Call, bid: &BidContent, setting: Setting, names: &Names) -> AnswerDocument {
    let written = &call.value.written;
    let delivered: Vec<&Allocation> = bid.allocations.iter().collect();
    let needs = coverage(written, &bid.lots, &delivered);
    let mut members: Vec<AnswerMember> = bid
        .members
        .iter()
        .map(|member| {
            let amount_cents = bid.amount_of(member.organisation);
            AnswerMember {
                organisation: member.organisation.to_string(),
                name: names.of(member.organisation),
                identifiers: names.identifiers(member.organisation),
                role: role(member.role).to_owned(),
                lots: member.lots.clone(),
                amount_cents,
                share_percent: if bid.amount_cents == 0 {
                    0.0
                } else {
                    percent(amount_cents.into(), bid.amount_cents.into())
                },
            }
        })
        .collect();
    members.sort_by_key(|member| !matches!(member.role.as_str(), "group-lead" | "sole-tenderer"));
    let Setting { group, digest, signatures } = setting;
    AnswerDocument {
        call: AnswerCall {
            id: call.id.to_string(),
            version: call.version,
            title: written.title.clone(),
            reference: written.reference.clone(),
            funder: names.of(written.funder),
            kind: if written.kind == CallKind::Contract { "contract" } else { "grant" }.to_owned(),
            starts_on: written.starts_on,
            duration_months: written.duration_months.unsigned_abs(),
            answers_due_at: written.answers_due_at,
        },
        group: group.unwrap_or(AnswerGroup { name: None, form: None }),
        lots: lots(&needs, bid, names),
        years: years(written, bid, &needs),
        members,
        coordination_cents: bid.coordination_cents,
        amount_cents: bid.amount_cents,
        coverage_percent: mean(&needs),
        note: bid.note.clone(),
        digest,
        signatures,
    }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::GroupLead => "group-lead",
        Role::GroupMem => "group-mem",
        Role::SoleTenderer => "sole-tenderer",
        Role::Subcont => "subcont",
    }
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Hour => "heures",
        Unit::Session => "séances",
        Unit::Person => "personnes",
        Unit::Device => "appareils",
        Unit::ConnectionMonth => "mois de connexion",
        Unit::FullTimeEquivalent => "équivalents temps plein",
    }
}

fn term(code: &str, labels: &BTreeMap<String, String>) -> AnswerTerm {
    let label = labels.get(code).map_or(code, String::as_str);
    AnswerTerm { code: code.to_owned(), label: label.to_owned() }
}

impl Names {
    /// What an organisation is called; its id where it is gone.
    #[must_use]
    pub fn of(&self, organisation: Uuid) -> String {
        let known = self.organisations.get(&organisation);
        known.map_or_else(|| organisation.to_string(), |known| known.value.name.clone())
    }

    fn identifiers(&self, organisation: Uuid) -> Vec<AnswerTerm> {
        let known = self.organisations.get(&organisation).into_iter().flat_map(|known| &known.value.identifiers);
        known
            .map(|own| {
                let label = match own.scheme {
                    IdentifierScheme::Siren => "SIREN",
                    IdentifierScheme::Siret => "SIRET",
                    IdentifierScheme::Rna => "RNA",
                    IdentifierScheme::Vat => "TVA",
                };
                AnswerTerm { code: own.id.clone(), label: label.to_owned() }
            })
            .collect()
    }
}

fn lots(needs: &[Covered], bid: &BidContent, names: &Names) -> Vec<AnswerLot> {
    let mut lots: Vec<AnswerLot> = Vec::new();
    for own in needs {
        if lots.last().is_none_or(|lot| lot.code != own.lot.code) {
            let of_lot: Vec<Covered> = needs.iter().filter(|other| other.lot.code == own.lot.code).copied().collect();
            lots.push(AnswerLot {
                code: own.lot.code.clone(),
                title: own.lot.title.clone(),
                amount_cents: 0,
                coverage_percent: mean(&of_lot),
                needs: Vec::new(),
            });
        }
        let need = need(own, bid, names);
        if let Some(lot) = lots.last_mut() {
            lot.amount_cents += need.parts.iter().map(|part| part.amount_cents).sum::<i64>();
            lot.needs.push(need);
        }
    }
    lots
}

fn need(own: &Covered, bid: &BidContent, names: &Names) -> AnswerNeed {
    let need = own.need;
    let parts = bid.allocations.iter().filter(|part| part.need == need.code).map(|part| AnswerPart {
        organisation: part.organisation.to_string(),
        quantity: part.quantity,
        amount_cents: part.amount_cents,
    });
    AnswerNeed {
        code: need.code.clone(),
        title: need.title.clone(),
        service: term(&need.service, &names.services),
        territory: term(&need.territory, &names.territories),
        public: need.public.as_deref().map(|code| term(code, &names.publics)),
        unit: AnswerTerm { code: need.unit.code().to_owned(), label: unit(need.unit).to_owned() },
        mandatory: need.mandatory,
        asked: own.asked,
        covered: own.delivered,
        coverage_percent: own.percent(),
        parts: parts.collect(),
    }
}

/// The years of the contract, with work and money spread over its months.
fn years(call: &NewCall, bid: &BidContent, needs: &[Covered]) -> Vec<AnswerYear> {
    let months = usize::try_from(call.duration_months).unwrap_or(1).max(1);
    let members: BTreeSet<Uuid> = bid.members.iter().map(|member| member.organisation).collect();
    let quantities: Vec<(&str, Vec<i64>)> =
        needs.iter().map(|own| (own.need.code.as_str(), by_year(own.delivered, months))).collect();
    let amounts: Vec<(Uuid, Vec<i64>)> =
        members.into_iter().map(|member| (member, by_year(bid.amount_of(member), months))).collect();
    let first_day = |year: usize| {
        let months = Months::new(u32::try_from(year * 12).unwrap_or(u32::MAX));
        call.starts_on.checked_add_months(months).unwrap_or(NaiveDate::MAX)
    };
    let end = call.starts_on.checked_add_months(Months::new(call.duration_months.unsigned_abs()));
    (0..months.div_ceil(12))
        .map(|year| {
            let next = first_day(year + 1).min(end.unwrap_or(NaiveDate::MAX));
            let parts: Vec<AnswerYearPart> = amounts
                .iter()
                .map(|(member, own)| AnswerYearPart { organisation: member.to_string(), amount_cents: own[year] })
                .collect();
            AnswerYear {
                number: u32::try_from(year + 1).unwrap_or(u32::MAX),
                from: first_day(year),
                to: next.pred_opt().unwrap_or(next),
                needs: quantities
                    .iter()
                    .map(|(need, own)| AnswerYearNeed { need: (*need).to_owned(), quantity: own[year] })
                    .collect(),
                amount_cents: parts.iter().map(|part| part.amount_cents).sum(),
                parts,
            }
        })
        .collect()
}
