//! What a schema describes, in whichever language it is written: types, and the types that have a name.

use std::collections::{HashMap, HashSet};

use hop_core::Value;

/// The types of a module; the first that is asked for is the message.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    pub(super) items: Vec<Item>,
}

/// The place of an [`Item`] among the others.
pub(super) type Id = usize;

/// A type with a name.
#[derive(Debug)]
pub(super) struct Item {
    /// The name in the schema, or what comes closest to one; Rust's is made of it.
    pub(super) known_as: String,
    /// Where the name is taken: what it belongs to.
    pub(super) within: String,
    pub(super) docs: String,
    pub(super) shape: Shape,
    /// What the schema gives as an example.
    pub(super) example: Option<Value>,
}

#[derive(Debug)]
pub(super) enum Shape {
    /// Not read yet: its own fields may name it.
    Pending,
    Record(Vec<Field>),
    /// Texts that the schema lists.
    Enumeration(Vec<Symbol>),
    /// This one text: it tells a branch of a choice from the others.
    Constant(String),
    Choice(Choice),
    /// One type under a name: a message that is no record.
    Alias(Type),
}

/// A text that a schema lists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Symbol {
    pub(super) text: String,
    pub(super) docs: String,
}

/// One of several types.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) branches: Vec<Branch>,
    /// Whether the name of a branch is told beside its content, as Avro does for records; else the content must tell.
    pub(super) tagged: bool,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) docs: String,
    pub(super) of: Type,
    /// What it is called beside its content, where that is not the short name of its type.
    pub(super) tag: Option<String>,
    /// What tells it from the others, where that names it better than its type does.
    pub(super) called: Option<String>,
}

impl Branch {
    pub(super) fn of(of: Type) -> Self {
        Self { docs: String::new(), of, tag: None, called: None }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    /// The name in the content.
    pub(super) key: String,
    pub(super) docs: String,
    pub(super) of: Type,
    pub(super) presence: Presence,
    /// What the schema gives as an example or as the default.
    pub(super) example: Option<Value>,
    /// The one text that it can be.
    pub(super) constant: Option<String>,
    /// Whether it holds what no other field names.
    pub(super) rest: bool,
}

/// What it means when content has no such field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Presence {
    /// The content is refused, unless the type says otherwise.
    Required,
    /// There is none, and none is written; null is the same.
    Optional,
    /// There is none, and none is written; null is not the same, where the type has it.
    Nullable,
    /// It is empty, zero or false.
    Defaulted,
}

