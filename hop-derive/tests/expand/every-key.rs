#[automatically_derived]
impl alerts::MessageModel for Donut {
    const FORMAT: &'static str = "donut";
    const ALIASES: &'static [&'static str] = &["doughnut", "krapfen"];
    const VERSION: alerts::Version<Self> = alerts::Version::new(2)
        .upgrade_from::<DonutV1>();
    fn decode(
        content: alerts::Content<'_>,
    ) -> ::core::result::Result<Self, alerts::Error> {
        <Self as alerts::__private::By<bakery::Recipe<1, 2>>>::decode(content)
    }
    fn encode(&self) -> ::core::result::Result<alerts::__private::Bytes, alerts::Error> {
        <Self as alerts::__private::By<bakery::Recipe<1, 2>>>::encode(self)
    }
    fn load(file: alerts::Content<'_>) -> ::core::result::Result<Self, alerts::Error> {
        <Self as alerts::MessageModel>::VERSION.load(file, Donut::from_file)
    }
    fn dump(&self) -> ::core::result::Result<alerts::__private::Bytes, alerts::Error> {
        let dump: fn(
            &Self,
        ) -> ::core::result::Result<alerts::__private::Bytes, alerts::Error> = Donut::to_file;
        dump(self)
    }
    fn fields(&self) -> ::core::result::Result<alerts::Value, alerts::Error> {
        <Self as alerts::__private::Via>::fields(self)
    }
    fn from_fields(
        fields: alerts::Value,
    ) -> ::core::result::Result<Self, alerts::Error> {
        <Self as alerts::__private::Via>::from_fields(fields)
    }
    fn schema() -> ::core::option::Option<alerts::Value> {
        use alerts::__private::Told as _;
        alerts::__private::Schema::<Self>::or(<Self as alerts::__private::Via>::schema)
    }
    fn example() -> ::core::option::Option<Self> {
        let example: fn() -> Self = Donut::maple;
        ::core::option::Option::Some(example())
    }
}
alerts::__private::inventory::submit! {
    alerts::Registration::of:: < Donut > ("Donut", ::core::env!("CARGO_PKG_NAME"),
    ::core::env!("CARGO_PKG_VERSION"),)
}
