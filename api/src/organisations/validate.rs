//! Rules on organisations that the schema cannot express.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{IdentifierScheme, LegalFamily, NewOrganisation, store};
use crate::identifiers::{IdentifierError, Rna, Siren, Siret};
use crate::problem::Fault;
use crate::territories;

/// The family of an INSEE legal category.
#[must_use]
pub fn family_of(legal_form: &str) -> Option<LegalFamily> {
    let family = match legal_form {
        // Cooperative forms stand among the companies of the nomenclature.
        "5192" | "5195" | "5196" | "5203" | "5307" | "5309" | "5443" | "5451" | "5453" | "5454" | "5455" | "5458"
        | "5459" | "5460" | "5543" | "5547" | "5551" | "5552" | "5553" | "5554" | "5555" | "5558" | "5559" | "5560"
        | "5643" | "5647" | "5651" | "5652" | "5653" | "5654" | "5655" | "5658" | "5659" | "5660" | "6316" | "6317"
        | "6318" | "6543" | "6551" | "6554" | "6558" | "6560" => LegalFamily::Cooperative,
        "9300" => LegalFamily::Foundation,
        _ => match legal_form.as_bytes().first()? {
            b'1' => LegalFamily::SoleTrader,
            b'5' | b'6' => LegalFamily::Company,
            b'4' | b'7' => LegalFamily::PublicBody,
            b'9' => LegalFamily::Association,
            _ => return None,
        },
    };
    Some(family)
}

/// All faults of an organisation about to be written as `id`. Up to three queries.
pub async fn faults(db: &impl ConnectionTrait, id: Option<Uuid>, new: &NewOrganisation) -> Result<Vec<Fault>, DbErr> {
    let mut faults = own_faults(new);
    if let Some(position) = new.links.iter().position(|link| Some(link.to) == id) {
        faults.push(Fault::at(format!("/links/{position}/to"), "an organisation has no link to itself"));
    }
    let taken = store::owners_of(db, &new.identifiers).await?;
    for (position, own) in new.identifiers.iter().enumerate() {
        let owner = taken.get(&(own.scheme, own.id.clone()));
        if owner.is_some_and(|owner| Some(*owner) != id) {
            let detail = "another organisation has this number: correct it, or change that organisation instead";
            faults.push(Fault::at(format!("/identifiers/{position}/id"), detail));
        }
    }
    let codes = new.home_territories.iter().map(String::as_str);
    let known = territories::store::existing(db, codes).await?;
    for (position, code) in new.home_territories.iter().enumerate() {
        if !known.contains(code) {
            let detail = format!("there is no territory `{code}`");
            faults.push(Fault::at(format!("/home_territories/{position}"), detail));
        }
    }
    let targets: Vec<Uuid> = new.links.iter().map(|link| link.to).collect();
    let found = store::existing(db, &targets).await?;
    for (position, link) in new.links.iter().enumerate() {
        if !found.contains(&link.to) {
            faults.push(Fault::at(format!("/links/{position}/to"), "there is no such organisation"));
        }
    }
    Ok(faults)
}

/// The faults that need no database.
fn own_faults(new: &NewOrganisation) -> Vec<Fault> {
    let mut faults = Vec::new();
    if new.name.trim().is_empty() {
        faults.push(Fault::at("/name", "a name has at least one letter"));
    }
    for (position, alias) in new.aliases.iter().enumerate() {
        if alias.trim().is_empty() || alias.chars().count() > 300 {
            faults.push(Fault::at(format!("/aliases/{position}"), "1 to 300 characters"));
        }
    }
    let mut seen = BTreeSet::new();
    for (position, own) in new.identifiers.iter().enumerate() {
        let pointer = format!("/identifiers/{position}/id");
        let wrong = match own.scheme {
            IdentifierScheme::Siren => number_fault::<Siren>(&own.id),
            IdentifierScheme::Siret => number_fault::<Siret>(&own.id),
            IdentifierScheme::Rna => number_fault::<Rna>(&own.id),
            IdentifierScheme::Vat => (!is_vat(&own.id))
                .then(|| "a VAT number is two capital letters and 2 to 13 capital letters or digits".to_owned()),
        };
        faults.extend(wrong.map(|detail| Fault::at(&pointer, detail)));
        if !seen.insert(own) {
            faults.push(Fault::at(pointer, "this number is there twice"));
        }
    }
    for (position, own) in new.credentials.iter().enumerate() {
        if own.valid_from.zip(own.valid_to).is_some_and(|(from, to)| from > to) {
            let detail = "the last day of validity comes before the first";
            faults.push(Fault::at(format!("/credentials/{position}/valid_to"), detail));
        }
    }
    let mut linked = BTreeSet::new();
    for (position, link) in new.links.iter().enumerate() {
        if !linked.insert(link.to) {
            faults.push(Fault::at(format!("/links/{position}/to"), "one link per organisation"));
        }
    }
    let mix = &new.resource_mix;
    let parts =
        [mix.subsidies_percent, mix.contracts_percent, mix.sales_percent, mix.sponsorship_percent, mix.in_kind_percent];
    if parts.iter().flatten().map(|part| u32::from(*part)).sum::<u32>() > 100 {
        faults.push(Fault::at("/resource_mix", "the parts add up to more than 100 percent"));
    }
    faults
}

/// What is wrong with a number, if anything. Another way of writing a sound one is, or one number could stand twice.
fn number_fault<N: FromStr<Err = IdentifierError> + Display>(text: &str) -> Option<String> {
    match text.parse::<N>() {
        Ok(number) => {
            Some(number.to_string()).filter(|number| number != text).map(|number| format!("write it {number}"))
        }
        Err(error) => Some(error.to_string()),
    }
}

fn is_vat(text: &str) -> bool {
    (4..=15).contains(&text.len())
        && text.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_read_from_the_legal_form() {
        for (form, family) in [
            ("9220", LegalFamily::Association),
            ("5710", LegalFamily::Company),
            ("5460", LegalFamily::Cooperative),
            ("1000", LegalFamily::SoleTrader),
            ("7361", LegalFamily::PublicBody),
            ("9300", LegalFamily::Foundation),
        ] {
            assert_eq!(family_of(form), Some(family), "{form}");
        }
        assert_eq!(family_of("0000"), None);
    }
}
