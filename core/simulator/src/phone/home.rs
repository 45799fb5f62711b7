//! Phones in a network of their own, whose NAT has another address than they know.

use super::Phone;

impl Phone {
    /// Its descriptions name its own address, and its NAT has another one.
    pub fn is_behind_nat(&self) {
        self.agent.borrow_mut().behind_nat = true;
    }

    /// So does its Contact. What is sent there reaches nobody: see [`crate::Sim::sent_into_homes`].
    pub fn names_its_home(&self) {
        self.is_behind_nat();
        self.agent.borrow_mut().at_home = true;
    }
}
