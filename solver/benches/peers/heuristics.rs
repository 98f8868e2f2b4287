//! Textbook heuristics for teams, as fair to them as may be: they know the size limit, and whoever can serve nothing is dropped.
//!
//! A *skill* is a mandatory need in one place. Who has worked together is at distance 1, strangers are at most 10 apart.
//! Lappas, Liu and Terzi, *Finding a team of experts in social networks*, 2009: `RarestFirst`, `EnhancedSteiner`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use attelage_solver::{Need, Problem, Spread};

/// Distance of strangers.
const STRANGERS: u32 = 10;

pub struct Market<'p> {
    problem: &'p Problem,
    parents: BTreeMap<&'p str, Option<&'p str>>,
    /// By skill: what is asked, and who can serve it with which capability.
    pub skills: Vec<(u64, BTreeMap<usize, Vec<usize>>)>,
    /// Between actors that have a skill.
    distance: Vec<Vec<u32>>,
    most: usize,
}

impl<'p> Market<'p> {
    pub fn new(problem: &'p Problem) -> Self {
        let parents = problem.territories.iter().map(|t| (t.id.as_str(), t.parent.as_deref())).collect();
        let most = problem.call.group.maximum_members.map_or(usize::MAX, |most| most as usize);
        let mut market = Self { problem, parents, skills: Vec::new(), distance: Vec::new(), most };
        let needs = problem.call.lots.iter().flat_map(|lot| &lot.needs).filter(|need| need.mandatory);
        market.skills = needs.flat_map(|need| market.places(need)).collect();
        market.distance = (0..problem.actors.len()).map(|from| market.distances(from)).collect();
        market
    }

