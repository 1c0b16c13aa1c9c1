use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use hop_tests::process::{Finished, Program};
use hop_tests::token::TokenServer;

use crate::hop;

/// A home whose configuration the commands share.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn hop(&self, arguments: &[&str]) -> Program {
        hop(arguments).env("XDG_CONFIG_HOME", self.0.path())
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.hop(arguments).run()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join("hop").join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    fn add(&self, csv: &str, options: &[&str]) -> Finished {
        self.hop(&[&["auth", "add", "-"], options].concat()).input(csv).run()
    }
}

#[test]
fn credentials_are_added_listed_and_removed() {
    let home = Home::new();
    let file = home.file("auth.toml");
    assert_eq!(home.run(&["auth", "locate"]).expect(0), format!("{}\n", file.display()));
    assert_eq!(home.run(&["auth", "list"]).expect(0), "");
    let added = home.add("username,password,hostname\nada-1,hunter2,kafka.example\nbob,hunter3,\n", &[]);
    assert_eq!(added.expect(0), "");
    assert!(added.err.contains("added `ada-1` for kafka.example"), "{}", added.err);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(home.run(&["auth", "list"]).expect(0), "ada-1 for kafka.example\nbob\n");
    home.run(&["auth", "remove", "ada-1@kafka.example"]).expect(0);
    assert_eq!(home.run(&["auth", "list"]).expect(0), "bob\n");
    let none = home.run(&["auth", "remove", "ada-1"]);
    none.expect(1);
    assert!(
        none.err.contains("no credential has the name; there are, beside `ada-1`: `bob` for any broker"),
        "{}",
        none.err
    );
}

#[test]
fn a_bad_entry_is_listed_with_what_is_wrong_and_removed() {
    let home = Home::new();
    std::fs::create_dir(home.0.path().join("hop")).unwrap();
    let put = |text: &str| {
        std::fs::write(home.file("auth.toml"), text).unwrap();
        std::fs::set_permissions(home.file("auth.toml"), std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    put("[[auth]]\nusername = \"old-1\"\npassword = \"x\"\nmechanism = \"GSSAPI\"\nhostname = \"old.example.org\"\n\n\
         [[auth]]\nusername = \"ada-1234\"\npassword = \"p\"\nhostname = \"127.0.0.1:9092\"\nprotocol = \"SASL_PLAINTEXT\"\n\
         [[auth]]\npassword = \"p\"\n\
         [[auth]]\nusername = \"a\\u001b[2Jb\"\npassword = \"p\"\nhostname = \"h\\u202e\\nx\"\n");
    let listed = home.run(&["auth", "list"]);
    assert_eq!(
        listed.expect(0),
        "old-1       for old.example.org: cannot be used: `mechanism` is none of SCRAM-SHA-512, SCRAM-SHA-256, PLAIN, \
         OAUTHBEARER\n\
         ada-1234    for 127.0.0.1:9092\n\
         #3: cannot be used: `username` is missing\n\
         a\\u{1b}[2Jb for h\\u{202e}\\nx: has an invalid hostname\n"
    );
    let chosen = home.run(&["subscribe", "-e", "kafka://old.example.org/t"]);
    chosen.expect(1);
    assert!(
        chosen.err.contains("the credential `old-1` for old.example.org cannot be used: `mechanism` is none of"),
        "{}",
        chosen.err
    );
    for name in ["#3", "old-1"] {
        home.run(&["auth", "remove", name]).expect(0);
    }
    assert_eq!(home.run(&["auth", "list"]).expect(0).lines().count(), 2);
    // A username with control characters is shown with escapes in errors too.
    let escaped = home.run(&["subscribe", "-e", "kafka://elsewhere/t"]);
    assert!(!escaped.err.contains('\u{1b}') && escaped.err.contains("\\u{1b}"), "{}", escaped.err);
}

#[test]
fn a_relative_folder_of_configuration_is_ignored() {
    let home = Home::new();
    let located = hop(["auth", "locate"]).env("XDG_CONFIG_HOME", "relative").env("HOME", home.0.path()).run();
    assert_eq!(located.expect(0), format!("{}\n", home.0.path().join(".config/hop/auth.toml").display()));
    for relative in [".", "./config", "~/.config", "../x"] {
        let located = hop(["configure", "locate"]).env("XDG_CONFIG_HOME", relative).env("HOME", home.0.path()).run();
        assert_eq!(located.expect(0), format!("{}\n", home.0.path().join(".config/hop/config.toml").display()));
    }
}

#[test]
fn the_name_of_a_file_does_not_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a\u{1b}]0;x\u{7}.json", "b\rc.json", "d\u{202e}e.xml", "f\u{9b}2J.json"] {
        let file = folder.path().join(name);
        std::fs::write(&file, "{\"v\": 1}").unwrap();
        for command in [&["validate"][..], &["decode"], &["decode", "-f", "voevent"], &["validate", "-f", "voevent"]] {
            let shown = hop(command).args([&file]).run();
            let text = format!("{}{}", String::from_utf8_lossy(&shown.out), shown.err);
            assert!(!text.replace('\n', "").chars().any(char::is_control), "{text:?}");
            assert!(!text.contains('\u{202e}'), "{text:?}");
        }
    }
}

