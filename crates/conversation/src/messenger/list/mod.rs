//! Lists: private names for contacts of mine (RFC 0034).
//!
//! Nobody learns that there is one. What is posted to a list is a message to each who is on
//! it, in the conversation with them, said at a moment of its own: [`post`] takes it and its
//! changes, [`tell`] says them, and [`reached`] tells how far they got.

mod post;
mod reached;
mod tell;

use std::collections::BTreeMap;

use hushwing_sansio::{Context, Moment, StorageError};

use super::ask::usable_name;
use super::broken::is_damage;
use super::show::shortened;
use super::spread::Spread;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::storage::{
    ListPostRecord, ListRecord, ListsRecord, MOST_LISTED, MOST_LISTS, Missed, Standing,
};
use crate::view::{ListPostView, ListView};
use crate::{ContactId, ListCommand, ListId, MessageId, Refusal, Reply, Storage};

/// My lists, what was posted to them, and when who is told of it.
#[derive(Default)]
pub(super) struct Lists {
    record: ListsRecord,
    posts: BTreeMap<u64, ListPostRecord>,
    due: Spread<(u64, ContactId)>,
}

impl Lists {
    /// Reads what storage holds. Lists are of no one conversation, so none is to break where
    /// they cannot be read: then there are none, and of a post nothing further is said.
    pub(super) fn open(storage: &mut dyn Storage) -> Result<Self, StorageError> {
        let record = match ListsRecord::of(storage, ()) {
            Err(error) if is_damage(&error) => ListsRecord::default(),
            record => record?.unwrap_or_default(),
        };
        let mut lists = Self {
            record,
            ..Self::default()
        };
        for (number, post) in ListPostRecord::all(storage)? {
            match post {
                Err(error) if is_damage(&error) => ListPostRecord::clear(storage, number)?,
                post => drop(lists.posts.insert(number, post?)),
            }
        }
        let settled = lists.posts.values().filter(|post| post.is_settled());
        for number in settled.map(|post| post.number).collect::<Vec<_>>() {
            if !lists.is_kept(number) {
                lists.forget_post(storage, number)?;
            }
        }
        Ok(lists)
    }

    pub(super) fn due(&self) -> Option<Moment> {
        self.due.due()
    }

    /// Whether it names a post.
    pub(super) fn names(&self, message: &MessageId) -> bool {
        self.named(message).is_some()
    }

    fn named(&self, message: &MessageId) -> Option<&ListPostRecord> {
        let is_it = |post: &&ListPostRecord| post.id == *message.as_bytes();
        self.posts.values().find(is_it)
    }

    /// What posts are named by.
    pub(super) fn ids(&self) -> impl Iterator<Item = MessageId> {
        self.posts.values().filter_map(ListPostRecord::id)
    }

    fn list(&mut self, id: ListId) -> Result<&mut ListRecord, Refusal> {
        let mut lists = self.record.lists.iter_mut();
        lists.find(|list| list.id == id).ok_or(Refusal::NoList)
    }

    /// Plans what is to be said of a post, each copy for a moment of its own.
    fn plan(&mut self, cx: &mut Context<'_>, number: u64, time: core::time::Duration) {
        for copy in self
            .posts
            .get(&number)
            .into_iter()
            .flat_map(|post| post.waiting())
        {
            self.due.plan(cx, (number, copy.contact), time);
        }
    }

    /// Writes a post, or forgets it, if nothing keeps it any more.
    fn put_post(&mut self, storage: &mut dyn Storage, number: u64) -> Result<(), StorageError> {
        let Some(post) = self.posts.get_mut(&number) else {
            return Ok(());
        };
        post.settle();
        post.put(storage, number)?;
        match self.is_kept(number) {
            true => Ok(()),
            false => self.forget_post(storage, number),
        }
    }

    /// Whether something keeps a post: it is for somebody, and is still to be said, or its
    /// list is there.
    fn is_kept(&self, number: u64) -> bool {
        self.posts.get(&number).is_some_and(|post| {
            let listed = self.record.lists.iter().any(|list| list.id == post.list);
            !post.copies.is_empty() && (listed || !post.is_settled())
        })
    }

    fn forget_post(&mut self, storage: &mut dyn Storage, number: u64) -> Result<(), StorageError> {
        self.posts.remove(&number);
        ListPostRecord::clear(storage, number)
    }

    /// A contact was forgotten: they are on no list, and no post was for them.
    pub(super) fn forget(
        &mut self,
        storage: &mut dyn Storage,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let mut on_one = false;
        for list in &mut self.record.lists {
            let before = list.contacts.len();
            list.contacts.retain(|listed| *listed != contact);
            on_one |= list.contacts.len() < before;
        }
        if on_one {
            self.record.put(storage, ())?;
        }
        let mut of_theirs = Vec::new();
        for (number, post) in &mut self.posts {
            let before = post.copies.len();
            post.copies.retain(|copy| copy.contact != contact);
            if post.copies.len() < before {
                of_theirs.push(*number);
            }
        }
        for number in of_theirs {
            self.due.forget(&(number, contact));
            self.put_post(storage, number)?;
        }
        Ok(())
    }
}

