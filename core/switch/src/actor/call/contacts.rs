//! Contacts for runs of the call: the office's own, and those that systems beside the telephone know.

use actix::{AsyncContext, Context, Handler, Message};
use plugboard_call::Op;
use plugboard_call::integrations::LOOK_UP_WITHIN;
use plugboard_model::{ContactId, DirectoryContact, HostResult, KnownContact, Name};
use plugboard_plugin::Directory as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::CallActor;
use crate::actor::integrations::FindContact;
use crate::post::{post, press};

/// Past the time of a look-up and this no answer comes any more.
const LATE: Duration = Duration::from_secs(1);
/// Contacts of other systems that one call keeps: a scenario is about its caller and a few more.
const KEPT_MAX: usize = 32;

/// The contacts of other systems that the call has found: to its end it knows them by their ids.
#[derive(Debug, Default)]
pub(super) struct Strangers(BTreeMap<Name, DirectoryContact>);

impl CallActor {
    /// Who has this number? Asked of the office first; the run is told when others have answered.
    pub(super) fn find_contact(&mut self, op: Op, number: String, ctx: &mut Context<Self>) {
        let own = self.directory().find_contact(&number);
        if own.is_some() || self.office.integrations.is_empty() || self.office.internal(&number).is_some() {
            return self.resume(op, HostResult::Contact(own));
        }
        let back = ctx.address().recipient();
        ctx.run_later(LOOK_UP_WITHIN + LATE, move |call, ctx| {
            if call.waits_at(op) {
                call.resume(op, HostResult::Contact(None));
                call.pump(ctx);
            }
        });
        let told = Box::new(move |found| press(&back, ContactFound { op, found }));
        let asked = FindContact { office: Arc::clone(&self.office), number, told };
        post(&self.snapshot.integrations.find, asked);
    }

    /// The contact with this id: the office's, or one that this call has found.
    pub(super) fn contact(&self, id: &ContactId) -> Option<DirectoryContact> {
        let found = || self.strangers.0.get(&id.name).filter(|_| id.office == self.office.id).cloned();
        self.directory().contact(id).or_else(found)
    }

    /// ... as variables hold him.
    pub(super) fn known_contact(&self, id: &ContactId) -> Option<KnownContact> {
        let own = self.office.contact(id.name.as_str()).map(|own| self.office.known_contact(own));
        let DirectoryContact { name, company, email, language, groups, .. } = match own {
            Some(own) => return Some(own),
            None => self.contact(id)?,
        };
        Some(KnownContact { id: id.clone(), name, company, email, language, groups })
    }
}

/// Others have said who has a number. From the `IntegrationsActor`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct ContactFound {
    op: Op,
    found: Option<DirectoryContact>,
}

impl Handler<ContactFound> for CallActor {
    type Result = ();

    fn handle(&mut self, ContactFound { op, found }: ContactFound, ctx: &mut Context<Self>) {
        if !self.waits_at(op) {
            return;
        }
        if let Some(found) = &found
            && self.strangers.0.len() < KEPT_MAX
        {
            self.strangers.0.insert(found.id.clone(), found.clone());
        }
        self.resume(op, HostResult::Contact(found));
        self.pump(ctx);
    }
}
