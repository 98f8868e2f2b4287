//! What an organisation is told does not depend on what others keep to themselves: not in its numbers, not in who is proposed, not in
//! its order. And the attack that this defeats: it works on a service that lacks the rule, and is at chance on ours.

use reqwest::header::HeaderMap;
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};

use crate::runs::patient;
use crate::support::app::{Answer, Client};
use crate::support::database::Engine;
use crate::support::sample::{self, METROPOLE, created};
use crate::support::secrets::{self, Terms};
use crate::support::service::{App, spawn};
use crate::support::world::{ALL_SCOPES, key};

/// A small generator (xorshift): the same seed, the same worlds, on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 on, below the limit.
    fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.next() % limit.unsigned_abs()).unwrap()
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 1
    }
}

/// A capability of somebody else, and the band that everybody may know.
struct Rival {
    organisation: String,
    capability: String,
    at_least: i64,
    below: i64,
}

struct Market {
    funder: String,
    asker: String,
    client: Client,
    rivals: Vec<Rival>,
    call: String,
}

const SERVICES: [(&str, &str); 3] =
    [("equipment-refurbishing", "device"), ("training-daily-tools", "hour"), ("access-connection", "person")];

/// Some actors of random means, a call with reference costs that is published, and a key for one of the actors.
async fn market(app: &App, dice: &mut Dice, actors: usize) -> Market {
    sample::territories(app).await;
    sample::elsewhere(app).await;
    let funder = sample::organisation(app, "Métropole en commun").await;
    let asker = sample::organisation(app, "Qui demande").await;
    let client = key(app, app, &asker, "owner", ALL_SCOPES).await;
    let mut rivals = Vec::new();
    for (service, unit) in SERVICES {
        created(
            app,
            "/v1/capabilities",
            offer(&asker, service, unit, 20 + dice.below(100), Some(500 + dice.below(4_000))),
        )
        .await;
    }
    for number in 0..actors {
        let organisation = sample::organisation(app, &format!("Concurrente {number}")).await;
        for (service, unit) in SERVICES {
            if dice.coin() {
                let body = offer(&organisation, service, unit, 20 + dice.below(200), Some(500 + dice.below(9_000)));
                let made = app.post("/v1/capabilities", body).await.expect(201);
                rivals.push(Rival {
                    organisation: organisation.clone(),
                    capability: made["id"].as_str().unwrap().to_owned(),
                    at_least: made["capacity_band"]["at_least"].as_i64().unwrap(),
                    below: made["capacity_band"]["below"].as_i64().unwrap(),
                });
            }
        }
    }
    let lots: Vec<Value> = SERVICES
        .into_iter()
        .enumerate()
        .map(|(number, (service, unit))| {
            json!({ "code": format!("lot-{number}"), "title": "x", "needs": [{
                "code": format!("need-{number}"), "title": "x", "service": service, "territory": METROPOLE, "unit": unit,
                "quantity": 40 + dice.below(80), "mandatory": dice.coin(), "reference_unit_cost_cents": 2_000, "unmet_cost_cents": 6_000
            }] })
        })
        .collect();
    let call = json!({
        "funder": funder, "title": "Ensemble", "kind": "grant", "starts_on": "2027-01-01", "duration_months": 12, "lots": lots,
        "eligibility": [{ "code": "turnover", "criterion": "turnover", "scope": "sum_over_members", "minimum_cents": 1_000_000 }],
        "money_policy": { "coordination_per_member_cents": 5_000, "coordination_per_new_pair_cents": 1_000, "payment_delay_days": 60 }
    });
    let call = created(app, "/v1/calls", call).await;
    app.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
    Market { funder, asker, client, rivals, call }
}

fn offer(organisation: &str, service: &str, unit: &str, capacity: i64, unit_cost: Option<i64>) -> Value {
    json!({
        "organisation": organisation, "services": [service], "territories": [METROPOLE], "unit": unit,
        "capacity_per_year": capacity, "unit_cost_cents": unit_cost
    })
}

