//! The page on the life of a consortium shows the machine as it is.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::exploration::explore;
use super::*;

/// An arrow of a diagram: from, to, and what leads there.
type Arrows = BTreeMap<(String, String), BTreeSet<&'static str>>;

fn code(value: &impl Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn lines(arrows: &Arrows) -> BTreeSet<String> {
    let line = |((from, to), words): (&(String, String), &BTreeSet<&str>)| {
        let words: Vec<&str> = words.iter().copied().collect();
        format!("{from} --> {to}: {}", words.join(", "))
    };
    arrows.iter().map(line).collect()
}

/// The arrows of the diagram of this number on the page.
fn drawn(page: &str, number: usize) -> BTreeSet<String> {
    let diagram = page.split("```mermaid").nth(number + 1).and_then(|rest| rest.split("```").next()).unwrap();
    diagram
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("-->") && !line.contains("[*]"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_diagrams_on_the_page_are_the_machine() {
    let (mut phases, mut standings) = (Arrows::new(), Arrows::new());
    explore(|before, step, moved| {
        let (from, to) = (before.phase, moved.state.phase);
        if from != to {
            phases.entry((code(&from), code(&to))).or_default().insert(step.word());
        }
        for (id, own) in &moved.state.members {
            let was = before.members.get(id).map_or_else(|| "outside".to_owned(), |was| code(&was.standing));
            let is = code(&own.standing);
            // Who moves up is told by what made room.
            let moves_up = moved.happened.iter().any(
                |one| matches!(one, Happened::Promoted { organisation, instead_of: Some(_) } if organisation == id),
            );
            let word = if moves_up { "somebody drops out" } else { step.word() };
            if was != is {
                standings.entry((was, is)).or_default().insert(word);
            }
        }
    });
    let page = include_str!("../../../../docs/consortium.md");
    for (number, arrows) in [phases, standings].iter().enumerate() {
        let (derived, drawn) = (lines(arrows), drawn(page, number));
        let missing: Vec<_> = derived.difference(&drawn).collect();
        let invented: Vec<_> = drawn.difference(&derived).collect();
        assert!(missing.is_empty() && invented.is_empty(), "diagram {number} lacks {missing:#?} and has {invented:#?}");
    }
}
