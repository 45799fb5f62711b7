//! The office document: reading, with every fault at once.
//!
//! | key | what |
//! | --- | --- |
//! | `office` | the office's id |
//! | `domains` | SIP domains; the first is the digest realm |
//! | `language`, `country` | BCP 47 and ISO 3166-1, `en` and `de` unless told |
//! | `area` | the area code, without the trunk prefix |
//! | `users` | `id`, `number`, `name`, `password`, `digest`, `digest_integrity`, `calls_at_once`, `devices`, `status`, `forward`, `logged_out_of`, `skills`, `wrap_up`, `supervises`, `intercom`, `ring_for`, `outside_number`, `phones` (a number, or `number`, `name`, `confirm`, `confirm_within`), `language`, `reliable`, `browser`, `location`, `toll`, `mail`, `encryption`, `encryption_by`, `sdes_without_tls`, `keys` |
//! | `groups` | `id`, `number`, `name`, `mail`, `distribution`, `ring_for`, `wrap_up`, `members` (an id, or `{ user, weight, tier }`) |
//! | `reasons` | why users may be busy, away or not to be disturbed |
//! | `gateways` | `id`, `address`, `transport`, `inbound`, `priority`, `weight`, `group`, `calls`, `calls_in`, `calls_out`, `user`, `password`, `register`, `probe`, `answer_within`, `caller`, `numbers`, `reliable`, `emergency_headers`, `early_media`, `t38`, `diversion`, `toll`, `encryption`, `encryption_by`, `sdes_without_tls`, `keys` |
//! | `numbers` | `number`, `scenario`, `id`, `fax_mail` (`to`, `attach`) |
//! | `routes` | `id`, `from` or `to`, one of `number`, `prefix`, `like`, `any`; `if`, `priority`; one of `scenario`, `user`, `group`, `gateway`, `gateways`, `gateway_group` (with `strip`, `add`), `refuse` |
//! | `scenarios` | scenario documents, or `{ file: path }` |
//! | `prompts`, `music` | a folder; names with their files |
//! | `hold_music` | one of `music`, or `silence` |
//! | `transfer` | `ring_for`, `recall` |
//! | `lamps_show_caller` | whether lamps tell who is at the other end of a call; no unless told |
//! | `park` | `places`, `recall_after`, `recalls` |
//! | `queues` | `away_after`, `service_level`, `tell_wait` |
//! | `recording` | `announcement`, `beep`, `keys`; `record` of users, groups and gateways says which calls |
//! | `voicemail` | `longest`, `silence`, `shortest`, `messages`, `minutes`, `own_phone_without_pin`; of users and groups `pin`, `greeting`, `mail` (`to`, `attach`) |
//! | `fax` | `tries`, `apart`, `give_up_after`, `at_once`, `ring_for`, `ident`, `header` |
//! | `time_zone` | of the IANA, `Europe/Berlin` |
//! | `http` | `id`, `url`, `login` (`bearer`, or `user`, `password`, or `header`, `value`, or `path`), `methods`, `timeout`, `retries`, `at_once`, `bytes`, `private` |
//! | `integrations` | `id`, `plugin`, `settings` or `settings_file`, `services`, `capabilities`, `timeout`, `at_once` |
//! | `addresses` | `domains`, `private`, `toll` |
//! | `databases` | `id`, `kind`, `address`, `database`, `file`, `user`, `password`, `tls`, `timeout`, `retries`, `at_once`, `rows`, `bytes`, `private`, `queries` (`id`, `sql`, `parameters`, `writes`) |
//! | `mail` | `host`, `port`, `tls`, `login`, `from`, `private`, `timeout`, `at_once`, `an_hour`, `give_up_after`, `attachments`, `templates` (`id`, `texts`: `subject`, `text`, `html`) |
//! | `text_messages` | `source`, `path`, `method`, `query`, `body`, `from`, `at_once`, `an_hour`, `give_up_after` |
//! | `calendars` | `id`, `time_zone`, `open` (`days`, `from`, `to`), `holidays` (a day, or `on`, `name`), `working_days` (`on`, `as`), `ical` |
//! | `contacts` | `id`, `name`, `numbers`, `language`, `company`, `email`, `groups`, `responsible` (a user, or several) |
//! | `variables` | names with texts, whole numbers, `true` or `false`: routes ask for them |
//! | `blocked` | `callers`, `anonymous`, `then` (`busy`, `refuse`, `scenario`); also of a user |
//! | `plugins` | actions with `all` or `capabilities`, `dial` (`users`, `groups`, `numbers`); also of a route and an incoming number |
//! | `toll` | `calls_at_once`, `minutes_a_day`, `then`, `allow`, `countries`, `deny`, `hours` (`days`, `from`, `to`); also of a user and of a gateway |
//! | `emergency` | `numbers`, `confirmed`, `services`, `test`, `gateways`, `over`, `call_back`, `call_back_within`, `locations` (`id`, `call_back`, `networks`, `geolocation`) |
//! | `feature_codes` | a code or `false` for each of [`crate::FeatureCode`]; `false` for none |
//!
//! `password` is a text, `{ file: path }`, `{ environment: NAME }`, or `{ keep: true }` for the one that the user has
//! already in the running switch: so `export` writes it.

