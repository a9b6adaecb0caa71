//! Which function answers which call. What a call is called by, takes and
//! answers is declared in [`hushwing_api::calls`], which tells how to add one.

use std::sync::LazyLock;
use std::time::Duration;

use hushwing_api::calls::*;
use hushwing_api::request::InviteBody;
use hushwing_api::view;
use hushwing_store::keys::Passphrase;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Request, Response};
use tokio::sync::watch;

use super::asked::{Answer, Answered as _, Given, Route, no_such_path};
use super::body::{self, Body};
use crate::error::{Error, ErrorKind};
use crate::handle::{Handle, Outgoing};

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let mut all = installation();
    all.extend(meeting());
    all.extend(groups());
    all.extend(lists());
    all.extend(devices());
    all.extend(contacts());
    all.extend(messages());
    all.extend(super::conversations::routes());
    all
});

/// Answers one request; every failure becomes an error document.
pub(super) async fn answer(
    handle: &Handle,
    request: Request<Incoming>,
    stop: watch::Receiver<bool>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    // Read first, whatever the answer: a caller who is still writing would not
    // see it.
    let body = match body::receive(body).await {
        Ok(body) => body,
        Err(error) => return body::last(body::failure(&error)),
    };
    let answer = match Given::parse(&head.method, &head.uri, body, stop) {
        Ok(given) => route(&handle.with_token(token(&head.headers)), given).await,
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| body::failure(&error))
}

async fn route(handle: &Handle, given: Given) -> Answer {
    let found = ROUTES.iter().find(|route| given.makes(&route.call));
    let route = found.ok_or_else(no_such_path)?;
    route.answer(handle.clone(), given).await
}

/// What a caller shows who opened a hidden profile.
fn token(headers: &HeaderMap) -> Option<Passphrase> {
    let shown = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let token = shown.strip_prefix("Bearer ")?;
    Some(Passphrase::new(token.to_owned()))
}

const DEFAULT_WAIT: u64 = 60;

fn wait_time(seconds: Option<u64>) -> Duration {
    // A day is longer than anybody waits, and adding it to a clock cannot fail.
    Duration::from_secs(seconds.unwrap_or(DEFAULT_WAIT).min(86_400))
}

fn installation() -> Vec<Route> {
    vec![
        Status::by(|handle, _| async move { handle.status().await }),
        Shutdown::by(|handle, _| async move {
            handle.stop();
            Ok(view::Stopping { stopping: true })
        }),
        Doctor::by(|handle, _| async move { handle.doctor().await }),
        Switches::by(|handle, _| async move { handle.switches() }),
        Switch::by(|handle, asked| async move { handle.switch(&asked.path) }),
        SetSwitch::by(|handle, asked| async move {
            handle.set_switch(&asked.path, &asked.body.value).await
        }),
        Profiles::by(|handle, _| async move { Ok(handle.profiles()) }),
        CreateProfile::by(
            |handle, asked| async move { handle.create_profile(&asked.body.name).await },
        ),
        DeleteProfile::by(|handle, asked| async move { handle.delete_profile(&asked.path).await }),
        HideProfile::by(|handle, asked| async move { handle.hide_profile(&asked.body).await }),
        HideExisting::by(|handle, asked| async move {
            handle.hide_existing(&asked.path, &asked.body).await
        }),
        OpenProfile::by(|handle, asked| async move { handle.open_profile(&asked.body).await }),
        BackUp::by(
            |handle, asked| async move { handle.back_up(asked.profile(), &asked.body).await },
        ),
        Restore::by(|handle, asked| async move { handle.restore(&asked.body).await }),
        Servers::by(|handle, asked| async move {
            handle.servers(asked.profile(), asked.query.passwords)
        }),
        AddServer::by(|handle, asked| async move {
            let address = &asked.body.address;
            match asked.body.unchecked {
                true => handle.add_server_unchecked(asked.profile(), address).await,
                false => handle.add_server(asked.profile(), address).await,
            }
        }),
        RemoveServer::by(|handle, asked| async move {
            let address = &asked.query.address;
            handle.remove_server(asked.profile(), address).await
        }),
        TestServers::by(|handle, asked| async move {
            handle.test_servers(asked.body.address.as_deref()).await
        }),
    ]
}

