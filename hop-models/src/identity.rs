//! What a message says it is, by which repeats are recognised.

use hop_core::AnyModel;

use crate::{Circular, VoEvent};

/// Returns an identifier that no other message has, made from what the message itself says: the IVORN of a VOEvent, the number
/// and the version of a GCN circular. `None` for other formats, and where the message does not say.
///
/// Networks pass a message on by several ways, and GCN sends a circular again when a bibcode is added, each time with a fresh
/// `_id`: a reader that wants each message once compares this too.
///
/// ```
/// use hop_models::{Circular, identity};
///
/// let circular = Circular::new([("NUMBER", "34403"), ("VERSION", "2")], "We observed …\n");
/// assert_eq!(identity(&circular).as_deref(), Some("gcn circular 34403 version 2"));
/// ```
pub fn identity(model: &dyn AnyModel) -> Option<String> {
    if let Some(event) = model.downcast_ref::<VoEvent>() {
        return event.ivorn().map(|ivorn| ivorn.trim().to_owned()).filter(|ivorn| !ivorn.is_empty());
    }
    let circular = model.downcast_ref::<Circular>()?;
    // A few were numbered in between, such as 31034.5.
    let title = |name| circular.header().get(name).map(str::trim).filter(|text| !text.is_empty());
    let number = title("number")?;
    // GCN states no version for the first one.
    Some(format!("gcn circular {number} version {}", title("version").unwrap_or("1")))
}

#[cfg(test)]
mod tests {
    use hop_core::{Blob, MessageModel as _};

    use super::*;

    #[test]
    fn versions_differ_and_what_says_nothing_has_no_identity() {
        let gcn = |version: &str| {
            let json = format!(
                r#"{{"circularId": 7, {version} "subject": "s", "body": "b", "submitter": "x", "createdOn": 1}}"#
            );
            identity(&Circular::decode(json.as_bytes().into()).unwrap())
        };
        assert_eq!(gcn(""), gcn(r#""version": 1,"#));
        assert_ne!(gcn(""), gcn(r#""version": 2,"#));
        assert_eq!(gcn("").as_deref(), Some("gcn circular 7 version 1"));
        assert_eq!(identity(&Circular::new([("SUBJECT", "s")], "b")), None);
        assert_eq!(identity(&Blob::from(&b"x"[..])), None);
        let event = br#"<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" role="test" ivorn="ivo://a/b#1"/>"#;
        let event = VoEvent::decode(event[..].into()).unwrap();
        assert_eq!(identity(&event).as_deref(), Some("ivo://a/b#1"));
    }
}
