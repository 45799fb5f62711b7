//! The faxes that are to be sent: one machine for all offices, on a thread of its own, since it waits for the disk.

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, Recipient};
use plugboard_call::outbox::{NotWithdrawn, Ordered, Outbox, OutboxOutput, SendRules};
use plugboard_media::FaxDocument;
use plugboard_metrics::{FaxOrdersHeld, FaxTried as Tried};
use plugboard_model::{CallId, Dialled, FaxTry, FaxTryEnd, OfficeId, OrderId, OrderState, OutgoingFax, WallTime};
use plugboard_office::{FaxRules, Inquiry, Office, Source};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::env::Env;
use crate::message::{
    Drain, Errand, FaxErrand, FaxRefused, FaxTried, ForgetFaxOrders, GetFaxOrder, GetFaxOrders, NewFax, OrderFax,
    Originate, Report, TakenFax, UseSnapshot, WithdrawFax,
};
use crate::post::post;
use crate::snapshot::Snapshot;
use crate::wake::Wake;

/// Orders come from programs, a few a second; what each try tells comes once a call.
const OUTBOX_MAILBOX: usize = 1_024;

/// Letters of a key.
const KEY_MAX: usize = 100;

/// A clock that was set back must not let orders wait for ever: it is looked again.
const LOOK: Duration = Duration::from_mins(1);

/// Holds the [`Outbox`].
pub(crate) struct OutboxActor {
    env: Env,
    snapshot: Arc<Snapshot>,
    outbox: Outbox,
    /// The offices whose orders were read.
    known: BTreeSet<OfficeId>,
    /// Where calls are made, and whose turn it is.
    shards: Vec<Recipient<Originate>>,
    turn: usize,
    draining: bool,
    wake: Wake,
}

impl OutboxActor {
    pub(crate) fn new(env: Env, snapshot: Arc<Snapshot>, shards: Vec<Recipient<Originate>>) -> Self {
        let (outbox, known, wake) = (Outbox::default(), BTreeSet::new(), Wake::default());
        Self { env, snapshot, outbox, known, shards, turn: 0, draining: false, wake }
    }

    fn order(&mut self, new: NewFax, ctx: &mut Context<Self>) -> Result<TakenFax, FaxRefused> {
        if self.draining {
            return Err(FaxRefused::Ending);
        }
        let office = self.office(&new.office).ok_or_else(|| FaxRefused::NoOffice(new.office.clone()))?;
        let now = self.env.clock.wall();
        let mut random = [0; 16];
        self.env.random.fill(&mut random);
        let id = OrderId(CallId::new(office.id.clone(), now, u128::from_be_bytes(random)));
        let tiff = new.tiff.clone();
        let fax = checked(&office, new, id, now)?;
        match self.outbox.order(now, fax.clone())? {
            Ordered::Before(before) => Ok(TakenFax { fax: *before, before: true }),
            Ordered::New => {
                // On the disk, both in one, before anybody is told that it is taken, and before anybody is called.
                let id = fax.id.clone();
                if let Err(error) = self.env.store.outgoing_faxes().take(&fax, &tiff) {
                    self.outbox.undo(&id);
                    // It may be there all the same (the disk failed after its log had it): nobody is to find it after a restart.
                    let store = self.env.store.outgoing_faxes();
                    store.remove(&id);
                    store.remove_document(&id);
                    return Err(FaxRefused::NotKept(error.to_string()));
                }
                self.carry_out(ctx);
                let fax = self.outbox.get(&id).cloned().ok_or(FaxRefused::Ending)?;
                Ok(TakenFax { fax, before: false })
            }
        }
    }

    fn office(&self, id: &OfficeId) -> Option<Arc<Office>> {
        self.snapshot.configuration.offices.get(id).cloned()
    }

