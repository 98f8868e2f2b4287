//! What a coalition of members can serve within its means.
//!
//! `v(S) = max Σ (w_n − c_kn) x_kn − Σ f_k z_k` over what the capabilities of S can deliver: capacities, pools, smallest quantities, the
//! conditions on those who work, and no more than each need asks. `w_n` is what a unit is worth: the largest of the need's
//! reference cost, what a missing unit costs the funder, and the highest unit cost at which the consortium delivers it (whoever
//! pays that price values it so). Quantities and the use `z_k` of a capability with its fixed cost are divisible, so that v is the
//! value of a linear program, kept in HiGHS and solved again from the last basis. Rules on the group, on money and the cost of
//! coordination belong to the whole, not to its parts, and are left out. Nobody needs to do anything, so that v(∅) = 0 and v
//! never falls when a member joins: the Shapley value is not negative.

use std::collections::BTreeMap;

use good_lp::{Expression, Variable};

use crate::answer::Proposal;
use crate::backend::{Backend, End, Session};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question, keur};
use crate::games::Coalition;
use crate::model::{Cents, Options};
use crate::teams::Desk;

/// The game of a consortium.
pub(super) struct Contribution<'b, 'o> {
    backend: &'b Backend<'o>,
    session: Session,
    /// By player; nothing for a member that can do nothing.
    member: Vec<Option<Variable>>,
    /// Whether each may take part, as the session has it.
    present: Coalition,
}

/// The options under which the game is compiled: nobody but the members, and none of them forced.
pub(super) fn options(desk: &Desk<'_>, ids: &[String]) -> Options {
    let all = desk.instance.problem().actors.iter().map(|actor| &actor.id);
    Options {
        locked_in: Vec::new(),
        locked_out: all.filter(|id| !ids.contains(id)).cloned().collect(),
        ..desk.options.clone()
    }
}

impl<'b, 'o> Contribution<'b, 'o> {
    /// `c` is compiled under [`options`]; `proposal` is the consortium. `None` where HiGHS refuses the program.
    pub(super) fn new(c: &Compiled<'_>, backend: &'b Backend<'o>, ids: &[String], proposal: &Proposal) -> Option<Self> {
        let worth = worth(c, proposal);
        let question = Question { physical: true, ..Question::minimise(Objective::Any) };
        let mut f = Formulation::new(c, &question);
        let mut net = Expression::default();
        for (e, edge) in c.edges.iter().enumerate() {
            net.add_mul(keur(edge.terms.unit_cost - worth[c.cells[edge.cell].need]), f.quantity[e]);
        }
        for i in 0..c.candidates.len() {
            net += f.fixed_of(c, i);
        }
        f.objective = net;
        let member = ids
            .iter()
            .map(|id| (0..c.candidates.len()).find(|&i| c.id(i) == id).map(|i| f.member[i]))
            .collect::<Vec<_>>();
        let mut session = backend.open(&mut f, Objective::Any)?;
        session.relax(true);
        let present = crate::games::grand(ids.len());
        Some(Self { backend, session, member, present })
    }

    /// The value of a coalition in cents. `None` where the limit came first. One linear program.
    pub(super) fn value(&mut self, coalition: Coalition) -> Option<f64> {
        if self.backend.expired() {
            return None;
        }
        for (i, member) in self.member.iter().enumerate() {
            let now = coalition >> i & 1;
            if let (Some(member), true) = (member, now != self.present >> i & 1) {
                self.session.bound(*member, 0.0, if now == 1 { 1.0 } else { 0.0 });
            }
        }
        self.present = coalition;
        let solved = self.session.solve(&self.backend.control)?;
        (solved.end == End::Optimal).then(|| (-solved.objective * 100_000.0).max(0.0))
    }
}

/// What a unit of each need is worth.
fn worth(c: &Compiled<'_>, proposal: &Proposal) -> Vec<Cents> {
    let mut paid: BTreeMap<&str, Cents> = BTreeMap::new();
    for work in &proposal.allocations {
        let unit = work.amount_cents / Cents::try_from(work.quantity.max(1)).unwrap_or(Cents::MAX);
        let most = paid.entry(&work.need).or_default();
        *most = unit.max(*most);
    }
    let of = |need: &crate::model::Need| {
        let paid = paid.get(need.id.as_str()).copied().unwrap_or(0);
        paid.max(need.reference_unit_cost_cents.unwrap_or(0)).max(need.unmet_cost_cents)
    };
    c.needs.iter().map(|need| of(need.need)).collect()
}