/// What a backup held that was not said yet may have been said since: it is not said again.
pub(super) fn drop_unsaid(storage: &mut dyn Storage) -> Result<(), StorageError> {
    let mut lists = Lists::open(storage)?;
    let mut given_up = Vec::new();
    for post in lists.posts.values_mut().filter(|post| !post.is_settled()) {
        post.give_up(Missed::PutBack);
        given_up.push(post.number);
    }
    let mut put = given_up.into_iter();
    put.try_for_each(|number| lists.put_post(storage, number))
}

impl Messenger {
    pub(super) fn lists(
        &mut self,
        call: &mut Call<'_, '_>,
        command: ListCommand,
    ) -> Result<Reply, Stop> {
        match command {
            ListCommand::New { name } => self.new_list(call, &name),
            ListCommand::All => self.all_lists(call),
            ListCommand::Add { list, contact } => self.add_to_list(call, list, contact),
            ListCommand::Remove { list, contact } => self.take_off_list(call, list, contact),
            ListCommand::Delete { list } => self.delete_list(call, list),
            ListCommand::Post { list, text } => self.post_to_list(call, list, text),
        }
    }

    fn new_list(&mut self, call: &mut Call<'_, '_>, name: &str) -> Result<Reply, Stop> {
        let name = usable_name(name)?;
        if self.lists.record.lists.len() >= MOST_LISTS {
            return Err(Refusal::TooManyLists { most: MOST_LISTS }.into());
        }
        let list = ListRecord {
            id: ListId(call.storage.next_number()?),
            name,
            contacts: Vec::new(),
        };
        let id = list.id;
        self.lists.record.lists.push(list);
        self.change_list(call, id)
    }

    fn add_to_list(
        &mut self,
        call: &mut Call<'_, '_>,
        id: ListId,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        match self.standing(contact) {
            None | Some(Standing::Requested) => return Err(Refusal::NoContact.into()),
            Some(_) => {}
        }
        let list = self.lists.list(id)?;
        if list.contacts.contains(&contact) {
            return Err(Refusal::OnListAlready.into());
        }
        if list.contacts.len() >= MOST_LISTED {
            return Err(Refusal::ListFull { most: MOST_LISTED }.into());
        }
        list.contacts.push(contact);
        self.change_list(call, id)
    }

    fn take_off_list(
        &mut self,
        call: &mut Call<'_, '_>,
        id: ListId,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        let list = self.lists.list(id)?;
        let before = list.contacts.len();
        list.contacts.retain(|listed| *listed != contact);
        match list.contacts.len() < before {
            true => self.change_list(call, id),
            false => Err(Refusal::NotOnList.into()),
        }
    }

    fn change_list(&mut self, call: &mut Call<'_, '_>, id: ListId) -> Result<Reply, Stop> {
        self.lists.record.put(call.storage, ())?;
        let list = self.lists.list(id)?.clone();
        Ok(Reply::List(self.list_view(call.storage, &list)?))
    }

    fn delete_list(&mut self, call: &mut Call<'_, '_>, id: ListId) -> Result<Reply, Stop> {
        self.lists.list(id)?;
        self.lists.record.lists.retain(|list| list.id != id);
        self.lists.record.put(call.storage, ())?;
        let posts = self.lists.posts.values().filter(|post| post.list == id);
        for number in posts.map(|post| post.number).collect::<Vec<_>>() {
            self.lists.put_post(call.storage, number)?;
        }
        Ok(Reply::Done)
    }

    fn all_lists(&self, call: &Call<'_, '_>) -> Result<Reply, Stop> {
        let lists = self.lists.record.lists.iter();
        let views = lists.map(|list| self.list_view(call.storage, list));
        Ok(Reply::Lists(views.collect::<Result<_, _>>()?))
    }

    fn list_view(
        &self,
        storage: &dyn Storage,
        list: &ListRecord,
    ) -> Result<ListView, StorageError> {
        let posts = self.lists.posts.values();
        let posts = posts.filter(|post| post.list == list.id);
        let posts = posts.map(|post| post_view(storage, post));
        Ok(ListView {
            list: list.id,
            name: list.name.clone(),
            contacts: list.contacts.clone(),
            posts: posts.collect::<Result<_, _>>()?,
        })
    }
}

fn post_view(storage: &dyn Storage, post: &ListPostRecord) -> Result<ListPostView, StorageError> {
    let id = post
        .id()
        .ok_or_else(|| StorageError::corrupt("reading a post to a list"))?;
    Ok(ListPostView::of(post, shortened(storage, &id)?))
}
