//! From the database to the solver: a call and everybody who could answer it, as a [`Problem`].

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver as solver;
use chrono::{Months, NaiveDate};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Between, Call, Criterion, EligibilityRule, Grouping, Need, NewCall, Per, Scope, Spread};
use crate::capabilities::{self, Capability, Unit};
use crate::organisations::{self, Organisation};
use crate::relations::{self, Relation};
use crate::territories;
use crate::vocabularies::{self, Vocabulary};

/// Everything the solver needs for a call. About a dozen queries; O(organisations + capabilities + territories).
///
/// Left out: the funder's capabilities, those that do not last the whole contract, and organisations that then have none and
/// lend no certificate to one that has.
///
/// # Errors
/// The database's.
pub async fn load(db: &impl ConnectionTrait, call: &Call) -> Result<solver::Problem, DbErr> {
    let written = &call.value.written;
    let mut offers: BTreeMap<Uuid, Vec<Capability>> = BTreeMap::new();
    for capability in capabilities::store::all(db).await? {
        let own = &capability.value;
        let begun = own.valid_from.is_none_or(|from| from <= written.starts_on);
        let lasts = own.valid_to.zip(last_day(written)).is_none_or(|(to, last)| to >= last);
        if begun && lasts && own.organisation != written.funder {
            offers.entry(own.organisation).or_default().push(capability);
        }
    }
    let mut organisations = organisations::store::all(db).await?;
    let lends = |organisation: &Organisation| {
        organisation.value.links.iter().any(|link| link.shares_credentials && offers.contains_key(&link.to))
    };
    organisations.retain(|organisation| offers.contains_key(&organisation.id) || lends(organisation));
    let present: BTreeSet<Uuid> = organisations.iter().map(|organisation| organisation.id).collect();
    let pools = pools(&organisations, &offers);
    let actors = organisations.iter().map(|organisation| {
        let own = offers.remove(&organisation.id).unwrap_or_default();
        actor(organisation, &own, &pools)
    });
    let actors = actors.collect();
    let territories = territories::store::all(db).await?.into_iter().map(|row| solver::Territory {
        id: row.code,
        name: Some(row.name),
        parent: row.parent_code,
        population: row.population.map_or(0, unsigned),
    });
    Ok(solver::Problem {
        call: call_of(call.id, written),
        actors,
        territories: territories.collect(),
        services: terms(db, Vocabulary::Services).await?,
        publics: terms(db, Vocabulary::Publics).await?,
        relations: strongest(&relations::store::all(db).await?, &present, written.starts_on),
        links: links(&organisations, &present),
        incompatibilities: Vec::new(),
        preferences: Vec::new(),
    })
}

/// The last day of the contract.
fn last_day(written: &NewCall) -> Option<NaiveDate> {
    let months = Months::new(u32::try_from(written.duration_months).ok()?);
    written.starts_on.checked_add_months(months)?.pred_opt()
}

/// Non-negative by the schema.
fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

async fn terms(db: &impl ConnectionTrait, vocabulary: Vocabulary) -> Result<Vec<solver::Term>, DbErr> {
    let rows = vocabularies::store::all(db, vocabulary).await?;
    let terms = rows.into_iter().map(vocabularies::store::view);
    Ok(terms
        .map(|term| solver::Term { id: term.code, name: Some(term.value.label_en), parent: term.value.parent })
        .collect())
}

fn actor(organisation: &Organisation, offers: &[Capability], pools: &BTreeMap<Uuid, String>) -> solver::Actor {
    let own = &organisation.value;
    solver::Actor {
        id: organisation.id.to_string(),
        name: Some(own.name.clone()),
        legal_family: own.legal_family.map(|family| code(&family)),
        home_territories: own.home_territories.clone(),
        credentials: own
            .credentials
            .iter()
            .map(|credential| solver::Credential {
                code: credential.code.clone(),
                valid_from: credential.valid_from.map(|day| day.to_string()),
                valid_to: credential.valid_to.map(|day| day.to_string()),
            })
            .collect(),
        turnover_cents: own.turnover_cents,
        available_cash_cents: own.available_cash_cents,
        capabilities: offers.iter().map(|offer| capability(offer, pools.get(&offer.id))).collect(),
    }
}

/// The code of a value whose JSON is a string.
fn code(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|json| json.as_str().map(str::to_owned)).unwrap_or_default()
}

