//! SIP: messages, transactions, dialogs, digest, registrar. Sans-IO
