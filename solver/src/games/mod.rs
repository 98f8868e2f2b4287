//! Cooperative games: who brings how much, when what a group can do is known for every part of it.
//!
//! A game that is tabulated has up to [`MOST_PLAYERS`] players and a *characteristic function*: the value of each coalition, that of nobody being
//! nought. Nothing here knows about calls or actors. A coalition is a bit mask: bit `i` is player `i`.

mod linear;
mod nucleolus;
mod shapley;
mod span;

pub(crate) use nucleolus::{Level, nucleolus};
pub(crate) use shapley::{sampled, shapley};

/// A set of players, of up to 63.
pub(crate) type Coalition = u64;

/// Most players whose coalitions are all looked at: 16,384 of them.
pub(crate) const MOST_PLAYERS: usize = 14;

/// Everybody.
pub(crate) fn grand(players: usize) -> Coalition {
    (1 << players) - 1
}

/// The value of every coalition, by bit mask. The function is asked in the order of a Gray code, so that from one coalition to the
/// next a single player comes or goes: a warm start helps. `None` where it gives up once. 2ⁿ questions.
pub(crate) fn tabulate(players: usize, mut value: impl FnMut(Coalition) -> Option<f64>) -> Option<Vec<f64>> {
    let mut table = vec![0.0; 1 << players];
    for step in 1..=grand(players) {
        let coalition = step ^ (step >> 1);
        table[index(coalition)] = value(coalition)?;
    }
    Some(table)
}

/// The place of a coalition in a table.
#[allow(clippy::cast_possible_truncation)]
fn index(coalition: Coalition) -> usize {
    coalition as usize
}

/// The members of a coalition, ascending.
pub(crate) fn members(coalition: Coalition) -> impl Iterator<Item = usize> {
    (0..Coalition::BITS as usize).filter(move |i| coalition >> i & 1 == 1)
}

#[cfg(test)]
mod tests;
