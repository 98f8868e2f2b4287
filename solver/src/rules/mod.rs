//! The rules of a consortium, one file per rule.
//!
//! Each file adds the rows of its rule to the model; `EMITTERS` lists them. A rule that is switched off adds nothing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::compile::Compiled;
use crate::formulate::Formulation;
use crate::model::{EligibilityRule, Problem};

mod active_member;
mod budget;
mod capacity;
mod connected;
mod demand;
pub(crate) mod eligibility;
mod few_hands;
pub(crate) mod incompatibility;
mod lead;
mod legal_families;
mod lot_size;
mod maximum_share;
mod minimum_quantity;
mod minimum_share;
mod pool;
mod preference;
mod size;
mod treasury;

/// Names a family of rules; each can be switched off through [`Options::disabled_rules`](crate::Options::disabled_rules).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleId {
    /// Mandatory needs are covered in full.
    Demand,
    /// Nobody delivers more than its capacity.
    Capacity,
    /// Linked capabilities share one capacity.
    Pool,
    /// A capability is used for nothing, or for at least its smallest viable quantity.
    MinimumQuantity,
    /// Nobody advances more money than it has.
    Treasury,
    /// Nobody carries more than the largest share.
    MaximumShare,
    /// Every member carries at least the smallest share.
    MinimumShare,
    /// Every member does something.
    ActiveMember,
    /// The total cost fits the budget.
    Budget,
    /// The number of members fits the policy.
    Size,
    /// One member is an eligible lead.
    Lead,
    /// Enough distinct legal families.
    LegalFamilies,
    /// Conditions of participation.
    Eligibility,
    /// Incompatible actors are not members together.
    Incompatibility,
    /// Actors that join only with certain others have one of them beside them.
    Preference,
    /// The members are connected by relations.
    Connected,
    /// The number of members that work for a lot fits the lot.
    LotSize,
    /// A need is delivered by few members.
    FewHands,
}

impl RuleId {
    /// Every rule, in the order in which they are explained.
    pub const ALL: [Self; 18] = [
        Self::Eligibility,
        Self::Lead,
        Self::LegalFamilies,
        Self::Incompatibility,
        Self::Preference,
        Self::Connected,
        Self::Size,
        Self::LotSize,
        Self::FewHands,
        Self::Budget,
        Self::MaximumShare,
        Self::MinimumShare,
        Self::Treasury,
        Self::MinimumQuantity,
        Self::Pool,
        Self::Capacity,
        Self::ActiveMember,
        Self::Demand,
    ];
}

impl RuleId {
    /// What people call it, at the start of a sentence.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Demand => "Covering mandatory needs in full",
            Self::Capacity => "What actors can deliver at most",
            Self::Pool => "That linked actors count a capacity once",
            Self::MinimumQuantity => "What actors deliver at least",
            Self::Treasury => "What actors can advance",
            Self::MaximumShare => "The largest share",
            Self::MinimumShare => "The smallest share",
            Self::ActiveMember => "That every member does something",
            Self::Budget => "The budget",
            Self::Size => "The number of members",
            Self::Lead => "What is asked of the lead",
            Self::LegalFamilies => "The number of legal families",
            Self::Eligibility => "The conditions of participation",
            Self::Incompatibility => "That some actors do not work together",
            Self::Preference => "That some actors join only with others",
            Self::Connected => "That members are connected",
            Self::LotSize => "The number of members by lot",
            Self::FewHands => "The number of suppliers by need",
        }
    }
}

/// Adds the rows of one rule to the model.
type Emit = fn(&mut Formulation, &Compiled<'_>);

/// Every rule with its rows, in the order of [`RuleId::ALL`].
pub(crate) const EMITTERS: [(RuleId, Emit); 18] = [
    (RuleId::Eligibility, eligibility::emit),
    (RuleId::Lead, lead::emit),
    (RuleId::LegalFamilies, legal_families::emit),
    (RuleId::Incompatibility, incompatibility::emit),
    (RuleId::Preference, preference::emit),
    (RuleId::Connected, connected::emit),
    (RuleId::Size, size::emit),
    (RuleId::LotSize, lot_size::emit),
    (RuleId::FewHands, few_hands::emit),
    (RuleId::Budget, budget::emit),
    (RuleId::MaximumShare, maximum_share::emit),
    (RuleId::MinimumShare, minimum_share::emit),
    (RuleId::Treasury, treasury::emit),
    (RuleId::MinimumQuantity, minimum_quantity::emit),
    (RuleId::Pool, pool::emit),
    (RuleId::Capacity, capacity::emit),
    (RuleId::ActiveMember, active_member::emit),
    (RuleId::Demand, demand::emit),
];

/// The rules in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleSet {
    off: BTreeSet<RuleId>,
    /// Ids of conditions of participation left out alone.
    waived: BTreeSet<String>,
}

impl RuleSet {
    /// All rules but these.
    pub(crate) fn without(off: impl IntoIterator<Item = RuleId>) -> Self {
        Self { off: off.into_iter().collect(), waived: BTreeSet::new() }
    }

    /// The same without one rule.
    pub(crate) fn and_without(&self, rule: RuleId) -> Self {
        let mut rules = self.clone();
        rules.off.insert(rule);
        rules
    }

    /// The same without one condition of participation.
    pub(crate) fn waiving(&self, eligibility: &str) -> Self {
        let mut rules = self.clone();
        rules.waived.insert(eligibility.to_owned());
        rules
    }

    /// The rules that a solution must keep: without the demand where mandatory needs may be missed.
    pub(crate) fn kept(&self, elastic: bool) -> Self {
        if elastic { self.and_without(RuleId::Demand) } else { self.clone() }
    }

    /// Whether a rule is in force.
    pub(crate) fn active(&self, rule: RuleId) -> bool {
        !self.off.contains(&rule)
    }

    /// The conditions of participation in force, in the order of the call.
    pub(crate) fn eligibility<'p>(&self, problem: &'p Problem) -> impl Iterator<Item = &'p EligibilityRule> {
        let on = self.active(RuleId::Eligibility);
        problem.call.eligibility.iter().filter(move |rule| on && !self.waived.contains(&rule.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_rows_in_the_order_of_explanation() {
        assert_eq!(EMITTERS.map(|(id, _)| id), RuleId::ALL);
    }
}
