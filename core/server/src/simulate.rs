//! `plugboard simulate`: a call that nobody makes, on this very switch, in virtual time.

mod call_file;
mod outside;
mod ran;
mod stage;

use call_file::Planned;
use ran::Ran;
use stage::Set;
pub(crate) use stage::is_file;

use plugboard_model::WallTime;
use plugboard_plugin::CompiledCache;
use plugboard_simulator::rehearsal::{Caller, Explored, Finding, Plan, Rehearsed, Stage, Times, explore, rehearse};
use plugboard_switch::{Clock, SystemClock};
use serde_json::{Value, json};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::Home;
use crate::control::{self, ONLY, Request};
use crate::house::Bundle;
use crate::{catalogue, output, shelf, show};

/// Calls of one exploration, unless somebody wants more: less than a minute.
const CALLS: usize = 200;
/// Calls that may be wanted: some hours.
const CALLS_MAX: usize = 100_000;
/// What somebody shows who calls from outside, if nobody says it: a number that nobody has (Ofcom keeps it for plays).
const SOMEBODY: &str = "+442079460000";
/// Moments at which an exploration begins, when nobody names any.
const TIMES_MAX: usize = 24;

/// A call that nobody makes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Wish {
    /// The scenario that takes the call: the name of one of the office, or a file (a draft, `.yaml` or `.json`); without one, the office's routes decide.
    scenario: Option<String>,
    /// The office file [default: the office of the running switch].
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Who calls and what everybody does (YAML); `plugboard simulate --help-call` tells its form. What stands here overrides it.
    #[arg(long, value_name = "FILE")]
    call: Option<PathBuf>,
    /// Who calls: the id or number of a user, or the id of a gateway [default: the first gateway, else the first user].
    #[arg(long, value_name = "USER|GATEWAY")]
    from: Option<String>,
    /// What is dialled. With a scenario: only a number that leads to it.
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// When, by the office's clock: 2026-12-25T21:00 [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// As this call of the running switch was: who called, what he dialled, and what he showed. With --at: what if it had come then?
    #[arg(long, value_name = "CALL", conflicts_with_all = ["file", "from", "to", "caller"])]
    like: Option<String>,
    /// The number that a gateway's caller shows.
    #[arg(long, value_name = "NUMBER")]
    caller: Option<String>,
    /// Try all that callers, people and services may do, each in a call of its own, at each time at which clocks decide differently: which
    /// steps are never reached, what fails, who is left in silence.
    #[arg(long)]
    explore: bool,
    /// Calls of an exploration, at most.
    #[arg(long, default_value_t = CALLS, value_name = "N", requires = "explore")]
    calls: usize,
    /// Seconds after which an exploration ends with what it has.
    #[arg(long, value_name = "SECONDS", requires = "explore")]
    within: Option<u64>,
    /// Print what a call file looks like.
    #[arg(long)]
    help_call: bool,
    /// The folder of plugins whose actions scenarios may use.
    #[arg(long, env = "PLUGBOARD_PLUGINS", value_name = "FOLDER")]
    plugins: Option<PathBuf>,
    /// The office of the running switch [default: the only one].
    #[arg(long, value_name = "OFFICE", conflicts_with = "file")]
    office: Option<String>,
}

impl Wish {
    fn office(&self) -> &str {
        self.office.as_deref().unwrap_or(ONLY)
    }
}

/// Carries the command out. Exit 1 when an exploration has found something, or nothing could be simulated.
pub(crate) fn simulate(home: &Home, wish: &Wish, json: bool) -> ExitCode {
    if wish.help_call {
        output::line(call_file::HELP.trim_end());
        return ExitCode::SUCCESS;
    }
    if let Some(id) = &wish.like {
        return control::ask(home, &Request::Record { id: id.clone() }, |record| {
            let alike = alike(wish, record);
            simulate(home, &alike, json)
        });
    }
    let installed = home.folder().ok().map(|data| shelf::folder_of(&data)).filter(|folder| folder.is_dir());
    let installed = installed.as_deref();
    let Some(file) = &wish.file else {
        let request = Request::Export { office: wish.office().to_owned(), secrets: false, version: None };
        return control::ask(home, &request, |answer| {
            let text = answer.get("yaml").and_then(Value::as_str).unwrap_or_default();
            let office = answer.get("office").and_then(Value::as_str).unwrap_or_default();
            ended(with(Bundle::of_text(&format!("office {office}"), text), installed, wish, json))
        });
    };
    ended(
        Bundle::read(file)
            .map_err(|fault| vec![fault.to_string()])
            .and_then(|bundle| with(bundle, installed, wish, json)),
    )
}

