"""Ports of loopback for those who are told beforehand where to listen."""

import socket


def held_port() -> socket.socket:
    """A port that one may listen on again and again, and that nobody else is given until the
    socket returned is closed: bound but never listening, which Linux lets a listener share."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def number_of(holder: socket.socket) -> int:
    number: int = holder.getsockname()[1]
    return number
