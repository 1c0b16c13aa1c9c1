use std::process::ExitCode;

use hop_core::{Registry, TopicRule};
use hop_kafka::{EmbeddedBroker, Offload, StartPosition};

use crate::chart::{self, Chart, Mark};
use crate::failure::Failure;
use crate::output;
use crate::output::people;

const TOPIC: &str = "hop.demo";

/// What to type after the demonstration.
const NEXT: &str = "
Next, a broker of your own until Ctrl-C, and in another terminal:
  hop broker --port 9092 --topic alerts
  hop subscribe --no-auth kafka://localhost/alerts
  hop publish --no-auth -f circular kafka://localhost/alerts circular.txt
Real alerts need a credential: `hop help topics credentials`.";

/// The width of the map of the sky, in columns.
const MAP_WIDTH: u16 = 72;

pub(crate) async fn run(registry: Registry) -> Result<ExitCode, Failure> {
    let examples: Vec<_> = registry.iter().map(|model| (model.format(), model.example())).collect();
    let broker = EmbeddedBroker::start()?;
    // What is sent under the label of a wider format is found by its topic.
    let by_topic: Vec<String> = examples
        .iter()
        .filter(|(format, example)| example.as_ref().is_some_and(|model| model.sent_as() != *format))
        .map(|(format, _)| format!("{TOPIC}.{format}"))
        .collect();
    let topics: Vec<&str> = std::iter::once(TOPIC).chain(by_topic.iter().map(String::as_str)).collect();
    for topic in &topics {
        broker.create_topic(topic, 1)?;
    }
    let url = broker.url(&topics.join(","));
    output::line(format_args!("A broker inside this process listens at {}", broker.address()))?;

    // The example of a placeholder stands for nothing.
    let hop = crate::stream(registry, true).fetch_external(false).offload(Offload::Off);
    let mut hop = hop.start_at(StartPosition::Earliest).until_eos(true);
    for topic in &by_topic {
        let format = topic.rsplit('.').next().unwrap_or_default();
        hop = hop.topic_rule(TopicRule::new(topic, format)?.before_header());
    }
    let hop = hop.build()?;
    let out = hop.publish(&url).await?;
    let mut published = 0;
    for (format, example) in &examples {
        match example {
            Some(model) => {
                let topic = if model.sent_as() == *format { TOPIC.to_owned() } else { format!("{TOPIC}.{format}") };
                let message = out.write(&**model).topic(topic).header("demo", *format).key(format);
                message.send().await?;
                published += 1;
            }
            None => output::line(format_args!("{format}: linked, but has no example to publish"))?,
        }
    }
    out.close().await?;

    let mut alerts = hop.subscribe(&url).await?;
    let (mut received, mut sky) = (0, Chart::default());
    while let Some(alert) = alerts.next().await {
        let alert = alert?;
        received += 1;
        output::line("")?;
        output::line(format_args!("{} (by {})", alert.model.format(), alert.route))?;
        output::line(format_args!("  headers  {}", people::headers_line(&alert.record.headers)))?;
        output::line(format_args!("  model    {}", people::short(&alert.model.fields()?)))?;
        let summary = people::summary(&*alert.model);
        output::line(format_args!("  summary  {}", summary.title()))?;
        for (name, text) in summary.facts() {
            output::line(format_args!("           {name}: {text}"))?;
        }
        if let Some(position) = summary.direction.position() {
            sky.marks.push(Mark { position, label: String::new() });
        }
    }
    alerts.close().await?;
    output::line("\nWhere they were on the sky, in ICRS; the dotted curve is the plane of the Galaxy:")?;
    for line in chart::text::lines(&sky, MAP_WIDTH) {
        output::line(line)?;
    }
    output::line("")?;
    output::line(format_args!("{published} messages published, {received} received"))?;
    output::line(NEXT)?;
    Ok(if published == received { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
