//! Stories of one scenario each: what the checker says, and what the interpreter does with a call.

#[cfg(test)]
mod checking;
mod events;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod running;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod support;
#[cfg(test)]
mod times;
