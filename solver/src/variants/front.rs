//! The trade-offs between cost and something else: every consortium that no other one beats on both.

use serde::{Deserialize, Serialize};

use super::lexicographic::proof;
use super::master::{Best, Master, Sought};
use super::measure::Measure;
use crate::answer::{Proposal, Status};
use crate::assemble::percent;
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer, Stage};
use crate::explain::{self, gaps::Gaps};
use crate::instance::{Fault, Instance};
use crate::model::{Cents, Options};
use crate::propose::Draft;
use crate::rules::RuleSet;

/// Which front is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FrontRequest {
    /// What cost is traded for.
    pub axes: Axes,
    /// The most points, 2 to 40. Where there are fewer, all are found.
    pub points: u32,
}

impl Default for FrontRequest {
    fn default() -> Self {
        Self { axes: Axes::CostCoverage, points: 12 }
    }
}

/// The two axes of a front. Mandatory needs stay mandatory on each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Axes {
    /// What is paid, against the uncovered units ([`Measure::Uncovered`]).
    #[default]
    CostCoverage,
    /// The objective, against what the loss of one member may leave without capacity ([`Measure::Fragility`]).
    CostResilience,
    /// The objective, against the pairs that never worked together ([`Measure::NewPairs`]).
    CostCohesion,
}

impl Axes {
    fn measures(self) -> (Measure, Measure) {
        match self {
            Self::CostCoverage => (Measure::Paid, Measure::Uncovered),
            Self::CostResilience => (Measure::Euros, Measure::Fragility),
            Self::CostCohesion => (Measure::Euros, Measure::NewPairs),
        }
    }
}

/// A front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Front {
    /// As asked.
    pub axes: Axes,
    /// Optimal: every point is proven. Infeasible: nobody can answer.
    pub status: Status,
    /// Cheapest first; each costs more than the one before and misses less.
    pub points: Vec<FrontPoint>,
    /// Proven, within the gap asked for: there is no other point.
    pub complete: bool,
    /// An English sentence where the front has less to say than asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A point of a front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FrontPoint {
    /// The consortium. Its proof is about `cost_cents` among those that miss no more than `at_most`.
    pub proposal: Proposal,
    /// On the first axis: what is paid for the axes cost and coverage, the objective for the others.
    pub cost_cents: Cents,
    /// Above the cheapest point.
    pub extra_cents: Cents,
    /// On the second axis, exactly: what is missing, in the unit of its [`Measure`].
    pub missing: i64,
    /// The most that was allowed to be missing when this point was found.
    pub at_most: i64,
    /// The second axis in percent, more is better: covered part, part that survives any one loss, known pairs.
    pub merit_percent: f64,
    /// Proven, within the gap asked for: no consortium is as good on both axes and better on one.
    pub efficient: bool,
    /// Whether some fixed exchange rate between the two axes makes it the best of the points found. A weighted sum can never
    /// find the others.
    pub supported: bool,
}

/// Nodes of the search tree that the last unit of one point is worth: some hundredths of a percent of its cost.
const NODES: i32 = 200;

/// What is wrong with the settings.
pub(crate) fn faults(request: &FrontRequest) -> Vec<Fault> {
    let fault = || Fault { path: "/points".to_owned(), message: "must be from 2 to 40".to_owned() };
    (!(2..=40).contains(&request.points)).then(fault).into_iter().collect()
}

/// Answers [`crate::Query::Front`]. Two searches per point.
///
/// The ends are lexicographic optima; between them a grid of bounds on the second axis, tightest last, each with the least cost,
/// skipping bounds that a point found already meets: Mavrotas, *Effective implementation of the ε-constraint method in
/// multi-objective mathematical programming problems*, 2009. What he gets from a small term in the objective, a second search
/// at that cost gives here exactly. While there are fewer points than asked for, the widest interval is split further; an interval
/// without whole numbers inside is closed, so that the front of a small call is complete, with proof.
pub(crate) fn ask(instance: &Instance, options: &Options, request: &FrontRequest, observer: &dyn Observer) -> Front {
    let backend = Backend::new(options, Control::new(options, observer));
    let c = Compiled::new(instance, options, RuleSet::without(options.disabled_rules.iter().copied()));
    let mut front =
        Front { axes: request.axes, status: Status::Unknown, points: Vec::new(), complete: false, note: None };
    let (cost, other) = request.axes.measures();
    let Some(mut master) = Master::open(&c, &backend, &[other]) else {
        front.status = if c.candidates.is_empty() { Status::Infeasible } else { Status::Unknown };
        return front;
    };
    master.patience(Some(NODES));
    let grain = master.weights.grain(&c, other);
    let mut search = Search {
        master,
        axes: request.axes,
        cost,
        other,
        grain,
        points: Vec::new(),
        open: Vec::new(),
        gaps: Gaps::default(),
    };
    match search.run(request.points as usize) {
        Ran::Infeasible => return Front { status: Status::Infeasible, ..front },
        Ran::Whole => front.complete = true,
        Ran::Part => {}
    }
    front.points = (0..search.points.len()).map(|at| search.told(at)).collect();
    if front.points.is_empty() {
        return front;
    }
    let proven = front.points.iter().all(|point| point.efficient);
    front.complete &= proven;
    front.status = if proven { Status::Optimal } else { Status::Feasible };
    front.note = note(&c, &front);
    front
}

