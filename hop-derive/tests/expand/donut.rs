#[automatically_derived]
impl ::hop_core::MessageModel for Donut {
    const FORMAT: &'static str = "donut";
    fn decode(
        content: ::hop_core::Content<'_>,
    ) -> ::core::result::Result<Self, ::hop_core::Error> {
        <Self as ::hop_core::__private::Via>::decode(content)
    }
    fn encode(
        &self,
    ) -> ::core::result::Result<::hop_core::__private::Bytes, ::hop_core::Error> {
        <Self as ::hop_core::__private::Via>::encode(self)
    }
    fn fields(&self) -> ::core::result::Result<::hop_core::Value, ::hop_core::Error> {
        <Self as ::hop_core::__private::Via>::fields(self)
    }
    fn from_fields(
        fields: ::hop_core::Value,
    ) -> ::core::result::Result<Self, ::hop_core::Error> {
        <Self as ::hop_core::__private::Via>::from_fields(fields)
    }
    fn schema() -> ::core::option::Option<::hop_core::Value> {
        use ::hop_core::__private::Told as _;
        ::hop_core::__private::Schema::<
            Self,
        >::or(<Self as ::hop_core::__private::Via>::schema)
    }
}
::hop_core::__private::inventory::submit! {
    ::hop_core::Registration::of:: < Donut > ("Donut", ::core::env!("CARGO_PKG_NAME"),
    ::core::env!("CARGO_PKG_VERSION"),)
}
