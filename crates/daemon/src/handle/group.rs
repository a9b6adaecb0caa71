//! Groups: conversations of many.

use hushwing_api::conversation::Removed;
use hushwing_api::group::{AvatarBody, Group, GroupMember, PendingChange};
use hushwing_api::profile::Picture;
use hushwing_conversation::branches::MOST_PICTURE_BYTES;
use hushwing_conversation::view::{MemberView, PendingView, RoomView};
use hushwing_conversation::{Command, ContactId, MemberId, Refusal, Reply, RoomId, RoomStanding};

use super::contact::{ambiguous, find, nobody_named};
use super::meant::room;
use super::profile::{both, neither, picture as shown_picture, small};
use super::refused::refusal;
use super::{Handle, show};
use crate::api::view;
use crate::error::Error;
use crate::profile::{Profile, unexpected};

impl Handle {
    /// Founds a group with me alone in it.
    pub async fn found_group(&self, profile: Option<&str>, name: &str) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let name = name.to_owned();
        ask(&profile, Command::FoundRoom { name }).await
    }

    /// Founds a channel that I publish.
    pub async fn found_channel(&self, profile: Option<&str>, name: &str) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let name = name.to_owned();
        ask(&profile, Command::FoundChannel { name }).await
    }

    /// All groups, those offered to me included.
    pub async fn groups(&self, profile: Option<&str>) -> Result<Vec<Group>, Error> {
        let profile = self.profile(profile)?;
        match profile.ask(Command::Rooms).await? {
            Reply::Rooms(all) => Ok(all.iter().map(|room| group(room, &profile)).collect()),
            _ => Err(unexpected()),
        }
    }

    /// One of them.
    pub async fn group(&self, profile: Option<&str>, name: &str) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let room = room(&profile, name)?.room;
        ask(&profile, Command::Room { room }).await
    }

    /// Asks a contact whether they want to be in a group.
    pub async fn add_to_group(
        &self,
        profile: Option<&str>,
        name: &str,
        who: &str,
    ) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let (room, contact) = (room(&profile, name)?.room, find(&profile, who)?.contact);
        ask(&profile, Command::OfferRoom { room, contact }).await
    }

    /// Enters a group that was offered.
    pub async fn accept_group(&self, profile: Option<&str>, request: u64) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let room = RoomId(request);
        ask(&profile, Command::AcceptRoom { room }).await
    }

    /// Does not; nobody is told.
    pub async fn refuse_group(&self, profile: Option<&str>, request: u64) -> Result<(), Error> {
        let profile = self.profile(profile)?;
        let room = RoomId(request);
        match profile.ask(Command::RefuseRoom { room }).await? {
            Reply::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Removes somebody from a group.
    pub async fn remove_from_group(
        &self,
        profile: Option<&str>,
        name: &str,
        who: &str,
    ) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let found = room(&profile, name)?;
        let room = found.room;
        let command = match member(&found, who) {
            Ok(member) => Command::RemoveMember { room, member },
            // Who was only asked is no member: the offer is taken back.
            Err(error) => match find(&profile, who) {
                Ok(asked) if found.asked.contains(&asked.contact) => Command::TakeOfferBack {
                    room,
                    contact: asked.contact,
                },
                _ => return Err(error),
            },
        };
        ask(&profile, command).await
    }

    /// Calls a group something else, for all.
    pub async fn rename_group(
        &self,
        profile: Option<&str>,
        name: &str,
        new_name: &str,
    ) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let room = room(&profile, name)?.room;
        let name = new_name.to_owned();
        ask(&profile, Command::RenameRoom { room, name }).await
    }

    /// Shows another picture of a group, for all, or none.
    pub async fn set_group_avatar(
        &self,
        profile: Option<&str>,
        name: &str,
        asked: &AvatarBody,
    ) -> Result<Group, Error> {
        let picture = match (&asked.avatar, asked.no_avatar) {
            (Some(picture), false) => Some(picture),
            (None, true) => None,
            // A face that forgets to say which must not take it away for all.
            (None, false) => return Err(neither("avatar", "no_avatar")),
            (Some(_), true) => return Err(both("picture")),
        };
        let profile = self.profile(profile)?;
        let found = room(&profile, name)?;
        let avatar = match picture {
            // Nothing is decoded that I may not set.
            Some(_) if is_no_steward(&found) => return Err(refusal(Refusal::NotASteward)),
            Some(picture) => Some(small(picture, MOST_PICTURE_BYTES).await?),
            None => None,
        };
        let room = found.room;
        ask(&profile, Command::SetRoomAvatar { room, avatar }).await
    }

    /// The picture a group shows.
    pub async fn group_avatar(&self, profile: Option<&str>, name: &str) -> Result<Picture, Error> {
        let profile = self.profile(profile)?;
        let room = room(&profile, name)?.room;
        match profile.ask(Command::RoomAvatar { room }).await? {
            Reply::Avatar(avatar) => Ok(shown_picture(&avatar)),
            _ => Err(unexpected()),
        }
    }

    /// Makes a member a steward, or no longer one.
    pub async fn set_steward(
        &self,
        profile: Option<&str>,
        name: &str,
        who: &str,
        on: bool,
    ) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let found = room(&profile, name)?;
        let member = member(&found, who)?;
        let room = found.room;
        ask(&profile, Command::SetSteward { room, member, on }).await
    }

    /// Lets a member pass on what others say, or no longer.
    pub async fn set_herald(
        &self,
        profile: Option<&str>,
        name: &str,
        who: &str,
        on: bool,
    ) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let found = room(&profile, name)?;
        let member = member(&found, who)?;
        let room = found.room;
        ask(&profile, Command::SetHerald { room, member, on }).await
    }

    /// Says whether I pass on what others say, if I am asked to.
    pub async fn be_herald(
        &self,
        profile: Option<&str>,
        name: &str,
        willing: bool,
    ) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let room = room(&profile, name)?.room;
        ask(&profile, Command::BeHerald { room, willing }).await
    }

    /// Hands newcomers what is said from now on, or nothing any more.
    pub async fn set_group_history(
        &self,
        profile: Option<&str>,
        name: &str,
        on: bool,
    ) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let room = room(&profile, name)?.room;
        ask(&profile, Command::SetRoomHistory { room, on }).await
    }

    /// Leaves a group; what was said stays.
    pub async fn leave_group(&self, profile: Option<&str>, name: &str) -> Result<Group, Error> {
        let profile = self.profile(profile)?;
        let room = room(&profile, name)?.room;
        ask(&profile, Command::LeaveRoom { room }).await
    }

    /// Forgets a group I am not in any more, with all that was said.
    pub async fn forget_group(&self, profile: Option<&str>, name: &str) -> Result<Removed, Error> {
        let profile = self.profile(profile)?;
        let found = room(&profile, name)?;
        let room = found.room;
        match profile.ask(Command::ForgetRoom { room }).await? {
            Reply::Done => Ok(Removed {
                removed: found.conversation.to_string(),
            }),
            _ => Err(unexpected()),
        }
    }

    /// Groups that contacts ask me into, as requests.
    pub(super) fn offered_groups(profile: &Profile) -> Vec<view::Request> {
        let rooms = profile.rooms();
        let offered = rooms.iter().filter(|room| room.offered);
        offered.map(|room| request(room, profile)).collect()
    }
}

