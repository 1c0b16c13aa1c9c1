//! Journal files that hop-client itself wrote, in both versions: read, and imported by the command.

use bytes::Bytes;
use hop_kafka::journal::hop_client::HopClientJournal;
use hop_kafka::journal::{Contents, Folder};
use hop_tests::process::Program;

use crate::python::Python;

#[test]
fn journals_of_hop_client_are_read_and_imported() {
    let Some(python) = Python::alone_or_skip("journals_of_hop_client_are_read_and_imported") else { return };
    let home = tempfile::tempdir().unwrap();
    for version in ["1", "2"] {
        let file = home.path().join(format!("publisher-{version}.journal"));
        let script = hop_tests::root().join("tests/interop/journal.py");
        python.program(&[script.to_str().unwrap(), file.to_str().unwrap(), version]).run().expect(0);
        let journal = HopClientJournal::read(&Bytes::from(std::fs::read(&file).unwrap())).unwrap();
        assert_eq!((journal.sent, journal.damage.len(), &journal.torn), (1, 0, &None));
        let is_second = version == "2";
        let expected: [(&[u8], Option<&[u8]>); 3] =
            [(b"waits", Some(b"GRB 1")), (b"\x00\xff", Some(b"\xfe")), (b"", None)];
        assert_eq!(journal.messages.len(), expected.len());
        for (number, (message, (content, key))) in journal.messages.iter().zip(expected).enumerate() {
            assert_eq!(message.topic.as_deref(), is_second.then_some("ada.events"));
            assert_eq!(&message.message.content[..], content);
            assert_eq!(message.message.key.as_deref(), key.filter(|_| is_second));
            let headers = &message.message.headers;
            assert_eq!(headers.get("_id"), Some(&[number as u8 + 1; 16][..]));
            assert_eq!((headers.get("note"), headers.get("empty")), (Some("é".as_bytes()), Some(&b""[..])));
        }
        let into = home.path().join(format!("journal-{version}"));
        let mut arguments = vec!["journal", "import", file.to_str().unwrap(), into.to_str().unwrap()];
        if !is_second {
            let refused = Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(&arguments).run();
            refused.expect(2);
            assert!(refused.err.contains("name it with `--topic`"), "{}", refused.err);
            arguments.extend(["--topic", "ada.events"]);
        }
        let out = Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(&arguments).run();
        assert_eq!(out.expect(0), "3 messages imported; hop-client had sent 1\n");
        // Once more: nothing comes twice.
        let again = Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(&arguments).run();
        assert!(again.expect(0).starts_with("0 messages imported"), "{}", again.err);
        let (mut contents, _) = Contents::read(Folder::inspect(&into).unwrap()).unwrap();
        let numbers: Vec<u64> = contents.waiting().collect();
        let topics: Vec<String> = numbers.into_iter().map(|number| contents.get(number).unwrap().topic).collect();
        assert_eq!(topics, ["ada.events"; 3]);
    }
}
