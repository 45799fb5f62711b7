//! The control socket, the HTTP side, and signals.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinHandle, JoinSet};

use plugboard_switch::Tls;

use super::answer::answer;
use crate::boot::Running;
use crate::config::Config;
use crate::control::{Answer, LINE_LEN_MAX, SOCKET};

/// Commands answered at once: some people and their scripts.
const COMMANDS_MAX: usize = 32;
/// A command sends its line at once.
const REQUEST_MAX: Duration = Duration::from_secs(10);
/// Certificates are renewed days before they end.
const CERTIFICATES_LOOK: Duration = Duration::from_secs(60);

/// The HTTP side, running.
pub(super) struct Console {
    pub(super) address: SocketAddr,
    pub(super) handle: plugboard_console::Handle,
}

/// Opens the control socket: for the owner of the data folder alone.
pub(super) fn control(running: &Arc<Running>, data: &Path) -> Result<JoinHandle<()>, String> {
    let path = data.join(SOCKET);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    // The data folder is locked, so what is left there is of a process that is gone.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let running = Arc::clone(running);
    Ok(tokio::task::spawn_local(async move {
        // Beside each other: a backup takes minutes, and one that connects and says nothing holds up nobody.
        let mut served = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            while served.len() >= COMMANDS_MAX {
                served.join_next().await;
            }
            let running = Arc::clone(&running);
            served.spawn_local(async move {
                if let Err(error) = serve_one(stream, &running).await {
                    tracing::debug!(%error, "a command hung up");
                }
            });
            while served.try_join_next().is_some() {}
        }
    }))
}

async fn serve_one(stream: UnixStream, running: &Arc<Running>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(LINE_LEN_MAX));
    tokio::time::timeout(REQUEST_MAX, reader.read_line(&mut line)).await??;
    let reply = match serde_json::from_str(&line) {
        Ok(request) => answer(running, request).await,
        Err(error) => Answer::fault(format!("not understood: {error}; is the command of the same version?")),
    };
    let text = serde_json::to_string(&reply)?;
    writer.write_all(text.as_bytes()).await?;
    writer.write_all(b"\n").await
}

/// Opens the HTTP side.
pub(super) fn console(running: &Arc<Running>, config: &Config, data: &Path) -> Result<Console, String> {
    let token = match &config.http.token_file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            Some(text.trim().to_owned())
        }
        None => None,
    };
    let programs = config.api.iter().map(crate::config::Program::token).collect::<Result<Vec<_>, _>>()?;
    let bench = super::workshop::Bench::new(running, data);
    let offices = (super::faxes::desk(&running.switch), Arc::new(bench) as _, programs);
    let (metrics, readiness) = (running.metrics.clone(), running.readiness.clone());
    let (address, handle) =
        plugboard_console::serve(config.http.listen, metrics, readiness, token, offices).map_err(|error| {
            format!("cannot serve HTTP on {}: {error}; choose another address with --http", config.http.listen)
        })?;
    Ok(Console { address, handle })
}

/// What the system tells the process.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    tls: Option<Arc<Tls>>,
}

impl Signals {
    /// From now on SIGTERM, SIGINT and SIGHUP do not kill.
    pub(super) fn catch(tls: Option<Arc<Tls>>) -> Result<Self, String> {
        let caught = |kind| signal(kind).map_err(|error| format!("signals cannot be caught: {error}"));
        let (terminate, interrupt) = (caught(SignalKind::terminate())?, caught(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, hangup: caught(SignalKind::hangup())?, tls })
    }

    /// Waits for SIGTERM or SIGINT. At SIGHUP, and when their files have changed, certificates are read anew.
    pub(super) async fn told_to_end(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                // A closed terminal must not end calls.
                _ = self.hangup.recv() => match &self.tls {
                    Some(tls) => reload(tls),
                    None => tracing::warn!("SIGHUP changes nothing: offices are changed by `plugboard apply`"),
                },
                () = pause(CERTIFICATES_LOOK) => {
                    if let Some(tls) = self.tls.as_ref().filter(|tls| tls.is_outdated()) {
                        reload(tls);
                    }
                }
            }
        }
    }
}

/// Connections that are open go on with what they agreed on.
fn reload(tls: &Tls) {
    match tls.reload() {
        Ok(()) => tracing::info!("the certificates were read anew"),
        Err(error) => tracing::error!(%error, "the certificates are left as they were"),
    }
}

/// Waits between two looks.
#[expect(
    clippy::disallowed_methods,
    reason = "a drain looks until no call is left, a round of trimming comes each hour, certificates are looked at each minute"
)]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
