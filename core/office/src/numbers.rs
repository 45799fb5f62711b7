//! Numbers as the office's country writes them, to and from E.164.
//!
//! Only what is surely a number of the public network is written anew: feature codes, internal numbers, names and service
//! numbers (110, 112, 115, 116 117) stay as they are. Emergency numbers and internal ones are decided before any of this.
//!
//! Source: ITU-T E.164; `countries.txt` for what countries do.

use plugboard_model::Dialled;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Digits of the longest number (E.164 section 6.2.1).
const E164_LEN_MAX: usize = 15;
/// Digits of the shortest that is not a service number: the smallest countries have five after a code of three.
const E164_LEN_MIN: usize = 7;

/// How a gateway writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NumberFormat {
    /// As they were dialled, after `strip` and `add`.
    #[default]
    AsDialled,
    /// `+49301234`.
    E164,
    /// `49301234`.
    Digits,
    /// `0049301234`: with the country's international prefix.
    International,
    /// `0301234` in the own country, with the international prefix elsewhere.
    National,
}

/// How one country, and one area in it, writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberPlan<'o> {
    country: Country,
    area: Option<&'o str>,
}

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Country {
    calling: &'static str,
    international: &'static str,
    /// Empty where national numbers have none.
    trunk: &'static str,
    len_min: usize,
    len_max: usize,
}

static COUNTRIES: LazyLock<BTreeMap<&'static str, Country>> = LazyLock::new(|| {
    include_str!("numbers/countries.txt").lines().filter(|line| !line.starts_with('#')).filter_map(read_line).collect()
});

/// What counts where the table does not know the country: what most countries do.
const USUAL: Country = Country { calling: "", international: "00", trunk: "0", len_min: 4, len_max: 12 };

fn read_line(line: &'static str) -> Option<(&'static str, Country)> {
    let mut words = line.split(' ');
    let (name, calling, international, trunk) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (len_min, len_max) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let trunk = if trunk == "-" { "" } else { trunk };
    Some((name, Country { calling, international, trunk, len_min, len_max }))
}

/// How numbers of a country begin in E.164, `+49`; `None` for what is no country of the table.
pub(crate) fn calling_code(country: &str) -> Option<String> {
    let country = country.to_ascii_lowercase();
    let country = if country == "uk" { "gb" } else { country.as_str() };
    COUNTRIES.get(country).map(|country| format!("+{}", country.calling))
}

impl<'o> NumberPlan<'o> {
    /// Of a country by its letters (ISO 3166-1, in either case) and an area code without the trunk prefix.
    pub(crate) fn of(country: &str, area: Option<&'o str>) -> Self {
        let country = country.to_ascii_lowercase();
        let country = if country == "uk" { "gb" } else { country.as_str() };
        Self { country: COUNTRIES.get(country).copied().unwrap_or(USUAL), area }
    }

    /// The number in E.164, `+` in front, as somebody in this country and area means it; `None` for what is no number of
    /// the public network, or says too little.
    pub fn e164(&self, dialled: &Dialled) -> Option<Dialled> {
        let text = dialled.as_str();
        let digits = self.digits(text)?;
        Dialled::new(&format!("+{digits}")).ok()
    }

    /// The same where no number is short of its area code.
    pub(crate) const fn without_area(self) -> Self {
        Self { area: None, ..self }
    }

    /// How numbers that begin so begin in E.164; `None` where that cannot be told from their beginning.
    pub(crate) fn e164_lead(&self, lead: &str) -> Option<String> {
        let Country { calling, international, trunk, .. } = self.country;
        // The international prefix alone says nothing of the number: not every number of the world is meant.
        let abroad = lead.strip_prefix(international).filter(|rest| !rest.is_empty()).map(|rest| format!("+{rest}"));
        let known = !trunk.is_empty() && !calling.is_empty();
        let is_abroad = !international.is_empty() && lead.starts_with(international);
        let national =
            || lead.strip_prefix(trunk).filter(|_| known && !is_abroad).map(|rest| format!("+{calling}{rest}"));
        // Where national numbers have no prefix, each that begins so is one, as whoever dials it means it.
        let is_bare = trunk.is_empty() && !calling.is_empty() && !is_abroad && is_digits(lead);
        let bare = || is_bare.then(|| format!("+{calling}{lead}"));
        abroad.or_else(national).or_else(bare)
    }

