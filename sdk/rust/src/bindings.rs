//! What `wit-bindgen` makes of `wit/0.1.0`: the raw imports, and the two exports that [`crate::action`] fills.
#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction, unsafe_code, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit/0.1.0",
    world: "action",
    pub_export_macro: true,
    export_macro_name: "export_action",
    default_bindings_module: "::plugboard_sdk::bindings",
    additional_derives: [PartialEq],
});
