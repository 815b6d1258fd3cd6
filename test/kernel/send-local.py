"""Sends packets from this namespace to itself, one at a time, and tells which rules of chain T each one met.

stdin: one JSON object a packet; stdout: for each packet its counters, in the order of the rules, as a line of 0 and 1.
"""
import json
import socket
import struct
import subprocess
import sys

PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "gre": 47, "icmp": 1, "icmpv6": 58}
prefix = sys.argv[1]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def send(p):
    family = socket.AF_INET6 if ":" in p["src"] else socket.AF_INET
    kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}.get(p["proto"], socket.SOCK_RAW)
    with socket.socket(family, kind, PROTOCOLS[p["proto"]]) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, struct.pack("=I", p["mark"]))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, p["ttl"])
        else:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, p["ttl"])
        s.bind((p["src"], p.get("sport", 0) if kind != socket.SOCK_RAW else 0))
        s.setblocking(False)
        target = (p["dst"], p.get("dport", 0) if kind != socket.SOCK_RAW else 0)
        if p["proto"] == "tcp":
            s.connect_ex(target)
            return
        data = b"\0" * p["payload"]
        if p["proto"] == "sctp":
            data = struct.pack("!HHII", p["sport"], p["dport"], 0, 0) + data
        elif p["proto"] == "icmp":
            data = struct.pack("!BBHI", p["type"], p["code"], 0, 0) + data
            data = data[:2] + struct.pack("!H", checksum(data)) + data[4:]
        elif p["proto"] == "icmpv6":
            data = struct.pack("!BBHI", p["type"], p["code"], 0, 0) + data
        s.sendto(data, target)


for line in sys.stdin:
    subprocess.run([prefix, "-Z", "T"], check=True)
    send(json.loads(line))
    rules = subprocess.run([prefix, "-v", "-S", "T"], check=True, capture_output=True, text=True).stdout.splitlines()
    print("".join("0" if " -c 0 0" in rule else "1" for rule in rules if rule.startswith("-A")), flush=True)
