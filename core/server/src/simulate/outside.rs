//! Of call files: what services, databases, mail servers and providers of text messages do.

use plugboard_document::{Faults, Field, Fields, Kind};
use plugboard_office::Office;
use plugboard_simulator::rehearsal::{CarrierDoes, DatabaseDoes, Plan, ServiceDoes};
use serde_json::{Map, Value, json};

use super::call_file::SPANS;
use plugboard_document::write_duration;

/// Reads `services`, `databases`, `mail` and `text`.
pub(super) fn read(fields: &mut Fields<'_>, office: &Office, plan: &mut Plan, faults: &mut Faults) {
    services(fields, office, plan, faults);
    databases(fields, office, plan, faults);
    let mut carrier = |fields: &mut Fields<'_>, key| {
        let words = [("taken", CarrierDoes::Takes), ("refused", CarrierDoes::Refuses)];
        fields.take(key).and_then(|field| field.one_of(&words, faults))
    };
    plan.mail = carrier(fields, "mail");
    plan.texts = carrier(fields, "text");
}

fn services(fields: &mut Fields<'_>, office: &Office, plan: &mut Plan, faults: &mut Faults) {
    let Some(field) = fields.take("services") else { return };
    for (name, field) in field.entries(faults) {
        if office.http_source(name).is_none() {
            field.fault(faults, format!("the office has no source {name:?}"), "sources are in `http` of the office");
            continue;
        }
        plan.services.extend(service(&field, faults).map(|does| (name.to_owned(), does)));
    }
}

fn service(field: &Field<'_>, faults: &mut Faults) -> Option<ServiceDoes> {
    if field.node.as_map().is_none() {
        let words = [("down", false), ("slow", true)];
        return field.one_of(&words, faults).map(|slow| if slow { ServiceDoes::Slow } else { ServiceDoes::Down });
    }
    let mut fields = field.fields(faults)?;
    let status = fields.take("status").map_or(Some(200), |field| field.integer(200..=599, faults));
    let body = fields.take("body").map(|field| {
        let text = if let Kind::Text(text) = &field.node.kind { Some(text.clone()) } else { None };
        text.unwrap_or_else(|| field.node.to_json().to_string())
    });
    let after = fields.take("after").and_then(|field| field.duration(SPANS, faults)).unwrap_or_default();
    fields.finish(faults);
    let status = status.and_then(|status| u16::try_from(status).ok())?;
    Some(ServiceDoes::Answers { status, body: body.unwrap_or_default(), after })
}

fn databases(fields: &mut Fields<'_>, office: &Office, plan: &mut Plan, faults: &mut Faults) {
    let Some(field) = fields.take("databases") else { return };
    for (name, field) in field.entries(faults) {
        let (database, query) = name.split_once('/').map_or((name, None), |(name, query)| (name, Some(query)));
        let Some(known) = office.database(database) else {
            let known: Vec<&str> = office.databases.keys().map(plugboard_model::Name::as_str).collect();
            let remedy = match known.as_slice() {
                [] => "databases are in `databases` of the office".to_owned(),
                known => format!("databases are {}", known.join(", ")),
            };
            field.fault(faults, format!("the office has no database {database:?}"), remedy);
            continue;
        };
        if query.is_some_and(|query| !known.queries.keys().any(|id| id.as_str() == query)) {
            let known: Vec<&str> = known.queries.keys().map(plugboard_model::Name::as_str).collect();
            let remedy = format!("write {database} alone, or one of its queries after it: {}", known.join(", "));
            field.fault(faults, format!("{name} is no query of the database"), remedy);
            continue;
        }
        plan.databases.extend(self::database(&field, faults).map(|does| (name.to_owned(), does)));
    }
}

fn database(field: &Field<'_>, faults: &mut Faults) -> Option<DatabaseDoes> {
    if field.node.as_map().is_none() {
        let words = [("down", false), ("slow", true)];
        return field.one_of(&words, faults).map(|slow| if slow { DatabaseDoes::Slow } else { DatabaseDoes::Down });
    }
    let mut fields = field.fields(faults)?;
    let rows = fields.take("rows").map_or(Some(Vec::new()), |field| {
        let rows = field.list(ROWS_MAX, faults);
        let (maps, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.node.as_map().is_some());
        for other in &others {
            other.fault(faults, "a row is a map of columns and values", "write { name: Ann, agent: 102 }");
        }
        others.is_empty().then(|| maps.iter().map(|row| row.node.to_json()).collect())
    });
    let changed = fields.take("changed").map(|field| field.integer(0..=i64::from(u32::MAX), faults));
    let after = fields.take("after").and_then(|field| field.duration(SPANS, faults)).unwrap_or_default();
    fields.finish(faults);
    let rows = rows?;
    let count = match changed {
        Some(changed) => u64::try_from(changed?).unwrap_or_default(),
        None => u64::try_from(rows.len()).unwrap_or_default(),
    };
    Some(DatabaseDoes::Answers { rows: Value::Array(rows).to_string(), count, after })
}

