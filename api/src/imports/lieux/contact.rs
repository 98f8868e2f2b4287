//! Telephone numbers, e-mail and web addresses.

use super::lists::distinct;
use crate::imports::report::{Faults, RowProblem};
use crate::imports::table::Row;

/// Countries of the standard: metropolitan France and the overseas parts.
const COUNTRIES: [&str; 10] = ["33", "590", "594", "262", "596", "269", "687", "689", "508", "681"];

/// First digits of national numbers that belong to an overseas part, and its country.
const OVERSEAS: [(&str, &str); 11] = [
    ("0590", "590"),
    ("0690", "590"),
    ("0691", "590"),
    ("0594", "594"),
    ("0694", "594"),
    ("0596", "596"),
    ("0696", "596"),
    ("0262", "262"),
    ("0269", "262"),
    ("0692", "262"),
    ("0693", "262"),
];

/// The first number of `telephone`, as `+` and digits.
pub(super) fn telephone(row: &Row<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let value = row.get("telephone");
    let first = value.split(['|', ';', '/']).next().unwrap_or("").trim();
    if value.is_empty() {
        return None;
    }
    let number = international(first);
    match &number {
        Some(number) if number != value => {
            faults.correct("telephone", value, RowProblem::PhoneFormat, format!("read as {number}"));
        }
        Some(_) => {}
        None => {
            let message = "not a French number in international notation such as +33472000000";
            faults.ignore("telephone", value, RowProblem::InvalidPhone, message);
        }
    }
    number
}

fn international(text: &str) -> Option<String> {
    let text = text.replace("(0)", "");
    let written: String = text.chars().filter(|c| !(c.is_whitespace() || ".-_()".contains(*c))).collect();
    let number = match (written.strip_prefix('+'), written.strip_prefix("00")) {
        (Some(number), _) | (None, Some(number)) => number.to_owned(),
        _ if written.len() == 10 && written.starts_with('0') => national(&written),
        // Spreadsheets drop the zero: 472000000.
        _ if written.len() == 9 && !written.starts_with('0') => national(&format!("0{written}")),
        _ => return None,
    };
    let country = COUNTRIES.into_iter().find(|country| number.starts_with(country))?;
    let local = &number[country.len()..];
    // +330472… : the zero of the national notation was kept.
    let local = if country == "33" { local.strip_prefix('0').unwrap_or(local) } else { local };
    let plausible = if country == "33" { local.len() == 9 } else { (6..=9).contains(&local.len()) };
    (plausible && local.bytes().all(|b| b.is_ascii_digit())).then(|| format!("+{country}{local}"))
}

fn national(written: &str) -> String {
    let overseas = OVERSEAS.iter().find(|(start, _)| written.starts_with(start));
    format!("{}{}", overseas.map_or("33", |(_, country)| country), &written[1..])
}

/// The addresses of `courriels`.
pub(super) fn emails(row: &Row<'_>, faults: &mut Faults<'_>) -> Vec<String> {
    let value = row.get("courriels");
    if value.contains(';') {
        let message = "`;` was read as the separator of the list; the standard's is `|`";
        faults.correct("courriels", value, RowProblem::ListSeparator, message);
    }
    let mut emails: Vec<String> = Vec::new();
    for item in value.split(['|', ';']).map(str::trim).filter(|item| !item.is_empty()) {
        let email = item.strip_prefix("mailto:").unwrap_or(item);
        if is_email(email) {
            emails.push(email.to_owned());
        } else {
            faults.ignore("courriels", item, RowProblem::InvalidEmail, "not an e-mail address; it was left out");
        }
    }
    distinct(emails)
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c));
    clean && !local.is_empty() && !local.contains('@') && text.len() <= 254 && is_host(domain)
}

/// The addresses of a field, with their scheme.
pub(super) fn web_addresses(row: &Row<'_>, field: &str, faults: &mut Faults<'_>) -> Vec<String> {
    let value = row.get(field);
    let mut addresses: Vec<String> = Vec::new();
    for item in items_of_addresses(row, field, faults) {
        let Some(address) = web_address(item) else {
            faults.ignore(field, item, RowProblem::InvalidUrl, "not a web address; it was left out");
            continue;
        };
        if address != item {
            faults.correct(field, value, RowProblem::UrlFormat, format!("read as {address}"));
        }
        addresses.push(address);
    }
    distinct(addresses)
}

/// An address may contain `;`, so it separates only where another address follows.
fn items_of_addresses<'r>(row: &'r Row<'_>, field: &str, faults: &mut Faults<'_>) -> Vec<&'r str> {
    let value = row.get(field);
    let mut items: Vec<&str> = Vec::new();
    for part in value.split('|') {
        let pieces: Vec<&str> = part.split(';').map(str::trim).collect();
        if pieces.len() > 1 && pieces.iter().all(|piece| piece.is_empty() || web_address(piece).is_some()) {
            let message = "`;` was read as the separator of the list; the standard's is `|`";
            faults.correct(field, value, RowProblem::ListSeparator, message);
            items.extend(pieces);
        } else {
            items.push(part.trim());
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

/// The longest web address that the API promises, in characters.
const LONGEST_ADDRESS: usize = 500;

fn web_address(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (scheme, rest) = match (lower.strip_prefix("https://"), lower.strip_prefix("http://")) {
        (Some(rest), _) => ("https://", &text[text.len() - rest.len()..]),
        (None, Some(rest)) => ("http://", &text[text.len() - rest.len()..]),
        _ => ("https://", text),
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    let port_is_sound = authority.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok());
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"'`{}\\".contains(c));
    let address = format!("{scheme}{rest}");
    (clean && port_is_sound && is_host(host) && address.chars().count() <= LONGEST_ADDRESS).then_some(address)
}

fn is_host(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let sound = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    labels.len() >= 2
        && labels.iter().all(|label| sound(label))
        && labels.last().is_some_and(|top| top.len() >= 2 && !top.bytes().any(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{international, is_email, web_address};

    #[test]
    fn telephone_numbers_become_international() {
        for (written, number) in [
            ("+33472000000", "+33472000000"),
            ("04 72 00 00 00", "+33472000000"),
            ("04.72.00.00.00", "+33472000000"),
            ("+33 (0)4-72-00-00-00", "+33472000000"),
            ("0033472000000", "+33472000000"),
            ("+330472000000", "+33472000000"),
            ("472000000", "+33472000000"),
            ("04\u{202f}72\u{a0}00 00 00", "+33472000000"),
            ("0262123456", "+262262123456"),
            ("+687 25 12 34", "+687251234"),
        ] {
            assert_eq!(international(written).as_deref(), Some(number), "{written}");
        }
        for wrong in ["", "3639", "+4122000000", "04 72 00 00", "04720000O0", "+33", "+3347200000é"] {
            assert_eq!(international(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn web_addresses_have_a_scheme_and_a_host() {
        assert_eq!(web_address("www.exemple.fr/a;b").as_deref(), Some("https://www.exemple.fr/a;b"));
        assert_eq!(web_address("HTTP://exemple.fr:8080/?q=1").as_deref(), Some("http://exemple.fr:8080/?q=1"));
        for wrong in
            ["javascript:alert(1)", "exemple", "https://", "http://a b.fr", "https://exemple.fr/<b>", "ftp://x.fr"]
        {
            assert_eq!(web_address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn e_mail_addresses_have_one_at_sign_and_a_host() {
        assert!(is_email("contact@médiathèque.exemple.fr"));
        for wrong in ["contact", "@exemple.fr", "a@b@exemple.fr", "a@exemple", "a b@exemple.fr", "a@.fr"] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }
}
