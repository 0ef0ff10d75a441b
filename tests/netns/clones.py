#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many machines that are copies of one, each in a namespace c1, c2 ... of its own, in one process.

    clones.py COUNT ADDRESS/LENGTH GATEWAY SERVER DIRECTORY

Each configures its eth0, and all of them at the same time, from the same address and port, ask the
server for /N, which must be what DIRECTORY/N has.  Prints how many were served.
"""
import ctypes
import fcntl
import ipaddress
import os
import select
import socket
import struct
import sys
import time

SIOCADDRT, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x890B, 0x8914, 0x8916, 0x891C
IFF_UP, RTF_UP, RTF_GATEWAY = 1, 1, 2
SECONDS = 30

libc = ctypes.CDLL(None, use_errno=True)


def address_of(text):
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))


def enter(name):
    with open(f"/run/netns/{name}", "rb") as namespace:
        if libc.setns(namespace.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), name)


def configure(address, mask, gateway):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, mask)):
            fcntl.ioctl(control, request, struct.pack("16s16s", b"eth0", address_of(value)))
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"eth0", IFF_UP))
        nothing = address_of("0.0.0.0")
        route = struct.pack(
            "Q16s16s16sHh4xQPh6xPQQH6x",
            *(0, nothing, address_of(gateway), nothing, RTF_UP | RTF_GATEWAY, 0),
            *(0, 0, 0, 0, 0, 0, 0),
        )
        fcntl.ioctl(control, SIOCADDRT, route)


class Machine:
    def __init__(self, number, server):
        enter(f"c{number}")
        self.number = number
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind(("0.0.0.0", 40000))
        self.socket.connect_ex((server, 80))
        self.asked = False
        self.answer = b""

    def step(self):
        """False when the answer is complete, or there is none."""
        try:
            if not self.asked:
                self.socket.sendall(f"GET /{self.number} HTTP/1.0\r\n\r\n".encode())
                self.asked = True
                return True
            data = self.socket.recv(65536)
        except OSError as error:
            print(f"machine {self.number}: {error}", file=sys.stderr)
            return False
        self.answer += data
        return data != b""

    def is_served(self, directory):
        with open(f"{directory}/{self.number}", "rb") as file:
            return self.answer.partition(b"\r\n\r\n")[2] == file.read()


def main(count, interface, gateway, server, directory):
    interface = ipaddress.ip_interface(interface)
    numbers = range(1, int(count) + 1)
    for number in numbers:
        enter(f"c{number}")
        configure(str(interface.ip), str(interface.netmask), gateway)
    machines = [Machine(number, server) for number in numbers]
    waiting = {machine.socket.fileno(): machine for machine in machines}
    deadline = time.monotonic() + SECONDS
    while waiting and time.monotonic() < deadline:
        asking = [fd for fd, machine in waiting.items() if not machine.asked]
        told = [fd for fd, machine in waiting.items() if machine.asked]
        readable, writable, _ = select.select(told, asking, [], 1)
        for fd in readable + writable:
            if not waiting[fd].step():
                del waiting[fd]
    print(sum(machine.is_served(directory) for machine in machines))


main(*sys.argv[1:6])
