//! What a test of a model asks of a broker; what needs none is in [`hop_core::testing`].

use hop_core::testing::Failures;
use hop_core::{AnyModel, MessageModel, Registration, Registry, Route};

use crate::{Alert, EmbeddedBroker, Error, Offload, StartPosition, Stream};

const TOPIC: &str = "samples";

/// Publishes samples of a model on an embedded broker, reads them back, and holds what came to what was sent; how many there
/// were.
///
/// Each comes once, in order, as that model, by its label; its fields are the same, and so are the bytes of its wire form.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), hop_core::testing::Failures> {
/// use hop_core::{JsonBlob, Value, registration};
/// # use JsonBlob as Telegram;
///
/// let samples = ["Nova in Cygnus", "", "∞"].map(|text| Telegram::from(Value::from(text)));
/// assert_eq!(hop_kafka::testing::comes_through(registration!(Telegram), samples).await?, 3);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// All that is not so, sample by sample; a sample that is not sent; no sample at all.
pub async fn comes_through<M: MessageModel>(
    model: Registration,
    samples: impl IntoIterator<Item = M>,
) -> Result<usize, Failures> {
    let samples: Vec<M> = samples.into_iter().collect();
    let failed = |reason: String| Failures::new(0, [(model.to_string(), reason)]);
    if samples.is_empty() {
        return Err(failed("there is no sample to send".to_owned()));
    }
    let registry = Registry::builder().models([model]).build()?;
    let received = exchange(registry, &samples).await.map_err(|error| failed(error.to_string()))?;
    if received.len() != samples.len() {
        return Err(failed(format!("{} samples were sent, and {} came", samples.len(), received.len())));
    }
    let wrong = |(at, (sent, came)): (usize, (&M, &Alert))| Some((format!("sample {at}"), difference(sent, came)?));
    let wrong: Vec<_> = samples.iter().zip(&received).enumerate().filter_map(wrong).collect();
    if wrong.is_empty() { Ok(samples.len()) } else { Err(Failures::new(samples.len(), wrong)) }
}

async fn exchange<M: MessageModel>(registry: Registry, samples: &[M]) -> Result<Vec<Alert>, Error> {
    let broker = EmbeddedBroker::start()?;
    // One partition keeps the order.
    broker.create_topic(TOPIC, 1)?;
    let hop = Stream::builder().registry(registry).start_at(StartPosition::Earliest).until_eos(true).no_auth();
    // A placeholder is a model like any other here.
    let hop = hop.fetch_external(false).offload(Offload::Off).build()?;
    let out = hop.publish(broker.url(TOPIC)).await?;
    for sample in samples {
        out.write(sample).send().await?;
    }
    out.close().await?;
    let mut alerts = hop.subscribe(broker.url(TOPIC)).await?;
    let mut received = Vec::new();
    while let Some(alert) = alerts.next().await {
        received.push(alert?);
    }
    alerts.close().await?;
    Ok(received)
}

/// What is not as it was sent.
fn difference<M: MessageModel>(sent: &M, came: &Alert) -> Option<String> {
    if !came.model.is::<M>() || came.route != Route::Header {
        return Some(format!("came as `{}` ({})", came.model.format(), came.route));
    }
    let shown = |model: &dyn AnyModel| model.fields().map_err(|error| error.to_string());
    match (shown(sent), shown(&*came.model)) {
        (Ok(sent), Ok(came)) if sent == came => {}
        (sent, came) => return Some(format!("was sent with the fields {sent:?}, and came with {came:?}")),
    }
    match MessageModel::encode(sent) {
        Ok(content) if content == came.record.content => None,
        Ok(_) => Some("came with other bytes than encoding it gives".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hop_core::{Blob, Content, Value, registration};

    use super::*;

    /// Forgets what is after the first byte.
    #[derive(Debug)]
    struct Short(Bytes);

    impl MessageModel for Short {
        const FORMAT: &'static str = "short";

        fn decode(content: Content<'_>) -> Result<Self, hop_core::Error> {
            Ok(Self(content.to_bytes().slice(..content.len().min(1))))
        }

        fn encode(&self) -> Result<Bytes, hop_core::Error> {
            Ok(self.0.clone())
        }

        fn fields(&self) -> Result<Value, hop_core::Error> {
            Ok(Value::Bytes(self.0.clone()))
        }
    }

    #[tokio::test]
    async fn what_comes_is_held_to_what_was_sent() {
        let blobs = [&b"one"[..], b"", b"\0\xff"].map(|bytes| Blob::from(Bytes::from_static(bytes)));
        assert_eq!(comes_through(registration!(Blob), blobs).await.unwrap(), 3);
        let shorts = [&b"a"[..], b"longer"].map(|bytes| Short(Bytes::from_static(bytes)));
        let failures = comes_through(registration!(Short), shorts).await.unwrap_err();
        assert_eq!(failures.iter().map(|(case, _)| case).collect::<Vec<_>>(), ["sample 1"], "{failures}");
        let failures = comes_through::<Blob>(registration!(Blob), []).await.unwrap_err();
        assert!(failures.to_string().contains("no sample"), "{failures}");
    }
}
