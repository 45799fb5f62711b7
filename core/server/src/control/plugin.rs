//! What a switch is told about its plugins.

use serde::{Deserialize, Serialize};

/// An order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum PluginOrder {
    /// Put a file in force.
    Install {
        /// What it is called.
        file: String,
        /// What is in it (base64).
        bytes: String,
        /// Also if nobody whom the admin trusts has signed it.
        untrusted: bool,
    },
    /// Take one away.
    Remove {
        name: String,
        /// Also if offices use it.
        force: bool,
    },
    /// Put the version before in force.
    RollBack { name: String },
    /// Trust a vendor's key.
    Trust { key: String, vendor: String },
    /// Trust it no more.
    Distrust { key: String },
    /// Whose signatures are trusted.
    Keys,
}
