"""Connections of netns_sockets.py that stay open, so that their next packet can be sent later."""
import errno, selectors, socket, time
import netns_sockets as net

kept = {}  # key: the probe that opened it


class Opened(net.Probe):
    """A probe that does not close its socket. From which address it sends is settled when it is connected."""

    def finish(self, result):
        if not self.done:
            let_be(self, {**result, 'own': net.plain(self.sock.getsockname()[0])})


class Again(net.Probe):
    """The next packet of a kept connection. An ICMP error about it is an errno to TCP (tcp_v4_err keeps no error of an established connection)."""

    def __init__(self, batch, order):
        net.under_way += 1
        self.batch, self.order, self.done = batch, order, False
        opened = kept[order['key']]
        self.sock, self.six, self.tcp = opened.sock, opened.six, opened.order['proto'] == 'tcp'
        try:
            self.forget()
            if self.tcp:
                level, kind = (socket.IPPROTO_IPV6, net.IPV6_RECVERR) if self.six else (socket.IPPROTO_IP, net.IP_RECVERR)
                self.sock.setsockopt(level, kind, 1)
            if not self.ended:
                net.sel.register(self.sock, selectors.EVENT_READ, self.udp_event)
            self.sock.send(b'x')
        except OSError as e:
            if e.errno not in (errno.EPERM, errno.ENOBUFS):
                self.fail(e.errno)
        if not self.done:
            net.timers.append((time.monotonic() + order['timeout'], self))

    def forget(self):
        """What was said or refused before. Who has ended the connection says no more: only errors tell then."""
        self.ended = False
        for _ in range(8):
            try:
                if self.sock.recv(2048) == b'' and self.tcp:
                    self.ended = True
                    break
            except BlockingIOError:
                break
            except OSError:
                self.queued()

    def udp_event(self):
        try:
            data = self.sock.recv(2048)
        except BlockingIOError:
            return
        except OSError as e:
            return self.fail(e.errno)
        self.finish(dict(net.json.loads(data), kind='delivered') if data else {'kind': 'closed'})

    def fail(self, number):
        if not self.tcp or number == errno.ECONNRESET:
            return super().fail(number)
        if number == errno.EPIPE and self.ended:  # tcp_reset in CLOSE_WAIT
            return self.finish({'kind': 'rst'})
        self.finish({'kind': 'errno', 'name': errno.errorcode.get(number, str(number))})

    def expire(self):
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number and not self.done:
            return self.fail(number)
        super().expire()

    def finish(self, result):
        if not self.done:
            let_be(self, result)


def let_be(probe, result):
    probe.done = True
    net.under_way -= 1
    try:
        net.sel.unregister(probe.sock)
    except (KeyError, ValueError):
        pass
    probe.batch.add(result)


def keep(order, done):
    def opened(batch, order):
        kept[order['key']] = Opened(batch, order)
    net.Batch({**order, 'times': 1}, done, opened)


def again(order, done):
    net.Batch({**order, 'times': 1}, done, Again)


def let_go():
    for probe in kept.values():
        if probe.sock:
            probe.sock.close()
    kept.clear()
