//! A user who rings at his devices and at a phone of his outside.

use plugboard_call::{AskWhy, Input, Output, Party, Phone, Request, RingOrder, Urgency, Way};
use plugboard_model::{Cause, GatewayId, OfficeId, RingBack};
use std::time::Duration;

use crate::{Story, user};

#[test]
fn a_user_and_his_own_phone_ring_both_whoever_is_named_first() {
    let phone = || {
        let way = Way {
            gateway: GatewayId::new(&OfficeId::new("main").unwrap(), "line").unwrap(),
            number: "0170".into(),
            at: None,
            urgency: Urgency::Usual,
            payer: None,
        };
        Party::Outside { ways: vec![way], phone: Some(Phone { of: Some(user("102")), confirm: None }) }
    };
    for user_first in [true, false] {
        let mut parties = vec![Party::User(user("102")), phone()];
        if !user_first {
            parties.reverse();
        }
        let ring = |parties: &[Party]| Request::Ring {
            parties: parties.to_vec(),
            order: RingOrder::AtOnce,
            ring_for: Duration::from_secs(20),
            ring_back: RingBack::Tone,
        };
        let mut story = Story::new(true);
        let asked = story.ask(ring(&parties));
        assert!(
            asked.contains(&Output::AskUser { user: user("102"), reserve: false, why: AskWhy::Direct })
                || asked.contains(&Output::AskUser { user: user("102"), reserve: false, why: AskWhy::Offered }),
            "{asked:?}"
        );
        let rung = story.offers("102", 1);
        assert_eq!(rung.iter().filter(|output| matches!(output, Output::MakeLeg { .. })).count(), 2, "{rung:?}");
        // He has no device that could be rung: his phone is, if he is free for it.
        let mut story = Story::new(true);
        story.ask(ring(&parties));
        let refused = story.feed(Input::UserOffers { user: user("102"), offer: Err(Cause::of(480)) });
        assert_eq!(refused, [Output::AskUser { user: user("102"), reserve: true, why: AskWhy::OnHisPhone }]);
        let rung = story.offers("102", 0);
        assert_eq!(rung.iter().filter(|output| matches!(output, Output::MakeLeg { .. })).count(), 1, "{rung:?}");
        // And if he is not, nobody is left.
        let mut story = Story::new(true);
        story.ask(ring(&parties));
        story.feed(Input::UserOffers { user: user("102"), offer: Err(Cause::of(486)) });
        let over = story.feed(Input::UserOffers { user: user("102"), offer: Err(Cause::of(486)) });
        assert!(over.iter().any(|output| matches!(output, Output::Result { .. })), "{over:?}");
    }
}
