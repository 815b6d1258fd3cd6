"""Builds scenarios (scenario.ts) in network namespaces, dumps them like a snapshot, sends their packets, and says what became of them.

Reads lines of JSON from stdin, each a list of scenarios that run side by side, up to an empty line or the end; writes one line of JSON for
each scenario. Namespaces have no names: only this process holds them, so they go when it goes, whatever happens. Python's standard library
and the tools of the snapshot only.

    python3 run.py [PATIENCE [WORKERS]] < scenarios > observations

PATIENCE: seconds after which silence counts as dropped, default 0.6. WORKERS: batches at a time, default 1; observations come as they are made.
"""
import fcntl, json, os, re, socket, struct, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../support'))
import netns_sockets as net

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, UP, LOOPBACK, RUNNING, NOARP = 0x8913, 1, 8, 0x40, 0x80

# Addresses are usable at once; no rate limits on ICMP errors, or the second refusal would be silence; neighbours are given up on soon
# (hurry); what a redirect teaches is in no dump; a host that bridges for others does not filter what it bridges.
BASE = {
    'ipv6/conf/all/accept_dad': 0,
    'ipv6/conf/default/accept_dad': 0,
    'ipv6/conf/default/router_solicitations': 0,
    'ipv4/conf/all/rp_filter': 0,
    'ipv4/conf/default/rp_filter': 0,
    'ipv4/icmp_ratelimit': 0,
    'ipv4/icmp_ratemask': 0,
    'ipv4/conf/all/accept_redirects': 0,
    'ipv4/conf/default/accept_redirects': 0,
    'ipv6/conf/all/accept_redirects': 0,
    'ipv6/conf/default/accept_redirects': 0,
    'ipv6/icmp/ratelimit': 0,
    'ipv6/icmp/ratemask': 2,
    'bridge/bridge-nf-call-iptables': 0,
    'bridge/bridge-nf-call-ip6tables': 0,
}


class Failed(Exception):
    pass


class Space:
    def __init__(self, name, said):
        self.name, self.said = name, said
        net.home()
        if net.libc.unshare(CLONE_NEWNET) != 0:
            raise OSError('unshare')
        self.fd = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
        net.home()
        self.path = '/proc/%d/fd/%d' % (os.getpid(), self.fd)
        for key, value in BASE.items():
            if not key.startswith('bridge/') or os.path.exists('/proc/sys/net/bridge'):
                self.write(key, value)

    def write(self, key, value):
        net.enter(self.path)
        with open('/proc/sys/net/' + key, 'w') as f:
            f.write(str(value))

    def run(self, argv, text='', fails=True):
        """A command inside the namespace; its stdout."""
        net.enter(self.path)
        done = subprocess.run(argv, input=text, capture_output=True, text=True)
        if done.returncode != 0 and fails:
            raise Failed('%s: %s: %s' % (self.name, ' '.join(argv), done.stderr.strip() or done.returncode))
        return done.stdout

    def close(self):
        net.leave([self.path])
        os.close(self.fd)


LOADERS = (
    ('ipset', ['ipset', 'restore']),
    ('iptablesLegacy', ['iptables-legacy-restore']),
    ('ip6tablesLegacy', ['ip6tables-legacy-restore']),
    ('iptablesNft', ['iptables-nft-restore']),
    ('ip6tablesNft', ['ip6tables-nft-restore']),
    ('nft', ['nft', '-f', '-']),
    ('ipvsadm', ['ipvsadm', '-R']),
)


def lines(list_):
    return ''.join(line + '\n' for line in list_)


