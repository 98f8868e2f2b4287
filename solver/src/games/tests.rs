#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

fn close(found: &[f64], expected: &[f64]) {
    let near = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(near, "{found:?}, expected {expected:?}");
}

fn game(players: usize, value: impl Fn(&[usize]) -> f64) -> Vec<f64> {
    tabulate(players, |s| Some(value(&members(s).collect::<Vec<_>>()))).unwrap()
}

/// What the creditors of an estate can be sure of: what the others' claims leave.
fn bankruptcy(estate: f64, claims: &[f64]) -> Vec<f64> {
    game(claims.len(), |s| {
        let others: f64 = (0..claims.len()).filter(|i| !s.contains(i)).map(|i| claims[i]).sum();
        (estate - others).max(0.0)
    })
}

#[test]
fn a_gray_code_changes_one_player_at_a_time() {
    let mut before = 0_u64;
    let table = tabulate(5, |s| {
        assert_eq!((s ^ before).count_ones(), 1);
        before = s;
        Some(index(s) as f64)
    });
    assert_eq!(table.unwrap(), (0..32).map(f64::from).collect::<Vec<_>>());
    assert_eq!(tabulate(3, |s| (s != 5).then_some(1.0)), None);
}

/// Aumann and Maschler, *Game theoretic analysis of a bankruptcy problem from the Talmud*, 1985.
#[test]
fn the_three_widows_of_the_talmud() {
    let claims = [100.0, 200.0, 300.0];
    for (estate, expected) in [(100.0, [100.0 / 3.0; 3]), (200.0, [50.0, 75.0, 75.0]), (300.0, [50.0, 100.0, 150.0])] {
        let table = bankruptcy(estate, &claims);
        let found = nucleolus(&table, || false).unwrap();
        close(&found.payoff, &expected);
        assert!(found.proven(&table));
    }
}

/// Littlechild and Owen, *A simple expression for the Shapley value in a special case*, 1973: each stretch of a runway is paid by
/// those who need it.
#[test]
fn the_runway_is_shared_by_those_who_need_it() {
    let table = game(3, |s| -s.iter().map(|i| [1.0, 4.0, 10.0][*i]).fold(0.0, f64::max));
    close(&shapley(&table), &[-1.0 / 3.0, -1.0 / 3.0 - 1.5, -1.0 / 3.0 - 1.5 - 6.0]);
}

#[test]
fn one_left_glove_among_two_right_ones_takes_all() {
    let table = game(3, |s| f64::from(s.contains(&0) && s.len() > 1));
    close(&shapley(&table), &[4.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0]);
    let found = nucleolus(&table, || false).unwrap();
    close(&found.payoff, &[1.0, 0.0, 0.0]);
    assert!(found.proven(&table));
}

#[test]
fn one_player_and_a_game_for_nothing() {
    close(&nucleolus(&[0.0, 7.0], || false).unwrap().payoff, &[7.0]);
    close(&shapley(&[0.0, 7.0]), &[7.0]);
    let nothing = nucleolus(&[0.0; 8], || false).unwrap();
    close(&nothing.payoff, &[0.0; 3]);
    assert!(nothing.proven(&[0.0; 8]));
    assert!(nucleolus(&bankruptcy(200.0, &[100.0, 200.0, 300.0]), || true).is_none());
}

#[test]
fn another_division_is_not_proven() {
    let table = bankruptcy(200.0, &[100.0, 200.0, 300.0]);
    let mut found = nucleolus(&table, || false).unwrap();
    found.payoff[0] += 1.0;
    found.payoff[1] -= 1.0;
    assert!(!found.proven(&table));
    let mut short = nucleolus(&table, || false).unwrap();
    short.levels.pop();
    assert!(!short.proven(&table));
}

/// Average over all orders, by the definition.
fn by_orders(table: &[f64]) -> Vec<f64> {
    fn visit(left: &mut Vec<usize>, present: usize, table: &[f64], sum: &mut [f64]) -> f64 {
        if left.is_empty() {
            return 1.0;
        }
        let mut orders = 0.0;
        for at in 0..left.len() {
            let i = left.swap_remove(at);
            let after = visit(left, present | 1 << i, table, sum);
            sum[i] += after * (table[present | 1 << i] - table[present]);
            orders += after;
            left.push(i);
            let last = left.len() - 1;
            left.swap(at, last);
        }
        orders
    }
    let players = table.len().ilog2() as usize;
    let mut sum = vec![0.0; players];
    let orders = visit(&mut (0..players).collect(), 0, table, &mut sum);
    sum.into_iter().map(|sum| sum / orders).collect()
}

/// The satisfactions of all proper coalitions, least first.
fn satisfactions(table: &[f64], payoff: &[f64]) -> Vec<f64> {
    let mut all: Vec<f64> =
        (1..table.len() - 1).map(|s| members(s as Coalition).map(|i| payoff[i]).sum::<f64>() - table[s]).collect();
    all.sort_by(f64::total_cmp);
    all
}

fn any_game(players: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<f64>> {
    players.prop_flat_map(|n| {
        prop::collection::vec(-20..100_i32, 1 << n).prop_map(|mut values| {
            values[0] = 0;
            values.into_iter().map(f64::from).collect()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(3), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_shapley_value_is_the_average_over_all_orders(table in any_game(2..=6)) {
        close(&shapley(&table), &by_orders(&table));
    }

    #[test]
    fn a_sample_comes_within_a_few_of_its_errors(table in any_game(3..=6), seed in any::<u64>()) {
        let exact = shapley(&table);
        let players = exact.len();
        let found = sampled(players, 400, seed, |s| Some(table[index(s)])).unwrap();
        prop_assert!((found.mean.iter().sum::<f64>() - table[table.len() - 1]).abs() < 1e-6);
        for i in 0..players {
            // 1.96 standard errors tell one in twenty; five of them practically none.
            prop_assert!((found.mean[i] - exact[i]).abs() <= 2.6 * found.error[i] + 1e-9, "{found:?} {exact:?}");
        }
    }

    #[test]
    fn no_division_is_better_for_the_least_satisfied(
        table in any_game(2..=5),
        moves in prop::collection::vec((0..5_usize, 0..5_usize, -8.0..8.0_f64), 60),
    ) {
        let found = nucleolus(&table, || false).unwrap();
        prop_assert!(found.proven(&table), "{found:?}");
        let players = found.payoff.len();
        let best = satisfactions(&table, &found.payoff);
        let mut other = found.payoff.clone();
        for (k, (a, b, amount)) in moves.into_iter().enumerate() {
            if k % 3 == 0 {
                other.clone_from(&found.payoff);
            }
            other[a % players] += amount;
            other[b % players] -= amount;
            let rival = satisfactions(&table, &other);
            let differs = best.iter().zip(&rival).find(|(x, y)| (*x - *y).abs() > 1e-4);
            prop_assert!(differs.is_none_or(|(x, y)| x > y), "{best:?} {rival:?}");
        }
    }

    #[test]
    fn larger_games_converge_with_proof(table in any_game(8..=8)) {
        let found = nucleolus(&table, || false).unwrap();
        prop_assert!(found.proven(&table));
    }
}