    fn above(&self, mut place: &'p str) -> Vec<&'p str> {
        let mut all = vec![place];
        while let Some(Some(parent)) = self.parents.get(place) {
            all.push(parent);
            place = parent;
        }
        all
    }

    fn places(&self, need: &'p Need) -> Vec<(u64, BTreeMap<usize, Vec<usize>>)> {
        let below = self.problem.territories.iter().filter(|t| self.above(&t.id).contains(&need.territory.as_str()));
        let leaf = |id: &str| !self.parents.values().any(|parent| *parent == Some(id));
        let leaves: Vec<(&str, u64)> = match need.spread {
            Spread::Anywhere => vec![(&need.territory, 1)],
            Spread::Population => below.filter(|t| leaf(&t.id)).map(|t| (t.id.as_str(), t.population)).collect(),
        };
        let all: u64 = leaves.iter().map(|(_, population)| population).sum::<u64>().max(1);
        let skill = |(place, population): (&'p str, u64)| {
            let above = self.above(place);
            let mut able: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (a, actor) in self.problem.actors.iter().enumerate() {
                for (k, capability) in actor.capabilities.iter().enumerate() {
                    let there = |own: &String| {
                        let inside = need.spread == Spread::Anywhere && self.above(own).contains(&place);
                        above.contains(&own.as_str()) || inside
                    };
                    if capability.services.contains(&need.service) && capability.territories.iter().any(there) {
                        able.entry(a).or_default().push(k);
                    }
                }
            }
            (need.quantity * population / all, able)
        };
        leaves.into_iter().map(skill).filter(|(asked, _)| *asked > 0).collect()
    }

    fn distances(&self, from: usize) -> Vec<u32> {
        let index: BTreeMap<&str, usize> =
            self.problem.actors.iter().enumerate().map(|(a, actor)| (actor.id.as_str(), a)).collect();
        let mut known: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for relation in &self.problem.relations {
            let (a, b) = (index[relation.a.as_str()], index[relation.b.as_str()]);
            known.entry(a).or_default().push(b);
            known.entry(b).or_default().push(a);
        }
        let mut distance = vec![STRANGERS; self.problem.actors.len()];
        distance[from] = 0;
        let mut queue = VecDeque::from([from]);
        while let Some(a) = queue.pop_front() {
            let next = distance[a] + 1;
            for &b in known.get(&a).into_iter().flatten() {
                if next < distance[b] {
                    distance[b] = next;
                    queue.push_back(b);
                }
            }
        }
        distance
    }

    fn names(&self, team: &BTreeSet<usize>) -> Vec<String> {
        team.iter().map(|&a| self.problem.actors[a].id.clone()).collect()
    }

    /// Fewest members: whoever has most of the skills that are still lacking, until none lacks or the team is full.
    pub fn cover(&self) -> Vec<String> {
        let mut lacking: Vec<&BTreeMap<usize, Vec<usize>>> = self.skills.iter().map(|(_, able)| able).collect();
        let mut team = BTreeSet::new();
        while team.len() < self.most {
            let mut count: BTreeMap<usize, usize> = BTreeMap::new();
            for &&a in &lacking.iter().flat_map(|able| able.keys()).collect::<Vec<_>>() {
                *count.entry(a).or_default() += 1;
            }
            let Some((&best, _)) = count.iter().max_by_key(|&(a, n)| (*n, std::cmp::Reverse(*a))) else { break };
            team.insert(best);
            lacking.retain(|able| !able.contains_key(&best));
        }
        self.names(&team)
    }

    /// Least cost per unit that is still lacking, of those who bring at least their part of what lacks while places are left.
    pub fn cost_effective(&self) -> Vec<String> {
        let mut lacking: Vec<u64> = self.skills.iter().map(|(asked, _)| *asked).collect();
        let mut team = BTreeSet::new();
        while team.len() < self.most && lacking.iter().any(|&units| units > 0) {
            let left = (self.most - team.len()) as u64;
            let fair = lacking.iter().sum::<u64>().div_ceil(left);
            let offers = (0..self.problem.actors.len()).filter(|a| !team.contains(a)).map(|a| {
                let (served, cost) = self.serve(a, &lacking);
                (a, served.iter().sum::<u64>(), cost)
            });
            let offers: Vec<(usize, u64, i64)> = offers.filter(|(_, units, _)| *units > 0).collect();
            let price = |units: u64, cost: i64| cost as f64 / units as f64;
            let enough = offers.iter().filter(|(_, units, _)| *units >= fair);
            let cheapest = enough.min_by(|x, y| price(x.1, x.2).total_cmp(&price(y.1, y.2)));
            let Some(&(best, ..)) = cheapest.or_else(|| offers.iter().max_by_key(|(_, units, _)| *units)) else {
                break;
            };
            let served = self.serve(best, &lacking).0;
            for (left, served) in lacking.iter_mut().zip(served) {
                *left -= served;
            }
            team.insert(best);
        }
        self.names(&team)
    }

    /// What an actor can add, skill by skill in their order, and what that costs.
    fn serve(&self, actor: usize, lacking: &[u64]) -> (Vec<u64>, i64) {
        let capabilities = &self.problem.actors[actor].capabilities;
        let years = u64::from(self.problem.call.duration_months) / 12;
        let mut spare: Vec<u64> = capabilities.iter().map(|c| c.capacity_per_year.unwrap_or(100) * years).collect();
        let mut cost = self.problem.call.coordination.per_member_cents;
        let served = self.skills.iter().zip(lacking).map(|((_, able), &left)| {
            let mut units = 0;
            for &k in able.get(&actor).into_iter().flatten() {
                let part = spare[k].min(left - units);
                if part > 0 && spare[k] == capabilities[k].capacity_per_year.unwrap_or(100) * years {
                    cost += capabilities[k].fixed_cost_cents;
                }
                spare[k] -= part;
                units += part;
                cost += capabilities[k].unit_cost_cents.unwrap_or(0) * part.cast_signed();
            }
            units
        });
        (served.collect(), cost)
    }

    /// The rarest skill, each who has it, and for every other skill the nearest who has that: the team of least diameter.
    pub fn rarest_first(&self) -> Vec<String> {
        let held: Vec<&BTreeMap<usize, Vec<usize>>> =
            self.skills.iter().map(|(_, able)| able).filter(|able| !able.is_empty()).collect();
        let Some(rarest) = held.iter().min_by_key(|able| able.len()) else { return Vec::new() };
        let teams = rarest.keys().map(|&i| {
            let nearest = held.iter().filter_map(|able| able.keys().copied().min_by_key(|&a| (self.distance[i][a], a)));
            let mut team: BTreeSet<usize> = nearest.collect();
            team.insert(i);
            let far = team.iter().map(|&a| self.distance[i][a]).max();
            // Among equal diameters those that fit the limit, then the smallest.
            (far, team.len() > self.most, team.len(), team)
        });
        teams.min().map(|(.., team)| self.names(&team)).unwrap_or_default()
    }

    /// A tree over people that reaches every skill: from the rarest one, always the path to the nearest that is not reached.
    pub fn enhanced_steiner(&self) -> Vec<String> {
        let mut open: Vec<&BTreeMap<usize, Vec<usize>>> =
            self.skills.iter().map(|(_, able)| able).filter(|able| !able.is_empty()).collect();
        open.sort_by_key(|able| able.len());
        let mut team: BTreeSet<usize> = BTreeSet::new();
        while !open.is_empty() {
            let start: Vec<usize> =
                if team.is_empty() { open[0].keys().copied().collect() } else { team.iter().copied().collect() };
            let near = |able: &&BTreeMap<usize, Vec<usize>>| {
                let pairs = start.iter().flat_map(|&t| able.keys().map(move |&a| (t, a)));
                pairs.map(|(t, a)| (self.distance[t][a], a, t)).min()
            };
            // The start has its own skill: the next one decides which of those who have it.
            let others = if team.is_empty() && open.len() > 1 { &open[1..] } else { &open[..] };
            let Some((_, to, from)) = others.iter().filter_map(near).min() else { break };
            team.extend(self.path(from, to));
            open.retain(|able| !able.keys().any(|a| team.contains(a)));
        }
        let useful = |a: &usize| self.skills.iter().any(|(_, able)| able.contains_key(a));
        team.retain(useful);
        self.names(&team)
    }

    /// Those on a shortest path, both ends included; strangers are joined directly.
    fn path(&self, from: usize, to: usize) -> Vec<usize> {
        let mut path = vec![to];
        let mut at = to;
        while at != from && self.distance[from][at] < STRANGERS {
            let all = 0..self.problem.actors.len();
            let before =
                |a: &usize| self.distance[from][*a] + 1 == self.distance[from][at] && self.distance[*a][at] == 1;
            let Some(next) = all.into_iter().find(before) else { break };
            path.push(next);
            at = next;
        }
        path.push(from);
        path
    }
}