#[test]
fn what_is_there_already_is_overwritten_only_when_asked_for() {
    let home = Home::new();
    home.add("username,password\nada,first\n", &[]).expect(0);
    let refused = home.add("username,password\neve,other\nada,second\n", &[]);
    // As in hop-client, which says so and goes on.
    refused.expect(0);
    assert!(
        refused.err.contains("hop: there is a credential `ada` for any broker already; overwrite it with `--force`\n"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains(&format!("wrote {}", home.file("auth.toml").display())), "{}", refused.err);
    let text = home.text("auth.toml");
    assert!(text.contains("eve") && text.contains("first") && !text.contains("second"), "{text}");
    home.add("username,password\nada,second\n", &["--force"]).expect(0);
    let text = home.text("auth.toml");
    assert!(text.contains("second") && !text.contains("first"), "{text}");
}

#[test]
fn a_credential_comes_line_by_line_where_there_is_no_terminal() {
    let home = Home::new();
    home.hop(&["auth", "add"]).input("ada\nhunt er2 \nkafka://kafka.example:9093/\n\n").run().expect(0);
    home.hop(&["auth", "add"]).input("id\nsecret\n\nhttps://auth.example/token\n").run().expect(0);
    assert_eq!(home.run(&["auth", "list"]).expect(0), "ada for kafka.example:9093\nid\n");
    let text = home.text("auth.toml");
    assert!(text.contains("password = \"hunt er2 \""), "{text}");
    assert!(
        text.contains("token_endpoint = \"https://auth.example/token\"\n") && text.contains("OAUTHBEARER"),
        "{text}"
    );
    for (input, why) in [
        ("", "the username may not be empty"),
        ("ada\n", "the password may not be empty"),
        ("ada\nhunter2\nno host\n", "write its hostname as `host` or `host:port`"),
        ("ada\nhunter2\n\nhttp://auth.example/\n", "write `https`"),
    ] {
        let refused = home.hop(&["auth", "add"]).input(input).run();
        assert_ne!(refused.status.code(), Some(0));
        assert!(refused.err.contains(why) && !refused.err.contains("hunter2"), "{}", refused.err);
    }
}

#[test]
fn a_terminal_shows_what_is_asked_for_and_not_the_password() {
    let home = Home::new();
    // `script` gives the command a terminal, and prints what that shows.
    let command = format!("{} auth add", env!("CARGO_BIN_EXE_plain-hop"));
    let running = Program::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("XDG_CONFIG_HOME", home.0.path())
        .env("SHELL", "/bin/sh")
        .dialogue();
    for (prompt, answer) in [
        ("Username: ", "ada\n"),
        ("Password: ", "hunter2\n"),
        ("Hostname (empty for any broker): ", "\n"),
        ("Token endpoint (empty if there is none): ", "\n"),
    ] {
        running.wait_for(prompt, |shown| shown.contains(prompt));
        // The question is there a moment before the echo is off; nobody types that fast.
        std::thread::sleep(std::time::Duration::from_millis(300));
        running.say(answer);
    }
    let finished = running.finish();
    let shown = finished.expect(0);
    assert!(shown.contains("ada") && shown.contains("added `ada` for any broker"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(home.text("auth.toml").contains("hunter2"));
}

#[test]
fn a_password_is_never_an_argument() {
    for arguments in [["auth", "add", "--password", "hunter2"], ["auth", "add", "ada", "hunter2"]] {
        hop(arguments).run().expect(2);
    }
}

#[test]
fn a_stream_takes_what_was_added_and_shows_what_to_type() {
    let home = Home::new();
    home.add("username,password\nada,hunter2\nbob,hunter3\n", &[]).expect(0);
    let several = home.run(&["subscribe", "-e", "kafka://127.0.0.1:1/t"]);
    several.expect(1);
    assert_eq!(
        several.err,
        "hop: 2 credentials fit 127.0.0.1:1; say which one in the URL: kafka://ada@127.0.0.1:1/t or kafka://bob@127.0.0.1:1/t\n"
    );
    std::fs::set_permissions(home.file("auth.toml"), std::fs::Permissions::from_mode(0o644)).unwrap();
    for command in [&["auth", "list"][..], &["subscribe", "-e", "kafka://127.0.0.1:1/t"]] {
        let open = home.run(command);
        open.expect(1);
        assert!(open.err.contains("chmod 0600 "), "{}", open.err);
    }
}

#[test]
fn a_token_endpoint_is_trusted_as_the_system_says() {
    let (home, server) = (Home::new(), TokenServer::start_tls());
    let endpoint = server.token_endpoint();
    home.hop(&["auth", "add"]).input(format!("id\nhunter2\n\n{endpoint}\n")).run().expect(0);
    let trusted = home.0.path().join("trusted.pem");
    std::fs::write(&trusted, server.certificate()).unwrap();
    let subscribe = || home.hop(&["-q", "subscribe", "-e", "kafka://127.0.0.1:1/t"]);
    let stranger = subscribe().run();
    stranger.expect(1);
    assert!(stranger.err.contains("cannot be trusted"), "{}", stranger.err);
    assert_eq!(server.asked(), 0);
    // What the system trusts is looked up as the program runs; OpenSSL lets this variable name it.
    let known = subscribe().env("SSL_CERT_FILE", &trusted).run();
    known.expect(1);
    assert!(known.err.contains("answers 401 (invalid_client)"), "{}", known.err);
    assert_eq!(server.asked(), 1);
}

#[test]
fn settings_are_shown_and_written_and_the_environment_goes_first() {
    let home = Home::new();
    assert_eq!(home.run(&["configure", "locate"]).expect(0), format!("{}\n", home.file("config.toml").display()));
    assert_eq!(
        home.run(&["configure", "locate", "-t", "auth"]).expect(0),
        format!("{}\n", home.file("auth.toml").display())
    );
    assert_eq!(home.run(&["configure", "show"]).expect(0), "fetch_external: True\nautomatic_offload: True\n");
    home.run(&["configure", "set", "automatic_offload", "Off"]).expect(0);
    assert_eq!(home.run(&["configure", "show"]).expect(0), "fetch_external: True\nautomatic_offload: False\n");
    let shown =
        home.hop(&["configure", "show"]).env("HOP_AUTOMATIC_OFFLOAD", "yes").env("HOP_FETCH_EXTERNAL", "0").run();
    assert_eq!(shown.expect(0), "fetch_external: False\nautomatic_offload: True\n");
    home.run(&["configure", "set", "other", "true"]).expect(2);
    let refused = home.run(&["configure", "set", "fetch_external", "maybe"]);
    refused.expect(1);
    assert!(refused.err.contains("write true, yes, on or 1; or false, no, off or 0"), "{}", refused.err);
    let refused = home.hop(&["configure", "show"]).env("HOP_FETCH_EXTERNAL", "maybe").run();
    refused.expect(1);
    assert!(refused.err.contains("the variable HOP_FETCH_EXTERNAL is `maybe`"), "{}", refused.err);
}

#[test]
fn long_options_have_unambiguous_beginnings() {
    let home = Home::new();
    home.add("username,password\nada,first\n", &[]).expect(0);
    home.add("username,password\nada,second\n", &["--fo"]).expect(0);
    assert!(home.text("auth.toml").contains("second"));
    hop(["--verb", "version"]).run().expect(0);
    hop(["--deb", "version"]).run().expect(0);
    hop(["-d", "version"]).run().expect(0);
    // `--quiet` and `--verbose` are alike in nothing; `--until-eos` is meant by its beginning.
    hop(["subscribe", "--unt"]).run().expect(2);
}

#[test]
fn a_label_that_is_not_linked_is_refused_by_subscribe() {
    let refused = hop(["subscribe", "-f", "donuts", "--no-auth", "kafka://127.0.0.1:1/t"]).run();
    assert_eq!(refused.expect(2), "");
    assert!(refused.err.contains("donuts") && refused.err.contains("voevent"), "{}", refused.err);
}

#[test]
fn an_avro_file_of_several_records_is_not_published_as_one_message() {
    use hop_core::{MessageModel, Value};
    let folder = tempfile::tempdir().unwrap();
    for count in [0, 2, 3] {
        let file = folder.path().join("several.avro");
        let records = vec![Value::object([("a", 1.into())]); count];
        let content = match count {
            0 => hop_models::AvroBlob::of_records(records)
                .with_schema(hop_models::avro::Schema::parse("\"int\"").unwrap())
                .unwrap()
                .encode(),
            _ => hop_models::AvroBlob::of_records(records).encode(),
        };
        std::fs::write(&file, content.unwrap()).unwrap();
        let refused =
            hop(["publish", "-f", "avro", "--no-auth", "kafka://127.0.0.1:1/t", file.to_str().unwrap()]).run();
        refused.expect(1);
        assert!(refused.err.contains(&format!("it holds {count} records")), "{}", refused.err);
        assert!(refused.err.contains("--each-record") && refused.err.contains("nothing was sent"), "{}", refused.err);
    }
    let wrong = hop(["publish", "--each-record", "--no-auth", "kafka://127.0.0.1:1/t"]).run();
    wrong.expect(2);
}