def build(scenario, spaces):
    for name, said in scenario['spaces'].items():
        spaces[name] = Space(name, said)
    wires = []
    for n, wire in enumerate(scenario['wires']):
        (a, dev), (b, peer) = wire['a'].split('/'), wire['b'].split('/')
        wires.append(
            'link add name %s netns %s address 02:00:00:00:%02x:0a type veth peer name %s netns %s address 02:00:00:00:%02x:0b'
            % (dev, spaces[a].path, n, peer, spaces[b].path, n)
        )
    # from a namespace without devices, as names that the one has where they are made may not be given elsewhere (rtnl_newlink)
    nowhere = Space('wires', {})
    nowhere.run(['ip', '-batch', '-'], lines(wires))
    nowhere.close()
    for space in spaces.values():
        said = space.said
        space.run(['ip', '-batch', '-'], lines(['link set lo up', *said.get('ip', [])]))
        if said.get('ip6'):
            space.run(['ip', '-6', '-batch', '-'], lines(said['ip6']))
        if said.get('bridge'):
            space.run(['bridge', '-batch', '-'], lines(said['bridge']))
        hurry(space)
        for setting in said.get('sysctl', []):
            key, value = setting.split('=', 1)
            # a device's name has its dots as slashes in keys, and as dots in /proc
            path = '/'.join(part.replace('/', '.') for part in key.split('.'))
            try:
                space.write(path.removeprefix('net/'), value)
            except OSError as e:
                raise Failed('%s: sysctl %s: %s' % (space.name, setting, e))
        for key, argv in LOADERS:
            if said.get(key):
                load(space, key, argv)
        for command in said.get('commands', []):
            space.run(command['argv'], command.get('input', ''))


def load(space, key, argv):
    """Rules of nft that are not lawful are left out: what a rule may say depends on all that stands before it."""
    said = list(space.said[key])
    for _ in range(8):
        try:
            space.run(argv, lines(said))
            return
        except Failed as e:
            wrong = {int(n) for n in re.findall(r'/dev/stdin:(\d+):', str(e))}
            if key != 'nft' or not wrong:
                raise
            said = [line for n, line in enumerate(said, 1) if n not in wrong]
    raise Failed(space.name + ': hardly any rule is lawful')


def hurry(space):
    """Three unanswered requests for a neighbour take a quarter of our patience, not three seconds."""
    net.enter(space.path)
    retry = round(patience * 1000 / 12)
    for family in ('ipv4', 'ipv6'):
        base = '/proc/sys/net/%s/neigh/' % family
        for device in os.listdir(base):
            if device != 'default':
                space.write('%s/neigh/%s/retrans_time_ms' % (family, device), retry)


def linked(space):
    """Has every Ethernet device that runs a link-local address?"""
    net.enter(space.path)
    with open('/proc/net/if_inet6') as f:
        having = {line.split()[5] for line in f if line.split()[3] == '20'}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _, name in socket.if_nameindex():
            flags = struct.unpack('16xH', fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack('16sH', name.encode(), 0)))[0]
            if flags & (UP | RUNNING | LOOPBACK | NOARP) == UP | RUNNING and name not in having:
                return False
    return True


def settle(space, family):
    """Waits until devices that have a carrier may send: a bridge's turn comes up to a second late (net/core/link_watch.c), link-local
    addresses when the kernel gets round to them."""
    if family == 6:
        deadline = time.monotonic() + 2
        while not linked(space) and time.monotonic() < deadline:
            time.sleep(0.02)
    if not makes(space.said, 'bridge'):
        return
    for _ in range(100):
        links = json.loads(space.run(['ip', '-j', 'link']))
        if all(l['operstate'] in ('UP', 'UNKNOWN') for l in links if {'UP', 'LOWER_UP'} <= set(l['flags'])):
            return
        time.sleep(0.05)
    raise Failed(space.name + ': devices do not come up')


# of each device, those that decide what becomes of a packet
CONF = (
    'accept_local',
    'arp_filter',
    'arp_ignore',
    'disable_ipv6',
    'force_forwarding',
    'forwarding',
    'hop_limit',
    'ignore_routes_with_linkdown',
    'proxy_arp',
    'proxy_ndp',
    'route_localnet',
    'rp_filter',
    'send_redirects',
    'src_valid_mark',
    'use_tempaddr',
)
SYSCTLS = ('ip_forward', 'ip_default_ttl', 'ip_local_port_range', 'fib_multipath_hash_policy', 'icmp_errors_use_inbound_ifaddr')


