//! Every mistake of a problem, found in one pass.

use std::collections::BTreeSet;

use crate::date::is_date;
use crate::instance::Fault;
use crate::model::{
    Actor, Call, Capability, Cents, Criterion, EligibilityRule, GroupPolicy, Need, Problem, Quantity, Scope,
};
use crate::total;
use crate::tree::{Tree, TreeFault};

/// Largest quantity: a million millions.
pub(crate) const MOST_UNITS: Quantity = 1_000_000_000_000;
/// Largest amount in one field: ten thousand billion euros.
pub(crate) const MOST_CENTS: Cents = 1_000_000_000_000_000;

/// The trees of a valid problem.
pub(crate) struct Trees {
    pub(crate) territories: Tree,
    pub(crate) services: Tree,
    pub(crate) publics: Tree,
}

/// The trees, or all faults.
pub(crate) fn problem(problem: &Problem) -> Result<Trees, Vec<Fault>> {
    let mut check = Checker { faults: Vec::new(), codes: Codes::of(problem) };
    check.call(&problem.call);
    check.actors(&problem.actors);
    check.pairs(problem);
    let territories = check.tree("territories", problem.territories.iter().map(|t| (&t.id, &t.parent)));
    for (i, territory) in problem.territories.iter().enumerate() {
        check.quantity(&format!("/territories/{i}/population"), territory.population);
    }
    let services = check.tree("services", problem.services.iter().map(|t| (&t.id, &t.parent)));
    let publics = check.tree("publics", problem.publics.iter().map(|t| (&t.id, &t.parent)));
    if let (true, Some(services)) = (check.faults.is_empty(), &services) {
        check.faults = total::faults(problem, services);
    }
    match (territories, services, publics) {
        (Some(territories), Some(services), Some(publics)) if check.faults.is_empty() => {
            Ok(Trees { territories, services, publics })
        }
        _ => Err(check.faults),
    }
}

/// Ids that others refer to.
struct Codes<'a> {
    territories: BTreeSet<&'a str>,
    services: BTreeSet<&'a str>,
    publics: BTreeSet<&'a str>,
    actors: BTreeSet<&'a str>,
    lots: BTreeSet<&'a str>,
}

impl<'a> Codes<'a> {
    fn of(problem: &'a Problem) -> Self {
        Self {
            territories: problem.territories.iter().map(|t| t.id.as_str()).collect(),
            services: problem.services.iter().map(|t| t.id.as_str()).collect(),
            publics: problem.publics.iter().map(|t| t.id.as_str()).collect(),
            actors: problem.actors.iter().map(|a| a.id.as_str()).collect(),
            lots: problem.call.lots.iter().map(|l| l.id.as_str()).collect(),
        }
    }
}

struct Checker<'a> {
    faults: Vec<Fault>,
    codes: Codes<'a>,
}

