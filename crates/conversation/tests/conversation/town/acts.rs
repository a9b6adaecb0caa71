//! What people do, and what happens to them, at random.

use hushwing_conversation::village::{Conduct, Crash, Weather};
use hushwing_conversation::{Command, ConversationId, Reply};

use super::{Home, Place, Said, Town};
use crate::devices::device;

const BAD: Weather = Weather {
    loss: 40,
    repeat: 40,
    reorder: 80,
};

impl Town {
    /// Bad weather, in which so many things happen.
    pub(super) fn storm(&mut self, acts: usize) {
        self.moved.clear();
        self.said.clear();
        self.village.set_weather(BAD);
        for _ in 0..acts {
            self.act();
            let seconds = match self.below(10) {
                0 => 600,
                1..=3 => 30,
                _ => 2,
            };
            self.pass(seconds);
        }
        self.village.set_weather(Weather::default());
    }

    fn act(&mut self) {
        let who = self.below(self.citizens.len());
        match self.below(100) {
            0..40 => self.say_in_group(who),
            40..52 => self.say_to_contact(who),
            52..58 => self.rename(who),
            58..62 => self.remove_somebody(who),
            62..68 => self.ask_somebody_in(who),
            68..70 => self.change_stewards(who),
            70..72 => self.leave(who),
            72..80 => self.crash(who),
            80..86 => self.go_offline(who),
            86..90 => self.bend_a_server(),
            90..92 => self.part(),
            92..94 => self.more_devices(who),
            94..96 => self.fewer_devices(who),
            96..98 => self.back_up(who),
            _ => self.put_back(who),
        }
    }

    fn places(&self, place: &Place) -> String {
        match place {
            Place::Group(group) => format!(
                "group {:?}",
                self.groups.iter().position(|one| one == group)
            ),
            Place::Contact(who) => format!("N{who:02}"),
        }
    }

    fn any_group(&mut self) -> ConversationId {
        let at = self.below(self.groups.len());
        self.groups[at]
    }

    fn any_home(&mut self, who: usize) -> Home {
        let homes = self.citizens[who].homes.clone();
        homes[self.below(homes.len())]
    }

    fn say(
        &mut self,
        by: usize,
        home: Home,
        place: Place,
        contact: hushwing_conversation::ContactId,
    ) {
        self.texts += 1;
        let text = format!("text {} of {}", self.texts, self.citizens[by].name);
        let command = Command::Send {
            contact,
            text: text.clone(),
            reply_to: None,
        };
        if let Some(Ok(Reply::Sent { .. })) = self.try_ask(home, command) {
            self.count((home, self.places(&place), &text), "said");
            self.said.push(Said {
                by,
                home,
                place,
                text,
            });
        }
    }

    fn say_in_group(&mut self, by: usize) {
        let (group, home) = (self.any_group(), self.any_home(by));
        self.say_there(by, home, group);
    }

    pub(super) fn say_there(&mut self, by: usize, home: Home, group: ConversationId) {
        if let Some(view) = self.seen(home, group) {
            self.say(by, home, Place::Group(group), view.room.place());
        }
    }

    fn say_to_contact(&mut self, by: usize) {
        let other = self.below(self.citizens.len());
        if let Some(contact) = self.contact(by, other) {
            self.say(by, self.first(by), Place::Contact(other), contact);
        }
    }

    /// A change of a group by somebody who may make it.
    fn change(
        &mut self,
        who: usize,
        what: &'static str,
        command: impl FnOnce(&mut Self, Home, hushwing_conversation::view::RoomView) -> Option<Command>,
    ) -> bool {
        let (group, home) = (self.any_group(), self.any_home(who));
        let Some(view) = self.seen(home, group) else {
            return false;
        };
        let Some(command) = command(self, home, view) else {
            return false;
        };
        let told = format!("{command:?}");
        let done = matches!(self.try_ask(home, command), Some(Ok(_)) | None);
        if done {
            self.count(
                (home, self.groups.iter().position(|one| *one == group), told),
                what,
            );
        }
        done
    }

    fn rename(&mut self, who: usize) {
        self.texts += 1;
        let name = format!("name {}", self.texts);
        self.change(who, "renamed", |_, _, view| {
            let room = view.room;
            Some(Command::RenameRoom { room, name })
        });
    }

    /// Who has this name; of who has not greeted yet none is known.
    fn citizen_of(&self, name: &str) -> Option<usize> {
        self.citizens.iter().position(|one| one.name == name)
    }

    fn remove_somebody(&mut self, who: usize) {
        self.change(who, "removed", |town, _, view| {
            let mine = view.members.iter().find(|one| one.me)?;
            let others = view.members.iter();
            let others: Vec<_> = others.filter(|one| one.present && !one.me).collect();
            let other = town.pick(&others).filter(|_| mine.steward)?;
            let moved = town.citizen_of(&other.name)?;
            town.moved.insert((view.conversation, moved));
            let (room, member) = (view.room, other.member);
            Some(Command::RemoveMember { room, member })
        });
    }

