"""The desktop's notifications, on the session bus that the environment names: a real program on a real D-Bus.

    python -m tests.fakes.notification_daemon [--click]

Prints `ready`, then one JSON object for each notification. With `--click` each is clicked at once.
"""

from __future__ import annotations

import json
import sys

from jeepney import HeaderFields, MessageType, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection
from jeepney.low_level import Message
from jeepney.wrappers import DBusAddress

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"


def main() -> None:
    connection = open_dbus_connection(bus="SESSION")
    connection.send_and_get_reply(message_bus.RequestName(NAME))
    print("ready", flush=True)
    number = 0
    while True:
        message: Message = connection.receive()
        fields = message.header.fields
        if message.header.message_type is not MessageType.method_call or fields[HeaderFields.member] != "Notify":
            continue
        number += 1
        application, _, icon, title, body, actions, hints, _ = message.body
        connection.send(new_method_return(message, "u", (number,)))
        shown = {"application": application, "icon": icon, "title": title, "body": body, "actions": actions}
        print(json.dumps({**shown, "entry": hints["desktop-entry"][1]}), flush=True)
        if "--click" in sys.argv:
            emitter = DBusAddress(PATH, interface=NAME)
            connection.send(new_signal(emitter, "ActionInvoked", "us", (number, "default")))


main()
