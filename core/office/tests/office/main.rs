//! Stories of offices: reading them, routing by them, and whether their users may be rung.

#[cfg(test)]
mod availability;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod database;
#[cfg(test)]
mod delivered;
#[cfg(test)]
mod emergency;
#[cfg(test)]
mod features;
mod gateways;
#[cfg(test)]
mod handling;
#[cfg(test)]
mod http;
mod integrations;
mod mail;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod spelling;
#[cfg(test)]
mod support;
mod text_message;
