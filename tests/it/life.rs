//! The golden example, from an interest to a contract: four organisations and a funder, each through its own door.
//!
//! One scenario, told in the order of life. `cargo test --workspace --test it life:: -- --nocapture` prints how long the service was
//! asked, request by request added up.

use std::time::Duration;

use attelage::audit::verify::verify;
use attelage::database::begin_read;
use attelage::server::Setup;
use attelage::webhooks::Settings;
use serde_json::{Value, json};

use crate::consortia::team::{Actor, member, of};
use crate::runs::patient;
use crate::support::app::Client;
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::people::{execute, let_in, person};
use crate::support::receiver::Receiver;
use crate::support::sample::{self, METROPOLE, NORTH, created};
use crate::support::service::{App, audit_key, setup, spawn_with};

/// 48 months, 700,000 euros: training, equipment and connection for 500 people a year.
fn call(funder: &str) -> Value {
    let need = |code: &str, service: &str, unit: &str, quantity: i64, cents: i64| {
        json!({
            "code": code, "title": code, "service": service, "territory": METROPOLE, "public": "precarious", "unit": unit,
            "quantity": quantity, "reference_unit_cost_cents": cents
        })
    };
    json!({
        "funder": funder, "title": "Inclusion numérique des personnes en précarité", "kind": "contract",
        "starts_on": "2190-01-01", "duration_months": 48, "answers_due_at": "2189-06-30T12:00:00Z", "budget_cents": 70_000_000,
        "lots": [
            { "code": "training", "title": "Formation", "needs": [
                need("workshops", "training-daily-tools", "hour", 3_000, 1_900),
                need("help-line", "support-helpline", "person", 500, 3_000),
                need("near-home", "support-procedures", "session", 120, 4_500),
            ] },
            { "code": "equipment", "title": "Matériel", "needs": [
                need("collection", "equipment-collection", "device", 500, 1_400),
                need("refurbishing", "equipment-refurbishing", "device", 500, 8_000),
                need("distribution", "equipment-distribution", "device", 500, 2_700),
            ] },
            { "code": "connection", "title": "Connexion", "needs": [
                need("lines", "access-connection", "connection_month", 6_000, 450),
            ] },
        ],
        "eligibility": [{ "code": "local-lead", "criterion": "home_territory", "scope": "lead", "territory": METROPOLE }],
        "group_policy": {
            "grouping": "encouraged", "form_after_award": "conjoint_solidary_lead", "several_groups_allowed": false,
            "maximum_members": 4, "maximum_share_percent": 75, "negotiated": true
        },
        "money_policy": {
            "budget_by_year_cents": [17_500_000, 17_500_000, 17_500_000, 17_500_000], "advance_percent": 20,
            "payment_delay_days": 60, "coordination_per_member_cents": 400_000
        }
    })
}

/// An organisation with somebody in it, and what it offers: service, unit, how much a year, for how many cents each.
async fn actor(app: &App, name: &str, offers: &[(&str, &str, i64, i64)]) -> Actor {
    let address: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    let client = person(app, &format!("{address}@example.org")).await;
    let own = json!({ "name": name, "legal_family": "association", "home_territories": [NORTH], "available_cash_cents": 7_000_000 });
    let id = created(&client, "/v1/organisations", own).await;
    for (service, unit, capacity, cents) in offers {
        let capability = json!({
            "organisation": id, "services": [service], "publics": ["precarious"], "territories": [METROPOLE], "unit": unit,
            "capacity_per_year": capacity, "unit_cost_cents": cents
        });
        created(&client, "/v1/capabilities", capability).await;
    }
    Actor { id, client }
}

/// Everybody.
struct Lyon {
    app: App,
    receiver: Receiver,
    funder: Actor,
    /// Opens the answers with the first.
    second: Client,
    emmaus: Actor,
    weefund: Actor,
    pimms: Actor,
    udaf: Actor,
    call: String,
}

