//! Sizes that outside input may have, each with the reason for its number.

/// The largest datagram that is read as SIP, in bytes.
///
/// Requests over UDP stay under 1,300 bytes (RFC 3261 section 18.1.1); WebRTC offers and long routes
/// reach 6 KB in practice. 16 KiB is past both, and small enough for a receive buffer per batch slot.
pub const UDP_BYTES_MAX: usize = 16 * 1024;

/// A request that is longer goes over a stream, if its peer leaves the transport open (RFC 3261 section 18.1.1).
pub const UDP_REQUEST_BYTES_MAX: usize = 1_300;

/// The largest message on a stream, start line to end of body, in bytes.
///
/// RFC 3261 section 18.1.1 asks for 65,535 bytes; a message past it is nobody's call set-up.
pub const STREAM_BYTES_MAX: usize = 64 * 1024;

/// Header lines in one message. Real ones have 10 to 40, also after 20 proxies.
pub const HEADERS_MAX: usize = 256;

/// Elements of one header's comma list, all its lines together (Via, Route, Contact, Supported).
///
/// Max-Forwards starts at 70, yet a path of more than 64 hops is a loop.
pub const LIST_ITEMS_MAX: usize = 64;

/// Parameters of one address, Via or URI.
pub const PARAMS_MAX: usize = 64;

/// Bytes of a header's name; the longest registered one has 29.
pub const HEADER_NAME_BYTES_MAX: usize = 128;

/// Bytes of a method; the longest registered one has 9.
pub const METHOD_BYTES_MAX: usize = 64;
