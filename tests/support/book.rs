//! The code in the book, `docs/src`, which is run like any other example; what talks to brokers of others is compiled.
//!
//! Blocks share one program, and so one registry. One that brings a model under a label of the others is a program of its
//! own: `standalone_crate`.

macro_rules! chapters {
    ($($name:ident = $file:literal),+ $(,)?) => {$(
        #[doc = include_str!(concat!("../../docs/src/", $file))]
        struct $name;
    )+};
}

chapters! {
    GettingStarted = "getting-started.md",
    Command = "command.md",
    Output = "output.md",
    Recordings = "recordings.md",
    Watch = "watch.md",
    YourOwnModel = "your-own-model.md",
    WhatWhereWhen = "what-where-when.md",
    Summaries = "summaries.md",
    Codecs = "codecs.md",
    Evolution = "evolution.md",
    Testing = "testing.md",
    Schemas = "schemas.md",
    Streams = "streams.md",
    LargeMessages = "large-messages.md",
    Archive = "archive.md",
    Journal = "journal.md",
    Gcn = "gcn.md",
    Surveys = "surveys.md",
    Plugins = "plugins.md",
    FromHopClient = "from-hop-client.md",
}
