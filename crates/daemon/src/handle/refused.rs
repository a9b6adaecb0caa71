//! What a refusal says to a person, and what to do about it.

use hushwing_conversation::Refusal;
use hushwing_delivery::MailboxFailure;

use super::show::NO_SUCH_MESSAGE;
use crate::error::{Error, ErrorKind};
use crate::relays::{REFUSES, Relays, place};

/// A refusal as faces show it; where a relay is behind it, the relay is named.
pub(crate) fn refusal_by(why: Refusal, relays: &Relays) -> Error {
    match why {
        Refusal::Mailbox(MailboxFailure::Refused) => match relays.refusing() {
            Some(server) => {
                let place = place(&server);
                Error::new(ErrorKind::Refused, format!("the relay {place}: {REFUSES}")).with_advice(
                    format!(
                        "give its password by `hushwing server add \
                         smp://FINGERPRINT:PASSWORD@{place}`, which takes the old one's place, \
                         or add another relay"
                    ),
                )
            }
            None => refusal(why),
        },
        Refusal::Mailbox(MailboxFailure::Unreachable) => match relays.unreached() {
            Some(server) => Error::new(
                ErrorKind::Unreachable,
                format!("the relay {} cannot be reached", place(&server)),
            )
            .with_advice("`hushwing status` shows why; it is tried again by itself"),
            None => refusal(why),
        },
        _ => refusal(why),
    }
}