/// Gives everybody but the asker other secrets.
async fn reroll(db: &DatabaseConnection, market: &Market, dice: &mut Dice) {
    for rival in &market.rivals {
        let terms = Terms {
            unit_cost_cents: dice.coin().then(|| 1 + dice.below(20_000)),
            fixed_cost_cents: dice.below(300_000),
            minimum_quantity: dice.below(30),
            capacity_per_year: rival.at_least + dice.below(rival.below - rival.at_least),
        };
        secrets::set_terms(db, &rival.capability, terms).await;
    }
    let others: Vec<&str> = market.rivals.iter().map(|rival| rival.organisation.as_str()).collect();
    for organisation in others.iter().copied().chain([market.funder.as_str()]) {
        let sum = |dice: &mut Dice| dice.coin().then(|| dice.below(100_000_000));
        let (turnover, cash) = (sum(dice), sum(dice));
        secrets::set_finances(db, organisation, turnover, cash, &format!("contact {}", dice.next())).await;
        let mut against: Vec<&str> =
            others.iter().copied().filter(|other| *other != organisation && dice.below(4) == 0).collect();
        if dice.coin() {
            against.push(&market.asker);
        }
        against.sort_unstable();
        against.dedup();
        secrets::set_reservations(db, organisation, &against).await;
        // To the funder or to some of the others, but not to whoever asks.
        let chosen: Vec<&str> = others.iter().copied().filter(|_| dice.coin()).collect();
        let audience = ["nobody", "funder", "chosen"][usize::try_from(dice.below(3)).unwrap()];
        let interest = (dice.coin() && organisation != market.funder).then_some((audience, &chosen[..]));
        secrets::set_interest(db, &market.call, organisation, interest).await;
    }
}

/// What one asks; the same for both worlds of a pair.
struct Question {
    /// Where, below the call.
    place: &'static str,
    body: Value,
}

fn question(market: &Market, dice: &mut Dice) -> Question {
    let others: Vec<&str> = market.rivals.iter().map(|rival| rival.organisation.as_str()).collect();
    let other = others[usize::try_from(dice.below(i64::try_from(others.len()).unwrap())).unwrap()];
    let team = json!([market.asker, other]);
    let lots = if dice.coin() { json!([]) } else { json!(["lot-0", "lot-1"]) };
    let alone = match dice.below(11) {
        0 => Some(("partner-suggestions", json!({ "lots": lots, "exact": dice.below(4) }))),
        1 => Some(("team-checks", json!({ "team": team, "lots": lots }))),
        2 => Some(("absences", json!({ "absent": other, "team": [market.asker], "lots": lots }))),
        _ => None,
    };
    if let Some((place, body)) = alone {
        return Question { place, body };
    }
    let question = match dice.below(8) {
        0 => json!({ "partners": { "team": [market.asker] } }),
        1 => json!({ "check": { "team": team } }),
        2 => json!({ "repair": { "team": team, "departed": [other] } }),
        3 => json!({ "why_not": { "actor": other } }),
        4 => json!({ "territory": {} }),
        5 => json!({ "rules": {} }),
        _ => json!({ "proposals": {} }),
    };
    Question { place: "runs", body: json!({ "question": question, "proposals": 1 + dice.below(3) }) }
}

/// An answer as one would compare it: status, headers and body, without what is different of each request.
fn seen(answer: &Answer) -> String {
    let fleeting = |name: &str| {
        ["date", "x-request-id", "location", "content-length"].contains(&name) || name.starts_with("ratelimit")
    };
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !fleeting(name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        let of_run = members.contains_key("fingerprint");
        members.retain(|name, _| {
            let of_this_run = ["id", "run", "created_at", "started_at", "finished_at"].contains(&name.as_str());
            name != "request_id" && !(of_run && of_this_run)
        });
    }
    format!("{} {headers:?} {body}", answer.status)
}

/// Everything that the asker is told: the run, its answer, and what the lists show.
async fn told(market: &Market, question: &Question) -> Vec<String> {
    let path = format!("/v1/calls/{}/{}", market.call, question.place);
    let run = market.client.post_with(&path, patient(), question.body.clone()).await;
    let mut told = vec![seen(&run)];
    if let Some(place) = run.headers.get("location").map(|value| value.to_str().unwrap().to_owned()) {
        for part in ["proposals?limit=100", "reply"] {
            let part = market.client.get(&format!("{place}/{part}")).await;
            told.push(seen(&part).replace(&place, "the run"));
        }
    }
    let search = format!("organisations?service=training&territory={METROPOLE}&sort=name&");
    let matching = format!("organisations/{}/matching-calls?", market.asker);
    for list in ["organisations?", "capabilities?", "relations?", "interests?", &search, &matching] {
        told.push(seen(&market.client.get(&format!("/v1/{list}limit=100")).await));
    }
    told
}

/// How many worlds a question is asked in, beside the first.
const WORLDS: usize = 5;

