use std::fmt;

use rdkafka::bindings::rd_kafka_AclOperation_t as Operation;

use super::{Client, describe, on_thread};
use crate::{Error, ErrorKind, Stream, Url};

const OPERATION: &str = "asking for the rights on the topics";

/// What a credential may do with a topic or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Right {
    /// Read messages; of a group: be a member, and commit.
    Read,
    /// Write messages.
    Write,
    /// Make it.
    Create,
    /// Delete it.
    Delete,
    /// Change it.
    Alter,
    /// See that it is there.
    Describe,
    /// See its settings.
    DescribeConfigs,
    /// Change its settings.
    AlterConfigs,
}

impl Right {
    pub(super) fn of(operation: Operation) -> Option<Self> {
        Some(match operation {
            Operation::RD_KAFKA_ACL_OPERATION_READ => Self::Read,
            Operation::RD_KAFKA_ACL_OPERATION_WRITE => Self::Write,
            Operation::RD_KAFKA_ACL_OPERATION_CREATE => Self::Create,
            Operation::RD_KAFKA_ACL_OPERATION_DELETE => Self::Delete,
            Operation::RD_KAFKA_ACL_OPERATION_ALTER => Self::Alter,
            Operation::RD_KAFKA_ACL_OPERATION_DESCRIBE => Self::Describe,
            Operation::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS => Self::DescribeConfigs,
            Operation::RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS => Self::AlterConfigs,
            _ => return None,
        })
    }

    /// Returns the right in a word: `read`, `write`, `describe-configs`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Alter => "alter",
            Self::Describe => "describe",
            Self::DescribeConfigs => "describe-configs",
            Self::AlterConfigs => "alter-configs",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a credential may do with a topic.
#[derive(Debug)]
#[non_exhaustive]
pub struct TopicRights {
    /// The topic.
    pub topic: String,
    /// The rights; `None` where the broker does not tell. The error of a topic that is not there has the kind `UnknownTopic`;
    /// that of one that the credential may not even see, `Authorization`.
    pub rights: Result<Option<Vec<Right>>, Error>,
}

impl Stream {
    /// Returns what the credential may do with each topic that `url` names. Nothing is read or written.
    ///
    /// ```no_run
    /// # async fn demo(hop: hop_kafka::Stream) -> Result<(), hop_kafka::Error> {
    /// for topic in hop.topic_rights("kafka://kafka.scimma.org/my.topic").await? {
    ///     println!("{}: {:?}", topic.topic, topic.rights?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`list_topics`](Self::list_topics); kind `Usage` when the URL names no topic; and what the broker says. Brokers
    /// from before Kafka 2.3 and [`EmbeddedBroker`](crate::EmbeddedBroker) do not tell rights.
    pub async fn topic_rights(&self, url: impl AsRef<str>) -> Result<Vec<TopicRights>, Error> {
        let url: Url = url.as_ref().parse()?;
        if url.topics().is_empty() {
            return Err(Error::new(ErrorKind::Usage, format!("{OPERATION}: the URL names none")));
        }
        // What is wrong with the connection is said by this.
        let there = self.list_topics(url.to_string()).await?;
        let (stream, within) = (self.clone(), self.shared.connect_timeout);
        on_thread(OPERATION, within.saturating_mul(2), move || {
            let client = Client::new(&stream, &url, None)?;
            if !describe::has_controller(&client)? {
                let rights = |topic: &String| match there.iter().any(|there| there.name == *topic) {
                    true => Ok(None),
                    false => {
                        let code = rdkafka::error::RDKafkaErrorCode::UnknownTopicOrPartition;
                        Err(Error::of_code(&format!("{OPERATION}: `{topic}`"), Some(code), ""))
                    }
                };
                let rights = |topic: &String| TopicRights { topic: topic.clone(), rights: rights(topic) };
                return Ok(url.topics().iter().map(rights).collect());
            }
            let described = describe::topics(&client, url.topics())?;
            let rights = |(topic, described): (&String, Result<describe::Described, Error>)| TopicRights {
                topic: topic.clone(),
                rights: described.map(|described| described.rights),
            };
            Ok(url.topics().iter().zip(described).map(rights).collect())
        })
        .await
    }
}
