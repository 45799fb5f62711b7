//! What the devices of a user say of him, for as long as they say it.
//!
//! One [`Publications`] a user. As with a registrar, time comes in and the response goes out.
//!
//! Source: RFC 3903 sections 6 and 8.

use super::package::Package;
use super::presence::Published;
use crate::message::{Request, Response};
use crate::registrar::ExpiryLimits;
use crate::rejection::Rejection;
use plugboard_model::Time;
use std::time::Duration;

/// Devices that publish at once; one more takes the place of the one that would run out first.
pub const PUBLICATIONS_MAX: usize = 10;

/// What the devices of one user publish.
#[derive(Debug, Clone, Default)]
pub struct Publications(Vec<Publication>);

#[derive(Debug, Clone)]
struct Publication {
    etag: String,
    expires: Time,
    published: Published,
}

impl Publications {
    /// Nobody says anything.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Carries out a PUBLISH and makes the response. `etag` is random and names what is kept from now on. Besides: whether the
    /// device turned do-not-disturb on, or off after it had; `None`: it says of it what it said.
    pub fn publish(
        &mut self,
        now: Time,
        request: &Request,
        limits: &ExpiryLimits,
        (etag, to_tag): (&str, &str),
    ) -> (Response, Option<bool>) {
        self.expire(now);
        let (mut response, turned) = match self.carry_out(now, request, limits, etag) {
            Ok((granted, turned)) => {
                let mut response = Response::to_request(request, 200);
                response.headers.push("SIP-ETag", etag);
                response.headers.push("Expires", granted.as_secs().to_string());
                (response, turned)
            }
            Err(rejection) => (rejection.response(request), None),
        };
        response.headers.set_to_tag(to_tag);
        (response, turned)
    }

    /// What is said now, by whoever will say it longest first.
    pub fn live(&self, now: Time) -> impl Iterator<Item = &Published> {
        self.0.iter().filter(move |publication| publication.expires > now).map(|publication| &publication.published)
    }

    /// Forgets what ran out; whether there was any.
    pub fn expire(&mut self, now: Time) -> bool {
        let before = self.0.len();
        self.0.retain(|publication| publication.expires > now);
        self.0.len() < before
    }

    /// When the next runs out.
    pub fn next_expiry(&self) -> Option<Time> {
        self.0.iter().map(|publication| publication.expires).min()
    }

    fn carry_out(
        &mut self,
        now: Time,
        request: &Request,
        limits: &ExpiryLimits,
        etag: &str,
    ) -> Result<(Duration, Option<bool>), Rejection> {
        let known = self.matched(request)?;
        let asked = request.headers.expires().map(|seconds| Duration::from_secs(u64::from(seconds)));
        let granted = asked.unwrap_or(limits.default).min(limits.max);
        if granted.is_zero() {
            // Taken back, or, with a body, said for no time at all. A device that leaves does not change what its user has set.
            known.map(|place| self.0.remove(place));
            return Ok((granted, None));
        }
        if granted < limits.min {
            return Err(Rejection::of(423).with("Min-Expires", limits.min.as_secs().to_string()));
        }
        let published = match (request.body.as_slice(), known.and_then(|place| self.0.get(place))) {
            ([], Some(known)) => known.published.clone(),
            ([], None) => return Err(Rejection::bad_request("a first PUBLISH needs a body")),
            (body, _) => Published::read(body).map_err(Rejection::bad_request)?,
        };
        let before = known.map(|place| self.0.remove(place)).is_some_and(|before| before.published.do_not_disturb);
        let turned = (published.do_not_disturb != before).then_some(published.do_not_disturb);
        self.0.push(Publication { etag: etag.to_owned(), expires: now + granted, published });
        self.0.sort_by_key(|publication| std::cmp::Reverse(publication.expires));
        self.0.truncate(PUBLICATIONS_MAX);
        Ok((granted, turned))
    }

    /// The publication that SIP-If-Match names.
    fn matched(&self, request: &Request) -> Result<Option<usize>, Rejection> {
        let mut tags = request.headers.get_all("SIP-If-Match");
        match (tags.next(), tags.next()) {
            (None, _) => Ok(None),
            (Some(tag), None) => {
                let place = self.0.iter().position(|publication| publication.etag == tag.trim());
                place.map(Some).ok_or_else(|| Rejection::of(412))
            }
            (Some(_), Some(_)) => Err(Rejection::bad_request("more than one SIP-If-Match header")),
        }
    }
}

