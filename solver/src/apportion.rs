//! Exact integer division of a quantity among shares.

use crate::Quantity;

/// Divides `total` in proportion to `weights` by largest remainder; ties go to the earlier share. Equal shares if all weights
/// are zero. The parts always add up to `total`; no weights give no parts. O(n log n).
pub(crate) fn apportion(total: Quantity, weights: &[u64]) -> Vec<Quantity> {
    let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
    let equal = vec![1; weights.len()];
    let (weights, sum) = if sum == 0 { (&equal[..], weights.len() as u128) } else { (weights, sum) };
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = total;
    for (i, &weight) in weights.iter().enumerate() {
        let share = u128::from(total) * u128::from(weight);
        let part = Quantity::try_from(share / sum).unwrap_or(total);
        left -= part;
        parts.push(part);
        remainders.push((std::cmp::Reverse(share % sum), i));
    }
    remainders.sort_unstable();
    for (_, i) in remainders {
        if left == 0 {
            break;
        }
        parts[i] += 1;
        left -= 1;
    }
    parts
}

/// Spreads the work of one capability over the years of a contract, so that each piece of work and their sum both follow the
/// months of the years, to the unit.
#[derive(Clone, Debug)]
pub(crate) struct Years {
    months: Vec<u64>,
    all: u64,
    done: Vec<Quantity>,
    total: Quantity,
}

impl Years {
    /// The years of a contract of so many months; the last may be shorter.
    pub(crate) fn new(months: u32) -> Self {
        let full = usize::try_from(months / 12).unwrap_or(0);
        let mut years = vec![12; full];
        if !months.is_multiple_of(12) {
            years.push(u64::from(months % 12));
        }
        Self { done: vec![0; years.len()], months: years, all: u64::from(months), total: 0 }
    }

    /// The next piece of work, by year.
    pub(crate) fn split(&mut self, quantity: Quantity) -> Vec<Quantity> {
        self.total += quantity;
        let share = |of: Quantity, months: u64| u128::from(of) * u128::from(months);
        let floor = |m| Quantity::try_from(share(quantity, m) / u128::from(self.all)).unwrap_or(quantity);
        let mut parts: Vec<Quantity> = self.months.iter().map(|&m| floor(m)).collect();
        for (done, part) in self.done.iter_mut().zip(&parts) {
            *done += part;
        }
        for _ in 0..quantity - parts.iter().sum::<Quantity>() {
            // The year that lags most behind its part of everything so far; the earliest of them.
            let lag = |y: usize| {
                share(self.total, self.months[y]).cast_signed() - share(self.done[y], self.all).cast_signed()
            };
            let Some(year) = (0..parts.len()).min_by_key(|&y| (-lag(y), y)) else { break };
            parts[year] += 1;
            self.done[year] += 1;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_the_largest_remainder_wins() {
        assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(apportion(10, &[0, 0]), [5, 5]);
        assert_eq!(apportion(7, &[50, 30, 20]), [4, 2, 1]);
        assert_eq!(apportion(1_000_000_000_000, &[u64::MAX, u64::MAX]), [500_000_000_000, 500_000_000_000]);
        assert!(apportion(3, &[]).is_empty());
    }

    #[test]
    fn single_units_are_spread_over_the_years() {
        let mut years = Years::new(48);
        let all: Vec<_> = (0..4).map(|_| years.split(1)).collect();
        assert_eq!(all, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]);
        assert_eq!(Years::new(18).split(9), [6, 3]);
        assert_eq!(Years::new(48).split(2000), [500, 500, 500, 500]);
    }
}
