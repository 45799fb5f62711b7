//! Mail servers: aiosmtpd, which was not written here, and a rough one that fails as it is told.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::{Program, Transport, free_port, is_open, tool, until};

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not encrypted.
    None,
    /// After STARTTLS, without which it takes nothing.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// A running aiosmtpd, which puts each mail into a file.
#[derive(Debug)]
pub struct MailServer {
    port: u16,
    mails: PathBuf,
    certificate: PathBuf,
    program: Program,
}

impl MailServer {
    /// Starts it in a folder, at a free port.
    pub fn start(folder: &Path, tls: Tls) -> Self {
        Self::start_at(folder, tls, free_port(1))
    }

    /// The same at this port. Its certificate is for 127.0.0.1.
    pub fn start_at(folder: &Path, tls: Tls, port: u16) -> Self {
        fs::create_dir_all(folder).unwrap();
        let (mails, certificate, key) = (folder.join("mails"), folder.join("cert.pem"), folder.join("key.pem"));
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(&certificate, own.cert.pem()).unwrap();
        fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        let mut command = Command::new(tool("aiosmtpd"));
        command.args(["--nosetuid", "--listen", &format!("127.0.0.1:{port}")]);
        let encrypted = match tls {
            Tls::None => None,
            Tls::StartTls => Some(["--tlscert", "--tlskey"]),
            Tls::Implicit => Some(["--smtpscert", "--smtpskey"]),
        };
        if let Some([cert_flag, key_flag]) = encrypted {
            command.arg(cert_flag).arg(&certificate).arg(key_flag).arg(&key);
        }
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&mails).stdin(Stdio::null());
        let program = Program::start(command, folder, "aiosmtpd");
        until("the mail server to listen", || is_open(Transport::Tcp, port).then_some(()));
        Self { port, mails, certificate, program }
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// What it prints.
    pub fn output(&self) -> String {
        self.program.output()
    }

    /// The mails that it has, as they came.
    pub fn mails(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(self.mails.join("new")) else { return Vec::new() };
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap().replace("\r\n", "\n")).collect()
    }

    /// So many mails, once they are there.
    pub fn waits_for(&self, many: usize) -> Vec<String> {
        until(&format!("{many} mails: {}", self.output()), || Some(self.mails()).filter(|mails| mails.len() >= many))
    }
}

/// A mail server of a few lines at this port. To the end of each mail it gives the next of these answers, and the last one for ever; `None`:
/// it keeps silent, and only tells that it has the mail. What it was sent.
pub fn rough_mail_server(port: u16, answers: &[Option<&'static str>]) -> Receiver<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (tell, told) = channel();
    let answers = answers.to_vec();
    thread::spawn(move || {
        let mut answers = answers.into_iter();
        let mut answer = answers.next().unwrap();
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let Some(mail) = hear(&mut stream) else { continue };
            if tell.send(mail).is_err() {
                return;
            }
            match answer {
                Some(words) => drop(write!(stream.get_mut(), "{words}\r\n")),
                None => open.push(stream),
            }
            answer = answers.next().unwrap_or(answer);
        }
    });
    told
}

/// What one client sends, to the end of its mail; `None`: it sent none.
fn hear(stream: &mut BufReader<std::net::TcpStream>) -> Option<String> {
    write!(stream.get_mut(), "220 rough\r\n").ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.starts_with("DATA") {
            write!(stream.get_mut(), "354 go on\r\n").ok()?;
            let mut mail = String::new();
            while !mail.ends_with("\r\n.\r\n") {
                stream.read_line(&mut mail).ok().filter(|len| *len > 0)?;
            }
            return Some(mail);
        }
        write!(stream.get_mut(), "250 ok\r\n").ok()?;
    }
}
