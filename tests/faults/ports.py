"""Ports that stay free while a gateway is dead."""
import itertools
import os
import socket
import threading

# Below those that the kernel gives to whoever connects: a port must still be free after a kill.
FIRST_PORT, LAST_PORT = 20000, 32000
_ports = itertools.cycle(range(FIRST_PORT, LAST_PORT))
_choosing = threading.Lock()


def free_address():
    """One that nobody uses now and that nobody here was given."""
    with _choosing:
        while True:
            address = "127.0.0.1", next(_ports)
            if is_free(address):
                return "%s:%d" % address


def is_free(address):
    with socket.socket() as probe:
        try:
            probe.bind(address)
        except OSError:
            return False
        return True


# Two runs at a time begin at different ports.
for _ in range(os.getpid() * 101 % (LAST_PORT - FIRST_PORT)):
    next(_ports)
