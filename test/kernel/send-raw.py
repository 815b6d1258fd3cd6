"""Sends UDP packets with any addresses: one line of stdin a packet, `DEVICE DST_MAC SRC DST DPORT`."""
import ipaddress
import socket
import struct
import sys


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


for line in sys.stdin:
    device, mac, src, dst, dport = line.split()
    source, target = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    udp = struct.pack("!HHHH", 9, int(dport), 8, 0)
    if source.version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0) + source.packed + target.packed
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        kind = 0x0800
    else:
        pseudo = source.packed + target.packed + struct.pack("!II", 8, 17)
        udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp))
        head = struct.pack("!IHBB", 0x60000000, 8, 17, 64) + source.packed + target.packed
        kind = 0x86DD
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((device, kind))
        s.send(bytes.fromhex(mac.replace(":", "")) + b"\x02\0\0\0\0\1" + struct.pack("!H", kind) + head + udp)