use crate::parts::features;
use crate::parts::{COUNTRY, Ground, LANGUAGE, Noun, Parts, Reference};
use crate::{Calendar, Internal, Office, Pattern, Whose, Zone};
use plugboard_calendar::CALENDARS_MAX;
use plugboard_document::{Fault, Faults, Field, Fields, Kind, Mark, Node, did_you_mean};
use plugboard_model::{Dialled, Name, OfficeId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What an office document needs from outside itself. Paths are as the document writes them, relative to it.
pub trait Surroundings {
    /// The text of a file; the error says why it cannot be read.
    ///
    /// # Errors
    /// The reason, for the author of the document.
    fn file(&self, path: &str) -> Result<String, String>;
    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// The secret that a user has now, for `{ keep: true }`.
    fn kept(&self, office: &OfficeId, user: &str) -> Option<String>;
    /// The secret that a gateway has now, likewise.
    fn kept_of_gateway(&self, office: &OfficeId, gateway: &str) -> Option<String>;
}

impl Office {
    /// Reads an office from YAML or JSON.
    ///
    /// Scenarios are taken in as documents; the caller checks them against the actions that are installed.
    ///
    /// # Errors
    /// Every fault: with file, line, place, reason and remedy.
    pub fn parse(file: &str, text: &str, surroundings: &dyn Surroundings) -> Result<Arc<Self>, Vec<Fault>> {
        let Examined { office, faults, .. } =
            Self::examine(file, plugboard_document::examine(file, text), surroundings);
        match office {
            Some(office) if faults.is_empty() => Ok(office),
            Some(_) | None => Err(faults),
        }
    }

    /// Reads what [`plugboard_document::examine`] found, as far as it goes: with the faults comes what could be read, so
    /// that a checker can tell in one go what is wrong with the scenarios as well.
    pub fn examine(
        file: &str,
        (root, of_form): (Option<Node>, Vec<Fault>),
        surroundings: &dyn Surroundings,
    ) -> Examined {
        let Some(root) = root else {
            return Examined { office: None, faults: of_form, bearable: Vec::new(), named: BTreeSet::new() };
        };
        let (mut faults, mut named) = (Faults::new(file), BTreeSet::new());
        let mut bearable = Faults::new(file);
        faults.extend(of_form);
        let office = read(&root, surroundings, &mut faults, &mut bearable, &mut named).map(Arc::new);
        let bearable = bearable.into_sorted();
        faults.extend(bearable.iter().cloned());
        Examined { office, faults: faults.into_sorted(), bearable, named }
    }
}

/// What [`Office::examine`] found.
#[derive(Debug)]
pub struct Examined {
    /// The office without the entries that have faults; `None` when the document is no map at all.
    pub office: Option<Arc<Office>>,
    /// Every fault: with file, line, place, reason and remedy.
    pub faults: Vec<Fault>,
    /// Those of [`Examined::faults`] with which an office can be served: older versions let them pass, so that the store
    /// may hold such documents.
    pub bearable: Vec<Fault>,
    named: BTreeSet<(Noun, Name)>,
}

impl Examined {
    /// Whether the document has a user of this id, even one with faults.
    pub fn names_user(&self, id: &str) -> bool {
        self.names(Noun::User, id)
    }

    /// Whether the document has a group of this id, even one with faults.
    pub fn names_group(&self, id: &str) -> bool {
        self.names(Noun::Group, id)
    }

    fn names(&self, noun: Noun, id: &str) -> bool {
        Name::new(id).is_ok_and(|name| self.named.contains(&(noun, name)))
    }
}

#[expect(clippy::too_many_lines, reason = "a line for each part of the document, in their order")]
fn read(
    root: &Node,
    surroundings: &dyn Surroundings,
    faults: &mut Faults,
    bearable: &mut Faults,
    named: &mut BTreeSet<(Noun, Name)>,
) -> Option<Office> {
    let mut fields = Field::root(root).fields(faults)?;
    let name = fields.need("office", faults).and_then(|field| field.name(faults));
    // A wrong name of the office shall not hide what is wrong in the rest.
    let id = OfficeId(name.or_else(|| Name::new("unnamed").ok())?);
    let domains = fields.need("domains", faults).map(|field| domains(&field, faults)).unwrap_or_default();
    let language = code(&mut fields, "language", LANGUAGE, (is_language, LANGUAGE_REMEDY), faults, bearable);
    let country = code(&mut fields, "country", COUNTRY, (is_country, COUNTRY_REMEDY), faults, bearable);
    let area = fields.take("area").and_then(|field| area(&field, faults));
    let prompts = fields.take("prompts").and_then(|field| field.text(faults));
    let zone = fields.take("time_zone").map(|field| Zone::read(&field, faults));
    let calendars = calendars(fields.take("calendars"), zone, surroundings, faults);
    let mut ground = Ground { country, area, zone, calendars, ..Ground::default() };
    ground.variables(fields.take("variables"), faults);
    ground.contacts(fields.take("contacts"), faults);
    let mut parts = Parts::new(id.clone(), surroundings, &ground, faults);
    parts.users(fields.take("users"));
    parts.groups(fields.take("groups"));
    parts.gateways(fields.take("gateways"));
    parts.scenarios(fields.take("scenarios"));
    parts.numbers(fields.take("numbers"));
    parts.routes(fields.take("routes"));
    let music = parts.music(fields.take("music"));
    let hold_music = parts.hold_music(fields.take("hold_music"), &music);
    let transfer = parts.transfer(fields.take("transfer"));
    let lamps = fields.take("lamps_show_caller");
    let park = parts.park(fields.take("park"));
    let queues = parts.queues(fields.take("queues"));
    let recording = parts.recording(fields.take("recording"));
    let fax = parts.fax(fields.take("fax"));
    let http = parts.http(fields.take("http"));
    let integrations = parts.integrations(fields.take("integrations"), &http);
    let addresses = parts.addresses(fields.take("addresses"));
    let databases = parts.databases(fields.take("databases"));
    let mail = parts.mail(fields.take("mail"));
    let text_messages = parts.text_messages(fields.take("text_messages"), &http);
    let voicemail = parts.voicemail(fields.take("voicemail"));
    let pick_up = parts.pick_up(fields.take("pick_up"));
    let reasons = parts.reasons(fields.take("reasons"));
    let plugins = parts.plugins(fields.take("plugins"));
    let blocked = parts.blocked(fields.take("blocked"));
    let emergency = fields.take("emergency");
    let told = emergency
        .as_ref()
        .map_or_else(|| (fields.at(), "emergency".to_owned()), |field| (field.node.at, field.path.clone()));
    let emergency = parts.emergency(emergency);
    let (features, written) = parts.features(fields.take("feature_codes"));
    let toll = parts.toll(fields.take("toll"));
    let timed = std::mem::take(&mut parts.timed);
    let found = parts.finish();
    let lamps_show_caller = lamps.and_then(|field| field.boolean(faults)).unwrap_or_default();
    for (at, path) in timed.iter().filter(|_| zone.is_none()) {
        faults.add(*at, path, "nobody knows by which clock", "write `time_zone: Europe/Berlin` for the office");
    }
    fields.finish(faults);
    for (at, path) in found.mailed.iter().filter(|_| mail.is_none()) {
        faults.add(*at, path, "the office sends no mail", "write its `mail`: host, from");
    }
    features::clashes(&features, &written, &found, faults, bearable);
    let Ground { country, area, zone, calendars, variables, contacts, contact_numbers, responsible, .. } = ground;
    let mut references = found.references;
    references.extend(responsible.into_iter().map(|(name, at, path)| (Noun::User, name, at, path)));
    let mut office = Office {
        id,
        domains,
        language,
        country,
        area,
        users: found.users,
        groups: found.groups,
        gateways: found.gateways,
        scenarios: found.scenarios,
        numbers: found.numbers.into_iter().map(|number| (number.number.clone(), number)).collect(),
        routes: found.routes.into_iter().map(Arc::new).collect(),
        internal: BTreeMap::new(),
        by_login: HashMap::new(),
        prompts,
        music,
        hold_music,
        transfer,
        lamps_show_caller,
        park,
        queues,
        recording,
        voicemail,
        fax,
        pick_up,
        reasons,
        toll,
        time_zone: zone,
        calendars,
        plugins,
        blocked,
        variables,
        contacts,
        contact_numbers,
        http,
        integrations,
        addresses,
        databases,
        mail,
        text_messages,
        emergency,
        help_numbers: BTreeMap::new(),
        features,
    };
    office.index_help();
    missing(&office, (&references, &found.named), faults);
    internal(&mut office, found.internal, faults);
    office.index_logins();
    clashes(&office, told, bearable);
    *named = found.named;
    Some(office)
}

/// What the document refers to and does not have.
fn missing(office: &Office, (references, named): (&[Reference], &BTreeSet<(Noun, Name)>), faults: &mut Faults) {
    for (noun, name, at, path) in references {
        // One whose own entry has a fault is not missing as well.
        if !knows(office, *noun, name) && !named.contains(&(*noun, name.clone())) {
            let known: Vec<&str> = named.iter().filter(|(of, _)| of == noun).map(|(_, name)| name.as_str()).collect();
            let remedy = did_you_mean(name.as_str(), &known);
            faults.add(*at, path, format!("the office has no {} {name}", noun.word()), remedy);
        }
    }
}

/// Numbers of users and groups, each of one alone.
fn internal(office: &mut Office, numbers: Vec<(Dialled, Internal, Mark, String)>, faults: &mut Faults) {
    for (number, owner, at, path) in numbers {
        if let Some(other) = office.internal.insert(number.clone(), owner) {
            let reason = format!("the number {number} already belongs to {}", other.name());
            faults.add(at, &path, reason, "give it another number");
        }
        // One with conditions, or only for some, goes before the number on purpose.
        let routed = |route: &&Arc<crate::Route>| {
            let for_all = matches!(route.whose, Whose::FromUsers | Whose::FromGateways | Whose::FromGateway(_));
            for_all && route.conditions.is_none() && matches!(&route.called, Pattern::Exact(own) if *own == number)
        };
        if let Some(route) = office.routes.iter().find(routed) {
            let reason = format!("the number {number} is also the number of the route {}", route.id.name);
            faults.add(at, &path, reason, "give one of them another number");
        }
    }
}

fn calendars(
    field: Option<Field<'_>>,
    zone: Option<Zone>,
    surroundings: &dyn Surroundings,
    faults: &mut Faults,
) -> BTreeMap<Name, Arc<Calendar>> {
    let mut calendars = BTreeMap::new();
    let items = field.map(|field| field.list(CALENDARS_MAX, faults)).unwrap_or_default();
    for item in items {
        let file = |path: &str| surroundings.file(path);
        let Some(calendar) = Calendar::read(&item, zone, &file, faults) else { continue };
        let id = calendar.id.clone();
        if calendars.insert(id.clone(), Arc::new(calendar)).is_some() {
            item.fault(faults, format!("there is a calendar {id} already"), "give it another id");
        }
    }
    calendars
}

/// Numbers that call for help and are something else in the office as well: until the admin says which they are, the
/// document is refused; one that is in force already is served, and they call for help.
fn clashes(office: &Office, (at, path): (Mark, String), bearable: &mut Faults) {
    let numbers = office.emergency_numbers().into_iter().chain(office.emergency.test.clone());
    for number in numbers.filter(|number| !office.emergency.over.contains(number)) {
        for spelling in office.spellings(&number) {
            let routed = |route: &&Arc<crate::Route>| {
                matches!(route.whose, Whose::FromUsers | Whose::FromUser(_))
                    && matches!(&route.called, Pattern::Exact(own) if *own == spelling)
            };
            let other = match (office.internal.get(&spelling), office.numbers.get(&spelling)) {
                (Some(owner), _) => owner.name(),
                (None, Some(incoming)) => format!("the incoming number {}", incoming.id.name),
                (None, None) => match (office.routes.iter().find(routed), office.features.taking(spelling.as_str())) {
                    (Some(route), _) => format!("the route {}", route.id.name),
                    (None, Some(code)) => format!("the feature code {}", code.key()),
                    (None, None) => continue,
                },
            };
            let reason = format!("{spelling} calls for help ({number}), and is also the number of {other}");
            let remedy = format!(
                "give it another number, or write `over: [{number}]` to keep it for help alone, or `numbers` without {number}"
            );
            bearable.add(at, &path, reason, remedy);
        }
    }
}

/// The longest tag that has to be taken (RFC 5646 section 4.4.1).
pub(crate) const LANGUAGE_LEN_MAX: usize = 35;

/// Digits that stand before the numbers of one place.
fn area(field: &Field<'_>, faults: &mut Faults) -> Option<String> {
    let text = field.text(faults)?;
    if text.is_empty() || text.len() > 6 || text.starts_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        field.fault(faults, format!("{text:?} is no area code"), "write it without the trunk prefix, as 30 for Berlin");
        return None;
    }
    Some(text)
}

