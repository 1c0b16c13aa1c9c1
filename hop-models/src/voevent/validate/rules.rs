//! The elements of VOEvent 2.0: their attributes, and what they hold.
//!
//! Source: VOEvent 2.0, `VOEvent-v2.0.xsd`, in which `All` is `xs:all`, `Any` a repeated `xs:choice`, `Sequence` `xs:sequence`.

use super::types::Type::{self, DateTime, Fixed, Float, Id, OneOf, Probability, Text, Uri};

/// What is allowed for one element.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) attributes: &'static [Attribute],
    pub(super) content: Content,
}

pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    pub(super) required: bool,
}

pub(super) enum Content {
    /// Nothing, not even white space.
    Empty,
    Text(Type),
    /// These in any order, each at most once.
    All(&'static [Child]),
    /// Any of these in any order and number.
    Any {
        children: &'static [Child],
        needs_one: bool,
    },
    /// These in this order; the first may repeat.
    Sequence(&'static [Child]),
}

pub(super) struct Child {
    pub(super) rule: &'static Rule,
    pub(super) required: bool,
}

impl Content {
    pub(super) fn children(&self) -> &'static [Child] {
        match self {
            Self::Empty | Self::Text(_) => &[],
            Self::All(children) | Self::Sequence(children) | Self::Any { children, .. } => children,
        }
    }

    /// Whether this child may come more than once.
    pub(super) fn repeats(&self, child: &Child) -> bool {
        match self {
            Self::Any { .. } => true,
            Self::Sequence(_) => child.required,
            _ => false,
        }
    }
}

const fn attribute(name: &'static str, kind: Type) -> Attribute {
    Attribute { name, kind, required: false }
}

const fn needed(name: &'static str, kind: Type) -> Attribute {
    Attribute { name, kind, required: true }
}

const fn may(rule: &'static Rule) -> Child {
    Child { rule, required: false }
}

const fn must(rule: &'static Rule) -> Child {
    Child { rule, required: true }
}

const fn leaf(name: &'static str, kind: Type) -> Rule {
    Rule { name, attributes: &[], content: Content::Text(kind) }
}

const fn any(
    name: &'static str,
    attributes: &'static [Attribute],
    children: &'static [Child],
    needs_one: bool,
) -> Rule {
    Rule { name, attributes, content: Content::Any { children, needs_one } }
}

const fn all(name: &'static str, attributes: &'static [Attribute], children: &'static [Child]) -> Rule {
    Rule { name, attributes, content: Content::All(children) }
}

const ROLES: Type = OneOf(&["observation", "prediction", "utility", "test"]);
const CITES: Type = OneOf(&["followup", "supersedes", "retraction"]);
const DATA_TYPES: Type = OneOf(&["string", "float", "int"]);
const SYSTEMS: Type = OneOf(&[
    "TT-ICRS-TOPO",
    "UTC-ICRS-TOPO",
    "TT-FK5-TOPO",
    "UTC-FK5-TOPO",
    "GPS-ICRS-TOPO",
    "GPS-FK5-TOPO",
    "TT-ICRS-GEO",
    "UTC-ICRS-GEO",
    "TT-FK5-GEO",
    "UTC-FK5-GEO",
    "GPS-ICRS-GEO",
    "TDB-ICRS-BARY",
    "TDB-FK5-BARY",
    "UTC-GEOD-TOPO",
]);

pub(super) static VOEVENT: Rule = all(
    "VOEvent",
    &[needed("version", Fixed("2.0")), needed("ivorn", Uri), attribute("role", ROLES)],
    &[
        may(&WHO),
        may(&WHAT),
        may(&WHERE_WHEN),
        may(&HOW),
        may(&WHY),
        may(&CITATIONS),
        may(&DESCRIPTION),
        may(&REFERENCE),
    ],
);

static DESCRIPTION: Rule = leaf("Description", Text);
static NAME: Rule = leaf("Name", Text);
static CONCEPT: Rule = leaf("Concept", Text);
static REFERENCE: Rule = Rule {
    name: "Reference",
    attributes: &[needed("uri", Uri), attribute("type", Text), attribute("mimetype", Text), attribute("meaning", Uri)],
    content: Content::Empty,
};

static WHO: Rule = all("Who", &[], &[may(&AUTHOR_IVORN), may(&DATE), may(&DESCRIPTION), may(&REFERENCE), may(&AUTHOR)]);
static AUTHOR_IVORN: Rule = leaf("AuthorIVORN", Uri);
static DATE: Rule = leaf("Date", DateTime);
static AUTHOR: Rule = any(
    "Author",
    &[],
    &[
        may(&TITLE),
        may(&SHORT_NAME),
        may(&LOGO_URL),
        may(&CONTACT_NAME),
        may(&CONTACT_EMAIL),
        may(&CONTACT_PHONE),
        may(&CONTRIBUTOR),
    ],
    true,
);
static TITLE: Rule = leaf("title", Text);
static SHORT_NAME: Rule = leaf("shortName", Text);
static LOGO_URL: Rule = leaf("logoURL", Uri);
static CONTACT_NAME: Rule = leaf("contactName", Text);
static CONTACT_EMAIL: Rule = leaf("contactEmail", Text);
static CONTACT_PHONE: Rule = leaf("contactPhone", Text);
static CONTRIBUTOR: Rule = leaf("contributor", Text);

static WHAT: Rule =
    any("What", &[], &[may(&PARAM), may(&GROUP), may(&TABLE), may(&DESCRIPTION), may(&REFERENCE)], false);
static PARAM: Rule = any(
    "Param",
    &[
        attribute("name", Text),
        attribute("ucd", Text),
        attribute("value", Text),
        attribute("unit", Text),
        attribute("dataType", DATA_TYPES),
        attribute("utype", Text),
    ],
    &[may(&DESCRIPTION), may(&REFERENCE), may(&VALUE)],
    false,
);
static VALUE: Rule = leaf("Value", Text);
static GROUP: Rule = any(
    "Group",
    &[attribute("name", Text), attribute("type", Text)],
    &[may(&PARAM), may(&DESCRIPTION), may(&REFERENCE)],
    false,
);
static TABLE: Rule = any(
    "Table",
    &[attribute("name", Text), attribute("type", Text)],
    &[may(&DESCRIPTION), may(&REFERENCE), may(&PARAM), may(&FIELD), may(&DATA)],
    false,
);
static FIELD: Rule = any(
    "Field",
    &[
        attribute("name", Text),
        attribute("ucd", Text),
        attribute("unit", Text),
        attribute("dataType", DATA_TYPES),
        attribute("utype", Text),
    ],
    &[may(&DESCRIPTION), may(&REFERENCE)],
    false,
);
static DATA: Rule = any("Data", &[], &[may(&ROW)], true);
static ROW: Rule = any("TR", &[], &[may(&CELL)], true);
static CELL: Rule = leaf("TD", Text);

static WHERE_WHEN: Rule =
    any("WhereWhen", &[attribute("id", Id)], &[may(&OBS_DATA_LOCATION), may(&DESCRIPTION), may(&REFERENCE)], false);
static OBS_DATA_LOCATION: Rule =
    all("ObsDataLocation", &[], &[must(&OBSERVATORY_LOCATION), must(&OBSERVATION_LOCATION)]);
static OBSERVATORY_LOCATION: Rule =
    all("ObservatoryLocation", &[attribute("id", Text)], &[may(&ASTRO_COORD_SYSTEM), may(&ASTRO_COORDS)]);
static OBSERVATION_LOCATION: Rule = all("ObservationLocation", &[], &[must(&ASTRO_COORD_SYSTEM), must(&ASTRO_COORDS)]);
static ASTRO_COORD_SYSTEM: Rule =
    Rule { name: "AstroCoordSystem", attributes: &[attribute("id", SYSTEMS)], content: Content::Empty };
static ASTRO_COORDS: Rule =
    all("AstroCoords", &[attribute("coord_system_id", SYSTEMS)], &[may(&TIME), may(&POSITION_2D), may(&POSITION_3D)]);
static TIME: Rule = any("Time", &[attribute("unit", Text)], &[may(&TIME_INSTANT), may(&ERROR)], false);
static TIME_INSTANT: Rule = any("TimeInstant", &[], &[may(&ISO_TIME), may(&TIME_OFFSET), may(&TIME_SCALE)], false);
static ISO_TIME: Rule = leaf("ISOTime", Text);
static TIME_OFFSET: Rule = leaf("TimeOffset", Float);
static TIME_SCALE: Rule = leaf("TimeScale", Text);
static ERROR: Rule = leaf("Error", Float);
static POSITION_2D: Rule =
    all("Position2D", &[attribute("unit", Text)], &[may(&NAME_1), may(&NAME_2), must(&VALUE_2), must(&ERROR_2_RADIUS)]);
static POSITION_3D: Rule =
    all("Position3D", &[attribute("unit", Text)], &[may(&NAME_1), may(&NAME_2), may(&NAME_3), must(&VALUE_3)]);
static NAME_1: Rule = leaf("Name1", Text);
static NAME_2: Rule = leaf("Name2", Text);
static NAME_3: Rule = leaf("Name3", Text);
static VALUE_2: Rule = all("Value2", &[], &[must(&C_1), must(&C_2)]);
static VALUE_3: Rule = all("Value3", &[], &[must(&C_1), must(&C_2), must(&C_3)]);
static C_1: Rule = leaf("C1", Float);
static C_2: Rule = leaf("C2", Float);
static C_3: Rule = leaf("C3", Float);
static ERROR_2_RADIUS: Rule = leaf("Error2Radius", Float);

static HOW: Rule = any("How", &[], &[may(&DESCRIPTION), may(&REFERENCE)], true);
static WHY: Rule = any(
    "Why",
    &[attribute("importance", Float), attribute("expires", DateTime)],
    &[may(&NAME), may(&CONCEPT), may(&INFERENCE), may(&DESCRIPTION), may(&REFERENCE)],
    true,
);
static INFERENCE: Rule = any(
    "Inference",
    &[attribute("probability", Probability), attribute("relation", Text)],
    &[may(&NAME), may(&CONCEPT), may(&DESCRIPTION), may(&REFERENCE)],
    true,
);
static CITATIONS: Rule =
    Rule { name: "Citations", attributes: &[], content: Content::Sequence(&[must(&EVENT_IVORN), may(&DESCRIPTION)]) };
static EVENT_IVORN: Rule =
    Rule { name: "EventIVORN", attributes: &[attribute("cite", CITES)], content: Content::Text(Text) };