def sysctls(space):
    """As `sysctl net.ipv4.conf …` prints them: the dots of a device's name as slashes."""
    net.enter(space.path)
    out = []

    def take(path, key):
        try:
            with open(path) as f:
                out.append('%s = %s' % (key, f.read().strip()))
        except OSError:
            pass

    for family in ('ipv4', 'ipv6'):
        base = '/proc/sys/net/%s/conf/' % family
        for device in sorted(os.listdir(base)):
            for name in CONF:
                take(base + device + '/' + name, 'net.%s.conf.%s.%s' % (family, device.replace('.', '/'), name))
        for name in SYSCTLS:
            if os.path.exists('/proc/sys/net/%s/%s' % (family, name)):
                take('/proc/sys/net/%s/%s' % (family, name), 'net.%s.%s' % (family, name))
    return lines(out)


def vs_sysctls(space):
    net.enter(space.path)
    base = '/proc/sys/net/ipv4/vs/'
    if not os.path.isdir(base):
        return ''
    return lines('net.ipv4.vs.%s = %s' % (n, open(base + n).read().strip()) for n in sorted(os.listdir(base)))


def batch(space, options, shows):
    """Several `ip` shows in one process: each prints one array, which may take several lines."""
    text = space.run(['ip', *options, '-batch', '-'], lines(shows))
    out, decoder, at = [], json.JSONDecoder(), 0
    for _ in shows:
        while at < len(text) and text[at].isspace():
            at += 1
        end = decoder.raw_decode(text, at)[1] if at < len(text) else at
        out.append((text[at:end] or '[]') + '\n')
        at = end
    return out


def makes(said, kind):
    return any('type ' + kind in line for key in ('ip', 'ip6') for line in said.get(key, []))


known = {}


def dumped(scenario, space):
    """Hosts with nothing but wires and addresses look the same in one scenario after the other of the same topology."""
    if space.said['kind'] == 'node':
        return dump(scenario, space)
    key = json.dumps([space.name, space.said, [scenario[k] for k in ('family', 'wires', 'tcp', 'udp')]])
    if key not in known:
        if len(known) > 64:
            known.clear()
        known[key] = dump(scenario, space)
    return known[key]


def dump(scenario, space):
    said = space.said
    files = {}
    files['ip-addr.json'], files['ip-route.json'], files['ip-rule.json'], files['ip-neigh.json'] = batch(
        space, ['-j'], ['addr show', 'route show table all', 'rule show', 'neigh show']
    )
    if scenario['family'] == 6:
        files['ip6-route.json'], files['ip6-rule.json'] = batch(space, ['-6', '-j'], ['route show table all', 'rule show'])
    files['ip-link.json'] = space.run(['ip', '-d', '-j', 'link'])
    files['bridge-fdb.json'] = space.run(['bridge', '-j', 'fdb', 'show']) if said.get('bridge') or makes(said, 'vxlan') or makes(said, 'bridge') else '[]\n'
    files['sysctl.txt'] = sysctls(space)
    files['ipset-save.txt'] = space.run(['ipset', 'save']) if said.get('ipset') else ''
    # as the recordings name them: the backend in use, which is legacy only where nft holds nothing; the other one where it is not empty
    saved = {}
    for tool in ('iptables', 'ip6tables'):
        for backend in ('nft', 'legacy'):
            if said.get(tool + backend.capitalize()):
                saved[tool, backend] = space.run(['%s-%s-save' % (tool, backend), '-c'])
    used = 'legacy' if saved and not any(b == 'nft' for _, b in saved) else 'nft'
    for tool in ('iptables', 'ip6tables'):
        for backend in ('nft', 'legacy'):
            text = saved.get((tool, backend), '')
            if backend == used and (text or used == 'nft'):
                files[tool + '-save.txt'] = text
            elif text and backend != used:
                files['%s-%s-save.txt' % (tool, backend)] = text
    # both forms, or where scenarios are numbered one or the other in turn
    name = scenario['name']
    if said.get('nft') and (not name.isdecimal() or int(name) % 2 == 0):
        files['nft.json'] = space.run(['nft', '-j', 'list', 'ruleset'])
    if 'nft.json' in files and name.isdecimal():
        pass
    elif said.get('nft') or said.get('iptablesNft') or said.get('ip6tablesNft'):
        files['nft.txt'] = space.run(['nft', 'list', 'ruleset'])
    else:
        files['nft.txt'] = ''
    if said.get('ipvsadm'):
        files['ipvsadm-save.txt'] = space.run(['ipvsadm-save', '-n'])
        files['ipvsadm.txt'] = space.run(['ipvsadm', '-Ln'])
        net.enter(space.path)
        with open('/proc/net/ip_vs') as f:
            files['proc-ip_vs.txt'] = f.read()
        files['sysctl-vs.txt'] = vs_sysctls(space)
    if makes(said, 'wireguard'):
        files['wg-show.txt'] = space.run(['wg', 'show'])
    files['versions.txt'] = 'iptables backend in use: %s\n' % used
    any_ = {4: '0.0.0.0', 6: '[::]'}[scenario['family']]
    files['sockets.txt'] = lines(
        ['tcp LISTEN 0 0 %s:%d %s:*' % (any_, p, any_) for p in scenario['tcp']]
        + ['udp UNCONN 0 0 %s:%d %s:*' % (any_, p, any_) for p in scenario['udp']]
    )
    return files


