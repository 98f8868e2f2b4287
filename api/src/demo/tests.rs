#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails panics")]

use std::collections::BTreeSet;

use attelage_solver::{Answer, Instance, Necessity, Options, Proposal, Role, RuleId, Status, solve};
use serde_json::{Value, json};

use super::data::{Entry, Market};
use super::{Scratch, demonstrate, prepare};
use crate::calls;
use crate::capabilities;
use crate::config::{EdgeConfig, LimitsConfig, RunsConfig, ServerConfig, WebhooksConfig};
use crate::keyfile::Key;
use crate::organisations;
use crate::problem::Problem;

fn market() -> Market {
    Market::shipped().expect("a market that can be read")
}

/// What the solver says of a market that stands in a database of its own.
async fn answer(market: Market) -> Answer {
    let scratch = Scratch::create().unwrap();
    let (log, contract) = prepare(&scratch, Key::generate().unwrap()).await.unwrap();
    let db = log.db().clone();
    let call = market.store(&log, &contract).await.unwrap_or_else(|problem| panic!("{problem}"));
    let problem = {
        let (window, extent) = (calls::window::Window::new(&db, None), calls::market::Extent::Near(BTreeSet::new()));
        calls::market::Market::load(&window, &[&call], &extent).await.unwrap().problem(&call)
    };
    let answer = solve(&Instance::new(problem).unwrap(), &Options::default()).unwrap();
    db.close().await.unwrap();
    answer
}

fn entry<'a>(market: &'a mut Market, key: &str) -> &'a mut Entry {
    market.organisations.iter_mut().find(|entry| entry.key == key).unwrap()
}

fn need<'a>(market: &'a mut Market, code: &str) -> &'a mut Value {
    let lots = market.call["lots"].as_array_mut().unwrap().iter_mut();
    lots.flat_map(|lot| lot["needs"].as_array_mut().unwrap()).find(|need| need["code"] == code).unwrap()
}

fn members(proposal: &Proposal) -> BTreeSet<&str> {
    proposal.members.iter().map(|member| member.name.as_str()).collect()
}

/// The needs for which a member does something.
fn work<'a>(proposal: &'a Proposal, name: &str) -> BTreeSet<&'a str> {
    let actor = &proposal.members.iter().find(|member| member.name == name).unwrap().actor;
    let own = proposal.allocations.iter().filter(|allocation| allocation.actor == *actor);
    own.map(|allocation| allocation.need.as_str()).collect()
}

#[actix_web::test]
async fn emmaus_connect_and_weefund_come_first_and_are_proven_best() {
    let answer = answer(market()).await;
    assert_eq!(answer.status, Status::Optimal);
    let first = &answer.proposals[0];
    assert_eq!(members(first), BTreeSet::from(["Emmaüs Connect", "Weefund"]));
    assert!(first.proof.optimal && first.proof.verified);
    assert!(first.costs.total_cents <= 70_000_000, "{:?}", first.costs);
    assert!(answer.proposals[1].regret_cents > 5_000_000, "a clear margin: {}", answer.proposals[1].regret_cents);
    assert_eq!(first.members[0].role, Role::GroupLead);
}

#[actix_web::test]
async fn each_of_the_two_does_what_the_other_cannot() {
    let answer = answer(market()).await;
    let first = &answer.proposals[0];
    let people = BTreeSet::from(["everyday-skills", "local-help", "distribution", "connection"]);
    assert_eq!(work(first, "Emmaüs Connect"), people);
    assert_eq!(work(first, "Weefund"), BTreeSet::from(["after-training", "collection", "refurbishing"]));
    assert!(first.needs.iter().all(|need| need.need == "local-help" || need.coverage_percent >= 100.0));
    let necessity = |name: &str| &first.members.iter().find(|member| member.name == name).unwrap().necessity;
    assert_eq!(*necessity("Weefund"), Necessity::Indispensable);
    assert!(matches!(necessity("Emmaüs Connect"), Necessity::Replaceable { superfluous: false, .. }));
}

