//! From the database to the solver: everybody who could answer calls.

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver as solver;
use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::Call;
use super::near::{add_with_above, surroundings};
use super::problem::{call_of, code, last_day, unsigned};
use super::window::Window;
use super::{Criterion, NewCall};
use crate::capabilities::Unit;
use crate::capabilities::store::{Offer, Terms};
use crate::organisations::profile::{Finances, Profile, Tie};
use crate::relations::Relation;
use crate::territories;
use crate::vocabularies::{self, Vocabulary};

/// Which part of the directory a computation reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Who offers something [where the calls are](super::near::surroundings), these organisations wherever they are, and whoever shares
    /// people with any of them or lends them certificates.
    Near(BTreeSet<Uuid>),
    /// Everybody and every territory.
    Whole,
}

/// Organisations, what they can do, how they stand to each other, and the vocabularies, at one instant, as somebody sees them.
pub struct Market {
    profiles: Vec<Profile>,
    offers: Vec<Offer>,
    /// What the asker alone knows: of others these say nothing.
    terms: BTreeMap<Uuid, Terms>,
    finances: BTreeMap<Uuid, Finances>,
    reservations: Vec<(Uuid, Uuid)>,
    /// The pool of each capability whose organisation shares its people: the same in every call, whoever takes part in it.
    pools: BTreeMap<Uuid, String>,
    relations: Vec<Relation>,
    territories: Vec<solver::Territory>,
    services: Vec<solver::Term>,
    publics: Vec<solver::Term>,
}

impl Market {
    /// Reads what concerns some calls. About a dozen queries, each several times beyond some thousand organisations; O(territories + what is
    /// read of organisations and capabilities).
    ///
    /// # Errors
    /// The database's.
    pub async fn load(
        window: &Window<'_, impl ConnectionTrait>,
        calls: &[&Call],
        extent: &Extent,
    ) -> Result<Self, DbErr> {
        let territories = window.territories().await?;
        let near = match extent {
            Extent::Near(named) => Some((named, surroundings(&territories, calls))),
            Extent::Whole => None,
        };
        let Some((named, mut near)) = near.filter(|(_, near)| near.len() < territories.len()) else {
            let (profiles, offers) = (window.profiles().await?, window.offers().await?);
            let relations = window.relations().await?;
            return Self::of(window, territories, profiles, offers, relations).await;
        };
        let codes: Vec<&str> = near.iter().map(String::as_str).collect();
        let mut organisations = window.present_in(&codes).await?;
        organisations.extend(named);
        let organisations = with_tied(organisations, &window.ties().await?);
        let profiles = window.profiles_of(&organisations).await?;
        let offers = window.offers_of(&organisations).await?;
        let relations = window.relations_among(&organisations).await?;
        let served = offers.iter().flat_map(|offer| &offer.territories);
        let homes = profiles.iter().flat_map(|profile| &profile.home_territories);
        let rules = calls.iter().flat_map(|call| &call.value.written.eligibility);
        let asked = rules.filter_map(|rule| rule.territory.as_ref());
        add_with_above(&mut near, &territories, served.chain(homes).chain(asked).map(String::as_str));
        let territories = territories.into_iter().filter(|row| near.contains(&row.code)).collect();
        Self::of(window, territories, profiles, offers, relations).await
    }

    /// The same of some organisations alone, with those that may lend them certificates: what they could do by themselves, anywhere. About a
    /// dozen queries; O(their capabilities + territories).
    ///
    /// # Errors
    /// The database's.
    pub async fn load_around(window: &Window<'_, impl ConnectionTrait>, organisations: &[Uuid]) -> Result<Self, DbErr> {
        let team: BTreeSet<Uuid> = organisations.iter().copied().collect();
        let tied = with_tied(team.clone(), &window.ties().await?);
        let (profiles, offers) = (window.profiles_of(&tied).await?, window.offers_of(&tied).await?);
        let relations = window.relations_among(organisations).await?;
        let mut market = Self::of(window, window.territories().await?, profiles, offers, relations).await?;
        // People are shared through organisations that are not asked about, too.
        market.offers.retain(|offer| team.contains(&offer.organisation));
        Ok(market)
    }

    async fn of(
        window: &Window<'_, impl ConnectionTrait>,
        territories: Vec<territories::entity::Model>,
        profiles: Vec<Profile>,
        offers: Vec<Offer>,
        relations: Vec<Relation>,
    ) -> Result<Self, DbErr> {
        let territories = territories.into_iter().map(|row| solver::Territory {
            id: row.code,
            name: Some(row.name),
            parent: row.parent_code,
            population: row.population.map_or(0, unsigned),
        });
        Ok(Self {
            pools: pools(&capacity_groups(&profiles), &offers),
            profiles,
            offers,
            terms: window.own_terms().await?,
            finances: window.own_finances().await?,
            reservations: window.own_reservations().await?,
            relations,
            territories: territories.collect(),
            services: terms(window, Vocabulary::Services).await?,
            publics: terms(window, Vocabulary::Publics).await?,
        })
    }

