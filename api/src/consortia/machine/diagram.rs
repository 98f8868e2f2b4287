//! The page on the life of a consortium shows the machine as it is.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::exploration::Step;
use super::*;

/// Arrows of a diagram: from, to, and what leads there.
type Arrows = BTreeMap<(String, String), BTreeSet<&'static str>>;

/// Both diagrams, as they are drawn by going through the machine.
#[derive(Default)]
pub(super) struct Drawing {
    phases: Arrows,
    standings: Arrows,
}

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
fn on_page(number: usize) -> BTreeSet<String> {
    let page = include_str!("../../../../docs/consortium.md");
    let diagram = page.split("```mermaid").nth(number + 1).and_then(|rest| rest.split("```").next()).unwrap();
    diagram
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("-->") && !line.contains("[*]"))
        .map(str::to_owned)
        .collect()
}

/// What changes where somebody stands: who moves up, or is released at the end, does not do it.
fn word(step: &Step, moved: &Moved, id: Uuid) -> &'static str {
    let moves_up =
        |one: &Happened| matches!(one, Happened::Promoted { organisation, instead_of: Some(_) } if *organisation == id);
    if moved.happened.iter().any(moves_up) {
        "somebody drops out"
    } else if moved.state.phase == Phase::Ended {
        "end"
    } else {
        step.word()
    }
}

impl Drawing {
    pub(super) fn draw(&mut self, before: &State, step: &Step, moved: &Moved) {
        if before.phase != moved.state.phase {
            let ends = (code(&before.phase), code(&moved.state.phase));
            self.phases.entry(ends).or_default().insert(step.word());
        }
        let ids: BTreeSet<&Uuid> = before.members.keys().chain(moved.state.members.keys()).collect();
        for id in ids {
            let standing = |state: &State| state.members.get(id).map(|own| own.standing);
            let (was, is) = (standing(before), standing(&moved.state));
            if was != is {
                let name = |standing: Option<Standing>| standing.map_or_else(|| "outside".to_owned(), |own| code(&own));
                let word = word(step, moved, *id);
                self.standings.entry((name(was), name(is))).or_default().insert(word);
            }
        }
    }

    pub(super) fn assert_is_on_the_page(&self) {
        for (number, arrows) in [&self.phases, &self.standings].into_iter().enumerate() {
            let (derived, drawn) = (lines(arrows), on_page(number));
            let missing: Vec<_> = derived.difference(&drawn).collect();
            let invented: Vec<_> = drawn.difference(&derived).collect();
            let nothing = missing.is_empty() && invented.is_empty();
            assert!(nothing, "diagram {number} lacks {missing:#?} and has {invented:#?}");
        }
    }
}