async fn lyon(engine: Engine) -> Lyon {
    let networks = vec!["127.0.0.0/8".parse().unwrap()];
    let webhooks =
        Settings { networks, over_http: true, retries: vec![Duration::from_millis(30); 12], ..Settings::default() };
    let app = spawn_with(engine, Setup { webhooks, ..setup() }).await;
    sample::territories(&app).await;
    let funder = actor(&app, "Métropole", &[]).await;
    let second = person(&app, "second@example.org").await;
    let_in(&funder.client, &funder.id, &second, "owner").await;
    let emmaus = actor(
        &app,
        "Emmaüs",
        &[
            ("training-daily-tools", "hour", 5_200, 1_550),
            ("equipment-distribution", "device", 650, 2_200),
            ("access-connection", "connection_month", 12_000, 360),
        ],
    )
    .await;
    let weefund = actor(
        &app,
        "Weefund",
        &[
            ("equipment-collection", "device", 800, 1_100),
            ("equipment-refurbishing", "device", 600, 7_000),
            ("support-helpline", "person", 600, 2_400),
        ],
    )
    .await;
    let pimms = actor(&app, "Pimms", &[("support-procedures", "session", 1_200, 3_800)]).await;
    let udaf = actor(&app, "Udaf", &[("support-procedures", "session", 300, 4_200)]).await;
    let call = created(&funder.client, "/v1/calls", call(&funder.id)).await;
    Lyon { app, receiver: Receiver::start(), funder, second, emmaus, weefund, pimms, udaf, call }
}

