//! What is said about rooms, read and written.

use std::collections::BTreeSet;

use proptest::prelude::*;

use hushwing_sansio::Timestamp;

use super::*;
use crate::MessageId;
use crate::content::history::Next;

fn entry(name: &str) -> Entry {
    Entry {
        key: [7; 32],
        name: name.to_owned(),
        revision: 3,
        addresses: vec![vec![1; 40], vec![2; 50]],
    }
}

fn past(name: &str) -> Past {
    Past {
        account: AccountId::try_from([3; 16].as_slice()).unwrap(),
        key: [4; 32],
        name: name.to_owned(),
        epoch: 9,
        leaf: 2,
        message: vec![5; 80],
    }
}

fn piece(next: Next, past: Vec<Past>) -> RoomStep {
    let asked = [2; 52];
    RoomStep::Piece(Piece { asked, next, past })
}

fn tally(leaves: &[u32]) -> Tally {
    Tally {
        message: MessageId::from_bytes(&[1; 32]).unwrap(),
        delivered: leaves.iter().copied().collect(),
        read: BTreeSet::new(),
    }
}

fn paired(name: &str, marked: bool) -> Paired {
    Paired {
        shared: shared(name),
        conversation: ConversationId([6; 16]),
        turn: 4,
        keys: [[1; 32], [2; 32]],
        verified: marked,
        blocked: !marked,
        revision: 5,
    }
}

fn begun(reply_to: Option<MessageId>) -> Begun {
    Begun {
        room: ConversationId([5; 16]),
        text: "Dear".to_owned(),
        reply_to,
    }
}

fn seen() -> Seen {
    Seen {
        room: ConversationId([5; 16]),
        epoch: 3,
        lamport: 900,
        leaf: 2,
        message: MessageId::from_bytes(&[1; 32]).unwrap(),
    }
}

fn shared(name: &str) -> Shared {
    Shared {
        room: ConversationId([5; 16]),
        account: AccountId::try_from([7; 16].as_slice()).unwrap(),
        key: [8; 32],
        name: name.to_owned(),
        my_name: name.to_owned(),
        proof: [6; 64],
        before: Vec::new(),
    }
}

fn answer(name: &str, before: Option<[u8; 32]>) -> DeviceAnswer {
    DeviceAnswer {
        package: vec![9; 300],
        entry: entry(name),
        profile: name.to_owned(),
        before,
    }
}

fn here(readiness: Readiness) -> RoomStep {
    RoomStep::Here {
        mark: [9; 16],
        readiness,
    }
}

fn dismissed(out: bool) -> RoomStep {
    let account = AccountId::try_from([7; 16].as_slice()).unwrap();
    RoomStep::Dismissed { account, out }
}

fn all(name: &str) -> Vec<RoomWord> {
    let steps = [
        RoomStep::Offer {
            name: name.to_owned(),
            size: 4,
            key: [6; 32],
            id: [7; 8],
        },
        RoomStep::Answer {
            package: vec![9; 300],
            entry: entry(name),
        },
        RoomStep::Roster(vec![entry(name), entry(name)]),
        RoomStep::Greeting {
            entry: entry(name),
            known: vec![([7; 32], 3), ([8; 32], 0)],
        },
        RoomStep::Leave,
        RoomStep::Ask([5; 8]),
        RoomStep::Again {
            epoch: u64::MAX,
            message: vec![8; 70],
        },
        RoomStep::Call(DeviceCall {
            account: AccountId::try_from([7; 16].as_slice()).unwrap(),
            entry: entry(name),
            profile: name.to_owned(),
        }),
        RoomStep::Called(answer(name, None)),
        RoomStep::Called(answer(name, Some([5; 32]))),
        RoomStep::Passed(vec![[1; 16], [2; 16]]),
        RoomStep::Tallies(vec![tally(&[0, 40]), tally(&[])]),
        RoomStep::Past(vec![past(name), past(name)]),
        RoomStep::Return,
        RoomStep::Anew(vec![7; 153]),
        RoomStep::Withdrawn,
        RoomStep::Come {
            package: vec![9; 300],
            entry: entry(name),
            proof: [6; 64],
        },
        RoomStep::Share(vec![
            shared(name),
            Shared {
                before: vec![7; 153],
                ..shared(name)
            },
        ]),
        RoomStep::Seen(vec![seen()]),
        RoomStep::Mine(vec![[3; 32], [4; 32]]),
        RoomStep::Missing(vec![[3; 32], [4; 32]]),
        RoomStep::Roll([9; 16]),
        here(Readiness::Ready),
        here(Readiness::Unable),
        here(Readiness::Unwilling),
        dismissed(true),
        dismissed(false),
        RoomStep::Further([3; 52]),
        piece(Next::Before([3; 52]), vec![past(name), past(name)]),
        piece(Next::End, Vec::new()),
        piece(Next::Elsewhere, Vec::new()),
        RoomStep::Entitled(vec![Entitled {
            device: [3; 32],
            since: Timestamp::from_secs(9),
        }]),
        RoomStep::Begun(begun(None)),
        RoomStep::Begun(begun(MessageId::from_bytes(&[1; 32]).ok())),
        RoomStep::PairWanted(2),
        RoomStep::PairOffered {
            turn: 3,
            key: [8; 32],
            id: [9; 8],
        },
        RoomStep::Paired(vec![paired(name, false), paired(name, true)]),
    ];
    let of = |step| RoomWord {
        room: ConversationId([4; 16]),
        step,
    };
    steps.into_iter().map(of).collect()
}

