use hop_core::HopModel;
use serde::{Deserialize, Serialize};

/// An alert that several neutrino detectors saw a burst at once, in the manner of SNEWS, the supernova early warning
/// system.
///
/// The layout is this example's own, and not what SNEWS sends.
///
/// ```
/// use donut_model::SnewsAlert;
/// use hop_core::MessageModel;
///
/// let alert = SnewsAlert::decode(
///     r#"{"id": "SNEWS_Coincidence_ALERT_1", "status": "test", "sent": "2026-03-04T05:06:07Z",
///         "coincidence": {"first": "2026-03-04T05:05:58.123456789Z", "window": 10},
///         "detectors": [{"name": "Super-K", "events": 172}, {"name": "IceCube"}]}"#
///         .into(),
/// )?;
/// assert_eq!(alert.detectors[0].events, Some(172));
/// assert_eq!(alert.coincidence.p_value, None);
///
/// let error = SnewsAlert::decode(r#"{"id": "SNEWS_Coincidence_ALERT_1"}"#.into()).unwrap_err();
/// assert_eq!(error.to_string(), "snews-alert: missing field `status`, at line 1, column 35 (byte 34)");
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, HopModel)]
#[hop(format = "snews-alert", example = SnewsAlert::drill)]
pub struct SnewsAlert {
    /// The name of the alert; updates of one alert share it.
    pub id: String,
    /// Whether it is to be acted on.
    pub status: Status,
    /// When it was sent: ISO 8601, UTC.
    pub sent: String,
    /// What was seen at once.
    pub coincidence: Coincidence,
    /// Who saw it, in the order of detection.
    pub detectors: Vec<Detector>,
    /// Remarks for people. Left out of the message when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<String>,
}

impl SnewsAlert {
    /// What is sent to see whether anybody wakes up.
    fn drill() -> Self {
        Self {
            id: "SNEWS_Coincidence_ALERT_1".to_owned(),
            status: Status::Test,
            sent: "2026-03-04T05:06:07Z".to_owned(),
            coincidence: Coincidence {
                first: "2026-03-04T05:05:58.123456789Z".to_owned(),
                window: 10.0,
                p_value: None,
                false_alarms_per_year: Some(0.01),
            },
            detectors: vec![Detector { name: "Super-K".to_owned(), events: Some(172), direction: None }],
            comments: Vec::new(),
        }
    }
}

/// Whether an alert is to be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is.
    Alert,
    /// A later look at an alert sent before.
    Update,
    /// An alert sent before was none.
    Retraction,
    /// Nothing happened in the sky.
    Test,
}

/// Detections close in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coincidence {
    /// The earliest neutrino: ISO 8601, UTC, to the nanosecond.
    pub first: String,
    /// Within how many seconds the others followed.
    pub window: f64,
    /// The probability that chance did it; `None` where nobody worked it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// How many such coincidences chance makes in a year; infinite where the backgrounds are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_alarms_per_year: Option<f64>,
}

/// One detector's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    /// Its name.
    pub name: String,
    /// How many neutrinos it counted; `None` where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// Where in the sky they came from; `None` where it cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
}

/// A direction in the sky, and how well it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Direction {
    /// Right ascension, J2000, in degrees.
    pub ra: f64,
    /// Declination, J2000, in degrees.
    pub dec: f64,
    /// The radius of the circle that holds it with 90 % probability, in degrees.
    pub radius_90: f64,
}
