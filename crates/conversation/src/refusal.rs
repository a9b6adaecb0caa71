//! Why a command was not carried out.

use hushwing_delivery::MailboxFailure;

/// Why a command was not carried out. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    // The caller's.
    /// No such contact.
    #[error("no such contact")]
    NoContact,
    /// No such message.
    #[error("no such message")]
    NoMessage,
    /// No such invitation.
    #[error("no such invitation")]
    NoInvitation,
    /// The text is empty or only white space.
    #[error("nothing to say")]
    EmptyText,
    /// The text or mark is longer than the format allows.
    #[error("text too long: at most {most} bytes")]
    TextTooLong {
        /// Bytes of UTF-8 that can be said here.
        most: usize,
    },
    /// A name is empty, too long, or not on one line.
    #[error("unusable name")]
    BadName,
    /// A status is empty, too long, or not on one line.
    #[error("unusable status")]
    BadStatus,
    /// A picture is too large, or its size cannot be read.
    #[error("unusable picture")]
    BadAvatar,
    /// The contact, or the group, shows no picture.
    #[error("no picture")]
    NoAvatar,
    /// There is no reaction of mine to take back.
    #[error("you have not reacted to it")]
    NoReaction,
    /// A reaction is no short visible mark.
    #[error("unusable reaction")]
    BadReaction,
    /// The message is not mine, or not one that can be edited or deleted.
    #[error("not a message of mine")]
    NotMine,
    /// The message was taken back; nothing can be done to it any more.
    #[error("the message was deleted")]
    Deleted,
    /// The message bears no signature that others could check.
    #[error("the message was not signed so that others could check it")]
    NotProvable,
    /// The message was said off the record, so nobody can show it to others.
    #[error("the message was said off the record: nobody can prove it")]
    OffRecord,
    /// What would change or answer a message said off the record can be said only
    /// there.
    #[error("that was said off the record, and nothing on record can name it")]
    SaidOffRecord,
    /// I wish to be off the record, and they do not, or not any more.
    #[error("you wish to be off the record, and they do not: nothing is said")]
    OffRecordAlone,
    /// The contact has not been asked or accepted yet.
    #[error("the conversation is not established yet")]
    NotEstablished,
    /// The conversation cannot go on: the other side broke it, or what is stored
    /// of it is damaged. Unlike with
    /// other refusals, the contact may have become
    /// [`Broken`](crate::Standing::Broken) just now.
    #[error("the conversation is broken and cannot go on")]
    Broken,
    /// What is stored of the room is damaged.
    #[error("the group is broken here and cannot go on")]
    RoomBroken,
    /// The room was read from a backup, and no steward has let me in again yet.
    #[error("the group was restored from a backup and waits for a steward of it")]
    RoomRestoring,
    /// The conversation was read from a backup, and the contact has not begun it
    /// anew yet.
    #[error("the conversation was restored from a backup and waits for the contact")]
    Restoring,
    /// Another device of mine knows the contact, and that has to be done there.
    #[error("that is done on the device that knows this contact")]
    OnAnotherDevice,
    /// The conversation goes on on other devices of mine, and not on this one any more.
    #[error("this device is in that conversation no more")]
    PairOver,
    /// It cannot be had yet where a conversation goes on on several devices.
    #[error("that cannot be had yet in a conversation on several devices")]
    NotInPairs,
    /// Nothing is said to somebody from whom nothing is to be heard.
    #[error("you blocked this contact")]
    Blocked,
    /// As many messages are pinned as can be.
    #[error("too many pinned messages: at most {most}")]
    TooManyPinned {
        /// How many can be.
        most: usize,
    },
    /// There is nothing to look for.
    #[error("nothing to look for")]
    EmptyQuery,
    /// Messages cannot stay that long and then disappear.
    #[error("too long: at most {most} seconds")]
    TimerTooLong {
        /// The longest time.
        most: u32,
    },
    /// They have not accepted me yet, and I have said all that is kept of
    /// somebody who was not accepted.
    #[error("they have not accepted you yet, and more cannot be said before")]
    NotAnswered,
    /// No request has that number.
    #[error("no such request")]
    NoRequest,
    /// Whoever asked is not waiting for a decision any more.
    #[error("this request was answered already")]
    NotARequest,
    /// Nobody can be introduced to themselves.
    #[error("these two are the same contact")]
    SamePerson,
    /// An introduction of these two is under way.
    #[error("an introduction of these two is under way")]
    IntroducedAlready,
    /// So many introductions are under way that no more can be.
    #[error("too many introductions are under way")]
    TooManyIntroductions,
    /// A link by which a device is linked, where an invitation is meant.
    #[error("this link links a device of yours, and is no invitation")]
    DeviceLink,
    /// This device is, or was, one of several of an account.
    #[error("this device is linked already")]
    LinkedAlready,
    /// This device was thrown out, or waits to be taken in itself.
    #[error("this device is not linked")]
    NotLinked,
    /// Another device of the account threw this one out: it shows what it has, and changes
    /// nothing beyond itself any more.
    #[error("this device was revoked by another device of yours")]
    ThrownOut,
    /// What other devices said could not be fetched since the program started: they may have
    /// thrown this one out.
    #[error("what your other devices said could not be fetched")]
    MailUnread,
    /// Conversations are here that the other devices do not have.
    #[error("this profile has conversations: link a device with a new profile")]
    NotANewDevice,
    /// As many as can be.
    #[error("you have as many devices as you can: {most}")]
    TooManyDevices {
        /// How many can be.
        most: usize,
    },
    /// No new device answered.
    #[error("no new device waits")]
    NoNewDevice,
    /// How much is handed over is said where a device is let in.
    #[error("the device that lets this one in says how much of the past it is handed")]
    HistoryThere,
    /// Two devices of one name could not be told apart.
    #[error("another device of yours is called as the new one is")]
    DeviceNamed,
    /// The link is that of a device which was let in.
    #[error("that device is one of yours already")]
    DeviceHere,
    /// What the new device shows is something else: somebody may stand between.
    #[error("the code does not match")]
    WrongCode,
    /// No device of that number.
    #[error("no such device")]
    NoDevice,
    /// It throws out others only.
    #[error("this is the device you are using")]
    ThisDevice,
    /// No such room.
    #[error("no such group")]
    NoRoom,
    /// Nobody of that number is in the room.
    #[error("nobody of that name is in the group")]
    NoMember,
    /// I am not in the room, or not yet, or not any more.
    #[error("you are not in this group")]
    NotInRoom,
    /// Only a steward may.
    #[error("only a steward of the group may do that")]
    NotASteward,
    /// They are a steward, and were one before me.
    #[error("they are a steward above you")]
    StewardAbove,
    /// Somebody has to be.
    #[error("you are the last steward of the group: make somebody else one first")]
    LastSteward,
    /// A steward is not gone before the others know that they are none any more:
    /// nobody below could remove them.
    #[error("you are a steward of the group until you handed that over")]
    StillSteward,
    /// As many are in it, or asked, as can be.
    #[error("the group is full: at most {most} can be in it")]
    RoomFull {
        /// How many can be.
        most: usize,
    },
    /// Everybody writes to all in groups of that size.
    #[error("in groups of at most {most} everybody writes to all, so nobody passes on")]
    NeedsNoHeralds {
        /// How many can be in one.
        most: usize,
    },
    /// They said that they do not want to pass on.
    #[error("they do not want to pass on what others say")]
    HeraldDeclines,
    /// Nobody else is named to pass on, or is there and wants to.
    #[error("nobody else passes on what others say, and the group is too large to do without")]
    LastHerald,
    /// They are in it or were asked.
    #[error("they are in the group already, or were asked")]
    InRoomAlready,
    /// I am in as many rooms as can be.
    #[error("too many groups: at most {most}")]
    TooManyRooms {
        /// How many can be.
        most: usize,
    },
    /// No such list.
    #[error("no such list")]
    NoList,
    /// There are as many lists as can be.
    #[error("too many lists: at most {most}")]
    TooManyLists {
        /// How many can be.
        most: usize,
    },
    /// As many are on it as can be.
    #[error("the list is full: at most {most} can be on it")]
    ListFull {
        /// How many can.
        most: usize,
    },
    /// They are on it.
    #[error("they are on the list already")]
    OnListAlready,
    /// They are not.
    #[error("nobody of that name is on the list")]
    NotOnList,
    /// Nobody is on the list, or nobody who can be written to.
    #[error("nobody on the list can be written to")]
    NobodyOnList,
    /// Nobody was told it, so nobody can be told that it is otherwise.
    #[error("that post was said to nobody, so there is nothing to change")]
    NobodyWasTold,
    /// Of so many posts something is still to be said.
    #[error("too many posts are being said: at most {most}")]
    TooManyPosts {
        /// How many can be.
        most: usize,
    },
    /// What there is between two only.
    #[error("this cannot be done in a group")]
    NotInRooms,
    /// What there is not in a channel.
    #[error("this cannot be done in a channel")]
    NotInChannels,
    /// Somebody else publishes it.
    #[error("only who publishes the channel may do that")]
    NotPublisher,
    /// No such channel.
    #[error("no such channel")]
    NoChannel,
    /// Nobody of that number reads it, or was asked to.
    #[error("nobody of that name reads the channel")]
    NoReader,
    /// I read it no longer, or publish it no longer.
    #[error("the channel is over for you")]
    ChannelOver,
    /// They read it or were asked.
    #[error("the channel is read already, or was offered")]
    ReadAlready,
    /// As many read it, or are asked, as can be.
    #[error("the channel is full: at most {most} can read it")]
    ChannelFull {
        /// How many can.
        most: usize,
    },
    /// There are as many channels as can be.
    #[error("too many channels: at most {most}")]
    TooManyChannels {
        /// How many can be.
        most: usize,
    },
    /// A channel that I read or publish is left first.
    #[error("leave the channel first")]
    StillInChannel,
    /// Members of a room hear each other.
    #[error("a group cannot be blocked")]
    RoomNotBlocked,
    /// A room that I am in is left first.
    #[error("leave the group first")]
    StillInRoom,
    /// The safety number differs: another key is in use on the other side.
    #[error("the safety number does not match")]
    WrongNumber,
    /// It differs, though they were verified once.
    #[error("the safety number does not match, though it did before")]
    WrongNumberNow,
    /// Not sixty digits.
    #[error("a safety number has 60 digits")]
    NotANumber,
    /// A code, but none of a safety number.
    #[error("not the code of a safety number")]
    NotACode,
    /// A code of a safety number, made by a newer program.
    #[error("the code is newer than this program")]
    CodeNewer,
    /// What is to be proved needs keys that stay, and those of this conversation
    /// change with the inviter's first commit.
    #[error("the keys of this conversation are not fixed yet")]
    KeysNotFixed,
    /// The safety number is not fixed before the inviter's first commit.
    #[error("the safety number is not fixed yet")]
    NumberNotFixed,

    // The link's.
    /// Something else altogether.
    #[error("not a link")]
    NotALink,
    /// Its end is missing.
    #[error("the link is cut off")]
    LinkCutOff,
    /// A character is wrong.
    #[error("the link is mistyped")]
    LinkMistyped,
    /// Made by a newer program.
    #[error("the link is newer than this program")]
    LinkNewer,
    /// Its time is over.
    #[error("the link has expired")]
    LinkExpired,
    /// A one-time link that was used, or a link that was taken down.
    #[error("the link was used already or taken down")]
    LinkUsed,
    /// Nobody answered within twelve weeks of asking.
    #[error("nobody answered the link")]
    LinkUnanswered,
    /// Its server cannot be reached.
    #[error("the link's server cannot be reached")]
    LinkUnreachable,
    /// Its server is not the one it names.
    #[error("the link's server is not the one it names")]
    LinkWrongServer,
    /// What its server holds does not match it.
    #[error("the link does not match what its server holds")]
    LinkForged,
    /// It is mine.
    #[error("this is a link of mine")]
    LinkMine,

    // The network's.
    /// The address of the relay of a new mailbox leaves no room in a link.
    #[error("the relay's address is too long for a link")]
    LinkTooLong,
    /// A mailbox could not be made.
    #[error("no mailbox could be made: {0:?}")]
    Mailbox(MailboxFailure),
}
