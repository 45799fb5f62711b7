//! `plugboard schema`: what the files may say, for editors and for people.

mod reference;

use std::path::Path;
use std::process::ExitCode;

use crate::cli::{Home, Kind};
use crate::{check, config, output};

/// `schema`.
pub(crate) fn schema(kind: Kind, markdown: bool, plugins: Option<&Path>, home: &Home) -> ExitCode {
    let text = match kind {
        Kind::Config if markdown => Ok(reference::config(&config::schema())),
        Kind::Config => json(&config::schema()),
        Kind::Office if markdown => Ok(reference::office(&plugboard_office::schema())),
        Kind::Office => json(&plugboard_office::schema()),
        Kind::Scenario => check::actions(plugins, home).map_err(|fault| fault.to_string()).and_then(|(actions, _)| {
            let schema = plugboard_scenario::schema(&actions);
            if markdown { Ok(reference::scenario(&schema, &actions)) } else { json(&schema) }
        }),
    };
    match text {
        Ok(text) => {
            output::line(text.trim_end());
            ExitCode::SUCCESS
        }
        Err(fault) => {
            output::fault(fault);
            ExitCode::from(1)
        }
    }
}

fn json(schema: &serde_json::Value) -> Result<String, String> {
    serde_json::to_string_pretty(schema).map_err(|error| error.to_string())
}
