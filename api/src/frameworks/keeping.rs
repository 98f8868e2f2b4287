//! How a consortium is remembered.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::entity::{Model, Parts, member};
use super::store::Whole;
use super::{KeptCapability, Part, Snapshot, Standing};
use crate::calls::window::Window;
use crate::calls::{Call, Need};
use crate::capabilities::CapacityBand;
use crate::capabilities::store::Offer;
use crate::consortia::machine::{self, Phase};
use crate::consortia::whole::Whole as Consortium;
use crate::database::now;
use crate::organisations::Credential;
use crate::organisations::profile::Profile;

/// Whether all members of a consortium have signed a version of it: before that nothing is agreed that could be kept.
#[must_use]
pub fn is_agreed(consortium: &Consortium) -> bool {
    let mut members = accepted(consortium);
    consortium.state.phase != Phase::Forming
        && (consortium.state.phase != Phase::Ended || members.all(|(_, own)| own.signed.is_some()))
}

fn accepted(consortium: &Consortium) -> impl Iterator<Item = (Uuid, &machine::Membership)> {
    consortium.state.in_plan().filter(|(_, own)| own.standing == machine::Standing::Accepted)
}

/// A framework of those who belong to a consortium, in which the lead alone has said yes so far. Four queries; no column of money is read.
///
/// # Errors
/// The database's.
pub async fn kept(
    db: &impl ConnectionTrait,
    consortium: &Consortium,
    call: &Call,
    name: String,
) -> Result<Whole, DbErr> {
    let (id, lead) = (Uuid::now_v7(), consortium.state.lead);
    let ids: Vec<Uuid> = accepted(consortium).map(|(id, _)| id).collect();
    let mut shown = snapshots(db, &ids).await?;
    let needs: BTreeMap<&str, &Need> = needs(call);
    let member = |organisation: Uuid| {
        let own = consortium.details.get(&organisation)?;
        let parts = own.parts.iter().filter_map(|part| Some(remembered(part, needs.get(part.need.as_str())?)));
        let row = member::Model {
            framework_id: id,
            organisation_id: organisation,
            role: consortium.role(organisation)?,
            standing: if organisation == lead { Standing::Accepted } else { Standing::Asked },
            answers: 0,
            parts: Parts(parts.collect()),
            kept: shown.remove(&organisation).unwrap_or_default(),
        };
        Some((organisation, row))
    };
    let members = ids.iter().copied().filter_map(member).collect();
    let now = now();
    let row = Model {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        consortium_id: consortium.id,
        call_id: consortium.call,
        lead_id: lead,
        name,
        kept_in: consortium.state.phase,
        months: call.value.written.duration_months,
        ended_at: None,
    };
    Ok(Whole { row, members })
}

fn needs(call: &Call) -> BTreeMap<&str, &Need> {
    call.value.written.lots.iter().flat_map(|lot| &lot.needs).map(|need| (need.code.as_str(), need)).collect()
}

fn remembered(part: &crate::consortia::Part, need: &Need) -> Part {
    Part {
        need: part.need.clone(),
        service: need.service.clone(),
        territory: need.territory.clone(),
        public: need.public.clone(),
        modality: need.modality.clone(),
        unit: need.unit,
        quantity: part.quantity,
    }
}

/// What everybody may know of some organisations now, by organisation; those that are gone have none. Six queries.
///
/// # Errors
/// The database's.
pub async fn snapshots(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Snapshot>, DbErr> {
    let window = Window::new(db, None);
    let mut capabilities: BTreeMap<Uuid, Vec<KeptCapability>> = BTreeMap::new();
    for offer in window.offers_of(ids).await? {
        capabilities.entry(offer.organisation).or_default().push(capability(offer));
    }
    let profiles = window.profiles_around(ids).await?.into_iter().filter(|profile| ids.contains(&profile.id));
    let snapshot = |profile: Profile| {
        let unnumbered = |own: Credential| Credential { number: None, ..own };
        let snapshot = Snapshot {
            version: profile.version,
            capabilities: capabilities.remove(&profile.id).unwrap_or_default(),
            credentials: profile.credentials.into_iter().map(unnumbered).collect(),
        };
        (profile.id, snapshot)
    };
    Ok(profiles.map(snapshot).collect())
}

fn capability(offer: Offer) -> KeptCapability {
    let Offer {
        id: capability,
        version,
        organisation: _,
        services,
        publics,
        territories,
        modalities,
        unit,
        at_least_per_year,
        valid_from,
        valid_to,
    } = offer;
    let band = at_least_per_year.map(CapacityBand::of);
    KeptCapability { capability, version, services, publics, territories, modalities, unit, band, valid_from, valid_to }
}
