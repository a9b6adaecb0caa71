//! Seeds about rooms.

use hushwing_conversation::branches::AccountId;
use hushwing_conversation::content::{
    Begun, DeviceAnswer, DeviceCall, Entitled, Entry, Next, Paired, Past, Piece, Readiness,
    RoomStep, RoomWord, Seen, Shared,
};
use hushwing_conversation::storage::{
    AnsweredPairRecord, AskedRecord, CalledRecord, Dated, DevicesRecord, EntryRecord, HandedRecord,
    HandingRecord, KinRecord, KnownRecord, LeafRecord, LeavesRecord, LeavingRecord, MemberRecord,
    OfferedPairRecord, PackageRecord, PairRecord, PairingRecord, PairsRecord, PartedDevice,
    PartedGroup, PartedRecord, Position, PublishingRecord, RevokedRecord, RoomFollowersRecord,
    RoomLinkRecord, RoomMeetingRecord, RoomOfferRecord, RoomRecord, RoomRenewalRecord,
    RoomReturnRecord, RoomReturnersRecord, RoomRollRecord, RoomStanding, SeenRecord, SharedRecord,
    ShownRecord, Silence, TakingGroup, TakingRecord, TalkRecord, WelcomeRecord,
};
use hushwing_conversation::{ContactId, ConversationId, MemberId, MessageId, RoomId, Secret};
use hushwing_sansio::Timestamp;

use crate::seeds::Seed;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

