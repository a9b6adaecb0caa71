//! Introducing two contacts: my side.
//!
//! ```text
//! inviter            me             joiner
//!    │ ◀──── offer ──┴── offer ────▶ │
//!    │ agree ────▶      ◀──── agree  │   each with a promise
//!    │ ◀── agreed ───┬── agreed ───▶ │   the other's promise
//!    │ link ─────▶   └── link ─────▶ │
//!    │ ◀────────── join ──────────── │   not through me
//! ```
//!
//! I learn that both agreed, and the link, which takes nobody but the joiner.
//! What either of them says is theirs to make up: it is checked against what
//! they promised, so that the other is not sent elsewhere.

use core::time::Duration;

use hushwing_sansio::StorageError;

use super::broken::is_damage;
use super::hidden::forget_settled;
use super::join::NAMELESS;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::{Content, Introduction, IntroductionId, IntroductionStep, Offer, clean_word};
use crate::link::{IntroducedLink, Kind, Promise};
use crate::storage::{IntroductionRecord, IntroductionsRecord};
use crate::view::IntroductionView;
use crate::{ContactId, DropReason, Event, Refusal, Reply, Storage};

/// Introductions of mine that are under way at once.
const MOST_OPEN: usize = 64;
/// Those of them that concern one contact: they would let no more wait.
pub(super) const MOST_WAITING: usize = 8;
/// How long an introduction is remembered: six weeks for a decision, and the
/// rest for what both say to lie at servers.
pub(super) const REMEMBERED: Duration = Duration::from_secs(84 * 24 * 60 * 60);

impl IntroductionRecord {
    fn view(&self) -> IntroductionView {
        IntroductionView {
            introduction: self.number,
            inviter: self.inviter,
            joiner: self.joiner,
            since: self.since,
            agreed: self.inviter_promise.is_some() && self.joiner_promise.is_some(),
            passed: self.passed,
        }
    }

    fn concerns(&self, contact: ContactId) -> bool {
        self.inviter == contact || self.joiner == contact
    }
}

impl Messenger {
    /// Asks two contacts whether they want to know each other.
    pub(super) fn introduce(
        &mut self,
        call: &mut Call<'_, '_>,
        one: ContactId,
        other: ContactId,
        word: Option<&str>,
    ) -> Result<Reply, Stop> {
        if one == other {
            return Err(Refusal::SamePerson.into());
        }
        for contact in [one, other] {
            self.may_be_asked(contact)?;
        }
        let names = [self.name_they_told(one)?, self.name_they_told(other)?];
        for contact in [one, other] {
            // Reading what they told may have broken one of them.
            self.may_be_asked(contact)?;
        }
        let mut mine = mine(call.storage)?;
        let open = || mine.introductions.iter().filter(|record| !record.passed);
        if open().any(|record| record.concerns(one) && record.concerns(other)) {
            return Err(Refusal::IntroducedAlready.into());
        }
        let busy = |contact| open().filter(|record| record.concerns(contact)).count();
        if open().count() >= MOST_OPEN || busy(one).max(busy(other)) >= MOST_WAITING {
            return Err(Refusal::TooManyIntroductions.into());
        }
        let word = word.and_then(clean_word);
        let record = IntroductionRecord {
            number: call.storage.next_number()?,
            id: call.cx.random(),
            inviter: one,
            joiner: other,
            since: call.cx.wall(),
            inviter_promise: None,
            joiner_promise: None,
            passed: false,
        };
        let id = IntroductionId(record.id);
        let view = record.view();
        mine.introductions.push(record);
        mine.put(call.storage)?;
        let [name_of_one, name_of_other] = names;
        for (to, invites, name) in [(one, true, name_of_other), (other, false, name_of_one)] {
            let word = word.clone();
            let offer = Offer {
                invites,
                name,
                word,
            };
            self.say_about(call, to, id, IntroductionStep::Offer(offer))?;
        }
        Ok(Reply::Introduction(view))
    }

    /// What a contact calls themselves. What I call them is told nobody.
    fn name_they_told(&mut self, contact: ContactId) -> Result<String, Refusal> {
        let told = self.person(contact)?.face.name.clone();
        Ok(told.unwrap_or_else(|| NAMELESS.to_owned()))
    }

    /// Says a step of an introduction to a contact, in their conversation alone:
    /// if that breaks, whatever else was being done goes on. Whether it was said.
    pub(super) fn say_about(
        &mut self,
        call: &mut Call<'_, '_>,
        to: ContactId,
        id: IntroductionId,
        step: IntroductionStep,
    ) -> Result<bool, StorageError> {
        if !self.is_written_to(to) {
            return Ok(false);
        }
        let content = Content::Introduction(Introduction { id, step });
        self.within(call, to, |this, call| this.say_control(call, to, &content))?;
        Ok(self.is_written_to(to))
    }

