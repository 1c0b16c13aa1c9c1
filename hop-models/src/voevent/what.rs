//! What was measured: the views of `What`, in document order.

use std::borrow::Cow;

use hop_core::Error;

use super::view::{Reference, not_a, number, texts, view};
use super::xml::Element;

view! {
    /// What was measured: `<What>`.
    ///
    /// Source: VOEvent 2.0, `<What>`.
    What
}

/// A thing in `<What>` or `<Group>`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Item<'a> {
    /// A `<Param>`.
    Param(Param<'a>),
    /// A `<Group>`.
    Group(Group<'a>),
    /// A `<Table>`.
    Table(Table<'a>),
    /// A `<Reference>`.
    Reference(Reference<'a>),
    /// A `<Description>`, or an element that the standard does not name.
    Other(Element<'a>),
}

impl<'a> From<Element<'a>> for Item<'a> {
    fn from(element: Element<'a>) -> Self {
        match element.name() {
            "Param" => Self::Param(element.into()),
            "Group" => Self::Group(element.into()),
            "Table" => Self::Table(element.into()),
            "Reference" => Self::Reference(element.into()),
            _ => Self::Other(element),
        }
    }
}

impl<'a> What<'a> {
    /// Everything in it in document order, `Param` and `Group` as they alternate.
    pub fn items(self) -> impl Iterator<Item = Item<'a>> {
        self.0.children().map(Item::from)
    }

    /// The parameters that stand in no group.
    pub fn params(self) -> impl Iterator<Item = Param<'a>> {
        self.0.children_named("Param").map(Param)
    }

    /// The groups.
    pub fn groups(self) -> impl Iterator<Item = Group<'a>> {
        self.0.children_named("Group").map(Group)
    }

    /// The tables.
    pub fn tables(self) -> impl Iterator<Item = Table<'a>> {
        self.0.children_named("Table").map(Table)
    }

    /// The free texts in `<Description>`.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }

    /// The links in `<Reference>`.
    pub fn references(self) -> impl Iterator<Item = Reference<'a>> {
        self.0.children_named("Reference").map(Reference::from)
    }
}

view! {
    /// One measured value, as a `<Param>` states it.
    ///
    /// `value` is the text as sent; `unit` is the sender's (`"Hz"` for a false-alarm rate), `None` when absent, never
    /// assumed.
    ///
    /// # Errors
    /// `as_f64` fails if `value` is not a number, quoting name and text.
    ///
    /// Source: VOEvent 2.0, `<Param>`.
    Param
}

impl<'a> Param<'a> {
    /// The name: `name`.
    pub fn name(self) -> Option<Cow<'a, str>> {
        self.0.attribute("name")
    }

    /// The value as sent: `value`, else the text of `<Value>`.
    pub fn value(self) -> Option<Cow<'a, str>> {
        self.0.attribute("value").or_else(|| self.0.child("Value")?.text())
    }

    /// The unit as sent: `unit`, in VOEvent 1.0 `units`.
    pub fn unit(self) -> Option<Cow<'a, str>> {
        self.0.attribute("unit").or_else(|| self.0.attribute("units"))
    }

    /// What kind of quantity it is, in the words of the Unified Content Descriptors: `ucd`.
    pub fn ucd(self) -> Option<Cow<'a, str>> {
        self.0.attribute("ucd")
    }

    /// `string`, `int` or `float`, as the sender says: `dataType`. Senders are not always right about it.
    pub fn data_type(self) -> Option<Cow<'a, str>> {
        self.0.attribute("dataType")
    }

    /// Its place in a data model: `utype`.
    pub fn utype(self) -> Option<Cow<'a, str>> {
        self.0.attribute("utype")
    }

    /// The free texts in `<Description>`.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }

    /// The links in `<Reference>`.
    pub fn references(self) -> impl Iterator<Item = Reference<'a>> {
        self.0.children_named("Reference").map(Reference::from)
    }

    /// The value as a number, in [`unit`](Self::unit).
    ///
    /// # Errors
    /// Kind `Invalid` if it is not a number, quoting name and text.
    pub fn as_f64(self) -> Result<f64, Error> {
        number(&self.text(), || self.path())
    }

    /// The value as an integer; `0x` is read as hexadecimal, as GCN writes flags.
    ///
    /// # Errors
    /// Kind `Invalid` if it is not an integer of 64 bits, quoting name and text.
    pub fn as_i64(self) -> Result<i64, Error> {
        let text = self.text();
        let trimmed = text.trim();
        let parsed = match trimmed.strip_prefix("0x").or_else(|| trimmed.strip_prefix("0X")) {
            Some(digits) if !digits.starts_with(['+', '-']) => i64::from_str_radix(digits, 16),
            _ => trimmed.parse(),
        };
        parsed.map_err(|_| not_a("an integer of 64 bits", &text, self.path()))
    }

    /// The value as true or false: `true`, `false`, `1` or `0`, in any case.
    ///
    /// # Errors
    /// Kind `Invalid` if it is none of these, quoting name and text.
    pub fn as_bool(self) -> Result<bool, Error> {
        let text = self.text();
        match text.trim() {
            "1" => Ok(true),
            "0" => Ok(false),
            word if word.eq_ignore_ascii_case("true") => Ok(true),
            word if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(not_a("`true` or `false`", &text, self.path())),
        }
    }

    fn text(self) -> Cow<'a, str> {
        self.value().unwrap_or_default()
    }

    fn path(self) -> String {
        format!("Param {}", self.name().unwrap_or_default().chars().take(60).collect::<String>())
    }
}

