//! Which cells belong together: those that the same likely members serve.

use std::collections::{BTreeMap, BTreeSet};

use crate::compile::Compiled;

/// Cells that one candidate joins at most; whoever serves more joins everything, which tells nothing.
const WIDE: usize = 60;

/// The cells of each block. Starts from single cells and merges the two groups that share most likely members for their size, as long as
/// a group has at most `most` edges. O(cells · pairs of groups with a common member).
pub(super) fn cells(c: &Compiled<'_>, likely: &[usize], most: usize) -> Vec<Vec<usize>> {
    let mut near: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); c.cells.len()];
    for &i in likely {
        let edges = c.candidates[i].offers.clone().flat_map(|k| c.offers[k].edges.clone());
        let own: BTreeSet<usize> = edges.map(|e| c.edges[e].cell).collect();
        if own.len() < 2 || own.len() > WIDE {
            continue;
        }
        let each = 1.0 / float(own.len() - 1);
        for &a in &own {
            for &b in own.iter().filter(|&&b| b != a) {
                *near[a].entry(b).or_default() += each;
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = (0..c.cells.len()).map(|j| vec![j]).collect();
    let mut size: Vec<usize> = c.cells.iter().map(|cell| cell.edges.len()).collect();
    while let Some((a, b)) = closest(&near, &size, most) {
        size[a] += size[b];
        let merged = std::mem::take(&mut groups[b]);
        groups[a].extend(merged);
        for (n, weight) in std::mem::take(&mut near[b]) {
            near[n].remove(&b);
            if n != a {
                *near[a].entry(n).or_default() += weight;
                *near[n].entry(a).or_default() += weight;
            }
        }
    }
    groups.retain(|cells| !cells.is_empty());
    groups
}

/// The two groups that belong together most, if any two may.
fn closest(near: &[BTreeMap<usize, f64>], size: &[usize], most: usize) -> Option<(usize, usize)> {
    let mut best: Option<(f64, usize, usize)> = None;
    for (a, others) in near.iter().enumerate() {
        for (&b, weight) in others.range(a + 1..).filter(|(b, _)| size[a] + size[**b] <= most) {
            let merit = weight / (float(size[a]) * float(size[b])).max(1.0);
            if best.is_none_or(|(least, ..)| merit > least) {
                best = Some((merit, a, b));
            }
        }
    }
    best.map(|(_, a, b)| (a, b))
}

#[allow(clippy::cast_precision_loss)] // Counts of cells and edges.
fn float(count: usize) -> f64 {
    count as f64
}
