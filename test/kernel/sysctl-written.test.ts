/** What writing a setting changes, held against the kernel in a namespace of its own. */
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { parseSysctl } from '../../src/kernel/sysctl/parse.ts'
import { written } from '../../src/kernel/sysctl/write.ts'
import { needs } from '../support/needs.ts'

const able = needs('root', 'unshare', 'ip')
const names = {
  4: [
    'forwarding',
    'rp_filter',
    'accept_local',
    'route_localnet',
    'src_valid_mark',
    'proxy_arp',
    'arp_ignore',
    'send_redirects',
    'ignore_routes_with_linkdown',
  ],
  6: ['forwarding', 'ignore_routes_with_linkdown', 'hop_limit'],
} as const
const keys = [
  'net.ipv4.ip_forward',
  'net.ipv4.ip_default_ttl',
  ...([4, 6] as const).flatMap((v) => names[v].flatMap((name) => ['all', 'eth0'].map((dev) => `net.ipv${v}.conf.${dev}.${name}`))),
]
/** a side effect of IPv4's switch, which no answer depends on (inet_forward_change) */
const ignored = 'net.ipv4.conf.all.accept_redirects'

describe.runIf(able)('writing a setting changes what it says in the kernel, and nothing else', () => {
  test.each(keys)('%s', (key) => {
    const list = 'sysctl -a -r "^net.ipv[46].(conf|ip_forward|ip_default)" 2>/dev/null'
    const out = execFileSync(
      'unshare',
      [
        '-n',
        'sh',
        '-ec',
        `ip link add eth0 type veth peer name eth1; ip link add eth0.100 link eth0 type macvlan 2>/dev/null || true\n${list}; echo ===; v=$(sysctl -n ${key}); sysctl -qw ${key}=$((v == 1 ? 0 : v == 0 ? 1 : v - 1)); ${list}`,
      ],
      { encoding: 'utf8' },
    )
    const [before = '', after = ''] = out.split('===\n')
    const old = parseSysctl(before, 'before')
    const now = parseSysctl(after, 'after')
    const all = after.split('\n').flatMap((l) => (l.includes(' = ') ? [l.slice(0, l.indexOf(' = ')).trim()] : []))
    const changed = all.filter((k) => k !== ignored && old.get(k)?.value !== now.get(k)?.value)
    const devices = [...new Set(all.flatMap((k) => /^net\.ipv4\.conf\.([^.]+)\.forwarding$/.exec(k)?.[1] ?? []))].filter(
      (d) => d !== 'all' && d !== 'default',
    )
    const result = written(
      key,
      devices.map((d) => d.replaceAll('/', '.')),
    )
    // one that has the value already does not change
    const said = result.kind === 'keys' ? result.keys.filter((k) => old.get(k)?.value !== now.get(key)?.value) : []
    expect(changed.sort()).toEqual([...said].sort())
  })
})