fn capability(offer: &Capability, pool: Option<&String>) -> solver::Capability {
    let own = &offer.value;
    solver::Capability {
        id: offer.id.to_string(),
        services: own.services.clone(),
        publics: own.publics.clone(),
        territories: own.territories.clone(),
        modalities: own.modalities.clone(),
        unit: own.unit.map(|unit| unit.code().to_owned()),
        capacity_per_year: own.capacity_per_year.map(unsigned),
        unit_cost_cents: own.unit_cost_cents,
        fixed_cost_cents: own.fixed_cost_cents,
        minimum_quantity: unsigned(own.minimum_quantity),
        pool: pool.cloned(),
    }
}

fn links(organisations: &[Organisation], present: &BTreeSet<Uuid>) -> Vec<solver::Link> {
    let all = organisations.iter().flat_map(|from| from.value.links.iter().map(move |link| (from.id, link)));
    all.filter(|(_, link)| present.contains(&link.to))
        .map(|(from, link)| solver::Link {
            from: from.to_string(),
            to: link.to.to_string(),
            shares_credentials: link.shares_credentials,
        })
        .collect()
}

/// One relation per pair: the strongest of its kinds that have begun. Those that have ended count: who has worked together
/// knows each other.
fn strongest(relations: &[Relation], present: &BTreeSet<Uuid>, starts_on: NaiveDate) -> Vec<solver::Relation> {
    let mut pairs: BTreeMap<(Uuid, Uuid), i16> = BTreeMap::new();
    for relation in relations {
        let own = &relation.value;
        let begun = own.since.is_none_or(|since| since <= starts_on);
        if begun && present.contains(&own.a) && present.contains(&own.b) {
            let best = pairs.entry((own.a, own.b)).or_default();
            *best = (*best).max(own.strength_percent);
        }
    }
    pairs
        .into_iter()
        .map(|((a, b), strength)| solver::Relation {
            a: a.to_string(),
            b: b.to_string(),
            strength_percent: u8::try_from(strength).unwrap_or(100),
        })
        .collect()
}

fn call_of(id: Uuid, written: &NewCall) -> solver::Call {
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

/// The pool of each capability whose organisation shares its people with another one that is present: linked entities never
/// count the same capacity twice.
///
/// Within a group, capabilities counted in one unit that have a service in common, directly or through others, draw on the
/// same people. O(links × group size + capabilities × services × pools of the group).
fn pools(organisations: &[Organisation], offers: &BTreeMap<Uuid, Vec<Capability>>) -> BTreeMap<Uuid, String> {
    let mut found: Vec<Pool> = Vec::new();
    for (organisation, group) in capacity_groups(organisations) {
        for offer in offers.get(&organisation).into_iter().flatten() {
            let mut pool = Pool {
                group,
                unit: offer.value.unit,
                services: offer.value.services.iter().map(String::as_str).collect(),
                capabilities: vec![offer.id],
            };
            let joins = |other: &Pool| {
                other.group == group && other.unit == pool.unit && !other.services.is_disjoint(&pool.services)
            };
            let (joined, apart): (Vec<Pool>, Vec<Pool>) = found.into_iter().partition(joins);
            for other in joined {
                pool.services.extend(other.services);
                pool.capabilities.extend(other.capabilities);
            }
            found = apart;
            found.push(pool);
        }
    }
    let named =
        found.into_iter().filter_map(|pool| Some((pool.capabilities.iter().min()?.to_string(), pool.capabilities)));
    named.flat_map(|(name, ids)| ids.into_iter().map(move |id| (id, name.clone()))).collect()
}

/// Capabilities that draw on the same people.
struct Pool<'a> {
    group: Uuid,
    unit: Option<Unit>,
    services: BTreeSet<&'a str>,
    capabilities: Vec<Uuid>,
}

/// The group that each organisation shares its capacity with, by the smallest id of the group.
///
/// Links that share capacity join two organisations; groups are the connected components. O(links × group size).
fn capacity_groups(organisations: &[Organisation]) -> BTreeMap<Uuid, Uuid> {
    let mut group: BTreeMap<Uuid, Uuid> = BTreeMap::new();
    let all = organisations.iter().flat_map(|from| from.value.links.iter().map(move |link| (from.id, link)));
    let present: BTreeSet<Uuid> = organisations.iter().map(|organisation| organisation.id).collect();
    for (from, link) in all.filter(|(_, link)| link.shares_capacity && present.contains(&link.to)) {
        let ends = [from, link.to].map(|id| group.get(&id).copied().unwrap_or(id));
        let [kept, merged] = if ends[0] <= ends[1] { ends } else { [ends[1], ends[0]] };
        group.values_mut().filter(|root| **root == merged).for_each(|root| *root = kept);
        group.insert(from, kept);
        group.insert(link.to, kept);
    }
    group
}
