//! What large calls cost: `cargo bench -p attelage-solver --bench scale -- [table] [filter…]`, which prints Markdown.
//!
//! Tables: `targets` (the default: first consortium, and objective, bound and gap over time), `alone` (the same for HiGHS alone, on the
//! same model), `growth` (from 125 to 100,000 actors; without a filter, also draws `docs/solver/growth.svg`). Filters are names of rows, such as
//! `large`, `large/3` or `1000`. Each row is a process of its own, on one thread; its peak memory is that of the process, the problem
//! in it. Times are processor seconds, so that a busy machine changes them little.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)] // Its tables are its output.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use attelage_solver::sample::{self, Shape};
use attelage_solver::{Instance, Observer, Options, Progress, Stage, solve_exactly_with, solve_with};

/// Name, shape, seconds.
const TARGETS: [(&str, Shape, u64); 5] = [
    ("lyon", Shape::LYON, 10),
    ("medium", Shape::MEDIUM, 20),
    ("large", Shape::LARGE, 60),
    ("national", Shape::NATIONAL, 60),
    ("huge", Shape::HUGE, 60),
];
/// Actors and needs.
const GROWTH: [(usize, usize); 11] = [
    (125, 15),
    (250, 30),
    (500, 60),
    (1_000, 120),
    (2_000, 200),
    (4_000, 300),
    (8_000, 450),
    (16_000, 800),
    (32_000, 1_100),
    (64_000, 1_600),
    (100_000, 2_000),
];
const SEEDS: [u64; 2] = [11, 12];
const SECONDS: [u64; 4] = [2, 10, 20, 60];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").peekable();
    if arguments.next_if(|argument| argument == "--row").is_some() {
        let [name, seed, seconds, alone] = [(); 4].map(|()| arguments.next().unwrap());
        return row(shape(&name), seed.parse().unwrap(), seconds.parse().unwrap(), alone == "true");
    }
    let tables = ["targets", "alone", "growth"];
    let table = arguments.next_if(|argument| tables.contains(&argument.as_str())).unwrap_or("targets".to_owned());
    let filters: Vec<String> = arguments.collect();
    let wanted = |name: &str| {
        let named = |filter: &String| name.split_once('/').is_some_and(|(own, _)| own == filter) || name == filter;
        filters.is_empty() || filters.iter().any(named)
    };
    match table.as_str() {
        "growth" => growth(wanted),
        table => targets(wanted, table == "alone", &filters),
    }
}

fn shape(name: &str) -> Shape {
    if let Some((_, shape, _)) = TARGETS.iter().find(|(own, ..)| *own == name) {
        return *shape;
    }
    let actors = name.parse().unwrap();
    Shape::of(actors, GROWTH.iter().find(|(own, _)| *own == actors).unwrap().1)
}

/// What was known after some time.
#[derive(Clone, Copy)]
struct Event {
    wall: f64,
    processor: f64,
    best: Option<i64>,
    bound: Option<i64>,
}

/// Notes what is told of the best consortium, and stops after so many processor seconds.
struct Notes {
    events: RefCell<Vec<Event>>,
    start: f64,
    limit: f64,
    looked: Cell<Instant>,
    over: Cell<bool>,
}

impl Observer for Notes {
    fn progress(&self, progress: &Progress) {
        if progress.stage == Stage::Search {
            let (wall, processor) = (progress.elapsed.as_secs_f64(), processor() - self.start);
            let event = Event { wall, processor, best: progress.best_cents, bound: progress.bound_cents };
            self.events.borrow_mut().push(event);
        }
    }

    fn cancelled(&self) -> bool {
        if self.looked.get().elapsed() > Duration::from_millis(20) {
            self.looked.set(Instant::now());
            self.over.set(processor() - self.start > self.limit);
        }
        self.over.get()
    }
}

/// Seconds that this thread has worked, as Linux tells them.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok()).map_or(Duration::ZERO, Duration::from_nanos);
    nanoseconds.as_secs_f64()
}