fn note(c: &Compiled<'_>, front: &Front) -> Option<String> {
    let mandatory = c.needs.iter().all(|need| need.need.mandatory);
    let one = front.points.len() == 1 && front.complete;
    let text = match front.axes {
        Axes::CostCoverage if mandatory => {
            "Every need is mandatory: coverage has only one value, and the front one point."
        }
        Axes::CostResilience if c.needs.iter().all(|need| !need.need.mandatory) => {
            "No need is mandatory: no loss can break the call, and the front has one point."
        }
        _ if one => "The cheapest consortium is also the best on the other axis.",
        _ => return None,
    };
    Some(text.to_owned())
}

/// Between these two values of the second axis, both excluded, points may be missing.
#[derive(Clone, Copy)]
struct Interval {
    low: Cents,
    high: Cents,
}

struct Point {
    draft: Draft,
    cost: Cents,
    other: Cents,
    at_most: Cents,
    efficient: bool,
}

enum Ran {
    /// No interval is open.
    Whole,
    /// Enough points, or the limit came first.
    Part,
    Infeasible,
}

struct Search<'m, 'a, 'o> {
    master: Master<'m, 'a, 'o>,
    axes: Axes,
    cost: Measure,
    other: Measure,
    /// Every value of the second axis is a multiple of this.
    grain: Cents,
    points: Vec<Point>,
    open: Vec<Interval>,
    gaps: Gaps,
}