async fn ask(profile: &Profile, command: Command) -> Result<Group, Error> {
    match profile.ask(command).await? {
        Reply::Room(room) => Ok(group(&room, profile)),
        _ => Err(unexpected()),
    }
}

/// The member a person means: by name, or else by number.
fn member(room: &RoomView, who: &str) -> Result<MemberId, Error> {
    let present = || room.members.iter().filter(|member| member.present);
    let named: Vec<&MemberView> = present().filter(|member| member.name == who).collect();
    match named.as_slice() {
        [one] => Ok(one.member),
        [] => {
            let mut present = present();
            let numbered = present.find(|member| member.member.0.to_string() == who);
            let found = numbered.map(|member| member.member);
            found.ok_or_else(|| nobody_named(if room.channel { "reader" } else { "member" }, who))
        }
        several => {
            let named = several.iter();
            let candidates: Vec<String> = named
                .map(|one| format!("{} ({})", one.member.0, one.name))
                .collect();
            Err(ambiguous(who, "members", &candidates))
        }
    }
}

/// A group as documents show it.
pub(super) fn group(room: &RoomView, profile: &Profile) -> Group {
    let known = profile.contacts();
    let name = |id: ContactId| {
        let contact = known.iter().find(|contact| contact.contact == id)?;
        Some(contact.name.clone())
    };
    let somebody = || "somebody".to_owned();
    let members = room.members.iter().map(|member| GroupMember {
        member: member.member.0,
        name: match member.name.is_empty() {
            true => somebody(),
            false => member.name.clone(),
        },
        me: member.me,
        steward: member.steward,
        herald: member.herald,
        sign: member.sign.map(show::time),
        declines: member.declines,
        devices: member.devices,
        present: member.present,
        reachable: member.reachable || member.me,
        contact: member.contact.and_then(name),
    });
    Group {
        name: room.name.clone(),
        group: room.conversation.to_string(),
        kind: kind(room).to_owned(),
        request: room.room.0,
        state: match room.standing {
            RoomStanding::Offered => "offered",
            RoomStanding::Joining => "joining",
            RoomStanding::Member => "member",
            RoomStanding::Leaving => "leaving",
            RoomStanding::Left => "left",
            RoomStanding::Broken => "broken",
            RoomStanding::Restoring => "restoring",
        }
        .to_owned(),
        offered_by: room.offered_by.map(|by| name(by).unwrap_or_else(somebody)),
        size: room.size,
        members: members.collect(),
        asked: room
            .asked
            .iter()
            .map(|contact| name(*contact).unwrap_or_else(somebody))
            .collect(),
        pending: room.pending.iter().map(|one| pending(one, room)).collect(),
        disappear_after: room.disappear_after,
        avatar: room.avatar.map(|hash| show::hex(&hash)),
        history_since: room.shared_since.map(show::time),
        since: show::time(room.since),
    }
}

