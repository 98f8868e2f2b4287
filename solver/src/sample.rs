//! Seeded problems of realistic shape, for tests and benchmarks.
//!
//! Territories have skewed populations; each actor works in a cluster of neighbouring communes, knows a few others of its
//! cluster, and offers one to three related services; unit costs follow the service. Beyond some 25 clusters, these form regions,
//! and a wide reach is that of a region; groups may be large, so that their coordination costs by member and not by pair.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Actor, Assumptions, Call, Capability, Coordination, GroupPolicy, Link, Lot, Need, Payment, Problem, Relation,
    Spread, Term, Territory,
};
use crate::portfolio::Portfolio;

/// The size of a sample.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many actors.
    pub actors: usize,
    /// How many needs.
    pub needs: usize,
    /// How many communes.
    pub communes: usize,
    /// How many services.
    pub services: usize,
    /// Whether each need is spread over the communes of its territory.
    pub spread: bool,
}

impl Shape {
    /// A call like that of the Métropole de Lyon: 30 actors, 5 needs spread over 58 communes.
    pub const LYON: Self = Self { actors: 30, needs: 5, communes: 58, services: 5, spread: true };
    /// 500 actors and 60 needs in single territories.
    pub const MEDIUM: Self = Self { actors: 500, needs: 60, communes: 120, services: 20, spread: false };
    /// A region: 5,000 actors and 300 needs.
    pub const LARGE: Self = Self { actors: 5_000, needs: 300, communes: 600, services: 40, spread: false };
    /// A country: 20,000 actors and 1,000 needs.
    pub const NATIONAL: Self = Self { actors: 20_000, needs: 1_000, communes: 1_500, services: 60, spread: false };
    /// Every actor there may be: 100,000, and 2,000 needs.
    pub const HUGE: Self = Self { actors: 100_000, needs: 2_000, communes: 3_000, services: 100, spread: false };

    /// A shape between the named ones: needs, communes and services grow with the actors.
    #[must_use]
    pub fn of(actors: usize, needs: usize) -> Self {
        Self {
            actors,
            needs,
            communes: (needs * 2).clamp(58, 3_000),
            services: (needs / 5).clamp(5, 100),
            spread: false,
        }
    }

    fn clusters(&self) -> usize {
        (self.communes / 12).max(2)
    }

    /// How many regions the clusters form; none where they are few.
    fn regions(&self) -> usize {
        if self.clusters() > 25 { self.clusters() / 10 } else { 0 }
    }

    /// Most members of a group.
    fn most(&self) -> usize {
        if self.needs > 60 { self.needs / 4 } else { 16 }
    }
}

/// A small generator (`SplitMix64`): the same seed gives the same sequence everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next of all numbers.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `least` to `most`, both included.
    pub fn range(&mut self, least: u64, most: u64) -> u64 {
        least + self.number() % (most - least + 1)
    }

    /// Less than `bound`, which is positive.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.range(0, bound as u64 - 1)).unwrap_or(0)
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.range(0, 99) < percent
    }
}

/// A problem of this shape. It can be answered in almost every case: three actors reach everything at a high price.
#[must_use]
pub fn problem(shape: &Shape, seed: u64) -> Problem {
    let mut random = Random::new(seed);
    let clusters = shape.clusters();
    // Pairs of members cost something in groups that can meet around a table.
    let per_new_pair_cents = if shape.most() > 30 { 0 } else { 100_000 };
    let territories = territories(shape, clusters, &mut random);
    let actors: Vec<Actor> = (0..shape.actors).map(|i| actor(shape, clusters, i, &mut random)).collect();
    let relations = relations(&actors, &mut random);
    let needs = (0..shape.needs).map(|i| need(shape, clusters, i, &mut random)).collect();
    Problem {
        call: Call {
            id: format!("sample-{seed}"),
            title: None,
            duration_months: 48,
            start: None,
            budget_cents: None,
            lots: vec![Lot { id: "lot".to_owned(), name: None, needs, minimum_members: None, maximum_members: None }],
            eligibility: Vec::new(),
            group: GroupPolicy { maximum_members: u32::try_from(shape.most()).ok(), ..GroupPolicy::default() },
            coordination: Coordination { per_member_cents: 600_000, per_new_pair_cents, ..Coordination::default() },
            payment: Payment::default(),
            assumptions: Assumptions { capacity_per_year_by_unit: BTreeMap::from([("hour".to_owned(), 100)]) },
        },
        actors,
        territories,
        services: (0..shape.services).map(|s| Term { id: format!("s{s:02}"), name: None, parent: None }).collect(),
        publics: Vec::new(),
        relations,
        links: Vec::<Link>::new(),
        incompatibilities: Vec::new(),
        preferences: Vec::new(),
    }
}

