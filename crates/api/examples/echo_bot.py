#!/usr/bin/env python3
"""A bot that answers every text with the same text, over the bare socket.

    python3 echo_bot.py HOME [PROFILE]

It takes in everybody who asks, and may be stopped and started at will, as may
the daemon: what was said meanwhile is answered afterwards, and nothing twice.
It keeps nothing for that. An answer names the message it answers, so the
conversation itself says what is answered: of the last 1,000 messages of each.

The calls are described in docs/openapi.json. Only Python 3 itself is needed.
Do not let two such bots meet: each would answer the other for ever.
"""

import http.client
import json
import socket
import sys
import time
from urllib.parse import quote, urlencode

HISTORY = 1000


class Refused(Exception):
    """The daemon answered with an error."""


class OverSocket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


class Api:
    def __init__(self, home, profile=None):
        self.path = f"{home}/api.sock"
        self.profile = {"profile": profile} if profile else {}

    def open(self, method, *segments, body=None, **query):
        path = "/v1/" + "/".join(quote(segment, safe="") for segment in segments)
        query = urlencode({**query, **self.profile}, quote_via=quote)
        connection = OverSocket(self.path)
        sent = None if body is None else json.dumps(body)
        connection.request(method, f"{path}?{query}", sent)
        answer = connection.getresponse()
        if answer.status != 200:
            error = json.load(answer)["error"]
            raise Refused(f"{error['kind']}: {error['message']}")
        return answer

    def get(self, *segments, **query):
        return json.load(self.open("GET", *segments, **query))

    def post(self, *segments, body):
        return json.load(self.open("POST", *segments, body=body))

    def events(self):
        for line in self.open("GET", "events"):
            yield json.loads(line)


class Bot:
    def __init__(self, api):
        self.api = api
        self.answered = set()
        self.contacts = {}

    def follow(self):
        """Until the daemon ends the stream."""
        # What happens is listened to before the past is read, so that nothing
        # falls between the two.
        for event in self.api.events():
            kind = event["event"]
            if kind in ("watching", "missed"):
                self.catch_up()
            elif kind == "message":
                self.hear(event)
            elif kind == "request":
                self.accept(event)

    def catch_up(self):
        for request in self.api.get("requests"):
            self.accept(request)
        self.meet()
        for contact in list(self.contacts.values()):
            said = self.api.get("conversations", contact, "messages", n=HISTORY)
            self.answered.update(message["reply_to"] for message in said)
            for message in said:
                self.hear(message)

    def meet(self):
        for contact in self.api.get("contacts"):
            if contact["state"] == "connected":
                self.contacts[contact["conversation"]] = contact["contact"]

    def accept(self, request):
        self.attempt("requests", str(request["request"]), "accept", body={})

    def hear(self, message):
        if message["state"] != "received":
            self.answered.add(message["reply_to"])
            return
        if message["id"] in self.answered or not message["text"]:
            return
        if message["conversation"] not in self.contacts:
            self.meet()
        to = self.contacts.get(message["conversation"])
        if to is None:
            return
        answer = {"to": to, "text": message["text"], "reply_to": message["id"]}
        if self.attempt("messages", body=answer):
            self.answered.add(message["id"])

    def attempt(self, *segments, body):
        """One call that is refused must not silence the bot for all others."""
        try:
            return self.api.post(*segments, body=body)
        except Refused as error:
            print(f"echo_bot: {error}", file=sys.stderr)
            return None


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    while True:
        try:
            Bot(Api(*sys.argv[1:])).follow()
        except (OSError, http.client.HTTPException, ValueError, Refused) as error:
            print(f"echo_bot: {error}; trying again", file=sys.stderr)
        time.sleep(0.5)


if __name__ == "__main__":
    main()
