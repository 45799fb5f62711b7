//! Requests to services of the web, on a thread of their own.
//!
//! Which address is dialled is decided when it is known: a name that leads to a private network leads nowhere, unless the service may be
//! there. Redirections are not followed, and no proxy of the environment is asked.

use plugboard_model::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use rustls::ClientConfig;
use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::Instant;

use crate::breaker::Breaker;
use crate::dialling::{Names, not_private};
use crate::roots::{NoRoots, trusted};

/// Requests that wait to be begun: the calls of a large switch that ask in the same second.
const WAITING_MAX: usize = 4_096;
/// Services that are remembered; the failures of others are forgotten.
const SITES_MAX: usize = 4_096;
/// A service that takes no connection for so long is down.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection waits for the next request.
const IDLE: Duration = Duration::from_secs(30);
/// Connections to a service that wait for requests.
const IDLE_MAX: usize = 8;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// What a reason says at most: it stands in traces.
const REASON_MAX: usize = 200;

/// A request.
pub struct Request {
    /// Whose it is: requests of one site share their places and their failures.
    pub site: String,
    /// `https://crm.example.com/api`.
    pub base: String,
    /// Segments below the base, not escaped.
    pub path: String,
    /// Names and values, not escaped.
    pub query: Vec<(String, String)>,
    /// `GET` and its like.
    pub method: &'static str,
    /// Names and values, secrets among them: they are in no line and no reason.
    pub headers: Vec<(String, String)>,
    /// A user and a password (RFC 7617).
    pub basic: Option<(String, String)>,
    /// What is sent along.
    pub body: Option<Body>,
    /// From now to the last byte of the answer, all tries included.
    pub timeout: Duration,
    /// More tries of a `GET` that fails on its way.
    pub retries: u32,
    /// Bytes of the answer's body.
    pub bytes_max: u32,
    /// Requests of this site at once.
    pub at_once: u32,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
}

/// What a request sends along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A document of JSON.
    Json(String),
    /// Names and values, not escaped: `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body's type; empty where the answer says none.
    pub content_type: String,
    /// The body.
    pub body: String,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoResponse {
    /// It took too long.
    TimeOver,
    /// Nothing was asked: it cannot be found, reached or trusted, or failed just now.
    Unreachable(String),
    /// The connection broke after the request was sent.
    Broken(String),
    /// The site has its requests at once, or too many wait.
    Busy,
    /// The body is longer than it may be.
    TooLong,
    /// The body is no UTF-8.
    NoText,
}

/// Where an answer goes.
pub type Reply = Box<dyn FnOnce(Result<Response, NoResponse>) + Send>;

/// Why there is no thread for requests.
#[derive(Debug, thiserror::Error)]
pub enum NoAsker {
    /// What is trusted cannot be read.
    #[error(transparent)]
    Roots(#[from] NoRoots),
    /// TLS or a thread cannot be set up.
    #[error("{0}")]
    Machine(String),
}

/// Asks services of the web. Cheap to clone; its thread ends with the last clone.
#[derive(Clone)]
pub struct Asker {
    waiting: Sender<(Request, Instant, Reply)>,
}

impl Asker {
    /// Starts the thread. Services are trusted by the roots in this file, or by those that the system has.
    ///
    /// # Errors
    /// [`NoAsker`].
    pub fn start(roots: Option<&Path>) -> Result<Self, NoAsker> {
        let machine = |error: &dyn std::fmt::Display| NoAsker::Machine(error.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| machine(&error))?
            .with_root_certificates(trusted(roots)?)
            .with_no_client_auth();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| machine(&error))?;
        let inside = runtime.enter();
        let names = Names::of_machine().map_err(|error| machine(&error))?;
        let client = |private| client(tls.clone(), private, names.clone()).map_err(|error| machine(&error));
        let clients = Clients { public: client(false)?, any: client(true)?, sites: Mutex::default() };
        drop(inside);
        let (waiting, requests) = channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("http".into());
        thread.spawn(move || runtime.block_on(serve(requests, clients))).map_err(|error| machine(&error))?;
        Ok(Self { waiting })
    }

