//! What has to be so once all is calm.

use std::collections::{BTreeMap, BTreeSet};

use hushwing_conversation::view::RoomView;
use hushwing_conversation::village::{Conduct, Weather};
use hushwing_conversation::{ConversationId, MessageId, MessageState, RoomStanding};

use super::{Home, Place, Town};
use crate::devices::devices;
use crate::rooms::rooms;
use crate::support::*;

/// What all see of a group in the same way.
type Essence = (String, Vec<(String, bool, usize)>);

impl Town {
    /// All reach each other again by servers that do what they should.
    pub(super) fn calm(&mut self) {
        self.village.set_weather(Weather::default());
        self.village.heal();
        for server in 0..self.servers {
            self.village.set_conduct(server, Conduct::Fair);
        }
        for home in self.homes.clone() {
            self.village.set_offline(home, false);
        }
        self.pass(1_800);
    }

    /// Lets all come to rest, then looks at everything.
    pub(super) fn settle(&mut self) {
        self.calm();
        self.accept_all();
        for _ in 0..2 {
            self.pass(24 * 3_600);
            self.accept_all();
        }
        self.all_speak();
        self.pass(24 * 3_600);
        self.all_speak();
        self.pass(24 * 3_600);
        for at in 0..self.groups.len() {
            self.check_group(at);
        }
        self.check_devices();
        self.check_contacts();
    }

    /// Everybody says something in each group. Who was put out, and never heard of it
    /// because a server lost that, learns it by nobody answering.
    fn all_speak(&mut self) {
        for who in 0..self.citizens.len() {
            for home in self.citizens[who].homes.clone() {
                for group in self.groups.clone() {
                    self.say_there(who, home, group);
                }
            }
        }
    }

    fn check_group(&mut self, at: usize) {
        let group = self.groups[at];
        let mut views: Vec<(usize, Home, Essence)> = Vec::new();
        for who in 0..self.citizens.len() {
            for home in self.citizens[who].homes.clone() {
                let Some(view) = self.seen(home, group) else {
                    continue;
                };
                let present = view.members.into_iter().filter(|one| one.present);
                let mut members: Vec<_> = present
                    .map(|one| (one.name, one.steward, one.devices))
                    .collect();
                members.sort();
                views.push((who, home, (view.name, members)));
            }
        }
        // Who was put out, and away for as long as anybody tells, may not know.
        let stayed = |who: &usize| !self.moved.contains(&(group, *who));
        let first = views.iter().position(|(who, ..)| stayed(who)).unwrap_or(0);
        let Some((_, one, essence)) = views.get(first).cloned() else {
            return;
        };
        views.retain(|(who, ..)| {
            let name = &self.citizens[*who].name;
            stayed(who) || essence.1.iter().any(|(there, ..)| there == name)
        });
        for (_, other, others) in &views {
            assert_eq!(*others, essence, "group {at}: {other:?} and {one:?}");
        }
        // Who put a backup back asks whom they know by a contact to let them in again. If none
        // of these is a steward any more somebody has to ask them in (RFC 0027).
        let waiting = self.who_waits_for(group);
        let mut there: BTreeSet<&str> = essence.1.iter().map(|(name, ..)| name.as_str()).collect();
        let think: BTreeSet<&str> = views
            .iter()
            .map(|(who, ..)| self.citizens[*who].name.as_str())
            .collect();
        there.retain(|name| think.contains(name) || !waiting.contains(*name));
        assert_eq!(there, think, "group {at}: who is in it and who thinks so");
        for (name, _, count) in &essence.1 {
            if !there.contains(name.as_str()) {
                continue;
            }
            let homes = views.iter();
            let homes = homes.filter(|(who, ..)| self.citizens[*who].name == *name);
            assert_eq!(homes.count(), *count, "group {at}: devices of {name}");
        }
        let homes: Vec<_> = views.iter().map(|(who, home, _)| (*who, *home)).collect();
        self.check_texts(at, &homes);
    }

    /// The names of those who see that they are not back in a group yet.
    fn who_waits_for(&mut self, group: ConversationId) -> BTreeSet<String> {
        let all = self.citizens.iter();
        let all: Vec<_> = all.map(|one| (one.name.clone(), one.homes[0])).collect();
        let waits = |view: &RoomView| {
            let open = [RoomStanding::Restoring, RoomStanding::Broken];
            view.conversation == group && open.contains(&view.standing)
        };
        let village = &mut self.village;
        let waiting = all
            .into_iter()
            .filter(|(_, home)| rooms(village, *home).iter().any(waits));
        waiting.map(|(name, _)| name).collect()
    }

