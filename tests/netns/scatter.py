# SPDX-License-Identifier: BSD-2-Clause
"""scatter: UDP datagrams in fragments that are sent in every order.

    scatter.py echo ADDRESS            what comes to port 7 goes back, its fragments shuffled
    scatter.py ask OWN ADDRESS         ask that echo, with the fragments in each of their orders
"""
import itertools
import os
import random
import socket
import struct
import sys

SIZE, PIECE = 3000, 1200  # bytes of a datagram, of a fragment's payload: three fragments
PORT = 7


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def udp(family, source, sport, destination, dport, payload):
    length = 8 + len(payload)
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    pseudo = ends + struct.pack("!IxxxB", length, socket.IPPROTO_UDP)
    header = struct.pack("!HHHH", sport, dport, length, 0)
    return header[:6] + struct.pack("!H", checksum(pseudo + header + payload)) + payload


def fragments(family, source, destination, datagram):
    """The IP packets that carry the datagram, in order."""
    number = random.getrandbits(16)
    for offset in range(0, len(datagram), PIECE):
        part = datagram[offset : offset + PIECE]
        more = offset + PIECE < len(datagram)
        ends = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
        if family == socket.AF_INET:
            yield struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(part), number,
                              more << 13 | offset >> 3, 64, 17, 0) + ends + part
        else:
            yield struct.pack("!IHBB", 6 << 28, 8 + len(part), 44, 64) + ends + struct.pack(
                "!BBHI", 17, 0, offset | more, number) + part


def raw(family):
    s = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, 36, 1)  # IPV6_HDRINCL
    return s


def echo(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    out = raw(family)
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.bind((address, PORT))
        while True:
            payload, peer = s.recvfrom(65536)
            parts = list(fragments(family, address, peer[0],
                                   udp(family, address, PORT, peer[0], peer[1], payload)))
            random.shuffle(parts)
            for part in parts:
                out.sendto(part, (peer[0], 0))


def ask(own, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    out = raw(family)
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.bind((own, 0))
        s.settimeout(3)
        sport = s.getsockname()[1]
        for order in itertools.permutations(range(-(-(SIZE + 8) // PIECE))):
            payload = os.urandom(SIZE)
            parts = list(fragments(family, own, address,
                                   udp(family, own, sport, address, PORT, payload)))
            for i in order:
                out.sendto(parts[i], (address, 0))
            if s.recv(65536) != payload:
                sys.exit(f"order {order}: it came back changed")


if sys.argv[1] == "echo":
    echo(sys.argv[2])
else:
    ask(sys.argv[2], sys.argv[3])
