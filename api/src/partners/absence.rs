//! Why an organisation is not proposed: the solver's question, told in words.

use std::collections::BTreeMap;

use attelage_solver::{Problem, Query, Reply, WhyNotRequest};
use uuid::Uuid;

use super::{AbsenceExplained, AbsenceQuestion, team, words};
use crate::problem::Fault;
use crate::runs::RunOptions;
use crate::runs::prompt::{Answered, Ask};

impl Ask for AbsenceQuestion {
    type Told = AbsenceExplained;

    fn organisation(&self) -> Option<Uuid> {
        self.organisation
    }

    fn run(&self, _: Option<Uuid>) -> RunOptions {
        RunOptions {
            organisation: self.organisation,
            lots: self.lots.clone(),
            proposals: 1,
            locked_in: self.team.clone(),
            time_limit_seconds: self.time_limit_seconds,
            question: Query::WhyNot(WhyNotRequest { actor: self.absent.to_string() }),
            ..RunOptions::default()
        }
    }

    fn faults(&self, problem: &Problem, _: &RunOptions) -> Vec<Fault> {
        let able = team::able(problem);
        let mut seen = BTreeMap::new();
        let mut faults = team::list_faults(&able, "team", &self.team, &mut seen);
        if !able.contains(self.absent.to_string().as_str()) {
            let detail = "no organisation with a capability that lasts the whole contract has this id";
            faults.push(Fault::at("/absent", detail));
        } else if seen.contains_key(&self.absent) {
            faults.push(Fault::at("/absent", "this organisation is in the team"));
        }
        faults
    }

    fn tell(&self, answered: &Answered) -> Option<AbsenceExplained> {
        let Reply::WhyNot(found) = &answered.reply else { return None };
        Some(AbsenceExplained {
            run: answered.run,
            call_version: answered.call.version,
            fingerprint: answered.fingerprint.clone(),
            organisation: self.absent,
            verdict: found.verdict,
            text: words::verdict(found.verdict, &found.name),
            needs: found.needs.clone(),
            cost_change_cents: found.proposal.as_ref().map(|proposal| proposal.regret_cents),
            remedies: found.remedies.clone(),
        })
    }
}
