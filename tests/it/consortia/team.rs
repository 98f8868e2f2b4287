//! Four organisations with somebody in each, a funder, and a published call.

use serde_json::{Value, json};

use crate::support::app::{Answer, Client};
use crate::support::database::Engine;
use crate::support::sample::{self, created};
use crate::support::service::{App, spawn};
use crate::support::{bidding, people};

/// An organisation, and somebody who acts for it.
pub struct Actor {
    pub id: String,
    pub client: Client,
}

/// The world of these tests.
pub struct Team {
    pub app: App,
    pub call: String,
    pub funder: Actor,
    /// Leads.
    pub school: Actor,
    pub workshop: Actor,
    pub library: Actor,
    /// Has nothing to do with it, unless a test asks it.
    pub stranger: Actor,
}

async fn actor(app: &App, name: &str) -> Actor {
    let client = people::person(app, &format!("{name}@example.org")).await;
    Actor { id: people::founded(&client, name).await, client }
}

/// Starts the service with all of it; `change` may change the call before it is published.
pub async fn team_for(engine: Engine, change: impl FnOnce(&mut Value)) -> Team {
    let app = spawn(engine).await;
    sample::territories(&app).await;
    sample::elsewhere(&app).await;
    let (funder, school, workshop) =
        (actor(&app, "funder").await, actor(&app, "school").await, actor(&app, "workshop").await);
    let (library, stranger) = (actor(&app, "library").await, actor(&app, "stranger").await);
    let mut call = bidding::call(&funder.id);
    change(&mut call);
    let call = created(&funder.client, "/v1/calls", call).await;
    funder.client.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
    Team { app, call, funder, school, workshop, library, stranger }
}

/// The same, for the call as it is.
pub async fn team(engine: Engine) -> Team {
    team_for(engine, |_| {}).await
}

impl Team {
    /// A consortium of the school, which teaches 1,200 hours for 36,000 €; gives its path.
    pub async fn founded(&self) -> String {
        let new = json!({
            "call": self.call, "name": "Ensemble", "coordination_cents": 100_000,
            "parts": [{ "need": "lessons", "quantity": 1_200, "amount_cents": 3_600_000 }]
        });
        self.school.client.post("/v1/consortia", new).await.expect(201).header("location").to_owned()
    }

    /// Has the school invite somebody to refurbish devices.
    pub async fn invite(&self, path: &str, whom: &Actor, devices: i64, more: Value) -> Answer {
        let mut body = json!({
            "organisation": whom.id, "role": "group-mem", "parts": [{ "need": "kits", "quantity": devices, "amount_cents": devices * 100 }]
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.school.client.post(&format!("{path}/invitations"), body).await
    }

    /// Has the one who was invited accept.
    pub async fn accept(&self, path: &str, who: &Actor, consent: Value) -> Answer {
        let seen = who.client.get(path).await.expect(200);
        let terms = of(&seen.body, who)["terms"].clone();
        who.client.post(&member(path, who, "accept"), json!({ "terms": terms, "consent": consent })).await
    }

    /// The school with the workshop in it; gives the path.
    pub async fn pair(&self) -> String {
        let path = self.founded().await;
        self.invite(&path, &self.workshop, 100, json!({})).await.expect(200);
        self.accept(&path, &self.workshop, json!({})).await.expect(200);
        path
    }

    /// Has somebody sign what they see.
    pub async fn sign(&self, path: &str, who: &Actor) -> Answer {
        let digest = who.client.get(path).await.expect(200)["digest"].clone();
        who.client.post(&format!("{path}/sign"), json!({ "digest": digest })).await
    }

    /// Has these sign, and the school file; gives the bid.
    pub async fn filed(&self, path: &str, members: &[&Actor]) -> String {
        for who in members {
            self.sign(path, who).await.expect(200);
        }
        let receipt = self.school.client.post(&format!("{path}/file"), json!({})).await.expect(201);
        receipt["id"].as_str().unwrap().to_owned()
    }

    /// Lets the deadline of a call pass, and has two owners of the funder open its bids; gives the second.
    pub async fn opened(&self, call: &str) -> Client {
        self.sql("UPDATE call SET answers_due_at = '2020-01-01T00:00:00+00:00'").await;
        let second = people::person(&self.app, &format!("second-{call}@example.org")).await;
        people::let_in(&self.funder.client, &self.funder.id, &second, "owner").await;
        for who in [&self.funder.client, &second] {
            who.post(&format!("/v1/calls/{call}/openings"), json!({})).await.expect(200);
        }
        second
    }

    /// Has the funder choose the only bid on both lots of a call, and tell it at once.
    pub async fn chosen(&self, call: &str, bid: &str) {
        let on = json!({ "bid": bid, "chosen": true, "reasons": "Complète" });
        let lot = |lot: &str| json!({ "lot": lot, "outcome": "awarded", "reasons": "Une offre", "bids": [on] });
        let lots = [lot("equipment"), lot("training")];
        let decision = json!({ "tell_at": "2020-01-01T00:00:00Z", "lots": lots });
        self.funder.client.post(&format!("/v1/calls/{call}/decisions"), decision).await.expect(201);
    }

    /// Another published call of the funder, as `change` makes it; gives its id.
    pub async fn another_call(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut call = bidding::call(&self.funder.id);
        change(&mut call);
        let call = created(&self.funder.client, "/v1/calls", call).await;
        self.funder.client.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
        call
    }

    /// Changes the database behind the back of the service.
    pub async fn sql(&self, sql: &str) {
        people::execute(&self.app, sql, []).await;
    }
}

/// Where something is done with a membership.
pub fn member(path: &str, who: &Actor, verb: &str) -> String {
    format!("{path}/members/{}/{verb}", who.id)
}

/// What a view says of an organisation; null where it says nothing.
pub fn of(view: &Value, who: &Actor) -> Value {
    let mut members = view["members"].as_array().unwrap().iter();
    members.find(|one| one["organisation"] == json!(who.id)).cloned().unwrap_or_default()
}

/// The events that an organisation has read, without those before consortia.
pub async fn events(who: &Actor) -> Vec<String> {
    let feed = who.client.get("/v1/events?limit=100").await.expect(200);
    let kinds = feed["items"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap().to_owned());
    kinds.filter(|kind| kind.starts_with("consortium.")).collect()
}

/// Writes something into somebody's profile.
pub async fn profile(who: &Actor, more: Value) {
    let path = format!("/v1/organisations/{}", who.id);
    let etag = who.client.get(&path).await.expect(200).etag().to_owned();
    let mut whole = json!({ "name": "x" });
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    who.client.put(&path, &etag, whole).await.expect(200);
}
