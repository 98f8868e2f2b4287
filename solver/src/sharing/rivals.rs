//! Whether some members could leave with others and win instead.
//!
//! A rival is any consortium that keeps the rules of the call. Each member of ours that is in it asks for its share on top of its costs;
//! the others ask for their costs only, which makes rivals as strong as they can be. Ours holds if no rival can ask for less than
//! ours does: `min cost(y) + Σ share_i y_i ≥ price`, one search of the call with other costs of membership. Ours is among those
//! searched and asks for exactly the price.
//!
//! Where that fails, a division that holds is looked for by row generation (least core: Maschler, Peleg and Shapley, 1979; rows as they
//! are broken: Hallefjord, Helming and Jørnsten, *Computing the nucleolus when the characteristic function is given implicitly*,
//! 1995): the division nearest to the present one that no rival found so far undercuts, a search for the rival that undercuts it
//! most, and again.

use std::collections::{BTreeMap, BTreeSet};

use highs::{HighsModelStatus, RowProblem, Sense};

use super::{MemberShare, Rival, Stability, StableDivision};
use crate::answer::Proposal;
use crate::apportion::apportion;
use crate::backend::cents;
use crate::compile::Compiled;
use crate::formulate::keur;
use crate::model::{Cents, Options};
use crate::propose::{Best, Draft};
use crate::teams::{Charge, Desk, settle, told};

/// Most rivals looked for in search of a division that holds.
const MOST_RIVALS: usize = 60;

/// Tests a division, and where it does not hold looks for one that does.
pub(super) fn stability(desk: &Desk<'_>, ours: &Proposal, members: &[MemberShare], envelope: Cents) -> Stability {
    // Whoever the options lock in need not join a rival.
    let options = Options { locked_in: Vec::new(), ..desk.options.clone() };
    let c = desk.compile(&options);
    let price_cents = ours.costs.objective_cents + envelope;
    let field = Field { desk, c: &c, members, price: price_cents };
    let mut answer = Stability { stable: None, price_cents, most_gain_cents: None, rival: None, remedy: None };
    let shares: Vec<Cents> = members.iter().map(|member| member.share_cents).collect();
    let Some(first) = field.strongest(&shares) else { return answer };
    answer.most_gain_cents = Some(first.most_gain);
    if first.gain <= 0 {
        answer.stable = first.proven.then_some(true);
        return answer;
    }
    answer.stable = Some(false);
    answer.remedy = Some(field.remedy(&shares, envelope, &first));
    answer.rival = Some(Rival {
        leaving_with: first.leaving.iter().map(|&i| members[i].actor.clone()).collect(),
        gain_cents: first.gain,
        proposal: Box::new(told(&c, &desk.backend, first.draft, None)),
    });
    answer
}

/// The rival that asks for least under some division.
struct Strongest {
    draft: Draft,
    /// Our members in it, by place.
    leaving: BTreeSet<usize>,
    /// What it asks for less than the price; not positive where the division holds.
    gain: Cents,
    /// No rival gains more.
    most_gain: Cents,
    proven: bool,
}

struct Field<'f, 'a> {
    desk: &'f Desk<'a>,
    c: &'f Compiled<'f>,
    members: &'f [MemberShare],
    price: Cents,
}

impl Field<'_, '_> {
    fn strongest(&self, shares: &[Cents]) -> Option<Strongest> {
        let candidate =
            |i: usize| self.desk.instance.actors.get(&self.members[i].actor).and_then(|&a| self.c.candidate_of(a));
        let places: BTreeMap<usize, usize> = (0..shares.len()).filter_map(|i| Some((candidate(i)?, i))).collect();
        let charge = Charge::members(places.iter().map(|(&candidate, &i)| (candidate, shares[i])).collect());
        let Best::Found(draft) = settle(self.c, &self.desk.backend, &charge) else { return None };
        let asked = draft.proposal.costs.objective_cents + charge.of(&draft);
        let gain = self.price - asked;
        Some(Strongest {
            leaving: places.iter().filter(|(i, _)| draft.members.contains(i)).map(|(_, &place)| place).collect(),
            gain,
            most_gain: (gain + draft.proposal.proof.gap_cents).max(0),
            proven: draft.proposal.proof.optimal,
            draft: *draft,
        })
    }

    fn remedy(&self, shares: &[Cents], envelope: Cents, first: &Strongest) -> StableDivision {
        let cost = |rival: &Strongest| rival.draft.proposal.costs.objective_cents;
        let mut rivals = vec![(first.leaving.clone(), cost(first))];
        for _ in 0..MOST_RIVALS {
            let Some((division, short)) = self.nearest(shares, envelope, &rivals) else { break };
            if short > 0 {
                return StableDivision::None { least_gain_cents: short };
            }
            let Some(next) = self.strongest(&division) else { break };
            if next.gain <= 0 {
                if !next.proven {
                    break;
                }
                let named = self.members.iter().map(|member| member.actor.clone());
                return StableDivision::Exists { shares_cents: named.zip(division).collect() };
            }
            let row = (next.leaving.clone(), cost(&next));
            if rivals.contains(&row) {
                break; // A cent lost in rounding: neither proven nor refuted.
            }
            rivals.push(row);
        }
        StableDivision::Unknown
    }

    /// The division nearest to the shares that none of these rivals undercuts, in cents; with it, by how much the strongest of them
    /// undercuts every division, where there is none.
    fn nearest(
        &self,
        shares: &[Cents],
        envelope: Cents,
        rivals: &[(BTreeSet<usize>, Cents)],
    ) -> Option<(Vec<Cents>, Cents)> {
        let mut problem = RowProblem::default();
        let share: Vec<_> = shares.iter().map(|_| problem.add_column(0.0, 0.0..)).collect();
        // Falling short weighs more than any detour of the shares.
        let short = problem.add_column(1e4, 0.0..);
        problem.add_row(keur(envelope)..=keur(envelope), share.iter().map(|&s| (s, 1.0)).collect::<Vec<_>>());
        for (&own, &column) in shares.iter().zip(&share) {
            let apart = problem.add_column(1.0, 0.0..);
            problem.add_row(keur(own).., [(column, 1.0), (apart, 1.0)]);
            problem.add_row(..=keur(own), [(column, 1.0), (apart, -1.0)]);
        }
        // Room for the rounding to cents, as far as the envelope allows it: it is taken off the shortfall again.
        let room = Cents::try_from(shares.len()).unwrap_or(Cents::MAX);
        for (leaving, cost) in rivals {
            let row: Vec<_> = leaving.iter().map(|&i| (share[i], 1.0)).chain([(short, 1.0)]).collect();
            problem.add_row(keur(self.price - cost + room).., &row);
        }
        let mut model = problem.try_optimise(Sense::Minimise).ok()?;
        model.try_set_option("output_flag", false).ok()?;
        model.try_set_option("threads", 1).ok()?;
        model.try_set_option("primal_feasibility_tolerance", 1e-9).ok()?;
        let solved = model.try_solve().ok()?;
        if solved.status() != HighsModelStatus::Optimal {
            return None;
        }
        let solution = solved.get_solution();
        let found = solution.columns();
        let weights: Vec<u64> =
            found.get(..shares.len())?.iter().map(|&x| cents(x * 1000.0).max(0).unsigned_abs()).collect();
        let division = apportion(envelope.unsigned_abs(), &weights).into_iter().map(u64::cast_signed).collect();
        Some((division, (cents(*found.get(shares.len())?) - room).max(0)))
    }
}
