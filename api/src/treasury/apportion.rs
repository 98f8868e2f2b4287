//! Exact division of sums of money.

/// Divides `total` in proportion to `weights` by largest remainder; ties go to the earlier part. Equal parts where all weights are
/// nought. The parts always add up to `total`; no weights give no parts. Neither is negative. O(n log n).
pub fn apportion(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    let equal = vec![1; weights.len()];
    let (weights, sum) = if sum == 0 { (&equal[..], equal.len() as i128) } else { (weights, sum) };
    let shares = weights.iter().map(|weight| i128::from(total) * i128::from(*weight));
    let mut parts: Vec<(i64, i128)> =
        shares.map(|share| (i64::try_from(share / sum).unwrap_or(total), share % sum)).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&place| std::cmp::Reverse(parts[place].1));
    let left = total - parts.iter().map(|(part, _)| part).sum::<i64>();
    for &place in order.iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[place].0 += 1;
    }
    parts.into_iter().map(|(part, _)| part).collect()
}

/// `total` over so many months, evenly; and by year, of twelve months but perhaps the last.
pub fn by_year(total: i64, months: usize) -> Vec<i64> {
    apportion(total, &vec![1; months]).chunks(12).map(|year| year.iter().sum()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_left_goes_where_the_remainder_is_largest() {
        assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(apportion(100, &[1, 2, 4]), [14, 29, 57]);
        assert_eq!(apportion(3, &[0, 0]), [2, 1]);
        assert!(apportion(3, &[]).is_empty());
        assert_eq!(by_year(14, 14), [12, 2]);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_within_a_cent_of_their_share(
            total in 0..=1_000_000_000_000_000_i64,
            weights in prop::collection::vec(0..=1_000_000_000_000_000_i64, 1..40),
        ) {
            let parts = apportion(total, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            for (part, weight) in parts.iter().zip(&weights).filter(|_| sum > 0) {
                let apart = i128::from(*part) * sum - i128::from(total) * i128::from(*weight);
                prop_assert!(apart.abs() < sum);
            }
        }
    }
}
