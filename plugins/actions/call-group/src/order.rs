//! In which order the members of a group are rung: those of a lower tier always go before those of a higher one.

use plugboard_sdk::directory::Candidate;

/// The members by tier, lowest first; within a tier as the office wrote them.
pub(crate) fn tiers(members: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    let mut tiers: Vec<Vec<Candidate>> = Vec::new();
    let mut members = members;
    // Stable: the office's order stays within a tier.
    members.sort_by_key(|member| member.tier);
    for member in members {
        match tiers.last_mut().filter(|tier| tier.first().is_some_and(|first| first.tier == member.tier)) {
            Some(tier) => tier.push(member),
            None => tiers.push(vec![member]),
        }
    }
    tiers
}

/// As the office wrote them.
pub(crate) fn as_written(members: Vec<Candidate>) -> Vec<String> {
    tiers(members).into_iter().flatten().map(|member| member.user).collect()
}

/// Who has been free for longest first; who is not free stands at the end of his tier.
pub(crate) fn longest_idle(members: Vec<Candidate>) -> Vec<String> {
    let by_idle = |mut tier: Vec<Candidate>| {
        tier.sort_by_key(|member| std::cmp::Reverse(member.idle_ms));
        tier
    };
    tiers(members).into_iter().flat_map(by_idle).map(|member| member.user).collect()
}

/// Draws the members of each tier without replacement, each draw by weight; members of weight 0 follow in the office's order.
///
/// `below(n)` gives a number below `n`, all with the same chance.
pub(crate) fn draw(members: Vec<Candidate>, mut below: impl FnMut(u64) -> u64) -> Vec<String> {
    tiers(members).into_iter().flat_map(|tier| draw_tier(tier, &mut below)).collect()
}

fn draw_tier(members: Vec<Candidate>, below: &mut impl FnMut(u64) -> u64) -> Vec<String> {
    let (mut weighted, unweighted): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| member.weight > 0);
    let mut order = Vec::with_capacity(weighted.len() + unweighted.len());
    while !weighted.is_empty() {
        // 256 members of 2^32: far below the end of a u64.
        let total: u64 = weighted.iter().map(|member| u64::from(member.weight)).sum();
        let place = place_of(&weighted, below(total));
        order.push(weighted.remove(place).user);
    }
    order.extend(unweighted.into_iter().map(|member| member.user));
    order
}

/// Where `ticket` falls when the weights stand side by side.
fn place_of(members: &[Candidate], ticket: u64) -> usize {
    let mut passed = 0;
    let sits = |member: &Candidate| {
        passed += u64::from(member.weight);
        ticket < passed
    };
    members.iter().position(sits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SplitMix64`: the draws of a seed are the same on every machine.
    struct Seed(u64);

    impl Seed {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = self.0;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (bits ^ (bits >> 31)) % bound
        }
    }

    fn member(user: &str, weight: u32) -> Candidate {
        Candidate { user: user.into(), weight, tier: 1, level: 0, idle_ms: 1 }
    }

    fn members(weights: &[(&str, u32)]) -> Vec<Candidate> {
        weights.iter().map(|(user, weight)| member(user, *weight)).collect()
    }

    #[test]
    fn r78_over_100_000_draws_everyone_is_first_as_often_as_his_weight_says() {
        let weights = [40_u32, 10, 10, 10, 20, 7, 3];
        let names = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "nil"];
        let mut group: Vec<Candidate> = names.iter().zip(weights).map(|(user, weight)| member(user, weight)).collect();
        group.push(member("nil", 0));
        let mut seed = Seed(78);
        let rounds = 100_000_u32;
        let mut firsts = [0_u32; 8];
        let mut seconds_of_ann = 0_u32;
        for _ in 0..rounds {
            let order = draw(group.clone(), |bound| seed.below(bound));
            let first = group.iter().position(|member| member.user == order[0]).unwrap();
            firsts[first] += 1;
            seconds_of_ann += u32::from(first == 1 && order[1] == "ann");
        }
        let chi_square: f64 = weights
            .iter()
            .zip(firsts)
            .map(|(weight, seen)| {
                let expected = f64::from(rounds) * f64::from(*weight) / 100.0;
                (f64::from(seen) - expected).powi(2) / expected
            })
            .sum();
        // 22.46 is the 99.9 % point for six degrees of freedom.
        assert!(chi_square < 22.46, "{firsts:?}: {chi_square}");
        assert_eq!(firsts[7], 0, "weight 0 is never drawn");
        // Who is left is drawn by the weights that are left: 40 of 90.
        let share = f64::from(seconds_of_ann) / f64::from(firsts[1]);
        assert!((share - 40.0 / 90.0).abs() < 0.02, "{share}");
    }

    #[test]
    fn r77_everyone_is_drawn_once_and_weight_0_stands_at_the_end_in_order() {
        let group = members(&[("zoe", 0), ("ann", 1), ("bob", u32::MAX), ("yan", 0)]);
        let mut seed = Seed(1);
        for _ in 0..100 {
            let mut order = draw(group.clone(), |bound| seed.below(bound));
            assert_eq!(order[2..], ["zoe", "yan"]);
            order.sort();
            assert_eq!(order, ["ann", "bob", "yan", "zoe"]);
        }
    }

    #[test]
    fn a_lower_tier_goes_first_in_every_order() {
        let mut group = members(&[("ann", 1), ("bob", 9), ("cid", 1), ("dan", 9)]);
        (group[0].tier, group[1].tier) = (3, 2);
        (group[2].idle_ms, group[3].idle_ms) = (5, 7);
        assert_eq!(as_written(group.clone()), ["cid", "dan", "bob", "ann"]);
        assert_eq!(longest_idle(group.clone()), ["dan", "cid", "bob", "ann"]);
        let mut seed = Seed(2);
        for _ in 0..100 {
            assert_eq!(draw(group.clone(), |bound| seed.below(bound))[2..], ["bob", "ann"]);
        }
    }

    #[test]
    fn who_is_not_free_is_idle_for_no_time() {
        let mut group = members(&[("ann", 1), ("bob", 1), ("cid", 1)]);
        (group[0].idle_ms, group[1].idle_ms, group[2].idle_ms) = (0, 10, 90);
        assert_eq!(longest_idle(group), ["cid", "bob", "ann"]);
    }

    #[test]
    fn a_group_without_members_has_no_order() {
        assert!(draw(Vec::new(), |bound| bound).is_empty());
    }
}