/// The same without the three dear actors that reach everything, any of whom is a team by itself. The others are the same; they may be
/// unable to answer.
#[must_use]
pub fn local_problem(shape: &Shape, seed: u64) -> Problem {
    let mut problem = problem(shape, seed);
    let wide: Vec<String> = problem.actors.drain(..3).map(|actor| actor.id).collect();
    problem.relations.retain(|relation| !wide.contains(&relation.a) && !wide.contains(&relation.b));
    problem
}

fn territories(shape: &Shape, clusters: usize, random: &mut Random) -> Vec<Territory> {
    let node = |id: String, parent: Option<String>, population| Territory { id, name: None, parent, population };
    let mut list = vec![node("all".to_owned(), None, 0)];
    list.extend((0..shape.regions()).map(|r| node(format!("r{r:02}"), Some("all".to_owned()), 0)));
    let above = |cluster: usize| match cluster.checked_rem(shape.regions()) {
        Some(region) => format!("r{region:02}"),
        None => "all".to_owned(),
    };
    list.extend((0..clusters).map(|c| node(format!("d{c:02}"), Some(above(c)), 0)));
    list.extend((0..shape.communes).map(|c| {
        let size = random.range(1, 100);
        node(format!("c{c:03}"), Some(format!("d{:02}", c % clusters)), size * size * 10)
    }));
    list
}

fn actor(shape: &Shape, clusters: usize, index: usize, random: &mut Random) -> Actor {
    let wide = index < 3;
    let home = random.below(clusters);
    let first = random.below(shape.services);
    let count = if wide { shape.services } else { 1 + random.below(3.min(shape.services)) };
    let capabilities = (0..count)
        .map(|k| {
            let service = (first + k) % shape.services;
            let territories = if wide {
                vec!["all".to_owned()]
            } else if random.chance(25) {
                vec![
                    home.checked_rem(shape.regions())
                        .map_or_else(|| "all".to_owned(), |region| format!("r{region:02}")),
                ]
            } else {
                let mut districts = BTreeSet::from([home]);
                while random.chance(35) {
                    districts.insert(random.below(clusters));
                }
                districts.into_iter().map(|d| format!("d{d:02}")).collect()
            };
            let base = 2000 + 400 * (service as u64 % 7);
            Capability {
                id: format!("a{index:04}/{k}"),
                services: vec![format!("s{service:02}")],
                publics: Vec::new(),
                territories,
                modalities: Vec::new(),
                unit: Some("hour".to_owned()),
                capacity_per_year: if wide {
                    Some(6000)
                } else {
                    (!random.chance(10)).then(|| random.range(100, 1500))
                },
                unit_cost_cents: Some(cents(if wide { base * 3 } else { base + random.range(0, base) })),
                fixed_cost_cents: if random.chance(30) { cents(random.range(1, 8) * 50_000) } else { 0 },
                minimum_quantity: if random.chance(20) { random.range(20, 200) } else { 0 },
                pool: None,
            }
        })
        .collect();
    Actor {
        id: format!("a{index:04}"),
        name: None,
        legal_family: Some(["association", "company", "cooperative"][random.below(3)].to_owned()),
        home_territories: vec![format!("d{home:02}")],
        credentials: Vec::new(),
        turnover_cents: None,
        available_cash_cents: None,
        capabilities,
    }
}

fn cents(value: u64) -> i64 {
    value.cast_signed()
}

/// About two relations an actor, mostly with a neighbour of the same home.
fn relations(actors: &[Actor], random: &mut Random) -> Vec<Relation> {
    let mut pairs = BTreeSet::new();
    for (a, actor) in actors.iter().enumerate() {
        for _ in 0..4 {
            let b = random.below(actors.len());
            let near = actors[b].home_territories == actor.home_territories;
            if a != b && (near || random.chance(15)) {
                pairs.insert((a.min(b), a.max(b)));
            }
        }
    }
    let relation = |(a, b): (usize, usize)| Relation {
        a: actors[a].id.clone(),
        b: actors[b].id.clone(),
        strength_percent: u8::try_from(random.range(4, 10) * 10).unwrap_or(100),
    };
    pairs.into_iter().map(relation).collect()
}

fn need(shape: &Shape, clusters: usize, index: usize, random: &mut Random) -> Need {
    let service = index % shape.services;
    let territory = if shape.spread { "all".to_owned() } else { format!("d{:02}", random.below(clusters)) };
    let mandatory = index == 0 || random.chance(70);
    Need {
        id: format!("n{index:02}"),
        name: None,
        service: format!("s{service:02}"),
        territory,
        public: None,
        modality: None,
        unit: "hour".to_owned(),
        quantity: random.range(500, if shape.spread { 6000 } else { 2500 }),
        mandatory,
        unmet_cost_cents: 6000,
        reference_unit_cost_cents: Some(5000),
        spread: if shape.spread { Spread::Population } else { Spread::Anywhere },
        maximum_suppliers: None,
    }
}