pub(crate) const LANGUAGE_REMEDY: &str = "write a tag of BCP 47, such as en, de or pt-BR";
const COUNTRY_REMEDY: &str = "write the two letters of ISO 3166-1, such as de or us";

/// A text of which only some are meant.
fn code(
    fields: &mut Fields<'_>,
    key: &'static str,
    otherwise: &str,
    (is_one, remedy): (impl Fn(&str) -> bool, &str),
    faults: &mut Faults,
    bearable: &mut Faults,
) -> String {
    let Some(field) = fields.take(key) else { return otherwise.into() };
    let Some(text) = field.text(faults) else { return otherwise.into() };
    if !is_one(&text) {
        field.fault(bearable, format!("{text:?} is no {key}"), remedy);
    }
    text
}

/// The form of a language tag: `en`, `pt-BR`, `zh-Hant-TW`.
///
/// Source: RFC 5646 section 2.1.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = |part: &str| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let other = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= LANGUAGE_LEN_MAX && parts.next().is_some_and(primary) && parts.all(other)
}

/// Officially assigned codes of ISO 3166-1, and `uk`, which everybody writes for `gb`. In either case.
fn is_country(text: &str) -> bool {
    const CODES: &str = "ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw \
        by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et fi fj fk fm fo \
        fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo \
        jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms \
        mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru \
        rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua \
        ug uk um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";
    CODES.split_ascii_whitespace().any(|code| code.eq_ignore_ascii_case(text))
}