    /// As [`NumberPlan::e164`], of a number that a gateway with this format wrote.
    pub fn e164_from(&self, written: &Dialled, format: NumberFormat) -> Option<Dialled> {
        let text = written.as_str();
        if format == NumberFormat::Digits && is_digits(text) && !text.starts_with('0') && is_e164(text) {
            return Dialled::new(&format!("+{text}")).ok();
        }
        self.e164(written)
    }

    /// A number as a gateway of this format wants it. What is none of the public network goes as it is.
    pub fn write(&self, dialled: &Dialled, format: NumberFormat) -> Dialled {
        if format == NumberFormat::AsDialled {
            return dialled.clone();
        }
        let Some(digits) = self.digits(dialled.as_str()) else { return dialled.clone() };
        let Country { calling, international, trunk, .. } = self.country;
        let national = digits.strip_prefix(calling).filter(|_| !calling.is_empty());
        let written = match (format, national) {
            (NumberFormat::AsDialled | NumberFormat::Digits, _) => digits.clone(),
            (NumberFormat::E164, _) => format!("+{digits}"),
            (NumberFormat::National, Some(national)) => format!("{trunk}{national}"),
            (NumberFormat::International, _) | (NumberFormat::National, None) => format!("{international}{digits}"),
        };
        Dialled::new(&written).unwrap_or_else(|_| dialled.clone())
    }

    /// A number of this country without trunk prefix, and one of this area without area code: as people dial where that is enough.
    pub(crate) fn short_forms(&self, number: &Dialled) -> Vec<String> {
        let Some(digits) = self.digits(number.as_str()) else { return Vec::new() };
        let national = digits.strip_prefix(self.country.calling).filter(|_| !self.country.calling.is_empty());
        let local = national.and_then(|national| national.strip_prefix(self.area?)).filter(|local| !local.is_empty());
        national.into_iter().chain(local).map(str::to_owned).collect()
    }

