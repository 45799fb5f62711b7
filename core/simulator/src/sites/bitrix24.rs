//! A portal of Bitrix24 in a story: the methods of its REST interface that plugins call, with the answers that its documentation shows.
//!
//! Source: apidocs.bitrix24.com. A method is `METHOD.json` behind the webhook's address; parameters come as JSON.

use plugboard_model::{HttpRequest, HttpResponse};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What the portal has.
#[derive(Debug, Clone, Default)]
pub struct Bitrix24 {
    records: BTreeMap<(&'static str, u32), Json>,
    users: BTreeMap<u32, Json>,
    /// Calls that were registered, with what their end was said to be.
    calls: Arc<Mutex<Vec<PortalCall>>>,
}

/// A call that the portal was told.
#[derive(Debug, Clone)]
pub struct PortalCall {
    /// As it was registered.
    pub registered: Json,
    /// As it was finished, once it is.
    pub finished: Option<Json>,
}

/// What of the CRM has numbers, as answers name it.
const ENTITIES: [(&str, &str); 3] =
    [("CONTACT", "crm.contact.get"), ("COMPANY", "crm.company.get"), ("LEAD", "crm.lead.get")];

impl Bitrix24 {
    /// With a contact, company or lead (`CONTACT`, `COMPANY`, `LEAD`) of this number; `fields` besides.
    #[must_use]
    pub fn with(mut self, entity: &'static str, id: u32, number: &str, fields: Json) -> Self {
        let phone = json!([{ "ID": "1", "VALUE_TYPE": "WORK", "VALUE": number, "TYPE_ID": "PHONE" }]);
        let mut record = json!({ "ID": id.to_string(), "PHONE": phone, "HAS_PHONE": "Y", "OPENED": "Y" });
        if let (Some(record), Json::Object(fields)) = (record.as_object_mut(), fields) {
            record.extend(fields);
        }
        self.records.insert((entity, id), record);
        self
    }

    /// With an employee and his extension; none: the portal does not know it.
    #[must_use]
    pub fn user(mut self, id: u32, name: &str, extension: Option<&str>) -> Self {
        let user =
            json!({ "ID": id.to_string(), "ACTIVE": true, "NAME": name, "LAST_NAME": "", "UF_PHONE_INNER": extension });
        self.users.insert(id, user);
        self
    }

    /// The calls that it was told.
    pub fn calls(&self) -> Vec<PortalCall> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it answers.
    pub fn answers(&self, request: &HttpRequest) -> HttpResponse {
        let method = request.path.strip_suffix(".json").unwrap_or(&request.path);
        let parameters: Json = request.body.as_deref().and_then(|body| body.parse().ok()).unwrap_or_default();
        if method == "crm.duplicate.findbycomm" {
            return done(self.found(&parameters));
        }
        if method == "user.get" {
            let inner = parameters.get("UF_PHONE_INNER");
            let wanted = |(id, user): &(&u32, &Json)| match inner {
                Some(inner) => user.get("UF_PHONE_INNER") == Some(inner),
                None => number(&parameters, "ID") == Some(**id),
            };
            return done(self.users.iter().filter(wanted).map(|(_, user)| user.clone()).collect());
        }
        match method {
            "telephony.externalcall.register" => return self.register(parameters),
            "telephony.externalcall.finish" => return self.finish(parameters),
            "voximplant.statistic.get" => return done(self.statistic(&parameters)),
            _ => {}
        }
        let Some((entity, _)) = ENTITIES.iter().find(|(_, known)| *known == method) else {
            return fault(404, "ERROR_METHOD_NOT_FOUND", "Method not found!");
        };
        match number(&parameters, "id").and_then(|id| self.records.get(&(*entity, id))) {
            Some(record) => done(record.clone()),
            None => fault(400, "", "Not found"),
        }
    }

