//! Stories of offices: reading them, routing by them, and whether their users may be rung.

#[cfg(test)]
mod availability;
#[cfg(test)]
mod handling;
mod reading;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod support;
