//! What others send.

use hushwing_sansio::StorageError;
use openmls::framing::{ContentType, Sender};
use openmls::prelude::{
    MlsGroup, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, ProtocolMessage,
};
use openmls_traits::OpenMlsProvider as _;
use sha2::{Digest as _, Sha256};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::facts;
use super::keeper::{self, Keeper, Lent};
use super::make::state_record;
use super::pointer::{Pointer, StatePrefix};
use super::records::{self, Bulk, CommitRecord, Shelf, Standing, StateRecord};
use super::rows::Overlay;
use super::shape;
use super::side::{self, SIDE_VERSION};
use super::signed::{Chain, Signer};
use super::told::{ChainFault, HearFault, Heard, Said, Told};
use crate::fork_choice::rules;
use crate::fork_choice::{AccountId, Class, CommitHash, StateName};
use crate::mls::provider::Provider;
use crate::{ConversationId, MlsRows};

/// What the name of a state begins with that has no leaf of mine: its true name
/// cannot be known here.
const OUT: &[u8] = b"hushwing state without me 1";

/// An encrypted MLS message, nothing of it believed.
#[derive(Clone)]
struct Received {
    message: ProtocolMessage,
    pointer: Pointer,
    epoch: u64,
}

/// A commit that follows the rules, with the state it leads to.
struct Read {
    author: AccountId,
    leaf: u32,
    class: Class,
    child: StateName,
    state: StateRecord,
}

