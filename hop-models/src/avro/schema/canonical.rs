//! The parsing canonical form, and its fingerprint.

use hop_core::Value;

/// The canonical form of a schema whose names are full already.
pub(super) fn form(json: &Value) -> String {
    let mut out = String::new();
    write(&mut out, json);
    out
}

fn write(out: &mut String, json: &Value) {
    match json {
        Value::Array(branches) => list(out, branches, write),
        Value::Object(object) => {
            let kind = object.get("type").unwrap_or(&Value::Null);
            let named = object.get("name").is_some();
            let holds = ["items", "values"].iter().any(|part| object.get(part).is_some());
            if !named && !holds {
                return write(out, kind);
            }
            out.push('{');
            if let Some(name) = object.get("name") {
                entry(out, "name", |out| out.push_str(&name.to_string()));
            }
            entry(out, "type", |out| write(out, kind));
            if let Some(fields) = object.get("fields").and_then(Value::as_array) {
                entry(out, "fields", |out| list(out, fields, write_field));
            }
            if let Some(symbols) = object.get("symbols").and_then(Value::as_array) {
                entry(out, "symbols", |out| list(out, symbols, |out, symbol| out.push_str(&symbol.to_string())));
            }
            for part in ["items", "values"] {
                if let Some(inner) = object.get(part) {
                    entry(out, part, |out| write(out, inner));
                }
            }
            if let Some(size) = object.get("size") {
                entry(out, "size", |out| out.push_str(&size.to_string()));
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn write_field(out: &mut String, field: &Value) {
    out.push('{');
    entry(out, "name", |out| out.push_str(&field["name"].to_string()));
    entry(out, "type", |out| write(out, &field["type"]));
    out.push('}');
}

fn entry(out: &mut String, name: &str, value: impl FnOnce(&mut String)) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
    value(out);
}

fn list(out: &mut String, values: &[Value], each: impl Fn(&mut String, &Value)) {
    out.push('[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        each(out, value);
    }
    out.push(']');
}

const EMPTY: u64 = 0xC15D_213A_A4D7_A795;

const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut bits = at as u64;
        let mut bit = 0;
        while bit < 8 {
            bits = (bits >> 1) ^ (EMPTY & (bits & 1).wrapping_neg());
            bit += 1;
        }
        table[at] = bits;
        at += 1;
    }
    table
};

/// The 64-bit Rabin fingerprint, CRC-64-AVRO.
pub(in crate::avro) fn rabin(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |bits, byte| (bits >> 8) ^ TABLE[((bits ^ u64::from(*byte)) & 0xFF) as usize])
}
