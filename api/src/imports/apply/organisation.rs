//! An organisation of a file, beside what the database may already know of it.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::fold::fold;
use crate::imports::lieux::ImportedOrganisation;
use crate::organisations::{
    Credential, Evidence, Identifier, IdentifierScheme, LegalFamily, NewOrganisation, Organisation,
};

/// Who the database knows, by everything that an import can recognise it by.
pub struct Known {
    organisations: BTreeMap<Uuid, Organisation>,
    by_key: BTreeMap<String, Uuid>,
    by_number: BTreeMap<(IdentifierScheme, String), Uuid>,
    by_name: BTreeMap<String, Vec<Uuid>>,
}

impl Known {
    /// Indexes organisations, and the keys by which earlier imports knew some of them.
    pub fn new(organisations: Vec<Organisation>, by_key: BTreeMap<String, Uuid>) -> Self {
        let mut by_number = BTreeMap::new();
        let mut by_name: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
        for organisation in &organisations {
            for own in &organisation.value.identifiers {
                by_number.insert((own.scheme, own.id.clone()), organisation.id);
            }
            by_name.entry(fold(&organisation.value.name)).or_default().push(organisation.id);
        }
        let organisations = organisations.into_iter().map(|organisation| (organisation.id, organisation)).collect();
        Self { organisations, by_key, by_number, by_name }
    }

    /// The organisation that the imported one is: by its register number, else by the key of an earlier import, else,
    /// where the file gives no number, by a name that exactly one organisation bears.
    pub fn find(&self, imported: &ImportedOrganisation) -> Option<&Organisation> {
        let number = numbers(imported).find_map(|own| self.by_number.get(&(own.scheme, own.id)));
        let id = number.or_else(|| self.by_key.get(&imported.key)).copied().or_else(|| {
            let unnumbered = imported.siren.is_none() && imported.rna.is_none();
            match self.by_name.get(&fold(&imported.name)).map(Vec::as_slice) {
                Some([only]) if unnumbered => Some(*only),
                _ => None,
            }
        })?;
        self.organisations.get(&id)
    }

    /// Whether another organisation has this number.
    pub fn is_taken(&self, own: &Identifier, by_other_than: Option<Uuid>) -> bool {
        self.by_number.get(&(own.scheme, own.id.clone())).is_some_and(|owner| Some(*owner) != by_other_than)
    }
}

/// The register numbers of an imported organisation, the entity's first.
pub fn numbers(imported: &ImportedOrganisation) -> impl Iterator<Item = Identifier> {
    let number = |scheme, id: String| Identifier { scheme, id };
    let siren = imported.siren.iter().map(move |own| number(IdentifierScheme::Siren, own.to_string()));
    let rna = imported.rna.iter().map(move |own| number(IdentifierScheme::Rna, own.to_string()));
    let sirets = imported.sirets.iter().map(move |own| number(IdentifierScheme::Siret, own.to_string()));
    siren.chain(rna).chain(sirets)
}

/// What is known after the import: nothing that somebody has written is lost or changed, what was missing is added.
pub fn merged(
    before: Option<&NewOrganisation>,
    imported: &ImportedOrganisation,
    numbers: Vec<Identifier>,
) -> NewOrganisation {
    let mut new = before.cloned().unwrap_or_else(|| blank(imported));
    let names = std::iter::once(&imported.name).chain(&imported.aliases);
    for name in names {
        let known = fold(&new.name) == fold(name) || new.aliases.iter().any(|alias| fold(alias) == fold(name));
        if !known && new.aliases.len() < 50 {
            new.aliases.push(name.clone());
        }
    }
    for own in numbers {
        if !new.identifiers.contains(&own) && new.identifiers.len() < 100 {
            new.identifiers.push(own);
        }
    }
    for code in &imported.credentials {
        if !new.credentials.iter().any(|own| own.code == *code) && new.credentials.len() < 100 {
            let evidence = Evidence::Referenced;
            new.credentials.push(Credential {
                code: code.clone(),
                number: None,
                valid_from: None,
                valid_to: None,
                evidence,
            });
        }
    }
    for commune in &imported.communes {
        if !new.home_territories.contains(commune) && new.home_territories.len() < 500 {
            new.home_territories.push(commune.clone());
        }
    }
    if new.website.is_none() {
        new.website = imported.websites.first().cloned();
    }
    new.fresh_on = new.fresh_on.max(imported.updated_on);
    new
}

/// The names of the sources, as many as 500 characters hold.
fn sources(names: &[String]) -> Option<String> {
    let mut text = String::new();
    for name in names {
        let separator = if text.is_empty() { "" } else { ", " };
        if text.chars().count() + separator.len() + name.chars().count() <= 500 {
            text.push_str(separator);
            text.push_str(name);
        }
    }
    Some(text).filter(|text| !text.is_empty())
}

fn blank(imported: &ImportedOrganisation) -> NewOrganisation {
    NewOrganisation {
        name: imported.name.clone(),
        aliases: Vec::new(),
        identifiers: Vec::new(),
        legal_form: None,
        // A number of the register of associations says what it is; nothing else in the file does.
        legal_family: imported.rna.is_some().then_some(LegalFamily::Association),
        economic_model: None,
        resource_mix: crate::organisations::ResourceMix::default(),
        size: None,
        full_time_equivalents: None,
        volunteers: None,
        home_territories: Vec::new(),
        credentials: Vec::new(),
        links: Vec::new(),
        website: None,
        description: None,
        contact: None,
        source: sources(&imported.sources),
        fresh_on: None,
        illustrative: false,
        turnover_cents: None,
        available_cash_cents: None,
    }
}