    /// Asks. `reply` is called once, from any thread, within the request's time.
    pub fn ask(&self, request: Request, reply: Reply) {
        if let Err(full) = self.waiting.try_send((request, Instant::now(), reply)) {
            let (_, _, reply) = full.into_inner();
            reply(Err(NoResponse::Busy));
        }
    }
}

/// What all requests share.
struct Clients {
    public: Client,
    any: Client,
    sites: Mutex<BTreeMap<String, Arc<Site>>>,
}

/// A site's requests and failures.
#[derive(Default)]
struct Site {
    busy: AtomicU32,
    breaker: Mutex<Breaker>,
}

/// One of a site's places, given back when it goes.
struct Seat(Arc<Site>);

impl Site {
    /// A place among so many; `None`: there is none.
    fn seat(self: &Arc<Self>, at_once: u32) -> Option<Seat> {
        let more = |busy: u32| (busy < at_once).then_some(busy + 1);
        let taken = self.busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        taken.then(|| Seat(Arc::clone(self)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Clients {
    fn site(&self, request: &Request) -> Arc<Site> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = sites.get(&request.site) {
            return Arc::clone(site);
        }
        if sites.len() >= SITES_MAX {
            sites.retain(|_, site| Arc::strong_count(site) > 1);
        }
        let site = Arc::new(Site::default());
        sites.insert(request.site.clone(), Arc::clone(&site));
        site
    }
}

fn client(tls: ClientConfig, private: bool, names: Names) -> reqwest::Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(Looker { private, names }))
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT_WITHIN)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_MAX)
        .user_agent(concat!("Plugboard/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Looks names up without holding a thread, and leaves out what may not be dialled.
struct Looker {
    private: bool,
    names: Names,
}

impl Resolve for Looker {
    fn resolve(&self, name: Name) -> Resolving {
        let (private, names) = (self.private, self.names.clone());
        Box::pin(async move {
            let found = names.find(name.as_str(), private).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

async fn serve(mut requests: Receiver<(Request, Instant, Reply)>, clients: Clients) {
    let clients = Arc::new(clients);
    while let Some((request, since, reply)) = requests.recv().await {
        spawn_ask(Arc::clone(&clients), request, since, reply);
    }
}

#[expect(clippy::disallowed_methods, reason = "as many at once as their sites have places, each for a bounded time")]
fn spawn_ask(clients: Arc<Clients>, request: Request, since: Instant, reply: Reply) {
    let site = clients.site(&request);
    // Whoever finds no place is told so here: nothing waits without being counted.
    tokio::spawn(async move {
        let Some(place) = site.seat(request.at_once) else { return reply(Err(NoResponse::Busy)) };
        let lock = |site: &Site, then: &mut dyn FnMut(&mut Breaker)| {
            then(&mut site.breaker.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let mut passes = false;
        lock(&site, &mut |breaker| passes = breaker.lets_pass(Instant::now()));
        if !passes {
            return reply(Err(NoResponse::Unreachable("it failed just now, and is left alone for ten seconds".into())));
        }
        let left = request.timeout.saturating_sub(since.elapsed());
        let answer = tokio::time::timeout(left, tries(&clients, &request)).await;
        let answer = answer.unwrap_or(Err(NoResponse::TimeOver));
        lock(&site, &mut |breaker| match &answer {
            Err(NoResponse::TimeOver | NoResponse::Unreachable(_) | NoResponse::Broken(_)) => {
                breaker.failed(Instant::now());
            }
            Ok(_) | Err(NoResponse::Busy | NoResponse::TooLong | NoResponse::NoText) => breaker.answered(),
        });
        drop(place);
        reply(answer);
    });
}

/// Asks until there is an answer, or no try is left.
async fn tries(clients: &Clients, request: &Request) -> Result<Response, NoResponse> {
    let mut left = if request.method == "GET" { request.retries } else { 0 };
    loop {
        let answer = ask(clients, request).await;
        let again = match &answer {
            Ok(response) => matches!(response.status, 502..=504),
            Err(NoResponse::Unreachable(_) | NoResponse::Broken(_)) => true,
            Err(NoResponse::TimeOver | NoResponse::Busy | NoResponse::TooLong | NoResponse::NoText) => false,
        };
        if !again || left == 0 {
            return answer;
        }
        left -= 1;
        pause().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "there is nothing to be waited for but time")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

async fn ask(clients: &Clients, request: &Request) -> Result<Response, NoResponse> {
    let url = url(request).map_err(NoResponse::Unreachable)?;
    let method =
        Method::from_bytes(request.method.as_bytes()).map_err(|error| NoResponse::Unreachable(error.to_string()))?;
    let client = if request.private { &clients.any } else { &clients.public };
    let mut building = client.request(method, url);
    for (name, value) in &request.headers {
        building = building.header(name, value);
    }
    if let Some((user, password)) = &request.basic {
        building = building.basic_auth(user, Some(password));
    }
    match &request.body {
        Some(Body::Json(body)) => building = building.header("Content-Type", "application/json").body(body.clone()),
        Some(Body::Form(values)) => {
            let kind = "application/x-www-form-urlencoded";
            building = building.header("Content-Type", kind).body(form(values));
        }
        None => {}
    }
    let mut response = building.send().await.map_err(no_response)?;
    let status = response.status().as_u16();
    let told = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type: String = told.chars().take(REASON_MAX).collect();
    let most = usize::try_from(request.bytes_max).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(no_response)? {
        if body.len() + piece.len() > most {
            return Err(NoResponse::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    let body = String::from_utf8(body).map_err(|_| NoResponse::NoText)?;
    Ok(Response { status, content_type, body })
}

/// Names and values of a form, escaped as the query of an address is.
fn form(values: &[(String, String)]) -> String {
    let Ok(mut address) = Url::parse("http://form.invalid/") else { return String::new() };
    address.query_pairs_mut().extend_pairs(values);
    address.query().unwrap_or_default().to_owned()
}

/// The whole address; what a resolver would not see is looked at here.
fn url(request: &Request) -> Result<Url, String> {
    let mut url = Url::parse(&request.base).map_err(|error| error.to_string())?;
    let literal = match url.host_str().map(|host| host.trim_matches(['[', ']'])) {
        Some(host) => host.parse::<IpAddr>().ok(),
        None => return Err("it names no host".into()),
    };
    if let Some(address) = literal.filter(|address| !request.private && !is_public(*address)) {
        return Err(not_private(address));
    }
    let base = url.path().to_owned();
    if !request.path.is_empty() {
        let mut segments = url.path_segments_mut().map_err(|()| "it has no path".to_owned())?;
        segments.pop_if_empty().extend(request.path.split('/'));
        drop(segments);
        // Whatever a parser makes of it: the secret is for what is below the base alone.
        if !url.path().starts_with(&format!("{}/", base.trim_end_matches('/'))) {
            return Err("its path leads out of the source's address".into());
        }
    }
    if !request.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.query);
    }
    Ok(url)
}

fn no_response(error: reqwest::Error) -> NoResponse {
    let error = error.without_url();
    if error.is_timeout() && !error.is_connect() {
        return NoResponse::TimeOver;
    }
    // One that could not even be written was not sent.
    let connect = error.is_connect() || error.is_builder();
    let mut last: &dyn Error = &error;
    while let Some(source) = last.source() {
        last = source;
    }
    let reason: String = last.to_string().chars().take(REASON_MAX).collect();
    if connect { NoResponse::Unreachable(reason) } else { NoResponse::Broken(reason) }
}
