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

use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::{Content, Introduction, IntroductionId, IntroductionStep, Offer, clean_word};
use crate::link::{Kind, Link, Promise};
use crate::storage::{IntroductionRecord, IntroductionsRecord, Standing};
use crate::view::IntroductionView;
use crate::{ContactId, DropReason, Event, Refusal, Reply, Secret};

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
        let names = [self.introducible(one)?, self.introducible(other)?];
        let mut mine = IntroductionsRecord::read(call.storage)?;
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

    /// The name of a contact who can be introduced.
    fn introducible(&mut self, contact: ContactId) -> Result<String, Refusal> {
        if self.is_blocked(contact) {
            return Err(Refusal::Blocked);
        }
        let record = &self.person(contact)?.record;
        match record.standing {
            Standing::Established => Ok(record.name.clone()),
            Standing::Broken => Err(Refusal::Broken),
            Standing::Joining | Standing::Asked | Standing::Requested => {
                Err(Refusal::NotEstablished)
            }
        }
    }

    /// Says a step of an introduction to a contact, in their conversation alone:
    /// if that breaks, whatever else was being done goes on.
    pub(super) fn say_about(
        &mut self,
        call: &mut Call<'_, '_>,
        to: ContactId,
        id: IntroductionId,
        step: IntroductionStep,
    ) -> Result<(), StorageError> {
        if !matches!(
            self.standing(to),
            Some(Standing::Established | Standing::Asked)
        ) || self.is_blocked(to)
        {
            return Ok(());
        }
        let content = Content::Introduction(Introduction { id, step });
        self.within(call, to, |this, call| this.say_control(call, to, &content))
    }

    pub(super) fn list_introductions(call: &Call<'_, '_>) -> Result<Reply, Stop> {
        let mine = IntroductionsRecord::read(call.storage)?.introductions;
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
        let mut mine = IntroductionsRecord::read(call.storage)?;
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
        mine.put(call.storage)?;
        let Some((inviters, joiners)) = both else {
            return Ok(());
        };
        self.tell(Event::Introducing(view));
        let step = IntroductionStep::Agreed(Promise(joiners));
        self.say_about(call, inviter, id, step)?;
        let step = IntroductionStep::Agreed(Promise(inviters));
        self.say_about(call, joiner, id, step)
    }

    /// Whether a link that a contact told is for an introduction of mine; if so
    /// it is passed on, once.
    pub(super) fn link_of_mine(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        id: IntroductionId,
        link: &Secret,
    ) -> Result<bool, StorageError> {
        let mut mine = IntroductionsRecord::read(call.storage)?;
        let mut records = mine.introductions.iter_mut();
        let Some(record) = records.find(|r| r.id == id.0 && r.inviter == contact) else {
            return Ok(false);
        };
        let promised = record.inviter_promise.map(Promise);
        let agreed = record.joiner_promise.is_some();
        // What is no link of one use promises nothing, and must not equal the
        // nothing that was promised.
        let kept = promised.is_some_and(|promised| promise_of(id, link) == Some(promised));
        if !(agreed && kept) {
            self.drop_letter(Some(contact), DropReason::Introduction)?;
            return Ok(true);
        }
        if core::mem::replace(&mut record.passed, true) {
            return Ok(true);
        }
        let (view, joiner) = (record.view(), record.joiner);
        mine.put(call.storage)?;
        self.tell(Event::Introducing(view));
        self.say_about(call, joiner, id, IntroductionStep::Link(link.clone()))?;
        Ok(true)
    }

    /// Forgets introductions that are long over.
    pub(super) fn sweep_introductions(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let mut mine = IntroductionsRecord::read(call.storage)?;
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

/// What an inviter who makes this link must have promised; `None` if it is no
/// one-time link.
pub(super) fn promise_of(id: IntroductionId, link: &Secret) -> Option<Promise> {
    let link = Link::parse(core::str::from_utf8(link.expose()).ok()?).ok()?;
    (link.kind() == Kind::OneTime).then(|| Promise::of_inviter(id, link.secret()))
}
