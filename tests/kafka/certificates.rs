//! A credential with a client certificate, for brokers that want one.

use hop_kafka::Credential;
use hop_kafka::ErrorKind;

use crate::blob;
use crate::tokens::secure_or_skip;

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_broker_that_wants_one() {
    let Some((_, folder)) = secure_or_skip("a_client_certificate_is_shown_to_a_broker_that_wants_one") else { return };
    let address = std::env::var("HOP_TEST_MUTUAL_TLS").unwrap();
    let passwords = std::fs::read_to_string(folder.join("passwords")).unwrap();
    let password = passwords.lines().find_map(|line| line.strip_prefix("owner ")).unwrap();
    let without = Credential::new("owner", password).ssl_ca_location(folder.join("ca.pem"));
    let with = without.clone().client_certificate(folder.join("client.pem"), folder.join("client-key.pem"));
    let url = format!("kafka://{address}/hop-test-{}", uuid::Uuid::new_v4().simple());
    let out = hop_tests::stream().credential(with).build().unwrap().publish(&url).await.unwrap();
    out.write(&blob("alert")).send().await.unwrap();
    out.close().await.unwrap();
    let refused = hop_tests::stream().credential(without).build().unwrap().subscribe(&url).await.unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Tls | ErrorKind::Connection), "{refused:?}");
}
