# SPDX-License-Identifier: Apache-2.0
"""The call NextDatum over a plain socket, for programs in suites: HTTP/2 by hand, as little as is needed, so that it can
also be wrong on purpose."""

import os
import socket
import struct

NEXT_DATUM = "/pachyderm.worker.Worker/NextDatum"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
LONGEST = 16384  # a frame


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def length(number):
    encoded = b""
    while number >= 128:
        encoded += bytes([128 | number & 127])
        number >>= 7
    return encoded + bytes([number])


def texts(message):
    """The values of a message that has one field with texts."""
    values = []
    while message:
        size = shift = 0
        for at, byte in enumerate(message[1:], 2):
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        values.append(message[at:at + size].decode())
        message = message[at + size:]
    return values


def request_headers(path):
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost",
              "content-type": "application/grpc", "te": "trailers"}
    return b"".join(b"\x10" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
                    for name, value in fields.items())


class Refused(Exception):
    pass


class Client:
    def __init__(self, port=None, host="localhost"):
        self.socket = socket.create_connection((host, int(port or os.environ["PPS_WORKER_GRPC_PORT"])))
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0))
        self.stream = -1

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def call(self, error="", path=NEXT_DATUM, body=None):
        """Sends a call without waiting for its answer."""
        self.stream += 2
        headers = request_headers(path)
        if body is None:
            message = b"\x0a" + length(len(error.encode())) + error.encode() if error else b""
            body = b"\0" + struct.pack(">I", len(message)) + message
        parts = [body[at:at + LONGEST] for at in range(0, len(body), LONGEST)] or [b""]
        self.socket.sendall(frame(HEADERS, END_HEADERS, self.stream, headers) + b"".join(
            frame(DATA, END_STREAM if part is parts[-1] else 0, self.stream, part) for part in parts))

    def answer(self):
        """What the next call that is answered gets: the variables, by name."""
        data = b""
        while True:
            head = self.read(9)
            kind, flags = head[3], head[4]
            payload = self.read(int.from_bytes(head[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                self.socket.sendall(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                self.socket.sendall(frame(PING, ACK, 0, payload))
            elif kind == DATA:
                data += payload
                if payload:
                    self.socket.sendall(frame(WINDOW, 0, 0, struct.pack(">I", len(payload))))
            elif kind in (RESET, GOAWAY):
                raise Refused
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                if not data:
                    raise Refused
                return dict(text.split("=", 1) for text in texts(data[5:]))

    def next_datum(self, error=""):
        self.call(error)
        return self.answer()