class Trial:
    """One scenario: built, dumped, probed."""

    def __init__(self, scenario):
        self.scenario, self.spaces, self.error, self.files, self.seen = scenario, {}, None, {}, []
        try:
            build(scenario, self.spaces)
        except (Failed, OSError, ValueError, KeyError) as e:
            self.fail(e)
        self.left = 0

    def fail(self, e):
        self.error = str(e) if isinstance(e, Failed) else repr(e)

    def open(self):
        if self.error:
            return
        scenario = self.scenario
        try:
            hosts = [s for s in self.spaces.values() if s.said['kind'] != 'wire']
            for s in self.spaces.values():
                settle(s, scenario['family'])
            self.files = {s.name: dumped(scenario, s) for s in hosts}
            for s in hosts:
                net.serve(s.path, s.name, scenario['tcp'], scenario['udp'], [scenario['family']])
        except (Failed, OSError, ValueError, KeyError) as e:
            self.fail(e)

    def probe(self, timeout):
        if self.error:
            return
        probes = self.scenario['probes']
        self.seen, self.left = [[] for _ in probes], len(probes)
        for i, p in enumerate(probes):
            net.Batch({**p, 'ns': self.spaces[p['from']].path, 'timeout': timeout}, lambda results, i=i: self.saw(i, results))

    def saw(self, i, results):
        self.seen[i] = results
        self.left -= 1

    def end(self):
        for space in self.spaces.values():
            space.close()
        name = self.scenario['name']
        return {'name': name, 'error': self.error} if self.error else {'name': name, 'files': self.files, 'seen': self.seen}


def batches():
    return iter(sys.stdin.readline, '')


def work(patience):
    with open(__file__) as turn:
        for line in batches():
            if line == '\n':
                break
            trials = []
            try:
                for scenario in json.loads(line):
                    trials.append(Trial(scenario))
                for trial in trials:
                    trial.open()
                for trial in trials:
                    trial.probe(patience)
                while any(t.left > 0 for t in trials):
                    net.turn()
            finally:
                told = ''.join(json.dumps(trial.end()) + '\n' for trial in trials)
                fcntl.flock(turn, fcntl.LOCK_EX)
                print(told, end='', flush=True)
                fcntl.flock(turn, fcntl.LOCK_UN)


def spread(patience, workers):
    """Batches to several of our kind in turn, who write to the same output."""
    kin = [subprocess.Popen([sys.executable, __file__, str(patience)], stdin=subprocess.PIPE, text=True) for _ in range(workers)]
    for n, line in enumerate(batches()):
        if line == '\n':
            break
        kin[n % workers].stdin.write(line)
        kin[n % workers].stdin.flush()
    for worker in kin:
        worker.stdin.close()
    sys.exit(max(worker.wait() for worker in kin))


patience = float(sys.argv[1]) if len(sys.argv) > 1 else 0.6
workers = int(sys.argv[2]) if len(sys.argv) > 2 else 1
if workers > 1:
    spread(patience, workers)
else:
    work(patience)
