//! By which of their addresses a contact is written to.
//!
//! They told them in their order of preference. Before that order goes what
//! letters met: where a server accepted letters that did not arrive, the other
//! addresses are tried first for a while. That is learnt from receipts:
//!
//! - a letter went by one address only and was confirmed: it is good;
//! - it went by a second one, for the first brought no receipt, and the receipt
//!   came soon after that: twice in a row, and the first is doubted, for an hour
//!   and then twice as long each time, up to a day. Then it is tried again.
//!
//! A recipient who comes back just then makes the first look guilty; so it takes
//! two letters, and costs no more than another order.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::{Address, Keep, LetterId, RouteState, SealKey};
use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::{Call, Messenger};
use crate::content::AddressUpdate;
use crate::storage::Doubt;
use crate::{ContactId, Secret};

/// How soon after it was accepted a receipt speaks for the second address.
const SOON: Duration = Duration::from_secs(60);
/// How long the first must have had before.
const HEAD_START: Duration = Duration::from_secs(60);
/// Letters that speak against an address before it is doubted.
const STRIKES: u32 = 2;
/// Between two strikes: letters posted together are one sign.
const BETWEEN_STRIKES: Duration = Duration::from_secs(10);
/// The first doubt; each further one doubles.
const FIRST_DOUBT: Duration = Duration::from_secs(60 * 60);
/// The longest doubt.
const LONGEST_DOUBT: Duration = Duration::from_secs(24 * 60 * 60);

/// What letters told of addresses in this run.
#[derive(Default)]
pub(super) struct Reach {
    strikes: BTreeMap<(ContactId, Vec<u8>), Strikes>,
    /// By how many addresses the next receipts to a contact begin further down.
    detours: BTreeMap<ContactId, Detour>,
    /// Where the next letter that nobody confirms begins, if that is chosen.
    chosen: Option<(ContactId, usize)>,
}

#[derive(Clone, Copy)]
struct Strikes {
    count: u32,
    last: Moment,
}

#[derive(Clone, Copy)]
struct Detour {
    by: usize,
    since: Moment,
}

impl Reach {
    /// Chooses with which address the next letters that nobody confirms begin.
    pub(super) fn begin_with(&mut self, contact: ContactId, way: Option<usize>) {
        self.chosen = way.map(|way| (contact, way));
    }

    /// By how many addresses a letter that nobody confirms begins further down.
    fn offset(&self, contact: ContactId) -> usize {
        match self.chosen {
            Some((of, way)) if of == contact => way,
            _ => self.detours.get(&contact).map_or(0, |detour| detour.by),
        }
    }

    /// Forgets a contact.
    pub(super) fn forget(&mut self, contact: ContactId) {
        self.strikes.retain(|(of, _), _| *of != contact);
        self.detours.remove(&contact);
    }

    /// Notes that a letter speaks against an address; whether they are enough.
    fn strike(&mut self, contact: ContactId, address: &[u8], now: Moment) -> bool {
        let key = (contact, address.to_vec());
        let before = self.strikes.get(&key).copied();
        let strikes = match before {
            Some(strikes) if now < strikes.last + BETWEEN_STRIKES => return false,
            Some(strikes) => Strikes {
                count: strikes.count.saturating_add(1),
                last: now,
            },
            None => Strikes {
                count: 1,
                last: now,
            },
        };
        self.strikes.insert(key, strikes);
        strikes.count >= STRIKES
    }

    /// What I answered may not have arrived: the next answers go another way.
    /// Once a minute at most, for their sender sets the pace.
    pub(super) fn turn_aside(&mut self, contact: ContactId, now: Moment) {
        let detour = self.detours.entry(contact).or_insert(Detour {
            by: 0,
            since: Moment::default(),
        });
        if detour.by == 0 || detour.since + SOON <= now {
            detour.by = detour.by.saturating_add(1);
            detour.since = now;
        }
    }
}

