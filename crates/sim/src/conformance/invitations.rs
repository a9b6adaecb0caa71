//! Cards of invitations, and the first letters of strangers.

use hushwing_delivery::{
    Address, Card, FetchFailure, FetchId, FirstContactSecret, MailboxId, MailboxKeys,
    NetworkCommand, Place, Purpose, SealKey,
};
use hushwing_sansio::{Context, Moment, Timestamp};

use super::scene::Scene;
use super::{Effort, Violation};
use crate::correspondent::{Errand, FetchedCard, Journal, Writer};
use crate::room::{Core, NetworkRoom};
use crate::{Dice, Netem};

const ALICE: usize = 0;
const MAILBOX: MailboxId = MailboxId(1);

struct Invitation {
    place: Place,
    card: Card,
    seal: SealKey,
}

/// Alice publishes an invitation.
fn invite<C, N>(scene: &mut Scene<C, N>, one_time: bool) -> Result<Invitation, Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let mut dice = Dice::new(scene.seed);
    let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut dice);
    let key = FirstContactSecret::generate(&mut cx);
    let public = key
        .public()
        .map_err(|error| scene.violation(error.to_string()))?;
    let card = card();
    let purpose = if one_time {
        Purpose::OneTimeInvitation(card.clone())
    } else {
        Purpose::ReusableInvitation(card.clone())
    };
    scene.listen(ALICE, MAILBOX, purpose, &MailboxKeys::first_contact(key))?;
    let place = scene.place(ALICE, MAILBOX)?;
    Ok(Invitation {
        place,
        card,
        seal: SealKey::FirstContact(public),
    })
}

/// A card whose secret is the SHA3-256 of its fixed part.
fn card() -> Card {
    const FIXED: &[u8] = b"hushwing conformance: fixed part";
    // SHA3-256 of FIXED, by an independent implementation.
    const SECRET: [u8; 32] = [
        0x4E, 0x1B, 0xC7, 0x22, 0x25, 0x0B, 0xF8, 0x12, 0x5D, 0x6C, 0x0A, 0xEA, 0x7D, 0x97, 0x6F,
        0xAA, 0x2D, 0xC3, 0x00, 0x44, 0x08, 0xE3, 0x00, 0x63, 0x19, 0xF9, 0x93, 0x76, 0x96, 0x41,
        0x26, 0xD8,
    ];
    Card {
        secret: SECRET,
        fixed: FIXED.to_vec(),
        bundle: b"a bundle".to_vec(),
    }
}

/// Fetches, and fetches again while the network says it may come right.
fn fetch<C, N>(
    scene: &mut Scene<C, N>,
    person: usize,
    number: u64,
    invitation: &Invitation,
    one_time: bool,
) -> Result<Result<FetchedCard, FetchFailure>, Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    /// Tries of one fetch, each under a number of its own.
    const TRIES: u64 = 50;
    let first = number.saturating_mul(TRIES);
    for number in first..first.saturating_add(TRIES) {
        let answer = fetch_once(scene, person, number, invitation, one_time)?;
        if answer != Err(FetchFailure::Unreachable) {
            return Ok(answer);
        }
    }
    Err(scene.violation(format!("person {person} never reached the server")))
}

fn fetch_once<C, N>(
    scene: &mut Scene<C, N>,
    person: usize,
    number: u64,
    invitation: &Invitation,
    one_time: bool,
) -> Result<Result<FetchedCard, FetchFailure>, Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let fetch = FetchId(number);
    let errand = || {
        Errand::Instruct(
            N::TAG,
            NetworkCommand::Fetch {
                fetch,
                place: invitation.place.clone(),
                secret: invitation.card.secret,
                one_time,
            },
        )
    };
    scene.insist(person, "a card", errand, |journal| {
        journal.fetched.contains_key(&fetch)
    })?;
    let answer = scene.journal(person)?.fetched.get(&fetch).cloned();
    answer.ok_or_else(|| scene.violation("a fetch without an answer"))
}

