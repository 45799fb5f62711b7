//! What a fax machine does with a phone's line, and what is seen of it.

use plugboard_codec::page::Page;
use plugboard_media::{FaxDocument, FaxOrder, FaxReport};

use super::Phone;
use super::call::{Image, Stage};
use super::fax::Line;

impl Phone {
    /// It answers reports of how its last call sounds (RTCP), in calls from now on.
    pub fn reports(&self) {
        self.agent.borrow_mut().reports = true;
    }

    /// A fax machine that sends these pages has its handset in its last call from now on; as ident it says this.
    pub fn sends_fax(&self, ident: &str, pages: &[Page]) {
        let sends = Some(FaxDocument::whole(&Page::tiff(pages)));
        self.is_fax(&FaxOrder { ident: ident.into(), sends, pages_max: u32::MAX, bytes_max: usize::MAX });
    }

    /// A fax machine that receives has its handset in its last call from now on.
    pub fn takes_fax(&self) {
        self.is_fax(&FaxOrder { ident: String::new(), sends: None, pages_max: u32::MAX, bytes_max: usize::MAX });
    }

    fn is_fax(&self, order: &FaxOrder) {
        let mut agent = self.agent.borrow_mut();
        let call = agent.calls.last_mut().unwrap_or_else(|| panic!("there is no call to fax in"));
        let mut line = Line::new(order);
        if call.image == Image::Speaks {
            line.speaks_packets();
        }
        call.voice.fax = Some(line);
    }

    /// In its last call it takes T.38 from now on, or wants it at once.
    pub fn takes_t38(&self) {
        let mut agent = self.agent.borrow_mut();
        let call = agent.calls.last_mut().unwrap_or_else(|| panic!("there is no call to change"));
        call.image = Image::Takes;
    }

    /// ... and wants FEC by it.
    pub fn wants_fec(&self) {
        let mut agent = self.agent.borrow_mut();
        let call = agent.calls.last_mut().unwrap_or_else(|| panic!("there is no call to change"));
        call.voice.fec = true;
    }

    /// It offers T.38 in its last call.
    pub fn offers_t38(&self) {
        self.takes_t38();
        let index = self.find(|call| call.stage == Stage::Up).unwrap_or_else(|| self.nothing("to change"));
        self.agent.borrow_mut().offer_image(self.now(), index);
    }

    /// It takes that back before anybody has answered.
    pub fn takes_its_offer_back(&self) {
        let index = self.find(|call| call.stage == Stage::Up).unwrap_or_else(|| self.nothing("to take back"));
        self.agent.borrow_mut().cancel_image(self.now(), index);
    }

    /// It offers audio again in its last call.
    pub fn goes_back_to_audio(&self) {
        let mut agent = self.agent.borrow_mut();
        let call = agent.calls.last_mut().unwrap_or_else(|| panic!("there is no call to change"));
        call.image = Image::Takes;
        drop(agent);
        self.refreshes();
    }

    /// Its last call speaks T.38.
    pub fn speaks_t38(&self) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || phone.last(|call| call.image == Image::Speaks).unwrap_or(false)
    }

    /// Datagrams of T.38 that never came in its last call, and those that others brought.
    pub fn lost_and_back(&self) -> (u64, u64) {
        self.last(|call| call.voice.fax.as_ref().map(Line::lost_and_back)).flatten().unwrap_or_default()
    }

    /// Its fax machine has done what it could.
    pub fn has_faxed(&self) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || phone.last(|call| call.voice.fax.as_ref().is_some_and(Line::is_over)).unwrap_or(false)
    }

    /// What became of its fax; the machine is switched off by it.
    pub fn fax_report(&self) -> FaxReport {
        let mut agent = self.agent.borrow_mut();
        let line = agent.calls.iter_mut().rev().find_map(|call| call.voice.fax.as_mut());
        line.unwrap_or_else(|| panic!("there is no fax machine")).report()
    }
}
