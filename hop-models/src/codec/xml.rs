mod optional;

use std::num::NonZeroUsize;

use bytes::Bytes;
use hop_core::{Codec, Content, Error, ErrorKind, Value};
use quick_xml::de::Deserializer;
use quick_xml::errors::serialize::DeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::voevent::xml::Document;

/// [XML](https://www.w3.org/TR/xml/) of the model's fields, by [quick-xml's rules](quick_xml::de); feature `xml`.
///
/// For networks and programs that ask for XML. The model's name is the root element's, which reading does not look at; a
/// field is a child element, one whose name starts with `@` an attribute, `$text` the text; a list is an element that
/// repeats, also where other elements come between.
///
/// ```
/// # #[cfg(feature = "xml")] {
/// use hop_core::{HopModel, MessageModel};
/// use hop_models::codec::Xml;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, HopModel)]
/// #[hop(format = "xml-donut", codec = Xml)]
/// struct Donut {
///     #[serde(rename = "@id")]
///     id: u32,
///     flavor: String,
///     #[serde(rename = "topping", default)]
///     toppings: Vec<String>,
/// }
///
/// let donut = Donut { id: 7, flavor: "maple".into(), toppings: vec!["nuts".into(), "sugar".into()] };
/// assert_eq!(
///     donut.encode()?,
///     r#"<Donut id="7"><flavor>maple</flavor><topping>nuts</topping><topping>sugar</topping></Donut>"#,
/// );
/// assert_eq!(Donut::decode((&donut.encode()?).into())?, donut);
/// # }
/// # Ok::<(), hop_core::Error>(())
/// ```
///
/// What is read is checked first, by the reader of [`VoEvent`](crate::VoEvent): it is well formed, in UTF-8, UTF-16,
/// US-ASCII, ISO-8859-x or windows-125x, and has no document type declaration, so no entities of its own.
///
/// # Limits
/// Names stand as they are written, prefix and all: namespaces are not resolved. Comments, processing instructions and
/// the order of different elements are lost. XML has no null, so an `Option` is left out where it is `None`:
/// `#[serde(default, skip_serializing_if = "Option::is_none")]`; for an optional number or truth value an element or attribute
/// that is empty, as `<mag/>`, is `None` too. What was written is read again before it is handed over, and a
/// model that would come back as another is refused. Maps need keys that are
/// names; lists of lists, and values of any shape, have no XML.
///
/// Content is held to [`Limits`](hop_core::Limits) in size, depth and number of elements, texts and attributes, each of
/// which counts as four [`nodes`](hop_core::Limits::nodes), for it takes as long: a million by default. Models are held to
/// 128 levels, and to 131,072 tags and texts of other elements between the elements of a list or after them, which
/// quick-xml puts aside while it looks for more.
#[derive(Debug, Clone, Copy)]
pub struct Xml;

const DEEPEST: usize = 128;
const MOST_PUT_ASIDE: NonZeroUsize = NonZeroUsize::new(1 << 17).unwrap();

impl<M: Serialize + DeserializeOwned> Codec<M> for Xml {
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
        content.check_size(format)?;
        // A byte-order mark may stand before the declaration, white space may not.
        let after_mark = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
        let trimmed = after_mark.trim_ascii_start();
        let is_late = trimmed.len() < after_mark.len() && trimmed.starts_with(b"<?xml");
        let is_late = is_late && trimmed.get(5).is_some_and(u8::is_ascii_whitespace);
        let text = Document::check(content).map_err(|error| error.about(format))?;
        // It was checked.
        let text = std::str::from_utf8(&text).unwrap_or_default();
        if is_late {
            return Err(Error::new(ErrorKind::Malformed, format)
                .expected("the XML declaration at the start")
                .found("white space before it")
                .at(hop_core::Location::in_text(text.as_bytes(), 0)));
        }
        // The declaration was read: quick-xml refuses versions such as `1.7`, which parsers of XML 1.0 are to take.
        let start = if text.starts_with("<?xml ") { text.find("?>").map_or(0, |end| end + 2) } else { 0 };
        let read = |options: &optional::Options| {
            let mut reader = Deserializer::from_str(&text[start..]);
            reader.recursion_limit(content.limits().depth.min(DEEPEST));
            reader.event_buffer_size(Some(MOST_PUT_ASIDE));
            let read = M::deserialize(optional::Noting::new(&mut reader, options));
            read.map_err(|error| (error, reader.get_ref().get_ref().buffer_position()))
        };
        optional::read(read).map_err(|(error, at)| {
            let kind = match error {
                DeError::TooDeeplyNested(_) | DeError::TooManyEvents(_) => ErrorKind::Limit,
                _ => ErrorKind::Invalid,
            };
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            let found: String = error.to_string().chars().take(200).collect();
            Error::new(kind, format)
                .found(found)
                .at(hop_core::Location::in_text(text.as_bytes(), at.saturating_add(start)))
        })
    }

    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
        let text = quick_xml::se::to_string(model).map_err(|error| {
            Error::new(ErrorKind::Unencodable, format)
                .found(error.to_string())
                .help("XML has elements and text: name the fields, and take another codec for values of any shape")
        })?;
        // serde's model and XML do not meet everywhere, and nothing says where they do not.
        let again: Result<M, _> = Self::decode(format, text.as_str().into());
        if again.is_ok_and(|again| fields(&again).is_some_and(|again| fields(model) == Some(again))) {
            return Ok(text.into());
        }
        Err(Error::new(ErrorKind::Unencodable, format)
            .expected("a model that XML brings back")
            .found(format!("one of which `{}` is read as another", hop_core::excerpt(text.as_bytes())))
            .help(
                "leave out what is `None` with `#[serde(default, skip_serializing_if = \"Option::is_none\")]`; lists of lists, \
                 tagged and untagged enums, and values of any shape take another codec",
            ))
    }
}

