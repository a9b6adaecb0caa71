//! Which function answers which call about conversations as a whole.

use hushwing_api::calls::*;
use hushwing_conversation::Change;

use super::asked::{Answered as _, Route};

pub(super) fn routes() -> Vec<Route> {
    let mut all = kept();
    all.extend(said());
    all
}

fn kept() -> Vec<Route> {
    vec![
        Conversations::by(
            |handle, asked| async move { handle.conversations(asked.profile()).await },
        ),
        RemoveContact::by(|handle, asked| async move {
            handle.remove_contact(asked.profile(), &asked.path).await
        }),
        Block::by(|handle, asked| async move {
            let change = Change::Blocked(asked.body.on);
            handle.keep(asked.profile(), &asked.path, change).await
        }),
        Archive::by(|handle, asked| async move {
            let change = Change::Archived(asked.body.on);
            handle.keep(asked.profile(), &asked.path, change).await
        }),
        PinConversation::by(|handle, asked| async move {
            let change = Change::Pinned(asked.body.on);
            handle.keep(asked.profile(), &asked.path, change).await
        }),
        MarkUnread::by(|handle, asked| async move {
            let change = Change::MarkedUnread(asked.body.on);
            handle.keep(asked.profile(), &asked.path, change).await
        }),
        Mute::by(|handle, asked| async move {
            let (on, seconds) = (asked.body.on, asked.body.seconds);
            handle.mute(asked.profile(), &asked.path, on, seconds).await
        }),
        SetDraft::by(|handle, asked| async move {
            handle
                .draft(asked.profile(), &asked.path, &asked.body)
                .await
        }),
    ]
}

fn said() -> Vec<Route> {
    vec![
        SetTimer::by(|handle, asked| async move {
            let seconds = asked.body.seconds;
            handle
                .disappear(asked.profile(), &asked.path, seconds)
                .await
        }),
        TellTyping::by(
            |handle, asked| async move { handle.typing(asked.profile(), &asked.path).await },
        ),
        Report::by(|handle, asked| async move {
            handle
                .report(asked.profile(), &asked.path, asked.query.n)
                .await
        }),
        Search::by(|handle, asked| async move {
            let query = &asked.query;
            let within = query.within.as_deref();
            handle
                .search(asked.profile(), &query.text, within, query.n)
                .await
        }),
        MessageHistory::by(|handle, asked| async move {
            handle.history(asked.profile(), &asked.path).await
        }),
        PinMessage::by(|handle, asked| async move {
            let on = asked.body.on;
            handle.pin_message(asked.profile(), &asked.path, on).await
        }),
    ]
}
