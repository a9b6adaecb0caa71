//! What a run tells: figures beside their references.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// What waited while somebody was away, until all of it is shown.
    Backlog,
    /// Messages between two people: encryption, sealing, storing, arriving.
    Conversation,
    /// What a group costs with its size.
    Group,
    /// The relay server as a process under load.
    Relay,
    /// A profile in which a million messages lie.
    Store,
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backlog => "backlog",
            Self::Conversation => "conversation",
            Self::Group => "group",
            Self::Relay => "relay",
            Self::Store => "store",
        })
    }
}

/// A word that names no [`Area`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are figures for backlog, conversation, group, relay and store")]
pub struct UnknownArea;

impl FromStr for Area {
    type Err = UnknownArea;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "backlog" => Ok(Self::Backlog),
            "conversation" => Ok(Self::Conversation),
            "group" => Ok(Self::Group),
            "relay" => Ok(Self::Relay),
            "store" => Ok(Self::Store),
            _ => Err(UnknownArea),
        }
    }
}

/// One measured figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured; the README says how.
    pub name: String,
    /// What this program took, in [`Figure::unit`].
    pub value: f64,
    /// The unit of value and reference.
    pub unit: String,
    /// What the reference took in the same run: a peer, or the sum of the
    /// primitives that the work cannot avoid.
    pub reference: f64,
    /// Value by reference.
    pub ratio: f64,
}

impl Figure {
    pub(crate) fn new(name: &str, unit: &str, value: f64, reference: f64) -> Self {
        let ratio = if reference > 0.0 {
            value / reference
        } else {
            0.0
        };
        Self {
            name: name.into(),
            value: rounded(value),
            unit: unit.into(),
            reference: rounded(reference),
            ratio: rounded(ratio),
        }
    }
}

/// Three digits behind the point: more would pretend.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// All figures of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was measured.
    pub area: Area,
    /// The figures.
    pub results: Vec<Figure>,
}

impl fmt::Display for Report {
    /// A line for each figure, in columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&Figure) -> usize| self.results.iter().map(text).max().unwrap_or(0);
        let (names, units) = (width(|r| r.name.len()), width(|r| r.unit.chars().count()));
        let (value, unit, reference, ratio) = ("value", "unit", "reference", "ratio");
        writeln!(
            f,
            "{:names$} {value:>12} {unit:units$} {reference:>12} {ratio:>8}",
            self.area.to_string()
        )?;
        for result in &self.results {
            writeln!(
                f,
                "{:names$} {:>12.2} {:units$} {:>12.2} {:>8.2}",
                result.name, result.value, result.unit, result.reference, result.ratio
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            area: Area::Relay,
            results: vec![Figure::new("cost", "µs", 30.0, 20.0)],
        }
    }

    #[test]
    fn the_document_has_the_promised_shape() {
        assert_eq!(
            serde_json::to_string(&report()).unwrap(),
            r#"{"area":"relay","results":[{"name":"cost","value":30.0,"unit":"µs","reference":20.0,"ratio":1.5}]}"#
        );
    }

    #[test]
    fn an_unmeasurable_reference_gives_no_infinite_ratio() {
        assert_eq!(Figure::new("cost", "µs", 30.0, 0.0).ratio, 0.0);
    }

    #[test]
    fn the_text_has_a_line_for_each_figure() {
        let text = report().to_string();
        assert_eq!(text.lines().count(), 2);
        assert!(
            text.contains("cost        30.00 µs        20.00     1.50"),
            "{text}"
        );
    }

    #[test]
    fn areas_are_read_as_they_are_written() {
        for area in [Area::Backlog, Area::Conversation, Area::Relay, Area::Store] {
            assert_eq!(area.to_string().parse(), Ok(area));
        }
        assert_eq!("mesh".parse::<Area>(), Err(UnknownArea));
    }
}