/// As text, in which NaN is the same as NaN.
fn fields<M: Serialize>(model: &M) -> Option<Vec<u8>> {
    Value::of(model).ok()?.to_json().ok()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Maybe {
        known: f64,
        maybe: Option<f64>,
    }

    #[test]
    fn the_declaration_stands_first_or_not_at_all_and_is_of_any_version() {
        let read = |start: &str| -> Result<Maybe, hop_core::Error> {
            Xml::decode("maybe", format!("{start}<M><known>1</known><maybe>2</maybe></M>").as_str().into())
        };
        for start in
            ["", "\n", "<?xml version=\"1.0\"?>", "<?xml version=\"1.7\"?>", "<?xml version=\"1.1\" ?>\n<!-- c -->"]
        {
            assert_eq!(read(start).unwrap(), Maybe { known: 1.0, maybe: Some(2.0) }, "{start}");
        }
        for start in [
            "\n<?xml version=\"1.0\"?>",
            " <?xml version=\"1.0\"?>",
            "\t\n<?xml version=\"1.1\"?>",
            "\u{feff} <?xml version=\"1.0\"?>",
        ] {
            let error = read(start).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{start:?}: {error}");
        }
    }

    #[test]
    fn what_would_not_come_back_is_not_written() {
        let model = Maybe { known: f64::NAN, maybe: Some(1.5) };
        let text = Xml::encode("maybe", &model).unwrap();
        assert_eq!(text, "<Maybe><known>NaN</known><maybe>1.5</maybe></Maybe>");
        #[derive(Debug, Serialize, Deserialize)]
        struct Note {
            note: Option<String>,
        }
        let error = Xml::encode("note", &Note { note: None }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unencodable);
        assert!(error.to_string().contains("skip_serializing_if"), "{error}");
        let lists = std::collections::BTreeMap::from([("a".to_owned(), vec![vec![1], vec![]])]);
        assert!(Xml::encode("lists", &lists).is_err());
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sparse {
        #[serde(rename = "@epoch")]
        epoch: Option<f64>,
        mag: Option<f64>,
        count: Option<std::num::NonZeroU32>,
        wrapped: Option<Wrapped>,
        flag: Option<bool>,
        note: Option<String>,
        #[serde(default, rename = "point")]
        points: Vec<Point>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(u8);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Point {
        flux: Option<f32>,
    }

    #[test]
    fn an_optional_number_that_is_empty_is_none() {
        let read = |text: &str| -> Result<Sparse, hop_core::Error> { Xml::decode("sparse", text.into()) };
        let none =
            Sparse { epoch: None, mag: None, count: None, wrapped: None, flag: None, note: None, points: Vec::new() };
        assert_eq!(read("<S/>").unwrap(), none);
        for text in [
            "<S><mag/><count/><wrapped/><flag/></S>",
            "<S epoch=''><mag></mag><count> </count><wrapped>\n</wrapped></S>",
            "<S epoch=' '><flag/><mag/></S>",
        ] {
            assert_eq!(read(text).unwrap(), none, "{text}");
        }
        let text = "<S epoch='2000.0'><point><flux/></point><mag> 1.5 </mag><point><flux>-2e3</flux></point><count>7</count>\
                    <wrapped>8</wrapped><flag>true</flag><note/><point><flux></flux></point></S>";
        let points = [None, Some(-2000.0), None].map(|flux| Point { flux });
        let expected = Sparse {
            epoch: Some(2000.0),
            mag: Some(1.5),
            count: std::num::NonZeroU32::new(7),
            wrapped: Some(Wrapped(8)),
            flag: Some(true),
            // Text may be empty.
            note: Some(String::new()),
            points: points.into(),
        };
        assert_eq!(read(text).unwrap(), expected);
        for wrong in [
            "<S><mag>x</mag></S>",
            "<S><count>0</count></S>",
            "<S><mag><x/></mag></S>",
            "<S><wrapped>256</wrapped></S>",
        ] {
            assert_eq!(read(wrong).unwrap_err().kind(), ErrorKind::Invalid, "{wrong}");
        }
        let maybe: Result<Maybe, _> = Xml::decode("maybe", "<M><known/><maybe/></M>".into());
        assert!(maybe.is_err(), "{maybe:?}");
        // It is written as it is read.
        assert_eq!(
            Xml::encode("maybe", &Maybe { known: 1.0, maybe: None }).unwrap(),
            "<Maybe><known>1</known><maybe/></Maybe>"
        );
    }

    #[test]
    fn very_many_optional_numbers_that_are_empty_cost_two_readings() {
        let text = format!("<S>{}</S>", "<point><flux/></point>".repeat(100_000));
        let started = std::time::Instant::now();
        let sparse: Sparse = Xml::decode("sparse", text.as_str().into()).unwrap();
        assert_eq!(sparse.points.len(), 100_000);
        assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
    }
}