fn knows(office: &Office, noun: Noun, name: &Name) -> bool {
    match noun {
        Noun::User => office.users.contains_key(name),
        Noun::Group => office.groups.contains_key(name),
        Noun::Gateway => office.gateways.contains_key(name),
        Noun::GatewayGroup => office.gateways.values().any(|gateway| gateway.group.as_ref() == Some(name)),
        Noun::Location => office.emergency.locations.contains_key(name),
        Noun::Scenario => office.scenarios.contains_key(name),
    }
}

impl Internal {
    /// For a fault's reason.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::User(user) => format!("the user {}", user.name),
            Self::Group(group) => format!("the group {}", group.name),
        }
    }
}

fn domains(field: &Field<'_>, faults: &mut Faults) -> Vec<String> {
    /// Domains of one office; more are a mistake.
    const DOMAINS_MAX: usize = 64;
    let items = field.list(DOMAINS_MAX, faults);
    if items.is_empty() && matches!(field.node.kind, Kind::List(_)) {
        field.fault(faults, "an office has at least one domain", "add for example plugboard.test");
    }
    let (mut domains, mut seen) = (Vec::new(), BTreeSet::new());
    for item in items {
        let Some(text) = item.text(faults) else { continue };
        let text = text.to_ascii_lowercase();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        if text.is_empty() || text.len() > 253 || !text.chars().all(allowed) {
            item.fault(faults, format!("{text:?} is no domain"), "");
        } else if seen.insert(text.clone()) {
            domains.push(text);
        } else {
            item.fault(faults, format!("the domain {text:?} is here twice"), "take one of them out");
        }
    }
    domains
}
