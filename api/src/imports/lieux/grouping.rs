//! From places to the organisations that run them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::{ImportedCapability, ImportedOrganisation, Place, PlaceNumber};
use crate::fold::fold;
use crate::identifiers::{Siren, Siret};
use crate::imports::report::{Faults, Report, RowProblem};

/// Words that name a kind of place, not an organisation: a name made of them alone says nothing outside its commune.
const GENERIC: &str = "\
    a accompagnement accueil animation annexe antenne associatif association associative atelier ateliers au aux \
    bibliotheque bureau bus ccas central centrale centre centres cias club commun communal communale communautaire \
    commune connecte conseil conseiller conseillers culturel culturelle cyber cybercentre cyberespace d de des du \
    emploi en enfance epn espace et fab fablab famille familles fixe formation foyer france habitants hotel \
    informatique insertion intercommunal intercommunale internet itinerant jeunes jeunesse jour l la lab le les lieu \
    local locale mairie maison mediatheque mediation medico mission mjc mobile multimedia multiservices municipal \
    municipale municipaux num numerique office par permanence point pole poste pour premier public publique quartier \
    relais residence rural rurale salle seniors service services site social sociale sociaux socio socioculturel \
    socioculturels solidaire solidarite solidarites sur tiers tourisme vie ville";

/// The numbered entities that bear a name in a département.
type Bearers = BTreeMap<(String, String), BTreeSet<String>>;

/// Groups places into organisations, sorted by key, and tells every place the key of its organisation.
///
/// By SIREN (of its own number, else of a number given as the parent structure), by RNA number, else by the name of the
/// parent structure or of the place: a name that exactly one numbered entity bears in the same département joins it,
/// with a note; a name that several bear joins none. O(n log n).
pub(super) fn group(places: &mut [Place], log: &mut Report) -> Vec<ImportedOrganisation> {
    let mut bearers = Bearers::new();
    for place in places.iter_mut() {
        let Some(key) = key_of_number(place) else { continue };
        for name in names(place) {
            bearers.entry((departement(place).to_owned(), fold(name))).or_default().insert(key.clone());
        }
        place.organisation = key;
    }
    for place in places.iter_mut().filter(|place| place.organisation.is_empty()) {
        place.organisation = key_of_name(place, &bearers, &mut Faults::of_line(place.line, log));
    }
    let mut groups: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
    for place in places.iter() {
        groups.entry(&place.organisation).or_default().push(place);
    }
    groups.into_iter().map(|(key, places)| organisation(key, &places)).collect()
}

fn key_of_number(place: &Place) -> Option<String> {
    let parent = || place.parent_structure.as_deref().and_then(siren_in_words);
    match &place.number {
        Some(PlaceNumber::Siret(siret)) => Some(format!("siren:{}", siret.siren())),
        Some(PlaceNumber::Siren(siren)) => Some(format!("siren:{siren}")),
        Some(PlaceNumber::Rna(rna)) => Some(format!("rna:{rna}")),
        None => parent().map(|siren| format!("siren:{siren}")),
    }
}

/// Older files give the parent structure by its number.
fn siren_in_words(text: &str) -> Option<Siren> {
    text.parse().ok().or_else(|| text.parse::<Siret>().ok().map(|siret| siret.siren()))
}

/// The name of the parent structure, when it is a name, and that of the place.
fn names(place: &Place) -> impl Iterator<Item = &str> {
    parent_name(place).into_iter().chain([place.name.as_str()])
}

fn parent_name(place: &Place) -> Option<&str> {
    place.parent_structure.as_deref().filter(|parent| siren_in_words(parent).is_none())
}

/// The start of the post code; empty without one.
fn departement(place: &Place) -> &str {
    let code = place.post_code.as_deref().unwrap_or("");
    let overseas = code.starts_with("97") || code.starts_with("98");
    code.get(..if overseas { 3 } else { 2 }).unwrap_or("")
}

