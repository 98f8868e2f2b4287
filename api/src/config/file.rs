//! Settings from a file: each named as on the command line, `public-url = "https://example.org"`.
//!
//! The command line comes first, then the environment, then the file, then what is built in.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

/// Name of the option that names the file, and of its variable.
const OPTION: &str = "config";
const VARIABLE: &str = "ATTELAGE_CONFIG";

/// What a file sets: values by the long names of options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSettings(BTreeMap<String, Vec<String>>);

impl FileSettings {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, that is not TOML, or with values that no option has. All of these at once.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", file.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let (mut settings, mut wrong) = (BTreeMap::new(), Vec::new());
        for (name, value) in table {
            let values = match &value {
                Value::Array(items) => items.iter().map(written).collect(),
                one => written(one).map(|value| vec![value]),
            };
            match values {
                Some(values) => _ = settings.insert(name, values),
                None => wrong.push(format!("`{name}` is a text, a number, true or false, or a list of them")),
            }
        }
        if wrong.is_empty() { Ok(Self(settings)) } else { Err(wrong.join("; ")) }
    }

    /// The command, with what the file says in the place of what is built in.
    ///
    /// # Errors
    /// Settings that no option has the name of.
    pub fn apply(&self, command: Command) -> Result<Command, String> {
        let mut known = BTreeSet::new();
        names(&command, &mut known);
        let unknown: Vec<String> =
            self.0.keys().filter(|name| !known.contains(*name)).map(|name| format!("`{name}`")).collect();
        if !unknown.is_empty() {
            let words = "settings have the names of options, without `--`: `attelage serve --help` lists them";
            return Err(format!("there is no setting {}: {words}", unknown.join(", ")));
        }
        Ok(self.fill(command))
    }

    fn fill(&self, command: Command) -> Command {
        let filled = command.mut_args(|arg| {
            let name = arg.get_long().unwrap_or_default();
            match self.0.get(name) {
                // A switch that is off in the file is as it is without.
                Some(values) if matches!(arg.get_action(), ArgAction::SetTrue) && *values != ["true"] => arg,
                Some(values) => arg.default_values(values.clone()).required(false),
                None => arg,
            }
        });
        filled.mut_subcommands(|subcommand| self.fill(subcommand))
    }

    /// The values of a setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

fn written(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => return None,
    })
}

/// The long names of the options that may stand in a file.
fn names(command: &Command, known: &mut BTreeSet<String>) {
    let settable = command.get_arguments().filter(|arg| settable(arg));
    known.extend(settable.filter_map(Arg::get_long).map(str::to_owned));
    command.get_subcommands().for_each(|subcommand| names(subcommand, known));
}

/// What has a variable is a setting; other options say what is done once.
fn settable(arg: &Arg) -> bool {
    arg.get_env().is_some() && arg.get_long() != Some(OPTION)
}

/// The file that the command line or the environment names.
#[must_use]
pub fn named(arguments: impl IntoIterator<Item = OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        match text.strip_prefix("--").and_then(|text| text.strip_prefix(OPTION)) {
            Some("") => return arguments.next().map(PathBuf::from),
            Some(rest) if rest.starts_with('=') => return Some(PathBuf::from(rest.trim_start_matches('='))),
            _ => {}
        }
    }
    std::env::var_os(VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from)
}

/// A setting, where it comes from, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// Its values, as they were written; without the password of a URL.
    pub values: Vec<String>,
    /// `environment`, `file` or `default`.
    pub source: &'static str,
    /// Why it cannot be used.
    pub fault: Option<String>,
}

/// Every setting of a command that [`FileSettings::apply`] has not touched, each judged by itself so that all faults are told at once.
#[must_use]
pub fn check(command: &Command, file: &FileSettings) -> Vec<Checked> {
    let settings = command.get_arguments().filter(|arg| settable(arg));
    let checked = settings.filter_map(|arg| {
        let name = arg.get_long()?;
        let from_environment =
            arg.get_env().and_then(std::env::var_os).map(|value| value.to_string_lossy().into_owned());
        let (values, source) = if let Some(value) = from_environment {
            (vec![value], "environment")
        } else if let Some(values) = file.get(name) {
            (values.to_vec(), "file")
        } else {
            let built_in = arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned());
            (built_in.collect(), "default")
        };
        let fault = fault(arg, name, &values);
        let values = values.iter().map(|value| without_password(value)).collect();
        Some(Checked { name: name.to_owned(), values, source, fault })
    });
    checked.collect()
}

