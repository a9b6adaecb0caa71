//! Seeds about introductions and about who somebody is.

use hushwing_conversation::content::{Introduction, IntroductionId, IntroductionStep, Offer};
use hushwing_conversation::link::{IntroducedLink, Promise};
use hushwing_conversation::storage::{
    ChangeKind, Compared, Comparison, ExpectedRecord, FaceRecord, FormerName, IdentityChange,
    IdentityRecord, IntroducedRecord, IntroductionRecord, IntroductionsRecord, MyProfileRecord,
    OfferRecord, OfferState, OffersRecord, Seen,
};
use hushwing_conversation::{ContactId, Secret};
use hushwing_sansio::Timestamp;

use crate::seeds::Seed;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

pub(crate) fn introductions() -> Vec<Seed> {
    let offer = Offer {
        invites: true,
        name: "Bob".to_owned(),
        word: Some("plays chess".to_owned()),
    };
    let say = |step| {
        let id = IntroductionId([7; 16]);
        Introduction { id, step }.encode()
    };
    let target = "conversation_introduction";
    let link = IntroducedLink {
        link: Secret::new(*b"hushwing:i#AA"),
        fixed: [1; 33],
        signature: [2; 64],
    };
    let records = "conversation_records";
    vec![
        (target, "offer", say(IntroductionStep::Offer(offer))),
        (
            target,
            "agree",
            say(IntroductionStep::Agree(Promise([1; 32]))),
        ),
        (
            target,
            "agreed",
            say(IntroductionStep::Agreed(Promise([2; 32]))),
        ),
        (target, "link", say(IntroductionStep::Link(link))),
        (target, "witness", say(IntroductionStep::Witness([3; 32]))),
        (records, "expected", expected().encode()),
        (records, "identity", identity().encode()),
        (records, "my_profile", my_profile().encode()),
        (records, "face", face().encode()),
        (records, "introduced", introduced().encode()),
        (records, "introductions", mine().encode()),
        (records, "offers", offers().encode()),
    ]
}

fn my_profile() -> MyProfileRecord {
    MyProfileRecord {
        revision: 3,
        avatar: Some(b"\xff\xd8\xff\xe0".to_vec()),
        status: Some("away".to_owned()),
    }
}

fn face() -> FaceRecord {
    FaceRecord {
        told: 3,
        name: Some("Rob".to_owned()),
        status: Some("away".to_owned()),
        avatar: Some([7; 32]),
        names: vec![FormerName {
            name: "Bob".to_owned(),
            until: Timestamp::from_secs(9),
        }],
    }
}

fn identity() -> IdentityRecord {
    IdentityRecord {
        seen: Some(Seen {
            number: vec![1; 32],
            key: vec![2; 32],
            conversation: vec![3; 16],
            since: NOW,
        }),
        comparison: Some(Comparison {
            number: vec![1; 32],
            at: NOW,
            how: Compared::Code,
        }),
        changes: vec![IdentityChange {
            at: NOW,
            kind: ChangeKind::Planned,
            withdrew: false,
        }],
    }
}

fn expected() -> ExpectedRecord {
    ExpectedRecord {
        id: [7; 16],
        promise: [1; 32],
    }
}

fn introduced() -> IntroducedRecord {
    IntroducedRecord {
        by: ContactId(1),
        name: "Ivan".to_owned(),
        id: [7; 16],
        at: NOW,
        witness: [3; 32],
        agrees: Some(true),
    }
}

fn mine() -> IntroductionsRecord {
    let one = IntroductionRecord {
        number: 9,
        id: [7; 16],
        inviter: ContactId(1),
        joiner: ContactId(2),
        since: NOW,
        inviter_promise: Some([1; 32]),
        joiner_promise: None,
        passed: false,
    };
    IntroductionsRecord {
        introductions: vec![one],
    }
}

fn offers() -> OffersRecord {
    let one = OfferRecord {
        number: 9,
        id: [7; 16],
        invites: false,
        name: "Bob".to_owned(),
        word: None,
        since: NOW,
        state: OfferState::Opening(4),
        secret: Secret::new([5; 32]),
        their_promise: Some([1; 32]),
        link: None,
    };
    OffersRecord { offers: vec![one] }
}