/// Fetches, compares with what was published, and writes the first letter.
fn join<C, N>(
    scene: &mut Scene<C, N>,
    person: usize,
    invitation: &Invitation,
    one_time: bool,
) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let card = fetch(scene, person, 1, invitation, one_time)?
        .map_err(|reason| scene.violation(format!("person {person} got no card: {reason:?}")))?;
    if (&card.fixed, &card.bundle) != (&invitation.card.fixed, &invitation.card.bundle) {
        return Err(scene.violation("a card that is not the one published"));
    }
    let seal = invitation.seal.clone();
    let address = Address {
        network: N::TAG,
        locator: card.locator,
        seal,
    };
    scene.post(person, person as u64, &address)
}

pub(super) fn one_time<C, N>(seed: u64, effort: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    for (seed, netem) in weathers(seed, effort) {
        let mut scene: Scene<C, N> = Scene::new(seed, netem, 3)?;
        let invitation = invite(&mut scene, true)?;
        join(&mut scene, 1, &invitation, true)?;
        scene.expect(ALICE, &[1])?;
        // The same profile may look again, also after a crash; another may not.
        scene.world.kill(1);
        if let Err(reason) = fetch(&mut scene, 1, 2, &invitation, true)? {
            return Err(scene.violation(format!(
                "a one-time card is refused to its own reader: {reason:?}"
            )));
        }
        if fetch(&mut scene, 2, 1, &invitation, true)? != Err(FetchFailure::UsedOrGone) {
            return Err(scene.violation("a one-time card is shown to a second reader"));
        }
        if scene
            .journal(ALICE)?
            .received
            .iter()
            .any(|letter| !letter.first_contact)
        {
            return Err(scene.violation("a first contact is not told as one"));
        }
    }
    Ok(())
}

pub(super) fn reusable<C, N>(seed: u64, effort: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    for (seed, netem) in weathers(seed, effort) {
        let strangers = 5;
        let mut scene: Scene<C, N> = Scene::new(seed, netem, strangers + 1)?;
        let invitation = invite(&mut scene, false)?;
        for stranger in 1..=strangers {
            join(&mut scene, stranger, &invitation, false)?;
        }
        let numbers: Vec<u64> = (1..=strangers as u64).collect();
        scene.expect(ALICE, &numbers)?;
        withdrawn(&mut scene, &invitation)?;
    }
    Ok(())
}

/// A card taken down is not shown any more.
fn withdrawn<C, N>(scene: &mut Scene<C, N>, invitation: &Invitation) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let withdraw = NetworkCommand::WithdrawCard { mailbox: MAILBOX };
    scene
        .world
        .command(ALICE, Errand::Instruct(N::TAG, withdraw));
    scene.pass(core::time::Duration::from_secs(10 * 60))?;
    if fetch(scene, 1, 3, invitation, false)? == Err(FetchFailure::UsedOrGone) {
        return Ok(());
    }
    Err(scene.violation("a card that was taken down is still shown"))
}

/// A mistyped secret and an unreadable place are told apart from a used link.
pub(super) fn wrong<C, N>(seed: u64, _: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let mut scene: Scene<C, N> = Scene::new(seed, Netem::calm(), 2)?;
    let mut invitation = invite(&mut scene, false)?;
    invitation.card.secret = [0xA5; 32];
    let forged = fetch(&mut scene, 1, 1, &invitation, false)?;
    // A network that finds cards by their secret finds none under a wrong one.
    if !matches!(forged, Err(FetchFailure::Forged | FetchFailure::UsedOrGone)) {
        return Err(scene.violation("a wrong secret opens a card"));
    }
    invitation.place = Place(vec![0xFF, 0xFF]);
    if fetch(&mut scene, 1, 2, &invitation, false)? != Err(FetchFailure::Unreadable) {
        return Err(scene.violation("an unreadable place is not told as such"));
    }
    Ok(())
}

fn weathers(seed: u64, effort: Effort) -> impl Iterator<Item = (u64, Netem)> {
    let stormy = seed.saturating_add(1)..seed.saturating_add(effort.seeds.min(40));
    core::iter::once((seed, Netem::calm())).chain(stormy.map(|seed| (seed, Netem::storm())))
}