    /// The digits of E.164.
    fn digits(&self, text: &str) -> Option<String> {
        let Country { calling, international, trunk, len_min, len_max } = self.country;
        if let Some(digits) = text.strip_prefix('+') {
            return (is_digits(digits) && !digits.starts_with('0') && is_e164(digits)).then(|| digits.to_owned());
        }
        if !is_digits(text) || is_service(text) {
            return None;
        }
        let abroad = text.strip_prefix(international).filter(|rest| !rest.starts_with('0') && is_e164(rest));
        if let Some(digits) = abroad {
            return Some(digits.to_owned());
        }
        if calling.is_empty() {
            return None;
        }
        let fits = |national: &str| (len_min..=len_max).contains(&national.len());
        let whole = |national: String| Some(format!("{calling}{national}")).filter(|digits| is_e164(digits));
        if !trunk.is_empty()
            && let Some(national) = text.strip_prefix(trunk).filter(|rest| fits(rest))
        {
            return whole(national.to_owned());
        }
        // Where the trunk prefix is 1 or 8, or there is none, a number that is long enough has its area code.
        let is_bare = trunk.is_empty() || matches!(trunk, "1" | "8");
        if is_bare && fits(text) {
            return whole(text.to_owned());
        }
        let local = self.area.map(|area| format!("{area}{text}"));
        local.filter(|national| !text.starts_with('0') && fits(national)).and_then(whole)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_e164(digits: &str) -> bool {
    (E164_LEN_MIN..=E164_LEN_MAX).contains(&digits.len())
}

/// Three digits, or up to six that begin with 11, are services everywhere (ITU-T E.161 section 3, 116 of the EU).
fn is_service(text: &str) -> bool {
    text.len() <= 3 || (text.len() <= 6 && text.starts_with("11"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn e164(country: &str, area: Option<&str>, dialled: &str) -> String {
        let plan = NumberPlan::of(country, area);
        plan.e164(&Dialled::new(dialled).unwrap()).map_or_else(String::new, String::from)
    }

    #[test]
    fn numbers_are_read_as_their_country_dials_them() {
        for (country, area, dialled, expected) in [
            ("de", None, "+49 30 12345", "+493012345"),
            ("de", None, "03012345", "+493012345"),
            ("de", None, "004930123456", "+4930123456"),
            ("DE", None, "0012125551234", "+12125551234"),
            ("de", Some("30"), "12345678", "+493012345678"),
            ("de", None, "12345678", ""),
            ("us", None, "12125551234", "+12125551234"),
            ("us", None, "2125551234", "+12125551234"),
            ("us", Some("212"), "5551234", "+12125551234"),
            ("us", None, "011493012345", "+493012345"),
            ("ru", None, "88005553535", "+78005553535"),
            ("ru", None, "8005553535", "+78005553535"),
            ("ru", None, "810493012345", "+493012345"),
            ("it", None, "0612345678", "+390612345678"),
            ("es", None, "911234567", "+34911234567"),
            ("fr", None, "0123456789", "+33123456789"),
            ("hu", None, "0612345678", "+3612345678"),
            ("uk", None, "02079460000", "+442079460000"),
        ] {
            assert_eq!(e164(country, area, dialled), expected, "{dialled} in {country} {area:?}");
        }
    }

    #[test]
    fn services_internal_numbers_codes_and_names_are_left_alone() {
        for country in ["de", "us", "ru", "it", "gb"] {
            for dialled in ["112", "110", "911", "101", "*43", "#31#", "sales", "116117", "115", "+49", "0"] {
                assert_eq!(e164(country, Some("30"), dialled), "", "{dialled} in {country}");
                let plan = NumberPlan::of(country, Some("30"));
                let number = Dialled::new(dialled).unwrap();
                assert_eq!(plan.write(&number, NumberFormat::E164), number);
            }
        }
    }

    #[test]
    fn gateways_get_numbers_in_their_own_format() {
        use NumberFormat as F;
        for (country, dialled, format, expected) in [
            ("de", "03012345", F::AsDialled, "03012345"),
            ("de", "03012345", F::E164, "+493012345"),
            ("de", "03012345", F::Digits, "493012345"),
            ("de", "03012345", F::International, "00493012345"),
            ("de", "+493012345", F::National, "03012345"),
            ("de", "+12125551234", F::National, "0012125551234"),
            ("us", "+493012345", F::National, "011493012345"),
            ("us", "+12125551234", F::National, "12125551234"),
            ("it", "+390612345678", F::National, "0612345678"),
        ] {
            let plan = NumberPlan::of(country, None);
            let written = plan.write(&Dialled::new(dialled).unwrap(), format);
            assert_eq!(written.as_str(), expected, "{dialled} from {country} as {format:?}");
        }
    }

    #[test]
    fn digits_alone_are_e164_where_the_gateway_writes_them_so() {
        let plan = NumberPlan::of("de", Some("30"));
        let number = Dialled::new("4930123456").unwrap();
        assert_eq!(plan.e164_from(&number, NumberFormat::Digits).unwrap().as_str(), "+4930123456");
        let national = Dialled::new("030123456").unwrap();
        assert_eq!(plan.e164_from(&national, NumberFormat::Digits).unwrap().as_str(), "+4930123456");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (country, row) in COUNTRIES.iter() {
            let plan = NumberPlan::of(country, None);
            let number = format!("+{}{}", row.calling, "23456789012345".get(..row.len_max.min(11)).unwrap());
            let number = Dialled::new(&number).unwrap();
            for format in [NumberFormat::E164, NumberFormat::Digits, NumberFormat::International] {
                let written = plan.write(&number, format);
                assert_eq!(plan.e164_from(&written, format).as_ref(), Some(&number), "{country} {format:?} {written}");
            }
        }
    }
}
