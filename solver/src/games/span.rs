//! Which coalitions' payoffs follow from those of others.

/// Two coefficients closer than this are the same.
const SAME: f64 = 1e-7;

/// A space of vectors over the players, by a reduced basis.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// Each with its leading place, which no other has.
    basis: Vec<(usize, Vec<f64>)>,
}

impl Span {
    pub(super) fn new() -> Self {
        Self { basis: Vec::new() }
    }

    pub(super) fn rank(&self) -> usize {
        self.basis.len()
    }

    /// What is left of a vector after the basis. O(n²).
    fn rest(&self, mut vector: Vec<f64>) -> Vec<f64> {
        for (lead, row) in &self.basis {
            let factor = vector[*lead];
            vector.iter_mut().zip(row).for_each(|(x, y)| *x -= factor * y);
        }
        vector
    }

    pub(super) fn contains(&self, vector: Vec<f64>) -> bool {
        self.rest(vector).iter().all(|x| x.abs() < SAME)
    }

    /// Adds a vector; whether it was not in the space already.
    pub(super) fn add(&mut self, vector: Vec<f64>) -> bool {
        let rest = self.rest(vector);
        let Some(lead) = (0..rest.len()).max_by(|&a, &b| rest[a].abs().total_cmp(&rest[b].abs())) else { return false };
        if rest[lead].abs() < SAME {
            return false;
        }
        let row: Vec<f64> = rest.iter().map(|x| x / rest[lead]).collect();
        for (_, other) in &mut self.basis {
            let factor = other[lead];
            other.iter_mut().zip(&row).for_each(|(x, y)| *x -= factor * y);
        }
        self.basis.push((lead, row));
        true
    }
}
