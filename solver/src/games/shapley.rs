//! The Shapley value: what a player adds to those who came before, on average over all orders of arrival.
//!
//! Shapley, *A value for n-person games*, 1953. Sampling: Castro, Gómez and Tejada, *Polynomial calculation of the Shapley value
//! based on sampling*, 2009.

use super::{Coalition, grand};

/// The exact value from the table of all coalitions. O(n · 2ⁿ).
pub(crate) fn shapley(table: &[f64]) -> Vec<f64> {
    let players = table.len().ilog2() as usize;
    // The part of all orders in which exactly a given set of so many players comes before: s! (n − 1 − s)! / n!.
    let ways = |s: usize| (1..=s).map(|k| real(players - k) / real(k)).product::<f64>();
    let weight: Vec<f64> = (0..players).map(|s| 1.0 / (ways(s) * real(players))).collect();
    let added = |i: usize| {
        let without = (0..table.len()).filter(|before| before >> i & 1 == 0);
        without.map(|before| weight[before.count_ones() as usize] * (table[before | 1 << i] - table[before])).sum()
    };
    (0..players).map(added).collect()
}

/// A value from a sample of orders.
#[derive(Clone, Debug)]
pub(crate) struct Estimate {
    /// By player; their sum is exactly the value of everybody, because it is so in each order.
    pub(crate) mean: Vec<f64>,
    /// By player: half the width of the interval that holds the value with a probability of 95 %, by the central limit theorem.
    pub(crate) error: Vec<f64>,
    /// Orders drawn.
    pub(crate) orders: u32,
}

/// The value from independent random orders, each taken with a seed and read from both ends: the two readings of one order err in
/// opposite ways. Their means are independent, so that the error follows from their variance. Stops after `orders`, or where the
/// function gives up; `None` with fewer than two orders. n questions for each reading.
pub(crate) fn sampled(
    players: usize,
    orders: u32,
    seed: u64,
    mut value: impl FnMut(Coalition) -> Option<f64>,
) -> Option<Estimate> {
    let everybody = value(grand(players))?;
    let (mut sum, mut squares) = (vec![0.0; players], vec![0.0; players]);
    let mut random = seed;
    let mut order: Vec<usize> = (0..players).collect();
    let mut drawn = 0;
    'draw: while drawn < orders {
        shuffle(&mut order, &mut random);
        let mut added = vec![0.0; players];
        for backwards in [false, true] {
            let (mut present, mut before) = (0, 0.0);
            for at in 0..players {
                let i = order[if backwards { players - 1 - at } else { at }];
                present |= 1 << i;
                let now = if at + 1 == players {
                    everybody
                } else {
                    let Some(v) = value(present) else { break 'draw };
                    v
                };
                added[i] += (now - before) / 2.0;
                before = now;
            }
        }
        for (i, added) in added.into_iter().enumerate() {
            sum[i] += added;
            squares[i] += added * added;
        }
        drawn += 1;
    }
    if drawn < 2 {
        return None;
    }
    let count = f64::from(drawn);
    let mean: Vec<f64> = sum.iter().map(|sum| sum / count).collect();
    let variance = |(squares, mean): (&f64, &f64)| ((squares - count * mean * mean) / (count - 1.0)).max(0.0);
    let error = squares.iter().zip(&mean).map(variance).map(|variance| 1.96 * (variance / count).sqrt()).collect();
    Some(Estimate { mean, error, orders: drawn })
}

/// Fisher and Yates, 1938.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for last in (1..order.len()).rev() {
        let at = usize::try_from(next(random) % (last as u64 + 1)).unwrap_or(0);
        order.swap(at, last);
    }
}

/// `SplitMix64`: Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[allow(clippy::cast_precision_loss)]
fn real(count: usize) -> f64 {
    count as f64
}
