/**
 * `-m rpfilter` and `-m addrtype` held against the kernel: packets with any source come in by two devices, and counters of
 * rules say what the kernel matched.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseLinks } from '../../src/kernel/link/parse.ts'
import { addressType } from '../../src/kernel/route/address-type.ts'
import { parseRoutes } from '../../src/kernel/route/parse.ts'
import { parseRules } from '../../src/kernel/route/parse-rules.ts'
import { reversePathMatch } from '../../src/kernel/route/reverse-path.ts'
import { indexRoutes } from '../../src/kernel/route/tables.ts'
import { ip } from '../../src/net/ip.ts'
import { needs } from '../support/needs.ts'
import { makeNamespace, type Namespace } from './namespace.ts'
import { makeRandom, type Random } from './random.ts'
import { address, addressCommands, routeCommand, ruleCommand } from './route-lab.ts'

interface Shot {
  readonly device: string
  readonly src: string
  readonly dst: string
  readonly mark: number
}

interface Rule {
  readonly text: string
  /** undefined: the model can't tell */
  expected(shot: Shot): boolean | undefined
}

const SETUP = [
  'sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0',
  'ip link set lo up',
  'for i in 0 1 2; do ip link add v$i type veth peer name p$i; ip link set v$i up; ip link set p$i up; done',
  'ip link add br0 type bridge; ip link set br0 up',
  // the senders' ends have no business with IP
  'for i in 0 1 2; do sysctl -qw net.ipv6.conf.p$i.disable_ipv6=1; done',
].join('\n')

describe.runIf(needs('root', 'ip', 'python3', 'iptables-restore'))('reverse paths and address types as the kernel matches them', () => {
  test.each([4, 6].flatMap((family) => [1, 2, 3, 4].map((seed) => ({ family: family as 4 | 6, seed }))))(
    'IPv$family, seed $seed',
    ({ family, seed }) => {
      const r = makeRandom(seed * 1000 + family)
      const ns = makeNamespace()
      try {
        ns.sh(SETUP)
        ns.batch(addressCommands(r))
        ns.batch(
          Array.from({ length: 40 }, () => routeCommand(r, family)),
          family,
        )
        if (seed % 2 === 0)
          ns.batch(
            Array.from({ length: 6 }, () => ruleCommand(r, family)),
            family,
          )
        const shots = Array.from({ length: 30 }, () => shot(r, ns, family))
        const rules = [...rpfilterRules(ns, family), ...(family === 4 ? addressRules(ns) : [])]
        const counts = fire(
          ns,
          family,
          shots,
          rules.map((rule) => rule.text),
        )
        const wrong = shots.flatMap((s, i) => {
          const [arrived, ...hits] = counts[i] as readonly number[]
          if (arrived !== 1) return []
          return rules.flatMap((rule, j) => {
            const expected = rule.expected(s)
            return expected === undefined || expected === (hits[j] === 1)
              ? []
              : [`${rule.text}: ${JSON.stringify(s)} kernel ${hits[j]}, ours ${expected}`]
          })
        })
        expect(counts.filter(([arrived]) => arrived === 1).length).toBeGreaterThan(20)
        expect(wrong).toEqual([])
      } finally {
        ns.remove()
      }
    },
  )
})

function shot(r: Random, ns: Namespace, family: 4 | 6): Shot {
  const own = parseLinks(ns.sh('ip -j addr'), 'a')
    .flatMap((l) => l.addresses.map((a) => a.ip.text))
    .filter((x) => ip(x).family === family && x !== '127.0.0.1' && x !== '::1')
  const odd = family === 4 ? ['0.0.0.0', '255.255.255.255', '224.0.0.5', '127.0.0.9'] : ['fe80::5']
  const any = () => (r.chance(0.2) && own.length > 0 ? r.pick(own) : address(r, family))
  return {
    device: r.pick(['v0', 'v1', 'v2']),
    src: r.chance(0.1) ? r.pick(odd) : any(),
    dst: r.chance(0.05) && family === 4 ? r.pick(['224.0.0.5', '255.255.255.255']) : any(),
    mark: r.pick([0, 1, 2, 0x10]),
  }
}

function tablesOf(ns: Namespace, family: 4 | 6) {
  return {
    links: parseLinks(ns.sh('ip -j addr'), 'a'),
    index: indexRoutes(parseRoutes(ns.sh('ip -j route show table all'), 'r', family)),
    rules: parseRules(ns.sh(`ip -${family} -j rule`), 'u', family),
  }
}

function rpfilterRules(ns: Namespace, family: 4 | 6): Rule[] {
  const t = tablesOf(ns, family)
  return Array.from({ length: 8 }, (_, bits) => {
    const options = { loose: (bits & 1) !== 0, validMark: (bits & 2) !== 0, acceptLocal: (bits & 4) !== 0 }
    const text = ['-m rpfilter', options.loose && '--loose', options.validMark && '--validmark', options.acceptLocal && '--accept-local']
      .filter((x) => x)
      .join(' ')
    return {
      text,
      expected: (s) => {
        let open = false
        const unknown = () => {
          open = true
          return false
        }
        const matched = reversePathMatch(t.index, t.rules, t.links, {
          ...s,
          family,
          src: ip(s.src),
          dst: ip(s.dst),
          proto: 'udp',
          ...options,
          unknown,
        })
        return open ? undefined : matched
      },
    }
  })
}

function addressRules(ns: Namespace): Rule[] {
  const t = tablesOf(ns, 4)
  return ['LOCAL', 'UNICAST', 'BROADCAST', 'MULTICAST', 'BLACKHOLE'].flatMap((type) =>
    (['src', 'dst'] as const).flatMap((side) =>
      [false, true].map((limited) => ({
        text: `-m addrtype --${side}-type ${type}${limited ? ' --limit-iface-in' : ''}`,
        expected: (s: Shot) => addressType(t.index, t.links, ip(s[side]), limited ? s.device : undefined, t.rules) === type,
      })),
    ),
  )
}

/** For each shot: did it arrive, and which rules matched it. */
function fire(ns: Namespace, family: 4 | 6, shots: readonly Shot[], rules: readonly string[]): readonly (readonly number[])[] {
  const tool = family === 4 ? 'iptables' : 'ip6tables'
  const marks = shots.map((s, i) => `-A PREROUTING -p udp -m udp --dport ${1000 + i} -j MARK --set-mark ${s.mark}`)
  const tests = shots.flatMap((_, i) => ['', ...rules].map((rule) => `-A PREROUTING -p udp -m udp --dport ${1000 + i} ${rule}`))
  ns.sh(`${tool}-restore <<'END'\n*raw\n${marks.join('\n')}\nCOMMIT\n*mangle\n${tests.join('\n')}\nCOMMIT\nEND`)
  const macs = new Map(parseLinks(ns.sh('ip -j addr'), 'a').map((l) => [l.name, l.mac]))
  const lines = shots.map((s, i) => `${s.device.replace('v', 'p')} ${macs.get(s.device)} ${s.src} ${s.dst} ${1000 + i}`)
  const sent = spawnSync('ip', ['netns', 'exec', ns.name, 'python3', join(import.meta.dirname, 'send-raw.py')], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
  })
  if (sent.status !== 0) throw new Error(sent.stderr)
  const counters = [...ns.sh(`${tool}-save -c -t mangle`).matchAll(/^\[(\d+):\d+\] -A/gm)].map((m) => Number(m[1]))
  const width = rules.length + 1
  return shots.map((_, i) => counters.slice(i * width, (i + 1) * width))
}
