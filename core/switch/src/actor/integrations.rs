//! Systems beside the telephone: one machine for all offices, beside the calls that ask.

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, Recipient};
use plugboard_call::integrations::{IntegrationRules, Integrations, IntegrationsOutput, LookUp};
use plugboard_metrics::{IntegrationAnswered, IntegrationOutcome};
use plugboard_model::{
    CallInfo, DirectoryContact, FoundContact, HostCall, HostResult, HttpError, HttpRequest, HttpResponse,
    IntegrationAsk, JournalEvent, LogLevel, LoggedCall, Name, NoticeEnd, NoticeError, OfficeId, Responsible, RunEnd,
    Time, UserId,
};
use plugboard_office::{Integration, Office};
use plugboard_plugin::{Capability, Grants, Installed, Limits, Offer, PluginKind, RunEvent, RunKey, RunSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::env::{CarriageReply, Env, WebRequest};
use crate::message::{RunHappened, UseSnapshot};
use crate::post::press;
use crate::snapshot::Configuration;
use crate::wake::Wake;

/// A few for each call that asks in the same second.
const INTEGRATIONS_MAILBOX: usize = 4_096;
/// Lines that one run writes: an action may write more, since those stand in the trace of its own call.
const LOG_LINES_MAX: u32 = 64;
/// Numbers of a contact that actions are told.
const NUMBERS_MAX: usize = 16;

/// Command: who has this number? From a `CallActor`, when the office's own contacts do not have it.
///
/// `told` is called once, a few seconds later at most.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct FindContact {
    /// As the call began with it.
    pub(crate) office: Arc<Office>,
    /// As the call shows it.
    pub(crate) number: String,
    pub(crate) told: Box<dyn FnOnce(Option<DirectoryContact>) + Send>,
}

/// Command: tell an integration that a call is over. From the `NoticesActor`.
///
/// `told` is called once, half a minute later at most.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct TellCall {
    pub(crate) office: OfficeId,
    pub(crate) integration: Name,
    pub(crate) call: Box<LoggedCall>,
    /// It may have come through before.
    pub(crate) again: bool,
    pub(crate) told: CarriageReply,
}

/// The way to the actor.
#[derive(Clone)]
pub(crate) struct IntegrationsHandle {
    pub(crate) find: Recipient<FindContact>,
    pub(crate) runs: Recipient<RunHappened>,
    pub(crate) change: Recipient<UseSnapshot>,
    pub(crate) tell: Recipient<TellCall>,
}

impl IntegrationsHandle {
    pub(crate) fn new(addr: Addr<IntegrationsActor>) -> Self {
        Self {
            find: addr.clone().recipient(),
            runs: addr.clone().recipient(),
            change: addr.clone().recipient(),
            tell: addr.recipient(),
        }
    }
}

/// Holds the [`Integrations`].
pub(crate) struct IntegrationsActor {
    env: Env,
    configuration: Configuration,
    machine: Integrations,
    asked: BTreeMap<LookUp, FindContact>,
    /// What is told, by run: as which requests are repeated, and who waits.
    telling: BTreeMap<u64, (String, CarriageReply)>,
    runs: BTreeMap<u64, Running>,
    wake: Wake,
}

/// An export that is being called.
struct Running {
    office: Arc<Office>,
    integration: Arc<Integration>,
    since: Time,
}

