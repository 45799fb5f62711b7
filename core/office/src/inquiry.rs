//! A question for the way of a call, and what is known about it.

use crate::{Contact, Internal, Office, Source, Spelled};
use plugboard_model::{Dialled, UserId, WallTime};

/// Where does this call go?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// Who calls.
    pub source: Source,
    /// What was called.
    pub called: Dialled,
    /// When.
    pub at: WallTime,
    /// The caller's number as he shows it; empty when he withholds it.
    pub caller: String,
    /// The language that his phone asks for (BCP 47), if it does.
    pub language: Option<String>,
    /// Whose number was called before the call was sent on to us; the first one, if there are several.
    pub diverted: Option<Dialled>,
}

impl Inquiry {
    /// Of somebody of whom nothing else is known: a gateway's caller who withholds his number, or a user.
    pub fn new(source: &Source, called: &Dialled, at: WallTime) -> Self {
        let (source, called) = (source.clone(), called.clone());
        Self { source, called, at, caller: String::new(), language: None, diverted: None }
    }

    /// With the caller's number.
    #[must_use]
    pub fn by(self, caller: impl Into<String>) -> Self {
        Self { caller: caller.into(), ..self }
    }
}

/// What rules are held against.
#[derive(Debug)]
pub(crate) struct Facts<'o> {
    pub(crate) office: &'o Office,
    pub(crate) asked: &'o Inquiry,
    pub(crate) called: Spelled,
    pub(crate) caller: Spelled,
    /// What the caller wanted in the first place.
    pub(crate) identity: Spelled,
    pub(crate) contact: Option<&'o Contact>,
    /// Whom it would ring.
    pub(crate) callee: Option<UserId>,
}

impl<'o> Facts<'o> {
    pub(crate) fn of(office: &'o Office, asked: &'o Inquiry) -> Self {
        let plan = office.number_plan();
        let format = |number: &Dialled| match &asked.source {
            Source::Gateway(id) => {
                let gateway = office.gateway(id);
                gateway.and_then(|gateway| office.e164_of(gateway, number)).or_else(|| plan.e164(number))
            }
            // What rings somebody inside is no number of this area as well.
            Source::User(_) if office.internal.contains_key(number) => plan.without_area().e164(number),
            Source::User(_) => plan.e164(number),
        };
        let spelled =
            |number: &Dialled| Spelled { written: number.as_str().into(), e164: format(number).map(String::from) };
        let caller = match &asked.source {
            Source::User(user) => office.user(user).map(|user| spelled(&user.number)).unwrap_or_default(),
            Source::Gateway(_) => match Dialled::new(&asked.caller) {
                Ok(number) => spelled(&number),
                // A name that cannot be dialled is a name all the same.
                Err(_) => Spelled { written: asked.caller.clone(), e164: None },
            },
        };
        let called = spelled(&asked.called);
        let identity = asked.diverted.as_ref().map_or_else(|| called.clone(), spelled);
        let callee = match office.internal.get(&asked.called) {
            Some(Internal::User(user)) => Some(user.clone()),
            Some(Internal::Group(_)) | None => None,
        };
        let contact = office.contact_of(&caller);
        Self { office, asked, called, caller, identity, contact, callee }
    }

    /// The caller's, as far as anybody knows it: the contact's, what his phone asks for, the office's.
    pub(crate) fn language(&self) -> &str {
        let contacts = self.contact.and_then(|contact| contact.language.as_deref());
        contacts.or(self.asked.language.as_deref()).unwrap_or(&self.office.language)
    }

    /// Nobody knows who calls. Users have shown who they are.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.caller.written.is_empty()
    }
}