    /// Forgets the steps that a contact has by now: what they were about is kept
    /// elsewhere.
    pub(super) fn forget_old_steps(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        forget_settled(call.storage, contact, |content| {
            matches!(content, Content::Introduction(_))
        })
    }

    pub(super) fn list_introductions(call: &mut Call<'_, '_>) -> Result<Reply, Stop> {
        let mine = mine(call.storage)?.introductions;
        Ok(Reply::Introductions(
            mine.iter().map(IntroductionRecord::view).collect(),
        ))
    }

    /// A contact agreed to an introduction of mine.
    pub(super) fn agreed_to_mine(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        id: IntroductionId,
        promise: Promise,
    ) -> Result<(), StorageError> {
        let mut mine = mine(call.storage)?;
        let mut records = mine.introductions.iter_mut();
        let Some(record) = records.find(|r| r.id == id.0 && r.concerns(contact)) else {
            return self.drop_letter(Some(contact), DropReason::Introduction);
        };
        let promised = if record.inviter == contact {
            &mut record.inviter_promise
        } else {
            &mut record.joiner_promise
        };
        // A promise is not changed, and a repeated one does nothing.
        if promised.is_some() {
            return Ok(());
        }
        *promised = Some(promise.0);
        let view = record.view();
        let both = record.inviter_promise.zip(record.joiner_promise);
        let (inviter, joiner) = (record.inviter, record.joiner);
        if !(self.is_written_to(inviter) && self.is_written_to(joiner)) {
            mine.introductions.retain(|record| record.id != id.0);
            return mine.put(call.storage);
        }
        mine.put(call.storage)?;
        let Some((inviters, joiners)) = both else {
            return Ok(());
        };
        self.tell(Event::Introducing(view));
        let step = IntroductionStep::Agreed(Promise(joiners));
        self.say_about(call, inviter, id, step)?;
        let step = IntroductionStep::Agreed(Promise(inviters));
        self.say_about(call, joiner, id, step)?;
        Ok(())
    }

    /// Whether a link that a contact told is for an introduction of mine; if so
    /// it is passed on, once.
    pub(super) fn link_of_mine(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        id: IntroductionId,
        link: &IntroducedLink,
    ) -> Result<bool, StorageError> {
        let mut mine = mine(call.storage)?;
        let mut records = mine.introductions.iter_mut();
        let Some(record) = records.find(|r| r.id == id.0 && r.inviter == contact) else {
            return Ok(false);
        };
        let promised = record.inviter_promise.map(Promise);
        let agreed = record.joiner_promise.is_some();
        // What is no link of one use, or not signed by its maker, promises
        // nothing, and must not equal the nothing that was promised.
        let kept = promised.is_some_and(|promised| promise_of(id, link) == Some(promised));
        if !(agreed && kept) {
            self.drop_letter(Some(contact), DropReason::Introduction)?;
            return Ok(true);
        }
        if core::mem::replace(&mut record.passed, true) {
            return Ok(true);
        }
        let (view, joiner) = (record.view(), record.joiner);
        let step = IntroductionStep::Link(link.clone());
        if self.say_about(call, joiner, id, step)? {
            self.tell(Event::Introducing(view));
        } else {
            // Nobody can be told any more.
            mine.introductions.retain(|record| record.id != id.0);
        }
        mine.put(call.storage)?;
        Ok(true)
    }

    /// Ends the introductions of mine that concern a contact: all of them, or
    /// those that are under way.
    pub(super) fn end_introductions(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        all: bool,
    ) -> Result<(), StorageError> {
        let mut mine = mine(call.storage)?;
        let before = mine.introductions.len();
        let over =
            |record: &IntroductionRecord| record.concerns(contact) && (all || !record.passed);
        mine.introductions.retain(|record| !over(record));
        match mine.introductions.len() < before {
            true => mine.put(call.storage),
            false => Ok(()),
        }
    }

    /// Forgets introductions that are long over.
    pub(super) fn sweep_introductions(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let mut mine = mine(call.storage)?;
        let before = mine.introductions.len();
        let now = call.cx.wall();
        mine.introductions
            .retain(|record| now < record.since + REMEMBERED);
        if mine.introductions.len() < before {
            mine.put(call.storage)?;
        }
        Ok(())
    }
}

/// Introductions of mine. They are of no one conversation, so none is to break
/// where they cannot be read: then they are over, as if nobody had agreed.
fn mine(storage: &mut dyn Storage) -> Result<IntroductionsRecord, StorageError> {
    match IntroductionsRecord::read(storage) {
        Err(error) if is_damage(&error) => {
            let none = IntroductionsRecord::default();
            none.put(storage)?;
            Ok(none)
        }
        read => read,
    }
}

/// What an inviter who made and signed this link must have promised; `None` if it
/// is no one-time link, or not signed for this introduction.
pub(super) fn promise_of(id: IntroductionId, link: &IntroducedLink) -> Option<Promise> {
    let link = link.open(id)?;
    (link.kind() == Kind::OneTime).then(|| Promise::of_inviter(id, link.secret()))
}