fn meeting() -> Vec<Route> {
    vec![
        Invite::by(|handle, asked| async move {
            let InviteBody {
                reusable,
                group,
                open,
            } = &asked.body;
            let profile = asked.profile();
            match group {
                Some(group) => {
                    handle
                        .invite_to_group(profile, group, *reusable, *open)
                        .await
                }
                None if *open => Err(Error::new(
                    ErrorKind::Usage,
                    "only a link into a group can be open",
                )),
                None => handle.invite(profile, *reusable).await,
            }
        }),
        Invitations::by(|handle, asked| async move { handle.invitations(asked.profile()).await }),
        RevokeInvitation::by(|handle, asked| async move {
            let revoked = asked.path;
            handle.revoke_invitation(asked.profile(), revoked).await?;
            Ok(view::Revoked { revoked })
        }),
        Join::by(|handle, asked| async move {
            let body = &asked.body;
            let (enters, wait) = (body.enter_group, body.wait);
            let limit = wait_time(body.timeout);
            let profile = asked.profile();
            handle
                .open_link(profile, &body.link, enters, wait, limit)
                .await
        }),
        Requests::by(|handle, asked| async move { handle.requests(asked.profile()).await }),
        Introduce::by(|handle, asked| async move {
            let about = asked.body.clone();
            let profile = asked.profile();
            handle
                .introduce(profile, &about.one, &about.other, about.word)
                .await
        }),
        Introductions::by(
            |handle, asked| async move { handle.introductions(asked.profile()).await },
        ),
        AcceptIntroduction::by(|handle, asked| async move {
            handle
                .accept_introduction(asked.profile(), asked.path)
                .await
        }),
        RefuseIntroduction::by(|handle, asked| async move {
            let refused = asked.path;
            handle.refuse_introduction(asked.profile(), refused).await?;
            Ok(view::Refused { refused })
        }),
        AcceptRequest::by(|handle, asked| async move {
            handle.accept_request(asked.profile(), asked.path).await
        }),
        RefuseRequest::by(|handle, asked| async move {
            let refused = asked.path;
            handle.refuse_request(asked.profile(), refused).await?;
            Ok(view::Refused { refused })
        }),
    ]
}

fn groups() -> Vec<Route> {
    vec![
        FoundGroup::by(|handle, asked| async move {
            handle.found_group(asked.profile(), &asked.body.name).await
        }),
        FoundChannel::by(|handle, asked| async move {
            handle
                .found_channel(asked.profile(), &asked.body.name)
                .await
        }),
        Groups::by(|handle, asked| async move { handle.groups(asked.profile()).await }),
        OneGroup::by(
            |handle, asked| async move { handle.group(asked.profile(), &asked.path).await },
        ),
        AddToGroup::by(|handle, asked| async move {
            let who = &asked.body.who;
            handle.add_to_group(asked.profile(), &asked.path, who).await
        }),
        RemoveFromGroup::by(|handle, asked| async move {
            let (name, who) = (&asked.path, &asked.body.who);
            handle.remove_from_group(asked.profile(), name, who).await
        }),
        RenameGroup::by(|handle, asked| async move {
            let (name, new_name) = (&asked.path, &asked.body.name);
            handle.rename_group(asked.profile(), name, new_name).await
        }),
        SetGroupAvatar::by(|handle, asked| async move {
            let (name, body) = (&asked.path, &asked.body);
            handle.set_group_avatar(asked.profile(), name, body).await
        }),
        GroupAvatar::by(|handle, asked| async move {
            handle.group_avatar(asked.profile(), &asked.path).await
        }),
        SetSteward::by(|handle, asked| async move {
            let (name, who, on) = (&asked.path, &asked.body.who, asked.body.on);
            handle.set_steward(asked.profile(), name, who, on).await
        }),
        BeHerald::by(|handle, asked| async move {
            let (name, on) = (&asked.path, asked.body.on);
            handle.be_herald(asked.profile(), name, on).await
        }),
        SetHerald::by(|handle, asked| async move {
            let (name, who, on) = (&asked.path, &asked.body.who, asked.body.on);
            handle.set_herald(asked.profile(), name, who, on).await
        }),
        SetGroupHistory::by(|handle, asked| async move {
            let (name, on) = (&asked.path, asked.body.on);
            handle.set_group_history(asked.profile(), name, on).await
        }),
        LeaveGroup::by(|handle, asked| async move {
            handle.leave_group(asked.profile(), &asked.path).await
        }),
        ForgetGroup::by(|handle, asked| async move {
            handle.forget_group(asked.profile(), &asked.path).await
        }),
        AcceptGroup::by(|handle, asked| async move {
            handle.accept_group(asked.profile(), asked.path).await
        }),
        RefuseGroup::by(|handle, asked| async move {
            let refused = asked.path;
            handle.refuse_group(asked.profile(), refused).await?;
            Ok(view::Refused { refused })
        }),
    ]
}