/// Whether a PUBLISH is about presence: nothing else is kept.
///
/// # Errors
/// 489 with the one event that can be published.
pub fn publishes_presence(request: &Request) -> Result<(), Rejection> {
    match Package::of(request) {
        Ok(Package::Presence) => Ok(()),
        Ok(Package::Dialog | Package::Messages | Package::Features) | Err(_) => {
            Err(Rejection::of(489).with("Allow-Events", Package::Presence.name()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Activity;
    use crate::method::Method;
    use crate::uri::RequestUri;

    const LIMITS: ExpiryLimits = ExpiryLimits {
        min: Duration::from_secs(60),
        max: Duration::from_secs(3_600),
        default: Duration::from_secs(1_800),
    };

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    fn says(activity: &str) -> String {
        format!("<presence xmlns='p'><person><activities><{activity}/></activities></person></presence>")
    }

    fn publish(expires: Option<u32>, if_match: Option<&str>, body: &str) -> Request {
        let mut request = Request::new(Method::Publish, RequestUri::parse("sip:102@h").unwrap());
        for (name, value) in
            [("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("From", "<sip:102@h>;tag=1"), ("To", "<sip:102@h>")]
        {
            request.headers.push(name, value);
        }
        request.headers.push("Event", "presence");
        if let Some(seconds) = expires {
            request.headers.push("Expires", seconds.to_string());
        }
        if let Some(tag) = if_match {
            request.headers.push("SIP-If-Match", tag);
        }
        request.body = body.as_bytes().to_vec();
        request
    }

    /// Status, entity tag, and how long it is kept.
    fn answer(response: &Response) -> (u16, Option<&str>, Option<&str>) {
        (response.status, response.headers.get("SIP-ETag"), response.headers.get("Expires"))
    }

    fn activities(publications: &Publications, now: Time) -> Vec<Activity> {
        publications.live(now).flat_map(|published| published.activities.clone()).collect()
    }

    #[test]
    fn what_is_published_is_refreshed_changed_and_taken_back_by_its_tag() {
        let mut all = Publications::new();
        let first = all.publish(at(0), &publish(Some(60), None, &says("away")), &LIMITS, ("a", "t")).0;
        assert_eq!(answer(&first), (200, Some("a"), Some("60")));
        assert!(first.headers.get("To").unwrap().ends_with(";tag=t"));
        let refreshed = all.publish(at(50), &publish(None, Some("a"), ""), &LIMITS, ("b", "t")).0;
        assert_eq!(answer(&refreshed), (200, Some("b"), Some("1800")));
        assert_eq!(activities(&all, at(1_000)), [Activity::Away], "it says what it said");
        let stale = all.publish(at(60), &publish(None, Some("a"), &says("busy")), &LIMITS, ("c", "t")).0;
        assert_eq!(answer(&stale), (412, None, None), "each answer brings a new tag");
        assert_eq!(activities(&all, at(60)), [Activity::Away]);
        let changed = all.publish(at(60), &publish(Some(9_999), Some("b"), &says("busy")), &LIMITS, ("d", "t")).0;
        assert_eq!(answer(&changed), (200, Some("d"), Some("3600")));
        assert_eq!(activities(&all, at(60)), [Activity::Busy], "in place of the former");
        let gone = all.publish(at(70), &publish(Some(0), Some("d"), ""), &LIMITS, ("e", "t")).0;
        assert_eq!(answer(&gone), (200, Some("e"), Some("0")));
        assert_eq!(activities(&all, at(70)), []);
    }

    #[test]
    fn a_device_turns_do_not_disturb_on_and_off_by_what_it_says_anew() {
        let mut all = Publications::new();
        let mut turned = |expires, tag: Option<&str>, body: &str, etag: &str| {
            all.publish(at(0), &publish(expires, tag, body), &LIMITS, (etag, "t")).1
        };
        assert_eq!(turned(None, None, &says("away"), "a"), None, "it never said it");
        assert_eq!(turned(None, Some("a"), &says("dnd"), "b"), Some(true));
        assert_eq!(turned(None, Some("b"), &says("dnd"), "c"), None, "it says it still");
        assert_eq!(turned(None, Some("c"), "", "d"), None);
        assert_eq!(turned(None, Some("a"), &says("away"), "e"), None, "412 changes nothing");
        assert_eq!(turned(None, Some("d"), &says("away"), "f"), Some(false));
        assert_eq!(turned(None, None, &says("dnd"), "g"), Some(true), "another device");
        assert_eq!(turned(Some(0), Some("g"), "", "h"), None, "who leaves does not say that he may be disturbed");
    }

    #[test]
    fn it_is_forgotten_in_time_and_its_tag_with_it() {
        let mut all = Publications::new();
        all.publish(at(0), &publish(Some(60), None, &says("away")), &LIMITS, ("a", "t"));
        assert_eq!(all.next_expiry(), Some(at(60)));
        assert!(!all.expire(at(59)));
        assert!(all.expire(at(60)));
        let late = all.publish(at(61), &publish(None, Some("a"), ""), &LIMITS, ("b", "t")).0;
        assert_eq!(late.status, 412);
    }

    #[test]
    fn bad_ones_are_told_what_is_wrong() {
        let mut all = Publications::new();
        let mut status = |request: &Request| all.publish(at(0), request, &LIMITS, ("a", "t")).0.status;
        assert_eq!(status(&publish(None, None, "")), 400);
        assert_eq!(status(&publish(None, None, "<presence")), 400);
        assert_eq!(status(&publish(Some(59), None, &says("away"))), 423);
        let mut twice = publish(None, Some("a"), "");
        twice.headers.push("SIP-If-Match", "b");
        assert_eq!(status(&twice), 400);
        assert_eq!(all.live(at(0)).count(), 0);
        let mut other = publish(None, None, "");
        assert_eq!(publishes_presence(&other), Ok(()));
        other.headers.set("Event", "dialog");
        assert_eq!(publishes_presence(&other).unwrap_err().status, 489);
    }

    #[test]
    fn who_publishes_without_end_pushes_out_his_own_oldest() {
        let mut all = Publications::new();
        for n in 0..PUBLICATIONS_MAX + 5 {
            let seconds = u32::try_from(100 + n).unwrap();
            all.publish(at(0), &publish(Some(seconds), None, &says("away")), &LIMITS, (&format!("e{n}"), "t"));
        }
        assert_eq!(all.live(at(0)).count(), PUBLICATIONS_MAX);
        assert_eq!(all.next_expiry(), Some(at(105)));
    }
}
