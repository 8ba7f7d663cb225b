//! `configs/asyncapi.yaml`: the whole contract as AsyncAPI 3.0, made from the functions of
//! [`BoxPath`] and the types of the messages. Only tests need it.

mod tests;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    AlertEvent, AuditHead, BoxBirth, BoxGap, BoxHealth, BoxLedger, BoxPath, BoxStatus, CONTRACT, CameraStatus, Command,
    Receipt, Reply, Segment, Severity, Verb,
};

const ABOUT: &str = "\
What a Karaul box says to an operations centre over MQTT, and hears from it. The operations are the box's: what it \
sends, a centre subscribes to.\n\n\
Each level of a topic that is an id is 1 to 32 of a-z, 0-9 and '-'. A minor version only adds optional fields: \
consumers ignore what they do not know. Examples of all messages are in agent/wire/golden, a guide in \
docs/integration.md.";

/// The document. Fields are in the order in which they are read.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    asyncapi: &'static str,
    info: Value,
    default_content_type: &'static str,
    servers: Value,
    channels: Ordered<Channel>,
    operations: Ordered<Operation>,
    components: Components,
}

#[derive(Serialize)]
struct Channel {
    address: String,
    description: String,
    parameters: Ordered<Value>,
    messages: Ordered<Value>,
}

#[derive(Serialize)]
struct Operation {
    action: &'static str,
    channel: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<Value>,
    bindings: Value,
}

#[derive(Serialize)]
struct Components {
    parameters: Ordered<Value>,
    messages: Ordered<Value>,
    schemas: Ordered<Schema>,
}

/// A map that keeps its order.
struct Ordered<V>(Vec<(String, V)>);

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Who speaks on a topic.
#[derive(Clone, Copy, PartialEq)]
enum Action {
    Send,
    Receive,
}

/// A topic: its name here, the function of [`BoxPath`] that makes it and what that makes of
/// [`sample`] ids, the messages on it, how they are published.
struct Topic {
    name: &'static str,
    function: &'static str,
    sample: String,
    messages: &'static [&'static str],
    action: Action,
    qos: u8,
    retain: bool,
}

/// An id that stands for a parameter.
fn sample(parameter: &str) -> Segment {
    format!("sample-{parameter}").parse().unwrap()
}

const SAMPLE_SEVERITY: Severity = Severity::Critical;
const SAMPLE_VERB: Verb = Verb::FalsePositive;
const SAMPLE_INCIDENT: Uuid = Uuid::nil();

fn topics() -> Vec<Topic> {
    use Action::{Receive, Send};
    let [region, district, site, unit] = ["region", "district", "site", "box"].map(sample);
    let path = BoxPath { region, district, site, unit };
    let camera = sample("camera");
    let topic = |name, function, sample, messages, action, qos, retain| Topic {
        name,
        function,
        sample,
        messages,
        action,
        qos,
        retain,
    };
    vec![
        topic("alert", "alert", path.alert(SAMPLE_SEVERITY, &camera), &["AlertEvent"], Send, 1, false),
        topic("open", "open", path.open(SAMPLE_INCIDENT), &["AlertEvent", "Cleared"], Send, 1, true),
        topic("boxStatus", "box_status", path.box_status(), &["BoxStatus"], Send, 1, true),
        topic(
            "cameraStatus",
            "camera_status",
            path.camera_status(&camera),
            &["CameraStatus", "Cleared"],
            Send,
            1,
            true,
        ),
        topic("birth", "birth", path.birth(), &["BoxBirth"], Send, 1, true),
        topic("health", "health", path.health(), &["BoxHealth"], Send, 0, false),
        topic("gap", "gap", path.gap(), &["BoxGap"], Send, 1, false),
        topic("ledger", "ledger", path.ledger(), &["BoxLedger"], Send, 1, true),
        topic("audit", "audit", path.audit(), &["AuditHead"], Send, 1, true),
        topic("reply", "reply", path.reply(SAMPLE_VERB), &["Reply"], Send, 1, false),
        topic("command", "command", path.command(SAMPLE_VERB), &["Command"], Receive, 1, false),
        topic("receipt", "receipt", path.receipt(&sample("consumer")), &["Receipt"], Receive, 1, true),
    ]
}

/// The parameters of topics: name, what stands for them in a sample, what is said of them.
fn parameters() -> Vec<(&'static str, String, Value)> {
    let path = schemars::schema_for!(BoxPath);
    let said = |name: &str| json!({ "description": path.as_value()["properties"][name]["description"] });
    let id = |name: &'static str, about: Value| (name, sample(name).to_string(), about);
    vec![
        id("region", said("region")),
        id("district", said("district")),
        id("site", said("site")),
        id("box", said("box")),
        id("camera", json!({ "description": "Camera id." })),
        id("consumer", json!({ "description": "An operations centre, by the name it has in the box's config." })),
        ("incident", SAMPLE_INCIDENT.to_string(), json!({ "description": "The incident's id, a UUIDv7." })),
        (
            "severity",
            SAMPLE_SEVERITY.to_string(),
            json!({ "description": "How urgent.", "enum": Severity::ALL.map(Severity::as_str) }),
        ),
        (
            "verb",
            SAMPLE_VERB.to_string(),
            json!({ "description": "What is to be done.", "enum": Verb::ALL.map(Verb::as_str) }),
        ),
    ]
}

