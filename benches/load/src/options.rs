//! The command line.

use clap::{Parser, ValueEnum};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Measures what a telephone switch costs, beside a bare relay of the same run.
///
/// Without --target it starts the switch that stands beside this program, with an office of its own in a new folder,
/// and sends sipp's calls through one action (`call-user`) to sipp. CPU is the process's own time, so that other work
/// on the machine disturbs it little; latencies want a quiet machine.
#[derive(Debug, Parser)]
#[command(name = "plugboard-load", version)]
pub(crate) struct Options {
    /// Measure only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
    /// Print JSON for programs; progress goes to standard error.
    #[arg(long)]
    pub(crate) json: bool,
    /// Measure the switch that listens for SIP over UDP here. It must send calls from --callers for --number to
    /// --phones.
    #[arg(long)]
    pub(crate) target: Option<SocketAddr>,
    /// The processes of --target, for CPU and memory.
    #[arg(long, requires = "target", value_delimiter = ',')]
    pub(crate) pid: Vec<u32>,
    /// What is dialled at --target.
    #[arg(long, default_value = "100")]
    pub(crate) number: String,
    /// The generator's own address.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) bind: IpAddr,
    /// The port that calls come from; the probe calls from the next one.
    #[arg(long, default_value_t = 46_000)]
    pub(crate) callers: u16,
    /// The port that answers calls.
    #[arg(long, default_value_t = 46_100)]
    pub(crate) phones: u16,
    /// Calls a second where CPU is measured.
    #[arg(long, default_value_t = 50)]
    pub(crate) rate: u32,
    /// Calls where CPU is measured, where memory is measured, and of the probe.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) calls: u32,
    /// Rates that are tried, in turn, until one fails.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 200, 300, 400, 600, 800, 1_000, 1_200, 1_500, 2_000])]
    pub(crate) rates: Vec<u32>,
    /// Seconds of each rate.
    #[arg(long, default_value_t = 8)]
    pub(crate) rate_seconds: u32,
    /// Seconds of the best rate, once more: longer than the 32 s that a transaction outlives its call.
    #[arg(long, default_value_t = 45)]
    pub(crate) proof_seconds: u32,
    /// Users of the registrar's office, each with ten devices; fewer for a quick look.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) users: u32,
    /// Callers who wait in a queue.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) waiting: u32,
    /// Calls with RTP, 50 packets a second each way.
    #[arg(long, default_value_t = 200)]
    pub(crate) relay_calls: u16,
    /// Seconds of RTP.
    #[arg(long, default_value_t = 10)]
    pub(crate) relay_seconds: u32,
    /// The core of the switch and of the bare relay; the last one unless told.
    #[arg(long)]
    pub(crate) switch_core: Option<usize>,
    /// Let the kernel choose the cores.
    #[arg(long)]
    pub(crate) no_pin: bool,
    /// The program of the switch; without it, `plugboard` beside this program.
    #[arg(long)]
    pub(crate) switch: Option<PathBuf>,
    /// The folder of plugins; without it, `plugins` beside this program's folder.
    #[arg(long)]
    pub(crate) plugins: Option<PathBuf>,
    /// A folder for the switch's data and the generator's files; a new one in the folder for temporary files unless
    /// told. It is left behind when something fails.
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
    /// Be the bare relay (this program starts itself so).
    #[arg(long, hide = true)]
    pub(crate) bare_relay: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// How long the switch takes to start with the demo office.
    Start,
    /// CPU per call.
    Calls,
    /// How much later a call is answered than without the switch.
    Setup,
    /// CPU and latency of relayed packets.
    Relay,
    /// Memory per held call.
    Held,
    /// Calls a second.
    Rate,
    /// CPU of registrations and of requests of strangers, memory of registered devices, and a start with them.
    Registrar,
    /// CPU per call over UDP, TCP, TLS, WebSocket and secure WebSocket.
    Transports,
    /// Memory of callers who wait in a queue, and the order in which they are served.
    Queue,
}

impl Options {
    /// Whether a part is wanted.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

impl Part {
    /// Those that need a switch that carries calls.
    pub(crate) fn of_calls() -> [Self; 5] {
        [Self::Calls, Self::Setup, Self::Relay, Self::Held, Self::Rate]
    }
}
