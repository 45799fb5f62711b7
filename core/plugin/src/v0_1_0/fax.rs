//! Capability `fax`.

use super::bindings::plugboard::switch::fax as wit;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{FaxError, FaxOutcome, FaxRequest, HostCall, HostResult};

/// The longest name of a machine (ITU-T T.30 section 5.3.6.2.4).
const IDENT_BYTES_MAX: usize = 20;

impl wit::Host for Guest {
    async fn receive(&mut self, how: wit::ReceiveOptions) -> wasmtime::Result<Result<wit::Received, wit::FaxError>> {
        let request = match request(how) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(wit::FaxError::Invalid(fault))),
        };
        let HostResult::Faxed(done) = self.ask(HostCall::ReceiveFax(request)).await? else {
            return Err(wrong_answer("fax.receive"));
        };
        Ok(done
            .map(|received| wit::Received {
                end: match received.end {
                    FaxOutcome::Done => wit::Ended::Done,
                    FaxOutcome::NoFax => wit::Ended::NoFax,
                    FaxOutcome::Failed(reason) => wit::Ended::Failed(reason),
                },
                pages: received.pages,
                sender: received.sender,
                document: received.document,
            })
            .map_err(|why| match why {
                FaxError::CallerGone => wit::FaxError::CallerGone,
                FaxError::Talking => wit::FaxError::Talking,
                FaxError::NoMedia(reason) => wit::FaxError::NoMedia(reason),
                FaxError::Invalid(which) => wit::FaxError::Invalid(which),
            }))
    }
}

fn request(how: wit::ReceiveOptions) -> Result<FaxRequest, String> {
    let in_name = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b' ');
    if how.ident.len() > IDENT_BYTES_MAX || !how.ident.bytes().all(in_name) {
        return Err(format!("ident {} is not up to {IDENT_BYTES_MAX} of 0-9 + and blanks", words::cut(&how.ident)));
    }
    Ok(FaxRequest {
        ident: how.ident,
        pages_max: words::in_range("pages-max", how.pages_max, 1..=500)?,
        max_ms: words::in_range("max-ms", how.max_ms, 30_000..=7_200_000)?,
    })
}
