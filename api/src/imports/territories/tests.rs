#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{Territories, TerritoryKind, parse};
use crate::imports::{NotThisFormat, RowAction};

const LYON: &str = include_str!("../../../data/demo/territories.csv");
const HEADER: &str = "code,name,kind,parent,population,lat,lon\n";

fn read(rows: &str) -> Territories {
    parse(format!("{HEADER}{rows}").as_bytes()).unwrap()
}

fn codes(territories: &Territories) -> Vec<&str> {
    territories.territories.iter().map(|t| t.code.as_str()).collect()
}

/// The faults as `line:field:problem`.
fn faults(territories: &Territories) -> Vec<String> {
    territories.report.faults.iter().map(|f| format!("{}:{}:{}", f.line, f.field, f.problem)).collect()
}

#[test]
fn the_metropole_of_lyon_is_whole() {
    let lyon = parse(LYON.as_bytes()).unwrap();
    assert!(lyon.report.faults.is_empty(), "{:?}", lyon.report.faults);
    let of = |kind| lyon.territories.iter().filter(move |t| t.kind == kind);
    let inhabitants = |kind| of(kind).filter_map(|t| t.population).sum::<u64>();
    assert_eq!((of(TerritoryKind::Commune).count(), of(TerritoryKind::Arrondissement).count()), (58, 9));
    assert_eq!(inhabitants(TerritoryKind::Metropole), inhabitants(TerritoryKind::Commune));
    let city = lyon.territories.iter().find(|t| t.code == "69123").unwrap();
    assert_eq!(city.population, Some(inhabitants(TerritoryKind::Arrondissement)));
    assert!(lyon.territories.iter().all(|t| t.position.is_some_and(crate::imports::Position::is_french)));
}

#[test]
fn a_parent_may_come_later_or_live_elsewhere() {
    let territories = read("c,C,commune,b,,,\nb,B,epci,a,,,\na,A,Région,FR,,,\n");
    assert_eq!(codes(&territories), ["a", "b", "c"]);
    assert_eq!(territories.territories[0].parent.as_deref(), Some("FR"));
    assert!(territories.report.faults.is_empty());
}

#[test]
fn a_cycle_is_refused_and_what_hangs_below_it_is_not() {
    let territories = read(
        "a,A,epci,b,,,\nb,B,epci,c,,,\nc,C,epci,a,,,\n\
         d,D,commune,c,,,\ne,E,commune,d,,,\nf,F,epci,f,,,\n",
    );
    assert_eq!(codes(&territories), ["d", "e"]);
    assert_eq!(faults(&territories), ["2:parent:cycle", "3:parent:cycle", "4:parent:cycle", "7:parent:self_parent"]);
    assert!(territories.report.faults.iter().all(|f| f.action == RowAction::RowSkipped));
}

#[test]
fn a_bad_row_is_skipped_with_its_reason() {
    let territories = read(
        "a,A,commune,,,,\na,Again,commune,,,,\n,B,commune,,,,\nc,,commune,,,,\n\
         d,D,planet,,,,\ne e,E,commune,,,,\nf,F\n",
    );
    assert_eq!(codes(&territories), ["a"]);
    assert_eq!(
        faults(&territories),
        [
            "3:code:duplicate",
            "4:code:missing_value",
            "5:name:missing_value",
            "6:kind:unknown_kind",
            "7:code:invalid_code",
            "8::wrong_field_count"
        ]
    );
    assert_eq!(territories.rows_read, 7);
}

#[test]
fn numbers_are_read_as_people_write_them_or_left_unknown() {
    let territories = read(
        "a,A,commune,,1\u{202f}433\u{a0}613,\"45,75\",4.85\nb,B,commune,,-3,45.75,\n\
         c,C,commune,,2.5,91,4\nd,D,commune,,many,x,4\n",
    );
    let first = &territories.territories[0];
    assert_eq!((first.population, first.position.map(|p| p.latitude)), (Some(1_433_613), Some(45.75)));
    assert!(territories.territories[1..].iter().all(|t| t.population.is_none() && t.position.is_none()));
    assert_eq!(
        faults(&territories),
        [
            "2:population:number_format",
            "2:lat:number_format",
            "3:population:invalid_number",
            "3:lat:incomplete_coordinates",
            "4:population:invalid_number",
            "4:lat:outside_area",
            "5:population:invalid_number",
            "5:lat:invalid_number"
        ]
    );
}

#[test]
fn only_the_first_four_columns_are_required_in_any_order_and_delimiter() {
    let territories = parse("Parent;Kind;Name;Code\n;pays;X;FR\n;country;France;FR\n".as_bytes()).unwrap();
    assert_eq!((codes(&territories), territories.rows_read), (vec!["FR"], 2));
    let refusal = parse(b"code,name,population\n").unwrap_err();
    let missing = vec!["kind".to_owned(), "parent".to_owned()];
    assert_eq!(refusal, NotThisFormat::MissingColumns { format: "a list of territories", missing });
}

proptest! {
    #[test]
    fn any_tree_comes_out_with_parents_first(parents in proptest::collection::vec(0_usize..30, 1..30)) {
        let rows: Vec<String> =
            parents.iter().enumerate().map(|(i, p)| format!("t{i},T,district,t{p},,,\n")).collect();
        let territories = read(&rows.concat());
        prop_assert_eq!(territories.territories.len() + territories.report.faults.len(), parents.len());
        let mut seen = std::collections::BTreeSet::new();
        let placed: std::collections::BTreeSet<&str> = codes(&territories).into_iter().collect();
        for territory in &territories.territories {
            let parent = territory.parent.as_deref().unwrap();
            prop_assert!(!placed.contains(parent) || seen.contains(parent), "{} before {parent}", territory.code);
            seen.insert(territory.code.as_str());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let file = [HEADER.as_bytes(), &bytes].concat();
        prop_assert_eq!(parse(&file), parse(&file));
        prop_assert_eq!(parse(&bytes), parse(&bytes));
    }
}
