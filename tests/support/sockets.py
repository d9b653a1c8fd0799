"""Reading a WebSocket to its end, as the server ends it."""

from __future__ import annotations

import websocket


def next_message(socket: websocket.WebSocket) -> tuple[int, bytes]:
    """(opcode, data). Unlike `recv_data` a close is not answered: a server that throws somebody out does not wait for that."""
    while True:
        frame = socket.recv_frame()
        if frame.opcode != websocket.ABNF.OPCODE_PING:
            return frame.opcode, frame.data
        socket.pong(frame.data)


def closing_code(socket: websocket.WebSocket) -> int:
    """The code with which the server closes it."""
    while True:
        opcode, data = next_message(socket)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big")
