//! Places of a file, and the organisations that run them, into the database.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use super::Report;
use super::organisation::{Known, merged, numbers};
use crate::capabilities::{self, NewCapability};
use crate::database::now;
use crate::imports::lieux::{ImportedOrganisation, Place};
use crate::imports::place::Model as StoredPlace;
use crate::imports::{ImportSummary, RowAction, RowFault, RowProblem, store};
use crate::organisations::{self, Evidence, Organisation};
use crate::problem::Problem;
use crate::territories::{self, NewTerritory, TerritoryKind};
use crate::vocabularies::{self, Vocabulary};

/// Creates what is new and completes what is known. About a dozen queries, a few per thousand new rows, and up to eight
/// per organisation or capability that has changed.
pub async fn write(
    db: &impl ConnectionTrait,
    communes: &BTreeMap<String, NewTerritory>,
    places: &[Place],
    read: &[ImportedOrganisation],
    summary: &mut ImportSummary,
    report: &mut Report,
) -> Result<(), Problem> {
    write_communes(db, communes, summary).await?;
    let owners = write_organisations(db, places, read, summary, report).await?;
    write_capabilities(db, read, &owners, summary).await?;
    write_places(db, places, &owners, summary).await
}

/// The communes that places name by code: their name and code are facts of the file, all else about them is unknown.
pub fn communes(places: &[Place]) -> BTreeMap<String, NewTerritory> {
    let mut communes = BTreeMap::new();
    for place in places {
        if let Some(code) = &place.commune_code {
            communes
                .entry(code.clone())
                .or_insert_with(|| commune(code, place.commune_name.as_deref().unwrap_or(code)));
        }
    }
    communes
}

async fn write_communes(
    db: &impl ConnectionTrait,
    communes: &BTreeMap<String, NewTerritory>,
    summary: &mut ImportSummary,
) -> Result<(), Problem> {
    let known = territories::store::existing(db, communes.keys().map(String::as_str)).await?;
    let missing = communes.iter().filter(|(code, _)| !known.contains(*code));
    let created: Vec<(String, NewTerritory)> = missing.map(|(code, new)| (code.clone(), new.clone())).collect();
    summary.territories.created += created.len() as u64;
    territories::store::insert_many(db, &created).await?;
    Ok(())
}

fn commune(code: &str, name: &str) -> NewTerritory {
    NewTerritory {
        name: name.to_owned(),
        kind: if is_arrondissement(code) { TerritoryKind::Arrondissement } else { TerritoryKind::Commune },
        parent: None,
        population: None,
        latitude: None,
        longitude: None,
        indicators: territories::Indicators::default(),
    }
}

/// The municipal arrondissements of Lyon, Marseille and Paris.
fn is_arrondissement(code: &str) -> bool {
    matches!(code.parse(), Ok(69_381..=69_389 | 13_201..=13_216 | 75_101..=75_120))
}

/// The id of every imported organisation, by its key.
async fn write_organisations(
    db: &impl ConnectionTrait,
    places: &[Place],
    read: &[ImportedOrganisation],
    summary: &mut ImportSummary,
    report: &mut Report,
) -> Result<BTreeMap<String, Uuid>, Problem> {
    let known = Known::new(organisations::store::all(db).await?, organisations::store::import_keys(db).await?);
    let lines: BTreeMap<&str, u64> =
        places.iter().rev().map(|place| (place.organisation.as_str(), place.line)).collect();
    let mut owners = BTreeMap::new();
    let mut created = Vec::new();
    let mut changed: BTreeMap<Uuid, (i64, organisations::NewOrganisation)> = BTreeMap::new();
    for imported in read {
        let before = known.find(imported);
        let id = before.map(|before| before.id);
        let (taken, own): (Vec<_>, Vec<_>) = numbers(imported).partition(|own| known.is_taken(own, id));
        let line = lines.get(imported.key.as_str()).copied().unwrap_or_default();
        for own in taken {
            report.add(taken_fault(line, own.id));
        }
        let Some(before) = before else {
            let id = Uuid::now_v7();
            owners.insert(imported.key.clone(), id);
            let new = merged(None, imported, own);
            created.push(organisations::store::Insertion { id, import_key: Some(imported.key.clone()), new });
            continue;
        };
        owners.insert(imported.key.clone(), before.id);
        // Two entities of the file may be one in the database: the second completes what the first left.
        let latest = changed.get(&before.id).map_or(&before.value, |(_, new)| new);
        let new = merged(Some(latest), imported, own);
        if new == *latest {
            summary.organisations.unchanged += 1;
        } else {
            summary.organisations.updated += 1;
            changed.insert(before.id, (version(before), new));
        }
    }
    for (id, (version, new)) in changed {
        organisations::store::replace(db, id, &new, version).await?;
    }
    summary.organisations.created += created.len() as u64;
    organisations::store::insert_many(db, &created).await?;
    Ok(owners)
}

const fn version(before: &Organisation) -> i64 {
    before.version
}

fn taken_fault(line: u64, number: String) -> RowFault {
    RowFault {
        line,
        field: "pivot".to_owned(),
        message: format!("{number} already belongs to another organisation: it is not given to this one"),
        value: number,
        problem: RowProblem::Duplicate,
        action: RowAction::ValueIgnored,
    }
}