impl Checker<'_> {
    fn fault(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault { path: path.into(), message: message.into() });
    }

    fn id(&mut self, path: &str, id: &str, seen: &mut BTreeSet<String>) {
        if id.is_empty() {
            self.fault(path, "must not be empty");
        } else if !seen.insert(id.to_owned()) {
            self.fault(path, format!("{id:?} stands twice; ids are unique"));
        }
    }

    fn reference(&mut self, path: &str, id: &str, kind: &str, known: impl Fn(&Codes<'_>) -> bool) {
        if !known(&self.codes) {
            self.fault(path, format!("unknown {kind} {id:?}"));
        }
    }

    fn references(&mut self, path: &str, ids: &[String], kind: &str, known: impl Fn(&Codes<'_>, &str) -> bool) {
        for (i, id) in ids.iter().enumerate() {
            self.reference(&format!("{path}/{i}"), id, kind, |codes| known(codes, id));
        }
    }

    fn cents(&mut self, path: &str, cents: Cents) {
        if cents < 0 {
            self.fault(path, "must not be negative");
        } else if cents > MOST_CENTS {
            self.fault(path, format!("must be at most {MOST_CENTS} cents"));
        }
    }

    fn quantity(&mut self, path: &str, quantity: Quantity) {
        if quantity > MOST_UNITS {
            self.fault(path, format!("must be at most {MOST_UNITS}"));
        }
    }

    fn percent(&mut self, path: &str, percent: u8) {
        if percent > 100 {
            self.fault(path, "must be at most 100");
        }
    }

    fn date(&mut self, path: &str, date: Option<&String>) -> bool {
        let valid = date.is_none_or(|text| is_date(text));
        if !valid {
            self.fault(path, "must be a day of the calendar, YYYY-MM-DD");
        }
        valid
    }

    fn tree<'t>(&mut self, name: &str, nodes: impl Iterator<Item = (&'t String, &'t Option<String>)>) -> Option<Tree> {
        let nodes: Vec<_> = nodes.map(|(id, parent)| (id.as_str(), parent.as_deref())).collect();
        for (i, (id, _)) in nodes.iter().enumerate() {
            if id.is_empty() {
                self.fault(format!("/{name}/{i}/id"), "must not be empty");
            }
        }
        match Tree::new(&nodes) {
            Ok(tree) => Some(tree),
            Err(faults) => {
                for (i, fault) in faults {
                    let (field, message) = match fault {
                        TreeFault::Duplicate => ("id", format!("{:?} stands twice; ids are unique", nodes[i].0)),
                        TreeFault::UnknownParent => {
                            ("parent", format!("unknown parent {:?}", nodes[i].1.unwrap_or_default()))
                        }
                        TreeFault::Cycle => ("parent", "is on or below a cycle: no root above it".to_owned()),
                    };
                    self.fault(format!("/{name}/{i}/{field}"), message);
                }
                None
            }
        }
    }

    fn call(&mut self, call: &Call) {
        if call.id.is_empty() {
            self.fault("/call/id", "must not be empty");
        }
        if !(1..=240).contains(&call.duration_months) {
            self.fault("/call/duration_months", "must be from 1 to 240");
        }
        self.date("/call/start", call.start.as_ref());
        if let Some(budget) = call.budget_cents {
            self.cents("/call/budget_cents", budget);
        }
        self.lots(call);
        let mut rules = BTreeSet::new();
        for (i, rule) in call.eligibility.iter().enumerate() {
            self.id(&format!("/call/eligibility/{i}/id"), &rule.id, &mut rules);
            self.eligibility(&format!("/call/eligibility/{i}"), rule);
        }
        self.group(&call.group);
        self.cents("/call/coordination/per_member_cents", call.coordination.per_member_cents);
        self.cents("/call/coordination/per_new_pair_cents", call.coordination.per_new_pair_cents);
        self.percent("/call/coordination/overhead_percent", call.coordination.overhead_percent);
        self.percent("/call/payment/advance_percent", call.payment.advance_percent);
        if call.payment.delay_days > 3650 {
            self.fault("/call/payment/delay_days", "must be at most 3650");
        }
        for (unit, &capacity) in &call.assumptions.capacity_per_year_by_unit {
            let key = unit.replace('~', "~0").replace('/', "~1");
            self.quantity(&format!("/call/assumptions/capacity_per_year_by_unit/{key}"), capacity);
        }
    }

    fn lots(&mut self, call: &Call) {
        if call.lots.is_empty() {
            self.fault("/call/lots", "needs at least one lot");
        }
        let (mut lots, mut needs) = (BTreeSet::new(), BTreeSet::new());
        for (l, lot) in call.lots.iter().enumerate() {
            self.id(&format!("/call/lots/{l}/id"), &lot.id, &mut lots);
            if lot.needs.is_empty() {
                self.fault(format!("/call/lots/{l}/needs"), "needs at least one need");
            }
            if let (Some(least), Some(most)) = (lot.minimum_members, lot.maximum_members)
                && least > most
            {
                self.fault(format!("/call/lots/{l}/maximum_members"), "must not be less than minimum_members");
            }
            for (n, need) in lot.needs.iter().enumerate() {
                let path = format!("/call/lots/{l}/needs/{n}");
                self.id(&format!("{path}/id"), &need.id, &mut needs);
                self.need(&path, need);
            }
        }
    }

    fn need(&mut self, path: &str, need: &Need) {
        let Need { service, territory, public, unit, quantity, .. } = need;
        self.reference(&format!("{path}/service"), service, "service", |c| c.services.contains(service.as_str()));
        self.reference(&format!("{path}/territory"), territory, "territory", |c| {
            c.territories.contains(territory.as_str())
        });
        if let Some(public) = public {
            self.reference(&format!("{path}/public"), public, "public", |c| c.publics.contains(public.as_str()));
        }
        if unit.is_empty() {
            self.fault(format!("{path}/unit"), "must not be empty");
        }
        if *quantity == 0 {
            self.fault(format!("{path}/quantity"), "must be at least 1");
        }
        self.quantity(&format!("{path}/quantity"), *quantity);
        if need.maximum_suppliers == Some(0) {
            self.fault(format!("{path}/maximum_suppliers"), "must be at least 1");
        }
        self.cents(&format!("{path}/unmet_cost_cents"), need.unmet_cost_cents);
        if let Some(reference) = need.reference_unit_cost_cents {
            self.cents(&format!("{path}/reference_unit_cost_cents"), reference);
        }
    }

    fn eligibility(&mut self, path: &str, rule: &EligibilityRule) {
        self.references(&format!("{path}/lots"), &rule.lots, "lot", |c, id| c.lots.contains(id));
        self.references(&format!("{path}/services"), &rule.services, "service", |c, id| c.services.contains(id));
        if rule.scope != Scope::Performer && !rule.services.is_empty() {
            self.fault(format!("{path}/services"), "only a rule of the scope \"performer\" names services");
        }
        match &rule.criterion {
            Criterion::Credential { code, .. } if code.is_empty() => {
                self.fault(format!("{path}/criterion/code"), "must not be empty");
            }
            Criterion::LegalFamily { any_of } if any_of.is_empty() => {
                self.fault(format!("{path}/criterion/any_of"), "needs at least one legal family");
            }
            Criterion::HomeTerritory { territory } => {
                self.reference(&format!("{path}/criterion/territory"), territory, "territory", |c| {
                    c.territories.contains(territory.as_str())
                });
            }
            Criterion::Turnover { minimum_cents } => {
                self.cents(&format!("{path}/criterion/minimum_cents"), *minimum_cents);
            }
            Criterion::Credential { .. } | Criterion::LegalFamily { .. } => {}
        }
    }

    fn group(&mut self, group: &GroupPolicy) {
        if group.minimum_members == 0 {
            self.fault("/call/group/minimum_members", "must be at least 1");
        }
        if group.maximum_members.is_some_and(|most| most < group.minimum_members) {
            self.fault("/call/group/maximum_members", "must not be less than minimum_members");
        }
        for (field, percent) in [
            ("maximum_share_percent", group.maximum_share_percent),
            ("minimum_share_percent", group.minimum_share_percent),
        ] {
            if let Some(percent) = percent {
                self.percent(&format!("/call/group/{field}"), percent);
            }
        }
        if let (Some(least), Some(most)) = (group.minimum_share_percent, group.maximum_share_percent)
            && least > most
        {
            self.fault("/call/group/minimum_share_percent", "must not be more than maximum_share_percent");
        }
    }

    fn actors(&mut self, actors: &[Actor]) {
        let (mut ids, mut capabilities) = (BTreeSet::new(), BTreeSet::new());
        for (a, actor) in actors.iter().enumerate() {
            let path = format!("/actors/{a}");
            self.id(&format!("{path}/id"), &actor.id, &mut ids);
            self.references(&format!("{path}/home_territories"), &actor.home_territories, "territory", |c, id| {
                c.territories.contains(id)
            });
            for (i, credential) in actor.credentials.iter().enumerate() {
                let path = format!("{path}/credentials/{i}");
                if credential.code.is_empty() {
                    self.fault(format!("{path}/code"), "must not be empty");
                }
                let valid = self.date(&format!("{path}/valid_from"), credential.valid_from.as_ref())
                    & self.date(&format!("{path}/valid_to"), credential.valid_to.as_ref());
                if let (true, Some(from), Some(to)) = (valid, &credential.valid_from, &credential.valid_to)
                    && from > to
                {
                    self.fault(format!("{path}/valid_to"), "must not be before valid_from");
                }
            }
            for (field, cents) in
                [("turnover_cents", actor.turnover_cents), ("available_cash_cents", actor.available_cash_cents)]
            {
                if let Some(cents) = cents {
                    self.cents(&format!("{path}/{field}"), cents);
                }
            }
            for (c, capability) in actor.capabilities.iter().enumerate() {
                let path = format!("{path}/capabilities/{c}");
                self.id(&format!("{path}/id"), &capability.id, &mut capabilities);
                self.capability(&path, capability);
            }
        }
    }

    fn capability(&mut self, path: &str, capability: &Capability) {
        let Capability { services, publics, territories, .. } = capability;
        for (field, list) in [("services", services), ("territories", territories)] {
            if list.is_empty() {
                self.fault(format!("{path}/{field}"), "needs at least one");
            }
        }
        self.references(&format!("{path}/services"), services, "service", |c, id| c.services.contains(id));
        self.references(&format!("{path}/publics"), publics, "public", |c, id| c.publics.contains(id));
        self.references(&format!("{path}/territories"), territories, "territory", |c, id| c.territories.contains(id));
        if let Some(capacity) = capability.capacity_per_year {
            self.quantity(&format!("{path}/capacity_per_year"), capacity);
        }
        self.quantity(&format!("{path}/minimum_quantity"), capability.minimum_quantity);
        if let Some(cost) = capability.unit_cost_cents {
            self.cents(&format!("{path}/unit_cost_cents"), cost);
        }
        self.cents(&format!("{path}/fixed_cost_cents"), capability.fixed_cost_cents);
    }

    fn pairs(&mut self, problem: &Problem) {
        let mut seen = BTreeSet::new();
        for (i, relation) in problem.relations.iter().enumerate() {
            self.pair(&format!("/relations/{i}"), ["a", "b"], [&relation.a, &relation.b], true, &mut seen);
            self.percent(&format!("/relations/{i}/strength_percent"), relation.strength_percent);
        }
        seen.clear();
        for (i, link) in problem.links.iter().enumerate() {
            self.pair(&format!("/links/{i}"), ["from", "to"], [&link.from, &link.to], false, &mut seen);
        }
        seen.clear();
        for (i, pair) in problem.incompatibilities.iter().enumerate() {
            self.pair(&format!("/incompatibilities/{i}"), ["a", "b"], [&pair.a, &pair.b], true, &mut seen);
        }
        for (i, preference) in problem.preferences.iter().enumerate() {
            let path = format!("/preferences/{i}");
            let actor = &preference.actor;
            self.reference(&format!("{path}/actor"), actor, "actor", |c| c.actors.contains(actor.as_str()));
            let others = format!("{path}/only_with");
            self.references(&others, &preference.only_with, "actor", |c, id| c.actors.contains(id));
            if preference.only_with.is_empty() || preference.only_with.contains(actor) {
                self.fault(others, "needs at least one, and not the actor itself");
            }
        }
    }

    fn pair(
        &mut self,
        path: &str,
        fields: [&str; 2],
        ids: [&String; 2],
        undirected: bool,
        seen: &mut BTreeSet<(String, String)>,
    ) {
        for (field, id) in fields.into_iter().zip(ids) {
            self.reference(&format!("{path}/{field}"), id, "actor", |c| c.actors.contains(id.as_str()));
        }
        let [a, b] = ids;
        if a == b {
            self.fault(path, "joins an actor with itself");
        }
        let key = if undirected && a > b { (b, a) } else { (a, b) };
        if !seen.insert((key.0.clone(), key.1.clone())) {
            self.fault(path, format!("the pair {a:?}, {b:?} stands twice"));
        }
    }
}