    /// The services for which a need can be met by an organisation: its own, and all above them. O(its services × depth of the tree).
    #[must_use]
    pub fn services_met_by(&self, organisation: Uuid) -> BTreeSet<String> {
        let parents: BTreeMap<&str, &str> =
            self.services.iter().filter_map(|term| Some((term.id.as_str(), term.parent.as_deref()?))).collect();
        let mut met = BTreeSet::new();
        for own in
            self.offers.iter().filter(|offer| offer.organisation == organisation).flat_map(|offer| &offer.services)
        {
            let mut next = Some(own.as_str());
            while let Some(code) = next.filter(|code| met.insert((*code).to_owned())) {
                next = parents.get(code).copied();
            }
        }
        met
    }

    /// A call and everybody who could answer it.
    ///
    /// Left out: the funder's capabilities, those that do not last the whole contract, and organisations that then have none and
    /// lend no certificate to one that has. O(organisations + capabilities).
    #[must_use]
    pub fn problem(&self, call: &Call) -> solver::Problem {
        self.problem_with(call, &BTreeSet::new())
    }

    /// The same, with some organisations though they could deliver nothing: they may meet conditions.
    #[must_use]
    pub fn problem_with(&self, call: &Call, these: &BTreeSet<Uuid>) -> solver::Problem {
        let written = &call.value.written;
        let mut offers: BTreeMap<Uuid, Vec<&Offer>> = BTreeMap::new();
        for own in &self.offers {
            if serves(own, written) {
                offers.entry(own.organisation).or_default().push(own);
            }
        }
        let takes_part = |organisation: &&Profile| {
            let mut links = organisation.links.iter();
            offers.contains_key(&organisation.id)
                || these.contains(&organisation.id)
                || links.any(|link| link.shares_credentials && offers.contains_key(&link.to))
        };
        let organisations: Vec<&Profile> = self.profiles.iter().filter(takes_part).collect();
        let present: BTreeSet<Uuid> = organisations.iter().map(|organisation| organisation.id).collect();
        let actors = organisations.iter().map(|organisation| {
            let own = offers.remove(&organisation.id).unwrap_or_default();
            self.actor(organisation, &own, written)
        });
        solver::Problem {
            call: call_of(call.id, written),
            actors: actors.collect(),
            territories: self.territories.clone(),
            services: self.services.clone(),
            publics: self.publics.clone(),
            relations: strongest(&self.relations, &present, written.starts_on),
            links: links(&organisations, &present),
            incompatibilities: self.incompatibilities(&present),
            preferences: Vec::new(),
        }
    }

    fn actor(&self, profile: &Profile, offers: &[&Offer], written: &NewCall) -> solver::Actor {
        let finances = self.finances.get(&profile.id).copied().unwrap_or_else(|| sufficient(written));
        solver::Actor {
            id: profile.id.to_string(),
            name: Some(profile.name.clone()),
            legal_family: profile.legal_family.map(|family| code(&family)),
            home_territories: profile.home_territories.clone(),
            credentials: profile
                .credentials
                .iter()
                .map(|credential| solver::Credential {
                    code: credential.code.clone(),
                    valid_from: credential.valid_from.map(|day| day.to_string()),
                    valid_to: credential.valid_to.map(|day| day.to_string()),
                })
                .collect(),
            turnover_cents: finances.turnover_cents,
            available_cash_cents: finances.available_cash_cents,
            capabilities: offers.iter().map(|offer| self.capability(offer)).collect(),
        }
    }

    /// Of the asker's own capabilities, what they can do and cost; of others, their band, at the reference costs of the call.
    fn capability(&self, offer: &Offer) -> solver::Capability {
        let terms = self.terms.get(&offer.id).copied().unwrap_or(Terms {
            capacity_per_year: offer.at_least_per_year,
            unit_cost_cents: None,
            fixed_cost_cents: 0,
            minimum_quantity: 0,
        });
        solver::Capability {
            id: offer.id.to_string(),
            services: offer.services.clone(),
            publics: offer.publics.clone(),
            territories: offer.territories.clone(),
            modalities: offer.modalities.clone(),
            unit: offer.unit.map(|unit| unit.code().to_owned()),
            capacity_per_year: terms.capacity_per_year.map(unsigned),
            unit_cost_cents: terms.unit_cost_cents,
            fixed_cost_cents: terms.fixed_cost_cents,
            minimum_quantity: unsigned(terms.minimum_quantity),
            pool: self.pools.get(&offer.id).cloned(),
        }
    }

    /// The asker's own reservations, between those who take part.
    fn incompatibilities(&self, present: &BTreeSet<Uuid>) -> Vec<solver::Incompatibility> {
        let pairs = self.reservations.iter().map(|&(a, b)| if a < b { (a, b) } else { (b, a) });
        let pairs: BTreeSet<(Uuid, Uuid)> = pairs.filter(|(a, b)| present.contains(a) && present.contains(b)).collect();
        pairs.into_iter().map(|(a, b)| solver::Incompatibility { a: a.to_string(), b: b.to_string() }).collect()
    }
}