/// A refusal as faces show it.
pub(crate) fn refusal(refusal: Refusal) -> Error {
    let kind = match refusal {
        Refusal::NoContact
        | Refusal::NoMessage
        | Refusal::NoInvitation
        | Refusal::NoRequest
        | Refusal::NoRoom
        | Refusal::NoMember
        | Refusal::NoChannel
        | Refusal::NoReader
        | Refusal::NoList
        | Refusal::NotOnList
        | Refusal::NoDevice
        | Refusal::NotARequest
        | Refusal::NoAvatar
        | Refusal::Deleted => ErrorKind::NotFound,
        Refusal::NotALink
        | Refusal::LinkCutOff
        | Refusal::LinkMistyped
        | Refusal::LinkNewer
        | Refusal::LinkForged
        | Refusal::DeviceLink
        | Refusal::LinkMine => ErrorKind::BadLink,
        Refusal::LinkExpired | Refusal::LinkUnanswered => ErrorKind::LinkExpired,
        Refusal::LinkUsed => ErrorKind::LinkUsed,
        Refusal::LinkUnreachable | Refusal::MailUnread => ErrorKind::Unreachable,
        Refusal::LinkWrongServer => ErrorKind::WrongServer,
        Refusal::WrongNumber | Refusal::WrongNumberNow | Refusal::WrongCode => ErrorKind::Mismatch,
        Refusal::Mailbox(MailboxFailure::Unreachable) => ErrorKind::Unreachable,
        Refusal::Mailbox(MailboxFailure::Refused) => ErrorKind::Refused,
        Refusal::Mailbox(_) | Refusal::Broken | Refusal::RoomBroken => ErrorKind::Protocol,
        _ => ErrorKind::Usage,
    };
    let error = Error::new(kind, refusal.to_string());
    match advice(refusal) {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// What to do, where it is not what the kind says.
fn advice(refusal: Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::NoMessage => NO_SUCH_MESSAGE,
        Refusal::LinkNewer => "update hushwing, or ask for a link of an older kind",
        Refusal::LinkForged => "do not use this link; ask for a fresh one by another way",
        Refusal::LinkMine => "give it to somebody else; you cannot talk to yourself",
        Refusal::EmptyText => "say something, or use `hushwing delete ID`",
        Refusal::TextTooLong { .. } => "split it into several messages",
        Refusal::BadName | Refusal::BadStatus => "use 1 to 128 bytes on one line",
        Refusal::BadAvatar => "choose a JPEG, PNG or WebP picture",
        Refusal::NoAvatar => {
            "`hushwing contacts` and `hushwing group info NAME` tell who shows one"
        }
        Refusal::NoReaction => "`hushwing react ID EMOJI` reacts to a message",
        Refusal::BadReaction => "use one emoji or a short word",
        Refusal::Blocked => "`hushwing unblock NAME` first",
        Refusal::TooManyPinned { .. } => "take a pin out first: `hushwing pin --message ID --off`",
        Refusal::EmptyQuery => "give a word or its beginning",
        Refusal::TimerTooLong { .. } => "choose a year or less",
        Refusal::NotMine => "only your own texts can be edited or deleted",
        Refusal::Deleted => "what was deleted stays so; say it anew with `hushwing send`",
        Refusal::NotProvable => {
            "only what is said while both wish `hushwing mode NAME provable` can be proved"
        }
        Refusal::OffRecord => "that is what off the record means; only your word stands for it",
        Refusal::SaidOffRecord => {
            "`hushwing mode NAME otr` on both sides, and then say it off the record too"
        }
        Refusal::OffRecordAlone => {
            "wait until they wish `otr` as well, or say `hushwing mode NAME normal` first to go \
             on record"
        }
        Refusal::NotEstablished => "wait until they answered; `hushwing contacts` shows it",
        Refusal::Broken => "meet again by a new link",
        Refusal::RoomBroken => {
            "what was said stays; ask a steward of it to remove you and add you again, then \
             `hushwing requests`"
        }
        Refusal::RoomRestoring => {
            "it goes on once the steward who asked you in was online, unless they removed you; \
             else ask a steward to remove you and add you again. If another device of yours is \
             in it, link this one with that again: `hushwing device list`"
        }
        Refusal::Restoring => {
            "wait until they were online; if they never answer, meet again by a new link"
        }
        Refusal::NotAnswered => "wait until they accept; what you said is kept for them",
        Refusal::NoRequest => "`hushwing requests` lists who waits",
        Refusal::NotARequest => {
            "`hushwing contacts` shows whom you accepted, `hushwing requests` who waits"
        }
        Refusal::NoInvitation => "`hushwing invite --list` lists links that can be used",
        Refusal::LinkedAlready => "`hushwing device list` shows your devices",
        Refusal::NotLinked => {
            "`hushwing device list` shows whether it was revoked; a new profile can be linked"
        }
        Refusal::ThrownOut => {
            "what it has can still be read here, and nothing it says reaches anybody; go on with \
             the others, or link a new profile: `hushwing profile create NAME`, then `hushwing \
             --profile NAME device link`"
        }
        Refusal::MailUnread => {
            "they may have revoked this one, so nothing was changed; `hushwing status` shows the \
             relay: try again once it is reached"
        }
        Refusal::NotANewDevice => {
            "`hushwing profile create NAME`, then `hushwing --profile NAME device link`"
        }
        Refusal::TooManyDevices { .. } => "`hushwing device revoke NAME` first",
        Refusal::NoNewDevice => "`hushwing device link LINK` with the link that the new one shows",
        Refusal::HistoryThere => "leave it out here, and say it when you confirm the code there",
        Refusal::WrongCode => {
            "type the digits that the new device shows; if the two differ, somebody stands \
             between: show another link"
        }
        Refusal::DeviceNamed => {
            "show a link there by `hushwing device link --name NAME` with another name, and link it \
             by that"
        }
        Refusal::NoDevice | Refusal::DeviceHere => "`hushwing device list` shows them",
        Refusal::ThisDevice => "revoke it from another device",
        Refusal::DeviceLink => "ask for an invitation: `hushwing invite` makes one",
        Refusal::NoRoom => "`hushwing group list` shows your groups",
        Refusal::NoList => "`hushwing list list` shows your lists",
        Refusal::NotOnList | Refusal::OnListAlready => {
            "`hushwing list info NAME` shows who is on it"
        }
        Refusal::NobodyOnList => {
            "`hushwing list add NAME CONTACT`; `hushwing contacts` shows who can be written to"
        }
        Refusal::NobodyWasTold => "`hushwing where ID` shows why; say it anew if it is to be said",
        Refusal::TooManyLists { .. } => "`hushwing list delete NAME` first",
        Refusal::ListFull { .. } => "make a second list",
        Refusal::TooManyPosts { .. } => "wait a minute, until some were said",
        Refusal::NoMember => "`hushwing group info NAME` shows who is in it",
        Refusal::NoChannel | Refusal::ChannelOver => "`hushwing channel list` shows your channels",
        Refusal::NoReader => "`hushwing channel info NAME` shows who reads it",
        Refusal::ReadAlready => "`hushwing channel info NAME` shows it",
        Refusal::ChannelFull { .. } => "remove a reader first, or found a second channel",
        Refusal::TooManyChannels { .. } => "leave and forget some first",
        Refusal::StillInChannel => "`hushwing channel leave NAME`",
        Refusal::OnAnotherDevice => {
            "do it on the device on which you got to know them; `hushwing device list` shows yours"
        }
        Refusal::NotInPairs => {
            "what it would be for is said where only one device of each is; there is no way yet"
        }
        Refusal::PairOver => {
            "what was said stays; if this device was not revoked, revoke it and link a new profile"
        }
        Refusal::NotInRoom => "ask a steward of it to add you",
        Refusal::NotASteward => "`hushwing group info NAME` shows its stewards: ask one of them",
        Refusal::StewardAbove => "only who was a steward before them can",
        Refusal::LastSteward => "`hushwing group steward NAME MEMBER` makes one",
        Refusal::StillSteward => {
            "`hushwing group leave NAME`, and wait until `hushwing group info NAME` shows you as \
             no steward; who is the only one makes another first: `hushwing group steward NAME \
             MEMBER`"
        }
        Refusal::RoomFull { .. } => "found a second group, or remove somebody first",
        Refusal::NeedsNoHeralds { .. } => "there is nothing to do",
        Refusal::HeraldDeclines => {
            "name another; they themselves can say `hushwing group herald NAME --accept`"
        }
        Refusal::LastHerald => "name another first: `hushwing group herald NAME --name MEMBER`",
        Refusal::InRoomAlready => "`hushwing group info NAME` shows it",
        Refusal::TooManyRooms { .. } => "leave and forget some first",
        Refusal::NotInRooms => "write to one contact instead",
        Refusal::NotInChannels => "say it as a post of its own",
        Refusal::NotPublisher => "write to who publishes it, if they are a contact",
        Refusal::RoomNotBlocked => {
            "`hushwing mute NAME` to be left in peace, `hushwing group leave NAME` to hear no more"
        }
        Refusal::StillInRoom => "`hushwing group leave NAME`",
        Refusal::SamePerson => "name two different contacts",
        Refusal::IntroducedAlready => "wait until both decided",
        Refusal::TooManyIntroductions => "wait until some of them decided",
        Refusal::NotANumber => "have them read all of theirs to you",
        Refusal::NotACode => "scan the code that their `hushwing verify NAME --qr` shows",
        Refusal::CodeNewer => "update hushwing, or compare the digits",
        Refusal::WrongNumber | Refusal::WrongNumberNow => {
            "compare again from the beginning; if it stays, somebody may be between you: meet in person"
        }
        Refusal::KeysNotFixed => "wait until they answered once, then wish it again",
        Refusal::NumberNotFixed => "wait until they answered once, then compare",
        Refusal::Mailbox(MailboxFailure::Refused) => {
            "the relay takes no new mailboxes or wants a password; choose another by `hushwing server add`"
        }
        Refusal::LinkTooLong => {
            "name fewer hosts: `hushwing server list` shows the relays; remove the one whose \
             address is long, and add it with one host"
        }
        Refusal::Mailbox(MailboxFailure::NoServer) => {
            "choose a relay by `hushwing server add ADDRESS`"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_is_not_known_is_not_named() {
        let relays = Relays::new(crate::relays::Numbers::default());
        for (failure, kind) in [
            (MailboxFailure::Refused, ErrorKind::Refused),
            (MailboxFailure::Unreachable, ErrorKind::Unreachable),
        ] {
            let error = refusal_by(Refusal::Mailbox(failure), &relays);
            assert_eq!(error.kind(), kind);
            let told = format!("{error} {}", error.advice());
            assert!(
                !told.contains("in use") && !told.contains("smp://"),
                "{told}"
            );
        }
        let error = refusal_by(Refusal::LinkTooLong, &relays);
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.advice().contains("fewer hosts"));
    }
}