fn lists() -> Vec<Route> {
    vec![
        NewList::by(|handle, asked| async move {
            handle.new_list(asked.profile(), &asked.body.name).await
        }),
        Lists::by(|handle, asked| async move { handle.lists(asked.profile()).await }),
        OneList::by(|handle, asked| async move { handle.list(asked.profile(), &asked.path).await }),
        AddToList::by(|handle, asked| async move {
            let who = &asked.body.who;
            handle.add_to_list(asked.profile(), &asked.path, who).await
        }),
        RemoveFromList::by(|handle, asked| async move {
            let who = &asked.body.who;
            handle
                .remove_from_list(asked.profile(), &asked.path, who)
                .await
        }),
        DeleteList::by(|handle, asked| async move {
            handle.delete_list(asked.profile(), &asked.path).await
        }),
        PostToList::by(|handle, asked| async move {
            let text = asked.body.text.clone();
            handle
                .post_to_list(asked.profile(), &asked.path, text)
                .await
        }),
    ]
}

fn devices() -> Vec<Route> {
    vec![
        Devices::by(|handle, asked| async move { handle.devices(asked.profile()).await }),
        ShowDevice::by(|handle, asked| async move {
            handle.show_device(asked.profile(), &asked.body.name).await
        }),
        CallDevice::by(|handle, asked| async move {
            let (link, name) = (&asked.body.link, &asked.body.name);
            handle.call_device(asked.profile(), link, name).await
        }),
        ConfirmDevice::by(|handle, asked| async move {
            handle
                .confirm_device(asked.profile(), &asked.body.code, asked.body.history_days)
                .await
        }),
        RevokeDevice::by(|handle, asked| async move {
            handle.revoke_device(asked.profile(), &asked.path).await
        }),
    ]
}

fn contacts() -> Vec<Route> {
    vec![
        OneContact::by(|handle, asked| async move {
            handle.contact(asked.profile(), &asked.path).await
        }),
        Contacts::by(|handle, asked| async move { handle.contacts(asked.profile()).await }),
        Safety::by(
            |handle, asked| async move { handle.safety(asked.profile(), &asked.path).await },
        ),
        Verify::by(|handle, asked| async move {
            let number = asked.body.number.clone();
            handle.verify(asked.profile(), &asked.path, number).await
        }),
        MyProfile::by(|handle, asked| async move { handle.my_profile(asked.profile()).await }),
        SetProfile::by(|handle, asked| async move {
            handle.set_profile(asked.profile(), &asked.body).await
        }),
        Avatar::by(
            |handle, asked| async move { handle.avatar(asked.profile(), &asked.path).await },
        ),
        Rename::by(|handle, asked| async move {
            let (name, new_name) = (&asked.path, &asked.body.name);
            handle.rename(asked.profile(), name, new_name).await
        }),
        Mode::by(|handle, asked| async move { handle.mode(asked.profile(), &asked.path).await }),
        SetMode::by(|handle, asked| async move {
            let mode = asked.body.mode;
            handle.set_mode(asked.profile(), &asked.path, mode).await
        }),
        Rotate::by(
            |handle, asked| async move { handle.rotate(asked.profile(), &asked.path).await },
        ),
    ]
}

fn messages() -> Vec<Route> {
    vec![
        ReadMessages::by(|handle, asked| async move {
            handle
                .read(asked.profile(), &asked.path, asked.query.n)
                .await
        }),
        SendMessage::by(|handle, asked| async move {
            let asked_for = &asked.body;
            if asked_for.wait.is_none() && asked_for.timeout.is_some() {
                let message = "`timeout` says how long to `wait`, which is not asked for";
                return Err(Error::new(ErrorKind::Usage, message));
            }
            let wait = (asked_for.wait).map(|stage| (stage, wait_time(asked_for.timeout)));
            let outgoing = Outgoing {
                to: asked_for.to.clone(),
                text: asked_for.text.clone(),
                reply_to: asked_for.reply_to.clone(),
            };
            handle.send(asked.profile(), outgoing, wait).await
        }),
        WhereMessage::by(|handle, asked| async move {
            handle.locate(asked.profile(), &asked.path).await
        }),
        ProveMessage::by(|handle, asked| async move {
            handle.prove(asked.profile(), &asked.path).await
        }),
        EditMessage::by(|handle, asked| async move {
            let text = asked.body.text.clone();
            handle.edit(asked.profile(), &asked.path, text).await
        }),
        React::by(|handle, asked| async move {
            let mark = asked.body.reaction.clone();
            handle.react(asked.profile(), &asked.path, mark).await
        }),
        DeleteMessage::by(|handle, asked| async move {
            handle.delete(asked.profile(), &asked.path).await
        }),
        Events::by_stream(|handle, asked| handle.events(asked.profile())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_that_is_declared_is_answered_once() {
        let mut declared: Vec<&str> = ALL.iter().map(|call| call.name).collect();
        let mut answered: Vec<&str> = ROUTES.iter().map(|route| route.call.name).collect();
        declared.sort_unstable();
        answered.sort_unstable();
        assert_eq!(answered, declared);
    }
}
