use attelage_solver::*;
use std::time::Instant;
#[test]
fn scratch() {
    for seed in [3, 4, 5] {
    let instance = Instance::new(sample::problem(&sample::Shape::LYON, seed)).unwrap();
    let options = Options { proposals: 1, ..Options::default() };
    let mut t = Instant::now();
    let mut lap = |what: &str| { println!("{seed} {what} {:?}", t.elapsed()); t = Instant::now(); };
    solve(&instance, &options).unwrap(); lap("solve 1");
    for (d, m) in [(Diversity::Cost, 1), (Diversity::Cost, 2), (Diversity::Maximum, 1)] {
    let Reply::Alternatives(a) = ask(&instance, &options, &Query::Alternatives(AlternativesRequest { count: 5, minimum_replaced: m, diversity: d, ..Default::default() }), &()).unwrap() else { panic!() };
    lap(&format!("alternatives {d:?} {m} {:?} {:?}", a.alternatives.iter().map(|a| a.regret_cents).collect::<Vec<_>>(), a.end)); }
    for axes in [Axes::CostCoverage, Axes::CostResilience, Axes::CostCohesion] {
      let Reply::Front(f) = ask(&instance, &options, &Query::Front(FrontRequest { axes, points: 12 }), &()).unwrap() else { panic!() };
      lap(&format!("front {axes:?} {:?} {} {:?}", f.status, f.complete, f.points.iter().map(|p| (p.extra_cents, p.missing, p.efficient)).collect::<Vec<_>>()));
    }
    let Reply::Resilience(r) = ask(&instance, &options, &Query::Resilience(ResilienceRequest::default()), &()).unwrap() else { panic!() };
    lap(&format!("resilience {:?} {} fatal {:?} strict {:?}", r.survives, r.resilience_percent, r.fatal_actors.len(), r.strict.map(|s| (s.status, s.price_cents, s.rounds, s.cuts, s.softest.map(|s| (s.price_cents, s.resilience_percent))))));
    }
}
