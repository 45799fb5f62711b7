//! An INVITE whose dialog is over.

use super::*;

/// Before its 1xx or after it: nothing is sent, and it ends.
#[test]
fn abandoned_invite_without_an_end_times_out() {
    for (answered_at, abandoned_at) in [(50, 1_000), (60, 10)] {
        let mut layer = layer();
        let invite = send(&mut layer, Method::Invite, flow());
        let mut happenings = [(answered_at, true), (abandoned_at, false)];
        happenings.sort_unstable();
        for (millis, answers) in happenings {
            if answers {
                assert_eq!(answer(&mut layer, at(millis), &invite, 100), ["response 100"]);
            } else {
                layer.handle(at(millis), Input::Abandon { tx: TX });
                assert_eq!(drain(&mut layer), [""; 0]);
            }
        }
        assert_eq!(run_out(&mut layer), [(answered_at.max(abandoned_at) + 32_000, "timeout".to_owned())]);
        assert_eq!(layer.transactions(), 0);
    }
}
