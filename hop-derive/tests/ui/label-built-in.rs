use hop_core::HopModel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "voevent")]
struct Voevent;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "circular")]
struct Circular;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "gcntextnotice")]
struct Gcntextnotice;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "blob")]
struct Blob;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "json")]
struct Json;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "avro")]
struct Avro;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "external")]
struct External;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "gcnnotice")]
struct Gcnnotice;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "gcnpacket")]
struct Gcnpacket;

#[derive(Debug, Serialize, Deserialize, HopModel)]
#[hop(format = "gwalert")]
struct Gwalert;

fn main() {}