fn fault(arg: &Arg, name: &str, values: &[String]) -> Option<String> {
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        let wrong = values.iter().find(|value| !["true", "false"].contains(&value.as_str()));
        return wrong.map(|value| format!("`{value}` is neither true nor false"));
    }
    let mut alone = Arg::new("value").action(ArgAction::Append).value_parser(arg.get_value_parser().clone());
    if let Some(delimiter) = arg.get_value_delimiter() {
        alone = alone.value_delimiter(delimiter);
    }
    let command =
        Command::new("settings").no_binary_name(true).arg(alone.allow_hyphen_values(true).long(name.to_owned()));
    let given: Vec<String> = values.iter().map(|value| format!("--{name}={value}")).collect();
    let error = command.try_get_matches_from(given).err()?.to_string();
    let first = error.lines().next().unwrap_or_default();
    Some(first.trim_start_matches("error: ").to_owned())
}

/// A URL with a password has its password replaced.
fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let Some((user, place)) = rest.rsplit_once('@') else { return value.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:…@{place}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn command() -> Command {
        let port = Arg::new("port")
            .long("port")
            .env("TEST_PORT_THAT_IS_NOT_SET")
            .value_parser(clap::value_parser!(u16))
            .default_value("80");
        let names =
            Arg::new("names").long("name").env("TEST_NAMES_NOT_SET").action(ArgAction::Append).value_delimiter(',');
        let quiet = Arg::new("quiet").long("quiet").env("TEST_QUIET_NOT_SET").action(ArgAction::SetTrue);
        let once = Arg::new("once").long("once").action(ArgAction::SetTrue);
        Command::new("attelage").subcommand(Command::new("serve").args([port, names, quiet, once]))
    }

    fn serve(file: &str, arguments: &[&str]) -> clap::ArgMatches {
        let filled = FileSettings::parse(file).unwrap().apply(command()).unwrap();
        let matches = filled.try_get_matches_from([&["attelage", "serve"], arguments].concat()).unwrap();
        matches.subcommand().unwrap().1.clone()
    }

    #[test]
    fn the_command_line_comes_before_the_file_and_the_file_before_what_is_built_in() {
        let file = "port = 81\nname = [\"a\", \"b\"]\nquiet = true";
        let told = serve(file, &[]);
        assert_eq!((told.get_one::<u16>("port"), told.get_flag("quiet")), (Some(&81), true));
        assert_eq!(told.get_many::<String>("names").unwrap().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(serve(file, &["--port", "82"]).get_one::<u16>("port"), Some(&82));
        assert_eq!(
            (serve("", &[]).get_one::<u16>("port"), serve("quiet = false", &[]).get_flag("quiet")),
            (Some(&80), false)
        );
    }

    #[test]
    fn what_is_no_setting_is_refused_by_name() {
        let apply = |file: &str| FileSettings::parse(file).and_then(|settings| settings.apply(command())).map(|_| ());
        let error = apply("prot = 1\nonce = true\nport = 1").unwrap_err();
        assert!(error.contains("`once`, `prot`") && !error.contains("`port`"), "{error}");
        assert!(apply("port = ").is_err() && apply("[port]\nx = 1").is_err() && apply("port = 1979-05-27").is_err());
    }

    #[test]
    fn every_fault_is_told_with_the_source_of_its_value() {
        let file = FileSettings::parse("port = 70000\nname = \"postgres://u:secret@h/d\"\nquiet = \"maybe\"").unwrap();
        let checked = check(command().find_subcommand("serve").unwrap(), &file);
        let of = |name: &str| checked.iter().find(|one| one.name == name).unwrap();
        assert!(of("port").fault.as_ref().is_some_and(|fault| fault.contains("70000")), "{checked:?}");
        assert_eq!((of("port").source, of("quiet").fault.is_some()), ("file", true));
        assert_eq!(of("name").values, ["postgres://u:…@h/d"]);
        assert_eq!(check(command().find_subcommand("serve").unwrap(), &FileSettings::default())[0].source, "default");
    }

    #[test]
    fn the_file_is_named_in_either_way() {
        let of = |arguments: &[&str]| named(arguments.iter().map(OsString::from));
        assert_eq!(of(&["attelage", "--config", "a.toml", "serve"]), Some(PathBuf::from("a.toml")));
        assert_eq!(of(&["attelage", "serve", "--config=b.toml"]), Some(PathBuf::from("b.toml")));
        assert_eq!(of(&["attelage", "serve", "--configuration=b"]), None);
    }
}
