//! All values of one kind that an office has.

use crate::codec::Form;
use crate::engine::{Engine, Family};
use crate::error::StoreError;
use crate::key::{Key, Scope, Space};
use plugboard_model::OfficeId;
use serde::de::DeserializeOwned;
use std::ops::ControlFlow;

/// The values of a space, in the order of their keys; what cannot be read is left out. Waits for the disk.
pub(crate) fn decoded<T: DeserializeOwned>(
    engine: &Engine,
    office: &OfficeId,
    space: Space,
    form: Form,
) -> Result<Vec<T>, StoreError> {
    let space = Key::space(Scope::Office(office), space);
    let mut found = Vec::new();
    engine.scan(Family::Main, &space.bytes, &space.end(), |_, value| {
        found.extend(form.decode::<T>(value));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
