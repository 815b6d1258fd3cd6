"""Connections that stay open in namespaces, for netns-talk.ts: one JSON order a line from stdin, one JSON answer a line to stdout; ends with stdin."""
import json, os, socket, struct, sys, threading
import netns_sockets as net

talks = {}
lock = threading.Lock()


def opened(ns, family, kind):
    with lock:
        net.enter(ns)
        s = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return s


def listen(ns, name, port):
    for family in (4, 6):
        any_address = '::' if family == 6 else '0.0.0.0'
        tcp, udp = opened(ns, family, socket.SOCK_STREAM), opened(ns, family, socket.SOCK_DGRAM)
        for s in (tcp, udp):
            if family == 6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((any_address, port))
        tcp.listen(16)
        threading.Thread(target=accept, args=(tcp, name), daemon=True).start()
        threading.Thread(target=echo, args=(udp, name), daemon=True).start()


def accept(server, name):
    while True:
        s, _ = server.accept()
        threading.Thread(target=answer, args=(s, name), daemon=True).start()


def answer(s, name):
    try:
        while True:
            word = s.recv(64)
            if word == b'reset':
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            if word in (b'', b'reset', b'close'):
                break
            s.send(name.encode())
    except OSError:
        pass
    s.close()


def echo(s, name):
    while True:
        _, peer = s.recvfrom(64)
        try:
            s.sendto(name.encode(), peer)
        except OSError:
            pass


def begin(order):
    dst, family = order['dst'], 6 if ':' in order['dst'] else 4
    s = opened(order['ns'], family, socket.SOCK_STREAM if order['proto'] == 'tcp' else socket.SOCK_DGRAM)
    s.settimeout(order['timeout'])
    s.bind(('::' if family == 6 else '0.0.0.0', order['sport']))
    talks[order['talk']] = s
    try:
        s.connect((dst, order['port']))
    except OSError as e:
        return type(e).__name__
    return 'open'


def say(order):
    s = talks[order['talk']]
    s.settimeout(order['timeout'])
    try:
        s.send(order['word'].encode())
        return s.recv(64).decode() or 'closed'
    except OSError as e:
        return type(e).__name__


def end(order):
    s = talks.pop(order['talk'])
    if order['reset']:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


for line in sys.stdin:
    order = json.loads(line)
    try:
        if order['op'] == 'listen':
            result = listen(order['ns'], order['name'], order['port'])
        else:
            result = {'begin': begin, 'say': say, 'end': end}[order['op']](order)
        print(json.dumps({'result': result}), flush=True)
    except Exception as e:  # the test shows it
        print(json.dumps({'error': repr(e)}), flush=True)
os._exit(0)
