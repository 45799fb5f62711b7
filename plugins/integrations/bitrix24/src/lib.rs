//! The integration `bitrix24`: finds contacts, companies and leads of Bitrix24, who is responsible for them, and logs calls in its
//! timelines.
//!
//! Source: apidocs.bitrix24.com, `crm.duplicate.findbycomm`, `crm.contact.get`, `crm.company.get`, `crm.lead.get`, `user.get`,
//! `telephony.externalcall.register`, `telephony.externalcall.finish`, `voximplant.statistic.get`.

mod calls;
mod record;
mod rest;

use plugboard_sdk::Json;
use plugboard_sdk_integration::prelude::*;
use record::Kind;
use rest::ask;
use std::collections::BTreeMap;

/// Numbers that Bitrix24 compares at once.
const VALUES_MAX: usize = 20;

struct Bitrix24;

/// What an office sets.
#[derive(Parameters)]
struct Settings {
    /// Leads count as well: people of whom nothing but an inquiry is known.
    #[parameter(default = true)]
    #[text(
        ru("Лиды", "Учитывать и лиды: людей, о которых известно только обращение."),
        de("Leads", "Auch Leads zählen: Leute, von denen nichts als eine Anfrage bekannt ist.")
    )]
    leads: bool,
    /// Ids of users of Bitrix24 with extensions or ids of the office's, where Bitrix24 does not know their extensions.
    #[text(
        ru("Сотрудники", "Номера сотрудников в Битрикс24 и внутренние номера офиса, если Битрикс24 их не знает."),
        de("Benutzer", "Nummern von Benutzern in Bitrix24 mit Durchwahlen des Büros, wo Bitrix24 diese nicht kennt.")
    )]
    users: Option<BTreeMap<String, String>>,
    /// Calls with people outside are logged in the portal, which needs the right `telephony` too.
    #[parameter(default = false)]
    #[text(
        ru("Звонки", "Записывать звонки в карточки CRM; нужно также право telephony."),
        de("Anrufe", "Anrufe im CRM festhalten; das braucht auch das Recht telephony.")
    )]
    log_calls: bool,
    /// The id of the user of Bitrix24 in whose name calls are logged that nobody took, and those of users whom it does not know.
    #[text(
        ru("Дежурный", "Номер сотрудника в Битрикс24, за которым числятся звонки, на которые никто не ответил."),
        de("Für alle", "Nummer des Benutzers in Bitrix24, unter dem Anrufe stehen, die niemand angenommen hat.")
    )]
    log_for: Option<String>,
    /// Whoever calls and is not known becomes a lead.
    #[parameter(default = false)]
    #[text(
        ru("Новые лиды", "Создавать лид, если звонит незнакомый."),
        de("Neue Leads", "Wer anruft und nicht bekannt ist, wird ein Lead.")
    )]
    make_leads: bool,
}

/// Finds contacts, companies and leads of Bitrix24, and who is responsible for them.
#[integration(
    name = "bitrix24",
    en("Bitrix24"),
    ru("Битрикс24", "Находит контакты, компании и лиды Битрикс24 и ответственных за них."),
    de("Bitrix24", "Findet Kontakte, Firmen und Leads in Bitrix24 und wer für sie zuständig ist."),
    service(
        rest,
        en("The REST interface of the portal"),
        ru("REST-интерфейс портала"),
        de("Die REST-Schnittstelle des Portals")
    )
)]
impl Integration for Bitrix24 {
    type Settings = Settings;
    const OFFERS: &'static [Offer] = &[Offer::Contacts, Offer::Responsible, Offer::Calls];

    fn find_contacts(settings: Settings, number: Number, most: u32) -> Result<Vec<Contact>, Failure> {
        let values: Vec<Json> = number.forms.into_iter().take(VALUES_MAX).map(Json::String).collect();
        let found = ask("crm.duplicate.findbycomm", [("type", "PHONE".into()), ("values", Json::Array(values))])?;
        let mut contacts = Vec::new();
        for kind in Kind::ALL.into_iter().filter(|kind| settings.leads || *kind != Kind::Lead) {
            // Nobody at all is an empty list, somebody a map of lists.
            let ids = found.get(kind.entity()).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            for id in ids.iter().filter_map(record::text) {
                if u32::try_from(contacts.len()).is_ok_and(|have| have >= most) {
                    return Ok(contacts);
                }
                contacts.extend(record::contact(kind, &id, &ask(kind.method(), [("id", id.as_str().into())])?));
            }
        }
        Ok(contacts)
    }

    fn responsible_for(settings: Settings, contact: String) -> Result<Vec<String>, Failure> {
        let Some((kind, id)) = Kind::of(&contact) else { return Ok(Vec::new()) };
        let found = ask(kind.method(), [("id", id.into())])?;
        let Some(owner) = found.get("ASSIGNED_BY_ID").and_then(record::text) else { return Ok(Vec::new()) };
        if let Some(user) = settings.users.as_ref().and_then(|users| users.get(&owner)) {
            return Ok(vec![user.clone()]);
        }
        let users = ask("user.get", [("ID", owner.into())])?;
        Ok(users.pointer("/0/UF_PHONE_INNER").and_then(record::text).into_iter().collect())
    }

    fn log_call(settings: Settings, call: EndedCall) -> Result<(), Failure> {
        if settings.log_calls { calls::log(&settings, &call) } else { Ok(()) }
    }
}