#[actix_web::test]
async fn some_communes_are_white_zones() {
    let answer = answer(market()).await;
    let local = answer.proposals[0].needs.iter().find(|need| need.need == "local-help").unwrap();
    assert!((50.0..90.0).contains(&local.coverage_percent), "{}", local.coverage_percent);
    let places: BTreeSet<&str> = local.gaps.iter().map(|gap| gap.territory.as_str()).collect();
    assert!(places.contains("69204") && !places.contains("69266"), "{places:?}");
    let reasons: BTreeSet<String> = local.gaps.iter().map(|gap| format!("{:?}", gap.reason)).collect();
    assert_eq!(reasons, BTreeSet::from(["NoSupplier".to_owned(), "TooCostly".to_owned()]));
}

#[actix_web::test]
async fn nobody_can_answer_alone() {
    let mut market = market();
    market.call["group_policy"]["maximum_members"] = json!(1);
    let answer = answer(market).await;
    assert_eq!(answer.status, Status::Infeasible);
    let why = answer.infeasibility.unwrap();
    assert!(why.blocking_rules.iter().any(|rule| rule.rule == RuleId::Size), "{:?}", why.blocking_rules);
}

#[actix_web::test]
async fn without_weefund_the_needs_that_fall_are_named_with_who_comes_closest() {
    let mut market = market();
    market.organisations.retain(|entry| entry.key != "weefund");
    let answer = answer(market).await;
    assert_eq!(answer.status, Status::Infeasible);
    let why = answer.infeasibility.unwrap();
    let fallen: BTreeSet<&str> = why.unmet_needs.iter().map(|need| need.need.as_str()).collect();
    assert_eq!(fallen, BTreeSet::from(["after-training", "collection", "refurbishing"]));
    let closest = why.closest.unwrap();
    assert!(members(&closest).contains("Emmaüs Connect"), "{:?}", members(&closest));
    assert!((50.0..90.0).contains(&closest.coverage_percent), "{}", closest.coverage_percent);
}

#[actix_web::test]
async fn twice_the_need_takes_a_third_member() {
    let mut market = market();
    let need = need(&mut market, "after-training");
    need["quantity"] = json!(2 * need["quantity"].as_i64().unwrap());
    let answer = answer(market).await;
    let first = &answer.proposals[0];
    assert_eq!(members(first), BTreeSet::from(["Emmaüs Connect", "Weefund", "Passerelle (SAS)"]));
    assert!(first.proof.optimal && first.proof.verified);
}

#[actix_web::test]
async fn a_cheaper_complement_takes_its_place() {
    let mut market = market();
    let mut newcomer = entry(&mut market, "weefund").clone();
    newcomer.key = "newcomer".to_owned();
    newcomer.organisation["name"] = json!("Newcomer");
    newcomer.organisation["aliases"] = json!([]);
    for capability in &mut newcomer.capabilities {
        capability["unit_cost_cents"] = json!(capability["unit_cost_cents"].as_i64().unwrap() - 100);
    }
    market.organisations.push(newcomer);
    let answer = answer(market).await;
    assert_eq!(members(&answer.proposals[0]), BTreeSet::from(["Emmaüs Connect", "Newcomer"]));
    assert_eq!(members(&answer.proposals[1]), BTreeSet::from(["Emmaüs Connect", "Weefund"]));
}

#[actix_web::test]
async fn a_group_of_newcomers_to_the_territory_needs_a_lead_who_is_at_home() {
    let mut market = market();
    for key in ["emmaus-connect", "weefund"] {
        entry(&mut market, key).organisation["home_territories"] = json!(["FR-IDF"]);
    }
    let answer = answer(market).await;
    let first = &answer.proposals[0];
    assert!(first.members.len() > 2, "{:?}", members(first));
    let lead = first.members.iter().find(|member| member.role == Role::GroupLead).unwrap();
    assert!(!["Emmaüs Connect", "Weefund"].contains(&lead.name.as_str()), "{}", lead.name);
}

