//! Random pairs of Avro schemas, and a datum by the first of each: how the schemas of surveys change, and then some.

use serde_json::{Value as Json, json};

/// A writer's schema, a reader's, which was made of it, and a datum by the writer's.
pub struct Pair {
    pub writer: Json,
    pub reader: Json,
    pub datum: Vec<u8>,
}

/// The pair of that number; each number is another one, and always the same.
pub fn pair(number: u64) -> Pair {
    let mut random = Random((number + 1).wrapping_mul(0xD1B5_4A32_D192_ED03));
    let mut writer = Schema::default();
    let root = writer.record(&mut random, 0);
    let reader = writer.changed(&mut random);
    let mut datum = Vec::new();
    writer.datum(&mut random, &Type::Named(root), 0, &mut datum);
    Pair { writer: writer.json(root), reader: reader.json(root), datum }
}

/// Numbers by splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True so many times of a hundred.
    fn percent(&mut self, of: usize) -> bool {
        self.below(100) < of
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Type {
    Plain(&'static str),
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    /// The place of a declaration.
    Named(usize),
}

#[derive(Debug, Clone)]
struct Declared {
    space: &'static str,
    name: String,
    aliases: Vec<String>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Record(Vec<Field>),
    Enum(Vec<&'static str>, Option<&'static str>),
    Fixed(usize),
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    aliases: Vec<String>,
    of: Type,
    default: Option<Json>,
}

/// Declarations by their place: those of a reader's schema stand where the writer's do.
#[derive(Debug, Clone, Default)]
struct Schema(Vec<Declared>);

const PLAIN: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
const SPACES: [&str; 4] = ["svy", "lsst", "ztf", "svy.alert"];
const NAMES: [&str; 4] = ["src", "obj", "cand", "flag"];
const SYMBOLS: [&str; 6] = ["GRB", "SN", "AGN", "FRB", "UNKNOWN", "NEW"];

impl Schema {
    /// Declares a type under a name that is new; its short name may be another's.
    fn declare(&mut self, random: &mut Random, kind: Kind) -> usize {
        let (space, mut name) = (random.pick(&SPACES), random.pick(&NAMES).to_owned());
        while self.0.iter().any(|other| other.space == space && other.name == name) {
            name.push('x');
        }
        self.0.push(Declared { space, name, aliases: Vec::new(), kind });
        self.0.len() - 1
    }

    fn record(&mut self, random: &mut Random, depth: usize) -> usize {
        let place = self.declare(random, Kind::Record(Vec::new()));
        let count = 1 + random.below(if depth == 0 { 6 } else { 3 });
        let mut fields: Vec<Field> = (0..count)
            .map(|at| {
                let of = self.any(random, depth + 1);
                Field { name: format!("f{at}"), aliases: Vec::new(), of, default: None }
            })
            .collect();
        if random.percent(10) {
            // A list of its own kind.
            let of = Type::Union(vec![Type::Plain("null"), Type::Named(place)]);
            fields.push(Field { name: "next".into(), aliases: Vec::new(), of, default: None });
        }
        self.0[place].kind = Kind::Record(fields);
        place
    }

    fn any(&mut self, random: &mut Random, depth: usize) -> Type {
        if random.percent(20) {
            return self.union(random, depth);
        }
        self.one(random, depth)
    }

    /// A type that is not a union.
    fn one(&mut self, random: &mut Random, depth: usize) -> Type {
        match random.below(if depth > 3 { 8 } else { 14 }) {
            8 => Type::Array(Box::new(self.any(random, depth + 1))),
            9 => Type::Map(Box::new(self.any(random, depth + 1))),
            10 | 11 => Type::Named(self.record(random, depth)),
            12 => {
                let symbols = SYMBOLS[..2 + random.below(4)].to_vec();
                Type::Named(self.declare(random, Kind::Enum(symbols, None)))
            }
            13 => match random.below(self.0.len() + 1) {
                // A type that was declared before, if it is not being declared.
                at if at < self.0.len() && !matches!(&self.0[at].kind, Kind::Record(fields) if fields.is_empty()) => {
                    Type::Named(at)
                }
                _ => {
                    let size = 1 + random.below(4);
                    Type::Named(self.declare(random, Kind::Fixed(size)))
                }
            },
            plain => Type::Plain(PLAIN[plain]),
        }
    }

    fn union(&mut self, random: &mut Random, depth: usize) -> Type {
        let mut branches: Vec<Type> = Vec::new();
        if random.percent(60) {
            branches.push(Type::Plain("null"));
        }
        if random.percent(25) && depth < 3 {
            // Two records of one short name.
            let (first, second) = (self.record(random, depth), self.record(random, depth));
            self.0[second].name = self.0[first].name.clone();
            self.0[first].space = "lsst";
            self.0[second].space = "ztf";
            while self.0.iter().enumerate().any(|(at, other)| {
                [first, second]
                    .iter()
                    .any(|of| *of != at && other.space == self.0[*of].space && other.name == self.0[*of].name)
            }) {
                self.0[first].name.push('y');
                self.0[second].name.push('y');
            }
            branches.extend([Type::Named(first), Type::Named(second)]);
        }
        for _ in 0..1 + random.below(3) {
            let one = self.one(random, depth + 1);
            add(&mut branches, one);
        }
        Type::Union(branches)
    }

    /// What a later, or an earlier, version of the schema may look like.
    fn changed(&self, random: &mut Random) -> Self {
        let mut other = self.clone();
        for at in 0..other.0.len() {
            let kind = match self.0[at].kind.clone() {
                Kind::Record(fields) => Kind::Record(other.fields(random, fields)),
                Kind::Enum(symbols, _) => {
                    let mut symbols: Vec<&str> = symbols.into_iter().filter(|_| random.percent(85)).collect();
                    let new = random.pick(&SYMBOLS);
                    if symbols.is_empty() || (random.percent(30) && !symbols.contains(&new)) {
                        symbols.insert(0, new);
                    }
                    let default = random.percent(50).then(|| symbols[random.below(symbols.len())]);
                    Kind::Enum(symbols, default)
                }
                Kind::Fixed(size) => Kind::Fixed(if random.percent(4) { size + 1 } else { size }),
            };
            other.0[at].kind = kind;
            other.rename(random, at);
        }
        for at in 0..other.0.len() {
            other.defaults(random, at);
        }
        other
    }

    fn rename(&mut self, random: &mut Random, at: usize) {
        let (space, name) = (self.0[at].space, self.0[at].name.clone());
        match random.below(20) {
            // Into another namespace.
            0 => self.0[at].space = random.pick(&SPACES),
            1 => {
                self.0[at].name.push_str("New");
                self.0[at].aliases = vec![format!("{space}.{name}")];
            }
            2 if random.percent(30) => self.0[at].name.push_str("Other"),
            _ => {}
        }
        let (space, mut name) = (self.0[at].space, self.0[at].name.clone());
        while self.0.iter().enumerate().any(|(other, of)| other != at && of.space == space && of.name == name) {
            name.push('z');
        }
        self.0[at].name = name;
    }

    fn fields(&mut self, random: &mut Random, fields: Vec<Field>) -> Vec<Field> {
        let mut changed: Vec<Field> = Vec::new();
        for mut field in fields {
            if random.percent(10) {
                continue;
            }
            if random.percent(10) {
                field.aliases = vec![field.name.clone()];
                field.name = format!("{}_new", field.name);
            }
            field.of = self.other(random, field.of);
            changed.push(field);
        }
        for at in 0..random.below(3) {
            let of = self.plain(random);
            let field = Field { name: format!("more{at}"), aliases: Vec::new(), of, default: None };
            changed.insert(random.below(changed.len() + 1), field);
        }
        if random.percent(30) && changed.len() > 1 {
            let (one, other) = (random.below(changed.len()), random.below(changed.len()));
            changed.swap(one, other);
        }
        changed
    }

    /// A type for a new field: a plain one, or one of them in something, or one that is declared.
    fn plain(&self, random: &mut Random) -> Type {
        let plain = Type::Plain(random.pick(&PLAIN));
        match random.below(8) {
            0 => Type::Array(Box::new(plain)),
            1 => Type::Map(Box::new(plain)),
            2 if plain != Type::Plain("null") => Type::Union(vec![Type::Plain("null"), plain]),
            3 if plain != Type::Plain("null") => Type::Union(vec![plain, Type::Plain("null")]),
            4 => Type::Named(random.below(self.0.len())),
            _ => plain,
        }
    }

    fn other(&mut self, random: &mut Random, of: Type) -> Type {
        match of {
            Type::Plain(name) => {
                let into: &[&str] = match name {
                    "int" => &["int", "long", "float", "double"],
                    "long" => &["long", "float", "double"],
                    "float" => &["float", "double"],
                    "string" | "bytes" => &["string", "bytes"],
                    _ => &[],
                };
                let other = match into {
                    [] => name,
                    into if random.percent(50) => random.pick(into),
                    _ => name,
                };
                let other = if random.percent(4) { random.pick(&PLAIN) } else { other };
                match random.below(12) {
                    0 if other != "null" => Type::Union(vec![Type::Plain("null"), Type::Plain(other)]),
                    1 => {
                        let mut branches = vec![Type::Plain(random.pick(&PLAIN))];
                        add(&mut branches, Type::Plain(other));
                        Type::Union(branches)
                    }
                    _ => Type::Plain(other),
                }
            }
            Type::Array(of) => Type::Array(Box::new(self.other(random, *of))),
            Type::Map(of) => Type::Map(Box::new(self.other(random, *of))),
            Type::Union(of) if random.percent(8) => random.pick(&of),
            Type::Union(of) => {
                let mut branches: Vec<Type> = Vec::new();
                for branch in of {
                    if random.percent(8) {
                        continue;
                    }
                    let branch = match branch {
                        Type::Plain(_) => match self.other(random, branch) {
                            Type::Union(mut within) => within.pop().unwrap(),
                            one => one,
                        },
                        other => other,
                    };
                    add(&mut branches, branch);
                }
                if random.percent(20) || branches.is_empty() {
                    add(&mut branches, Type::Plain(random.pick(&PLAIN)));
                }
                if random.percent(20) && branches.len() > 1 {
                    branches.swap(0, 1);
                }
                Type::Union(branches)
            }
            named @ Type::Named(_) if random.percent(10) => Type::Union(vec![Type::Plain("null"), named]),
            named @ Type::Named(_) => named,
        }
    }

    /// Gives new fields a default, most of them, and some of the others.
    fn defaults(&mut self, random: &mut Random, at: usize) {
        let Kind::Record(fields) = &self.0[at].kind else { return };
        let defaults: Vec<Option<Json>> = fields
            .iter()
            .map(|field| {
                let wanted = if field.name.starts_with("more") { 97 } else { 15 };
                if random.percent(wanted) { self.default_of(random, &field.of, &mut vec![at]) } else { None }
            })
            .collect();
        let Kind::Record(fields) = &mut self.0[at].kind else { return };
        for (field, default) in fields.iter_mut().zip(defaults) {
            field.default = default;
        }
    }

    /// A default of a type; none for one that is within itself.
    fn default_of(&self, random: &mut Random, of: &Type, within: &mut Vec<usize>) -> Option<Json> {
        Some(match of {
            Type::Plain(name) => match *name {
                "null" => Json::Null,
                "boolean" => random.percent(50).into(),
                "int" => random.pick(&[0, 7, -1, i32::MAX]).into(),
                "long" => random.pick(&[0, 7, -1, i64::MIN]).into(),
                "float" | "double" => random.pick(&[json!(-999.0), json!(0.1), json!(3), json!(1e300)]),
                "bytes" => random.pick(&["", "u", "\u{ff}\u{0}"]).into(),
                _ => random.pick(&["", "u", "☄"]).into(),
            },
            Type::Array(of) => {
                let many = random.below(3);
                Json::Array((0..many).map(|_| self.default_of(random, of, within)).collect::<Option<_>>()?)
            }
            Type::Map(of) => match self.default_of(random, of, within) {
                Some(value) if random.percent(60) => json!({"key": value}),
                _ => json!({}),
            },
            Type::Union(of) => self.default_of(random, &of[0], within)?,
            Type::Named(at) => match &self.0[*at].kind {
                _ if within.contains(at) => return None,
                Kind::Record(fields) => {
                    within.push(*at);
                    let values = fields
                        .iter()
                        .map(|field| Some((field.name.clone(), self.default_of(random, &field.of, within)?)));
                    let values = values.collect::<Option<serde_json::Map<_, _>>>();
                    within.pop();
                    Json::Object(values?)
                }
                Kind::Enum(symbols, _) => random.pick(symbols).into(),
                Kind::Fixed(size) => "\u{e9}".repeat(*size).into(),
            },
        })
    }

    fn full(&self, at: usize) -> String {
        let Declared { space, name, .. } = &self.0[at];
        format!("{space}.{name}")
    }

    fn json(&self, root: usize) -> Json {
        self.declaration(&Type::Named(root), "", &mut Vec::new())
    }

    /// A type as it stands in a namespace, where `known` were declared before.
    fn declaration(&self, of: &Type, within: &str, known: &mut Vec<usize>) -> Json {
        let at = match of {
            Type::Plain(name) => return (*name).into(),
            Type::Array(of) => return json!({"type": "array", "items": self.declaration(of, within, known)}),
            Type::Map(of) => return json!({"type": "map", "values": self.declaration(of, within, known)}),
            Type::Union(of) => return of.iter().map(|of| self.declaration(of, within, known)).collect(),
            Type::Named(at) => *at,
        };
        let declared = &self.0[at];
        if known.contains(&at) {
            return if declared.space == within { declared.name.clone() } else { self.full(at) }.into();
        }
        known.push(at);
        let mut json = json!({"name": declared.name, "namespace": declared.space});
        if !declared.aliases.is_empty() {
            json["aliases"] = declared.aliases.clone().into();
        }
        match &declared.kind {
            Kind::Fixed(size) => {
                json["type"] = "fixed".into();
                json["size"] = (*size).into();
            }
            Kind::Enum(symbols, default) => {
                json["type"] = "enum".into();
                json["symbols"] = symbols.clone().into();
                if let Some(default) = default {
                    json["default"] = (*default).into();
                }
            }
            Kind::Record(fields) => {
                json["type"] = "record".into();
                let fields = fields.iter().map(|field| {
                    let mut json = json!({"name": field.name});
                    json["type"] = self.declaration(&field.of, declared.space, known);
                    if !field.aliases.is_empty() {
                        json["aliases"] = field.aliases.clone().into();
                    }
                    if let Some(default) = &field.default {
                        json["default"] = default.clone();
                    }
                    json
                });
                json["fields"] = fields.collect();
            }
        }
        json
    }

    fn datum(&self, random: &mut Random, of: &Type, depth: usize, out: &mut Vec<u8>) {
        match of {
            Type::Plain(name) => plain(random, name, out),
            Type::Array(of) => self.blocks(random, of, depth, false, out),
            Type::Map(of) => self.blocks(random, of, depth, true, out),
            Type::Union(of) => {
                let null = of.iter().position(|branch| *branch == Type::Plain("null"));
                let branch = null.filter(|_| depth > 6).unwrap_or_else(|| random.below(of.len()));
                long(branch as i64, out);
                self.datum(random, &of[branch], depth + 1, out);
            }
            Type::Named(at) => match &self.0[*at].kind {
                Kind::Record(fields) => {
                    fields.iter().for_each(|field| self.datum(random, &field.of, depth + 1, out));
                }
                Kind::Enum(symbols, _) => long(random.below(symbols.len()) as i64, out),
                Kind::Fixed(size) => out.extend((0..*size).map(|_| random.next() as u8)),
            },
        }
    }

    /// The items of an array, or of a map, in a block or two; before some of them stands their size.
    fn blocks(&self, random: &mut Random, of: &Type, depth: usize, keyed: bool, out: &mut Vec<u8>) {
        let blocks = if depth > 5 { 0 } else { random.below(3) };
        for block in 0..blocks {
            let (count, mut items) = (1 + random.below(2), Vec::new());
            for at in 0..count {
                if keyed {
                    bytes(format!("k{block}{at}").as_bytes(), &mut items);
                }
                self.datum(random, of, depth + 1, &mut items);
            }
            if random.percent(30) {
                long(-(count as i64), out);
                long(items.len() as i64, out);
            } else {
                long(count as i64, out);
            }
            out.extend(items);
        }
        long(0, out);
    }
}

/// A branch more, where a union may have it.
fn add(branches: &mut Vec<Type>, one: Type) {
    let takes = |other: &Type| match (other, &one) {
        (Type::Array(_), Type::Array(_)) | (Type::Map(_), Type::Map(_)) => false,
        (other, one) => other != one,
    };
    if branches.iter().all(takes) {
        branches.push(one);
    }
}

fn plain(random: &mut Random, name: &str, out: &mut Vec<u8>) {
    match name {
        "null" => {}
        "boolean" => out.push(random.below(2) as u8),
        "int" => long(random.pick(&[0, 1, -64, 123_456_789, i32::MAX, i32::MIN]).into(), out),
        "long" => long(random.pick(&[0, -1, 16_777_217, 9_007_199_254_740_993, i64::MAX, i64::MIN]), out),
        "float" => out.extend(random.pick(&[0.0f32, -0.1, 1.5, f32::MAX, f32::NAN, f32::INFINITY]).to_le_bytes()),
        "double" => {
            out.extend(random.pick(&[0.0f64, -0.1, 266.8524, 1e300, f64::NAN, f64::NEG_INFINITY]).to_le_bytes())
        }
        "bytes" => bytes(random.pick(&[&b""[..], b"stamp", "é".as_bytes(), b"\xff\x00"]), out),
        _ => bytes(random.pick(&["", "ZTF18abeoiol", "é", "☄ \0"]).as_bytes(), out),
    }
}

fn long(value: i64, out: &mut Vec<u8>) {
    let mut bits = ((value << 1) ^ (value >> 63)) as u64;
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
}

fn bytes(content: &[u8], out: &mut Vec<u8>) {
    long(content.len() as i64, out);
    out.extend(content);
}
