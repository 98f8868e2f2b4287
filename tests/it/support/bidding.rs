//! A published call, two organisations that bid on it, and the people around it.

use std::collections::BTreeMap;

use attelage::access::Role;
use attelage::identity::{password, store};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::app::{Answer, Client};
use super::database::Engine;
use super::sample::{self, METROPOLE, created};
use super::service::{self, App};

const PASSWORD: &str = "a long enough password";

/// The world of a call for bids.
pub struct Bidding {
    /// The service, with an administrator's key.
    pub app: App,
    pub db: DatabaseConnection,
    pub call: String,
    pub funder: String,
    /// Bids, with the workshop.
    pub school: String,
    /// Bids alone, too.
    pub workshop: String,
    /// Clients, by who they are.
    pub who: BTreeMap<&'static str, Client>,
    /// Ids of people, by who they are.
    pub people: BTreeMap<&'static str, String>,
}

/// Starts the service with all of it.
pub async fn bidding(engine: Engine) -> Bidding {
    let app = service::spawn(engine).await;
    sample::territories(&app).await;
    let funder = sample::organisation(&app, "Métropole en commun").await;
    let school = sample::organisation(&app, "École Pas à Pas").await;
    let workshop = sample::organisation(&app, "Atelier du Réemploi").await;
    let call = created(&app, "/v1/calls", call(&funder)).await;
    app.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
    let db = app.database.connect().await;
    let mut world = Bidding { app, db, call, funder, school, workshop, who: BTreeMap::new(), people: BTreeMap::new() };
    let (funder, school, workshop) = (world.funder.clone(), world.school.clone(), world.workshop.clone());
    for (who, organisation, role) in [
        ("owner", Some(&funder), Role::Owner),
        ("other owner", Some(&funder), Role::Owner),
        ("funder's editor", Some(&funder), Role::Editor),
        ("funder's viewer", Some(&funder), Role::Viewer),
        ("school's founder", Some(&school), Role::Owner),
        ("school's viewer", Some(&school), Role::Viewer),
        ("workshop's owner", Some(&workshop), Role::Owner),
        ("evaluator", None, Role::Viewer),
        ("stranger", None, Role::Viewer),
    ] {
        world.person(who, false).await;
        if let Some(organisation) = organisation {
            world.join(who, organisation, role).await;
        }
    }
    for (who, organisation, role, owner) in [
        ("funder's key", &funder, "owner", "owner"),
        ("school's key", &school, "editor", "school's founder"),
        ("workshop's key", &workshop, "editor", "workshop's owner"),
    ] {
        let key = json!({ "name": who, "role": role, "scopes": ["read", "bids", "calls"] });
        let key = world.of(owner).post(&format!("/v1/organisations/{organisation}/api-keys"), key).await.expect(201);
        world.who.insert(who, world.app.with_key(key["secret"].as_str().unwrap()));
    }
    // Has done their part.
    world.who.remove("school's founder");
    world.person("administrator", true).await;
    world.who.insert("administrator's key", Client::clone(&world.app));
    world.who.insert("nobody", world.app.anonymous());
    world.name("evaluator").await.expect(201);
    world
}

impl Bidding {
    async fn person(&mut self, who: &'static str, administrator: bool) {
        static HASH: OnceCell<String> = OnceCell::const_new();
        let hash = HASH.get_or_init(async || password::hash(PASSWORD.to_owned()).await.unwrap()).await;
        let email = format!("{}@example.org", who.replace([' ', '\''], "-"));
        let new = store::NewPerson {
            email: email.clone(),
            name: who.to_owned(),
            password_hash: Some(hash.clone()),
            provider: None,
            administrator,
        };
        let id = store::insert_person(&self.db, new).await.unwrap();
        let signed_in =
            self.app.anonymous().post("/v1/sessions", json!({ "email": email, "password": PASSWORD })).await;
        self.who.insert(who, self.app.with_cookie(signed_in.expect(201).header("set-cookie")));
        self.people.insert(who, id.to_string());
    }

    /// Makes somebody a member of an organisation.
    pub async fn join(&self, who: &str, organisation: &str, role: Role) {
        let ids = (organisation.parse().unwrap(), self.people[who].parse().unwrap());
        store::join(&self.db, ids.0, ids.1, role).await.unwrap();
    }

    /// The client of somebody.
    pub fn of(&self, who: &str) -> &Client {
        &self.who[who]
    }

    /// Has the call name somebody as its evaluator.
    pub async fn name(&self, who: &str) -> Answer {
        let path = format!("/v1/calls/{}/evaluators/{}", self.call, self.people[who]);
        self.of("owner").put_new(&path, json!({})).await
    }

    /// Where the bids of the call are.
    pub fn bids(&self) -> String {
        format!("/v1/calls/{}/bids", self.call)
    }

    /// Has somebody hand in a bid.
    pub async fn bid(&self, who: &str, bid: Value) -> Answer {
        self.of(who).post(&self.bids(), bid).await
    }

    /// Has somebody ask for the opening.
    pub async fn open(&self, who: &str) -> Answer {
        self.of(who).post(&format!("/v1/calls/{}/openings", self.call), json!({})).await
    }

    /// Lets the deadline pass.
    pub async fn pass_deadline(&self) {
        self.sql("UPDATE call SET answers_due_at = '2020-01-01T00:00:00+00:00'").await;
    }

    /// Changes the database behind the back of the service.
    pub async fn sql(&self, sql: &str) {
        let done = self.db.execute_unprepared(sql).await.unwrap();
        assert!(done.rows_affected() > 0 || !sql.starts_with("UPDATE"), "{sql} changes nothing");
    }
}

/// Devices, of which a part may stay uncovered, and hours, in two lots; due long after these tests.
pub fn call(funder: &str) -> Value {
    let mut call = sample::call(funder);
    call["starts_on"] = json!("2190-01-01");
    call["answers_due_at"] = json!("2189-06-30T12:00:00Z");
    call["lots"][0]["needs"][0] = json!({
        "code": "kits", "title": "Ordinateurs", "service": "equipment-refurbishing", "territory": METROPOLE,
        "unit": "device", "quantity": 1_000_000_000, "per": "contract", "mandatory": false
    });
    call
}

/// The bid of an organisation alone, on the lot of devices.
pub fn alone(organisation: &str, quantity: i64, cents: i64) -> Value {
    json!({
        "organisation": organisation, "lots": ["equipment"],
        "members": [{ "organisation": organisation, "role": "sole-tenderer", "lots": ["equipment"] }],
        "allocations": [{ "need": "kits", "organisation": organisation, "quantity": quantity, "amount_cents": cents }],
        "amount_cents": cents
    })
}

/// The bid of two organisations on both lots.
pub fn together(lead: &str, other: &str) -> Value {
    json!({
        "organisation": lead, "lots": ["equipment", "training"],
        "members": [
            { "organisation": lead, "role": "group-lead", "lots": ["training"] },
            { "organisation": other, "role": "group-mem", "lots": ["equipment"] }
        ],
        "allocations": [
            { "need": "lessons", "organisation": lead, "quantity": 1_200, "amount_cents": 3_600_000 },
            { "need": "kits", "organisation": other, "quantity": 150, "amount_cents": 1_500_000 }
        ],
        "amount_cents": 5_100_000, "note": "Ensemble depuis 2019"
    })
}

/// The ids of the bids in a list.
pub fn ids(list: &Answer) -> Vec<String> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["receipt"]["id"].as_str().unwrap().to_owned()).collect()
}
