#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A machine without QEMU: its network card is a TAP of this namespace, its other end speaks as
QEMU's -netdev stream does, or -netdev dgram.

    vm.py stream SOCKET TAP MAC [chopped]    frames in pieces, each write another
    vm.py datagram SOCKET OWN-SOCKET TAP MAC
    vm.py garbage SOCKET                     a length that no frame has; prints what becomes of it
    vm.py refused SOCKET                     succeeds if the connection is closed at once

The stream connects again when it is closed, as QEMU does with reconnect=1.
"""
import fcntl
import os
import select
import socket
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 2, 0x1000


def tap_open(name, mac):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    os.system(f"ip link set {name} address {mac} up")
    return fd


def connect(path):
    while True:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            peer.connect(path)
            return peer
        except OSError:
            peer.close()
            time.sleep(0.05)


def send_chopped(peer, data):
    """Lengths, headers and payloads each in two."""
    for cut in (2, 4, 9, 18, 300):
        if len(data) > cut:
            peer.sendall(data[:cut])
            data = data[cut:]
    peer.sendall(data)


def stream(path, name, mac, chopped=None):
    tap = tap_open(name, mac)
    send = send_chopped if chopped else socket.socket.sendall
    while True:
        peer = connect(path)
        print("connected", flush=True)
        held = b""
        while True:
            ready = select.select([tap, peer], [], [])[0]
            if tap in ready:
                frame = os.read(tap, 65536)
                try:
                    send(peer, struct.pack(">I", len(frame)) + frame)
                except OSError:
                    break
            if peer in ready:
                data = peer.recv(65536)
                if not data:
                    break
                held += data
                while len(held) >= 4:
                    length = struct.unpack(">I", held[:4])[0]
                    if len(held) < 4 + length:
                        break
                    os.write(tap, held[4 : 4 + length])
                    held = held[4 + length :]
        peer.close()


def datagram(path, own, name, mac):
    tap = tap_open(name, mac)
    if os.path.exists(own):
        os.unlink(own)
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    peer.bind(own)
    print("connected", flush=True)
    while True:
        ready = select.select([tap, peer], [], [])[0]
        if tap in ready:
            peer.sendto(os.read(tap, 65536), path)
        if peer in ready:
            os.write(tap, peer.recv(65536))


def garbage(path):
    peer = connect(path)
    peer.sendall(struct.pack(">I", 0x7FFFFFFF) + b"x" * 100)
    print("closed" if peer.recv(1) == b"" else "answered")


def refused(path):
    peer = connect(path)
    peer.settimeout(5)
    try:
        sys.exit(peer.recv(1) != b"")
    except ConnectionError:
        pass


{"stream": stream, "datagram": datagram, "garbage": garbage, "refused": refused}[sys.argv[1]](
    *sys.argv[2:]
)