    fn ask_somebody_in(&mut self, who: usize) {
        self.accept_all();
        let other = self.below(self.citizens.len());
        let contact = self.contact(who, other);
        self.change(who, "asked in", |town, home, view| {
            let contact = contact.filter(|_| home == town.first(who))?;
            town.moved.insert((view.conversation, other));
            let room = view.room;
            Some(Command::OfferRoom { room, contact })
        });
    }

    fn change_stewards(&mut self, who: usize) {
        self.change(who, "stewards", |town, _, view| {
            let others = view.members.iter();
            let others: Vec<_> = others.filter(|one| one.present && !one.me).collect();
            let other = town.pick(&others)?;
            let (room, member, on) = (view.room, other.member, !other.steward);
            Some(Command::SetSteward { room, member, on })
        });
    }

    fn leave(&mut self, who: usize) {
        self.change(who, "left", |town, _, view| {
            let alone = view.members.iter().filter(|one| one.present && one.steward);
            let mine = view.members.iter().any(|one| one.me && one.steward);
            // The last steward would leave a group that nobody changes any more.
            if mine && alone.count() < 2 {
                return None;
            }
            town.moved.insert((view.conversation, who));
            let room = view.room;
            Some(Command::LeaveRoom { room })
        });
    }

    fn crash(&mut self, who: usize) {
        let home = self.any_home(who);
        let calls = 1 + self.below(12) as u64;
        let crash = match self.below(2) {
            0 => Crash::BeforeCommit,
            _ => Crash::AfterCommit,
        };
        self.village.crash_in(home, calls, crash);
        self.count((home, crash), "crashes");
    }

    fn go_offline(&mut self, who: usize) {
        let home = self.any_home(who);
        let offline = self.below(3) > 0;
        self.village.set_offline(home, offline);
        self.count((home, offline), "offline");
    }

    /// One server at a time is not what it should be.
    fn bend_a_server(&mut self) {
        for server in 0..self.servers {
            self.village.set_conduct(server, Conduct::Fair);
        }
        let server = self.below(self.servers);
        let conduct = match self.below(6) {
            0 => Conduct::Dead,
            1 => Conduct::Dropping,
            2 => Conduct::Slow(std::time::Duration::from_secs(90)),
            3 => Conduct::Replaying,
            4 => Conduct::Reordering,
            _ => Conduct::Fair,
        };
        self.village.set_conduct(server, conduct);
        self.count((server, conduct), "bent");
    }

    fn part(&mut self) {
        self.village.heal();
        let mut sides = [Vec::new(), Vec::new()];
        let homes: Vec<_> = self
            .citizens
            .iter()
            .flat_map(|one| one.homes.clone())
            .collect();
        for home in homes {
            let side = self.below(2);
            sides[side].push(home);
        }
        self.village.part(&[&sides[0], &sides[1]]);
        self.count(&sides, "parted");
    }

    fn everywhere(&mut self, who: usize) {
        for group in self.groups.clone() {
            self.moved.insert((group, who));
        }
    }

    /// Linked in fair weather: two people stand beside each other's screens.
    fn more_devices(&mut self, who: usize) {
        if self.citizens[who].homes.len() > 2 {
            return;
        }
        self.calm();
        self.everywhere(who);
        self.link(who);
        self.count(who, "linked");
        self.village.set_weather(BAD);
    }

    fn fewer_devices(&mut self, who: usize) {
        let Some(last) = self.citizens[who].homes.get(1..).and_then(|all| all.last()) else {
            return;
        };
        let (last, first) = (*last, self.first(who));
        let mine = crate::devices::devices(&mut self.village, last);
        let Some(name) = mine.devices.into_iter().find(|one| one.me) else {
            return;
        };
        let listed = crate::devices::devices(&mut self.village, first);
        if !listed.devices.iter().any(|one| one.name == name.name) {
            return;
        }
        let device = device(&mut self.village, first, &name.name);
        let answer = self.try_ask(first, Command::RevokeDevice { device });
        match answer {
            Some(Ok(_)) => {}
            // Its mail cannot be fetched now.
            Some(Err(_)) => return,
            // A crash swallowed the answer: whoever sees nothing asks again.
            None => {
                self.calm();
                self.try_ask(first, Command::RevokeDevice { device });
                self.village.set_weather(BAD);
            }
        }
        self.everywhere(who);
        self.citizens[who].homes.pop();
        self.count(last, "revoked");
    }

    fn back_up(&mut self, who: usize) {
        let home = self.first(who);
        let copy = self.village.storage(home).unwrap().clone();
        self.citizens[who].backup = Some(copy);
    }

    /// Of who has one device: to have several linked again is for people.
    fn put_back(&mut self, who: usize) {
        if self.citizens[who].homes.len() > 1 {
            return;
        }
        let Some(backup) = self.citizens[who].backup.take() else {
            return;
        };
        let home = self.first(who);
        self.village.restore(home, backup).unwrap();
        self.everywhere(who);
        // What it said since it has no more; others may have it.
        self.said.retain(|said| said.by != who);
        self.count(home, "put back");
    }
}