impl IntegrationsActor {
    pub(crate) fn new(env: Env) -> Self {
        let (configuration, machine, wake) = (Configuration::default(), Integrations::default(), Wake::default());
        let (asked, telling, runs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { env, configuration, machine, asked, telling, runs, wake }
    }

    fn carry_out(&mut self, ctx: &mut Context<Self>) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                IntegrationsOutput::Start { run, office, integration, ask } => {
                    if let Err(reason) = self.start(run, &office, &integration, &ask) {
                        self.note(&office, &integration, IntegrationOutcome::NotStarted, &reason, Time::ZERO);
                        self.machine.ended(self.env.clock.now(), run, Err(reason));
                    }
                }
                IntegrationsOutput::Cancel { run, office } => {
                    if let Some(running) = self.runs.remove(&run) {
                        let id = running.integration.id.clone();
                        self.note(&office, &id, IntegrationOutcome::TimeOver, "it took too long", running.since);
                    }
                    self.env.plugins.cancel(RunKey::of_integration(&office, run));
                }
                IntegrationsOutput::Found { look_up, found } => {
                    if let Some(FindContact { office, told, .. }) = self.asked.remove(&look_up) {
                        told(found.and_then(|(by, contact)| to_directory(&office, &by, contact)));
                    }
                }
                IntegrationsOutput::Told { run, noted } => {
                    if let Some((_, told)) = self.telling.remove(&run) {
                        told(match noted {
                            Ok(()) => NoticeEnd::Sent("it has noted it".into()),
                            Err(reason) => NoticeEnd::NotNow(reason),
                        });
                    }
                }
            }
        }
        let now = self.env.clock.now();
        self.wake.set(ctx, now, self.machine.poll_timeout(), |actor, ctx| {
            actor.wake.rang();
            actor.machine.tick(actor.env.clock.now());
            actor.carry_out(ctx);
        });
    }

    fn start(&mut self, run: u64, office: &OfficeId, id: &Name, ask: &IntegrationAsk) -> Result<(), String> {
        let gone = || "the office does not have it any more".to_owned();
        let office = self.configuration.offices.get(office).cloned().ok_or_else(gone)?;
        let integration = office.integration(id).cloned().ok_or_else(gone)?;
        let plugin = &integration.plugin;
        let installed = installed(&self.configuration, &integration)
            .cloned()
            .ok_or_else(|| format!("no integration {plugin:?} is installed"))?;
        let spec = RunSpec {
            key: RunKey::of_integration(&office.id, run),
            component: installed.id(),
            parameters: plugboard_plugin::integration::parameters(&integration.settings.to_json(), ask),
            info: nobody(&office),
            grants: Arc::new(grants(&integration)),
            directory: None,
            limits: Limits { log_lines_max: LOG_LINES_MAX, ..self.configuration.limits },
            seed: self.env.random.next(),
        };
        self.env.plugins.start(spec).map_err(|error| error.to_string())?;
        self.runs.insert(run, Running { office, integration, since: self.env.clock.now() });
        Ok(())
    }

    fn happened(&mut self, event: RunEvent, ctx: &mut Context<Self>) {
        let Some(run) = event.key().integration().filter(|run| self.runs.contains_key(run)) else { return };
        match event {
            RunEvent::Journal { event, .. } => self.log(run, &event),
            RunEvent::HostCall { key, n, call } => self.host_call(run, key, n, call, ctx),
            RunEvent::Ended { end, .. } => self.ended(run, end, ctx),
        }
    }

    /// What it writes stands in the log of the switch: it belongs to no call.
    fn log(&self, run: u64, event: &JournalEvent) {
        let JournalEvent::Begin { call: HostCall::Log { level, message }, .. } = event else { return };
        let Some(Running { office, integration, .. }) = self.runs.get(&run) else { return };
        let (office, integration) = (&office.id, &integration.id);
        match level {
            LogLevel::Debug => tracing::debug!(%office, %integration, message),
            LogLevel::Info => tracing::info!(%office, %integration, message),
            LogLevel::Warn => tracing::warn!(%office, %integration, message),
        }
    }

    fn host_call(&self, run: u64, key: RunKey, n: u32, call: HostCall, ctx: &Context<Self>) {
        let Some(Running { office, integration, .. }) = self.runs.get(&run) else { return };
        if matches!(call, HostCall::PostLater(_)) {
            let why = NoticeError::Denied("an integration posts nothing later".into());
            self.env.plugins.resume(key, n, HostResult::Noticed(Err(why)));
            return;
        }
        // Nothing else is linked that the plugin threads do not answer themselves.
        let HostCall::Http(request) = call else { return self.env.plugins.cancel(key) };
        match asked_of(office, integration, &request) {
            Err(why) => drop(self.env.plugins.resume(key, n, HostResult::Responded(Err(why)))),
            Ok(source) => {
                let own = || format!("{}/{}/{run}", office.id, integration.id);
                let of = self.telling.get(&run).map_or_else(own, |(call, _)| call.clone());
                let idempotency = format!("{of}/{n}");
                let request = HttpRequest { source: source.id.to_string(), ..request };
                let asked = WebRequest { office: office.id.clone(), source, request, key: idempotency };
                let back = ctx.address().recipient();
                self.env.web.ask(asked, Box::new(move |answer| press(&back, ServiceAnswered { key, n, answer })));
            }
        }
    }

    fn ended(&mut self, run: u64, end: RunEnd, ctx: &mut Context<Self>) {
        let Some(Running { office, integration, since }) = self.runs.remove(&run) else { return };
        let said = match end {
            RunEnd::Outcome(answer) => plugboard_plugin::integration::answer(&answer),
            RunEnd::Failed(reason) => Err(reason),
            RunEnd::Trapped { reason, .. } => Err(format!("it trapped: {reason}")),
            RunEnd::Limit { limit, .. } => Err(format!("it exceeded its limit {limit}")),
            RunEnd::Diverged { at } => Err(format!("it diverged from its journal at host call {at}")),
            RunEnd::Cancelled => Err("it was cancelled".into()),
        };
        let (outcome, reason) = match &said {
            Ok(_) => (IntegrationOutcome::Answered, ""),
            Err(reason) => (IntegrationOutcome::Failed, reason.as_str()),
        };
        self.note(&office.id, &integration.id, outcome, reason, since);
        self.machine.ended(self.env.clock.now(), run, said);
        self.carry_out(ctx);
    }

    fn note(&self, office: &OfficeId, integration: &Name, outcome: IntegrationOutcome, reason: &str, since: Time) {
        let at = self.env.clock.now();
        IntegrationAnswered { office, integration, outcome, reason, took: at.since(since), at }.emit(&self.env.metrics);
    }
}

