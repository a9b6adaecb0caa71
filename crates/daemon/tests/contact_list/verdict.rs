//! How well a ranking of pairs fits the truth, and how well chance would do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Standard deviations from chance that nobody minds. Of normal values one in
/// thirty thousand is further off; evidence is looked at in nine kinds.
const DEVIATIONS: f64 = 4.0;

/// How well one kind of evidence tells the pairs of one conversation.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// The chance that a true pair ranks before a false one; 0.5 is chance.
    pub(crate) auc: f64,
    /// True pairs among the first, as many as there are true ones.
    pub(crate) hits: usize,
    /// How many of them chance would have brought.
    expected: f64,
    deviation: f64,
}

impl Verdict {
    /// Whether chance explains it.
    pub(crate) fn is_chance(&self) -> bool {
        // So many hits of a rare thing (Poisson) have the chance of the bound
        // above, or less.
        let most = self.expected + DEVIATIONS * self.expected.sqrt().max(1.0);
        self.auc <= 0.5 + DEVIATIONS * self.deviation && self.hits as f64 <= most
    }
}

/// What the attack said of each kind of evidence.
pub(crate) fn judge(said: &Value, truth: &[[String; 2]]) -> BTreeMap<String, Verdict> {
    let names = said["queues"].as_array().unwrap();
    let places: BTreeMap<&str, usize> = (names.iter().enumerate())
        .map(|(at, name)| (name.as_str().unwrap(), at))
        .collect();
    let truth: BTreeSet<(usize, usize)> = (truth.iter())
        .map(|[one, other]| {
            let (one, other) = (places[one.as_str()], places[other.as_str()]);
            (one.min(other), one.max(other))
        })
        .collect();
    let pairs = names.len() * (names.len() - 1) / 2;
    let kinds = said["evidence"].as_object().unwrap();
    kinds
        .iter()
        .map(|(kind, scores)| (kind.clone(), verdict(scores, &truth, pairs)))
        .collect()
}

fn verdict(scores: &Value, truth: &BTreeSet<(usize, usize)>, pairs: usize) -> Verdict {
    let mut ranked: Vec<(f64, bool)> = (scores.as_array().unwrap().iter())
        .map(|entry| {
            let place = |at: usize| entry[at].as_u64().unwrap() as usize;
            let score = entry[2].as_f64().unwrap();
            (score, truth.contains(&(place(0), place(1))))
        })
        .collect();
    let (positive, negative) = (truth.len(), pairs - truth.len());
    let named = ranked.iter().filter(|(_, is_true)| *is_true).count();
    // Those that nothing was said of have the score 0.
    let silent = [
        (true, positive - named),
        (false, pairs + named - positive - ranked.len()),
    ];
    for (is_true, count) in silent {
        ranked.extend(std::iter::repeat_n((0.0, is_true), count));
    }
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
    let before = pairs_before(&ranked);
    let (p, n) = (positive as f64, negative as f64);
    let first = ranked
        .iter()
        .take(positive)
        .filter(|(score, _)| *score > 0.0);
    Verdict {
        auc: before / (p * n),
        hits: first.filter(|(_, is_true)| *is_true).count(),
        expected: p * p / (p + n),
        deviation: ((p + n + 1.0) / (12.0 * p * n)).sqrt(),
    }
}

/// Pairs of a true and a false one where the true one ranks before; equal ones
/// count half.
fn pairs_before(ranked: &[(f64, bool)]) -> f64 {
    let (mut above, mut sum) = (0.0, 0.0);
    for equal in ranked.chunk_by(|one, other| one.0 == other.0) {
        let positive = equal.iter().filter(|(_, is_true)| *is_true).count() as f64;
        let negative = equal.len() as f64 - positive;
        sum += negative * (above + positive / 2.0);
        above += positive;
    }
    sum
}

#[test]
fn a_perfect_ranking_a_useless_one_and_silence_are_told_apart() {
    let pairs = 80 * 79 / 2;
    let truth: BTreeSet<_> = (0..40).map(|couple| (2 * couple, 2 * couple + 1)).collect();
    let rank = |shift: usize| -> Value {
        let scores = (0..40).map(|n| serde_json::json!([2 * n, 2 * n + shift, 1 + n]));
        scores.collect::<Vec<_>>().into()
    };
    let perfect = verdict(&rank(1), &truth, pairs);
    assert_eq!((perfect.auc, perfect.hits), (1.0, 40));
    assert!(!perfect.is_chance());
    let silence = verdict(&serde_json::json!([]), &truth, pairs);
    assert_eq!((silence.auc, silence.hits), (0.5, 0));
    assert!(silence.is_chance());
    let useless = verdict(&rank(2), &truth, pairs);
    assert!(useless.auc < 0.5 && useless.hits == 0 && useless.is_chance());
}