impl Presence {
    pub(super) fn is_optional(self) -> bool {
        matches!(self, Self::Optional | Self::Nullable)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Type {
    Null,
    Bool,
    Int32,
    Int64,
    /// Of any size.
    Integer,
    Float,
    Double,
    Text,
    Uuid,
    Bytes,
    /// So many bytes.
    Fixed(usize),
    /// Anything at all.
    Any,
    List(Box<Type>),
    /// So many of them.
    Array(Box<Type>, usize),
    /// Each of its own type.
    Tuple(Vec<Type>),
    Map(Box<Type>),
    Option(Box<Type>),
    Item(Id),
}

impl Type {
    pub(super) fn optional(self) -> Self {
        match self {
            // These hold null already.
            Self::Null | Self::Any | Self::Option(_) => self,
            other => Self::Option(Box::new(other)),
        }
    }

    pub(super) fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// The items that it names, those behind a pointer of its own left out where `direct`.
    pub(super) fn items(&self, direct: bool, found: &mut Vec<Id>) {
        match self {
            Self::Item(id) => found.push(*id),
            Self::List(of) | Self::Map(of) if !direct => of.items(direct, found),
            Self::Option(of) | Self::Array(of, _) => of.items(direct, found),
            Self::Tuple(of) => of.iter().for_each(|one| one.items(direct, found)),
            _ => {}
        }
    }
}

impl Shapes {
    /// Makes the fields that tell some of `branches`, which are records, by a text of each take no other text; whether
    /// there are any.
    pub(super) fn close_constants(&mut self, branches: &[Type]) -> bool {
        let records: Vec<Id> = branches
            .iter()
            .filter_map(|branch| match branch {
                Type::Item(id) if matches!(self.items[*id].shape, Shape::Record(_)) => Some(*id),
                _ => None,
            })
            .collect();
        let mut texts: Vec<(Id, usize, String, String)> = Vec::new();
        for id in &records {
            if let Shape::Record(fields) = &self.items[*id].shape {
                for (at, field) in fields.iter().enumerate().filter(|(_, field)| field.presence == Presence::Required) {
                    if let Some(text) = &field.constant {
                        texts.push((*id, at, field.key.clone(), text.clone()));
                    }
                }
            }
        }
        // A record has one text for a key: of two texts each is another record's.
        let mut by_key: HashMap<&str, HashSet<&str>> = HashMap::new();
        for (_, _, key, text) in &texts {
            by_key.entry(key).or_default().insert(text);
        }
        let tells = |key: &str| by_key.get(key).is_some_and(|texts| texts.len() > 1);
        let told: Vec<_> = texts.iter().filter(|(_, _, key, _)| tells(key)).collect();
        for (id, at, key, text) in &told {
            let of = match &self.items[*id].shape {
                Shape::Record(fields) => &fields[*at].of,
                _ => continue,
            };
            // It may be a branch of another choice already.
            if matches!(of, Type::Item(of) if matches!(self.items[*of].shape, Shape::Constant(_))) {
                continue;
            }
            let within = self.items[*id].known_as.clone();
            let of = self.add(Item {
                known_as: format!("{text} {key}"),
                within,
                docs: format!("What tells one that is {text} from the others."),
                shape: Shape::Constant(text.clone()),
                example: None,
            });
            if let Shape::Record(fields) = &mut self.items[*id].shape {
                fields[*at].of = Type::Item(of);
            }
        }
        !told.is_empty()
    }

    pub(super) fn add(&mut self, item: Item) -> Id {
        self.items.push(item);
        self.items.len() - 1
    }

    /// The items that one holds.
    fn held(&self, id: Id, direct: bool) -> Vec<Id> {
        let mut found = Vec::new();
        match &self.items[id].shape {
            Shape::Record(fields) => fields.iter().for_each(|field| field.of.items(direct, &mut found)),
            Shape::Choice(choice) => choice.branches.iter().for_each(|branch| branch.of.items(direct, &mut found)),
            Shape::Alias(of) => of.items(direct, &mut found),
            Shape::Enumeration(_) | Shape::Constant(_) | Shape::Pending => {}
        }
        found
    }

    /// `root` and all that it needs, in the order in which they are met.
    pub(super) fn needed(&self, root: Id) -> Vec<Id> {
        let (mut order, mut seen, mut ahead) = (Vec::new(), HashSet::new(), vec![root]);
        while let Some(id) = ahead.pop() {
            if seen.insert(id) {
                order.push(id);
                ahead.extend(self.held(id, false).into_iter().rev());
            }
        }
        order
    }

    /// For each item the number of its circle: items that hold each other, without a pointer of their own between them, have
    /// the same. What names one of them from within another needs a box.
    pub(super) fn circles(&self) -> Vec<usize> {
        let edges: Vec<Vec<Id>> = (0..self.items.len()).map(|id| self.held(id, true)).collect();
        let mut back: Vec<Vec<Id>> = vec![Vec::new(); edges.len()];
        for (from, held) in edges.iter().enumerate() {
            held.iter().for_each(|to| back[*to].push(from));
        }
        // By Kosaraju: the items in the order in which a walk leaves them, and from the last one against the edges.
        let (mut left, mut seen) = (Vec::with_capacity(edges.len()), vec![false; edges.len()]);
        for start in 0..edges.len() {
            let mut ahead = vec![(start, 0)];
            while let Some((id, next)) = ahead.pop() {
                if next == 0 && std::mem::replace(&mut seen[id], true) {
                    continue;
                }
                match edges[id].get(next) {
                    Some(to) => ahead.extend([(id, next + 1), (*to, 0)]),
                    None => left.push(id),
                }
            }
        }
        let mut circles = vec![usize::MAX; edges.len()];
        for start in left.into_iter().rev() {
            let mut ahead = vec![start];
            while let Some(id) = ahead.pop() {
                if circles[id] == usize::MAX {
                    circles[id] = start;
                    ahead.extend(&back[id]);
                }
            }
        }
        circles
    }

    /// The text that tells a branch from the others: its constant, or the one name that it has to have.
    pub(super) fn telling(&self, branch: &Type) -> Option<&str> {
        let Type::Item(id) = branch else { return None };
        let Shape::Record(fields) = &self.items[*id].shape else { return None };
        let constant = fields.iter().find_map(|field| match &field.of {
            Type::Item(of) => match &self.items[*of].shape {
                Shape::Constant(text) => Some(text.as_str()),
                _ => None,
            },
            _ => None,
        });
        constant.or(match fields.as_slice() {
            [only] if only.is_required() => Some(&only.key),
            _ => None,
        })
    }
}

/// Those of `of` that can be told from one another by their content alone, in the order in which they are to be tried.
///
/// Where that cannot be, it is one type that holds them all.
pub(super) fn told_apart(shapes: &Shapes, of: Vec<Type>) -> Vec<Type> {
    let is_text = |one: &Type| match one {
        Type::Text | Type::Uuid => true,
        Type::Item(id) => matches!(shapes.items[*id].shape, Shape::Enumeration(_)),
        _ => false,
    };
    let mut of = of;
    if of.iter().filter(|one| is_text(one)).count() > 1 {
        // A text that one enumeration does not list may be another's.
        of.retain(|one| !is_text(one));
        of.push(Type::Text);
    }
    let mixed = of.iter().any(is_text) && of.iter().any(|one| matches!(one, Type::Bytes | Type::Fixed(_)));
    if mixed || of.contains(&Type::Any) {
        return vec![Type::Any];
    }
    for (narrow, wide) in [
        (Type::Int32, Type::Int64),
        (Type::Int64, Type::Integer),
        (Type::Float, Type::Double),
        (Type::Fixed(0), Type::Bytes),
    ] {
        if of.contains(&wide) {
            of.retain(|one| std::mem::discriminant(one) != std::mem::discriminant(&narrow));
        }
    }
    let mut seen = HashSet::new();
    let mut apart: Vec<Type> = of.into_iter().filter(|one| seen.insert(one.clone())).collect();
    // What takes less comes first: whole numbers before others, records that require more before those that require less.
    apart.sort_by_cached_key(|one| match one {
        Type::Null | Type::Bool => (0, 0),
        Type::Int32 | Type::Int64 | Type::Integer => (1, 0),
        Type::Float | Type::Double => (2, 0),
        Type::Text | Type::Uuid => (3, 0),
        Type::Fixed(_) => (4, 0),
        Type::Bytes => (5, 0),
        Type::Array(..) | Type::Tuple(_) => (6, 0),
        Type::List(_) => (7, 0),
        Type::Item(id) => match &shapes.items[*id].shape {
            Shape::Record(fields) => (8, usize::MAX - fields.iter().filter(|field| field.is_required()).count()),
            _ => (3, 0),
        },
        Type::Map(_) => (9, 0),
        Type::Option(_) | Type::Any => (10, 0),
    });
    if swallows(shapes, &apart) { vec![Type::Any] } else { apart }
}

/// Of more records than these none is looked for that takes another's content: any value is kept.
const MOST_RECORDS: usize = 256;

/// What a record looks like beside others.
struct Look<'a> {
    keys: HashSet<&'a str>,
    required: Vec<&'a str>,
    /// The texts that its required fields always have.
    constants: HashMap<&'a str, &'a str>,
}

impl<'a> Look<'a> {
    /// `None` for what is not read yet.
    fn of(shapes: &'a Shapes, shape: &'a Shape) -> Option<Self> {
        let Shape::Record(fields) = shape else { return None };
        let required = fields.iter().filter(|field| field.is_required());
        let constant = |field: &'a Field| match field.of {
            Type::Item(id) => match &shapes.items[id].shape {
                Shape::Constant(text) => Some((field.key.as_str(), text.as_str())),
                _ => None,
            },
            _ => None,
        };
        Some(Self {
            keys: fields.iter().map(|field| field.key.as_str()).collect(),
            constants: required.clone().filter_map(constant).collect(),
            required: required.map(|field| field.key.as_str()).collect(),
        })
    }