/// The wish with what this record says of its call.
fn alike(wish: &Wish, record: &Value) -> Wish {
    let at =
        |way: &str| record.pointer(way).and_then(Value::as_str).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let (user, gateway) = (at("/caller_user/name"), at("/legs/0/gateway/name"));
    let caller = if user.is_some() { None } else { at("/caller") };
    Wish {
        like: None,
        from: user.or(gateway),
        to: at("/called"),
        caller,
        office: office_of(record).or_else(|| wish.office.clone()),
        ..wish.clone()
    }
}

/// The office of a call: the first part of its id.
fn office_of(record: &Value) -> Option<String> {
    record.get("id")?.as_str()?.split('/').next().map(ToOwned::to_owned)
}

fn ended(done: Result<ExitCode, Vec<String>>) -> ExitCode {
    done.unwrap_or_else(|faults| {
        faults.iter().for_each(output::error);
        ExitCode::from(1)
    })
}

fn with(bundle: Bundle, installed: Option<&Path>, wish: &Wish, json: bool) -> Result<ExitCode, Vec<String>> {
    let one = |fault: String| vec![fault];
    let began = SystemClock::start();
    if wish.explore && !(1..=CALLS_MAX).contains(&wish.calls) {
        return Err(one(format!("--calls is 1 to {CALLS_MAX}, not {}", wish.calls)));
    }
    let folder = wish.plugins.clone().unwrap_or_else(catalogue::default_folder);
    // What a call file or a check finds is told sooner than a compilation takes.
    let cache = cache_folder().and_then(|folder| CompiledCache::open(&folder).ok());
    let (actions, strangers) = plugboard_simulator::actions_of(&folder, installed, cache).map_err(one)?;
    let set = stage::set(bundle, wish.file.is_some(), wish.scenario.as_deref(), (&actions, strangers))?;
    let Planned { plan, said_when } = call_file::plan(&set, wish, began.wall())?;
    quiet_panics();
    let performed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        if !wish.explore {
            return rehearsed(&set, &plan, json);
        }
        let at = plan.at.unwrap_or_else(|| began.wall());
        let times = if said_when { Times::At(vec![at]) } else { Times::From(at, TIMES_MAX) };
        explored(&set, &plan, &times, wish, &began, json)
    }));
    performed.unwrap_or_else(|_| {
        Err(one(
            "the simulation has a fault of its own and ended; please report the office file and this command".into()
        ))
    })
}

/// Where compiled actions are kept from one simulation to the next: `plugboard` in the user's folder for such things.
fn cache_folder() -> Option<PathBuf> {
    let own = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let folder = own.or_else(home)?.join("plugboard").join("simulated");
    std::fs::create_dir_all(folder.parent()?).ok()?;
    Some(folder)
}

/// A fault of the simulation is told by us, in a line.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| tracing::debug!(%info, "the simulation ended")));
}

fn rehearsed(set: &Set, plan: &Plan, json: bool) -> Result<ExitCode, Vec<String>> {
    let stage = &set.stage;
    let call = rehearse(stage, plan).map_err(|error| vec![error.to_string()])?;
    let ran = Ran::of_call(set, &call);
    ran.named_one(set, plan)?;
    if json {
        output::json(&call_json(stage, &call, &ran));
        return Ok(ExitCode::SUCCESS);
    }
    ran.told(set, plan).iter().for_each(output::line);
    for (place, (record, entries)) in call.records.iter().zip(&call.journals).enumerate() {
        if place > 0 {
            output::line(format!("\nanother call: {} calls {}", record.caller, record.called));
        }
        show::journal(entries, stage.office.zone()).iter().for_each(output::line);
    }
    if call.records.is_empty() {
        output::line("the call was refused before the switch took it");
    }
    call.asked.iter().for_each(|asked| output::line(format!("service asked: {asked}")));
    call.queried.iter().for_each(|asked| output::line(format!("database asked: {asked}")));
    call.left_by_itself.iter().for_each(|left| output::line(format!("left: {left}")));
    call.left.iter().for_each(|left| output::line(format!("not over in the end: {left}")));
    Ok(ExitCode::SUCCESS)
}