/// Several calls of this shape for the same actors. They start over two years, last two each, and compete: the actors are as many
/// as for one call. The three actors that reach everything could answer any one of them, but not all.
#[must_use]
pub fn portfolio(shape: &Shape, calls: usize, seed: u64) -> Portfolio {
    let base = problem(shape, seed);
    let clusters = (shape.communes / 12).max(2);
    let mut random = Random(seed ^ 0x706f_7274);
    let call = |k: usize| {
        let needs = (0..shape.needs)
            .map(|i| Need { quantity: random.range(100, 800), ..need(shape, clusters, i, &mut random) });
        let needs = needs.collect();
        Call {
            id: format!("sample-{seed}-{k:02}"),
            duration_months: 24,
            start: Some(format!("{}-{:02}-01", random.range(2026, 2027), random.range(1, 12))),
            lots: vec![Lot { id: "lot".to_owned(), name: None, needs, minimum_members: None, maximum_members: None }],
            ..base.call.clone()
        }
    };
    let calls = (0..calls).map(call).collect();
    let Problem { actors, territories, services, publics, relations, links, incompatibilities, preferences, .. } = base;
    Portfolio { calls, actors, territories, services, publics, relations, links, incompatibilities, preferences }
}

/// The size of a market, as a network of supply and demand.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    /// How many capabilities.
    pub capabilities: u32,
    /// How many services, each asked in every commune.
    pub services: u32,
    /// How many districts of twelve communes; ten districts are a region.
    pub districts: u32,
}

impl Market {
    /// About a million edges: 20,000 capabilities, 40 services in 600 communes.
    pub const MILLION: Self = Self { capabilities: 20_000, services: 40, districts: 50 };
}

/// A network of supply and demand: its last two nodes are the source and the sink.
#[derive(Clone, Debug)]
pub struct MarketNetwork {
    /// How many nodes: capabilities, cells (service × commune), source, sink.
    pub nodes: u32,
    /// Ends and capacity of each edge.
    pub edges: Vec<(u32, u32, u64)>,
}

/// What the question of supply against need comes to on a whole market. Three capabilities in five serve one district, a quarter
/// four of them, one in eight a region, one in fifty everything; few are large. Communes ask by their skewed populations, a tenth
/// less than all supply in sum: with places in want beside idle capacity, a flow takes several rounds.
#[must_use]
pub fn market(shape: &Market, seed: u64) -> MarketNetwork {
    const COMMUNES: u32 = 12;
    const REGION: u32 = 10;
    let random = &mut Random::new(seed);
    let pick = |random: &mut Random, bound: u32| u32::try_from(random.below(bound as usize)).unwrap_or(0);
    let communes = shape.districts * COMMUNES;
    let cells = shape.services * communes;
    let (source, sink) = (shape.capabilities + cells, shape.capabilities + cells + 1);
    let population: Vec<u64> = (0..communes).map(|_| random.range(1, 100).pow(2) * 10).collect();
    let mut edges = Vec::new();
    let mut supply = 0;
    for k in 0..shape.capabilities {
        let (service, home) = (pick(random, shape.services), pick(random, shape.districts));
        let capacity = 100 + random.range(1, 40).pow(2);
        supply += capacity;
        edges.push((source, k, capacity));
        let districts: BTreeSet<u32> = match random.range(0, 99) {
            0..2 => (0..shape.districts).collect(),
            2..15 => (home / REGION * REGION..(home / REGION * REGION + REGION).min(shape.districts)).collect(),
            15..40 => (0..3).map(|_| pick(random, shape.districts)).chain([home]).collect(),
            _ => BTreeSet::from([home]),
        };
        let reached = districts.into_iter().flat_map(|d| d * COMMUNES..(d + 1) * COMMUNES);
        edges.extend(reached.map(|commune| (k, shape.capabilities + service * communes + commune, capacity)));
    }
    let people: u64 = population.iter().sum::<u64>() * u64::from(shape.services);
    let asked = |commune: u32| {
        let part = u128::from(supply) * 9 / 10 * u128::from(population[commune as usize]) / u128::from(people);
        u64::try_from(part).unwrap_or(u64::MAX)
    };
    edges.extend((0..cells).map(|j| (shape.capabilities + j, sink, asked(j % communes))));
    MarketNetwork { nodes: sink + 1, edges }
}