fn key_of_name(place: &Place, bearers: &Bearers, faults: &mut Faults<'_>) -> String {
    let (field, name) = match parent_name(place) {
        Some(parent) => ("structure_parente", parent),
        None => ("nom", place.name.as_str()),
    };
    let folded = fold(name);
    if folded.is_empty() {
        return format!("name:{}", place.key);
    }
    if folded
        .split(' ')
        .all(|word| GENERIC.split(' ').any(|generic| generic == word) || word.bytes().all(|b| b.is_ascii_digit()))
    {
        // Not the code of the commune: whether it is known depends on what else has been imported.
        let area = place.post_code.clone().or_else(|| place.commune_name.as_deref().map(fold));
        return format!("name:{folded}@{}", area.unwrap_or_default());
    }
    let folded = (departement(place).to_owned(), folded);
    let entities = bearers.get(&folded).map(Vec::from_iter).unwrap_or_default();
    let folded = folded.1;
    match entities.as_slice() {
        [] => format!("name:{folded}"),
        [only] => {
            let message = format!("joined {only}, which alone has this name in the département");
            faults.keep(field, name, RowProblem::JoinedByName, message);
            (*only).clone()
        }
        several => {
            let count = several.len();
            let message = format!("{count} entities of the département have this name; the place joins none of them");
            faults.keep(field, name, RowProblem::AmbiguousName, message);
            format!("name:{folded}")
        }
    }
}

fn organisation(key: &str, places: &[&Place]) -> ImportedOrganisation {
    let (name, aliases) = name_and_aliases(places);
    ImportedOrganisation {
        name,
        aliases,
        sirets: sorted(places.iter().filter_map(|place| match &place.number {
            Some(PlaceNumber::Siret(siret)) => Some(siret.clone()),
            _ => None,
        })),
        siren: key.strip_prefix("siren:").and_then(|number| number.parse().ok()),
        rna: key.strip_prefix("rna:").and_then(|number| number.parse().ok()),
        typologies: union(places, |place| &place.typologies),
        websites: union(places, |place| &place.websites),
        communes: sorted(places.iter().filter_map(|place| place.commune_code.clone())),
        sources: sorted(places.iter().filter_map(|place| place.source.clone())),
        updated_on: places.iter().filter_map(|place| place.updated_on).max(),
        capabilities: capabilities(key, places),
        credentials: union(places, |place| &place.credentials),
        other_labels: union(places, |place| &place.other_labels),
        places: sorted(places.iter().map(|place| place.key.clone())),
        key: key.to_owned(),
    }
}

/// The name is the parent structure's if any place gives one, else a place's: the most frequent, then the shortest,
/// then the first in the alphabet. Every other name, once whatever its spelling, is an alias.
fn name_and_aliases(places: &[&Place]) -> (String, Vec<String>) {
    let parents: Vec<&str> = places.iter().filter_map(|place| parent_name(place)).collect();
    let own: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
    let name = most_frequent(if parents.is_empty() { &own } else { &parents }).to_owned();
    let mut spellings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for spelling in parents.into_iter().chain(own) {
        spellings.entry(fold(spelling)).or_default().push(spelling);
    }
    spellings.remove(&fold(&name));
    (name, sorted(spellings.values().map(|spellings| most_frequent(spellings).to_owned())))
}

fn most_frequent<'n>(names: &[&'n str]) -> &'n str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let best = counts.into_iter().min_by_key(|&(name, count)| (std::cmp::Reverse(count), name.chars().count(), name));
    best.map_or("", |(name, _)| name)
}

/// One capability for all places of an organisation that offer the same to the same publics in the same ways.
fn capabilities(organisation: &str, places: &[&Place]) -> Vec<ImportedCapability> {
    let mut by_offer: BTreeMap<[Vec<String>; 3], Vec<&Place>> = BTreeMap::new();
    for place in places.iter().filter(|place| !place.services.is_empty() && place.commune_code.is_some()) {
        let offer = [&place.services, &place.publics, &place.modalities].map(|codes| sorted(codes.iter().cloned()));
        by_offer.entry(offer).or_default().push(place);
    }
    let mut capabilities: Vec<ImportedCapability> = by_offer
        .into_iter()
        .map(|(offer, places)| ImportedCapability {
            key: format!("{organisation}#{}", signature(&offer)),
            territories: sorted(places.iter().filter_map(|place| place.commune_code.clone())),
            updated_on: places.iter().filter_map(|place| place.updated_on).max(),
            services: offer[0].clone(),
            publics: offer[1].clone(),
            modalities: offer[2].clone(),
        })
        .collect();
    capabilities.sort_by(|a, b| a.key.cmp(&b.key));
    capabilities
}

/// Sixteen hexadecimal digits of the SHA-256 of an offer.
fn signature(offer: &[Vec<String>; 3]) -> String {
    let text = offer.each_ref().map(|codes| codes.join("|")).join("\n");
    Sha256::digest(text.as_bytes()).iter().take(8).fold(String::with_capacity(16), |mut digits, byte| {
        _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn union(places: &[&Place], values: impl Fn(&Place) -> &Vec<String>) -> Vec<String> {
    sorted(places.iter().flat_map(|place| values(place).iter().cloned()))
}

/// In order, each once.
fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<BTreeSet<T>>().into_iter().collect()
}
