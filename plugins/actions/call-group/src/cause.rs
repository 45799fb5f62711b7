//! The cause that stands for several.

use plugboard_sdk::call::Cause;

/// The best of several final responses: a 6xx, else the lowest class, and in 4xx what the caller can act on first.
///
/// Source: RFC 3261 section 16.7 point 6.
pub(crate) fn best(causes: Vec<Cause>) -> Option<Cause> {
    causes.into_iter().min_by_key(|cause| {
        let class = cause.sip_status / 100;
        let preferred = matches!(cause.sip_status, 401 | 407 | 415 | 420 | 484);
        (class != 6, class, !preferred)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best_of(statuses: &[u16]) -> Option<u16> {
        let causes = statuses.iter().map(|status| Cause { sip_status: *status, text: String::new() }).collect();
        best(causes).map(|cause| cause.sip_status)
    }

    #[test]
    fn a_6xx_comes_first_then_the_lowest_class_then_what_the_caller_can_mend() {
        assert_eq!(best_of(&[486, 603, 302]), Some(603));
        assert_eq!(best_of(&[503, 486]), Some(486));
        assert_eq!(best_of(&[480, 484, 486]), Some(484));
        assert_eq!(best_of(&[486, 480]), Some(486), "of equals, the first that came");
        assert_eq!(best_of(&[]), None);
    }
}
