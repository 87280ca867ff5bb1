"""A connection to a broker, with its user, its certificate and deadlines."""

from __future__ import annotations

import socket
import ssl
import struct
from urllib.parse import urlsplit

from aiomqtt import Client, ProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.errors import HomeError
from edge.home.connections import Connection
from edge.home.mqtt.things import Message

_KEEPALIVE_S = 5
_WITHIN_S = 5.0
_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)
"""What the network has not taken when the connection ends is forgotten, so that nothing arrives late; no packet waits
for the next, which takes 40 ms."""


def broker(connection: Connection, protocol: ProtocolVersion) -> Client:
    """A client for ``async with``.

    Raises:
        HomeError: the certificate cannot be read.
    """
    address, secure = urlsplit(connection.url), connection.url.startswith("mqtts:")
    try:
        context = ssl.create_default_context(cafile=connection.certificate) if secure else None
    except OSError as error:
        raise HomeError(f"the certificate {connection.certificate} cannot be read: {error.strerror}") from error
    return Client(
        address.hostname or "",
        address.port or (8883 if secure else 1883),
        username=connection.user or None,
        password=connection.password or None,
        protocol=protocol,
        tls_context=context,
        keepalive=_KEEPALIVE_S,
        timeout=_WITHIN_S,
        socket_options=_OPTIONS,
    )


async def publish(client: Client, message: Message, expires_s: float, within_s: float) -> None:
    """Publish a command that the broker drops when it cannot deliver it in time; returns when the broker has it.

    Raises:
        MqttError: the broker did not take it in time.
    """
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = max(1, round(expires_s))
    await client.publish(message.topic, message.payload, qos=1, properties=properties, timeout=within_s)