/// Compares pairs of worlds that differ in the secrets of others only.
async fn worlds_look_the_same(engine: Engine, markets: u64, pairs: usize) {
    let mut answered = 0;
    for seed in 1..=markets {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let app = spawn(engine).await;
        let market = market(&app, &mut dice, 6).await;
        let db = app.database.connect().await;
        for _ in 0..pairs / WORLDS {
            let question = question(&market, &mut dice);
            let first = told(&market, &question).await;
            answered += usize::from(first[0].starts_with("200"));
            for _ in 0..WORLDS {
                reroll(&db, &market, &mut dice).await;
                let again = told(&market, &question).await;
                assert_eq!(again, first, "market {seed}: {} {}", question.place, question.body);
            }
        }
    }
    let all = pairs / WORLDS * usize::try_from(markets).unwrap();
    assert!(answered * 10 >= all * 9, "{answered} of {all} questions were answered: the others show nothing");
}

#[actix_web::test]
async fn a_thousand_pairs_of_worlds_look_the_same_on_sqlite() {
    worlds_look_the_same(Engine::Sqlite, 10, 100).await;
}

#[actix_web::test]
async fn pairs_of_worlds_look_the_same_on_postgres() {
    worlds_look_the_same(Engine::Postgres, 3, 20).await;
}

/// How somebody who attacks learns who is proposed.
#[derive(Clone, Copy, PartialEq)]
enum Service {
    /// Ours.
    Ours,
    /// The same, but for one thing: the query that feeds the computation reads the secrets of everybody, as that of the platform does of
    /// organisations in its care. What the attacker sees is no more than who is proposed.
    Leaky,
}

struct Duel {
    app: App,
    attacker: Client,
    organisation: String,
    offer: (String, Value),
    victim: String,
    secret: String,
    call: String,
}

const REFERENCE: i64 = 5_000;

/// Two organisations that offer the same to a call that needs one of them.
async fn duel() -> Duel {
    let app = spawn(Engine::Sqlite).await;
    sample::territories(&app).await;
    sample::elsewhere(&app).await;
    let [funder, organisation, victim] = [
        sample::organisation(&app, "Métropole").await,
        sample::organisation(&app, "Qui attaque").await,
        sample::organisation(&app, "Qui se tait").await,
    ];
    let attacker = key(&app, &app, &organisation, "owner", ALL_SCOPES).await;
    let body = sample::devices(&organisation, 150, REFERENCE);
    let own = created(&app, "/v1/capabilities", body.clone()).await;
    let secret = created(&app, "/v1/capabilities", sample::devices(&victim, 150, REFERENCE)).await;
    let call = json!({
        "funder": funder, "title": "Cent ordinateurs", "kind": "grant", "starts_on": "2027-01-01", "duration_months": 12,
        "lots": [{ "code": "lot", "title": "x", "needs": [{
            "code": "kits", "title": "x", "service": "equipment-refurbishing", "territory": METROPOLE, "unit": "device",
            "quantity": 100, "reference_unit_cost_cents": REFERENCE
        }] }]
    });
    let call = created(&app, "/v1/calls", call).await;
    app.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
    Duel { app, attacker, organisation, offer: (own, body), victim, secret, call }
}

impl Duel {
    /// Who is proposed, by id.
    async fn proposed(&self, service: Service, options: Value) -> Vec<String> {
        let client = if service == Service::Ours { &self.attacker } else { &*self.app };
        let run = client.post_with(&format!("/v1/calls/{}/runs", self.call), patient(), options).await.expect(200);
        let page = client.get(&format!("{}/proposals", run.header("location"))).await.expect(200);
        let members = page["items"][0]["members"].as_array().cloned().unwrap_or_default();
        members.iter().map(|member| member["actor"].as_str().unwrap().to_owned()).collect()
    }

    /// Says another cost of one's own: everybody may do that.
    async fn pretend(&self, cents: i64) {
        let (id, body) = &self.offer;
        let path = format!("/v1/capabilities/{id}");
        let etag = self.attacker.get(&path).await.expect(200).etag().to_owned();
        let mut body = body.clone();
        body["unit_cost_cents"] = json!(cents);
        self.attacker.put(&path, &etag, body).await.expect(200);
    }

