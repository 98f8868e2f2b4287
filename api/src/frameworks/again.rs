//! What somebody did before, in another call.

use std::collections::BTreeMap;

use super::Part;
use crate::calls::{Need, NewCall};
use crate::consortia;

/// What an organisation would do of a call if it did as much a year as before, of needs for the same service, territory, public and form,
/// counted in the same unit; no more than `asked` still leaves of each, which it takes away. Amounts are open.
///
/// Where several needs of the call are alike, the first gets what was done of the first, and so on; what is left over goes where there
/// is room. O(parts × needs).
#[must_use]
pub fn parts(before: &[Part], months: i32, call: &NewCall, asked: &mut BTreeMap<&str, i128>) -> Vec<consortia::Part> {
    let mut given: BTreeMap<&str, i128> = BTreeMap::new();
    let needs: Vec<&Need> = call.lots.iter().flat_map(|lot| &lot.needs).collect();
    for part in before {
        let mut left = i128::from(part.quantity) * i128::from(call.duration_months) / i128::from(months.max(1));
        let alike = |need: &&&Need| is_alike(part, need);
        // The need of the same code first, should several be alike.
        let (same, others): (Vec<&Need>, Vec<&Need>) =
            needs.iter().filter(alike).copied().partition(|need| need.code == part.need);
        for need in same.into_iter().chain(others) {
            let Some(room) = asked.get_mut(need.code.as_str()) else { continue };
            let taken = left.min(*room).max(0);
            *room -= taken;
            left -= taken;
            *given.entry(need.code.as_str()).or_default() += taken;
        }
    }
    let in_order = needs.iter().filter_map(|need| Some((need, *given.get(need.code.as_str())?)));
    let parts = in_order.filter(|(_, quantity)| *quantity > 0).filter_map(|(need, quantity)| {
        let quantity = i64::try_from(quantity).ok()?;
        Some(consortia::Part { need: need.code.clone(), quantity, amount_cents: None })
    });
    parts.collect()
}

fn is_alike(part: &Part, need: &Need) -> bool {
    let of_part = (&part.service, &part.territory, &part.public, &part.modality, part.unit);
    of_part == (&need.service, &need.territory, &need.public, &need.modality, need.unit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::capabilities::Unit;

    fn call() -> NewCall {
        let need = |code: &str, service: &str, quantity: i64| json!({ "code": code, "title": code, "service": service, "territory": "t", "unit": "hour", "quantity": quantity, "per": "contract" });
        let lots = json!([
            { "code": "one", "title": "one", "needs": [need("a", "s", 100), need("b", "other", 100)] },
            { "code": "two", "title": "two", "needs": [need("c", "s", 50)] },
        ]);
        let call = json!({
            "funder": uuid::Uuid::nil(), "title": "x", "kind": "grant", "starts_on": "2027-01-01", "duration_months": 24, "lots": lots,
        });
        serde_json::from_value(call).unwrap()
    }

    fn part(need: &str, quantity: i64) -> Part {
        Part {
            need: need.to_owned(),
            service: "s".to_owned(),
            territory: "t".to_owned(),
            public: None,
            modality: None,
            unit: Unit::Hour,
            quantity,
        }
    }

    #[test]
    fn as_much_a_year_as_before_and_no_more_than_is_asked_for() {
        let call = call();
        let found = |before: &[Part], months: i32, asked: &mut BTreeMap<&'static str, i128>| {
            let parts = parts(before, months, &call, asked);
            parts.into_iter().map(|own| (own.need, own.quantity)).collect::<Vec<_>>()
        };
        let of = |list: &[(&str, i64)]| list.iter().map(|(need, many)| ((*need).to_owned(), *many)).collect::<Vec<_>>();
        let all = || BTreeMap::from([("a", 100), ("b", 100), ("c", 50)]);
        assert_eq!(found(&[part("a", 30)], 12, &mut all()), of(&[("a", 60)]), "twice as long");
        assert_eq!(found(&[part("c", 80)], 48, &mut all()), of(&[("c", 40)]), "its own need first");
        let mut asked = all();
        assert_eq!(
            found(&[part("c", 70)], 24, &mut asked),
            of(&[("a", 20), ("c", 50)]),
            "the rest where there is room"
        );
        assert_eq!(found(&[part("a", 999)], 24, &mut asked), of(&[("a", 80)]), "what is left");
        assert_eq!(asked, BTreeMap::from([("a", 0), ("b", 100), ("c", 0)]));
        assert_eq!(
            found(&[part("a", 1)], 24, &mut BTreeMap::from([("b", 100)])),
            of(&[]),
            "of the lots that are answered"
        );
        for alter in [
            |own: &mut Part| own.service = "else".to_owned(),
            |own: &mut Part| own.territory = "else".to_owned(),
            |own: &mut Part| own.public = Some("p".to_owned()),
            |own: &mut Part| own.modality = Some("m".to_owned()),
            |own: &mut Part| own.unit = Unit::Session,
        ] {
            let mut own = part("a", 10);
            alter(&mut own);
            assert_eq!(found(&[own], 24, &mut all()), of(&[]));
        }
    }
}