/// Rows of one answer.
const ROWS_MAX: usize = 1_000;

/// Writes what [`read`] reads.
pub(super) fn write(plan: &Plan, file: &mut Map<String, Value>) {
    let mut put = |key: &str, map: Map<String, Value>| {
        if !map.is_empty() {
            file.insert(key.to_owned(), Value::Object(map));
        }
    };
    put("services", plan.services.iter().map(|(name, does)| (name.clone(), service_json(does))).collect());
    put("databases", plan.databases.iter().map(|(name, does)| (name.clone(), database_json(does))).collect());
    for (key, does) in [("mail", plan.mail), ("text", plan.texts)] {
        if let Some(does) = does {
            let word = if does == CarrierDoes::Takes { "taken" } else { "refused" };
            file.insert(key.to_owned(), json!(word));
        }
    }
}

fn service_json(does: &ServiceDoes) -> Value {
    match does {
        ServiceDoes::Down => json!("down"),
        ServiceDoes::Slow => json!("slow"),
        ServiceDoes::Answers { status, body, after } => {
            // As people write it, where it is a document.
            let document = serde_json::from_str(body).ok().filter(|body: &Value| body.is_object() || body.is_array());
            let body = document.unwrap_or_else(|| json!(body));
            json!({ "status": status, "body": body, "after": write_duration(*after) })
        }
    }
}

fn database_json(does: &DatabaseDoes) -> Value {
    match does {
        DatabaseDoes::Down => json!("down"),
        DatabaseDoes::Slow => json!("slow"),
        DatabaseDoes::Answers { rows, count, after } => {
            let rows: Value = serde_json::from_str(rows).unwrap_or_default();
            let mut answer = json!({ "rows": rows, "after": write_duration(*after) });
            let own = rows.as_array().map_or(0, Vec::len);
            if let (Some(fields), true) = (answer.as_object_mut(), u64::try_from(own).ok() != Some(*count)) {
                fields.insert("changed".into(), json!(count));
            }
            answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_databases_and_carriers_do_is_written_as_it_is_read() {
        let text = "http:\n  - { id: crm, url: https://crm.example.com }\n";
        let text = include_str!("../../demo/office.yaml").replace("users:\n", &format!("{text}{DATABASES}users:\n"));
        let bundle = crate::house::Bundle::of_text("office.yaml", &text);
        let examined = Office::examine("office.yaml", plugboard_document::examine("office.yaml", &text), &bundle);
        let office = examined.office.unwrap_or_else(|| panic!("{:?}", examined.faults));
        let plan = |text: &str| {
            let node = plugboard_document::parse("call.yaml", text).unwrap();
            let mut faults = Faults::new("call.yaml");
            let nobody = plugboard_simulator::rehearsal::Caller::User(office.users().next().unwrap().id.clone());
            let mut plan = Plan::new(nobody, "100");
            let mut fields = Field::root(&node).fields(&mut faults).unwrap();
            read(&mut fields, &office, &mut plan, &mut faults);
            fields.finish(&mut faults);
            (plan, faults.into_sorted().iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let said = "services: { crm: { body: { vip: true }, status: 201 } }\nmail: refused\ntext: taken\n\
            databases:\n  crm: down\n  crm/agent: { rows: [ { agent: 102 } ], after: 1s }\n  crm/note: { changed: 2 }\n";
        let (read_once, faults) = plan(said);
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(read_once.mail, Some(CarrierDoes::Refuses));
        assert_eq!(read_once.of_query("crm", "other"), Some(&DatabaseDoes::Down));
        let rows = r#"[{"agent":102}]"#.to_owned();
        let agent = DatabaseDoes::Answers { rows, count: 1, after: Duration::from_secs(1) };
        assert_eq!(read_once.of_query("crm", "agent"), Some(&agent));
        let mut written = Map::new();
        write(&read_once, &mut written);
        assert_eq!(plan(&Value::Object(written).to_string()).0, read_once);
        let faults = plan("databases: { shop: down, crm/nothing: slow }\nmail: lost\n").1;
        let [shop, query, mail] = faults.as_slice() else { panic!("{faults:?}") };
        assert!(
            shop.contains("no database \"shop\"") && query.contains("agent, note") && mail.contains("taken"),
            "{faults:?}"
        );
    }

    const DATABASES: &str = "databases:\n  - id: crm\n    kind: postgresql\n    address: db.example.com\n    database: crm\n    user: plugboard\n    \
        queries:\n      - { id: agent, sql: \"select agent from clients where phone = :number\" }\n\
        \x20     - { id: note, sql: \"insert into calls (phone) values (:number)\", writes: true }\n";
}