fn ids<'v>(list: &'v Value, member: &str) -> Vec<&'v str> {
    list.as_array().unwrap().iter().map(|one| one[member].as_str().unwrap()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Lyon {
    fn of_call(&self, what: &str) -> String {
        format!("/v1/calls/{}/{what}", self.call)
    }

    /// The funder sees that somebody can answer, and publishes.
    async fn published(&self) {
        let asked = json!({ "organisation": self.funder.id });
        let draft = self.funder.client.post_with(&self.of_call("runs"), patient(), asked).await.expect(200);
        assert_eq!(draft["result"], "optimal", "{:#}", draft.body);
        self.emmaus.client.get(&format!("/v1/calls/{}", self.call)).await.problem(404);
        self.funder.client.post(&self.of_call("publish"), json!({})).await.expect(200);
    }

    /// Weefund says that it is interested; Emmaüs Connect finds the call, and whom it lacks.
    async fn found(&self) {
        let interest = json!({ "call": self.call, "organisation": self.weefund.id, "lots": ["equipment"], "audience": "registered" });
        self.weefund.client.post("/v1/interests", interest).await.expect(201);
        let interests = self.emmaus.client.get(&format!("/v1/interests?call={}", self.call)).await.expect(200);
        assert_eq!(ids(&interests["items"], "organisation"), [&self.weefund.id]);
        let matching =
            self.emmaus.client.get(&format!("/v1/organisations/{}/matching-calls", self.emmaus.id)).await.expect(200);
        assert_eq!(ids(&matching["items"][0]["needs"], "need"), ["workshops", "distribution", "lines"]);
        let directory = format!("/v1/organisations?service=equipment-refurbishing&territory={METROPOLE}");
        assert_eq!(ids(&self.emmaus.client.get(&directory).await.expect(200)["items"], "name"), ["Weefund"]);

        let told = self.emmaus.client.post(&self.of_call("partner-suggestions"), json!({})).await.expect(200);
        let first = &told["partners"][0];
        assert_eq!(
            (&first["organisation"], &first["gain"]["kind"]),
            (&json!(self.weefund.id), &json!("indispensable")),
            "{:#}",
            told.body
        );
        let mut covered = ids(&first["covers"], "need");
        covered.sort_unstable();
        assert_eq!(covered, ["collection", "help-line", "refurbishing"]);
        let team = json!({ "team": [self.emmaus.id, self.weefund.id] });
        let check = self.emmaus.client.post(&self.of_call("team-checks"), team).await.expect(200);
        assert_eq!(
            (&check["status"], ids(&check["missing"], "need")),
            (&json!("infeasible"), vec!["near-home"]),
            "{:#}",
            check.body
        );
    }

    /// Emmaüs Connect has the best consortium computed and founds it. Gives its path.
    async fn founded(&self) -> String {
        let asked = json!({ "organisation": self.emmaus.id, "proposals": 2 });
        let run = self.emmaus.client.post_with(&self.of_call("runs"), patient(), asked).await.expect(200);
        assert_eq!(run["result"], "optimal");
        let new = json!({ "call": self.call, "name": "Kits pour tous", "form": "conjoint_solidary_lead", "proposal": { "run": run["id"], "rank": 1 } });
        let made = self.emmaus.client.post("/v1/consortia", new).await.expect(201);
        let mut members = ids(&made["members"], "organisation");
        members.sort_unstable();
        let mut expected = [self.emmaus.id.as_str(), &self.weefund.id, self.mediator(&made.body).0.id.as_str()];
        expected.sort_unstable();
        assert_eq!(members, expected, "the two, and one who helps near home");
        made.header("location").to_owned()
    }

    /// Who of the two mediators was asked, and who was not.
    fn mediator(&self, consortium: &Value) -> (&Actor, &Actor) {
        let asked = of(consortium, &self.pimms);
        if asked.is_null() { (&self.udaf, &self.pimms) } else { (&self.pimms, &self.udaf) }
    }

    /// Somebody says yes to what it reads, settles its amounts itself, and shares its prices with those who do.
    async fn joins(&self, path: &str, who: &Actor) {
        let seen = who.client.get(path).await.expect(200);
        let own = of(&seen.body, who);
        let yes = json!({ "terms": own["terms"], "consent": { "share_prices": true, "show_to_invited": true } });
        let accepted = who.client.post(&member(path, who, "accept"), yes).await.expect(200);
        let parts = own["parts"].as_array().unwrap().iter();
        let amounts: Vec<Value> =
            parts.map(|part| json!({ "need": part["need"], "amount_cents": part["amount_cents"] })).collect();
        let terms = json!({ "consent": { "share_prices": true, "show_to_invited": true }, "amounts": amounts });
        who.client.put(&format!("{path}/members/{}", who.id), accepted.etag(), terms).await.expect(200);
    }

    /// Weefund joins; the mediator does not, and a repair finds the other. Gives the one who joined.
    async fn gathered(&self, path: &str) -> &Actor {
        let seen = self.emmaus.client.get(path).await.expect(200);
        let (asked, other) = self.mediator(&seen.body);
        self.joins(path, &self.weefund).await;
        asked.client.post(&member(path, asked, "decline"), json!({ "reason": "Trop de dossiers" })).await.expect(200);
        let invitation = json!({ "organisation": asked.id, "role": "group-mem" });
        self.emmaus.client.post(&format!("{path}/invitations"), invitation).await.problem(409);
        let broken = self.emmaus.client.get(&format!("{path}/checks")).await.expect(200);
        let uncovered = |checks: &Value| -> Vec<String> {
            let all = checks["checks"].as_array().unwrap().iter();
            all.filter(|one| one["code"] == "coverage" && one["verdict"] != "kept")
                .map(|one| text(&one["about"]))
                .collect()
        };
        assert_eq!(uncovered(&broken.body), ["near-home"], "{:#}", broken.body);

        let repair = self.emmaus.client.post_with(&format!("{path}/repairs"), patient(), json!({})).await.expect(200);
        let place = repair.header("location").to_owned();
        let plans = self.emmaus.client.get(&format!("{place}/reply")).await.expect(200);
        assert_eq!(plans["repair"]["plans"][0]["joining"], json!([other.id]), "{:#}", plans.body);
        let choice = json!({ "run": repair["id"], "plan": 1 });
        self.emmaus.client.post(&format!("{path}/repairs/apply"), choice).await.expect(200);
        self.joins(path, other).await;
        let etag = self.emmaus.client.get(path).await.expect(200).etag().to_owned();
        let share = json!({ "consent": { "share_prices": true, "show_to_invited": true } });
        self.emmaus.client.put(&format!("{path}/members/{}", self.emmaus.id), &etag, share).await.expect(200);
        let checks = self.emmaus.client.get(&format!("{path}/checks")).await.expect(200);
        assert_eq!(uncovered(&checks.body), [""; 0], "{:#}", checks.body);
        other
    }

    /// What each must carry, and how they could share.
    async fn reckoned(&self, path: &str, members: &[&Actor]) {
        for who in members {
            let treasury = who.client.get(&format!("{path}/treasury")).await.expect(200);
            assert_eq!(treasury["members"].as_array().unwrap().len(), members.len(), "all share their prices");
            let means = |one: &&Value| one.get("means").is_some();
            assert_eq!(treasury["members"].as_array().unwrap().iter().filter(means).count(), 1, "its own cash alone");
        }
        let plan = self.emmaus.client.get(path).await.expect(200)["plan"].clone();
        for who in members {
            self.emmaus.client.get(&format!("{path}/shares")).await.problem(409);
            let agreed = json!({ "plan": plan });
            who.client.post(&format!("{path}/share-consents"), agreed).await.expect(200);
        }
        let shares = self.weefund.client.get(&format!("{path}/shares")).await.expect(200);
        assert_eq!(shares["members"].as_array().unwrap().len(), members.len());
    }

    /// All sign the same, and the lead files. Gives the bid.
    async fn filed(&self, path: &str, members: &[&Actor]) -> String {
        let mut digests = Vec::new();
        for who in members {
            let digest = who.client.get(path).await.expect(200)["digest"].clone();
            who.client.post(&format!("{path}/sign"), json!({ "digest": digest })).await.expect(200);
            digests.push(digest);
        }
        assert!(digests.iter().all(|one| *one == digests[0]));
        for (format, begins) in [("pdf", "%PDF-"), ("docx", "PK")] {
            let answer = self.weefund.client.get(&format!("{path}/answer?format={format}")).await.expect(200);
            assert!(answer.body.as_str().unwrap().starts_with(begins), "{format}");
        }
        let receipt = self.emmaus.client.post(&format!("{path}/file"), json!({})).await.expect(201);
        self.second.get(&format!("/v1/bids/{}", text(&receipt["id"]))).await.problem(404);
        text(&receipt["id"])
    }

    /// Time goes by, two people open, compare, and ask for a change, which the consortium makes. Gives the new bid.
    async fn negotiated(&self, path: &str, bid: &str, members: &[&Actor]) -> String {
        execute(&self.app, "UPDATE call SET answers_due_at = '2020-01-01T00:00:00+00:00'", []).await;
        for who in [&self.funder.client, &self.second] {
            who.post(&self.of_call("openings"), json!({})).await.expect(200);
        }
        let table = self.second.get(&self.of_call("comparison")).await.expect(200);
        assert_eq!(ids(&table["bids"], "bid"), [bid]);
        for lot in table["lots"].as_array().unwrap() {
            assert_eq!(lot["bids"][0]["coverage_percent"], 100.0, "{lot:#}");
        }
        let ask = json!({ "due_at": "2190-01-01T00:00:00Z", "text": "Un prix plus bas pour le reconditionnement" });
        self.second.post(&format!("/v1/bids/{bid}/change-requests"), ask).await.expect(201);

        let seen = self.weefund.client.get(path).await.expect(200);
        let parts = of(&seen.body, &self.weefund)["parts"].clone();
        let lower = parts.as_array().unwrap().iter().map(
            |part| json!({ "need": part["need"], "amount_cents": part["amount_cents"].as_i64().unwrap() * 9 / 10 }),
        );
        let terms = json!({ "consent": { "share_prices": true, "show_to_invited": true }, "amounts": lower.collect::<Vec<_>>() });
        self.weefund.client.put(&format!("{path}/members/{}", self.weefund.id), seen.etag(), terms).await.expect(200);
        self.filed_again(path, members).await
    }

    /// What was signed binds until all have signed anew.
    async fn filed_again(&self, path: &str, members: &[&Actor]) -> String {
        self.emmaus.client.post(&format!("{path}/file"), json!({})).await.problem(409);
        for who in members {
            let digest = who.client.get(path).await.expect(200)["digest"].clone();
            who.client.post(&format!("{path}/sign"), json!({ "digest": digest })).await.expect(200);
        }
        text(&self.emmaus.client.post(&format!("{path}/file"), json!({})).await.expect(201)["id"])
    }

    /// A person decides, with reasons, and the members learn of it.
    async fn decided(&self, path: &str, bid: &str) {
        let lot = |lot: &str| {
            let on = json!({ "bid": bid, "chosen": true, "reasons": "Couvre tous les axes" });
            json!({ "lot": lot, "outcome": "awarded", "reasons": "Une réponse complète", "bids": [on] })
        };
        let lots: Vec<Value> = ["training", "equipment", "connection"].map(lot).into();
        let decision = json!({ "tell_at": "2020-01-01T00:00:00Z", "lots": lots });
        self.funder.client.post(&self.of_call("decisions"), decision).await.expect(201);
        let told = self.emmaus.client.get(&format!("/v1/bids/{bid}/decision")).await.expect(200);
        assert_eq!(told["lots"].as_array().unwrap().len(), 3, "{:#}", told.body);
        assert_eq!(self.weefund.client.get(path).await.expect(200)["phase"], "execution");
    }

    /// What was told to Weefund came by webhook as it stands in its feed, in the same order.
    async fn told(&self, hook: &Value) {
        let feed = self.weefund.client.get("/v1/events?limit=100").await.expect(200);
        let kinds = ids(&feed["items"], "type");
        for kind in
            ["consortium.invited", "consortium.accepted", "consortium.agreed", "consortium.filed", "consortium.awarded"]
        {
            assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
        }
        let count = kinds.len();
        let sent = self.receiver.until(|all| all.len() >= count).await;
        let told: Vec<Value> = sent.iter().map(crate::support::receiver::Received::event).collect();
        assert!(sent.iter().all(|one| one.is_signed_with(hook["secret"].as_str().unwrap())));
        let of_subject = |events: &[Value], subject: &Value| -> Vec<String> {
            events.iter().filter(|one| one["subject"] == *subject).map(|one| text(&one["id"])).collect()
        };
        let feed = feed["items"].as_array().unwrap();
        for event in feed {
            assert_eq!(of_subject(&told, &event["subject"]), of_subject(feed, &event["subject"]));
        }
    }
}

on_both_engines! {
    async fn an_interest_becomes_a_contract(engine) {
        let lyon = lyon(engine).await;
        let hook = json!({ "organisation": lyon.weefund.id, "url": lyon.receiver.url("/hook") });
        let hook = lyon.weefund.client.post("/v1/webhooks", hook).await.expect(201).body;
        lyon.published().await;
        lyon.found().await;
        let path = lyon.founded().await;
        let third = lyon.gathered(&path).await;
        let members = [&lyon.emmaus, &lyon.weefund, third];
        lyon.reckoned(&path, &members).await;
        let bid = lyon.filed(&path, &members).await;
        let bid = lyon.negotiated(&path, &bid, &members).await;
        lyon.decided(&path, &bid).await;
        lyon.told(&hook).await;
        let db = lyon.app.database.connect().await;
        let log = verify(&begin_read(&db).await.unwrap(), &audit_key(), None).await.unwrap();
        assert!(log.is_ok_and(|end| end.position > 50), "every step stands in the log");
        eprintln!("{engine:?}: {:?} of waiting for the service", lyon.app.waited());
    }
}