impl Search<'_, '_, '_> {
    fn run(&mut self, count: usize) -> Ran {
        let cheap = match self.cheapest(None) {
            Found::Point(point) => point,
            Found::Infeasible => return Ran::Infeasible,
            Found::Unknown => return Ran::Part,
        };
        let worst = cheap.other;
        self.insert(*cheap);
        // The other end: the least of the second axis, then the least cost.
        let least = match self.master.best(self.other) {
            Sought::Found(best) => best,
            Sought::Infeasible | Sought::Unknown => return Ran::Part,
        };
        if least.value >= worst {
            // The cheapest has the least already, if that is proven.
            return if least.bound >= worst { Ran::Whole } else { Ran::Part };
        }
        let end = match self.cheapest(Some(least.value)) {
            Found::Point(point) => point,
            Found::Infeasible | Found::Unknown => return Ran::Part,
        };
        let best = end.other;
        let proven = least.bound >= best;
        self.insert(*end);
        self.open.push(Interval { low: best, high: worst });
        let explored = self.explore(count, best, worst);
        if explored && proven { Ran::Whole } else { Ran::Part }
    }

    /// The grid, then the widest intervals. Whether no interval is left.
    fn explore(&mut self, count: usize, best: Cents, worst: Cents) -> bool {
        let steps = i128::try_from(count.saturating_sub(1)).unwrap_or(1).max(1);
        for step in 1..steps {
            let down = i128::from(worst - best) * step / steps;
            let at_most = worst - Cents::try_from(down).unwrap_or(0);
            if self.points.len() < count && !self.probe(at_most - at_most % self.grain) {
                return false;
            }
        }
        self.close();
        while self.points.len() < count {
            let Some(widest) = self.open.iter().copied().max_by_key(|i| (i.high - i.low, i.low)) else { break };
            // Just below its cheaper end: either the next point, or the proof that there is none.
            if !self.probe(widest.high - self.grain) {
                return false;
            }
            self.close();
        }
        self.open.is_empty()
    }

    /// Drops the intervals without room for a value.
    fn close(&mut self) {
        let grain = self.grain;
        self.open.retain(|interval| interval.high - interval.low > grain);
    }

    /// Finds the cheapest that misses at most so much, and closes what it settles. Whether the search may go on.
    fn probe(&mut self, at_most: Cents) -> bool {
        let Some(at) = self.open.iter().position(|i| i.low < at_most && at_most < i.high) else { return true };
        let Found::Point(point) = self.cheapest(Some(at_most)) else { return false };
        let interval = self.open.swap_remove(at);
        self.open.push(Interval { low: at_most, high: interval.high });
        if point.other > interval.low {
            self.open.push(Interval { low: interval.low, high: point.other });
        }
        self.insert(*point);
        true
    }

    /// The least cost with at most so much missing, then the least missing at that cost.
    fn cheapest(&mut self, at_most: Option<Cents>) -> Found {
        if at_most.is_some() && self.master.limit(self.other, at_most).is_none() {
            return Found::Unknown;
        }
        let found = match self.master.best(self.cost) {
            Sought::Found(best) => Found::Point(Box::new(self.improve(*best, at_most))),
            Sought::Infeasible => Found::Infeasible,
            Sought::Unknown => Found::Unknown,
        };
        self.master.limit(self.other, None);
        found
    }

    /// The least missing at the cost of a point, which it keeps.
    fn improve(&mut self, best: Best, at_most: Option<Cents>) -> Point {
        let missing = self.missing(&best.draft);
        let mut point = Point {
            cost: best.value,
            other: missing,
            at_most: at_most.unwrap_or(missing),
            efficient: best.optimal && missing == 0,
            draft: best.draft,
        };
        // Where a point is as good already, nothing needs to be improved.
        let known = self.points.iter().any(|other| other.cost <= point.cost && other.other <= missing);
        if missing > 0 && !known {
            let better = self.master.limit(self.cost, Some(best.value)).map(|()| self.master.best(self.other));
            self.master.limit(self.cost, None);
            if let Some(Sought::Found(better)) = better {
                point.efficient = best.optimal && better.optimal;
                if better.value < missing {
                    point.cost = self.master.weights.value(self.master.c, self.cost, &better.draft);
                    point.other = better.value;
                    point.draft = better.draft;
                }
            }
        }
        point.draft.proposal.proof = proof(&point.draft, best.optimal, point.cost, best.bound.min(point.cost));
        point
    }

    fn missing(&self, draft: &Draft) -> Cents {
        self.master.weights.value(self.master.c, self.other, draft)
    }

    /// Keeps a point unless another one is as good, drops those that it beats, and tells it.
    fn insert(&mut self, mut point: Point) {
        if self.points.iter().any(|other| other.cost <= point.cost && other.other <= point.other) {
            return;
        }
        let control = &self.master.backend.control;
        control.enter(Stage::Explanation);
        explain::reasons_of(self.master.c, self.master.backend, &mut self.gaps, &mut point.draft);
        control.enter(Stage::Search);
        self.points.retain(|other| other.cost < point.cost || other.other < point.other);
        let at = self.points.partition_point(|other| other.cost < point.cost);
        self.points.insert(at, point);
        control.point(&self.told(at));
    }

    /// A point as it is answered.
    fn told(&self, at: usize) -> FrontPoint {
        let point = &self.points[at];
        let cheapest = self.points.first().map_or(point.cost, |first| first.cost);
        let mut proposal = point.draft.proposal.clone();
        proposal.rank = u32::try_from(at + 1).unwrap_or(u32::MAX);
        proposal.regret_cents = point.cost - cheapest;
        let part = |whole: Cents| percent(i128::from(whole - point.other), i128::from(whole));
        FrontPoint {
            cost_cents: point.cost,
            extra_cents: point.cost - cheapest,
            missing: point.other,
            at_most: point.at_most,
            merit_percent: match self.axes {
                Axes::CostCoverage => part(self.master.weights.asked),
                Axes::CostResilience => part(self.master.weights.mandatory_asked),
                Axes::CostCohesion => percent(proposal.cohesion.known_pairs.into(), proposal.cohesion.pairs.into()),
            },
            efficient: point.efficient,
            supported: self.supported(at),
            proposal,
        }
    }

    /// Whether no straight line between two other points passes below.
    fn supported(&self, at: usize) -> bool {
        let place = |point: &Point| (i128::from(point.cost), i128::from(point.other));
        let (x, y) = place(&self.points[at]);
        let (before, after) = (&self.points[..at], &self.points[at + 1..]);
        !before
            .iter()
            .map(place)
            .any(|(ax, ay)| after.iter().map(place).any(|(bx, by)| (bx - ax) * (y - ay) > (x - ax) * (by - ay)))
    }
}

enum Found {
    Point(Box<Point>),
    Infeasible,
    Unknown,
}