pub(crate) fn rooms() -> Vec<Seed> {
    let target = "conversation_room";
    let records = "conversation_records";
    let entry = Entry {
        key: [7; 32],
        name: "Bob".to_owned(),
        revision: 2,
        addresses: vec![vec![9; 40]],
    };
    let offer = RoomStep::Offer {
        name: "Rowing".to_owned(),
        size: 3,
        key: [4; 32],
        id: [3; 8],
    };
    let answer = RoomStep::Answer {
        package: vec![8; 60],
        entry: entry.clone(),
    };
    let come = RoomStep::Come {
        package: vec![8; 60],
        entry: entry.clone(),
        proof: [9; 64],
    };
    let greeting = RoomStep::Greeting {
        entry: entry.clone(),
        known: vec![([7; 32], 1)],
    };
    let call = RoomStep::Call(DeviceCall {
        account: AccountId::try_from([7; 16].as_slice()).unwrap(),
        entry: entry.clone(),
        profile: "Alice".to_owned(),
    });
    let called = RoomStep::Called(DeviceAnswer {
        package: vec![8; 60],
        entry: entry.clone(),
        profile: "Alice".to_owned(),
        before: Some([6; 32]),
    });
    let past = RoomStep::Past(vec![Past {
        account: AccountId::try_from([7; 16].as_slice()).unwrap(),
        key: [7; 32],
        name: "Bob".to_owned(),
        epoch: 3,
        leaf: 1,
        message: vec![8; 60],
    }]);
    let shared = Shared {
        room: ConversationId([6; 16]),
        account: AccountId::try_from([7; 16].as_slice()).unwrap(),
        key: [8; 32],
        name: "Rowing".to_owned(),
        my_name: "Alice".to_owned(),
        proof: [9; 64],
        before: vec![7; 153],
    };
    let paired = Paired {
        shared: Shared {
            before: Vec::new(),
            ..shared.clone()
        },
        conversation: ConversationId([4; 16]),
        turn: 2,
        keys: [[1; 32], [2; 32]],
        verified: true,
        blocked: false,
        revision: 9,
    };
    let pair = RoomStep::PairOffered {
        turn: 2,
        key: [3; 32],
        id: [4; 8],
    };
    let message = MessageId::from_bytes(&[1; 32]).unwrap();
    let seen = Seen {
        room: ConversationId([6; 16]),
        epoch: 3,
        lamport: 900,
        leaf: 2,
        message,
    };
    let begun = Begun {
        room: ConversationId([6; 16]),
        text: "Dear".to_owned(),
        reply_to: Some(message),
    };
    let read = Position {
        epoch: 3,
        lamport: 900,
        leaf: 2,
        id: message,
    };
    let piece = |next| {
        let (asked, past) = ([5; 52], Vec::new());
        RoomStep::Piece(Piece { asked, next, past })
    };
    let entitled = Entitled {
        device: [3; 32],
        since: NOW,
    };
    let steps = [
        ("past", past),
        ("call", call),
        ("called", called),
        ("come", come),
        ("share", RoomStep::Share(vec![shared])),
        ("paired", RoomStep::Paired(vec![paired])),
        ("pair_wanted", RoomStep::PairWanted(2)),
        ("pair_offered", pair),
        ("seen", RoomStep::Seen(vec![seen])),
        ("begun", RoomStep::Begun(begun)),
        ("mine", RoomStep::Mine(vec![[3; 32]])),
        ("missing", RoomStep::Missing(vec![[3; 32], [4; 32]])),
        ("further", RoomStep::Further([4; 52])),
        ("piece", piece(Next::Before([4; 52]))),
        ("piece_last", piece(Next::End)),
        ("piece_elsewhere", piece(Next::Elsewhere)),
        ("entitled", RoomStep::Entitled(vec![entitled])),
        ("offer", offer),
        ("answer", answer),
        ("roster", RoomStep::Roster(vec![entry])),
        ("greeting", greeting),
        ("leave", RoomStep::Leave),
        ("return", RoomStep::Return),
        ("withdrawn", RoomStep::Withdrawn),
        ("roll", RoomStep::Roll([9; 16])),
        (
            "here",
            RoomStep::Here {
                mark: [9; 16],
                readiness: Readiness::Unable,
            },
        ),
        (
            "dismissed",
            RoomStep::Dismissed {
                account: AccountId::try_from([9; 16].as_slice()).unwrap(),
                out: true,
            },
        ),
        ("anew", RoomStep::Anew(vec![7; 153])),
        ("ask", RoomStep::Ask([6; 8])),
        (
            "again",
            RoomStep::Again {
                epoch: 3,
                message: vec![8; 60],
            },
        ),
    ];
    let room = ConversationId([5; 16]);
    let words = steps.into_iter().map(|(name, step)| {
        let word = RoomWord { room, step };
        (target, name, word.encode())
    });
    let leads = RoomLinkRecord {
        room: RoomId(9),
        open: true,
    };
    let met = RoomMeetingRecord {
        group: room,
        name: "Rowing".to_owned(),
        done: false,
    };
    let back = RoomReturnRecord {
        asked: vec![AskedRecord {
            contact: ContactId(3),
            since: NOW,
        }],
        since: NOW,
        trusted: vec![(ContactId(3), [9; 32])],
    };
    let returners = RoomReturnersRecord {
        asked: back.asked.clone(),
    };
    let followers = RoomFollowersRecord {
        waiting: vec![(ContactId(3), true), (ContactId(4), false)],
        since: NOW,
    };
    let renewal = RoomRenewalRecord {
        leaf: [9; 32],
        renewed_at: Some(3),
        due: NOW,
        asked: true,
    };
    let dated = |byte| Dated {
        account: vec![byte; 16],
        at: NOW,
    };
    let roll = RoomRollRecord {
        named: vec![vec![7; 16], vec![8; 16]],
        since: NOW,
        silent: vec![Silence {
            account: vec![8; 16],
            since: NOW,
            missed: 2,
        }],
        marks: vec![[4; 16]],
        replaced: vec![dated(9)],
        unwilling: vec![dated(5), dated(6)],
    };
    let kin = KinRecord {
        claims: vec![(MemberId(9), vec![[4; 32]])],
        former: vec![(MemberId(8), MemberId(9))],
    };
    let leaf = LeafRecord {
        device: vec![3; 32],
        conversation: room,
        account: vec![7; 16],
        key: [4; 32],
    };
    let leaves = LeavesRecord {
        leaves: vec![leaf],
        revoked: vec![RevokedRecord {
            device: vec![5; 32],
            at: NOW,
        }],
        thrown_out: NOW,
    };
    let stored = [
        (records, "room_renewal", renewal.encode()),
        (records, "room_roll", roll.encode()),
        (records, "room_followers", followers.encode()),
        (records, "room_return", back.encode()),
        (records, "room_returners", returners.encode()),
        (records, "seen", SeenRecord::at(&read).encode()),
        (records, "kin", kin.encode()),
        (records, "leaves", leaves.encode()),
        (records, "room_link", leads.encode()),
        (records, "room_meeting", met.encode()),
        (records, "room", record().encode()),
        (records, "member", member().encode()),
        (records, "devices", devices().encode()),
        (records, "parted", parted().encode()),
        (records, "pairs", pairs().encode()),
        (records, "handing", handing().encode()),
        (records, "taking", taking().encode()),
    ];
    words.chain(stored).collect()
}

