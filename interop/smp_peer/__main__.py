"""Talks to a server: `python -m smp_peer ADDRESS VERSION`. Says what it tried;
the first thing that is not as specified ends it with a failure."""

import argparse
import hashlib
import os

from .crypto import Authenticator, Ed448Signer, Signer
from .encoding import Reader, short
from .queue import Queue, body_limit, deleted, send, subscribed
from .session import Address, Closed, Command, Session

ALL = range(8, 19)


def offers(address, version):
    with Session(address, version) as session:
        assert (session.lowest, session.highest) == (ALL[0], ALL[-1])
        answer = session.ask(Command(b"PING"))
        assert (answer.entity, answer.text) == (b"", b"PONG")
        answer = session.ask(Command(b"HELLO"))
        assert answer.text == b"ERR CMD UNKNOWN"


def may_do_without_a_key(address, version):
    with Session(address, version, agree=False) as session:
        assert session.ask(Command(b"PING")).text == b"PONG"


def refuses_another_fingerprint(address, version):
    try:
        with Session(address, version, fingerprint=bytes(32)) as session:
            session.call(Command(b"PING"))
    except Closed:
        return
    raise AssertionError("the server serves under another's identity")


def secure(owner, sender, queue, key):
    """The sender's key is put in, by whom the version lets."""
    if sender.version >= 9:
        answer = sender.ask(Command(b"SKEY " + short(key.public), queue.sender, key))
    else:
        answer = owner.ask(queue.command(b"KEY " + short(key.public)))
    assert answer.text == b"OK", answer


def carries_messages(address, version, recipient_key, sender_key):
    limit = body_limit(version)
    with Session(address, version) as first, Session(address, version) as sender:
        queue, key = Queue(first, recipient_key()), sender_key()
        secure(first, sender, queue, key)
        for refused in (None, sender_key()):
            assert sender.ask(send(queue, b"no", refused)).text == b"ERR AUTH"
        bodies = [os.urandom(limit), b"", b"short"]
        answers = [sender.ask(send(queue, body, key)) for body in bodies]
        assert {(a.entity, a.text) for a in answers} == {(queue.sender, b"OK")}
        too_long = sender.ask(send(queue, bytes(limit + 1), key))
        assert too_long.text == b"ERR LARGE_MSG", too_long
        pushed = queue.read(first.event())
        assert (pushed.notify, pushed.body) == (True, bodies[0])
        with Session(address, version) as second:
            second_takes_over(first, second, queue, pushed, bodies[1:])


def second_takes_over(first, second, queue, pushed, later):
    answer = second.ask(queue.command(b"SUB"))
    assert (answer.entity, answer.text) == (queue.recipient, subscribed(second.version))
    again = queue.read(second.event())
    assert (again.id, again.sealed) == (pushed.id, pushed.sealed), "redelivered as it was"
    gone = first.event()
    assert (gone.entity, gone.text) == (queue.recipient, b"END"), gone
    assert first.ask(ack(queue, pushed)).text == b"ERR NO_MSG"
    for body in later:
        pushed = queue.read(second.ask(ack(queue, pushed)))
        assert pushed.body == body
    assert second.ask(ack(queue, pushed)).text == b"OK"
    assert second.ask(ack(queue, pushed)).text == b"ERR NO_MSG"
    assert first.ask(queue.command(b"DEL")).text == b"OK"
    gone = second.event()
    assert (gone.entity, gone.text) == (queue.recipient, deleted(second.version)), gone


def ack(queue, message):
    return queue.command(b"ACK " + short(message.id))


def answers_a_batch(address, version):
    """One block with 255 commands; one of them is none."""
    with Session(address, version) as session:
        commands = [Command(b"PING") for _ in range(255)]
        commands[100] = Command(b"SUB=")
        texts = [answer.text for answer in session.call(*commands)]
        assert texts.pop(100) == b"ERR CMD UNKNOWN"
        assert set(texts) == {b"PONG"}


def keeps_link_data(address, version):
    correlation, fixed, user = os.urandom(24), os.urandom(2_048), os.urandom(13_824)
    sender = hashlib.sha3_384(correlation).digest()[:24]
    link = os.urandom(24), sender, fixed, user
    with Session(address, version) as owner, Session(address, version) as reader:
        queue = Queue(owner, Signer(), link, correlation)
        assert (queue.link, queue.sender) == (link[0], sender)
        answer = reader.ask(Command(b"LGET", queue.link))
        found = Reader(answer.text)
        found.literal(b"LNK ")
        assert (found.short(), found.big(), found.big()) == (sender, fixed, user)
        found.end()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("address", type=Address.parse)
    arguments.add_argument("version", type=int, choices=ALL)
    given = arguments.parse_args()
    checks = [
        (offers,),
        (may_do_without_a_key,),
        (refuses_another_fingerprint,),
        (carries_messages, Signer, Signer),
        (carries_messages, Authenticator, Authenticator),
        (carries_messages, Ed448Signer, Authenticator),
        (answers_a_batch,),
    ]
    if given.version >= 15:
        checks.append((keeps_link_data,))
    for check, *kinds in checks:
        said = " ".join([check.__name__.replace("_", " "), *(kind.__name__ for kind in kinds)])
        print(said, flush=True)
        check(given.address, given.version, *kinds)
    print("ok")


if __name__ == "__main__":
    main()