/// The integrations of an office that are told of calls that are over.
pub(crate) fn logging<'o>(configuration: &'o Configuration, office: &'o Office) -> impl Iterator<Item = &'o Name> {
    let logs = |integration: &&Arc<Integration>| rules(configuration, integration).is_some_and(|rules| rules.logs);
    office.integrations.iter().filter(logs).map(|integration| &integration.id)
}

/// The plugin that stands for it, if there is one.
fn installed<'c>(configuration: &'c Configuration, integration: &Integration) -> Option<&'c Arc<Installed>> {
    let installed = configuration.actions.get(&integration.plugin)?;
    Some(installed).filter(|installed| installed.manifest().kind == PluginKind::Integration)
}

fn rules(configuration: &Configuration, integration: &Integration) -> Option<IntegrationRules> {
    let offers: &BTreeSet<Offer> = &installed(configuration, integration)?.manifest().offers;
    Some(IntegrationRules {
        id: integration.id.clone(),
        timeout: integration.timeout,
        at_once: integration.at_once,
        finds: offers.contains(&Offer::Contacts),
        knows_responsible: offers.contains(&Offer::Responsible),
        logs: offers.contains(&Offer::Calls),
    })
}

fn grants(integration: &Integration) -> Grants {
    let wanted = |capability: &Capability| {
        integration.capabilities.as_ref().is_none_or(|granted| granted.contains(capability.as_str()))
    };
    Capability::ALL.into_iter().filter(wanted).fold(Grants::none(), Grants::with)
}

/// Which source a request goes to.
fn asked_of(
    office: &Office,
    integration: &Integration,
    request: &HttpRequest,
) -> Result<Arc<plugboard_office::HttpSource>, HttpError> {
    let denied = |reason: String| HttpError::Denied(reason);
    let source = office.service(integration, &request.source);
    let source =
        source.ok_or_else(|| denied(format!("the office gives {} no service {:?}", integration.id, request.source)))?;
    if !source.methods.contains(&request.method) {
        return Err(denied(format!("{} takes no {}", source.id, request.method.as_str())));
    }
    Ok(Arc::clone(source))
}

