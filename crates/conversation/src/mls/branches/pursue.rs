//! From wishes to commits, and again after a lost fork.

use hushwing_sansio::StorageError;
use openmls::prelude::MlsGroup;

use super::intent::{Intent, MOST_WISHES, Wish};
use super::keeper::{Keeper, Lent};
use super::make::{How, Order};
use super::member::MemberPackage;
use super::records::{Shelf, Standing};
use super::told::{IntentId, MakeFault, Told};
use crate::MlsRows;
use crate::fork_choice::{CommitHash, StateName};

/// Why a wish was not taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WishFault {
    /// The key package is none, or of a leaf that does not fit the group.
    #[error("key package of no use")]
    Package,
    /// Too many wishes wait.
    #[error("too many changes wait")]
    Full,
}

impl Keeper {
    /// I want something of the group. It is written down, and a commit is made
    /// for it as soon as none of mine is under way.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn wish(
        &mut self,
        lent: &mut Lent<'_, '_>,
        wish: Wish,
    ) -> Result<Result<(IntentId, Vec<Told>), WishFault>, StorageError> {
        match self.note(lent, wish)? {
            Ok(id) => Ok(Ok((id, self.settle(lent)?))),
            Err(fault) => Ok(Err(fault)),
        }
    }

    fn note(
        &mut self,
        lent: &mut Lent<'_, '_>,
        wish: Wish,
    ) -> Result<Result<IntentId, WishFault>, StorageError> {
        let mut open = self.intents.iter();
        let same = open.find(|(_, one)| one.fulfilled.is_none() && one.wish == wish);
        if let Some((id, _)) = same {
            // Whoever makes others wish for one thing again and again takes no
            // place from other wishes.
            return Ok(Ok(*id));
        }
        if self.intents.len() >= MOST_WISHES {
            return Ok(Err(WishFault::Full));
        }
        let adds = match &wish {
            Wish::Add(message)
            | Wish::AddAnew(message)
            | Wish::AddLeafAnew {
                package: message, ..
            } => match MemberPackage::check(lent.crypto, message) {
                Some(package) => Some(package.signature_key().to_vec()),
                None => return Ok(Err(WishFault::Package)),
            },
            _ => None,
        };
        let brought = self.give_way(lent.rows, &wish)?;
        let id = self.note_down(lent.rows, wish, adds)?;
        for key in brought {
            self.note_down(lent.rows, Wish::RemoveLeaf(key), None)?;
        }
        Ok(Ok(id))
    }

    fn note_down(
        &mut self,
        rows: &mut dyn MlsRows,
        wish: Wish,
        adds: Option<Vec<u8>>,
    ) -> Result<IntentId, StorageError> {
        let id = IntentId(self.next_intent);
        self.next_intent = self.next_intent.saturating_add(1);
        let intent = Intent::new(wish, adds);
        Shelf::new(rows, self.id).put_intent(id.0, &intent)?;
        self.intents.insert(id, intent);
        Ok(id)
    }

    /// Earlier wishes give way to a later one. Tells the leaves, by key, that commits
    /// made for them may bring in all the same, though the device is thrown out that
    /// they are of.
    fn give_way(
        &mut self,
        rows: &mut dyn MlsRows,
        later: &Wish,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let out = matches!(later, Wish::RemoveLeaf(_));
        let earlier = self.intents.iter();
        let gone: Vec<_> = earlier
            .filter(|(_, one)| one.gives_way_to(later))
            .map(|(id, one)| {
                let made = out && !one.carriers.is_empty();
                (*id, one.adds.clone().filter(|_| made))
            })
            .collect();
        let mut brought = Vec::new();
        for (id, key) in gone {
            self.unwish(rows, id)?;
            brought.extend(key.filter(|key| !later.throws_out(key)));
        }
        Ok(brought)
    }

    /// Several wishes at once, so that one commit can be made for them; the first
    /// that cannot be taken down says why none was.
    pub(super) fn wish_all(
        &mut self,
        lent: &mut Lent<'_, '_>,
        wishes: Vec<Wish>,
    ) -> Result<Result<Vec<Told>, WishFault>, StorageError> {
        for wish in wishes {
            if let Err(fault) = self.note(lent, wish)? {
                return Ok(Err(fault));
            }
        }
        self.settle(lent).map(Ok)
    }

    /// I do not want it any more. What was committed stays.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn unwish(&mut self, rows: &mut dyn MlsRows, id: IntentId) -> Result<(), StorageError> {
        self.intents.remove(&id);
        Shelf::new(rows, self.id).remove_intent(id.0)
    }

    /// The same of all wishes that are `meant`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn withdraw(
        &mut self,
        rows: &mut dyn MlsRows,
        meant: impl Fn(&Wish) -> bool,
    ) -> Result<(), StorageError> {
        let meant = self.intents.iter().filter(|(_, one)| meant(&one.wish));
        let meant: Vec<_> = meant.map(|(id, _)| *id).collect();
        meant.into_iter().try_for_each(|id| self.unwish(rows, id))
    }

    /// Whether a commit of mine takes no part yet.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let mut commits = self.commits.values();
        commits.any(|commit| commit.own && commit.rests())
    }

    /// Whether a commit on the followed state takes no part yet.
    pub(super) fn is_changing(&self) -> bool {
        self.commits.values().any(|commit| {
            commit.parent == self.followed.0 && commit.standing != Standing::TakesPart
        })
    }

    /// Makes a commit for what is wanted and not had in the followed state,
    /// unless one of mine is under way there. Whether it was followed at once,
    /// since nobody else is there: then there may be more to do.
    pub(super) fn pursue(
        &mut self,
        lent: &mut Lent<'_, '_>,
        told: &mut Vec<Told>,
    ) -> Result<bool, StorageError> {
        self.review(lent)?;
        if self.is_changing() || !self.is_member() {
            return Ok(false);
        }
        // A commit for several wishes may not be had though one for each can.
        let mut how = How {
            apart: false,
            paced: self.keep_pace(lent),
        };
        while let Some(order) = self.order(lent, how)? {
            match self.make(lent, &order, told)? {
                Ok(made) => {
                    self.carry(lent.rows, &order, made.commit)?;
                    told.extend(made.publish);
                    return Ok(made.alone);
                }
                // Waits until the group has moved on.
                Err(MakeFault::TooSoon | MakeFault::Full) => return Ok(false),
                Err(_) if order.wishes.len() > 1 => how.apart = true,
                Err(fault) => {
                    for id in order.wishes {
                        self.refuse(lent.rows, id, fault, told)?;
                    }
                }
            }
        }
        Ok(false)
    }

    /// Whether my account made so many commits that the others would hold another;
    /// then I am woken when they would not.
    fn keep_pace(&mut self, lent: &Lent<'_, '_>) -> bool {
        let now = lent.cx.wall().as_millis();
        let turn = self.my_turn(now);
        let waits = turn > now && self.intents.values().any(|i| i.fulfilled.is_none());
        if waits {
            self.wake_at(lent, turn);
        }
        waits
    }

    /// A wish cannot be had in the followed state. If that may still lose against
    /// another, it is kept.
    fn refuse(
        &mut self,
        rows: &mut dyn MlsRows,
        id: IntentId,
        fault: MakeFault,
        told: &mut Vec<Told>,
    ) -> Result<(), StorageError> {
        if self.followed == self.root {
            told.push(Told::GivenUp(id, fault));
            return self.unwish(rows, id);
        }
        let states = self.states_to(self.followed);
        let followed = self.followed;
        let Some(intent) = self.intents.get_mut(&id) else {
            return Ok(());
        };
        intent.tried = Some(followed);
        let stands = |(name, _): &([u8; 32], _)| states.contains(&StateName(*name));
        if intent.refused.as_ref().is_some_and(stands) {
            return Ok(());
        }
        intent.refused = Some((followed.0, fault.into()));
        told.push(Told::Waits(id, fault));
        Shelf::new(rows, self.id).put_intent(id.0, intent)
    }

    /// Notes which wishes the followed branch fulfils.
    fn review(&mut self, lent: &mut Lent<'_, '_>) -> Result<(), StorageError> {
        let path = self.path_to(self.followed);
        let states = self.states_to(self.followed);
        let mut changed = Vec::new();
        for (id, intent) in &mut self.intents {
            let before = intent.fulfilled;
            let stands = |name: &[u8; 32]| states.contains(&StateName(*name));
            if before.as_ref().is_some_and(stands) {
                continue;
            }
            let carriers = &intent.carriers;
            let carrier = path.iter().find(|hash| carriers.contains(&hash.0));
            intent.fulfilled = carrier
                .and_then(|hash| self.commits.get(hash))
                .map(|commit| commit.child);
            if intent.fulfilled != before {
                changed.push(*id);
            }
        }
        // What the followed state shows, a commit of mine on it may be about to undo.
        let look = self.is_member() && !self.is_changing();
        if look && self.intents.values().any(|i| i.fulfilled.is_none()) {
            changed.extend(self.look(lent)?);
        }
        let mut shelf = Shelf::new(lent.rows, self.id);
        for id in changed {
            if let Some(intent) = self.intents.get(&id) {
                shelf.put_intent(id.0, intent)?;
            }
        }
        Ok(())
    }

    /// Notes which wishes the followed state shows anyway.
    fn look(&mut self, lent: &mut Lent<'_, '_>) -> Result<Vec<IntentId>, StorageError> {
        let mut intents = core::mem::take(&mut self.intents);
        let followed = self.followed;
        let looked = self.within(lent, followed, |_, group: &mut MlsGroup, _| {
            let open = intents.iter_mut().filter(|(_, i)| i.fulfilled.is_none());
            let shown = open.filter(|(_, intent)| intent.shows(group));
            let shown = shown.map(|(id, intent)| {
                intent.fulfilled = Some(followed.0);
                *id
            });
            Ok::<_, core::convert::Infallible>(shown.collect())
        });
        self.intents = intents;
        Ok(looked?.unwrap_or_default())
    }

    /// What the next commit is to do: for the first open wish, and all open ones
    /// of its kind.
    fn order(&mut self, lent: &mut Lent<'_, '_>, how: How) -> Result<Option<Order>, StorageError> {
        let followed = self.followed;
        let open = self.intents.iter();
        let open = open.filter(|(_, i)| i.fulfilled.is_none() && i.tried != Some(followed));
        let open: Vec<_> = open
            .map(|(id, intent)| (*id, intent.wish.clone()))
            .collect();
        if open.is_empty() {
            return Ok(None);
        }
        let account = self.account.clone();
        let crypto = lent.crypto;
        let order = self.within(lent, self.followed, |_, group, _| {
            let order = Order::collect(crypto, group, &account, &open, how);
            Ok::<_, core::convert::Infallible>(order)
        })?;
        Ok(order.ok().flatten())
    }

    fn carry(
        &mut self,
        rows: &mut dyn MlsRows,
        order: &Order,
        commit: CommitHash,
    ) -> Result<(), StorageError> {
        let mut shelf = Shelf::new(rows, self.id);
        for id in &order.wishes {
            if let Some(intent) = self.intents.get_mut(id) {
                intent.carried_by(commit.0);
                intent.refused = None;
                shelf.put_intent(id.0, intent)?;
            }
        }
        Ok(())
    }

    /// Before the root moves up to `root`: wishes fulfilled in it or below can
    /// never be undone, and those that could not be had there never will on another
    /// branch.
    pub(super) fn settle_intents(
        &mut self,
        rows: &mut dyn MlsRows,
        root: StateName,
        told: &mut Vec<Told>,
    ) -> Result<(), StorageError> {
        let safe = self.states_to(root);
        let done = self.intents.iter().filter(|(_, intent)| {
            let fulfilled = intent.fulfilled.map(StateName);
            fulfilled.is_some_and(|name| safe.contains(&name))
        });
        let done: Vec<_> = done.map(|(id, _)| *id).collect();
        for id in done {
            self.unwish(rows, id)?;
            told.push(Told::Settled(id));
        }
        let in_vain = self.intents.iter().filter_map(|(id, intent)| {
            let (name, why) = intent.refused.filter(|_| intent.fulfilled.is_none())?;
            safe.contains(&StateName(name)).then_some((*id, why))
        });
        let in_vain: Vec<_> = in_vain.collect();
        for (id, why) in in_vain {
            self.unwish(rows, id)?;
            told.push(Told::GivenUp(id, why.into()));
        }
        Ok(())
    }
}
