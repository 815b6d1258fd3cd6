"""Serves and probes in namespaces for netns-agent.ts: one JSON order a line from stdin, one JSON answer a line to stdout; ends with stdin."""
import json, os, selectors, sys
import netns_kept, netns_sockets as net

pending = b''


def say(answer):
    sys.stdout.write(json.dumps(answer) + '\n')
    sys.stdout.flush()


def obey(order):
    ready = {'id': order['id']}
    if order['op'] == 'serve':
        net.serve(order['ns'], order['host'], order['tcp'], order['udp'])
        say(ready)
    elif order['op'] == 'leave':
        net.leave(order['namespaces'])
        say(ready)
    elif order['op'] in ('keep', 'again'):
        getattr(netns_kept, order['op'])(order, lambda results: say({**ready, 'results': results}))
    elif order['op'] == 'let_go':
        netns_kept.let_go()
        say(ready)
    else:
        net.Batch(order, lambda results: say({**ready, 'results': results}))


def orders():
    global pending
    data = os.read(0, 65536)
    if not data:
        sys.exit(0)
    pending += data
    *lines, pending = pending.split(b'\n')
    for line in lines:
        order = json.loads(line)
        try:
            obey(order)
        except Exception as e:  # the test shows it
            say({'id': order['id'], 'error': repr(e)})


net.sel.register(0, selectors.EVENT_READ, orders)
while True:
    net.turn()
