//! linphonec: a phone that knows both digests.

use std::fs;
use std::process::{Command, Stdio};

use crate::{Plugboard, Program, free_port, tool, until};

/// A running phone, which registers by itself.
#[derive(Debug)]
pub struct Linphone {
    program: Program,
}

impl Linphone {
    /// A phone of a user of this switch.
    pub fn start(switch: &Plugboard, user: &str, password: &str) -> Self {
        let folder = switch.folder().join(format!("linphone-{user}"));
        // It keeps a database below the home folder, and does not make the way to it.
        fs::create_dir_all(folder.join(".local/share/linphone")).unwrap();
        fs::create_dir_all(folder.join(".config/linphone")).unwrap();
        let (sip, address) = (free_port(1), switch.sip(crate::Transport::Udp));
        let config = format!(
            "[sip]\nsip_port={sip}\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\ndefault_proxy=0\n\
             register_only_when_network_is_up=0\n[proxy_0]\nreg_proxy=<sip:{address};transport=udp>\n\
             reg_identity=sip:{user}@127.0.0.1\nreg_sendregister=1\nreg_expires=600\npublish=0\n\
             [auth_info_0]\nusername={user}\npasswd={password}\nrealm=plugboard.test\n"
        );
        let file = folder.join("linphonerc");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(tool("linphonec"));
        // The log of everything shows each message. Standard input stays open: its end would be the phone's.
        command.arg("-c").arg(file).args(["-d", "6"]).env("HOME", &folder).stdin(Stdio::piped());
        command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
        Self { program: Program::start(command, &folder, "linphonec") }
    }

    /// Waits until it has logged something.
    pub fn waits_to_say(&self, what: &str) {
        until(&format!("linphonec to say {what:?}"), || self.program.output().contains(what).then_some(()));
    }

    /// The credentials that it sent so far.
    pub fn credentials(&self) -> Vec<String> {
        let said = self.program.output();
        said.lines().filter(|line| line.starts_with("Authorization:")).map(str::to_owned).collect()
    }
}