    /// Whether content of the other may be taken for this.
    fn takes(&self, other: &Self) -> bool {
        let apart =
            self.constants.iter().any(|(key, text)| other.constants.get(key).is_some_and(|other| other != text));
        !apart && self.required.iter().all(|key| other.keys.contains(key))
    }
}

/// Whether one of `apart`, tried in their order, takes what is another's, and loses the fields that it does not know.
fn swallows(shapes: &Shapes, apart: &[Type]) -> bool {
    let records: Vec<Option<Look<'_>>> = apart
        .iter()
        .filter_map(|one| match one {
            Type::Item(id) => Some(&shapes.items[*id].shape),
            _ => None,
        })
        .filter(|shape| matches!(shape, Shape::Record(_) | Shape::Pending))
        .map(|shape| Look::of(shapes, shape))
        .collect();
    let takes = |one: &Option<Look<'_>>, other: &Option<Look<'_>>| match (one, other) {
        (Some(one), Some(other)) => one.takes(other),
        // What is not read yet may take anything.
        _ => true,
    };
    let of_records = |one: &&Type| {
        let mut items = Vec::new();
        one.items(false, &mut items);
        matches!(one, Type::List(_) | Type::Array(..) | Type::Tuple(_) | Type::Map(_))
            && items.iter().any(|id| matches!(shapes.items[*id].shape, Shape::Record(_) | Shape::Pending))
    };
    let requires_nothing = |look: &Option<Look<'_>>| look.as_ref().is_none_or(|look| look.required.is_empty());
    records.len() > MOST_RECORDS
        || records.iter().enumerate().any(|(at, one)| records[at + 1..].iter().any(|other| takes(one, other)))
        || apart.iter().filter(of_records).count() > 1
        || (apart.iter().any(|one| matches!(one, Type::Map(_))) && records.iter().any(requires_nothing))
}

impl Field {
    /// Whether content without it is refused.
    pub(super) fn is_required(&self) -> bool {
        self.presence == Presence::Required && !matches!(self.of, Type::Option(_)) && !self.rest
    }
}