fn kind(room: &RoomView) -> &'static str {
    match room.channel {
        true => "channel",
        false => "group",
    }
}

/// A group or channel that was offered, as a request.
pub(super) fn request(room: &RoomView, profile: &Profile) -> view::Request {
    let by = room.offered_by;
    view::Request {
        request: room.room.0,
        name: room.name.clone(),
        received_at: show::time(room.since),
        kind: kind(room).to_owned(),
        state: "waiting".to_owned(),
        introduced_by: by.and_then(|by| profile.names().remove(&by)),
        group: None,
        word: None,
        name_known: profile
            .rooms()
            .iter()
            .any(|other| other.room != room.room && other.name == room.name),
    }
}

/// Whether I am in it, and its stewards are others.
fn is_no_steward(room: &RoomView) -> bool {
    let mut members = room.members.iter();
    room.standing == RoomStanding::Member && !members.any(|one| one.me && one.steward)
}

/// A change that is not so yet.
fn pending(change: &PendingView, room: &RoomView) -> PendingChange {
    let who = |member: &MemberId| {
        let found = room.members.iter().find(|one| one.member == *member);
        found.map(|one| one.name.clone()).unwrap_or_default()
    };
    let (change, to) = match change {
        PendingView::Name(name) => ("name", name.clone()),
        PendingView::Disappear(seconds) => ("disappear", seconds.to_string()),
        PendingView::Picture(true) => ("avatar", String::new()),
        PendingView::Picture(false) => ("no_avatar", String::new()),
        PendingView::Add(member) => ("add", who(member)),
        PendingView::Remove(member) => ("remove", who(member)),
        PendingView::Steward(member, true) => ("steward", who(member)),
        PendingView::Steward(member, false) => ("no_steward", who(member)),
        PendingView::Herald(member, true) => ("herald", who(member)),
        PendingView::Herald(member, false) => ("no_herald", who(member)),
    };
    PendingChange {
        change: change.to_owned(),
        to,
    }
}