impl Messenger {
    /// The addresses of a contact in the order in which they are to be tried,
    /// and those for the last resort.
    pub(super) fn ways_to(
        &self,
        contact: ContactId,
        keep: Keep,
        wall: Timestamp,
    ) -> (Vec<Address>, Vec<Address>) {
        let Some(person) = self.people.get(&contact) else {
            return Default::default();
        };
        let Some(mail) = self.mails.get(contact) else {
            return (person.addresses.clone(), Vec::new());
        };
        let doubted = |address: &Address| {
            if mail.doubts.is_empty() {
                return false;
            }
            let encoded = address.encode();
            let mut doubts = mail.doubts.iter();
            doubts.any(|doubt| {
                let over = doubt.until <= wall || wall + LONGEST_DOUBT < doubt.until;
                !over && doubt.address.expose() == encoded
            })
        };
        let (last, mut ways): (Vec<_>, Vec<_>) =
            person.addresses.iter().cloned().partition(doubted);
        ways.extend(last);
        // Of receipts nobody tells that they did not arrive.
        if keep == Keep::UntilAccepted && !ways.is_empty() {
            let by = self.reach.offset(contact).checked_rem(ways.len());
            ways.rotate_left(by.unwrap_or(0));
        }
        let recovery = mail.recovery.iter();
        let recovery = recovery.filter_map(|bytes| Address::decode(bytes.expose()).ok());
        let mut recovery: Vec<Address> = recovery.collect();
        recovery.retain(|address| !ways.contains(address));
        recovery.truncate(hushwing_delivery::MOST_ADDRESSES.saturating_sub(ways.len()));
        (ways, recovery)
    }

    /// A contact told where to write when nothing else helps.
    pub(super) fn keep_recovery(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        update: &AddressUpdate,
    ) -> Result<(), StorageError> {
        let mut told = update.recovery.clone();
        told.retain(|bytes| {
            let address = Address::decode(bytes);
            !matches!(address.map(|to| to.seal), Ok(SealKey::FirstContact(_)))
        });
        let told: Vec<Secret> = told.into_iter().map(Secret::new).collect();
        let mail = self.mails.of(contact);
        if mail.recovery == told {
            return Ok(());
        }
        mail.recovery = told;
        self.mails.save(call.storage, contact)
    }

    /// A letter was confirmed: what that tells of the addresses it went to.
    pub(super) fn learn_from(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        letter: LetterId,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let routes = self.office.routes(letter).into_iter();
        let accepted = routes.filter_map(|(address, route)| match route.state {
            RouteState::Accepted { at } => Some((at, address)),
            _ => None,
        });
        let mut accepted: Vec<_> = accepted.collect();
        accepted.sort_by_key(|(at, _)| *at);
        match accepted.as_slice() {
            [(_, only)] => self.trust(call, contact, only),
            [(first_at, first), .., (last_at, last)]
                if last_at.since(*first_at) >= HEAD_START && now.since(*last_at) <= SOON =>
            {
                let (first, last) = (first.clone(), last.clone());
                self.distrust(call, contact, &first)?;
                self.trust(call, contact, &last)
            }
            _ => Ok(()),
        }
    }

    fn trust(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        address: &Address,
    ) -> Result<(), StorageError> {
        let encoded = address.encode();
        self.reach.strikes.remove(&(contact, encoded.clone()));
        let Some(mail) = self.mails.by_contact.get_mut(&contact) else {
            return Ok(());
        };
        let before = mail.doubts.len();
        mail.doubts
            .retain(|doubt| doubt.address.expose() != encoded);
        match mail.doubts.len() < before {
            true => self.mails.save(call.storage, contact),
            false => Ok(()),
        }
    }

    fn distrust(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        address: &Address,
    ) -> Result<(), StorageError> {
        let encoded = address.encode();
        let now = call.cx.wall();
        let person = self.people.get(&contact);
        let known: Vec<Vec<u8>> = person
            .into_iter()
            .flat_map(|person| &person.addresses)
            .map(Address::encode)
            .collect();
        let enough = self.reach.strike(contact, &encoded, call.cx.now());
        let doubts = &mut self.mails.of(contact).doubts;
        doubts.retain(|doubt| known.iter().any(|known| known == doubt.address.expose()));
        let of_it = doubts.iter_mut();
        let of_it = of_it
            .into_iter()
            .find(|doubt| doubt.address.expose() == encoded);
        let wait = |times: u32| {
            let doublings = times.saturating_sub(1).min(8);
            let wait = FIRST_DOUBT.saturating_mul(2_u32.saturating_pow(doublings));
            wait.min(LONGEST_DOUBT)
        };
        match of_it {
            // It was tried again, and once is enough then.
            Some(doubt) if doubt.until <= now => {
                doubt.times = doubt.times.saturating_add(1);
                doubt.until = now + wait(doubt.times);
            }
            Some(_) => return Ok(()),
            None if enough => doubts.push(Doubt {
                address: Secret::new(encoded),
                until: now + wait(1),
                times: 1,
            }),
            None => return Ok(()),
        }
        self.mails.save(call.storage, contact)
    }
}
