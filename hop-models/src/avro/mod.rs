//! Avro object container files: `avro`.
mod codec;
mod container;
mod cursor;
mod decode;
mod framing;
mod logical;
mod schema;
mod value;

use std::sync::OnceLock;

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, Limits, MessageModel};

use self::container::File;
pub use self::framing::{split_confluent, split_single_object};
pub use self::logical::{Date, Decimal, Duration, Time, TimeUnit, Timestamp};
pub use self::schema::Schema;
pub use self::value::{Map, Record, Symbol, Value};

const LABEL: &str = "avro";

/// X
#[derive(Debug, Clone)]
pub struct AvroBlob {
    file: File,
    values: OnceLock<Vec<Value>>,
}

impl AvroBlob {
    /// X
    pub fn from_datum(schema: &Schema, datum: impl Into<Bytes>) -> Result<Self, Error> {
        Ok(Self { file: File::datum(schema, datum.into(), &Limits::DEFAULT)?, values: OnceLock::new() })
    }

    /// X
    pub fn records(&self) -> Result<&[Value], Error> {
        if let Some(values) = self.values.get() {
            return Ok(values);
        }
        let mut values = Vec::with_capacity(self.file.count());
        for block in &self.file.blocks {
            let mut reader = decode::Reader::new(&self.file.schema, &block.data);
            for _ in 0..block.count {
                values.push(reader.record().map_err(|fault| fault.into_error(0, Some("")))?);
            }
        }
        Ok(self.values.get_or_init(|| values))
    }
}

impl MessageModel for AvroBlob {
    const FORMAT: &'static str = LABEL;
    fn decode(content: Content<'_>) -> Result<Self, Error> {
        Ok(Self { file: File::read(content)?, values: OnceLock::new() })
    }
    fn encode(&self) -> Result<Bytes, Error> {
        Ok(match &self.file.bytes {
            Some(bytes) => bytes.clone(),
            None => container::write(&self.file.schema, &self.file.blocks).into(),
        })
    }
    fn fields(&self) -> Result<hop_core::Value, Error> {
        let records = self.records()?;
        let (content, single) = match records {
            [one] => (one.into(), true),
            several => (hop_core::Value::Array(several.iter().map(Into::into).collect()), false),
        };
        Ok(hop_core::Value::object([
            ("content", content),
            ("schema", self.file.schema.json().clone()),
            ("single_record", single.into()),
        ]))
    }
}
