//! A part of a compiled problem: some of its edges, and the candidates that they leave.
//!
//! Whatever answers a part answers the whole: a solution of it is one of the whole in which nobody else works.

use std::collections::BTreeSet;

use crate::backend::Found;
use crate::compile::{Candidate, Cell, Compiled, Edge, Offer, Pool};
use crate::formulate::Question;
use crate::rules::RuleId;

/// A part with the way back.
pub(crate) struct Part<'a> {
    pub(crate) compiled: Compiled<'a>,
    /// Candidates of the whole, ascending.
    pub(crate) candidates: Vec<usize>,
    /// Edges of the whole, ascending.
    pub(crate) edges: Vec<usize>,
}

impl<'a> Part<'a> {
    /// The part with the edges that `keep` marks. All cells stay, and candidates that may be members without an edge.
    /// O(candidates + edges of the whole).
    pub(crate) fn new(c: &Compiled<'a>, keep: &[bool]) -> Self {
        let idle = !c.rules.active(RuleId::ActiveMember);
        let (mut candidates, mut kept_edges) = (Vec::new(), Vec::new());
        let (mut list, mut offers, mut edges) = (Vec::new(), Vec::new(), Vec::new());
        let mut cells: Vec<Cell> = c.cells.iter().map(|cell| Cell { edges: Vec::new(), ..cell.clone() }).collect();
        for (i, candidate) in c.candidates.iter().enumerate() {
            let first = offers.len();
            for k in candidate.offers.clone() {
                let start = edges.len();
                for e in c.offers[k].edges.clone().filter(|&e| keep[e]) {
                    cells[c.edges[e].cell].edges.push(edges.len());
                    edges.push(Edge { offer: offers.len(), ..c.edges[e] });
                    kept_edges.push(e);
                }
                if edges.len() > start {
                    let capability = c.offers[k].capability;
                    offers.push(Offer { candidate: list.len(), capability, edges: start..edges.len() });
                }
            }
            if offers.len() > first || candidate.locked_in || idle {
                list.push(Candidate { offers: first..offers.len(), ..candidate.clone() });
                candidates.push(i);
            }
        }
        let at = |i: usize| candidates.binary_search(&i).ok();
        let within = |set: &BTreeSet<usize>| set.iter().filter_map(|&i| at(i)).collect::<BTreeSet<usize>>();
        let pair = |&(a, b): &(usize, usize)| Some((at(a)?, at(b)?));
        // Without a price on pairs, relations matter to nothing in the model.
        let priced = c.problem().call.coordination.per_new_pair_cents > 0;
        let relations = c.relations.iter().filter(|_| priced).filter_map(|(key, &s)| Some((pair(key)?, s))).collect();
        let edge_at = |e: &usize| kept_edges.binary_search(e).ok();
        let pooled =
            |pool: &Pool| Pool { capacity: pool.capacity, edges: pool.edges.iter().filter_map(edge_at).collect() };
        let compiled = Compiled {
            instance: c.instance,
            options: c.options,
            rules: c.rules.clone(),
            matcher: c.matcher.clone(),
            needs: c.needs.clone(),
            offers,
            edges,
            cells,
            places: c.places,
            lone_pools: Vec::new(),
            pools: c.pools.iter().map(pooled).filter(|pool| !pool.edges.is_empty()).collect(),
            relations,
            incompatible: c.incompatible.iter().filter_map(pair).collect(),
            cliques: c.cliques.iter().map(within).filter(|clique| clique.len() > 1).collect(),
            // Whoever wants somebody who is not here cannot join here.
            preferences: c.preferences.iter().filter_map(|(i, with)| Some((at(*i)?, within(with)))).collect(),
            candidates: list,
        };
        Self { compiled, candidates, edges: kept_edges }
    }

    /// The part in which only some candidates work.
    pub(crate) fn of(c: &Compiled<'a>, candidates: &BTreeSet<usize>) -> Self {
        let mut own = vec![false; c.edges.len()];
        for e in candidates.iter().flat_map(|&i| c.candidates[i].offers.clone()).flat_map(|k| c.offers[k].edges.clone())
        {
            own[e] = true;
        }
        Self::new(c, &own)
    }

    /// The candidate of the part, if it is there.
    pub(crate) fn at(&self, candidate: usize) -> Option<usize> {
        self.candidates.binary_search(&candidate).ok()
    }

    /// The question about the whole, asked of the part. A consortium that cannot come out of the part needs no row.
    pub(crate) fn question(&self, question: &Question) -> Question {
        let all = |set: &BTreeSet<usize>| set.iter().map(|&i| self.at(i)).collect::<Option<BTreeSet<usize>>>();
        Question {
            absent: question.absent.iter().filter_map(|&i| self.at(i)).collect(),
            replaced: question.replaced.iter().filter_map(all).collect(),
            members: question.members.as_ref().map(|set| set.iter().filter_map(|&i| self.at(i)).collect()),
            ..question.clone()
        }
    }

    /// A solution of the part as one of the whole, which has so many edges.
    pub(crate) fn lift(&self, found: &Found, edges: usize) -> Found {
        let mut quantity = vec![0.0; edges];
        for (&e, &x) in self.edges.iter().zip(&found.quantity) {
            quantity[e] = x;
        }
        Found {
            members: found.members.iter().map(|&i| self.candidates[i]).collect(),
            quantity,
            unmet: found.unmet.clone(),
            objective: found.objective,
            bound: f64::NEG_INFINITY,
        }
    }
}