    fn carry_out(&mut self, ctx: &mut Context<Self>) {
        while let Some(output) = self.outbox.poll_output() {
            let store = self.env.store.outgoing_faxes();
            match output {
                OutboxOutput::Keep(fax) => {
                    if let Err(error) = store.put(&fax) {
                        tracing::error!(order = %fax.id, %error, "an order to send a fax could not be kept");
                    }
                }
                OutboxOutput::Begin(id) => self.begin(&id, ctx),
                OutboxOutput::GivenUp(id) => {
                    if let Some(tried) = self.outbox.get(&id).and_then(|fax| fax.tries.last()) {
                        Tried { order: &id, tried }.emit(&self.env.metrics);
                    }
                }
                OutboxOutput::Discard(id) => store.remove_document(&id),
                OutboxOutput::Forget(id) => store.remove(&id),
            }
        }
        FaxOrdersHeld(self.outbox.waiting()).emit(&self.env.metrics);
        let (now, wall) = (self.env.clock.now(), self.env.clock.wall());
        let at = self.outbox.poll_timeout().map(|at| {
            let millis = u64::try_from(at.0.saturating_sub(wall.0)).unwrap_or(0);
            now + Duration::from_millis(millis).min(LOOK)
        });
        self.wake.set(ctx, now, at, |actor, ctx| {
            actor.wake.rang();
            actor.outbox.tick(actor.env.clock.wall());
            actor.carry_out(ctx);
        });
    }

    /// Has it tried on the next shard.
    fn begin(&mut self, id: &OrderId, ctx: &Context<Self>) {
        let Some(fax) = self.outbox.get(id).cloned() else { return };
        let now = self.env.clock.wall();
        let report = Report::new(ctx.address().recipient(), id.clone(), now);
        let fail = |report: Report, end| report.give(FaxTry::without_call(now, now, end));
        let document = self.env.store.outgoing_faxes().document(id);
        let tiff = match document {
            Ok(Some(tiff)) => tiff,
            Ok(None) => return fail(report, FaxTryEnd::Refused("its document is gone".into())),
            Err(error) => return fail(report, FaxTryEnd::NotReached(format!("its document cannot be read: {error}"))),
        };
        let shard = self.shards.get(self.turn % self.shards.len().max(1));
        self.turn = self.turn.wrapping_add(1);
        let (Some(shard), Some(office)) = (shard, self.office(id.office())) else {
            return fail(report, FaxTryEnd::NotReached("its office is gone".into()));
        };
        let OutgoingFax { from, to, ident, header, pages, pages_sent, .. } = fax;
        let document = FaxDocument { tiff: tiff.into(), first_page: pages_sent, header };
        let errand = Errand::Fax(Box::new(FaxErrand { ident, document, pages, report }));
        post(shard, Originate { office: office.id.clone(), from, to, ring_for: office.fax.ring_for, errand });
    }
}

/// What is ordered, if the office lets it.
fn checked(office: &Office, new: NewFax, id: OrderId, now: WallTime) -> Result<OutgoingFax, FaxRefused> {
    let invalid = |field, reason: &str| FaxRefused::Invalid { field, reason: reason.to_owned() };
    let user = office.find_user(&new.from).or_else(|| office.users().find(|user| user.id.name.as_str() == new.from));
    let user = user.ok_or_else(|| FaxRefused::NoUser(new.from.clone()))?;
    let to = Dialled::new(&new.to).map_err(|error| invalid("to", &error.to_string()))?;
    let ident = new.ident.unwrap_or_else(|| office.fax.ident.clone());
    if !FaxRules::is_ident(&ident) {
        return Err(invalid("ident", "up to 20 of digits, + and blanks are expected"));
    }
    let header = new.header.unwrap_or_else(|| office.fax.header.clone());
    if !FaxRules::is_header(&header) {
        return Err(invalid("header", "up to 50 letters of ASCII are expected"));
    }
    let is_key = |key: &String| (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !new.key.as_ref().is_none_or(is_key) {
        return Err(invalid("key", "1 to 100 letters of ASCII without blanks are expected"));
    }
    if new.pages == 0 || new.tiff.is_empty() {
        return Err(invalid("tiff", "it has no page"));
    }
    allowed(office, &Inquiry::new(&Source::User(user.id.clone()), &to, now))?;
    Ok(OutgoingFax {
        id,
        key: new.key,
        digest: new.digest,
        ordered: now,
        from: user.id.clone(),
        to,
        ident,
        header,
        pages: new.pages,
        bytes: u64::try_from(new.tiff.len()).unwrap_or(u64::MAX),
        pages_sent: 0,
        tries: Vec::new(),
        state: OrderState::Waiting { until: now },
    })
}

/// Told at once rather than in a try: the same is asked when the call is made.
fn allowed(office: &Office, asked: &Inquiry) -> Result<(), FaxRefused> {
    crate::actor::calls::may_be_called(office, &office.route(asked), &asked.called).map_err(FaxRefused::NotAllowed)
}

impl Actor for OutboxActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(OUTBOX_MAILBOX);
    }
}

