//! Clients that write, and remember what they were told.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use serde_json::json;
use uuid::Uuid;

use crate::support::wire::{Reply, Wire, request};

/// How long a client rests before it sends a request again.
const PAUSE: Duration = Duration::from_millis(20);

/// Clients of one service, which may die and come back elsewhere.
pub struct Writers {
    credential: String,
    address: Cell<SocketAddr>,
    over: Cell<bool>,
    /// Writes that were acknowledged.
    pub acknowledged: Cell<usize>,
    /// Requests that were sent again, for want of an answer.
    pub resent: Cell<usize>,
    /// Requests that were refused for the moment.
    pub refused: Cell<usize>,
    /// Organisations that were acknowledged: id, and name.
    made: RefCell<BTreeMap<Uuid, String>>,
}

impl Writers {
    pub fn new(address: SocketAddr, key: &str) -> Self {
        Self {
            credential: format!("Bearer {key}"),
            address: Cell::new(address),
            over: Cell::new(false),
            acknowledged: Cell::new(0),
            resent: Cell::new(0),
            refused: Cell::new(0),
            made: RefCell::default(),
        }
    }

    /// Where the service is from now on.
    pub fn turn_to(&self, address: SocketAddr) {
        self.address.set(address);
    }

    /// Has each client end after what it has begun.
    pub fn end(&self) {
        self.over.set(true);
    }

    /// So many clients write until they are told to end: each makes an organisation, changes it, and begins anew.
    pub async fn write(&self, clients: usize) {
        join_all((0..clients).map(|number| self.client(number))).await;
    }

    async fn client(&self, client: usize) {
        let mut wire = None;
        for round in 0.. {
            if self.over.get() {
                return;
            }
            let name = format!("Écrit {client}-{round}");
            let key = format!("{client}-{round}");
            let headers = [("Authorization", self.credential.as_str()), ("Idempotency-Key", &key)];
            let post = request("POST", "/v1/organisations", &headers, Some(&json!({ "name": name })));
            let made = self.answered(&mut wire, &post).await;
            assert_eq!(made.status, 201, "{}", made.json());
            let id = made.json()["id"].as_str().unwrap().to_owned();
            self.acknowledged.set(self.acknowledged.get() + 1);
            self.made.borrow_mut().insert(id.parse().unwrap(), name.clone());
            self.change(&mut wire, &format!("/v1/organisations/{id}"), &name, made.header("etag").unwrap()).await;
        }
    }

    /// Changes an organisation once: when nobody has answered and the version is no longer the first, it was this client.
    async fn change(&self, wire: &mut Option<Wire>, path: &str, name: &str, etag: &str) {
        let headers = [("Authorization", self.credential.as_str()), ("If-Match", etag)];
        let put = request("PUT", path, &headers, Some(&json!({ "name": name, "volunteers": 1 })));
        let before = self.unanswered();
        let changed = self.answered(wire, &put).await;
        if changed.status == 412 {
            assert!(self.unanswered() > before, "nobody else changes it");
            let get = request("GET", path, &headers[..1], None);
            let read = self.answered(wire, &get).await.json();
            assert_eq!((&read["version"], &read["volunteers"]), (&json!(2), &json!(1)), "{read:#}");
        } else {
            assert_eq!(changed.status, 200, "{}", changed.json());
        }
        self.acknowledged.set(self.acknowledged.get() + 1);
    }

    /// How often nobody knew what had become of a request.
    fn unanswered(&self) -> usize {
        self.resent.get() + self.refused.get()
    }

    /// The answer to a request, which is sent until there is one.
    async fn answered(&self, wire: &mut Option<Wire>, request: &[u8]) -> Reply {
        loop {
            if wire.is_none() {
                *wire = Wire::connect(self.address.get()).await.ok();
            }
            if let Some(connected) = wire {
                match connected.exchange(request).await {
                    Ok(reply) if reply.status == 503 => {
                        self.refused.set(self.refused.get() + 1);
                        if reply.header("connection") == Some("close") {
                            *wire = None;
                        }
                    }
                    Ok(reply) => return reply,
                    Err(_) => {
                        self.resent.set(self.resent.get() + 1);
                        *wire = None;
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Everything that was acknowledged is there once, with its entries in the log, and nothing else is.
    pub async fn check(&self, db: &DatabaseConnection) {
        let rows = async |sql: &str| {
            let statement = Statement::from_string(db.get_database_backend(), sql);
            db.query_all_raw(statement).await.unwrap()
        };
        let made = self.made.borrow().clone();
        let mut there = BTreeMap::new();
        for row in rows("SELECT id, name, version FROM organisation WHERE name LIKE 'Écrit %'").await {
            let (id, name, version): (Uuid, String, i64) =
                (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap(), row.try_get_by_index(2).unwrap());
            assert_eq!(version, 2, "{name}");
            there.insert(id, name);
        }
        assert_eq!(there, made, "what is there is what was acknowledged");
        let ids = async |sql: &str| {
            let rows = rows(sql).await;
            rows.iter().map(|row| row.try_get_by_index::<Uuid>(0).unwrap()).collect::<BTreeSet<Uuid>>()
        };
        let whole = ids("SELECT id FROM organisation").await;
        for (action, written) in
            [("create_organisation", whole), ("replace_organisation", made.keys().copied().collect())]
        {
            let entries = rows(&format!(
                "SELECT subject FROM audit_entry WHERE action = '{action}' AND subject LIKE 'organisation:%'"
            ))
            .await;
            let mut subjects: Vec<String> = entries.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
            subjects.sort_unstable();
            let expected: Vec<String> = written.iter().map(|id| format!("organisation:{id}")).collect();
            assert_eq!(subjects, expected, "each has one entry of {action}");
        }
        let kept: i64 = rows("SELECT COUNT(*) FROM idempotency_key").await[0].try_get_by_index(0).unwrap();
        assert_eq!(usize::try_from(kept).unwrap(), made.len());
    }
}
