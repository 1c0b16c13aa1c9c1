use std::num::NonZeroUsize;

use bytes::Bytes;
use hop_core::{Codec, Content, Error, ErrorKind};
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
/// Names stand as they are written, prefix and all: namespaces are not resolved. White space at the ends of text is
/// trimmed, and comments, processing instructions and the order of different elements are lost. Maps need keys that are
/// names; lists of lists, and values of any shape, have no XML. Content is held to [`Limits`](hop_core::Limits) in size, depth
/// and number of elements and attributes; and models to 128 levels, and to 262,144 tags and texts of other elements between
/// the elements of a list or after them, which quick-xml puts aside while it looks for more.
#[derive(Debug, Clone, Copy)]
pub struct Xml;

const DEEPEST: usize = 128;
const MOST_PUT_ASIDE: NonZeroUsize = NonZeroUsize::new(1 << 18).unwrap();

impl<M: Serialize + DeserializeOwned> Codec<M> for Xml {
    fn decode(format: &'static str, content: Content<'_>) -> Result<M, Error> {
        content.check_size(format)?;
        let text = Document::check(content).map_err(|error| error.about(format))?;
        // It was checked.
        let text = std::str::from_utf8(&text).unwrap_or_default();
        let mut reader = Deserializer::from_str(text);
        reader.recursion_limit(content.limits().depth.min(DEEPEST));
        reader.event_buffer_size(Some(MOST_PUT_ASIDE));
        M::deserialize(&mut reader).map_err(|error| {
            let kind = match error {
                DeError::TooDeeplyNested(_) | DeError::TooManyEvents(_) => ErrorKind::Limit,
                _ => ErrorKind::Invalid,
            };
            let at = usize::try_from(reader.get_ref().get_ref().buffer_position()).unwrap_or(usize::MAX);
            let found: String = error.to_string().chars().take(200).collect();
            Error::new(kind, format).found(found).at(hop_core::Location::in_text(text.as_bytes(), at))
        })
    }

    fn encode(format: &'static str, model: &M) -> Result<Bytes, Error> {
        let text = quick_xml::se::to_string(model).map_err(|error| {
            Error::new(ErrorKind::Unencodable, format)
                .found(error.to_string())
                .help("XML has elements and text: name the fields, and take another codec for values of any shape")
        })?;
        Ok(text.into())
    }
}
