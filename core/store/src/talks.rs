//! Who talked with a number last.

use crate::calls::{CallStore, RecordFilter};
use crate::error::StoreError;
use plugboard_model::{CallRecord, OfficeId, Talk, UserId, WallTime};

/// Calls of one number that are looked at, in each of its forms: whoever called more often without talking to somebody is no customer.
const LOOK_MAX: usize = 500;
/// Calls that are read at once.
const PAGE: usize = 50;

impl CallStore {
    /// The user who talked last with a number, whoever called whom; a number is given in each form in which it may be written. Users
    /// whom `is_there` does not know do not count, nor do calls that began before `since`. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_talk(
        &self,
        office: &OfficeId,
        numbers: &[String],
        since: WallTime,
        is_there: &dyn Fn(&UserId) -> bool,
    ) -> Result<Option<Talk>, StoreError> {
        let mut last: Option<Talk> = None;
        for number in numbers {
            // What is older than what was found is of no use.
            let from = last.as_ref().map_or(since, |talk| talk.at);
            let filter = RecordFilter { from: Some(from), number: Some(number.clone()), ..RecordFilter::default() };
            let (mut after, mut looked) = (None, 0);
            while looked < LOOK_MAX {
                let page = self.records(office, &filter, after, PAGE)?;
                looked += page.records.len().max(1);
                let talk = page.records.iter().find_map(|record| talk(record, number, is_there));
                after = page.next;
                if let Some(talk) = talk {
                    if last.as_ref().is_none_or(|last| talk.at > last.at) {
                        last = Some(talk);
                    }
                    break;
                }
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(last)
    }
}

/// Who talked with this number in a call: the one who was put through to it last.
fn talk(record: &CallRecord, number: &str, is_there: &dyn Fn(&UserId) -> bool) -> Option<Talk> {
    let answered = record.answered?;
    if record.called == number
        && let Some(user) = record.caller_user.as_ref().filter(|user| is_there(user))
    {
        return Some(Talk { user: user.clone(), at: answered });
    }
    if record.caller != number || record.caller_user.is_some() {
        return None;
    }
    let talked = record.legs.iter().filter_map(|leg| Some((leg.answered?, leg.user.as_ref()?)));
    let talked = talked.chain(record.answered_by.as_ref().map(|user| (answered, user)));
    let (at, user) = talked.filter(|(_, user)| is_there(user)).max_by_key(|(at, _)| *at)?;
    Some(Talk { user: user.clone(), at })
}