/// The doc comment of a function in `topic.rs`, without the topic that it begins with.
fn doc_of(function: &str) -> String {
    let source = include_str!("topic.rs");
    let (before, _) = source.split_once(&format!("pub fn {function}(")).unwrap();
    let comment: Vec<&str> = before
        .lines()
        .rev()
        .map(str::trim)
        .skip_while(|line| !line.starts_with("///"))
        .map_while(|line| line.strip_prefix("///"))
        .collect();
    let text: String = comment.into_iter().rev().collect();
    let (_, text) = text.split_once("`: ").unwrap();
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{kind}/{name}") })
}

fn channel(topic: &Topic) -> Channel {
    let mut used = Vec::new();
    let known = parameters();
    let level = |level: &str| match known.iter().find(|(_, stands_for_it, _)| stands_for_it == level) {
        Some((name, ..)) => {
            used.push(((*name).to_owned(), reference("components/parameters", name)));
            format!("{{{name}}}")
        }
        None => level.to_owned(),
    };
    let address = topic.sample.split('/').map(level).collect::<Vec<_>>().join("/");
    let messages = topic.messages.iter().map(|name| ((*name).to_owned(), reference("components/messages", name)));
    Channel {
        address,
        description: doc_of(topic.function),
        parameters: Ordered(used),
        messages: Ordered(messages.collect()),
    }
}

fn operation(topic: &Topic) -> (String, Operation) {
    let (verb, action) = match topic.action {
        Action::Send => ("send", "send"),
        Action::Receive => ("receive", "receive"),
    };
    let (first, rest) = topic.name.split_at(1);
    let operation = Operation {
        action,
        channel: reference("channels", topic.name),
        reply: (topic.name == "command").then(|| json!({ "channel": reference("channels", "reply") })),
        bindings: json!({ "mqtt": { "qos": topic.qos, "retain": topic.retain, "bindingVersion": "0.2.0" } }),
    };
    (format!("{verb}{}{rest}", first.to_uppercase()), operation)
}

/// A message whose payload is the JSON of this type.
fn plain<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    json!({ "payload": schemas.subschema_for::<T>() })
}

/// A message whose payload is a JWS of these claims.
fn signed<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    json!({
        "contentType": "application/jose",
        "payload": {
            "description": "A JWS in compact serialisation (RFC 7515); what it signs is described by x-claims.",
            "type": "string",
            "pattern": r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
            "x-claims": schemas.subschema_for::<T>(),
        },
    })
}

fn messages(schemas: &mut SchemaGenerator) -> Vec<(String, Value)> {
    let mut alert = plain::<AlertEvent>(schemas);
    alert["contentType"] = "application/cloudevents+json".into();
    let cleared = json!({
        "contentType": "text/plain",
        "payload": { "description": "Nothing: the retained state is gone.", "type": "string", "maxLength": 0 },
    });
    let messages = [
        ("AlertEvent", alert),
        ("Cleared", cleared),
        ("BoxStatus", plain::<BoxStatus>(schemas)),
        ("CameraStatus", plain::<CameraStatus>(schemas)),
        ("BoxBirth", plain::<BoxBirth>(schemas)),
        ("BoxHealth", plain::<BoxHealth>(schemas)),
        ("BoxGap", plain::<BoxGap>(schemas)),
        ("BoxLedger", plain::<BoxLedger>(schemas)),
        ("AuditHead", signed::<AuditHead>(schemas)),
        ("Command", signed::<Command>(schemas)),
        ("Reply", plain::<Reply>(schemas)),
        ("Receipt", plain::<Receipt>(schemas)),
    ];
    messages.map(|(name, message)| (name.to_owned(), message)).into()
}

/// Doc comments are broken at the width of a source file, and link to Rust.
fn readable(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "description" => {
                        let paragraphs: Vec<String> = text.split("\n\n").map(|p| p.replace('\n', " ")).collect();
                        *text = paragraphs.join("\n\n").replace("[`", "`").replace("`]", "`");
                    }
                    value => readable(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(readable),
        _ => {}
    }
}

fn document() -> Document {
    // The schemas of AsyncAPI are a superset of JSON Schema draft 7.
    let mut settings = SchemaSettings::draft07();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let messages = messages(&mut generator);
    let schemas = generator.take_definitions(true).into_iter().map(|(name, mut schema)| {
        readable(&mut schema);
        (name, Schema::try_from(schema).unwrap())
    });
    let topics = topics();
    Document {
        asyncapi: "3.0.0",
        info: json!({
            "title": "Karaul",
            "version": format!("{CONTRACT}.0"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        }),
        default_content_type: "application/json",
        servers: json!({ "broker": {
            "host": "{host}:{port}",
            "protocol": "secure-mqtt",
            "protocolVersion": "5.0",
            "description": "The operations centre's broker. MQTT 5, or 3.1.1 with a broker that does not speak it.",
            "variables": {
                "host": { "description": "From broker.url in the box's config.", "examples": ["ops.example.org"] },
                "port": { "default": "8883" },
            },
        } }),
        channels: Ordered(topics.iter().map(|topic| (topic.name.to_owned(), channel(topic))).collect()),
        operations: Ordered(topics.iter().map(operation).collect()),
        components: Components {
            parameters: Ordered(parameters().into_iter().map(|(name, _, about)| (name.to_owned(), about)).collect()),
            messages: Ordered(messages),
            schemas: Ordered(schemas.collect()),
        },
    }
}