/// As which the call of an export runs: it belongs to no call.
fn nobody(office: &Office) -> CallInfo {
    let none = String::new;
    let (caller_user, language) = (None, office.language.clone());
    CallInfo { id: none(), caller_number: none(), caller_name: none(), caller_user, called_number: none(), language }
}

/// A contact as actions see him. His id begins with the integration's.
fn to_directory(office: &Office, by: &Name, found: FoundContact) -> Option<DirectoryContact> {
    let id = plugboard_plugin::integration::contact_name(by, &found.id)?;
    let mut numbers = found.numbers;
    numbers.truncate(NUMBERS_MAX);
    let responsible = found.responsible.iter().filter_map(|who| {
        let user = office.find_user(who)?;
        let phones = u32::try_from(user.phones.len()).unwrap_or(u32::MAX);
        Some(Responsible { user: UserId::clone(&user.id), phones })
    });
    Some(DirectoryContact {
        id,
        name: found.name,
        numbers,
        company: found.company,
        email: found.email,
        language: if found.language.is_empty() { office.language.clone() } else { found.language },
        groups: found.groups,
        responsible: responsible.collect(),
    })
}

impl Actor for IntegrationsActor {
    type Context = Context<Self>;
    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(INTEGRATIONS_MAILBOX);
    }
}

impl Handler<FindContact> for IntegrationsActor {
    type Result = ();
    fn handle(&mut self, asked: FindContact, ctx: &mut Self::Context) {
        let number = asked.office.asked_number(&asked.number);
        let look_up = self.machine.find(self.env.clock.now(), asked.office.id.clone(), number);
        self.asked.insert(look_up, asked);
        self.carry_out(ctx);
    }
}

impl Handler<TellCall> for IntegrationsActor {
    type Result = ();
    fn handle(&mut self, TellCall { office, integration, call, again, told }: TellCall, ctx: &mut Self::Context) {
        let requests = format!("{office}/{integration}/{}", call.id);
        let ask = IntegrationAsk::LogCall { call, again };
        match self.machine.tell(self.env.clock.now(), office, &integration, ask) {
            Ok(run) => drop(self.telling.insert(run, (requests, told))),
            Err(why) => told(NoticeEnd::NotNow(why.to_string())),
        }
        self.carry_out(ctx);
    }
}

impl Handler<RunHappened> for IntegrationsActor {
    type Result = ();
    fn handle(&mut self, happened: RunHappened, ctx: &mut Self::Context) {
        for event in happened.events {
            self.happened(event, ctx);
        }
    }
}

/// A service answered an integration, or not. From the thread that asked it.
#[derive(Message)]
#[rtype(result = "()")]
struct ServiceAnswered {
    key: RunKey,
    n: u32,
    answer: Result<HttpResponse, HttpError>,
}

impl Handler<ServiceAnswered> for IntegrationsActor {
    type Result = ();
    fn handle(&mut self, ServiceAnswered { key, n, answer }: ServiceAnswered, _: &mut Self::Context) {
        if key.integration().is_some_and(|run| self.runs.contains_key(&run)) {
            self.env.plugins.resume(key, n, HostResult::Responded(answer));
        }
    }
}

impl Handler<UseSnapshot> for IntegrationsActor {
    type Result = ();
    fn handle(&mut self, UseSnapshot(snapshot): UseSnapshot, ctx: &mut Self::Context) {
        self.configuration = snapshot.configuration.clone();
        let configuration = &self.configuration;
        let rules_of = |office: &Arc<Office>| {
            let rules = office.integrations.iter().filter_map(|one| rules(configuration, one));
            (office.id.clone(), rules.collect())
        };
        self.machine.follow(configuration.offices.iter().map(rules_of).collect());
        self.carry_out(ctx);
    }
}
