//! Challenges for users that do not exist, so that nobody learns from a challenge who does.

use super::{Algorithms, Secret, Terms};
use hmac::{Hmac, KeyInit, Mac};
use md5::Digest;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;

/// Chooses the challenge of a name that no user has: the same one each time for the same name, and over all names in
/// the proportions of the users there are.
///
/// The key comes from the passwords: whoever knows none cannot tell a decoy from a user, and a restart, which would give
/// another random key, does not change what a name gets.
pub struct Decoys {
    key: [u8; 32],
    /// How many users have each setting; there are 15 of them.
    shares: BTreeMap<Terms, u64>,
}

impl Decoys {
    /// For an office with these users: name, password and setting of each, in an order that stays.
    pub fn of<'a>(realm: &str, users: impl IntoIterator<Item = (&'a str, &'a Secret, Terms)>) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(realm);
        let mut shares = BTreeMap::new();
        for (name, password, terms) in users {
            hasher.update(name);
            hasher.update([0]);
            hasher.update(password.expose());
            hasher.update([0]);
            *shares.entry(terms).or_default() += 1;
        }
        Self { key: hasher.finalize().into(), shares }
    }

    /// The terms of a name: its user's `own`, or those of a name that nobody has; it takes as long for either.
    pub fn terms(&self, name: &str, own: Option<Terms>) -> Terms {
        let decoy = std::hint::black_box(self.choose(name));
        own.unwrap_or(decoy)
    }

    /// The challenge for this name.
    fn choose(&self, name: &str) -> Terms {
        let total = self.shares.values().sum::<u64>();
        // The place of the name among all users, as if each setting's stood together.
        let mut place = self.hash(name) % total.max(1);
        let share = self.shares.iter().find(|(_, count)| {
            let here = place < **count;
            place = place.saturating_sub(**count);
            here
        });
        share.map_or(Terms::default(), |(terms, _)| *terms)
    }

    /// The challenge for somebody who does not say who he is: MD5, which every phone understands, unless all users have
    /// the same other challenge. The right user is asked once more by his own.
    pub fn for_anybody(&self) -> Terms {
        let mut all = self.shares.keys();
        match (all.next(), all.next()) {
            (Some(only), None) if only.algorithms != Algorithms::Both => *only,
            (Some(_) | None, _) => Terms::default(),
        }
    }

    fn hash(&self, name: &str) -> u64 {
        super::count_hash();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            unreachable!("HMAC takes a key of any length (RFC 2104 section 2)")
        };
        mac.update(name.as_bytes());
        mac.finalize().into_bytes().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

/// Without the key.
impl fmt::Debug for Decoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Decoys").field(&self.shares).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoys(settings: &[Algorithms]) -> Decoys {
        let users: Vec<_> =
            settings.iter().enumerate().map(|(n, s)| (n.to_string(), Secret::new(format!("p{n}")), *s)).collect();
        Decoys::of("plugboard.test", users.iter().map(|(name, password, s)| (name.as_str(), password, (*s).into())))
    }

    fn share(decoys: &Decoys, algorithms: Algorithms) -> usize {
        (0..1_000).filter(|n| decoys.choose(&format!("name-{n}")) == algorithms.into()).count()
    }

    #[test]
    fn where_all_users_have_one_setting_nobody_gets_another() {
        for algorithms in [Algorithms::Md5, Algorithms::Sha256, Algorithms::Both] {
            assert_eq!(share(&decoys(&[algorithms; 3]), algorithms), 1_000);
        }
        assert_eq!(share(&decoys(&[]), Algorithms::Md5), 1_000);
    }

    #[test]
    fn who_does_not_say_who_he_is_gets_what_every_phone_understands_where_anybody_has_it() {
        use Algorithms::{Both, Md5, Md5Sess, Sha256, Sha256Sess};
        for (users, expected) in [
            (&[][..], Md5),
            (&[Md5, Sha256], Md5),
            (&[Both, Sha256], Md5),
            (&[Both, Both], Md5),
            (&[Sha256, Sha256], Sha256),
            (&[Md5Sess, Md5Sess], Md5Sess),
            (&[Sha256Sess, Sha256], Md5),
        ] {
            assert_eq!(decoys(users).for_anybody(), expected.into(), "{users:?}");
        }
    }

    #[test]
    fn names_that_nobody_has_get_the_settings_in_the_proportions_of_the_users() {
        let mixed = decoys(&[Algorithms::Md5, Algorithms::Sha256, Algorithms::Md5, Algorithms::Md5]);
        let (md5, sha256) = (share(&mixed, Algorithms::Md5), share(&mixed, Algorithms::Sha256));
        assert_eq!(md5 + sha256, 1_000);
        assert!((700..800).contains(&md5), "{md5} of 1,000 got MD5, which three of four users have");
    }

    #[test]
    fn a_name_keeps_its_challenge_and_another_office_gives_it_its_own() {
        let settings = [Algorithms::Md5, Algorithms::Sha256, Algorithms::Both];
        let (one, again) = (decoys(&settings), decoys(&settings));
        let users = settings.map(|s| ("x", Secret::new("other"), s));
        let other =
            Decoys::of("plugboard.test", users.iter().map(|(name, password, s)| (*name, password, (*s).into())));
        let names: Vec<String> = (0..100).map(|n| format!("name-{n}")).collect();
        assert!(names.iter().all(|name| one.choose(name) == again.choose(name)));
        assert!(names.iter().any(|name| one.choose(name) != other.choose(name)));
        assert!(!format!("{one:?}").contains("key"));
    }
}
