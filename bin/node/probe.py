# As probe.pl, for nodes without perl: Python 3.6 and its own modules.
import errno
import select
import socket
import struct
import sys
import time

AT_ONCE = 8
GAP_S = 0.02
# linux/in.h, linux/in6.h
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, IPV6_DONTFRAG, PMTUDISC_DO = 10, 23, 62, 2
NUMBER = {'tcp': socket.IPPROTO_TCP, 'udp': socket.IPPROTO_UDP}
ICMP = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
# it was dropped on its way out, perhaps with an ICMP error right behind; other errors are an answer
DROPPED = (errno.EPERM, errno.ENOBUFS, errno.ENOKEY, errno.EDESTADDRREQ)
raw = {}
flying = []


def name(error):
    return errno.errorcode.get(error, 'E%d' % error)


def done(p, *answer):
    src, sport = '-', '-'
    try:
        src, sport = p['socket'].getsockname()[:2]
    except (KeyError, OSError):
        pass
    if p['proto'] == 'icmp':
        sport = p['sport']
    after = int((time.monotonic() - p['start']) * 1000)
    sys.stdout.write(' '.join(str(word) for word in ('result', p['id'], src, sport, after) + answer) + '\n')
    sys.stdout.flush()
    if 'socket' in p:
        p['socket'].close()
    p['over'] = True


# RFC 1071
def checksum(data):
    total = sum(struct.unpack('!%dH' % ((len(data) + 1) // 2), data + b'\0' * (len(data) % 2)))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def echo_request(p, data):
    if p['family'] == socket.AF_INET6:
        # the kernel makes the checksum
        return struct.pack('!BBHHH', 128, 0, 0, p['sport'], 1) + data
    head = struct.pack('!BBHHH', 8, 0, 0, p['sport'], 1)
    return head[:2] + struct.pack('!H', checksum(head + data)) + head[4:] + data


def hear(family):
    """Of ICMP: errors say more here than in errno, and before it."""
    if family in raw:
        return
    try:
        raw[family] = socket.socket(family, socket.SOCK_RAW, ICMP[family])
        raw[family].setblocking(False)
        raw[family].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    except OSError:
        raw[family] = None


def begin(p):
    family, proto = p['family'], p['proto']
    hear(family)
    p['start'] = time.monotonic()
    kind = {'tcp': socket.SOCK_STREAM, 'udp': socket.SOCK_DGRAM}.get(proto, socket.SOCK_RAW)
    try:
        s = p['socket'] = socket.socket(family, kind, ICMP[family] if proto == 'icmp' else 0)
        s.setblocking(False)
        if family == socket.AF_INET6 and proto != 'icmp':
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    except OSError as error:
        return done(p, 'failed', 'socket:', name(error.errno))
    try:
        s.bind(('' if p['src'] == '-' else p['src'], 0 if proto == 'icmp' else p['sport']))
    except OSError as error:
        return done(p, 'failed', 'bind:', name(error.errno))
    data = b'' if p['data'] == '-' else bytes.fromhex(p['data'])
    if p['size'] != '-':
        data += b'\0' * (int(p['size']) - len(data))
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DO)
            s.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
        else:
            s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DO)
    error = s.connect_ex((p['dst'], 0 if proto == 'icmp' else int(p['dport'])))
    if error not in (0, errno.EINPROGRESS):
        return done(p, 'errno', name(error))
    flying.append(p)
    if proto != 'tcp':
        try:
            s.send(echo_request(p, data) if proto == 'icmp' else data)
        except OSError as error:
            if error.errno not in DROPPED:
                ended(p, error.errno)


def quoted(family, packet):
    """The probe whose packet an error quotes: as it was sent, whatever was made of it on its way."""
    if family == socket.AF_INET6:
        proto, dst, rest = packet[6:7], packet[24:40], packet[40:]
    else:
        proto, dst, rest = packet[9:10], packet[16:20], packet[(packet[:1] or b'\0')[0] % 16 * 4:]
    if len(rest) < 8:
        return None
    first, second, third = struct.unpack('!HHH', rest[:6])
    for p in flying:
        if 'over' in p or p['family'] != family or socket.inet_pton(family, p['dst']) != dst:
            continue
        if p['proto'] == 'icmp':
            if proto[0] == ICMP[family] and third == p['sport']:
                return p
        elif proto[0] == NUMBER[p['proto']] and first == p['sport'] and second == int(p['dport']):
            return p
    return None


def listen_icmp():
    for family, s in raw.items():
        while s:
            try:
                packet, sender = s.recvfrom(65536)
            except OSError:
                break
            # a raw socket of IPv4 has the IP header as well
            if family == socket.AF_INET:
                packet = packet[packet[0] % 16 * 4:]
            if len(packet) < 8:
                continue
            kind, code, _, number = struct.unpack('!BBHH', packet[:6])
            if kind == (129 if family == socket.AF_INET6 else 0):
                for p in flying:
                    if 'over' not in p and p['proto'] == 'icmp' and p['family'] == family and p['sport'] == number:
                        done(p, 'answered', len(packet) - 8)
            elif 1 <= kind <= 4 if family == socket.AF_INET6 else kind in (3, 11, 12):
                p = quoted(family, packet[8:])
                if p:
                    done(p, 'icmp', kind, code, sender[0])


def ended(p, error):
    # what explains it has come before
    listen_icmp()
    if 'over' in p:
        return
    if error == errno.ECONNREFUSED and p['proto'] == 'tcp':
        done(p, 'refused')
    elif error == errno.ETIMEDOUT:
        done(p, 'silent')
    else:
        done(p, 'errno', name(error))


def look(p, readable, writable):
    if p['proto'] == 'tcp' and p['socket'] in writable:
        error = p['socket'].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        ended(p, error) if error else done(p, 'answered', 0)
    elif p['proto'] == 'udp' and p['socket'] in readable:
        try:
            done(p, 'answered', len(p['socket'].recv(65536)))
        except BlockingIOError:
            pass
        except OSError as error:
            ended(p, error.errno)
    elif time.monotonic() - p['start'] >= p['patience']:
        done(p, 'silent')


waiting = []
for line in sys.stdin:
    words = line.split()
    if len(words) == 9:
        p = dict(zip(('id', 'proto', 'src', 'dst', 'sport', 'dport', 'data', 'size', 'patience'), words))
        p.update(sport=int(p['sport']), patience=int(p['patience']) / 1000)
        p['family'] = socket.AF_INET6 if ':' in p['dst'] else socket.AF_INET
        waiting.append(p)
waiting.reverse()

while waiting or any('over' not in p for p in flying):
    if waiting and len(flying) < AT_ONCE:
        begin(waiting.pop())
        time.sleep(GAP_S)
    flying[:] = [p for p in flying if 'over' not in p]
    rest = 0 if waiting and len(flying) < AT_ONCE else 0.01
    if rest and flying:
        rest = max(0.01, min(p['start'] + p['patience'] for p in flying) - time.monotonic())
    readable, writable, _ = select.select(
        [s for s in raw.values() if s] + [p['socket'] for p in flying if p['proto'] == 'udp'],
        [p['socket'] for p in flying if p['proto'] == 'tcp'],
        [],
        rest,
    )
    listen_icmp()
    for p in flying:
        if 'over' not in p:
            look(p, readable, writable)
