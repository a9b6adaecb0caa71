//! From the conversation's own views to the documents of the API.

use std::collections::BTreeMap;

use hushwing_api::group;
use hushwing_conversation::view::{
    Attempt, AttemptStage, ContactView, FaceView, InvitationView, MessageView, Notice, Quote,
    RoomView, Speaker, Whereabouts,
};
use hushwing_conversation::{ContactId, MessageState, Standing};
use hushwing_delivery::{NetworkTag, SendFailure};
use hushwing_sansio::Timestamp;

use super::proof::mode_name;
use super::{identity, introduction, list};
use crate::api::view;

/// The fewest digits by which a contact is named.
pub(super) const FEWEST_DIGITS: usize = 8;

/// RFC 3339 in UTC with milliseconds.
pub(super) fn time(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(at) => format!("{at:.3}"),
        // A time no calendar reaches comes from a contact's broken clock.
        Err(_) => "9999-12-31T23:59:59.999Z".to_owned(),
    }
}

pub(super) fn network(tag: NetworkTag) -> String {
    match tag {
        NetworkTag::RELAY => "relay".to_owned(),
        NetworkTag::MESH => "mesh".to_owned(),
        NetworkTag::TRUST => "trust".to_owned(),
        NetworkTag(other) => format!("network {other}"),
    }
}

pub(super) fn state(state: MessageState) -> &'static str {
    match state {
        MessageState::Queued => "queued",
        MessageState::Accepted => "accepted",
        MessageState::Delivered => "delivered",
        MessageState::Read => "read",
        MessageState::Failed => "failed",
    }
}

/// The id of a contact. It is the conversation's and not a number: contacts
/// choose their names, and nobody can choose the name that is another's id.
pub(super) fn contact_id(shown: &ContactView) -> String {
    shown.conversation.to_string()
}

/// The id of a contact, as short as tells it apart from all of `known`.
pub(super) fn short_contact_id(shown: &ContactView, known: &[ContactView]) -> String {
    let id = contact_id(shown);
    let taken = |cut: &str| {
        known
            .iter()
            .any(|other| other.contact != shown.contact && contact_id(other).starts_with(cut))
    };
    let cuts = (FEWEST_DIGITS..id.len()).filter_map(|digits| id.get(..digits));
    let short = cuts.into_iter().find(|cut| !taken(cut));
    short.unwrap_or(&id).to_owned()
}

pub(super) fn contact(shown: &ContactView, known: &[ContactView]) -> view::Contact {
    view::Contact {
        name: shown.name.clone(),
        contact: contact_id(shown),
        short: short_contact_id(shown, known),
        conversation: shown.conversation.to_string(),
        verified: shown.verified,
        verified_at: shown.identity.verified.map(|(at, _)| time(at)),
        verified_by: shown
            .identity
            .verified
            .map(|(_, how)| identity::how(how).to_owned()),
        withdrawn_at: shown.identity.withdrawn.map(time),
        key_since: shown.identity.key_since.map(time),
        key_changes: identity::changes(&shown.identity),
        introduced_by: shown.introduced.as_ref().map(|one| one.by.clone()),
        introduction: shown.introduced.as_deref().map(introduction::outcome),
        group: shown.group.as_deref().map(str::to_owned),
        networks: shown.networks.iter().copied().map(network).collect(),
        state: match shown.standing {
            Standing::Joining | Standing::Asked => "joining",
            Standing::Requested => "requested",
            Standing::Established => "connected",
            Standing::Broken => "broken",
            Standing::Restoring => "restoring",
        }
        .to_owned(),
        forward_secrecy: !shown.no_forward_secrecy,
        mailbox_lost: shown.mailbox_lost,
        mode: mode_name(shown.mode.in_force).to_owned(),
        dropped: shown.dropped,
        blocked: shown.blocked,
        devices: shown.devices,
        namesake: known.iter().any(|other| {
            other.contact != shown.contact
                && other.standing != Standing::Requested
                && other.name == shown.name
        }),
        own_name: shown.face.name.clone(),
        status: shown.face.status.clone(),
        avatar: shown.face.avatar.map(|hash| hex(&hash)),
        former_names: former_names(&shown.face),
    }
}

