//! `[[api]]`: the programs that may order faxes, list actions, simulate calls and compare versions over HTTP.

use plugboard_console::Token;
use plugboard_document::{Faults, Field};
use plugboard_model::OfficeId;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::path::PathBuf;

use super::path;

/// Programs of all offices.
const PROGRAMS_MAX: usize = 100;
/// What is shorter can be guessed.
const TOKEN_MIN: usize = 16;

/// A program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// What it is called in the log.
    pub(crate) name: String,
    /// The office that it may ask about, and whose faxes it orders.
    pub(crate) office: OfficeId,
    /// What it must show.
    shows: Shows,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shows {
    /// What stands in this file.
    File(PathBuf),
    /// What has this sum.
    Sum([u8; 32]),
}

impl Program {
    /// Reads its token.
    ///
    /// # Errors
    /// The file and what is wrong with it; never what is in it.
    pub(crate) fn token(&self) -> Result<Token, String> {
        let sha256 = match &self.shows {
            Shows::Sum(sum) => *sum,
            Shows::File(file) => {
                let at = file.display();
                let text = std::fs::read_to_string(file).map_err(|error| format!("{at}: {error}"))?;
                let token = text.trim();
                if token.len() < TOKEN_MIN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(format!("{at}: a token is one word of ASCII of {TOKEN_MIN} letters or more"));
                }
                Sha256::digest(token.as_bytes()).into()
            }
        };
        Ok(Token { name: self.name.clone(), office: self.office.clone(), sha256 })
    }
}

/// Reads the part of the file.
pub(super) fn read(field: &Field<'_>, programs: &mut Vec<Program>, faults: &mut Faults) {
    let mut names = BTreeSet::new();
    for item in field.list(PROGRAMS_MAX, faults) {
        let Some(program) = program(&item, faults) else { continue };
        if !names.insert(program.name.clone()) {
            item.fault(faults, format!("the program {:?} is there twice", program.name), "name each once");
        }
        programs.push(program);
    }
}

fn program(item: &Field<'_>, faults: &mut Faults) -> Option<Program> {
    let mut fields = item.fields(faults)?;
    let name = fields.need("name", faults).and_then(|field| field.name(faults));
    let office = fields.need("office", faults).and_then(|field| field.name(faults));
    let file = path(&mut fields, "token_file", faults);
    let sum = fields.take("token_sha256");
    fields.finish(faults);
    let shows = match (file, sum) {
        (Some(file), None) => Some(Shows::File(file)),
        (None, Some(sum)) => sum_of(&sum, faults).map(Shows::Sum),
        (Some(_), Some(_)) => {
            item.fault(faults, "the token is named twice", "name token_file or token_sha256");
            None
        }
        (None, None) => {
            item.fault(faults, "the token is missing", "name token_file or token_sha256");
            None
        }
    };
    Some(Program { name: name?.as_str().to_owned(), office: OfficeId(office?), shows: shows? })
}

fn sum_of(field: &Field<'_>, faults: &mut Faults) -> Option<[u8; 32]> {
    let text = field.text(faults)?;
    let byte = |n: usize| text.get(2 * n..2 * n + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    let sum = bytes.filter(|_| text.len() == 64 && text.is_ascii()).and_then(|bytes| bytes.try_into().ok());
    if sum.is_none() {
        field.fault(faults, "this is no SHA-256", "64 digits, as `printf %s TOKEN | sha256sum` prints them");
    }
    sum
}

/// The schema of the part.
pub(super) fn schema() -> Json {
    let text = |example: &str, description: &str| json!({ "type": "string", "examples": [example], "description": description });
    let program = json!({ "type": "object", "additionalProperties": false, "required": ["name", "office"], "properties": {
        "name": text("crm", "What the program is called."),
        "office": text("main", "The office that it may ask about, and whose faxes it orders."),
        "token_file": text("/etc/plugboard/crm.token", "Holds what it must send as `Authorization: Bearer`: 16 letters or more."),
        "token_sha256": text("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "The SHA-256 of that, in place of a file, as `printf %s TOKEN | sha256sum` prints it.")
    } });
    json!({ "type": "array", "maxItems": PROGRAMS_MAX, "items": { "anyOf": [program] },
        "examples": [[{ "name": "crm", "office": "main", "token_file": "/etc/plugboard/crm.token" }]],
        "description": "Programs that may order faxes, list actions, simulate calls and compare versions over HTTP (`/api/v1/` where `[http]` listens), one table `[[api]]` each; \
            without one there is no API. Off loopback tokens are sent in clear: put a server with TLS before it." })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<Vec<Program>, String> {
        let told = |faults: Vec<plugboard_document::Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>();
        Config::parse("test", text).map(|config| config.api).map_err(|faults| told(faults).join("\n"))
    }

    #[test]
    fn a_token_is_in_a_file_or_told_by_its_sum() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "correct horse\n").unwrap();
        let sum = "cbe6beb26479b568e5f15b50217c6c83c0ee051dc4e522b9840d8e291d6aaf46";
        let programs = read(&format!(
            "[[api]]\nname = \"crm\"\noffice = \"main\"\ntoken_file = {file:?}\n\
             [[api]]\nname = \"mail\"\noffice = \"main\"\ntoken_sha256 = \"{sum}\"\n"
        ))
        .unwrap();
        let fault = programs[0].token().unwrap_err();
        assert!(fault.contains("16 letters") && !fault.contains("correct"), "{fault}");
        std::fs::write(&file, "correcthorsebatterystaple\n").unwrap();
        assert_eq!(programs[0].token().unwrap().sha256, programs[1].token().unwrap().sha256);
    }

    #[test]
    fn faults_are_told() {
        for (text, told) in [
            ("name = \"crm\"\noffice = \"main\"", "the token is missing"),
            ("name = \"crm\"\noffice = \"main\"\ntoken_file = \"a\"\ntoken_sha256 = \"b\"", "twice"),
            ("name = \"crm\"\noffice = \"main\"\ntoken_sha256 = \"12\"", "no SHA-256"),
            ("office = \"main\"\ntoken_file = \"a\"", "\"name\" is missing"),
            ("name = \"crm\"\noffice = \"main\"\ntokenfile = \"a\"", "token_file"),
        ] {
            let faults = read(&format!("[[api]]\n{text}\n")).unwrap_err();
            assert!(faults.contains(told), "{faults}");
        }
    }
}
