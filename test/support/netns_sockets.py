"""Servers and probes inside network namespaces, for the kernel tests: one process, one thread, a selector.

A socket belongs to the namespace that its thread was in when it was made, so setns() before socket() is all it takes.
A namespace is a name (/run/netns) or a path to one (/proc/self/fd/7).
"""
import collections, ctypes, errno, itertools, json, os, selectors, socket, struct, time

libc = ctypes.CDLL(None, use_errno=True)
sel = selectors.DefaultSelector()
entered = None
timers = []  # (deadline, probe)
todo = collections.deque()  # started from the main loop, so that calls do not nest
# few at a time: what waits for its turn here does not count as silent, and a full socket buffer drops nothing
at_once, under_way = 64, 0
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DO = 10, 23, 2
IP_RECVERR, IPV6_RECVERR, IP_PKTINFO, IPV6_RECVPKTINFO, IPV6_PKTINFO = 11, 25, 8, 49, 50


def enter(ns):
    global entered
    if entered == ns:
        return
    fd = os.open(os.path.join('/run/netns', ns), os.O_RDONLY)
    try:
        if libc.setns(fd, 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), 'setns ' + ns)
    finally:
        os.close(fd)
    entered = ns


def plain(address):
    return address.split('%')[0]


# servers: tell each client what the socket sees

servers = {}
# connections stay open until their clients have certainly done: a FIN may pass where data do not, and a retransmission has both
answered = collections.deque()  # (namespace, socket)


def serve(ns, host, tcp, udp, families=(4, 6)):
    made = servers.setdefault(ns, [])
    for family in [{4: socket.AF_INET, 6: socket.AF_INET6}[f] for f in families]:
        for kind, ports in ((socket.SOCK_STREAM, tcp), (socket.SOCK_DGRAM, udp)):
            for port in ports:
                enter(ns)
                s = socket.socket(family, kind)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind(('::' if family == socket.AF_INET6 else '0.0.0.0', port))
                s.setblocking(False)
                if kind == socket.SOCK_STREAM:
                    s.listen(512)
                    sel.register(s, selectors.EVENT_READ, lambda s=s: accept(s, ns, host))
                else:
                    if family == socket.AF_INET6:
                        s.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                    else:
                        s.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
                    sel.register(s, selectors.EVENT_READ, lambda s=s, p=port: echo(s, p, host))
                made.append(s)


def accept(server, ns, host):
    try:
        s, peer = server.accept()
    except OSError:
        return
    own = s.getsockname()
    try:
        s.send(json.dumps({'host': host, 'dst': plain(own[0]), 'port': own[1], 'src': plain(peer[0])}).encode() + b'\n')
    except OSError:
        pass
    answered.append((ns, s))
    if len(answered) > 2 * at_once:
        answered.popleft()[1].close()


def echo(server, port, host):
    try:
        data, control, _, peer = server.recvmsg(2048, 256)
    except OSError:
        return
    for level, kind, value in control:
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
            # the header's destination address, which is the one to answer from
            dst = socket.inet_ntop(socket.AF_INET, value[8:12])
            back = [(level, kind, struct.pack('=i4s4s', 0, value[8:12], b'\0' * 4))]
        elif level == socket.IPPROTO_IPV6 and kind == IPV6_PKTINFO:
            dst = socket.inet_ntop(socket.AF_INET6, value[:16])
            # one that is valid on a link only needs the link
            back = [(level, kind, value[:16] + (value[16:20] if value[:2] == b'\xfe\x80' else b'\0' * 4))]
    seen = {'host': host, 'dst': dst, 'port': port, 'src': plain(peer[0])}
    try:
        server.sendmsg([json.dumps(seen).encode()], back, 0, peer)
    except OSError:
        pass


# probes: one connection attempt each

# away from the low ones, which NAT gives out first to pings that need another (nf_nat_l4proto_unique_tuple)
idents = itertools.count(20000)


