//! Who somebody is: the safety number, comparing it, and noticing that it
//! became another one.
//!
//! A contact is verified for as long as the number that was compared is the
//! number of the conversation. Whenever a group is read or changes its keys, the
//! two are held against each other ([`Messenger::observe`]), so no other part of
//! the machine has to think of withdrawing anything.

use hushwing_sansio::StorageError;
use subtle::ConstantTimeEq as _;

use super::stop::Stop;
use super::{Call, Messenger};
use crate::link::{SafetyCodeError, SafetyNumber};
use crate::storage::{Compared, Comparison, IdentityRecord, Seen, Standing};
use crate::view::IdentityView;
use crate::{ContactId, Event, Refusal, Reply};

/// Digits of a safety number.
const DIGITS: usize = 60;
/// What a code begins with.
const CODE: &str = "hushwing:";

impl Messenger {
    pub(super) fn safety_number(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        if let Some(elsewhere) = self.number_elsewhere(contact) {
            return Ok(elsewhere);
        }
        let number = self.number_of(call, contact)?;
        let verified = self.person(contact)?.record.verified.is_some();
        Ok(Reply::SafetyNumber {
            number: number.to_string(),
            code: number.to_code(),
            verified,
        })
    }

    fn number_of(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<SafetyNumber, Stop> {
        let record = &self.person(contact)?.record;
        match record.standing {
            Standing::Joining => return Err(Refusal::NotEstablished.into()),
            Standing::Broken => return Err(Refusal::Broken.into()),
            Standing::Restoring => return Err(Refusal::Restoring.into()),
            Standing::Asked | Standing::Requested | Standing::Established => {}
        }
        if record.unsecured_start {
            return Err(Refusal::NumberNotFixed.into());
        }
        let (person, group, _) = self.at_hand(call, contact)?;
        let theirs = group.their_key().ok_or(Refusal::Broken)?;
        let mine = group.key().public();
        Ok(SafetyNumber::new(
            &person.record.conversation.0,
            &mine,
            &theirs,
        ))
    }

    /// Compares what somebody read aloud or what was scanned. What is wrong
    /// changes nothing: a person may have misread it, and what was compared
    /// before was right.
    pub(super) fn verify(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        number: &str,
    ) -> Result<Reply, Stop> {
        let own = self.number_of(call, contact)?;
        let (right, how) = compare(&own, number)?;
        let person = self.person(contact)?;
        if !right {
            let before = person.record.verified.is_some();
            return Err(match before || person.identity.withdrawn().is_some() {
                true => Refusal::WrongNumberNow,
                false => Refusal::WrongNumber,
            }
            .into());
        }
        let now = call.cx.wall();
        person.record.verified = Some(now);
        person.identity.comparison = Some(Comparison {
            number: own.digest().to_vec(),
            at: now,
            how,
        });
        person.identity.put(call.storage, contact)?;
        person.save(call.storage)?;
        self.shown_anew(contact)
    }

    /// Looks at a group in memory: if its safety number is not the one seen
    /// before, this is noted and told, and a comparison of the other one is
    /// void. `planned` says that their key was to change.
    pub(super) fn observe(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        planned: bool,
    ) -> Result<(), StorageError> {
        let Some((person, group)) = self.people.get_mut(&contact).zip(self.groups.get(&contact))
        else {
            return Ok(());
        };
        let Some(theirs) = group.their_key() else {
            return Ok(());
        };
        let conversation = person.record.conversation.0;
        let number = SafetyNumber::new(&conversation, &group.key().public(), &theirs).digest();
        let identity = &mut person.identity;
        if let Some(seen) = &identity.seen
            && seen.number == number
        {
            return Ok(());
        }
        if let Some(at) = person.record.verified
            && identity.seen.is_none()
        {
            // An older version compared it and kept no more than when.
            identity.comparison = Some(Comparison {
                number: number.to_vec(),
                at,
                how: Compared::Number,
            });
        }
        let now = Seen {
            number: number.to_vec(),
            key: theirs.to_vec(),
            conversation: conversation.to_vec(),
            since: call.cx.wall(),
        };
        let change = identity.see(now, planned);
        identity.put(call.storage, contact)?;
        let Some(change) = change else {
            return Ok(());
        };
        if change.withdrew {
            person.record.verified = None;
            person.save(call.storage)?;
        }
        self.tell(Event::IdentityChanged { contact, change });
        if self.standing(contact) != Some(Standing::Requested) {
            self.tell_contact(contact);
        }
        Ok(())
    }
}

impl Messenger {
    /// A contact began anew from a backup: they have the same keys, but somebody
    /// else may have them too now, so it is told.
    pub(super) fn note_restored(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let change = person.identity.note_restored(call.cx.wall());
        person.identity.put(call.storage, contact)?;
        // They may not have what I told them since.
        person.face.told = 0;
        person.face.put(call.storage, contact)?;
        self.plan_profile(call, contact);
        self.tell(Event::IdentityChanged { contact, change });
        Ok(())
    }
}

impl IdentityRecord {
    /// What is shown of it.
    pub(super) fn view(&self) -> IdentityView {
        let compared = self.comparison.as_ref();
        IdentityView {
            verified: compared.map(|compared| (compared.at, compared.how)),
            withdrawn: self.withdrawn(),
            key_since: self.seen.as_ref().map(|seen| seen.since),
            changes: self.changes.clone(),
        }
    }
}

/// Whether a number or code is `own`, and which of the two it is.
fn compare(own: &SafetyNumber, given: &str) -> Result<(bool, Compared), Refusal> {
    if given.trim_start().starts_with(CODE) {
        let right = own.matches(given).map_err(|error| match error {
            SafetyCodeError::NotACode => Refusal::NotACode,
            SafetyCodeError::Newer(_) => Refusal::CodeNewer,
        })?;
        return Ok((right, Compared::Code));
    }
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<u8>>();
    let given = digits(given);
    if given.len() != DIGITS {
        return Err(Refusal::NotANumber);
    }
    let right = digits(&own.to_string()).ct_eq(&given).into();
    Ok((right, Compared::Number))
}
