//! Compiles components on a thread of their own, within limits.

use crate::limits::CompileLimits;
use crate::{ComponentId, PluginEngine};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use wasmparser::{Parser, Payload};
use wasmtime::component::Component;

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// A limit of [`CompileLimits`].
    #[error("{what} are {value}, at most {max} are compiled")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        value: u64,
        /// The limit.
        max: u64,
    },
    /// It took too long.
    #[error("compiling took longer than {seconds} s and was given up; make the component smaller")]
    Time {
        /// The limit.
        seconds: u64,
    },
    /// Another component is being compiled.
    #[error("another component is being compiled; install this one when that has ended")]
    Busy,
    /// Not a valid component for this engine.
    #[error("the component is not valid here: {0}")]
    Invalid(String),
    /// The operating system gives no thread.
    #[error("cannot start a thread to compile on: {0}")]
    Thread(#[from] std::io::Error),
}

/// One compilation at a time, so that installing never takes more than the compiler's own threads.
#[derive(Debug, Default, Clone)]
pub(crate) struct Compiler {
    busy: Arc<AtomicBool>,
}

impl Compiler {
    /// Compiles `bytes`; waits for it, so it is not for a call's thread.
    pub(crate) fn compile(
        &self,
        engine: &PluginEngine,
        id: ComponentId,
        bytes: &Arc<[u8]>,
    ) -> Result<Component, CompileError> {
        let limits = *engine.compile_limits();
        check(bytes, &limits)?;
        if self.busy.swap(true, Ordering::AcqRel) {
            return Err(CompileError::Busy);
        }
        // Dropped on the compiling thread: a compilation that was given up keeps the place until it has really ended.
        let place = Place(Arc::clone(&self.busy));
        let (done, waits) = mpsc::sync_channel(1);
        let (engine, bytes) = (engine.wasmtime().clone(), Arc::clone(bytes));
        std::thread::Builder::new().name(format!("compile-{}", id.short())).spawn(move || {
            let compiled = Component::new(&engine, &bytes).map_err(|cause| CompileError::Invalid(format!("{cause:#}")));
            drop(place);
            // Nobody waits any more when it was given up.
            drop(done.send(compiled));
        })?;
        match waits.recv_timeout(limits.time_max) {
            Ok(compiled) => compiled,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(CompileError::Time { seconds: limits.time_max.as_secs() }),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(CompileError::Invalid("the compiler panicked".into())),
        }
    }
}

struct Place(Arc<AtomicBool>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Checks the file's size first, which the parsers before compilation are bounded by too.
pub(crate) fn check_size(bytes: &[u8], bytes_max: usize) -> Result<(), CompileError> {
    within("the component's bytes", bytes.len(), bytes_max)
}

fn check(bytes: &[u8], limits: &CompileLimits) -> Result<(), CompileError> {
    check_size(bytes, limits.bytes_max)?;
    let (mut functions, mut modules) = (0_usize, 0_usize);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|cause| CompileError::Invalid(cause.to_string()))?;
        #[expect(clippy::wildcard_enum_match_arm, reason = "most of a file's two dozen sections need no limit")]
        match payload {
            Payload::FunctionSection(section) => {
                functions = functions.saturating_add(usize::try_from(section.count()).unwrap_or(usize::MAX));
                within("the functions", functions, usize::try_from(limits.functions_max).unwrap_or(usize::MAX))?;
            }
            Payload::CodeSectionEntry(body) => {
                let max = usize::try_from(limits.body_bytes_max).unwrap_or(usize::MAX);
                within("a function's bytes", body.as_bytes().len(), max)?;
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                modules = modules.saturating_add(1);
                within("the nested modules", modules, usize::try_from(limits.modules_max).unwrap_or(usize::MAX))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn within(what: &'static str, value: usize, max: usize) -> Result<(), CompileError> {
    if value <= max {
        return Ok(());
    }
    let number = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
    Err(CompileError::Limit { what, value: number(value), max: number(max) })
}