class Probe:
    def __init__(self, batch, order):
        global under_way
        under_way += 1
        self.batch, self.order, self.done, self.sock = batch, order, False, None
        self.six = ':' in order['dst']
        enter(order['ns'])
        try:
            getattr(self, order['proto'])()
        except OSError as e:
            # EPERM is what a UDP sender hears of a DROP in OUTPUT, ENOBUFS of one in the device (if it asked: IP_RECVERR), the others of
            # WireGuard without a peer or its endpoint; an ICMP error may still come
            if e.errno not in (errno.EPERM, errno.ENOBUFS, errno.ENOKEY, errno.EDESTADDRREQ):
                self.fail(e.errno)
        if not self.done:
            timers.append((time.monotonic() + order['timeout'], self))

    def open(self, kind, proto=0):
        s = socket.socket(socket.AF_INET6 if self.six else socket.AF_INET, kind, proto)
        self.sock = s
        s.setblocking(False)
        if kind == socket.SOCK_RAW:
            # it reads the errors themselves; their queue would hold those of every other one's packets, too
            pass
        elif self.six:
            s.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        if self.order.get('payload') is not None:
            s.setsockopt(*((socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER) if self.six else (socket.IPPROTO_IP, IP_MTU_DISCOVER)), PMTUDISC_DO)
        if self.order.get('sport') or self.order.get('source'):
            s.bind((self.order.get('source', ''), self.order.get('sport', 0)))
        return s

    def tcp(self):
        s = self.open(socket.SOCK_STREAM)
        e = s.connect_ex((self.order['dst'], self.order['port']))
        if e not in (0, errno.EINPROGRESS):
            return self.fail(e)
        sel.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE, self.tcp_event)

    def tcp_event(self):
        e = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if e and e != errno.ECONNRESET and self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1:
            # established: an ICMP error about what came after the SYN
            self.queued()
            e = 0
        if e:
            return self.fail(e)
        try:
            data = self.sock.recv(2048)
        except BlockingIOError:
            # connected: from here on only reading tells, and errors on the way are for TCP to get over
            if self.six:
                self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 0)
            else:
                self.sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 0)
            sel.modify(self.sock, selectors.EVENT_READ, self.tcp_event)
            if self.order.get('ask'):
                self.sock.send(b'GET / HTTP/1.0\r\n\r\n')
            return
        except OSError as e:
            return self.fail(e.errno)
        if data and self.order.get('ask'):
            return self.finish({'kind': 'delivered'})
        self.finish(dict(json.loads(data), kind='delivered') if data else {'kind': 'dropped'})

    def udp(self):
        s = self.open(socket.SOCK_DGRAM)
        s.connect((self.order['dst'], self.order['port']))
        sel.register(s, selectors.EVENT_READ, self.udp_event)
        s.send(b'x' * self.order.get('payload', 1))

    def udp_event(self):
        try:
            data = self.sock.recv(2048)
            self.finish(dict(json.loads(data), kind='delivered'))
        except BlockingIOError:
            pass
        except OSError as e:
            self.fail(e.errno)

    def icmp(self):
        proto = socket.IPPROTO_ICMPV6 if self.six else socket.IPPROTO_ICMP
        s = self.open(socket.SOCK_RAW, proto)
        sel.register(s, selectors.EVENT_READ, self.icmp_event)
        self.ident = struct.pack('!H', next(idents) & 0xffff)
        body = self.ident + b'\0\1' + bytes(self.order.get('payload', 0))
        head = bytes([128 if self.six else 8, 0])
        total = sum(struct.unpack('!3H', head + body[:4]))
        check = ~((total & 0xffff) + (total >> 16)) & 0xffff
        s.sendto(head + struct.pack('!H', check) + body, (self.order['dst'], 0))

    def icmp_event(self):
        try:
            data, peer = self.sock.recvfrom(2048)
        except BlockingIOError:
            return
        except OSError as e:
            return self.fail(e.errno)
        m = data if self.six else data[(data[0] & 15) * 4:]
        if m[0] == (129 if self.six else 0) and m[4:6] == self.ident and plain(peer[0]) == self.order['dst']:
            return self.finish({'kind': 'delivered'})
        inner = m[8:]
        error = m[0] < 128 if self.six else m[0] in (3, 11, 12)
        if error and inner:
            quoted = inner[40:] if self.six else inner[(inner[0] & 15) * 4:]
            to = inner[24:40] if self.six else inner[16:20]
            asked = socket.inet_pton(socket.AF_INET6 if self.six else socket.AF_INET, self.order['dst'])
            # about the request: one who pings himself may hear of his own answer, too
            if quoted[0] == (128 if self.six else 8) and quoted[4:6] == self.ident and to == asked:
                self.finish({'kind': 'icmp', 'type': m[0], 'code': m[1], 'from': plain(peer[0])})

    def fail(self, number):
        told = self.queued()
        if told:
            return self.finish(told)
        if number in (errno.ECONNREFUSED, errno.ECONNRESET):
            return self.finish({'kind': 'rst'})
        self.finish({'kind': 'errno', 'name': errno.errorcode.get(number, str(number))})

    def queued(self):
        """The ICMP error behind an errno: struct sock_extended_err and the offender's address."""
        if not self.sock:
            return None
        try:
            _, control, _, _ = self.sock.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return None
        for _, _, value in control:
            if len(value) < 24 or value[4] not in (2, 3):
                continue
            at = value[16:]
            sender = socket.inet_ntop(socket.AF_INET6, at[8:24]) if value[4] == 3 else socket.inet_ntop(socket.AF_INET, at[4:8])
            return {'kind': 'icmp', 'type': value[5], 'code': value[6], 'from': sender}
        return None

    def expire(self):
        if not self.done:
            told = self.queued()
            self.finish(told or {'kind': 'dropped'})

    def finish(self, result):
        global under_way
        if self.done:
            return
        self.done = True
        under_way -= 1
        if self.sock:
            try:
                sel.unregister(self.sock)
            except (KeyError, ValueError):
                pass
            self.sock.close()
        self.batch.add(result)


