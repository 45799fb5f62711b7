//! The demo office, and offices written in a line.

use plugboard_model::{Dialled, GatewayId, OfficeId, UserId, WallTime};
use plugboard_office::{Inquiry, Office, Source, Surroundings};
use std::path::PathBuf;
use std::sync::Arc;

/// A folder on the disk, and one environment variable.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Surroundings for Folder {
    fn file(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.0.join(path)).map_err(|error| error.kind().to_string())
    }

    fn variable(&self, name: &str) -> Option<String> {
        name.starts_with("PLUGBOARD_").then(|| format!("secret of {name}"))
    }

    fn kept(&self, office: &OfficeId, user: &str) -> Option<String> {
        (user.starts_with('1') || user.starts_with("http/") || user.starts_with("database/"))
            .then(|| format!("kept by {office} for {user}"))
    }

    fn kept_of_gateway(&self, office: &OfficeId, gateway: &str) -> Option<String> {
        Some(format!("kept by {office} for the gateway {gateway}"))
    }
}

/// Files that are not on the disk.
pub(crate) struct Files(pub(crate) &'static [(&'static str, &'static str)]);

impl Surroundings for Files {
    fn file(&self, path: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "entity not found".to_owned())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn kept(&self, _: &OfficeId, _: &str) -> Option<String> {
        None
    }

    fn kept_of_gateway(&self, _: &OfficeId, _: &str) -> Option<String> {
        None
    }
}

pub(crate) fn demo_folder() -> Folder {
    Folder(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../server/demo"))
}

pub(crate) fn demo() -> Arc<Office> {
    let folder = demo_folder();
    let text = folder.file("office.yaml").unwrap();
    Office::parse("office.yaml", &text, &folder).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

pub(crate) fn office(text: &str) -> Arc<Office> {
    Office::parse("o.yaml", text, &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

pub(crate) fn faults(text: &str) -> String {
    let found = Office::parse("o.yaml", text, &demo_folder()).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

pub(crate) fn id(name: &str) -> UserId {
    UserId::new(&OfficeId::new("main").unwrap(), name).unwrap()
}

pub(crate) fn user(name: &str) -> Source {
    Source::User(id(name))
}

pub(crate) fn gateway(name: &str) -> Source {
    Source::Gateway(GatewayId::new(&OfficeId::new("main").unwrap(), name).unwrap())
}

pub(crate) fn dial(number: &str) -> Dialled {
    Dialled::new(number).unwrap()
}

/// On Monday the 5th of January 2026 at 10:00 in Berlin.
pub(crate) const MONDAY: WallTime = WallTime(1_767_603_600_000);

pub(crate) fn asks(from: &Source, number: &str) -> Inquiry {
    Inquiry::new(from, &dial(number), MONDAY)
}
