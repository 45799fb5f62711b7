//! How large a guest is: which of the two engines runs it.

use crate::CompileError;
use serde::Serialize;
use std::time::Duration;
use wasmparser::{Parser, Payload};

/// Which engine and pool a component belongs to, by what it needs. The same bytes are of the same size on every host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuestSize {
    /// An action in Rust or C: one module, some ten to some hundred kilobytes.
    Small,
    /// One that brings an interpreter: JavaScript (1.6 MB, 1.4 MiB of memory), Python (18 MB, 13 MiB of memory).
    Large,
}

/// A small one's file. The largest action of the Rust SDK has a tenth of it.
const SMALL_BYTES: usize = 1 << 20;
/// A small one's modules and components inside: `wit-component` makes three of one module, and one for each kind of import.
const SMALL_MODULES: usize = 16;
/// A small one's memories.
const SMALL_MEMORIES: usize = 1;
/// A small one's tables.
const SMALL_TABLES: usize = 4;
/// Pages of 64 KiB that a small one's memory begins with: half of what it may have by default.
const SMALL_PAGES: u64 = 128;
/// Elements that a small one's table begins with.
const SMALL_ELEMENTS: u64 = 10_000;

impl GuestSize {
    /// The size of a component, read from its sections; nothing is compiled.
    pub(crate) fn of(component: &[u8]) -> Result<Self, CompileError> {
        if component.len() > SMALL_BYTES {
            return Ok(Self::Large);
        }
        let (mut modules, mut memories, mut tables) = (0_usize, 0_usize, 0_usize);
        let (mut pages, mut elements) = (0_u64, 0_u64);
        for payload in Parser::new(0).parse_all(component) {
            #[expect(clippy::wildcard_enum_match_arm, reason = "most of a file's two dozen sections tell no size")]
            match payload.map_err(|cause| CompileError::Invalid(cause.to_string()))? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => modules = modules.saturating_add(1),
                Payload::MemorySection(section) => {
                    for memory in section.into_iter().flatten() {
                        memories = memories.saturating_add(1);
                        pages = pages.max(memory.initial);
                    }
                }
                Payload::TableSection(section) => {
                    for table in section.into_iter().flatten() {
                        tables = tables.saturating_add(1);
                        elements = elements.max(table.ty.initial);
                    }
                }
                _ => {}
            }
        }
        let small = modules <= SMALL_MODULES
            && memories <= SMALL_MEMORIES
            && tables <= SMALL_TABLES
            && pages <= SMALL_PAGES
            && elements <= SMALL_ELEMENTS;
        Ok(if small { Self::Small } else { Self::Large })
    }

    /// A run that used more CPU than this is not rebuilt, so it is not put away: one with an interpreter inside takes some
    /// milliseconds to come to its first line.
    pub(crate) fn rebuild_cpu_max(self) -> Duration {
        match self {
            Self::Small => Duration::from_millis(5),
            Self::Large => Duration::from_millis(50),
        }
    }
}
