//! The market of the demonstration, from its file into an empty database.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate, Utc};
use sea_orm::ConnectionTrait;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::{Log, Recorded};
use crate::body::Contract;
use crate::calls::{self, Call, CallStatus, NewCall};
use crate::capabilities::{self, NewCapability};
use crate::organisations::{self, NewOrganisation};
use crate::problem::{Fault, Problem};
use crate::relations::{self, NewRelation};

/// The Métropole de Lyon with its communes, and what lies above the other places that the market names.
pub const TERRITORIES: &str = include_str!("../../data/demo/territories.csv");

/// The market, as it is shipped. [`Market`] reads it.
pub const MARKET: &str = include_str!("../../data/demo/market.json");

type Members = Map<String, Value>;
type Keys = BTreeMap<String, Uuid>;

/// Organisations with their capabilities, relations and one call.
///
/// Each part has the members of the body that the API takes, but refers to organisations by their `key` in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Where the facts come from, and what is invented.
    pub note: String,
    /// Those that links name come first.
    pub organisations: Vec<Entry>,
    /// Who already knows whom.
    pub relations: Vec<Members>,
    /// The call; the file leaves out its dates.
    pub call: Members,
}

/// An organisation of the market.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// How the rest of the file calls it.
    pub key: String,
    /// What it can do; the file leaves out whose.
    pub capabilities: Vec<Members>,
    /// The organisation itself.
    #[serde(flatten)]
    pub organisation: Members,
}

impl Market {
    /// The market that is shipped.
    ///
    /// # Errors
    /// A file of ours that cannot be read.
    pub fn shipped() -> serde_json::Result<Self> {
        serde_json::from_str(MARKET)
    }

    /// Writes everything, or nothing, and publishes the call. About ten queries per organisation and per capability.
    ///
    /// # Errors
    /// A part that the API would refuse, with the same faults; the database's.
    pub async fn store(self, log: &Log, contract: &Contract) -> Result<Call, Problem> {
        let tx = log.begin_own("demo").await?;
        let mut keys = Keys::new();
        for entry in self.organisations {
            let Entry { key, capabilities, organisation } = entry;
            let about = |problem: Problem| problem.because(format!("in the organisation `{key}`"));
            let id = store_organisation(&tx, contract, &keys, organisation).await.map_err(about)?;
            for capability in capabilities {
                store_capability(&tx, contract, id, capability).await.map_err(about)?;
            }
            keys.insert(key, id);
        }
        for mut relation in self.relations {
            resolve(&keys, &mut relation, "a")?;
            resolve(&keys, &mut relation, "b")?;
            let new: NewRelation = parse(contract, relation)?;
            relations::store::insert(&tx, &new).await?;
        }
        let call =
            store_call(&tx, contract, &keys, self.call).await.map_err(|problem| problem.because("in the call"))?;
        tx.commit(Recorded::of("call", call.id).concerning(keys.into_values())).await?;
        Ok(call)
    }
}

async fn store_organisation(
    db: &impl ConnectionTrait,
    contract: &Contract,
    keys: &Keys,
    mut members: Members,
) -> Result<Uuid, Problem> {
    for link in members.get_mut("links").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(link) = link.as_object_mut() {
            resolve(keys, link, "to")?;
        }
    }
    let new: NewOrganisation = parse(contract, members)?;
    Problem::check(organisations::validate::faults(db, None, &new).await?)?;
    let id = Uuid::now_v7();
    organisations::store::insert_many(db, &[organisations::store::Insertion { id, import_key: None, new }]).await?;
    Ok(id)
}

async fn store_capability(
    db: &impl ConnectionTrait,
    contract: &Contract,
    organisation: Uuid,
    mut members: Members,
) -> Result<(), Problem> {
    members.insert("organisation".to_owned(), organisation.to_string().into());
    let new: NewCapability = parse(contract, members)?;
    Problem::check(capabilities::validate::faults(db, &new).await?)?;
    let id = Uuid::now_v7();
    capabilities::store::insert_many(db, &[capabilities::store::Insertion { id, import_key: None, new }]).await?;
    Ok(())
}

async fn store_call(
    db: &impl ConnectionTrait,
    contract: &Contract,
    keys: &Keys,
    mut members: Members,
) -> Result<Call, Problem> {
    resolve(keys, &mut members, "funder")?;
    let (due, start) = dates(Utc::now().date_naive())?;
    members.insert("answers_due_at".to_owned(), format!("{due}T11:00:00Z").into());
    members.insert("starts_on".to_owned(), start.to_string().into());
    let new: NewCall = parse(contract, members)?;
    Problem::check(calls::validate::faults(db, &new).await?)?;
    let id = Uuid::now_v7();
    calls::store::insert(db, id, &new).await?;
    calls::store::advance(db, id, CallStatus::Draft, CallStatus::Published).await?;
    calls::store::find(db, id).await?.ok_or_else(Problem::not_found)
}

/// When answers are due and when the contract starts, so that the call is open on whichever day it is shown: in 30 days, and with the year
/// after.
fn dates(today: NaiveDate) -> Result<(NaiveDate, NaiveDate), Problem> {
    let due = today.checked_add_days(Days::new(30));
    let start = due.and_then(|due| NaiveDate::from_ymd_opt(due.year() + 1, 1, 1));
    due.zip(start).ok_or_else(|| Problem::internal("a clock at the end of time"))
}

fn parse<T: serde::de::DeserializeOwned + ToSchema>(contract: &Contract, members: Members) -> Result<T, Problem> {
    contract.parse(Value::Object(members))
}

/// Puts the id of an organisation in the place of its key.
fn resolve(keys: &Keys, members: &mut Members, member: &str) -> Result<(), Problem> {
    let Some(value) = members.get_mut(member) else { return Ok(()) };
    let Some(id) = value.as_str().and_then(|key| keys.get(key)) else {
        let detail = format!("no organisation before this place of the file has the key {value}");
        return Err(Problem::invalid(vec![Fault::at(format!("/{member}"), detail)]));
    };
    *value = id.to_string().into();
    Ok(())
}
