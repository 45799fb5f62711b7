//! How mail, text messages and posts leave: by the office's mail server, and by its services of the web.

use plugboard_model::{Attachment, HttpMethod, Notice, NoticeContent, NoticeEnd, OutgoingMail};
use plugboard_office::{FilledBody, HttpSource, MailRules, MailTls, Office};
use plugboard_outside::http::{Asker, Body, NoResponse, Request, Response};
use plugboard_outside::mail::{Encryption, Handed, Mail, MailFile, MailServer, Postman};
use plugboard_recorder::Folder;
use plugboard_switch::{Carriage, CarriageReply, Carrier};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::recordings::FOLDER;
use crate::web::{Services, shown};

/// What an answer to a post is worth reading: nobody is told it.
const ANSWER_BYTES: u32 = 4_096;

/// Lets notices leave.
pub(crate) struct Outbound {
    postman: Postman,
    asker: Asker,
    recordings: Folder,
}

impl Outbound {
    /// Trusted by these roots or the system's.
    ///
    /// # Errors
    /// What is lacking: certificates, a thread.
    pub(crate) fn start(roots: Option<&Path>, services: &Services, data: &Path) -> Result<Self, String> {
        let postman = Postman::start(roots).map_err(|error| error.to_string())?;
        Ok(Self { postman, asker: services.asker(), recordings: Folder::new(data.join(FOLDER)) })
    }

    fn mail(&self, rules: &MailRules, notice: &Notice, mail: &OutgoingMail, reply: CarriageReply) {
        let (files, left_behind) = self.files(&mail.attachments, rules.attachments_max);
        let taken = Duration::from_millis(u64::try_from(notice.taken.0).unwrap_or(0));
        let mut text = mail.text.clone();
        for why in left_behind {
            text = format!("{text}\n\n{why}");
        }
        let server = MailServer {
            host: rules.host.clone(),
            port: rules.port,
            encryption: match rules.tls {
                MailTls::StartTls => Encryption::StartTls,
                MailTls::Implicit => Encryption::Implicit,
                MailTls::None => Encryption::None,
            },
            login: rules.login.as_ref().map(|login| (login.user.clone(), login.password.reveal().to_owned())),
            private: rules.private,
            timeout: rules.timeout,
        };
        let mail = Mail {
            message_id: mail.message_id.clone(),
            date: SystemTime::UNIX_EPOCH + taken,
            from_name: rules.from.name.clone(),
            from: rules.from.address.to_string(),
            to: mail.to.clone(),
            subject: mail.subject.clone(),
            text,
            html: mail.html.clone(),
            files,
        };
        let told = move |handed| {
            reply(match handed {
                Handed::Taken(words) => NoticeEnd::Sent(words),
                Handed::Refused(words) => NoticeEnd::Refused(words),
                Handed::NotNow(words) => NoticeEnd::NotNow(words),
            });
        };
        self.postman.send(server, mail, Box::new(told));
    }

    /// The files that go along, and in words which do not.
    fn files(&self, attachments: &[Attachment], bytes_max: u32) -> (Vec<MailFile>, Vec<String>) {
        let (mut left, mut files, mut behind) = (u64::from(bytes_max), Vec::new(), Vec::new());
        for Attachment { file, name, media_type } in attachments {
            match self.read(file, left) {
                Ok(Some(bytes)) => {
                    left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                    files.push(MailFile { name: name.clone(), media_type: media_type.clone(), bytes });
                }
                Ok(None) => behind.push(format!("({name} is too large to go along.)")),
                Err(reason) => {
                    tracing::error!(file, reason, "a file does not go along with a mail");
                    behind.push(format!("({name} is not there any more.)"));
                }
            }
        }
        (files, behind)
    }

    /// `None`: it is longer than `most`.
    fn read(&self, file: &str, most: u64) -> Result<Option<Vec<u8>>, String> {
        let place = self.recordings.place(file).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        let opened = File::open(place).map_err(|error| error.to_string())?;
        opened.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(u64::try_from(bytes.len()).is_ok_and(|len| len <= most).then_some(bytes))
    }

    fn post(&self, office: &Office, source: &HttpSource, asks: Asks, key: String, reply: CarriageReply) {
        let (mut headers, basic) = shown(source);
        headers.push(("Idempotency-Key".into(), key));
        let request = Request {
            site: format!("{}/{}", office.id, source.id),
            base: source.address(),
            path: asks.path,
            query: asks.query,
            method: asks.method.as_str(),
            headers,
            basic,
            body: asks.body,
            timeout: source.timeout,
            retries: 0,
            bytes_max: source.bytes_max.max(ANSWER_BYTES),
            at_once: source.at_once,
            private: source.private,
        };
        self.asker.ask(request, Box::new(move |answer| reply(judged(answer))));
    }
}

/// What a service is asked.
struct Asks {
    method: HttpMethod,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Body>,
}

impl Carrier for Outbound {
    fn carry(&self, Carriage { office, notice }: Carriage, reply: CarriageReply) {
        match &notice.content {
            NoticeContent::Mail(mail) => match &office.mail {
                Some(rules) => self.mail(rules, &notice, mail, reply),
                None => reply(NoticeEnd::NotNow("the office sends no mail any more".into())),
            },
            NoticeContent::Post(post) => {
                let (path, body) = (post.path.clone(), Some(Body::Json(post.body.clone())));
                let asks = Asks { method: HttpMethod::Post, path, query: Vec::new(), body };
                match office.http_source(&post.source) {
                    Some(source) => self.post(&office, source, asks, notice.id.to_string(), reply),
                    None => reply(NoticeEnd::Refused(format!("the office has no source of the web {:?}", post.source))),
                }
            }
            NoticeContent::Log(_) => reply(NoticeEnd::Refused("an integration is told it, and no service".into())),
            NoticeContent::Text(text) => {
                let rules = office.text_messages.as_ref();
                let Some((rules, source)) =
                    rules.and_then(|rules| Some((rules, office.http_source(rules.source.as_str())?)))
                else {
                    return reply(NoticeEnd::NotNow("the office sends no text messages any more".into()));
                };
                let key = notice.id.to_string();
                let (query, body) = rules.request(text, &key);
                let body = body.map(|body| match body {
                    FilledBody::Json(body) => Body::Json(body),
                    FilledBody::Form(values) => Body::Form(values),
                });
                let asks = Asks { method: rules.method, path: rules.path.clone(), query, body };
                self.post(&office, source, asks, key, reply);
            }
        }
    }
}

/// What an answer means: 2xx is taken; what passes by itself may do better; anything else is final.
fn judged(answer: Result<Response, NoResponse>) -> NoticeEnd {
    match answer {
        Ok(Response { status, .. }) => match status {
            200..=299 => NoticeEnd::Sent(status.to_string()),
            408 | 425 | 429 | 500..=599 => NoticeEnd::NotNow(format!("it answered {status}")),
            _ => NoticeEnd::Refused(format!("it answered {status}")),
        },
        // It has it: what it says of that is of no matter.
        Err(NoResponse::TooLong | NoResponse::NoText) => NoticeEnd::Sent("its answer could not be read".into()),
        Err(NoResponse::TimeOver) => NoticeEnd::Unknown("it did not answer in its time".into()),
        Err(NoResponse::Broken(reason)) => NoticeEnd::Unknown(reason),
        Err(NoResponse::Unreachable(reason)) => NoticeEnd::NotNow(reason),
        Err(NoResponse::Busy) => NoticeEnd::NotNow("it has as many requests as it may have at once".into()),
    }
}
