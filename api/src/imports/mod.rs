//! Files that others publish, read into our words without a database.
//!
//! Each reader takes bytes and gives values with a report: every fault has its line, its field, what is wrong and what
//! was done. A bad row never stops the good ones; a file of another format is refused as a whole, with the reason.

pub mod lieux;
mod position;
mod report;
mod table;
pub mod territories;
pub mod text;

pub use position::Position;
pub use report::{NotThisFormat, RowAction, RowFault, RowProblem};
