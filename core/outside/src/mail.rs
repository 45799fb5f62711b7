//! E-mail, handed over to mail servers on a thread of its own (RFC 5321, 5322).
//!
//! Which address is dialled is decided when it is known, as for services of the web. A server that is to speak TLS and does not, or whose
//! certificate is not trusted or not its own, is given nothing.

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use lettre::{Address, Message};
use rustls::pki_types::CertificateDer;
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::dialling::Names;
use crate::roots::{NoRoots, certificates};

/// Mails that wait to be begun: those who send them let a few leave at once.
const WAITING_MAX: usize = 1_024;
/// Bytes of what a server says, as it is kept.
const REASON_MAX: usize = 300;

/// A mail server.
#[derive(Clone)]
pub struct MailServer {
    /// Its name or address: its certificate must have it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is encrypted.
    pub encryption: Encryption,
    /// A user and a password.
    pub login: Option<(String, String)>,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
    /// From the connection to its last word.
    pub timeout: Duration,
}

/// How the way to a server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// After STARTTLS.
    StartTls,
    /// From the first byte.
    Implicit,
    /// Not at all.
    None,
}

/// A mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Without angle brackets.
    pub message_id: String,
    /// When it was written.
    pub date: SystemTime,
    /// From whom, for people; may be empty.
    pub from_name: String,
    /// From which address.
    pub from: String,
    /// To which addresses.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// What goes along.
    pub files: Vec<MailFile>,
}

/// A file that goes along with a mail.
#[derive(Debug, Clone)]
pub struct MailFile {
    /// Its name.
    pub name: String,
    /// `audio/wav` and its like.
    pub media_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// The server has it; its words.
    Taken(String),
    /// The server will not have it (5xx), or it is no mail: its words.
    Refused(String),
    /// The server does not take it now: its words, or why it was not reached.
    NotNow(String),
}

/// Where that is told.
pub type MailReply = Box<dyn FnOnce(Handed) + Send>;

/// Why there is no thread for mail.
#[derive(Debug, thiserror::Error)]
pub enum NoPostman {
    /// What is trusted cannot be read.
    #[error(transparent)]
    Roots(#[from] NoRoots),
    /// A thread cannot be set up.
    #[error("{0}")]
    Machine(String),
}

/// Hands mails over. Cheap to clone; its thread ends with the last clone.
#[derive(Clone)]
pub struct Postman {
    waiting: Sender<(MailServer, Mail, MailReply)>,
}

impl Postman {
    /// Starts the thread. Servers are trusted by the roots in this file, or by those that the system has.
    ///
    /// # Errors
    /// [`NoPostman`].
    pub fn start(roots: Option<&Path>) -> Result<Self, NoPostman> {
        let machine = |error: &dyn std::fmt::Display| NoPostman::Machine(error.to_string());
        let roots = certificates(roots)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| machine(&error))?;
        let inside = runtime.enter();
        let names = Names::of_machine().map_err(|error| machine(&error))?;
        drop(inside);
        let (waiting, mails) = channel(WAITING_MAX);
        let office = Arc::new(PostOffice { roots, names });
        let thread = std::thread::Builder::new().name("mail".into());
        thread.spawn(move || runtime.block_on(serve(mails, office))).map_err(|error| machine(&error))?;
        Ok(Self { waiting })
    }

    /// Hands a mail over. `reply` is called once, from any thread, within the server's time.
    pub fn send(&self, server: MailServer, mail: Mail, reply: MailReply) {
        if let Err(full) = self.waiting.try_send((server, mail, reply)) {
            let (_, _, reply) = full.into_inner();
            reply(Handed::NotNow("too many mails wait to be handed over".into()));
        }
    }
}

/// What all mails share.
struct PostOffice {
    roots: Vec<CertificateDer<'static>>,
    names: Names,
}

async fn serve(mut mails: Receiver<(MailServer, Mail, MailReply)>, office: Arc<PostOffice>) {
    while let Some((server, mail, reply)) = mails.recv().await {
        spawn_hand(Arc::clone(&office), server, mail, reply);
    }
}

#[expect(clippy::disallowed_methods, reason = "as many at once as the offices let leave, each for a bounded time")]
fn spawn_hand(office: Arc<PostOffice>, server: MailServer, mail: Mail, reply: MailReply) {
    tokio::spawn(async move {
        let handed = match tokio::time::timeout(server.timeout, office.hand(&server, &mail)).await {
            Ok(Ok(handed) | Err(handed)) => handed,
            Err(_) => Handed::NotNow(format!("the mail server took longer than {} s", server.timeout.as_secs())),
        };
        reply(handed);
    });
}

impl PostOffice {
    async fn hand(&self, server: &MailServer, mail: &Mail) -> Result<Handed, Handed> {
        let refused = |what: &str, error: &dyn std::fmt::Display| Handed::Refused(cut(format!("{what}: {error}")));
        let from: Address = mail.from.parse().map_err(|error| refused(&mail.from, &error))?;
        let to: Vec<Address> =
            mail.to.iter().map(|to| to.parse().map_err(|error| refused(to, &error))).collect::<Result<_, _>>()?;
        let written = written(mail, from.clone(), &to).map_err(|error| refused("it is no mail", &error))?;
        let mut connection = self.connect(server, from.domain()).await?;
        let handed = deliver(&mut connection, server, from, to, &written).await;
        // A server that has it need not hear that we are done.
        drop(connection.quit().await);
        handed
    }