    /// What the victim costs, by bisection: whoever is dearer is not proposed.
    async fn guess(&self, service: Service) -> i64 {
        let (mut low, mut high) = (0, 2 * REFERENCE);
        for _ in 0..14 {
            let middle = i64::midpoint(low, high);
            self.pretend(middle).await;
            let options = json!({ "proposals": 1 });
            if self.proposed(service, options).await.contains(&self.organisation) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[actix_web::test]
async fn bisection_finds_a_rivals_cost_where_the_query_leaks_and_nothing_here() {
    let duel = duel().await;
    let db = duel.app.database.connect().await;
    let mut dice = Dice(11);
    let (mut found_there, mut guesses_here, mut found_here) = (0, Vec::new(), 0);
    let trials = 10;
    for _ in 0..trials {
        let cost = 1_000 + dice.below(8_000);
        let terms =
            Terms { unit_cost_cents: Some(cost), fixed_cost_cents: 0, minimum_quantity: 0, capacity_per_year: 150 };
        secrets::set_terms(&db, &duel.secret, terms).await;
        let close = |guess: i64| (guess - cost).abs() * 20 <= cost;
        found_there += usize::from(close(duel.guess(Service::Leaky).await));
        let here = duel.guess(Service::Ours).await;
        found_here += usize::from(close(here));
        guesses_here.push(here);
    }
    assert_eq!(found_there, trials, "the attack does not work where it must");
    guesses_here.dedup();
    assert_eq!(guesses_here.len(), 1, "{guesses_here:?}: what is guessed follows the secret");
    assert!(found_here <= 2, "{found_here} of {trials}: more than chance");
}

#[actix_web::test]
async fn what_a_partner_would_change_tells_its_cost_where_the_query_leaks_and_nothing_here() {
    let duel = duel().await;
    let db = duel.app.database.connect().await;
    let path = format!("/v1/calls/{}/partner-suggestions", duel.call);
    let (mut there, mut here) = (Vec::new(), Vec::new());
    for cost in [1_500, 3_000, 4_000, 4_900] {
        let terms =
            Terms { unit_cost_cents: Some(cost), fixed_cost_cents: 0, minimum_quantity: 0, capacity_per_year: 150 };
        secrets::set_terms(&db, &duel.secret, terms).await;
        for (client, seen) in [(&*duel.app, &mut there), (&duel.attacker, &mut here)] {
            let told = client.post(&path, json!({ "team": [duel.organisation] })).await.expect(200);
            let partner = told["partners"].as_array().unwrap().iter().find(|one| one["organisation"] == duel.victim);
            seen.push(partner.map_or(0, |partner| partner["cost_change_cents"].as_i64().unwrap()));
        }
    }
    let follows = there.windows(2).all(|pair| pair[0] < pair[1]) && there[3] < 0;
    assert!(follows, "{there:?}: the attack does not work where it must");
    here.dedup();
    assert_eq!(here.len(), 1, "{here:?}: what is told follows the secret");
}

#[actix_web::test]
async fn a_veto_shows_where_the_query_leaks_and_not_here() {
    let duel = duel().await;
    let db = duel.app.database.connect().await;
    let mut dice = Dice(5);
    let options = json!({ "proposals": 1, "locked_in": [duel.organisation, duel.victim] });
    let (mut right_there, mut right_here, mut vetoes) = (0, 0, 0);
    let mut seen_here = Vec::new();
    let trials = 20;
    for _ in 0..trials {
        let veto = dice.coin();
        vetoes += usize::from(veto);
        let against: &[&str] = if veto { &[&duel.organisation] } else { &[] };
        secrets::set_reservations(&db, &duel.victim, against).await;
        // Together or not at all: who would rather not is not proposed.
        let guess = |proposed: &[String]| proposed.is_empty();
        right_there += usize::from(guess(&duel.proposed(Service::Leaky, options.clone()).await) == veto);
        let here = duel.proposed(Service::Ours, options.clone()).await;
        right_here += usize::from(guess(&here) == veto);
        seen_here.push(here);
    }
    assert_eq!(right_there, trials, "the attack does not work where it must");
    seen_here.dedup();
    assert_eq!(seen_here.len(), 1, "the veto shows");
    assert_eq!(right_here, trials - vetoes, "always the same guess is right as often as there is no veto");
}

#[actix_web::test]
async fn a_reservation_of_ones_own_counts() {
    let duel = duel().await;
    let path = format!("/v1/organisations/{}/reservations", duel.organisation);
    let options = json!({ "proposals": 1, "locked_in": [duel.organisation, duel.victim] });
    assert!(!duel.proposed(Service::Ours, options.clone()).await.is_empty());
    let made = duel.attacker.post(&path, json!({ "against": duel.victim })).await.expect(201);
    assert!(
        duel.proposed(Service::Ours, options.clone()).await.is_empty(),
        "one does not work with whom one would rather not"
    );
    let place = made.header("location").to_owned();
    duel.attacker.send_raw(reqwest::Method::DELETE, &place, HeaderMap::new(), "").await.expect(204);
    assert!(!duel.proposed(Service::Ours, options).await.is_empty());
}
