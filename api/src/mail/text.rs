//! What a mail says: French or English, plain text, nothing that not everybody may read but that something happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use uuid::Uuid;

use super::Language;
use super::store::Item;
use crate::events::Event;

/// Subject and body.
pub(super) struct Text {
    pub subject: String,
    pub body: String,
}

/// The call that an event is about.
pub(super) fn call_of(event: &Event) -> Option<Uuid> {
    if event.subject.kind == "call" {
        return Some(event.subject.id);
    }
    event.data["call"].as_str()?.parse().ok()
}

/// Where a mail leads.
pub(super) struct Ways<'a> {
    /// To the service.
    pub service: &'a str,
    /// To no more mails.
    pub unsubscribe: &'a str,
}

/// Writes a mail of what happened, by organisation. `names` are those of organisations and of calls; there is `more` than the items.
pub(super) fn write(
    language: Language,
    items: &[Item],
    more: bool,
    names: &BTreeMap<Uuid, String>,
    Ways { service, unsubscribe }: &Ways,
) -> Text {
    let mut by_organisation: BTreeMap<Uuid, Vec<&Item>> = BTreeMap::new();
    for item in items {
        by_organisation.entry(item.organisation).or_default().push(item);
    }
    let count = items.len();
    let subject = match (language, count) {
        (Language::Fr, 1) => "Attelage : une nouvelle".to_owned(),
        (Language::Fr, _) => format!("Attelage : {count} nouvelles"),
        (Language::En, 1) => "Attelage: one piece of news".to_owned(),
        (Language::En, _) => format!("Attelage: {count} pieces of news"),
    };
    let mut body = String::new();
    for (organisation, own) in by_organisation {
        let name = names.get(&organisation).map_or_else(|| organisation.to_string(), |name| one_line(name));
        body.push_str(&name);
        body.push('\n');
        for item in &own {
            line(&mut body, language, &item.event, names);
        }
        body.push('\n');
    }
    if more {
        body += match language {
            Language::Fr => "Il y en a d'autres.\n\n",
            Language::En => "There is more.\n\n",
        };
    }
    let end = match language {
        Language::Fr => format!(
            "Pour en savoir plus : {service}\nVous recevez ce message car vous êtes membre de ces structures.\nNe plus recevoir de messages : {unsubscribe}\n"
        ),
        Language::En => format!(
            "Read more: {service}\nYou get this message because you are a member of these organisations.\nGet no more messages: {unsubscribe}\n"
        ),
    };
    body.push_str(&end);
    Text { subject, body }
}

fn line(body: &mut String, language: Language, event: &Event, names: &BTreeMap<Uuid, String>) {
    let (english, french) = event.kind.sentences();
    let title = call_of(event).and_then(|call| names.get(&call)).map(|title| one_line(title));
    let at = event.timestamp;
    // Writing to a text does not fail.
    let _ = match language {
        Language::Fr => {
            let title = title.map(|title| format!(" Appel : « {title} ».")).unwrap_or_default();
            writeln!(body, "- {} (UTC) : {french}{title}", at.format("%d/%m/%Y %H:%M"))
        }
        Language::En => {
            let title = title.map(|title| format!(" Call: “{title}”.")).unwrap_or_default();
            writeln!(body, "- {} (UTC): {english}{title}", at.format("%Y-%m-%d %H:%M"))
        }
    };
}

/// A name cannot write lines of its own into a mail.
fn one_line(name: &str) -> String {
    name.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::events::{EventSubject, EventType};

    fn item(kind: EventType, organisation: u128, data: serde_json::Value) -> Item {
        let subject = EventSubject { kind: "bid".to_owned(), id: Uuid::from_u128(9) };
        let timestamp = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let event = Event { id: Uuid::from_u128(8), kind, timestamp, subject, data };
        Item { organisation: Uuid::from_u128(organisation), event }
    }

    #[test]
    fn a_mail_is_grouped_by_organisation_in_the_language_of_its_reader() {
        let call = Uuid::from_u128(3);
        let items = [
            item(EventType::BidReceived, 1, json!({ "call": call })),
            item(EventType::RunFinished, 2, json!({})),
            item(EventType::ConsortiumInvited, 1, json!({})),
        ];
        let names = BTreeMap::from([
            (Uuid::from_u128(1), "La Fabrique\nDe: moi".to_owned()),
            (Uuid::from_u128(2), "École".to_owned()),
            (call, "Équiper".to_owned()),
        ]);
        let ways = Ways { service: "https://a.example", unsubscribe: "https://a.example/u" };
        let text = write(Language::Fr, &items, true, &names, &ways);
        assert_eq!(text.subject, "Attelage : 3 nouvelles");
        let expected = "La Fabrique De: moi\n\
            - 15/01/2027 08:00 (UTC) : Votre réponse a été reçue. Appel : « Équiper ».\n\
            - 15/01/2027 08:00 (UTC) : Votre structure est invitée dans un groupement.\n\n\
            École\n- 15/01/2027 08:00 (UTC) : Un calcul est terminé.\n\nIl y en a d'autres.\n\n";
        assert!(text.body.starts_with(expected), "{}", text.body);
        let text = write(Language::En, &items[1..2], false, &names, &ways);
        assert!(text.body.starts_with("École\n- 2027-01-15 08:00 (UTC): A computation is over.\n"), "{}", text.body);
        assert!(text.body.ends_with("Get no more messages: https://a.example/u\n"));
    }
}