/// Most memory that this process has had, in MiB.
fn peak() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Solves one sample, and prints each event and the end.
fn row(shape: Shape, seed: u64, seconds: u64, alone: bool) {
    let instance = Instance::new(sample::problem(&shape, seed)).unwrap();
    let options = Options { proposals: 1, gap_ppm: 100, time_limit_ms: 3_600_000, ..Options::default() };
    let (looked, over) = (Cell::new(Instant::now()), Cell::new(false));
    let notes = Notes { events: RefCell::default(), start: processor(), limit: seconds as f64, looked, over };
    let solve = if alone { solve_exactly_with } else { solve_with };
    let answer = solve(&instance, &options, &notes).unwrap();
    let number = |n: Option<i64>| n.map_or("-".to_owned(), |n| n.to_string());
    for Event { wall, processor, best, bound } in notes.events.into_inner() {
        println!("event {wall} {processor} {} {}", number(best), number(bound));
    }
    let edges = answer.report.edges;
    println!("end {edges} {} {}", peak(), answer.proposals.first().is_some_and(|best| best.proof.verified));
}

/// What a row came to.
struct Run {
    events: Vec<Event>,
    edges: u64,
    peak: u64,
    verified: bool,
}

fn run(name: &str, seed: u64, seconds: u64, alone: bool) -> Run {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--row", name, &seed.to_string(), &seconds.to_string(), &alone.to_string()]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut run = Run { events: Vec::new(), edges: 0, peak: 0, verified: false };
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["event", wall, processor, best, bound] => run.events.push(Event {
                wall: wall.parse().unwrap(),
                processor: processor.parse().unwrap(),
                best: best.parse().ok(),
                bound: bound.parse().ok(),
            }),
            ["end", edges, peak, verified] => {
                run.edges = edges.parse().unwrap();
                run.peak = peak.parse().unwrap();
                run.verified = verified == "true";
            }
            _ => panic!("{line}"),
        }
    }
    run
}

impl Run {
    /// When the first consortium was told: seconds, and processor seconds.
    fn first(&self) -> Option<(f64, f64)> {
        self.events.iter().find(|event| event.best.is_some()).map(|event| (event.wall, event.processor))
    }

    /// The best consortium and bound after so many seconds.
    fn at(&self, seconds: f64) -> (Option<i64>, Option<i64>) {
        let so_far = || self.events.iter().take_while(move |event| event.processor <= seconds + 0.05);
        (so_far().filter_map(|event| event.best).min(), so_far().filter_map(|event| event.bound).max())
    }

    /// Seconds until the gap was at most so much, in percent.
    fn within(&self, percent: f64) -> Option<f64> {
        self.events
            .iter()
            .map(|event| event.processor)
            .find(|&time| gap(self.at(time - 0.05)).is_some_and(|g| g <= percent))
    }
}

/// In percent of the best.
fn gap((best, bound): (Option<i64>, Option<i64>)) -> Option<f64> {
    let (best, bound) = (best? as f64, bound? as f64);
    Some(if best == 0.0 { 0.0 } else { ((best - bound) / best * 100.0).max(0.0) })
}

/// Objective / bound in thousands of euros, and the gap.
fn state(of: (Option<i64>, Option<i64>)) -> String {
    let euros = |cents: Option<i64>| cents.map_or("–".to_owned(), |cents| (cents / 100_000).to_string());
    let gap = gap(of).map_or("–".to_owned(), |gap| format!("{gap:.2} %"));
    format!("{} / {}, {gap}", euros(of.0), euros(of.1))
}

fn seconds(time: Option<f64>) -> String {
    time.map_or("–".to_owned(), |time| format!("{time:.2} s"))
}

