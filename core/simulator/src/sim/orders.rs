//! Faxes that somebody has the switch send.

use plugboard_codec::page::Page;
use plugboard_model::{OfficeId, OrderId, OutgoingFax};
use plugboard_switch::{FaxRefused, NewFax, NotWithdrawn, TakenFax};

use super::Sim;

/// An order of the user 101 of the demo's office.
pub fn fax_to(to: &str, pages: &[Page]) -> NewFax {
    NewFax {
        office: OfficeId::new("main").unwrap_or_else(|fault| panic!("{fault}")),
        from: "101".into(),
        to: to.into(),
        ident: None,
        header: None,
        key: None,
        digest: [0; 32],
        tiff: Page::tiff(pages),
        pages: u32::try_from(pages.len()).unwrap_or(u32::MAX),
    }
}

impl Sim {
    /// Orders a fax.
    ///
    /// # Errors
    /// As the switch refuses it.
    pub fn orders(&self, fax: NewFax) -> Result<TakenFax, FaxRefused> {
        self.ask(self.switch().order_fax(fax))
    }

    /// Orders one that the switch takes.
    #[track_caller]
    pub fn ordered(&self, to: &str, pages: &[Page]) -> OrderId {
        self.orders(fax_to(to, pages)).unwrap_or_else(|fault| panic!("{fault}")).fax.id
    }

    /// How far one is.
    #[track_caller]
    pub fn order(&self, id: &OrderId) -> OutgoingFax {
        self.ask(self.switch().fax_order(id)).unwrap_or_else(|| panic!("there is no order {id}"))
    }

    /// What is kept of its document.
    pub fn document_of(&self, id: &OrderId) -> Option<Vec<u8>> {
        self.world.store.outgoing_faxes().document(id).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// Takes one back.
    ///
    /// # Errors
    /// As the switch refuses it.
    pub fn withdraws(&self, id: &OrderId) -> Result<OutgoingFax, NotWithdrawn> {
        self.ask(self.switch().withdraw_fax(id))
    }

    /// Lets an hour pass, or less if an order is over before.
    #[track_caller]
    pub fn run_until_over(&mut self, id: &OrderId) {
        for _ in 0..3_600 {
            if self.order(id).state.over().is_some() {
                return;
            }
            self.run_for(std::time::Duration::from_secs(1));
        }
        panic!("it is not over: {:#?}", self.order(id))
    }

    /// Lets time pass until an order has had so many tries and none goes on.
    #[track_caller]
    pub fn run_until_tried(&mut self, id: &OrderId, tries: usize) -> OutgoingFax {
        for _ in 0..3_600 {
            let fax = self.order(id);
            if fax.tries.len() >= tries {
                return fax;
            }
            self.run_for(std::time::Duration::from_millis(500));
        }
        panic!("it was not tried {tries} times: {:#?}\n{}", self.order(id), self.ladder())
    }
}
