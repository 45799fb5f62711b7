//! What is recorded in a simulation.

use plugboard_codec::page::Page;
use plugboard_model::{FaxRecord, OfficeId, TapeRecord};
use plugboard_recorder::{Memory, sheets};
use plugboard_store::{FaxFilter, TapeFilter};

use super::Sim;

impl Sim {
    /// From now on the disk of recordings takes nothing, or takes it again.
    pub fn recordings_wait(&self, wait: bool) {
        self.world.tapes_wait.set(wait);
        self.world.wake.notify_one();
    }

    /// From now on the disk of the database takes nothing, or takes it again.
    pub fn writes_wait(&self, wait: bool) {
        self.world.store_waits.set(wait);
        self.world.wake.notify_one();
    }

    /// The disk of recordings.
    pub const fn tapes(&self) -> &Memory {
        &self.tapes
    }

    /// What is known of an office's recordings and voice messages, oldest first.
    pub fn recordings(&self, office: &str) -> Vec<TapeRecord> {
        let office = OfficeId::new(office).unwrap_or_else(|fault| panic!("{office}: {fault}"));
        self.world.writer.run(self.now());
        let found = self.world.store.tapes().list(&office, &TapeFilter::default(), 1_000);
        found.unwrap_or_else(|fault| panic!("{fault}")).into_iter().rev().collect()
    }

    /// Whose sounds each side of a recording has, a moment after the other, each as often as it is heard for 20 ms in a row.
    pub fn sides(&self, file: &str) -> [Vec<(String, usize)>; 2] {
        self.sounds.sides(&self.tapes.file(file).unwrap_or_else(|| panic!("there is no file {file}")))
    }

    /// What is known of an office's faxes, oldest first.
    pub fn faxes(&self, office: &str) -> Vec<FaxRecord> {
        let office = OfficeId::new(office).unwrap_or_else(|fault| panic!("{office}: {fault}"));
        self.world.writer.run(self.now());
        let found = self.world.store.faxes().list(&office, &FaxFilter::default(), 1_000);
        found.unwrap_or_else(|fault| panic!("{fault}")).into_iter().rev().collect()
    }

    /// The pages of a TIFF file of a fax, by their pixels.
    pub fn pages(&self, file: &str) -> Vec<Page> {
        Self::pages_of(&self.tapes.file(file).unwrap_or_else(|| panic!("there is no file {file}")))
    }

    /// The same of a document that a machine has received.
    #[track_caller]
    pub fn pages_of(document: &[u8]) -> Vec<Page> {
        let sheets = sheets(document).unwrap_or_else(|fault| panic!("{fault}"));
        let unpacked = |sheet: &plugboard_recorder::Sheet| {
            // As ITU-T T.6 goes over the line.
            let packed: Vec<u8> = sheet.packed.iter().map(|byte| byte.reverse_bits()).collect();
            Page::unpacked(sheet.width, &packed).unwrap_or_else(|| panic!("a page cannot be unpacked"))
        };
        sheets.iter().map(unpacked).collect()
    }
}