fn targets(wanted: impl Fn(&str) -> bool, alone: bool, filters: &[String]) {
    println!(
        "| shape / seed | edges | first: wall (processor) | 2 s | 10 s | 20 s | 60 s | 0.1 % after | 0.01 % after | peak |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (name, _, limit) in TARGETS {
        let named = |filter: &String| filter.strip_prefix(name)?.strip_prefix('/')?.parse().ok();
        let mut seeds: Vec<u64> = filters.iter().filter_map(named).collect();
        if seeds.is_empty() {
            seeds.extend(SEEDS);
        }
        for seed in seeds.into_iter().filter(|seed| wanted(&format!("{name}/{seed}"))) {
            let run = run(name, seed, limit, alone);
            let first =
                run.first().map_or("–".to_owned(), |(wall, processor)| format!("{wall:.2} s ({processor:.2} s)"));
            let states: Vec<String> = SECONDS.iter().map(|&s| state(run.at(s as f64))).collect();
            let note = if run.verified { "" } else { " (nothing verified)" };
            println!(
                "| {name} / {seed} | {} | {first} | {} | {} | {} | {} MiB{note} |",
                run.edges,
                states.join(" | "),
                seconds(run.within(0.1)),
                seconds(run.within(0.01)),
                run.peak,
            );
        }
    }
}

fn growth(wanted: impl Fn(&str) -> bool) {
    println!("| actors / needs | edges | first | 1 % after | 0.1 % after | gap at 20 s | peak |");
    println!("|---|---|---|---|---|---|---|");
    let mut points = Vec::new();
    for (actors, needs) in GROWTH.into_iter().filter(|(actors, _)| wanted(&actors.to_string())) {
        for seed in SEEDS {
            let run = run(&actors.to_string(), seed, 20, false);
            points.extend(run.first().map(|(_, first)| (actors, first, run.peak)));
            println!(
                "| {actors} / {needs}, seed {seed} | {} | {} | {} | {} | {} | {} MiB |",
                run.edges,
                seconds(run.first().map(|(_, processor)| processor)),
                seconds(run.within(1.0)),
                seconds(run.within(0.1)),
                gap(run.at(20.0)).map_or("–".to_owned(), |gap| format!("{gap:.2} %")),
                run.peak,
            );
        }
    }
    if points.len() == GROWTH.len() * SEEDS.len() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/solver/growth.svg");
        std::fs::write(path, plot(&points)).unwrap();
    }
}

/// Seconds to the first consortium (discs) and peak memory in MiB (squares) against actors, all three on logarithmic axes.
fn plot(points: &[(usize, f64, u64)]) -> String {
    let across = |actors: usize| 60.0 + 160.0 * (actors as f64 / 100.0).log10();
    let up = |value: f64| 260.0 - 40.0 * (value.max(0.01) / 0.01).log10();
    let mut svg = String::from(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 580 310" font-family="sans-serif" font-size="11">
<title>Time to the first consortium and peak memory against actors</title>
<rect width="580" height="310" fill="white"/>
"#,
    );
    for (power, sign) in (2..).zip(["²", "³", "⁴", "⁵"]) {
        let x = across(10_usize.pow(power));
        let line = format_args!(r##"<path d="M{x} 20V260" stroke="#ddd"/>"##);
        writeln!(svg, r#"{line}<text x="{x}" y="278" text-anchor="middle">10{sign}</text>"#).unwrap();
    }
    for value in [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0] {
        let y = up(value);
        let line = format_args!(r##"<path d="M60 {y}H540" stroke="#ddd"/>"##);
        writeln!(svg, r#"{line}<text x="54" y="{y}" text-anchor="end">{value}</text>"#).unwrap();
    }
    for &(actors, first, peak) in points {
        let (x, y, memory) = (across(actors), up(first), up(peak as f64));
        writeln!(svg, r##"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="#1f5fa8"/>"##).unwrap();
        let (left, top) = (x - 3.5, memory - 3.5);
        writeln!(svg, r##"<rect x="{left:.1}" y="{top:.1}" width="7" height="7" fill="#c2571a"/>"##).unwrap();
    }
    svg + r##"<text x="300" y="298" text-anchor="middle">actors</text>
<text x="70" y="34" fill="#1f5fa8">● seconds to the first consortium</text>
<text x="70" y="50" fill="#c2571a">■ peak memory, MiB</text>
</svg>
"##
}