/// The beginning of a hash, enough to tell one picture from the next.
pub(super) fn hex(hash: &[u8; 32]) -> String {
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn former_names(face: &FaceView) -> Vec<view::FormerName> {
    let names = face.names.iter();
    let former = names.map(|(name, until)| view::FormerName {
        name: name.clone(),
        until: time(*until),
    });
    former.collect()
}

pub(super) fn invitation(
    shown: &InvitationView,
    rooms: &[RoomView],
    this_machine_only: bool,
) -> view::Invitation {
    let leads = rooms.iter().find(|room| Some(room.room) == shown.room);
    view::Invitation {
        invitation: shown.invitation.0,
        link: String::from_utf8_lossy(shown.link.expose()).into_owned(),
        expires: time(shown.expires),
        reusable: shown.reusable,
        group: leads.map(|room| room.name.clone()),
        open: shown.open,
        this_machine_only,
        ended: shown.ended.map(|reason| reason.to_string()),
    }
}

/// Shown names by contact.
pub(super) type Names = BTreeMap<ContactId, String>;

pub(super) fn speaker(who: Speaker, names: &Names) -> String {
    match who {
        Speaker::Me => "me".to_owned(),
        Speaker::Contact(id) => named(names.get(&id)),
        // One sequence numbers contacts, rooms and members.
        Speaker::Member(id) => named(names.get(&id.place())),
    }
}

/// People choose their names, and nobody else may be `me`.
fn named(name: Option<&String>) -> String {
    match name {
        Some(name) if name.trim().eq_ignore_ascii_case("me") => format!("{name} (not you)"),
        Some(name) if !name.is_empty() => name.clone(),
        Some(_) | None => "somebody".to_owned(),
    }
}

pub(super) fn message(shown: &MessageView, names: &Names) -> view::Message {
    view::Message {
        id: shown.id.to_string(),
        short: shown.short.to_string(),
        conversation: shown.conversation.to_string(),
        with: speaker(Speaker::Contact(shown.contact), names),
        from: speaker(shown.from, names),
        sent_at: time(shown.sent_at),
        text: shown.notice.map_or_else(|| shown.text.clone(), told),
        state: match shown.from {
            Speaker::Me if !shown.elsewhere => state(shown.state),
            _ => "received",
        }
        .to_owned(),
        elsewhere: shown.elsewhere,
        reached: shown.counted.as_deref().map(|counted| group::Counts {
            all: counted.all,
            accepted: counted.accepted,
            delivered: counted.delivered,
            read: counted.read,
            failed: counted.failed,
        }),
        attachments: Vec::new(),
        reply_to: shown.reply_to.map(|id| id.to_string()),
        answered: shown
            .answered
            .as_deref()
            .map(|quote| answered(quote, names)),
        edited: shown.edited,
        deleted: shown.deleted,
        provable: shown.provable,
        off_the_record: shown.off_record,
        handed_on: shown.handed_on,
        reactions: shown
            .reactions
            .iter()
            .map(|(who, mark)| view::Reaction {
                from: speaker(*who, names),
                reaction: mark.clone(),
            })
            .collect(),
        notice: shown.notice.map(|notice| match notice {
            Notice::Disappear { seconds } => view::Notice {
                kind: "disappear".to_owned(),
                seconds,
            },
        }),
        mentions: shown
            .mentions
            .iter()
            .map(|mention| view::Mention {
                start: mention.at.0,
                end: mention.at.1,
                who: speaker(mention.who, names),
            })
            .collect(),
        disappears_at: shown.disappears.map(time),
    }
}

/// A notice in words.
fn told(notice: Notice) -> String {
    match notice {
        Notice::Disappear { seconds: 0 } => "messages stay".to_owned(),
        Notice::Disappear { seconds } => {
            format!("messages disappear {} after they were read", span(seconds))
        }
    }
}

/// A span of time in the largest unit that tells it exactly.
fn span(seconds: u32) -> String {
    let units = [
        (604_800, "week"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
    ];
    let fits = |(unit, _): &&(u32, &str)| seconds.is_multiple_of(*unit);
    let (unit, name) = units.iter().find(fits).unwrap_or(&(1, "second"));
    let count = seconds / unit;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

/// How far a message got. What others sent, and other devices of mine, was received, and by
/// the words of its way they are the ones who acted.
pub(super) fn whereabouts(shown: &Whereabouts, names: &Names) -> view::Where {
    let mine = shown.from == Speaker::Me && !shown.elsewhere;
    let stage = |stage| match stage {
        MessageState::Queued if !mine => "sent",
        MessageState::Delivered if !mine => "received",
        other => state(other),
    };
    view::Where {
        state: if mine { state(shown.state) } else { "received" }.to_owned(),
        progress: shown
            .progress
            .iter()
            .map(|step| view::Progress {
                network: step
                    .network
                    .map_or_else(|| "conversation".to_owned(), network),
                stage: stage(step.stage).to_owned(),
                at: time(step.at),
                verified: step.verified,
            })
            .collect(),
        attempts: shown.attempts.iter().map(attempt).collect(),
        alone: false,
        elsewhere: shown.elsewhere,
        members: shown
            .members
            .iter()
            .map(|one| group::MemberReached {
                member: one.member.0,
                name: speaker(Speaker::Member(one.member), names),
                state: state(one.state).to_owned(),
                missed: None,
            })
            .chain(shown.copies.iter().map(|copy| list::reached(copy, names)))
            .collect(),
    }
}

fn attempt(shown: &Attempt) -> view::Attempt {
    view::Attempt {
        network: network(shown.network),
        address: shown.address,
        recovery: shown.recovery,
        stage: match shown.stage {
            AttemptStage::Waiting => "waiting",
            AttemptStage::Sending => "sending",
            AttemptStage::Trying => "trying",
            AttemptStage::Accepted => "accepted",
            AttemptStage::Failed => "failed",
        }
        .to_owned(),
        problem: shown.problem.map(|why| send_problem(why).to_owned()),
        begun: shown.begun.map(time),
        accepted: shown.accepted.map(time),
    }
}

fn send_problem(why: SendFailure) -> &'static str {
    match why {
        SendFailure::Unreachable => "nobody answers there",
        SendFailure::Full => "the mailbox is full until they read",
        SendFailure::Gone => "the mailbox is gone",
        SendFailure::WrongServer => "another server answers there",
        SendFailure::Unreadable => "the address cannot be read by this program",
    }
}

/// What to do where no message has an id.
pub(super) const NO_SUCH_MESSAGE: &str = "`hushwing read NAME` shows the ids of messages";

fn answered(quote: &Quote, names: &Names) -> view::Quote {
    view::Quote {
        short: quote.short.to_string(),
        from: speaker(quote.from, names),
        text: quote.text.clone(),
        deleted: quote.deleted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(
            time(Timestamp::from_millis(1_763_694_000_123)),
            "2025-11-21T03:00:00.123Z"
        );
        assert_eq!(
            time(Timestamp::from_millis(u64::MAX)),
            "9999-12-31T23:59:59.999Z"
        );
    }

    #[test]
    fn spans_are_told_in_the_largest_unit() {
        for (seconds, text) in [
            (1, "1 second"),
            (90, "90 seconds"),
            (3_600, "1 hour"),
            (172_800, "2 days"),
            (604_800, "1 week"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn nobody_else_is_shown_as_me() {
        let names = [(ContactId(7), "Me ".to_owned())].into();
        assert_eq!(speaker(Speaker::Me, &names), "me");
        assert_eq!(
            speaker(Speaker::Contact(ContactId(7)), &names),
            "Me  (not you)"
        );
    }
}