/// Some organisations with all that share people with them, directly or through others, and whoever lends one of these certificates.
/// O(ties × longest chain).
fn with_tied(mut these: BTreeSet<Uuid>, ties: &[Tie]) -> Vec<Uuid> {
    loop {
        let before = these.len();
        for tie in ties.iter().filter(|tie| tie.shares_capacity) {
            if these.contains(&tie.from) || these.contains(&tie.to) {
                these.extend([tie.from, tie.to]);
            }
        }
        if these.len() == before {
            break;
        }
    }
    let lends = ties.iter().filter(|tie| !tie.shares_capacity && these.contains(&tie.to)).map(|tie| tie.from);
    let lenders: Vec<Uuid> = lends.collect();
    these.extend(lenders);
    these.into_iter().collect()
}

/// Whether a capability lasts the whole contract of a call, and is not its funder's.
#[must_use]
pub fn serves(offer: &Offer, written: &NewCall) -> bool {
    let begun = offer.valid_from.is_none_or(|from| from <= written.starts_on);
    let lasts = offer.valid_to.zip(last_day(written)).is_none_or(|(to, last)| to >= last);
    begun && lasts && offer.organisation != written.funder
}

/// What is assumed of the finances that the asker may not know: turnover enough for each condition of the call, and no bound on cash.
fn sufficient(written: &NewCall) -> Finances {
    let turnover = written.eligibility.iter().filter(|rule| rule.criterion == Criterion::Turnover);
    Finances { turnover_cents: turnover.filter_map(|rule| rule.minimum_cents).max(), available_cash_cents: None }
}

async fn terms(window: &Window<'_, impl ConnectionTrait>, vocabulary: Vocabulary) -> Result<Vec<solver::Term>, DbErr> {
    let rows = window.terms(vocabulary).await?;
    let terms = rows.into_iter().map(vocabularies::store::view);
    Ok(terms
        .map(|term| solver::Term { id: term.code, name: Some(term.value.label_en), parent: term.value.parent })
        .collect())
}

fn links(organisations: &[&Profile], present: &BTreeSet<Uuid>) -> Vec<solver::Link> {
    let all = organisations.iter().flat_map(|from| from.links.iter().map(move |link| (from.id, link)));
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

/// The pool of each capability whose organisation shares its people with another one: linked entities never
/// count the same capacity twice.
///
/// Within a group, capabilities counted in one unit that have a service in common, directly or through others, draw on the
/// same people. O(links × group size + capabilities × services × pools of the group).
fn pools(groups: &BTreeMap<Uuid, Uuid>, offers: &[Offer]) -> BTreeMap<Uuid, String> {
    let mut found: Vec<Pool> = Vec::new();
    for offer in offers {
        if let Some(&group) = groups.get(&offer.organisation) {
            let mut pool = Pool {
                group,
                unit: offer.unit,
                services: offer.services.iter().map(String::as_str).collect(),
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
fn capacity_groups(organisations: &[Profile]) -> BTreeMap<Uuid, Uuid> {
    let mut group: BTreeMap<Uuid, Uuid> = BTreeMap::new();
    let all = organisations.iter().flat_map(|from| from.links.iter().map(move |link| (from.id, link)));
    for (from, link) in all.filter(|(_, link)| link.shares_capacity) {
        let ends = [from, link.to].map(|id| group.get(&id).copied().unwrap_or(id));
        let [kept, merged] = if ends[0] <= ends[1] { ends } else { [ends[1], ends[0]] };
        group.values_mut().filter(|root| **root == merged).for_each(|root| *root = kept);
        group.insert(from, kept);
        group.insert(link.to, kept);
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tie(from: u128, to: u128, shares_capacity: bool) -> Tie {
        Tie { from: Uuid::from_u128(from), to: Uuid::from_u128(to), shares_capacity }
    }

    fn tied(these: &[u128], ties: &[Tie]) -> Vec<u128> {
        let these = these.iter().copied().map(Uuid::from_u128).collect();
        with_tied(these, ties).into_iter().map(|id| id.as_u128()).collect()
    }

    #[test]
    fn people_are_shared_along_chains_and_certificates_are_lent_once() {
        let people = [tie(3, 2, true), tie(1, 2, true), tie(3, 4, true), tie(8, 9, true)];
        assert_eq!(tied(&[1], &people), [1, 2, 3, 4]);
        let lent = [tie(5, 1, false), tie(6, 5, false), tie(1, 7, false)];
        assert_eq!(tied(&[1], &lent), [1, 5], "who lends to a lender, or borrows, is of no use");
        assert_eq!(tied(&[2], &[tie(2, 3, true), tie(4, 3, false)]), [2, 3, 4]);
    }
}
