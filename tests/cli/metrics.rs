//! Counters for Prometheus.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::hop;

/// A port of this machine that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn scrape(port: u16) -> String {
    let mut answer = String::new();
    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)) {
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        server.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        server.read_to_string(&mut answer).unwrap();
    }
    answer
}

#[test]
fn a_subscription_serves_its_counters() {
    let broker = hop(["broker", "--topic", "t"]).start();
    let url = format!("{}t", broker.first_line());
    let content = "{\"number\": 1}\n{\"number\": 2}\n";
    hop(["publish", "--no-auth", "-f", "json", &url]).input(content).run().expect(0);
    let port = free_port().to_string();
    let reading = hop(["subscribe", "--no-auth", "-s", "EARLIEST", "--metrics", &port, &url]).start();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = scrape(port.parse().unwrap());
        let has = |line: &str| answer.lines().any(|found| found == line);
        if has("hop_read_messages_total 2") && has("hop_read_queue_messages 0") {
            assert!(has("# TYPE hop_read_messages_total counter"), "{answer}");
            assert!(has("hop_read_lag_messages{topic=\"t\",partition=\"0\"} 0"), "{answer}");
            break;
        }
        assert!(Instant::now() < deadline, "{answer}");
        std::thread::sleep(Duration::from_millis(100));
    }
    reading.signal("TERM");
    reading.finish().expect(0);
    broker.signal("TERM");
    broker.finish().expect(0);
}

#[test]
fn an_address_that_cannot_be_served_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let finished = hop(["subscribe", "--no-auth", "--metrics", &address, "kafka://localhost:1/t"]).run();
    finished.expect(2);
    assert!(finished.err.contains(&address), "{}", finished.err);
    for wrong in ["", "localhost", "1.2.3.4", "70000"] {
        hop(["subscribe", "--metrics", wrong, "kafka://localhost:1/t"]).run().expect(2);
    }
}