    async fn connect(&self, server: &MailServer, own: &str) -> Result<AsyncSmtpConnection, Handed> {
        let hello = ClientId::Domain(own.to_owned());
        let implicit = match server.encryption {
            Encryption::Implicit => Some(self.tls(server)?),
            Encryption::StartTls | Encryption::None => None,
        };
        let mut last = Handed::NotNow(format!("{} has no address", server.host));
        for address in self.addresses(server).await? {
            let time = Some(server.timeout);
            match AsyncSmtpConnection::connect_tokio1(address, time, &hello, implicit.clone(), None).await {
                Ok(mut connection) if server.encryption == Encryption::StartTls => {
                    if !connection.can_starttls() {
                        return Err(Handed::NotNow(format!("{} does not offer STARTTLS", server.host)));
                    }
                    connection.starttls(self.tls(server)?, &hello).await.map_err(|error| not_now("TLS", &error))?;
                    return Ok(connection);
                }
                Ok(connection) => return Ok(connection),
                Err(error) => last = not_now(&address.to_string(), &error),
            }
        }
        Err(last)
    }

    /// The server's addresses that may be dialled.
    async fn addresses(&self, server: &MailServer) -> Result<Vec<SocketAddr>, Handed> {
        let found = self.names.find(&server.host, server.private).await;
        let found = found.map_err(|reason| Handed::NotNow(cut(format!("{}: {reason}", server.host))))?;
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, server.port)).collect())
    }

    fn tls(&self, server: &MailServer) -> Result<TlsParameters, Handed> {
        let mut building = TlsParametersBuilder::new(server.host.clone()).certificate_store(CertificateStore::None);
        for root in &self.roots {
            let root = Certificate::from_der(root.to_vec()).map_err(|error| not_now("a root", &error))?;
            building = building.add_root_certificate(root);
        }
        building.build().map_err(|error| not_now("TLS", &error))
    }
}

/// Speaks with a server that is there. One address that it will never take keeps no mail from the others.
async fn deliver(
    connection: &mut AsyncSmtpConnection,
    server: &MailServer,
    from: Address,
    to: Vec<Address>,
    written: &[u8],
) -> Result<Handed, Handed> {
    if let Some((user, password)) = &server.login {
        let credentials = Credentials::new(user.clone(), password.clone());
        // A wrong password is the admin's to repair, and no fault of the mail.
        let known = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
        known.map_err(|error| not_now("it does not know us", &error))?;
    }
    connection.command(MailFrom::new(Some(from), Vec::new())).await.map_err(|error| judged(&error))?;
    let (mut taken, mut refused) = (0, Vec::new());
    for address in to {
        match connection.command(Rcpt::new(address.clone(), Vec::new())).await {
            Ok(_) => taken += 1,
            Err(error) if error.is_permanent() => refused.push(format!("{address}: {}", words(&error))),
            Err(error) => return Err(judged(&error)),
        }
    }
    if taken == 0 {
        return Err(Handed::Refused(cut(refused.join("; "))));
    }
    connection.command(Data).await.map_err(|error| judged(&error))?;
    let answer: Response = connection.message(written).await.map_err(|error| judged(&error))?;
    let mut told = format!("{} {}", answer.code(), answer.first_line().unwrap_or_default());
    if !refused.is_empty() {
        told = format!("{told}; not to {}", refused.join("; "));
    }
    Ok(Handed::Taken(cut(told)))
}

/// The mail as it is sent. Nothing in it depends on when it is sent.
fn written(mail: &Mail, from: Address, to: &[Address]) -> Result<Vec<u8>, lettre::error::Error> {
    let name = (!mail.from_name.is_empty()).then(|| mail.from_name.clone());
    let mut building = Message::builder()
        .message_id(Some(format!("<{}>", mail.message_id)))
        .date(mail.date)
        .from(Mailbox::new(name, from))
        .subject(mail.subject.clone())
        .header(AutoSubmitted);
    for address in to {
        building = building.to(Mailbox::new(None, address.clone()));
    }
    let text = SinglePart::plain(mail.text.clone());
    let html = mail.html.clone().map(SinglePart::html);
    let message = match (html, mail.files.as_slice()) {
        (None, []) => building.singlepart(text)?,
        (Some(html), []) => building.multipart(MultiPart::alternative().singlepart(text).singlepart(html))?,
        (html, files) => {
            let mixed = match html {
                None => MultiPart::mixed().singlepart(text),
                Some(html) => MultiPart::mixed().multipart(MultiPart::alternative().singlepart(text).singlepart(html)),
            };
            let parts = files.iter().map(|file| {
                let plain = || ContentType::parse("application/octet-stream").ok();
                let media_type =
                    ContentType::parse(&file.media_type).ok().or_else(plain).unwrap_or(ContentType::TEXT_PLAIN);
                Attachment::new(file.name.clone()).body(file.bytes.clone(), media_type)
            });
            building.multipart(parts.fold(mixed, MultiPart::singlepart))?
        }
    };
    Ok(message.formatted())
}

/// Nobody is to answer it by himself (RFC 3834 section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// What the server's refusal means: 5xx stays so, 4xx and a broken connection pass.
fn judged(error: &lettre::transport::smtp::Error) -> Handed {
    let told = words(error);
    if error.is_permanent() { Handed::Refused(told) } else { Handed::NotNow(told) }
}

fn not_now(what: &str, error: &lettre::transport::smtp::Error) -> Handed {
    Handed::NotNow(cut(format!("{what}: {}", words(error))))
}

/// An error with what is behind it.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let mut told = error.to_string();
    let mut behind: Option<&dyn Error> = error.source();
    while let Some(source) = behind {
        let more = source.to_string();
        if !told.contains(&more) {
            told = format!("{told}: {more}");
        }
        behind = source.source();
    }
    cut(told)
}

fn cut(text: String) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_MAX).collect()
}
