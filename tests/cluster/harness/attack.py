"""What a stranger, or a member that was taken over, does to a node's door:
attack.py KIND HOST PORT SECONDS CERTIFICATES. It prints how often it has."""
import json
import os
import select
import socket
import ssl
import sys
import time

MOST = 200  # connections at once
SENT = {}  # how much of its hello each has sent


def connect(host, port):
    return socket.create_connection((host, port), 1)


def nothing(*_):
    time.sleep(0.1)


def flood(host, port, *_):
    connect(host, port).close()


def garbage(host, port, held, *_):
    stranger = connect(host, port)
    stranger.send(os.urandom(4096))
    held.append(stranger)


def silence(host, port, held, *_):
    if len(held) == MOST:
        time.sleep(0.1)
    else:
        held.append(connect(host, port))


def slow_handshake(host, port, held, *_):
    """A byte of a ClientHello after the other, on all that are open."""
    if len(held) < MOST:
        held.append(connect(host, port))
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    for stranger in list(held):
        try:
            at = SENT[stranger] = SENT.get(stranger, -1) + 1
            stranger.send(hello[at % len(hello):][:1])
        except OSError:
            held.remove(stranger)
            stranger.close()
    time.sleep(0.05)


def as_member(host, port, certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(f"{certificates}/ca.pem")
    context.load_cert_chain(f"{certificates}/evil.pem", f"{certificates}/evil.key")
    context.set_alpn_protocols(["troupe-node"])
    return context.wrap_socket(connect(host, port))


def oversized_greeting(host, port, _, certificates):
    with as_member(host, port, certificates) as member:
        member.sendall(b"\x7f\xff\xff\xff" + b"x" * 65536)
        member.recv(1)
    time.sleep(0.05)  # slower than the door lets strangers in


def oversized_frame(host, port, _, certificates):
    with as_member(host, port, certificates) as member:
        greeting = json.dumps({"protocol": 2, "version": "0.1.0", "name": "evil", "incarnation": time.time_ns(), "address": f"{host}:1"}).encode()
        member.sendall(len(greeting).to_bytes(4, "big") + greeting)
        answer = member.recv(int.from_bytes(member.recv(4), "big"))
        if b'"token"' not in answer:
            raise SystemExit(f"not let in: {answer}")
        member.sendall(b"\x00\x00\x00\x00\xff\xff\xff\xff" + bytes(24) + b"x" * 65536)
        while member.recv(65536):
            pass
    time.sleep(0.05)


def main():
    kind, host, port, seconds, certificates = sys.argv[1:]
    attack, held, times = globals()[kind], [], 0
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        try:
            attack(host, int(port), held, certificates)
            times += 1
        except OSError:
            select.select([], [], [], 0.001)
        if len(held) > MOST:
            held.pop(0).close()
    print(times)


main()
