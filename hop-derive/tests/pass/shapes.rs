// Every shape that serde takes is a model.

use hop_core::{HopModel, MessageModel, Registry};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
struct Named {
    flavor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    glaze: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "tuple.v1")]
struct Tuple(f64, Vec<u8>);

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[hop(format = r"pastry_1")]
enum Pastry {
    Donut { filled: bool },
    Bagel,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
#[allow(non_camel_case_types)]
struct r#loop {}

// A label from a macro arrives wrapped.
macro_rules! model {
    ($name:ident, $label:literal) => {
        #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
        #[hop(format = $label)]
        struct $name {
            content: u8,
        }
    };
}
model!(Made, "made-by-macro");

fn round<M: MessageModel + PartialEq>(model: M, wire: &str) {
    assert_eq!(model.encode().unwrap(), wire);
    assert_eq!(M::decode(wire.into()).unwrap(), model);
    assert_eq!(M::from_fields(model.fields().unwrap()).unwrap(), model);
    assert!(Registry::linked().unwrap().require(M::FORMAT).unwrap().is::<M>());
}

fn main() {
    round(Named { flavor: "maple".into(), glaze: None }, r#"{"flavor": "maple"}"#);
    round(Tuple(0.5, vec![1, 2]), "[0.5, [1, 2]]");
    round(Unit, "null");
    round(Pastry::Donut { filled: true }, r#"{"kind": "donut", "filled": true}"#);
    round(Pastry::Bagel, r#"{"kind": "bagel"}"#);
    round(r#loop {}, "{}");
    round(Made { content: 7 }, r#"{"content": 7}"#);
    let models: Vec<_> = Registry::linked().unwrap().iter().map(|model| (model.format(), model.type_name())).collect();
    assert_eq!(
        models,
        [
            ("blob", "Blob"),
            ("json", "JsonBlob"),
            ("loop", "loop"),
            ("made-by-macro", "Made"),
            ("named", "Named"),
            ("pastry_1", "Pastry"),
            ("tuple.v1", "Tuple"),
            ("unit", "Unit"),
        ]
    );
}