class Batch:
    """`order['times']` attempts; `done` is called with what each of them saw."""

    def __init__(self, order, done, attempt=Probe):
        self.order, self.done, self.left, self.results, self.attempt = order, done, order['times'], [], attempt
        self.waiting = order['times']
        for _ in range(min(8, order['times'])):
            self.next()

    def next(self):
        self.waiting -= 1
        todo.append(lambda: self.attempt(self, self.order))

    def add(self, result):
        self.results.append(result)
        self.left -= 1
        if self.left == 0:
            self.done(self.results)
        elif self.waiting > 0:
            self.next()


def leave(namespaces):
    """Closes the servers of namespaces that are about to go: a socket would keep them alive."""
    for ns in namespaces:
        for s in servers.pop(ns, []):
            sel.unregister(s)
            s.close()
    for ns, s in list(answered):
        if ns in namespaces:
            answered.remove((ns, s))
            s.close()
    home()


host_ns = os.open('/proc/self/ns/net', os.O_RDONLY)


def home():
    global entered
    libc.setns(host_ns, 0x40000000)
    entered = None


def turn():
    """One turn of the loop: what is due is started, ended or read."""
    while todo and under_way < at_once:
        todo.popleft()()
    now = time.monotonic()
    wait = min((t for t, _ in timers), default=now + 60) - now
    ready = sel.select(max(0, wait))
    for key, _ in ready:
        key.data()
    # as long as there is something to read, nobody is silent
    if not ready:
        now = time.monotonic()
        due = [p for t, p in timers if t <= now]
        timers[:] = [(t, p) for t, p in timers if t > now and not p.done]
        for p in due:
            p.expire()