fn call_json(stage: &Stage, call: &Rehearsed, ran: &Ran) -> Value {
    let calls: Vec<Value> = call
        .records
        .iter()
        .zip(&call.journals)
        .map(|(record, entries)| json!({ "record": record, "entries": entries }))
        .collect();
    json!({ "ran": ran.json(), "calls": calls, "services": call.asked, "databases": call.queried, "notices": call.left_by_itself, "left": call.left, "plan": call_file::written(stage, &call.plan) })
}

fn explored(
    set: &Set,
    plan: &Plan,
    times: &Times,
    wish: &Wish,
    clock: &SystemClock,
    json: bool,
) -> Result<ExitCode, Vec<String>> {
    let stage = &set.stage;
    let shows = std::io::stderr().is_terminal() && !json;
    let until = wish.within.map(Duration::from_secs);
    let tell = |calls: usize| {
        if shows && calls.is_multiple_of(50) {
            output::fault(format!("{calls} calls"));
        }
        until.is_none_or(|until| clock.now().since(plugboard_model::Time::ZERO) < until)
    };
    let found = explore(stage, plan, times, wish.calls, tell).map_err(|error| vec![error.to_string()])?;
    let ran = Ran::of_calls(set, &found);
    ran.named_one(set, plan)?;
    let clean = found.findings.is_empty() && found.never.is_empty();
    if json {
        output::json(&explored_json(stage, &found, &ran));
    } else {
        ran.told(set, plan).iter().for_each(output::line);
        told(stage, &found);
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn explored_json(stage: &Stage, found: &Explored, ran: &Ran) -> Value {
    let list = |findings: &[Finding]| -> Vec<Value> {
        let one = |finding: &Finding| json!({ "what": finding.what, "calls": finding.calls, "call": call_file::written(stage, &finding.plan) });
        findings.iter().map(one).collect()
    };
    let never: Vec<Value> = found
        .never
        .iter()
        .map(|(scenario, path, word)| json!({ "scenario": scenario, "path": path, "word": word }))
        .collect();
    let times: Vec<String> = found.times.iter().map(|at| show::stamp(stage.office.zone(), *at)).collect();
    json!({ "ran": ran.json(), "calls": found.calls, "ways_left": found.ways_left, "time_was_over": found.stopped,
        "answers_left": found.answers_left, "times": times, "times_left": found.times_left, "endings": found.endings,
        "steps_reached": found.reached.len(), "steps_never_reached": never, "findings": list(&found.findings),
        "outages": list(&found.outages) })
}

fn told(stage: &Stage, found: &Explored) {
    let clock = |at: &WallTime| call_file::clock(stage, *at);
    output::line(format!("{} calls, at {}", found.calls, found.times.iter().map(clock).collect::<Vec<_>>().join(", ")));
    if found.stopped {
        output::line("its time was over: there may be more to find; --within SECONDS gives it more");
    }
    if found.ways_left > 0 {
        output::line(format!("{} more ways were not tried; --calls N tries more", found.ways_left));
    }
    if found.times_left > 0 {
        let text = format!("at {} more moments clocks decide otherwise; these were not tried", found.times_left);
        output::line(format!("{text}; --at names one"));
    }
    for (name, left) in &found.answers_left {
        output::line(format!("{name} could answer {left} other ways, which were not tried"));
    }
    let endings: Vec<String> = found.endings.iter().map(|(word, count)| format!("{word} {count}")).collect();
    output::line(format!("they ended: {}", endings.join(", ")));
    output::line(format!("steps that were taken: {}", found.reached.len()));
    for (scenario, path, word) in &found.never {
        output::line(format!("never reached: {scenario} {path}: {word}"));
    }
    listed(stage, &found.findings);
    if !found.outages.is_empty() {
        output::line("\nwhen others do not do their part (no fault of the scenario):");
        listed(stage, &found.outages);
    }
}

fn listed(stage: &Stage, findings: &[Finding]) {
    for finding in findings {
        let times = if finding.calls == 1 { "1 call".to_owned() } else { format!("{} calls", finding.calls) };
        output::line(format!("\n{} ({times})", finding.what));
        output::line("  the first of them, for --call:");
        let file = call_file::written(stage, &finding.plan);
        output::line(format!("  {file}"));
    }
}

/// Who calls, if nobody says it.
fn first_caller(stage: &Stage) -> Option<Caller> {
    let gateway = stage.office.gateways().next();
    let gateway = gateway.map(|gateway| Caller::Outside { gateway: gateway.id.clone(), number: SOMEBODY.to_owned() });
    gateway.or_else(|| stage.office.users().next().map(|user| Caller::User(user.id.clone())))
}
