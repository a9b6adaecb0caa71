//! The description of the local API for other programs: OpenAPI 3.1, made of
//! [`calls`]. `docs/openapi.json` is a copy, kept equal by a test.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::call::{Description, Method, Scope};
use crate::calls;
use crate::kind::ErrorKind;
use crate::view::Failure;

const ABOUT: &str = "HTTP/1.1 over the Unix socket `api.sock` in the home of an installation, \
    which only its owner may open; there is no other authentication. A body or query value that \
    is not known is refused, never passed over; fields may be added to answers. What is no HTTP \
    at all is answered with status 400, 414 or 431 and no body.";

/// The whole description.
#[must_use]
pub fn document() -> Value {
    let mut writer = Writer::new();
    let mut paths = Map::new();
    for call in calls::ALL {
        let path = format!("/v1/{}", call.path);
        let operation = writer.operation(call);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        if let Value::Object(methods) = methods {
            methods.insert(method(call.method).to_owned(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hushwing local API",
            "version": "1",
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{
            "url": "http://localhost",
            "description": "the socket; the host is not looked at",
        }],
        "paths": paths,
        "components": { "schemas": writer.schemas() },
    })
}

const fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Delete => "delete",
    }
}

/// Schemas of what is read and of what is written differ: what may be left out
/// of a request is there in every answer.
struct Writer {
    asked: SchemaGenerator,
    answered: SchemaGenerator,
    failure: Value,
}

impl Writer {
    fn new() -> Self {
        let generator = |contract| {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
            settings.contract = contract;
            settings.into_generator()
        };
        let mut answered = generator(Contract::Serialize);
        Self {
            asked: generator(Contract::Deserialize),
            failure: answered.subschema_for::<Failure>().to_value(),
            answered,
        }
    }

    /// Every schema that has a name. One that both sides use is the same on both.
    fn schemas(&mut self) -> Map<String, Value> {
        let mut all = self.answered.take_definitions(true);
        all.extend(self.asked.take_definitions(true));
        all
    }

    fn operation(&mut self, call: &Description) -> Value {
        let about: Vec<&str> = call.about.lines().map(str::trim).collect();
        let mut operation = json!({
            "operationId": call.name,
            "summary": about.join(" ").trim(),
            "parameters": self.parameters(call),
            "responses": self.responses(call),
        });
        let body = (call.schemas.body)(&mut self.asked);
        if let (Some(schema), Value::Object(operation)) = (body, &mut operation) {
            let content = json!({ "application/json": { "schema": schema } });
            let body = json!({ "required": true, "content": content });
            operation.insert("requestBody".to_owned(), body);
        }
        operation
    }

    fn parameters(&mut self, call: &Description) -> Vec<Value> {
        let values = (call.schemas.path)(&mut self.asked);
        let mut all: Vec<Value> = (call.names().zip(values))
            .map(|(name, schema)| parameter("path", name, schema.to_value(), true))
            .collect();
        let query = (call.schemas.query)(&mut self.asked).to_value();
        let required = query.get("required").and_then(Value::as_array);
        for (name, schema) in query
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let needed = required.is_some_and(|all| all.iter().any(|one| one == name.as_str()));
            all.push(parameter("query", name, schema.clone(), needed));
        }
        let profile = match call.scope {
            Scope::Home => return all,
            Scope::Profile => "the profile to act as; without it, the default one",
            Scope::Anyone => "the profile it is about; without it, all of them",
        };
        let schema = json!({ "type": "string", "description": profile });
        all.push(parameter("query", "profile", schema, false));
        all
    }

    fn responses(&mut self, call: &Description) -> Value {
        let answer = (call.schemas.answer)(&mut self.answered);
        let (kind, about) = match call.streams {
            true => (
                "application/x-ndjson",
                "A stream; each line is such a document.",
            ),
            false => ("application/json", "Done."),
        };
        let mut all = Map::new();
        let content = json!({ kind: { "schema": answer } });
        all.insert(
            "200".to_owned(),
            json!({ "description": about, "content": content }),
        );
        for (status, kinds) in errors(call) {
            let content = json!({ "application/json": { "schema": self.failure } });
            let about = format!("Errors of kind {}.", kinds.join(", "));
            let answer = json!({ "description": about, "content": content });
            all.insert(status.to_string(), answer);
        }
        Value::Object(all)
    }
}

fn parameter(place: &str, name: &str, mut schema: Value, required: bool) -> Value {
    let about = match &mut schema {
        Value::Object(schema) => {
            // Whatever may be left out is never written as `null`.
            if let Some(Value::Array(types)) = schema.get_mut("type") {
                types.retain(|one| one != "null");
            }
            schema.remove("description")
        }
        _ => None,
    };
    let mut parameter =
        json!({ "in": place, "name": name, "required": required, "schema": schema });
    if let (Some(about), Value::Object(parameter)) = (about, &mut parameter) {
        parameter.insert("description".to_owned(), about);
    }
    parameter
}

/// Names of the kinds of error a call may end with, by status.
fn errors(call: &Description) -> BTreeMap<u16, Vec<&'static str>> {
    let any = [ErrorKind::Usage, ErrorKind::DiskFull, ErrorKind::Internal];
    // Whatever is named may not be there, and what is stored may not be read.
    let named = [ErrorKind::NotFound, ErrorKind::Damaged];
    let mut kinds = any.to_vec();
    if call.scope != Scope::Home {
        kinds.extend(named);
    }
    if call.scope == Scope::Profile {
        kinds.push(ErrorKind::NoProfile);
    }
    kinds.extend(call.errors);
    let mut by_status = BTreeMap::<u16, Vec<&'static str>>::new();
    for kind in ErrorKind::ALL
        .into_iter()
        .filter(|kind| kinds.contains(kind))
    {
        by_status
            .entry(kind.status())
            .or_default()
            .push(kind.name());
    }
    by_status
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_copy_in_docs_is_what_is_spoken() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let now = format!("{:#}\n", document());
        if std::env::var_os("HUSHWING_BLESS").is_some() {
            fs::write(&file, &now).unwrap();
        }
        let stored = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            stored == now,
            "run this test once more with HUSHWING_BLESS=1"
        );
    }

    #[test]
    fn a_schema_that_is_asked_and_answered_is_one() {
        let mut writer = Writer::new();
        for call in calls::ALL {
            writer.operation(call);
        }
        let asked = writer.asked.take_definitions(true);
        for (name, schema) in writer.answered.take_definitions(true) {
            assert!(
                asked.get(&name).is_none_or(|other| *other == schema),
                "{name}"
            );
        }
    }
}