    /// The same again is the same call until it is finished. (A portal remembers that for half an hour.)
    fn register(&self, parameters: Json) -> HttpResponse {
        let is_user = number(&parameters, "USER_ID").is_some_and(|id| self.users.contains_key(&id));
        let phone = parameters.get("PHONE_NUMBER").and_then(Json::as_str).unwrap_or_default();
        if !is_user && parameters.get("USER_PHONE_INNER").is_none() {
            return fault(400, "ERROR_CORE", "USER_ID or USER_PHONE_INNER should be set");
        }
        if phone.is_empty() {
            return fault(400, "ERROR_CORE", "PHONE_NUMBER is not set");
        }
        if !number(&parameters, "TYPE").is_some_and(|kind| (1..=4).contains(&kind)) {
            return fault(400, "ERROR_CORE", "Unknown TYPE");
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |call: &PortalCall| call.finished.is_none() && call.registered == parameters;
        let known = calls.iter().position(open);
        let id = format!("externalCall.{}", known.unwrap_or(calls.len()));
        if known.is_none() {
            calls.push(PortalCall { registered: parameters, finished: None });
        }
        done(json!({ "CALL_ID": id, "CRM_CREATED_LEAD": null, "CRM_CREATED_ENTITIES": [], "LEAD_CREATION_ERROR": "" }))
    }

    fn finish(&self, parameters: Json) -> HttpResponse {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let id = parameters.get("CALL_ID").and_then(Json::as_str).and_then(|id| id.strip_prefix("externalCall."));
        let call = id.and_then(|id| id.parse::<usize>().ok()).and_then(|id| calls.get_mut(id));
        match call.filter(|call| call.finished.is_none()) {
            Some(call) => {
                let duration = parameters.get("DURATION").cloned().unwrap_or_default();
                call.finished = Some(parameters);
                done(json!({ "CALL_DURATION": duration, "COST": 0 }))
            }
            None => fault(400, "ERROR_NOT_FOUND", "Call is not found (or is already finished)"),
        }
    }

    /// Of calls that are finished, with numbers as the portal keeps them.
    fn statistic(&self, parameters: &Json) -> Json {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let began = parameters.pointer("/FILTER/CALL_START_DATE");
        let is = |call: &&PortalCall| call.finished.is_some() && began == call.registered.get("CALL_START_DATE");
        let shown = |call: &PortalCall| {
            let number = call.registered.get("PHONE_NUMBER").and_then(Json::as_str).map(digits);
            json!({ "PHONE_NUMBER": number, "CALL_START_DATE": began })
        };
        calls.iter().filter(is).map(shown).collect()
    }

    /// Ids by what they are of; an empty list when there is none. Numbers are compared by their digits, those of Russia also behind an 8.
    fn found(&self, parameters: &Json) -> Json {
        let wanted = parameters.get("values").and_then(Json::as_array).into_iter().flatten();
        let wanted: Vec<String> = wanted.filter_map(Json::as_str).map(digits).collect();
        let mut found = Map::new();
        for (entity, _) in ENTITIES {
            let has = |record: &Json| {
                let own = record.pointer("/PHONE/0/VALUE").and_then(Json::as_str).map(digits);
                own.is_some_and(|own| wanted.contains(&own))
            };
            let of_it = self.records.iter().filter(|((of, _), record)| *of == entity && has(record));
            let ids: Vec<u32> = of_it.map(|((_, id), _)| *id).collect();
            if !ids.is_empty() {
                found.insert(entity.to_owned(), json!(ids));
            }
        }
        if found.is_empty() { json!([]) } else { found.into() }
    }
}

fn number(parameters: &Json, name: &str) -> Option<u32> {
    let value = parameters.get(name)?;
    value.as_str().and_then(|text| text.parse().ok()).or_else(|| u32::try_from(value.as_u64()?).ok())
}

fn digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('8') {
        Some(rest) if digits.len() == 11 => format!("7{rest}"),
        Some(_) | None => digits,
    }
}

fn done(result: Json) -> HttpResponse {
    said(
        200,
        &json!({ "result": result, "time": { "start": 1_763_940_000.1, "finish": 1_763_940_000.2, "duration": 0.1 } }),
    )
}

fn fault(status: u16, error: &str, description: &str) -> HttpResponse {
    said(status, &json!({ "error": error, "error_description": description }))
}

fn said(status: u16, body: &Json) -> HttpResponse {
    HttpResponse { status, content_type: "application/json; charset=utf-8".into(), body: body.to_string() }
}