/// The codes that people have left in the services, the publics and the modalities. Three queries.
async fn present_terms(db: &impl ConnectionTrait) -> Result<[BTreeSet<String>; 3], Problem> {
    let mut present = [const { BTreeSet::new() }; 3];
    let vocabularies = [Vocabulary::Services, Vocabulary::Publics, Vocabulary::Modalities];
    for (codes, vocabulary) in present.iter_mut().zip(vocabularies) {
        codes.extend(vocabularies::store::all(db, vocabulary).await?.into_iter().map(|row| row.code));
    }
    Ok(present)
}

/// Capabilities of what is still in the vocabularies; an offer without a service gives none.
async fn write_capabilities(
    db: &impl ConnectionTrait,
    read: &[ImportedOrganisation],
    owners: &BTreeMap<String, Uuid>,
    summary: &mut ImportSummary,
) -> Result<(), Problem> {
    let known = capabilities::store::imported(db).await?;
    let [services, publics, modalities] = present_terms(db).await?;
    let still = |codes: &[String], present: &BTreeSet<String>| -> Vec<String> {
        codes.iter().filter(|code| present.contains(*code)).cloned().collect()
    };
    let mut created = Vec::new();
    for imported in read {
        let Some(&organisation) = owners.get(&imported.key) else { continue };
        for offer in &imported.capabilities {
            let Some(before) = known.get(&offer.key) else {
                let offered = still(&offer.services, &services);
                if offered.is_empty() {
                    continue;
                }
                let new = NewCapability {
                    organisation,
                    title: None,
                    services: offered,
                    publics: still(&offer.publics, &publics),
                    territories: offer.territories.clone(),
                    modalities: still(&offer.modalities, &modalities),
                    unit: None,
                    capacity_per_year: None,
                    unit_cost_cents: None,
                    fixed_cost_cents: 0,
                    minimum_quantity: 0,
                    evidence: Evidence::Referenced,
                    valid_from: None,
                    valid_to: None,
                };
                let import_key = Some(offer.key.clone());
                created.push(capabilities::store::Insertion { id: Uuid::now_v7(), import_key, new });
                continue;
            };
            // The key holds services, publics and modalities: only the places can have changed, and none is taken away.
            let territories: BTreeSet<String> =
                before.value.territories.iter().chain(&offer.territories).cloned().collect();
            if territories.len() == before.value.territories.len() {
                summary.capabilities.unchanged += 1;
            } else {
                let new = NewCapability { territories: territories.into_iter().collect(), ..before.value.clone() };
                capabilities::store::replace(db, before.id, &new, before.version).await?;
                summary.capabilities.updated += 1;
            }
        }
    }
    summary.capabilities.created += created.len() as u64;
    capabilities::store::insert_many(db, &created).await?;
    Ok(())
}

async fn write_places(
    db: &impl ConnectionTrait,
    places: &[Place],
    owners: &BTreeMap<String, Uuid>,
    summary: &mut ImportSummary,
) -> Result<(), Problem> {
    let known = store::places(db).await?;
    let now = now();
    let mut created = Vec::new();
    for place in places {
        let Some(&organisation_id) = owners.get(&place.organisation) else { continue };
        let before = known.get(&place.key);
        let row = StoredPlace {
            id: before.map_or_else(Uuid::now_v7, |before| before.id),
            version: before.map_or(1, |before| before.version),
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: before.map_or(now, |before| before.updated_at),
            import_key: place.key.clone(),
            organisation_id,
            name: place.name.clone(),
            address: place.address.clone(),
            post_code: place.post_code.clone(),
            municipality: place.commune_name.clone().unwrap_or_default(),
            territory_code: place.commune_code.clone(),
            latitude: place.position.map(|position| position.latitude),
            longitude: place.position.map(|position| position.longitude),
            details: details(place),
        };
        match before {
            None => created.push(row),
            Some(before) if *before == row => summary.places.unchanged += 1,
            Some(before) => {
                let version = before.version + 1;
                store::update_place(db, StoredPlace { version, updated_at: now, ..row }).await?;
                summary.places.updated += 1;
            }
        }
    }
    summary.places.created += created.len() as u64;
    store::insert_places(db, created).await?;
    Ok(())
}

/// What the source says of a place beside who, where and what. Members without a value are left out.
fn details(place: &Place) -> serde_json::Value {
    let mut details = json!({
        "source": place.source,
        "source_id": place.id,
        "address_complement": place.address_complement,
        "address_withheld": place.address_withheld.then_some(true),
        "typologies": place.typologies,
        "telephone": place.telephone,
        "emails": place.emails,
        "websites": place.websites,
        "opening_hours": place.opening_hours,
        "summary": place.summary,
        "presentation": place.presentation,
        "mobility": place.mobility,
        "updated_on": place.updated_on,
        "services": place.services,
        "publics": place.publics,
        "modalities": place.modalities,
        "fees": place.fees,
        "access": place.access,
        "credentials": place.credentials,
        "other_labels": place.other_labels,
        "accessibility_page": place.accessibility_page,
        "booking_page": place.booking_page,
    });
    if let Some(members) = details.as_object_mut() {
        members.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
        // PostgreSQL keeps members in an order of its own: one order here makes equal details compare equal.
        members.sort_keys();
    }
    details
}
