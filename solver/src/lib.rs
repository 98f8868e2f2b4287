//! Finds, proves and explains the best consortium for a collective call.

pub mod answer;
pub mod model;
pub mod rules;

pub use answer::*;
pub use model::*;
pub use rules::RuleId;
/// stub
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// stub
pub struct Instance;
/// stub
pub struct Fault { pub path: String, pub message: String }
impl Instance { pub fn new(_: Problem) -> Result<Self, Vec<Fault>> { Ok(Self) } }
pub fn solve(_: &Instance, _: &Options) -> Result<Answer, std::num::ParseIntError> { Err("x".parse::<i32>().unwrap_err()) }
