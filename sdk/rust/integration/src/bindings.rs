//! What `wit-bindgen` makes of the world `integration`: its types, `settings`, and the exports that [`crate::integration`] fills. What it
//! shares with actions is theirs.
#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction, unsafe_code, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../../wit/0.1.0",
    world: "integration",
    pub_export_macro: true,
    export_macro_name: "export_integration",
    default_bindings_module: "::plugboard_sdk_integration::bindings",
    additional_derives: [PartialEq],
    with: {
        "plugboard:switch/types@0.1.0": plugboard_sdk::bindings::plugboard::switch::types,
        "plugboard:switch/description@0.1.0": plugboard_sdk::bindings::plugboard::switch::description,
        "plugboard:switch/http@0.1.0": plugboard_sdk::bindings::plugboard::switch::http,
        "plugboard:switch/log@0.1.0": plugboard_sdk::bindings::plugboard::switch::log,
        "plugboard:switch/clock@0.1.0": plugboard_sdk::bindings::plugboard::switch::clock,
        "plugboard:switch/random@0.1.0": plugboard_sdk::bindings::plugboard::switch::random,
    },
});
