//! The code in the book, `docs/src`: each block is run like any other example, and those that need a broker of others are
//! compiled.

macro_rules! chapters {
    ($($name:ident = $file:literal),+ $(,)?) => {$(
        #[doc = include_str!(concat!("../../docs/src/", $file))]
        struct $name;
    )+};
}

chapters! {
    GettingStarted = "getting-started.md",
    YourOwnModel = "your-own-model.md",
    Codecs = "codecs.md",
    Evolution = "evolution.md",
    Testing = "testing.md",
    Schemas = "schemas.md",
    Streams = "streams.md",
    Plugins = "plugins.md",
    FromHopClient = "from-hop-client.md",
}
