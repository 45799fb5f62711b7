//! The order of a random group.

use plugboard_sdk::directory::Member;

/// Draws the members without replacement, each draw by weight; members of weight 0 follow in the office's order.
///
/// `below(n)` gives a number below `n`, all with the same chance.
pub(crate) fn draw(members: Vec<Member>, mut below: impl FnMut(u64) -> u64) -> Vec<String> {
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
fn place_of(members: &[Member], ticket: u64) -> usize {
    let mut passed = 0;
    let sits = |member: &Member| {
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

    fn members(weights: &[(&str, u32)]) -> Vec<Member> {
        weights.iter().map(|(user, weight)| Member { user: (*user).into(), weight: *weight }).collect()
    }

    #[test]
    fn r78_who_weighs_four_times_as_much_is_first_four_times_as_often() {
        let group = members(&[("ann", 40), ("bob", 10), ("cid", 10), ("dan", 0)]);
        let mut seed = Seed(78);
        let rounds = 12_000_u32;
        let mut firsts = [0_u32; 4];
        for _ in 0..rounds {
            let order = draw(group.clone(), |bound| seed.below(bound));
            let first = group.iter().position(|member| member.user == order[0]).unwrap();
            firsts[first] += 1;
        }
        let chi_square: f64 = [(0, 40.0), (1, 10.0), (2, 10.0)]
            .iter()
            .map(|(place, weight)| {
                let expected = f64::from(rounds) * weight / 60.0;
                (f64::from(firsts[*place]) - expected).powi(2) / expected
            })
            .sum();
        // 13.8 is the 99.9 % point for two degrees of freedom.
        assert!(chi_square < 13.8, "{firsts:?}: {chi_square}");
        assert_eq!(firsts[3], 0, "weight 0 is never drawn");
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
    fn a_group_without_members_has_no_order() {
        assert!(draw(Vec::new(), |bound| bound).is_empty());
    }
}