impl Handler<OrderFax> for OutboxActor {
    type Result = MessageResult<OrderFax>;
    fn handle(&mut self, order: OrderFax, ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.order(order.0, ctx))
    }
}

impl Handler<WithdrawFax> for OutboxActor {
    type Result = MessageResult<WithdrawFax>;
    fn handle(&mut self, WithdrawFax(id): WithdrawFax, ctx: &mut Self::Context) -> Self::Result {
        let withdrawn: Result<OutgoingFax, NotWithdrawn> = self.outbox.withdraw(self.env.clock.wall(), &id).cloned();
        self.carry_out(ctx);
        MessageResult(withdrawn)
    }
}

impl Handler<GetFaxOrder> for OutboxActor {
    type Result = MessageResult<GetFaxOrder>;
    fn handle(&mut self, GetFaxOrder(id): GetFaxOrder, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.outbox.get(&id).cloned())
    }
}

impl Handler<GetFaxOrders> for OutboxActor {
    type Result = MessageResult<GetFaxOrders>;
    fn handle(&mut self, asked: GetFaxOrders, _: &mut Self::Context) -> Self::Result {
        let GetFaxOrders { office, to, most } = asked;
        let mut orders: Vec<&OutgoingFax> = self.outbox.of_office(&office).collect();
        orders.retain(|fax| to.as_ref().is_none_or(|to| fax.to.as_str() == to));
        MessageResult(orders.into_iter().rev().take(most).cloned().collect())
    }
}

impl Handler<ForgetFaxOrders> for OutboxActor {
    type Result = usize;
    fn handle(&mut self, ForgetFaxOrders { office, to }: ForgetFaxOrders, ctx: &mut Self::Context) -> usize {
        let gone = self.outbox.forget(|fax| Some(fax.id.office()) == office.as_ref() && fax.to.as_str() == to);
        self.carry_out(ctx);
        gone
    }
}

impl Handler<FaxTried> for OutboxActor {
    type Result = ();
    fn handle(&mut self, FaxTried { order, tried }: FaxTried, ctx: &mut Self::Context) {
        Tried { order: &order, tried: &tried }.emit(&self.env.metrics);
        self.outbox.tried(self.env.clock.wall(), &order, tried);
        self.carry_out(ctx);
    }
}

impl Handler<Drain> for OutboxActor {
    type Result = ();
    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.draining = true;
        self.outbox.drain();
    }
}

impl Handler<UseSnapshot> for OutboxActor {
    type Result = ();
    fn handle(&mut self, UseSnapshot(snapshot): UseSnapshot, ctx: &mut Self::Context) {
        self.snapshot = snapshot;
        let (now, offices) = (self.env.clock.wall(), &self.snapshot.configuration.offices);
        let rules = |office: &Arc<Office>| {
            let FaxRules { tries, apart, give_up_after, at_once, .. } = office.fax;
            (office.id.clone(), SendRules { tries, apart, give_up_after, at_once })
        };
        self.outbox.follow(now, offices.iter().map(rules).collect());
        let new: Vec<OfficeId> =
            offices.iter().map(|office| office.id.clone()).filter(|id| !self.known.contains(id)).collect();
        for office in new {
            match self.env.store.outgoing_faxes().all(&office) {
                Ok(kept) => {
                    self.outbox.restore(now, kept);
                    self.known.insert(office);
                }
                Err(error) => tracing::error!(%office, %error, "the faxes that are to be sent could not be read"),
            }
        }
        self.carry_out(ctx);
    }
}