fn pairs() -> PairsRecord {
    let (group, conversation) = (ConversationId([5; 16]), ConversationId([4; 16]));
    let pairing = PairingRecord {
        offered: Some(OfferedPairRecord {
            group,
            turn: 3,
            key: Secret::new([6; 32]),
            id: [7; 8],
        }),
        answered: Some(AnsweredPairRecord {
            id: [8; 8],
            at: NOW,
        }),
        at: NOW,
        wanted: 2,
        least: 2,
        cut: false,
    };
    PairsRecord {
        pairs: vec![PairRecord {
            group,
            conversation,
            turn: 2,
            forgotten: false,
        }],
        contacts: [(ContactId(3), pairing)].into(),
        known: vec![KnownRecord {
            conversation,
            turn: 2,
            name: "Bob".to_owned(),
            keys: [[1; 32], [2; 32]],
            verified: true,
            blocked: false,
            by: (vec![3; 32], 9),
        }],
    }
}

fn devices() -> DevicesRecord {
    let secret = |byte| Secret::new(vec![byte; 32]);
    DevicesRecord {
        room: Some(RoomId(7)),
        shown: Some(ShownRecord {
            key: secret(1),
            until: NOW,
            talked: Some(TalkRecord {
                call: secret(2),
                answer: secret(3),
                letter: Some(8),
            }),
        }),
        called: Some(CalledRecord {
            key: [4; 32],
            address: secret(5),
            until: NOW,
            call: Some(secret(6)),
            letter: Some(9),
            answer: None,
        }),
    }
}

fn handing() -> HandingRecord {
    HandingRecord {
        devices: vec![HandedRecord {
            device: [3; 32],
            since: NOW,
        }],
    }
}

fn taking() -> TakingRecord {
    TakingRecord {
        groups: vec![TakingGroup {
            room: RoomId(5),
            entered: 6,
            before: vec![4; 52],
            again: true,
            pieces: 10,
            taken: 300,
            ended: vec![[7; 32]],
            over: false,
            since: NOW,
            looks: 1,
            depth: 3,
        }],
    }
}

fn parted() -> PartedRecord {
    PartedRecord {
        meeting: Some(ConversationId([2; 16])),
        account: vec![3; 16],
        key: vec![7; 32],
        devices: vec![PartedDevice {
            device: MemberId(4),
            name: "desk".to_owned(),
        }],
        groups: vec![PartedGroup {
            room: RoomId(5),
            account: vec![3; 16],
            waits: true,
        }],
        stale: vec![RoomId(5)],
        agreed: true,
        welcome: Some(Secret::new(vec![6; 40])),
        since: NOW,
    }
}

fn record() -> RoomRecord {
    RoomRecord {
        id: RoomId(7),
        conversation: ConversationId([5; 16]),
        standing: RoomStanding::Member,
        name: "Rowing".to_owned(),
        told_size: 3,
        account: vec![7; 16],
        my_name: "Carol".to_owned(),
        offered_by: Some(ContactId(1)),
        offer: Some(RoomOfferRecord {
            by: ContactId(1),
            key: [8; 32],
            id: [9; 8],
            decided: true,
        }),
        package: Some(PackageRecord {
            account: vec![7; 16],
            by: ContactId(1),
            steward: [8; 32],
            reference: vec![3; 40],
            message: vec![4; 60],
            key: Secret::new([5; 32]),
            entered: Some(EntryRecord {
                epoch: 3,
                since: NOW,
            }),
        }),
        mailbox: Some(8),
        leaving: vec![LeavingRecord {
            mailbox: 6,
            since: NOW,
        }],
        exposed: false,
        may_return: true,
        revision: 2,
        asked: vec![AskedRecord {
            contact: ContactId(2),
            since: NOW,
        }],
        publishing: vec![PublishingRecord {
            commit: [6; 32],
            letters: vec![9],
        }],
        ended: Some(NOW),
        leave_said: 0,
        since: NOW,
        shared: Some(SharedRecord { since: 7, epoch: 3 }),
    }
}

fn member() -> MemberRecord {
    MemberRecord {
        room: RoomId(7),
        member: MemberId(9),
        account: vec![2; 16],
        key: vec![1; 32],
        mine: false,
        name: "Bob".to_owned(),
        addresses: vec![Secret::new([7; 40])],
        revision: 4,
        contact: Some(ContactId(1)),
        present: true,
        gone: Some(NOW),
        told_again: false,
        welcome: Some(WelcomeRecord {
            letter: Some(3),
            body: Secret::new([2; 24]),
        }),
        stranded: Some(2),
    }
}