    fn check_texts(&mut self, at: usize, homes: &[(usize, Home)]) {
        let group = self.groups[at];
        let mut orders: BTreeMap<Home, Vec<(MessageId, String)>> = BTreeMap::new();
        for (_, home) in homes {
            let room = self.seen(*home, group).unwrap().room;
            let views = read(&mut self.village, *home, room.place());
            let said = views.into_iter().filter(|view| view.notice.is_none());
            let shown: Vec<_> = said.map(|view| (view.id, view.text)).collect();
            let once: BTreeSet<_> = shown.iter().map(|(id, _)| *id).collect();
            let texts: BTreeSet<_> = shown.iter().map(|(_, text)| text).collect();
            assert_eq!(once.len(), shown.len(), "{home:?} shows one twice");
            assert_eq!(texts.len(), shown.len(), "{home:?} shows one as two");
            orders.insert(*home, shown);
        }
        for (home, shown) in &orders {
            for (other, theirs) in &orders {
                let common = |of: &[(MessageId, String)], with: &[(MessageId, String)]| {
                    let with: BTreeSet<_> = with.iter().map(|(id, _)| *id).collect();
                    let both = of.iter().filter(|(id, _)| with.contains(id));
                    both.map(|(_, text)| text.clone()).collect::<Vec<_>>()
                };
                assert_eq!(
                    common(shown, theirs),
                    common(theirs, shown),
                    "group {at}: order of {home:?} and {other:?}"
                );
            }
        }
        let stayed = |who: &usize| !self.moved.contains(&(group, *who));
        for said in &self.said {
            if said.place != Place::Group(group) || !stayed(&said.by) {
                continue;
            }
            for (_, home) in homes.iter().filter(|(who, _)| stayed(who)) {
                let there = orders[home].iter().any(|(_, text)| *text == said.text);
                assert!(
                    there,
                    "group {at}: {home:?} misses {:?} by {:?}: {:?} of {homes:?}",
                    said.text,
                    said.home,
                    orders
                        .iter()
                        .map(|(home, all)| (home, all.iter().any(|(_, text)| *text == said.text)))
                        .collect::<Vec<_>>()
                );
            }
        }
    }

    /// All devices of somebody list each other.
    fn check_devices(&mut self) {
        for who in 0..self.citizens.len() {
            let homes = self.citizens[who].homes.clone();
            for home in &homes {
                let view = devices(&mut self.village, *home);
                let listed = view.devices.len().max(1);
                assert_eq!(listed, homes.len(), "{home:?} of {who}");
            }
        }
    }

    /// Both sides of a conversation of two show the same, and all that was taken.
    fn check_contacts(&mut self) {
        for who in 0..self.citizens.len() {
            for other in 0..who {
                let Some(there) = self.contact(who, other) else {
                    continue;
                };
                let back = self.contact(other, who).expect("known on both sides");
                let (one, two) = (self.first(who), self.first(other));
                let texts = |village: &mut _, home, contact| {
                    let views = read(village, home, contact);
                    let said = views.into_iter().filter(|view| view.notice.is_none());
                    let said = said.filter(|view| view.state != MessageState::Failed);
                    said.map(|view| view.text).collect::<Vec<_>>()
                };
                let hers = texts(&mut self.village, one, there);
                let his = texts(&mut self.village, two, back);
                let put_back = [who, other]
                    .iter()
                    .any(|one| self.moved.contains(&(self.groups[0], *one)));
                for said in &self.said {
                    let pair = match said.place {
                        Place::Contact(to) => (said.by, to),
                        Place::Group(_) => continue,
                    };
                    if put_back || (pair != (who, other) && pair != (other, who)) {
                        continue;
                    }
                    let both = hers.contains(&said.text) && his.contains(&said.text);
                    assert!(both, "{:?} of {pair:?}", said.text);
                }
                if put_back {
                    self.unsure.extend(hers.into_iter().chain(his));
                    continue;
                }
                let sure = |said: Vec<String>| -> Vec<String> {
                    let unsure = |text: &String| self.unsure.contains(text);
                    said.into_iter().filter(|text| !unsure(text)).collect()
                };
                assert_eq!(sure(hers), sure(his), "{who} and {other}");
            }
        }
    }
}
