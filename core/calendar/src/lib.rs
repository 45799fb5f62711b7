//! Which day it is somewhere, what it counts as, and whether a time of the day has come. Sans-IO: the time is an argument.
//!
//! [`Zone`] tells what clocks show at a place, [`Calendar`] what a day counts as there (a holiday, a Saturday on which people
//! work as on a Monday), [`Hours`] and [`Schedule`] whether it is the time that a document means.
//!
//! **Days belong to where they begin.** Hours that go past midnight (`from: "22:00", to: "06:00"`) hold on the morning after
//! each of their days, whatever that morning counts as.
//!
//! **Clocks that are put on and back** need no rule: hours are compared with what clocks show. An hour that a zone leaves out does not
//! come, one that it has twice comes twice.
//!
//! Foreign formats: the IANA's time zone database (`chrono-tz`), iCalendar (`calcard`, RFC 5545).

mod calendar;
mod date;
mod day;
mod hours;
mod ical;
mod index;
mod schedule;
mod zone;

pub use calendar::{CALENDARS_MAX, Calendar, DATES_MAX, FILE_BYTES_MAX, Holiday, WorkingDay};
pub use date::{Date, Span};
pub use day::{DAYS, DayKind, Days, HOLIDAY};
pub use hours::Hours;
pub use ical::import;
pub use schedule::{Asked, RANGES_MAX, Schedule};
pub use zone::{LocalTime, Zone};