view! {
    /// Parameters that belong together: `<Group>`.
    ///
    /// Source: VOEvent 2.0, `<Group>`.
    Group
}

impl<'a> Group<'a> {
    /// The name: `name`.
    pub fn name(self) -> Option<Cow<'a, str>> {
        self.0.attribute("name")
    }

    /// What makes it a group: `type`.
    pub fn kind(self) -> Option<Cow<'a, str>> {
        self.0.attribute("type")
    }

    /// Everything in it in document order.
    pub fn items(self) -> impl Iterator<Item = Item<'a>> {
        self.0.children().map(Item::from)
    }

    /// Its parameters.
    pub fn params(self) -> impl Iterator<Item = Param<'a>> {
        self.0.children_named("Param").map(Param)
    }

    /// Its first parameter called `name`.
    pub fn param(self, name: &str) -> Option<Param<'a>> {
        self.params().find(|param| param.name().as_deref() == Some(name))
    }

    /// Groups within the group, which the standard does not have but senders do.
    pub fn groups(self) -> impl Iterator<Item = Group<'a>> {
        self.0.children_named("Group").map(Group)
    }

    /// The free texts in `<Description>`.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }

    /// The links in `<Reference>`.
    pub fn references(self) -> impl Iterator<Item = Reference<'a>> {
        self.0.children_named("Reference").map(Reference::from)
    }
}

view! {
    /// Values in rows and columns: `<Table>`.
    ///
    /// Source: VOEvent 2.0, `<Table>`.
    Table
}

impl<'a> Table<'a> {
    /// The name: `name`.
    pub fn name(self) -> Option<Cow<'a, str>> {
        self.0.attribute("name")
    }

    /// The columns: each `<Field>`.
    pub fn fields(self) -> impl Iterator<Item = Field<'a>> {
        self.0.children_named("Field").map(Field)
    }

    /// The rows: each `<TR>`.
    pub fn rows(self) -> impl Iterator<Item = Row<'a>> {
        self.0.children_named("Data").flat_map(|data| data.children_named("TR")).map(Row)
    }

    /// The cells of the first column called `name`, from the top; `None` where a cell is empty or missing.
    ///
    /// `None` when there is no such column.
    pub fn column(self, name: &str) -> Option<impl Iterator<Item = Option<Cow<'a, str>>>> {
        let at = self.fields().position(|field| field.name().as_deref() == Some(name))?;
        Some(self.rows().map(move |row| row.cells().nth(at).flatten()))
    }

    /// Parameters that hold for the whole table.
    pub fn params(self) -> impl Iterator<Item = Param<'a>> {
        self.0.children_named("Param").map(Param)
    }

    /// The free texts in `<Description>`.
    pub fn descriptions(self) -> impl Iterator<Item = Cow<'a, str>> {
        texts(self.0, "Description")
    }
}

view! {
    /// A column of a table: `<Field>`.
    ///
    /// Source: VOEvent 2.0, `<Field>`.
    Field
}

impl<'a> Field<'a> {
    /// The name: `name`.
    pub fn name(self) -> Option<Cow<'a, str>> {
        self.0.attribute("name")
    }

    /// The unit as sent: `unit`, `None` when absent.
    pub fn unit(self) -> Option<Cow<'a, str>> {
        self.0.attribute("unit")
    }

    /// What kind of quantity it is: `ucd`.
    pub fn ucd(self) -> Option<Cow<'a, str>> {
        self.0.attribute("ucd")
    }

    /// `string`, `int` or `float`, as the sender says: `dataType`.
    pub fn data_type(self) -> Option<Cow<'a, str>> {
        self.0.attribute("dataType")
    }
}

view! {
    /// A row of a table: `<TR>`.
    ///
    /// Source: VOEvent 2.0, `<TR>`.
    Row
}

impl<'a> Row<'a> {
    /// The texts of its cells: each `<TD>`, `None` where it is empty.
    pub fn cells(self) -> impl Iterator<Item = Option<Cow<'a, str>>> {
        self.0.children_named("TD").map(Element::text)
    }

    /// The numbers of its cells.
    ///
    /// # Errors
    /// Each cell that is not a number, quoting it and counting from one.
    pub fn numbers(self) -> impl Iterator<Item = Result<f64, Error>> {
        let cells = self.cells().enumerate();
        cells.map(|(at, cell)| number(&cell.unwrap_or_default(), || format!("TD {}", at + 1)))
    }
}
