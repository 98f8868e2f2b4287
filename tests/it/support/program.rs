//! Programs that stand in for the one that computes, where a test needs one that is slow, dies or lies.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use attelage::runs;
use tempfile::TempDir;

use super::service;
use crate::cli::binary;

/// A program in a folder of its own, which goes with this value.
pub struct Program {
    folder: TempDir,
}

impl Program {
    /// A shell script. `$REAL "$@"` computes as it should; `$HERE` is the folder.
    pub fn new(script: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("program");
        let head = format!("#!/bin/sh\nREAL={}\nHERE={}\n", binary().display(), folder.path().display());
        std::fs::write(&path, format!("{head}{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("program")
    }

    /// How runs are computed with it.
    pub fn settings(&self) -> runs::Settings {
        runs::Settings { program: self.path(), ..service::runs() }
    }

    /// Whether a script has left a file of this name.
    pub fn has_left(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }
}

/// How many processes run whose command line holds these words.
pub fn processes(words: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).replace('\0', " ").contains(words)).count()
}