#[actix_web::test]
async fn linked_entities_never_count_a_capacity_twice() {
    let mut market = market();
    market.organisations.retain(|entry| !["emmaus-connect", "pimms"].contains(&entry.key.as_str()));
    need(&mut market, "everyday-skills")["quantity"] = json!(1500);
    market.call["lots"].as_array_mut().unwrap().truncate(1);
    market
        .organisations
        .retain(|entry| ["metropole-de-lyon", "weefund", "passerelle", "passerelle-sas"].contains(&entry.key.as_str()));
    market.relations.retain(|relation| relation["a"] == "passerelle");
    let alone = answer(market.clone()).await;
    assert_eq!(alone.status, Status::Infeasible, "1,300 hours a year are shared by the two entities");
    need(&mut market, "everyday-skills")["quantity"] = json!(1300);
    assert_eq!(answer(market).await.status, Status::Optimal);
}

#[actix_web::test]
async fn whoever_has_invented_numbers_is_marked_illustrative() {
    let scratch = Scratch::create().unwrap();
    let (log, contract) = prepare(&scratch, Key::generate().unwrap()).await.unwrap();
    let db = log.db().clone();
    market().store(&log, &contract).await.unwrap();
    let organisations = organisations::store::all(&db).await.unwrap();
    let capabilities = capabilities::store::all(&db).await.unwrap();
    assert!(organisations.len() >= 20 && capabilities.len() >= 30);
    for organisation in &organisations {
        let own = &organisation.value;
        let mut offers =
            capabilities.iter().map(|offer| &offer.value).filter(|offer| offer.organisation == organisation.id);
        let numbers = offers.any(|offer| offer.capacity_per_year.is_some() || offer.unit_cost_cents.is_some())
            || own.turnover_cents.is_some()
            || own.available_cash_cents.is_some();
        assert_eq!(own.illustrative, numbers, "{}", own.name);
        assert!(own.source.as_ref().is_some_and(|source| source.contains("study of the Métropole de Lyon")));
        assert_eq!(own.source.as_ref().is_some_and(|source| source.contains("illustrative")), numbers, "{}", own.name);
    }
    db.close().await.unwrap();
}

#[actix_web::test]
async fn a_fault_of_the_market_says_where_and_leaves_nothing_behind() {
    let scratch = Scratch::create().unwrap();
    let (log, contract) = prepare(&scratch, Key::generate().unwrap()).await.unwrap();
    let db = log.db().clone();
    let mut wrong_key = market();
    wrong_key.call.insert("funder".to_owned(), json!("nobody"));
    let mut wrong_member = market();
    entry(&mut wrong_member, "amely").capabilities[0].insert("price".to_owned(), json!(1));
    for (market, place, pointer) in [(wrong_key, "in the call", "/funder"), (wrong_member, "`amely`", "/price")] {
        let problem: Problem = market.store(&log, &contract).await.unwrap_err();
        assert!(problem.to_string().contains(place), "{problem}");
        assert_eq!(problem.faults()[0].pointer.as_deref(), Some(pointer));
        assert!(organisations::store::all(&db).await.unwrap().is_empty());
    }
    db.close().await.unwrap();
}

fn settings() -> ServerConfig {
    let (limits, edge) = (LimitsConfig::default(), EdgeConfig::default());
    ServerConfig {
        host: "127.0.0.1".to_owned(),
        port: 0,
        drain: 0,
        runs: RunsConfig { solvers: 1, solver_memory: 2_048, lease: 15, kept: 365 },
        limits,
        edge,
        webhooks: WebhooksConfig::default(),
    }
}

#[actix_web::test]
async fn a_port_that_is_taken_is_said_before_anything_is_computed() {
    let mut shown = Vec::new();
    let refused = demonstrate(&settings(), false, |_| Err("the port is taken".into()), &mut shown).await.unwrap_err();
    assert_eq!((refused.to_string().as_str(), shown.len()), ("the port is taken", 0));
}

#[test]
fn the_directory_of_a_demonstration_goes_with_it() {
    let scratch = Scratch::create().unwrap();
    let directory = scratch.path().to_owned();
    std::fs::write(scratch.database(), "").unwrap();
    drop(scratch);
    assert!(!directory.exists());
}
