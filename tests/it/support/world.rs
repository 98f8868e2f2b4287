//! Two organisations that compete, one that nobody looks after, and everybody who may ask something of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::app::Client;
use super::sample::{self, created};

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tenant {
    /// An organisation with members.
    A,
    /// Another one.
    B,
    /// One without members: in the care of the platform.
    Unclaimed,
    /// There is no such thing.
    Nobody,
}

pub const TENANTS: [Tenant; 4] = [Tenant::A, Tenant::B, Tenant::Unclaimed, Tenant::Nobody];

/// What somebody is in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Viewer,
    Editor,
    Owner,
}

/// Somebody who asks.
pub struct Caller {
    pub name: &'static str,
    pub client: Client,
    /// Their id, where they are a person.
    pub person: Option<String>,
    pub roles: BTreeMap<Tenant, Role>,
    pub administrator: bool,
    /// What a key may be used for; all where it is not a key.
    pub scopes: Option<&'static [&'static str]>,
}

impl Caller {
    /// Whether they may use a scope.
    pub fn holds(&self, scope: &str) -> bool {
        self.scopes.is_none_or(|scopes| scopes.contains(&scope))
    }

    /// The role that counts for something of a tenant: administrators own what nobody has claimed.
    pub fn role_in(&self, tenant: Tenant) -> Option<Role> {
        let cares = self.administrator && tenant == Tenant::Unclaimed;
        if cares { Some(Role::Owner) } else { self.roles.get(&tenant).copied() }
    }
}

/// Everybody, and everything.
pub struct World {
    pub callers: Vec<Caller>,
    pub organisations: BTreeMap<Tenant, String>,
    /// Somebody else, who has nothing to do with them.
    pub third: Client,
}

pub const PASSWORD: &str = "quatre chevaux attelés";

/// Makes an account and signs in; gives the client of that person and their id.
pub async fn person(client: &Client, address: &str) -> (Client, String) {
    let account = json!({ "email": address, "name": address, "password": PASSWORD });
    client.anonymous().post("/v1/people", account).await.expect(202);
    let signed_in =
        client.anonymous().post("/v1/sessions", json!({ "email": address, "password": PASSWORD })).await.expect(201);
    let client = client.with_cookie(signed_in.header("set-cookie"));
    let me = client.get("/v1/me").await.expect(200);
    let id = me["person"]["id"].as_str().unwrap().to_owned();
    (client, id)
}

/// A person whom `owner` invites into an organisation.
pub async fn member(
    client: &Client,
    owner: &Client,
    organisation: &str,
    role: &str,
    address: &str,
) -> (Client, String) {
    let (client, id) = person(client, address).await;
    let path = format!("/v1/organisations/{organisation}/invitations");
    let invitation = owner.post(&path, json!({ "role": role })).await.expect(201);
    client.post("/v1/invitations/accept", json!({ "secret": invitation["secret"] })).await.expect(200);
    (client, id)
}

/// A key that `owner` makes.
pub async fn key(client: &Client, owner: &Client, organisation: &str, role: &str, scopes: &[&str]) -> Client {
    let path = format!("/v1/organisations/{organisation}/api-keys");
    let body = json!({ "name": "a key", "role": role, "scopes": scopes });
    let issued = owner.post(&path, body).await.expect(201);
    client.with_key(issued["secret"].as_str().unwrap())
}

pub const ALL_SCOPES: &[&str] = &["read", "market", "calls", "solve", "bids", "manage"];

/// Fills the service of `platform`, a client with a key of the platform.
pub async fn world(platform: &Client) -> World {
    sample::territories(platform).await;
    let (first, first_id) = person(platform, "owner-a@example.org").await;
    let (second, second_id) = person(platform, "owner-b@example.org").await;
    let (stranger, stranger_id) = person(platform, "stranger@example.org").await;
    let organisations = BTreeMap::from([
        (Tenant::A, created(&first, "/v1/organisations", json!({ "name": "A" })).await),
        (Tenant::B, created(&second, "/v1/organisations", json!({ "name": "B" })).await),
        (Tenant::Unclaimed, created(platform, "/v1/organisations", json!({ "name": "C" })).await),
        (Tenant::Nobody, "019e0000-0000-7000-8000-000000000000".to_owned()),
    ]);
    let a = &organisations[&Tenant::A];
    let (viewer, viewer_id) = member(platform, &first, a, "viewer", "viewer-a@example.org").await;
    let (editor, editor_id) = member(platform, &first, a, "editor", "editor-a@example.org").await;
    let whole_key = key(platform, &first, a, "owner", ALL_SCOPES).await;
    let reading_key = key(platform, &first, a, "owner", &["read"]).await;
    let writing_key = key(platform, &first, a, "editor", &["market", "calls", "solve"]).await;
    let of_a = |role| BTreeMap::from([(Tenant::A, role)]);
    let caller =
        |name, client, person, roles| Caller { name, client, person, roles, administrator: false, scopes: None };
    let keyed = |name, client, role, scopes| Caller { scopes: Some(scopes), ..caller(name, client, None, of_a(role)) };
    let callers = vec![
        caller("nobody", platform.anonymous(), None, BTreeMap::new()),
        caller("a person of no organisation", stranger, Some(stranger_id), BTreeMap::new()),
        caller("a viewer of A", viewer, Some(viewer_id), of_a(Role::Viewer)),
        caller("an editor of A", editor, Some(editor_id), of_a(Role::Editor)),
        caller("an owner of A", first, Some(first_id), of_a(Role::Owner)),
        caller("an owner of B", second, Some(second_id), BTreeMap::from([(Tenant::B, Role::Owner)])),
        keyed("a key of A", whole_key, Role::Owner, ALL_SCOPES),
        keyed("a key of A that reads", reading_key, Role::Owner, &["read"]),
        keyed("a key of A that writes", writing_key, Role::Editor, &["market", "calls", "solve"]),
        Caller { administrator: true, ..caller("a key of the platform", platform.clone(), None, BTreeMap::new()) },
    ];
    let (third, _) = person(platform, "third@example.org").await;
    World { callers, organisations, third }
}

impl World {
    /// A caller by name.
    pub fn caller(&self, name: &str) -> &Caller {
        self.callers.iter().find(|caller| caller.name == name).unwrap()
    }

    /// Whoever may do everything with what belongs to a tenant.
    pub fn owner_of(&self, tenant: Tenant) -> &Client {
        let name = match tenant {
            Tenant::A => "an owner of A",
            Tenant::B => "an owner of B",
            Tenant::Unclaimed | Tenant::Nobody => "a key of the platform",
        };
        &self.caller(name).client
    }

    /// The id of an organisation.
    pub fn organisation(&self, tenant: Tenant) -> &str {
        &self.organisations[&tenant]
    }
}

/// The id in an answer.
pub fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}