impl Keeper {
    /// An MLS message came, from whomever. What follows from it is given beside
    /// what it turned out to be, and is to be acted on if it is a fault as well.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn hear(
        &mut self,
        lent: &mut Lent<'_, '_>,
        bytes: &[u8],
    ) -> Result<(Vec<Told>, Result<Heard, HearFault>), StorageError> {
        let received = match self.parse(bytes) {
            Ok(received) => received,
            Err(fault) => return Ok((Vec::new(), Err(fault))),
        };
        if received.message.content_type() == ContentType::Application {
            if self.repeats.knows(bytes) {
                return Ok((Vec::new(), Ok(Heard::Known)));
            }
            let heard = self.hear_said(lent, &received)?;
            if heard.1.is_ok() {
                self.repeats.note(bytes);
            }
            return Ok(heard);
        }
        let mut told = Vec::new();
        let taken = self.take_in(lent, &received, bytes, &mut told)?;
        // Of what is refused only a commit for which there is no room was read so
        // far that something changed.
        if matches!(taken, Ok(_) | Err(HearFault::Full)) {
            told.extend(self.settle(lent)?);
        }
        let heard = taken.map(|known| {
            if known {
                Heard::Known
            } else {
                Heard::Commit(CommitHash::of(bytes))
            }
        });
        Ok((told, heard))
    }

    /// A chain of commits came that was asked for, see [`Keeper::chain_to`]. It
    /// is taken in as a whole before anything is chosen or forgotten. Where it
    /// breaks, what came before stays, and what follows from that is told beside
    /// the fault.
    ///
    /// Commits of states that are not known here prove nothing. What they seem to
    /// show of this leaf is believed only to a leaf that the followed state knows,
    /// whose signature is the last piece of the chain.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn hear_chain(
        &mut self,
        lent: &mut Lent<'_, '_>,
        chain: &[Vec<u8>],
    ) -> Result<(Vec<Told>, Option<ChainFault>), StorageError> {
        let Chain { commits, signer } = Chain::open(lent.crypto, self.id, chain);
        let (mut told, mut any, mut broken) = (Vec::new(), false, None);
        let mut without_me = false;
        for bytes in commits {
            let taken = match self.parse(bytes) {
                Ok(received) => self.take_in(lent, &received, bytes, &mut told)?,
                Err(fault) => Err(fault),
            };
            match taken {
                Ok(_) => {
                    any = true;
                    without_me = self.leads_without_me(bytes);
                }
                // Its beginning is older than what is kept here; the rest may fit.
                Err(HearFault::TooLate | HearFault::NotMine) => {}
                Err(HearFault::UnknownState { .. }) if !any && self.leads_on(commits) => {
                    return Ok((told, Some(self.strand(lent, signer)?)));
                }
                Err(fault) => {
                    broken = Some(fault);
                    break;
                }
            }
        }
        if broken.is_none() && !any && self.is_beside(commits, signer) {
            return Ok((told, Some(self.strand(lent, signer)?)));
        }
        told.extend(self.settle(lent)?);
        // What stands on my removal I cannot read, nor so whether it is followed.
        let unread = matches!(broken, Some(HearFault::UnknownState { .. }));
        if unread && without_me && self.is_member() && self.leads_as_far(commits) {
            return Ok((told, Some(self.strand(lent, signer)?)));
        }
        if let Some(fault) = broken.filter(|_| self.leads_on(commits)) {
            self.note_broken(lent, signer, fault)?;
        }
        Ok((told, broken.map(ChainFault::Broken)))
    }

    /// Whether a chain leads at least as far as I am; else it is one of somebody
    /// who is behind.
    fn leads_on(&self, chain: &[Vec<u8>]) -> bool {
        let last = chain.last().and_then(|last| self.parse(last).ok());
        last.is_some_and(|last| last.epoch >= self.epoch())
    }

    /// Whether a chain leads to a state of my epoch or a later one.
    fn leads_as_far(&self, chain: &[Vec<u8>]) -> bool {
        let last = chain.last().and_then(|last| self.parse(last).ok());
        last.is_some_and(|last| last.epoch.saturating_add(1) >= self.epoch())
    }

    /// Whether this commit is kept and leads to a state without a leaf of mine.
    fn leads_without_me(&self, bytes: &[u8]) -> bool {
        let commit = self.commits.get(&CommitHash::of(bytes));
        let child = commit.and_then(|commit| self.states.get(&StateName(commit.child)));
        child.is_some_and(|child| !child.mine)
    }

    /// Whether a chain, all of which is too late here, leads as far as I am to a state
    /// I do not know, and I have followed nothing since I was welcomed: then that was
    /// to a branch that the signer does not follow.
    fn is_beside(&self, commits: &[Vec<u8>], signer: Option<Signer<'_>>) -> bool {
        let here = |to: StatePrefix| self.states.keys().any(|name| StatePrefix::of(name) == to);
        self.welcomed_by.is_some()
            && self.followed == self.root
            && self.leads_as_far(commits)
            && signer.is_some_and(|signer| !here(signer.to))
    }

    /// Encrypts what I say, in the state that is followed. With `first_said`, it
    /// is said again: it was said first in that epoch, and its state was left.
    /// It counts as said in the present epoch at the latest.
    /// Gives the MLS message with the state it was said in.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn say(
        &mut self,
        lent: &mut Lent<'_, '_>,
        plaintext: &[u8],
        first_said: Option<u64>,
    ) -> Result<Result<(Vec<u8>, StateName), super::MakeFault>, StorageError> {
        use super::MakeFault;
        if !self.is_member() {
            return Ok(Err(MakeFault::NotIn));
        }
        let state = self.followed;
        self.mark_used(lent.rows, state)?;
        let pointer = Pointer {
            state: StatePrefix::of(&state),
            first_said: first_said.map(|first| first.min(self.epoch())),
        };
        self.within(lent, state, |provider, group, key| {
            group.set_aad(pointer.encode());
            let message = group
                .create_message(provider, key, plaintext)
                .map_err(|_| MakeFault::Group("encrypting"))?;
            let bytes = message
                .tls_serialize_detached()
                .map_err(|_| MakeFault::Group("encoding a message"))?;
            Ok((bytes, state))
        })
    }

    fn parse(&self, bytes: &[u8]) -> Result<Received, HearFault> {
        parse(self.id, bytes)
    }

    /// The states a message may be of: nearly always one.
    fn states_of(&self, received: &Received) -> Result<Vec<StateName>, HearFault> {
        let states = self.states.iter().filter(|(name, state)| {
            state.epoch == received.epoch && StatePrefix::of(name) == received.pointer.state
        });
        let found: Vec<_> = states.map(|(name, _)| *name).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let root = self.states.get(&self.root).map_or(0, |root| root.epoch);
        Err(if received.epoch < root {
            HearFault::TooLate
        } else {
            HearFault::UnknownState {
                state: received.pointer.state,
                epoch: received.epoch,
            }
        })
    }

    fn hear_said(
        &mut self,
        lent: &mut Lent<'_, '_>,
        received: &Received,
    ) -> Result<(Vec<Told>, Result<Heard, HearFault>), StorageError> {
        let states = match self.states_of(received) {
            Ok(states) => states,
            Err(fault) => return Ok((Vec::new(), Err(fault))),
        };
        let mut fault = HearFault::NotMine;
        for state in states {
            if !self.states.get(&state).is_some_and(|state| state.mine) {
                continue;
            }
            let message = received.clone();
            let read = self.within(lent, state, |provider, group, _| {
                read_said(provider, group, message, state)
            })?;
            match read {
                Ok(said) => {
                    let told = self.witness_said(lent, state)?;
                    return Ok((told, Ok(Heard::Said(said))));
                }
                Err(why) => fault = why,
            }
        }
        Ok((Vec::new(), Err(fault)))
    }

    /// Takes a commit in without choosing. Whether it was known.
    fn take_in(
        &mut self,
        lent: &mut Lent<'_, '_>,
        received: &Received,
        bytes: &[u8],
        told: &mut Vec<Told>,
    ) -> Result<Result<bool, HearFault>, StorageError> {
        let hash = CommitHash::of(bytes);
        if received.message.content_type() != ContentType::Commit
            || received.pointer.first_said.is_some()
        {
            return Ok(Err(HearFault::Kind));
        }
        if self.commits.contains_key(&hash) {
            // Whoever has a commit of mine has it from a network.
            self.witness(lent, hash)?;
            return Ok(Ok(true));
        }
        let states = match self.states_of(received) {
            Ok(states) => states,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut fault = HearFault::NotMine;
        for parent in states {
            if !self.states.get(&parent).is_some_and(|state| state.mine) {
                continue;
            }
            match self.try_commit(lent, received, parent, hash, bytes, told)? {
                Ok(known) => return Ok(Ok(known)),
                Err(why) => fault = why,
            }
        }
        Ok(Err(fault))
    }

    /// Reads a commit on a copy of its parent state, and keeps it. Whether it was
    /// known in another form.
    fn try_commit(
        &mut self,
        lent: &mut Lent<'_, '_>,
        received: &Received,
        parent: StateName,
        hash: CommitHash,
        bytes: &[u8],
        told: &mut Vec<Told>,
    ) -> Result<Result<bool, HearFault>, StorageError> {
        let now = lent.cx.wall().as_millis();
        let mut overlay = Overlay::of(&mut *lent.rows, self.id, &parent)?;
        let provider = Provider::new(lent.crypto, lent.cx, &mut overlay);
        let outcome = match keeper::load(&provider, self.id) {
            Some(group) => {
                read_commit(&provider, group, received.clone(), &self.account, hash, now)
            }
            None => {
                provider.end(Err::<(), ()>(()))?.unwrap_or(());
                return Err(StorageError::corrupt("reading a state of a group"));
            }
        };
        let read = match provider.end(outcome)? {
            Ok(read) => read,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Some(known) = self.states.get(&read.child) {
            return self.heard_anew(lent, parent, known.by.map(CommitHash));
        }
        let copy = read.state.mine.then_some(overlay);
        let record = CommitRecord {
            parent: parent.0,
            child: read.child.0,
            author: read.author.as_bytes().to_vec(),
            leaf: read.leaf,
            class: records::number_of(read.class),
            standing: Standing::Held,
            welcome: None,
            own: false,
            since: now,
        };
        let mut state = read.state;
        if let Some(copy) = copy {
            state.size = copy.keep_as(self.id, &read.child)?;
        }
        self.witness_state(lent, parent)?;
        let room = self.make_room(lent.rows, hash, &record, &state, told)?;
        if !room || !self.states.contains_key(&parent) {
            Shelf::new(lent.rows, self.id).remove_state(&read.child)?;
            return Ok(Err(HearFault::Full));
        }
        let due = self.is_due(&record, now);
        self.keep(lent.rows, hash, record, bytes, read.child, state)?;
        if !due {
            self.thin_held(lent.rows, &hash, told)?;
        }
        Ok(Ok(false))
    }

    /// A commit leads from `parent` to a state that is here because of another
    /// one, `by`: then it is that one, which its author sealed anew, and so a
    /// repeat. Chains between honest devices hold whichever form each got first.
    fn heard_anew(
        &mut self,
        lent: &mut Lent<'_, '_>,
        parent: StateName,
        by: Option<CommitHash>,
    ) -> Result<Result<bool, HearFault>, StorageError> {
        let known = by.and_then(|by| Some((by, self.commits.get(&by)?)));
        match known {
            Some((by, record)) if record.parent == parent.0 => {
                self.witness(lent, by)?;
                Ok(Ok(true))
            }
            _ => Ok(Err(HearFault::Rules)),
        }
    }

    /// Writes down a commit with the state it leads to, whose rows are there.
    pub(super) fn keep(
        &mut self,
        rows: &mut dyn MlsRows,
        hash: CommitHash,
        record: CommitRecord,
        bytes: &[u8],
        child: StateName,
        state: StateRecord,
    ) -> Result<(), StorageError> {
        let mut shelf = Shelf::new(rows, self.id);
        shelf.put_bulk(Bulk::Commit, &hash, bytes)?;
        shelf.put_commit(&hash, &record)?;
        shelf.put_state(&child, &state)?;
        self.commits.insert(hash, record);
        self.states.insert(child, state);
        Ok(())
    }

    /// Somebody else has this commit. If it is one of mine that did not take
    /// part yet, a network took it.
    fn witness(&mut self, lent: &mut Lent<'_, '_>, hash: CommitHash) -> Result<(), StorageError> {
        if self.commits.get(&hash).is_some_and(CommitRecord::rests) {
            self.take_part(lent.rows, lent.cx.wall().as_millis(), hash)?;
        }
        Ok(())
    }

    fn witness_said(
        &mut self,
        lent: &mut Lent<'_, '_>,
        state: StateName,
    ) -> Result<Vec<Told>, StorageError> {
        let by = self.states.get(&state).and_then(|state| state.by);
        let record = by.and_then(|by| self.commits.get(&CommitHash(by)));
        if !record.is_some_and(CommitRecord::rests) {
            return Ok(Vec::new());
        }
        self.witness_state(lent, state)?;
        self.settle(lent)
    }

    /// Somebody else is in this state, so they have the commit that led to it.
    fn witness_state(
        &mut self,
        lent: &mut Lent<'_, '_>,
        name: StateName,
    ) -> Result<(), StorageError> {
        match self.states.get(&name).and_then(|state| state.by) {
            Some(by) => self.witness(lent, CommitHash(by)),
            None => Ok(()),
        }
    }
}

fn read_said(
    provider: &Provider<'_>,
    group: &mut MlsGroup,
    received: Received,
    state: StateName,
) -> Result<Said, HearFault> {
    let first_said = received.pointer.first_said;
    let processed = group
        .process_message(provider, received.message)
        .map_err(|_| HearFault::Unreadable)?;
    let Sender::Member(leaf) = *processed.sender() else {
        return Err(HearFault::Kind);
    };
    let node = group.public_group().leaf(leaf).ok_or(HearFault::Kind)?;
    let author = shape::account(node).ok_or(HearFault::Kind)?;
    let key = node.signature_key().as_slice().to_vec();
    let epoch = processed.epoch().as_u64();
    match processed.into_content() {
        ProcessedMessageContent::ApplicationMessage(message) => Ok(Said {
            plaintext: message.into_bytes(),
            author,
            key,
            leaf: leaf.u32(),
            state,
            epoch,
            first_said,
        }),
        _ => Err(HearFault::Kind),
    }
}

fn read_commit(
    provider: &Provider<'_>,
    mut group: MlsGroup,
    received: Received,
    me: &AccountId,
    hash: CommitHash,
    now: u64,
) -> Result<Read, HearFault> {
    let parent = facts::parent(&group).ok_or(HearFault::Rules)?;
    let processed = group
        .process_message(provider, received.message)
        .map_err(|_| HearFault::Unreadable)?;
    let Sender::Member(leaf) = *processed.sender() else {
        return Err(HearFault::Kind);
    };
    let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
        return Err(HearFault::Kind);
    };
    let same_key = |staged_key: &[u8]| {
        let leaf = group.public_group().leaf(leaf);
        leaf.is_some_and(|leaf| leaf.signature_key().as_slice() == staged_key)
    };
    let path = staged.update_path_leaf_node();
    if !path.is_some_and(|path| same_key(path.signature_key().as_slice())) {
        return Err(HearFault::Rules);
    }
    let contents = facts::contents(&parent, leaf.u32(), &staged);
    let class = rules::check(&parent, &contents).map_err(|_| HearFault::Rules)?;
    let author = parent.leaves.get(&leaf.u32()).ok_or(HearFault::Rules)?;
    let author = author.account.clone();
    // Only now, when somebody of the group signed it: this writes out the tree.
    let before = facts::encryption_keys(group.treesync());
    group
        .merge_staged_commit(provider, *staged)
        .map_err(|_| HearFault::Unreadable)?;
    if !facts::new_keys_are_keys(provider.crypto(), &before, group.treesync()) {
        return Err(HearFault::Rules);
    }
    let child = if group.is_active() {
        keeper::name_of(&group)
    } else {
        StateName(
            Sha256::new()
                .chain_update(OUT)
                .chain_update(hash.0)
                .finalize()
                .into(),
        )
    };
    Ok(Read {
        author,
        leaf: leaf.u32(),
        class,
        child,
        state: state_record(&group, me, Some(hash), now),
    })
}

/// The state that a message or side letter of a group says it was made in: its
/// epoch, and the beginning of its name. `None` if it is none of this group.
#[must_use]
pub fn claimed_state(group: ConversationId, bytes: &[u8]) -> Option<(u64, StatePrefix)> {
    if bytes.first() == Some(&SIDE_VERSION) {
        return side::claimed_state(group, bytes);
    }
    let received = parse(group, bytes).ok()?;
    Some((received.epoch, received.pointer.state))
}

fn parse(group: ConversationId, bytes: &[u8]) -> Result<Received, HearFault> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| HearFault::Kind)?;
    let MlsMessageBodyIn::PrivateMessage(message) = message.extract() else {
        return Err(HearFault::Kind);
    };
    let pointer = Pointer::decode(message.aad()).ok_or(HearFault::Kind)?;
    let message = ProtocolMessage::from(message);
    let known = message.group_id().as_slice() == group.0.as_slice()
        && message.content_type() != ContentType::Proposal;
    let epoch = message.epoch().as_u64();
    // Nothing is said again before it is said.
    let in_order = pointer.first_said.is_none_or(|first| first <= epoch);
    (known && in_order)
        .then_some(Received {
            message,
            pointer,
            epoch,
        })
        .ok_or(HearFault::Kind)
}