#[test]
fn every_step_survives() {
    for word in all("Rowing") {
        assert_eq!(RoomWord::decode(&word.encode()), Ok(word));
    }
}

#[test]
fn a_place_that_no_store_holds_is_refused() {
    let read = |epoch, lamport| {
        let seen = Seen {
            epoch,
            lamport,
            ..seen()
        };
        let word = RoomWord {
            room: ConversationId([4; 16]),
            step: RoomStep::Seen(vec![seen]),
        };
        RoomWord::decode(&word.encode()).map(drop)
    };
    let most = i64::MAX as u64;
    assert_eq!(read(most, most), Ok(()));
    assert_eq!(read(most + 1, 0), Err(RoomWordError::Place));
    assert_eq!(read(0, most + 1), Err(RoomWordError::Place));
}

#[test]
fn cut_changed_and_newer_ones_are_refused() {
    for word in all("Rowing") {
        let bytes = word.encode();
        assert!(RoomWord::decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(RoomWord::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        let mut newer = bytes.clone();
        newer[1] = 2;
        assert_eq!(RoomWord::decode(&newer), Err(RoomWordError::Newer(2)));
        // A number above 23 stands behind a byte of its own, and all below are taken.
        let rest = match bytes[2] {
            0x18 => &bytes[4..],
            _ => &bytes[3..],
        };
        let unknown = [&bytes[..2], &[0x18, 255], rest].concat();
        assert_eq!(RoomWord::decode(&unknown), Err(RoomWordError::Step));
    }
}

#[test]
fn hostile_names_are_cleaned_or_refused() {
    for word in all("\u{202e}Row\u{7}ing") {
        let read = RoomWord::decode(&word.encode()).unwrap();
        let clean = all("Rowing");
        assert!(clean.contains(&read), "{read:?}");
    }
    for word in all("\u{200b}") {
        let nameless = matches!(
            word.step,
            RoomStep::Leave
                | RoomStep::Ask(_)
                | RoomStep::Again { .. }
                | RoomStep::Passed(_)
                | RoomStep::Seen(_)
                | RoomStep::Begun(_)
                | RoomStep::Mine(_)
                | RoomStep::Missing(_)
                | RoomStep::Roll(_)
                | RoomStep::Here { .. }
                | RoomStep::Dismissed { .. }
                | RoomStep::Tallies(_)
                | RoomStep::Past(_)
                | RoomStep::Further(_)
                | RoomStep::Entitled(_)
                | RoomStep::Piece(_)
                | RoomStep::Return
                | RoomStep::Anew(_)
                | RoomStep::PairWanted(_)
                | RoomStep::PairOffered { .. }
                | RoomStep::Withdrawn
        );
        let read = RoomWord::decode(&word.encode());
        assert_eq!(read == Err(RoomWordError::EmptyName), !nameless);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn whatever_is_read_is_bounded_and_never_panics(
        step in 0..30_u8, bytes in prop::collection::vec(any::<u8>(), 0..60)
    ) {
        let step = if step < 24 { vec![step] } else { vec![0x18, step] };
        let head = [&[0x84, 1][..], &step, &[0x50], &[4; 16], &bytes].concat();
        if let Ok(word) = RoomWord::decode(&head) {
            // Names may have been cleaned, so only what is read anew is the same.
            prop_assert_eq!(RoomWord::decode(&word.encode()), Ok(word));
        }
    }
}
