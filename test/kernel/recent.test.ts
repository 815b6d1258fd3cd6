/**
 * How old the kernel takes entries of `-m recent` to be: one packet passes rules with other seconds and counts each, and counters tell which matched. By
 * the kernel's clock read before it and after it, the model has to say the same.
 */
import { setTimeout as nap } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AT_ONCE } from '../../src/kernel/elapsed.ts'
import { matches } from '../../src/kernel/iptables/match.ts'
import { parseIptablesSave } from '../../src/kernel/iptables/parse.ts'
import { parseClock } from '../../src/kernel/recent/clock.ts'
import { parseRecent } from '../../src/kernel/recent/parse.ts'
import { makeEnv, udp } from '../kernel-tables/iptables/packet-env.ts'
import { needs } from '../support/needs.ts'
import { makeNamespace, type Namespace } from './namespace.ts'

/** Three times that an address was seen: more than two seconds ago, then twice just now. */
const AGE_MS = 2100
const READ_CLOCK = "sed -n -e '/^now at /p' -e '/^jiffies: /{p;q;}' /proc/timer_list"

const families = [
  { family: 4, iptables: 'iptables', address: '127.0.0.1' },
  { family: 6, iptables: 'ip6tables', address: '::1' },
] as const
const backends = ['nft', 'legacy'] as const
const cases = families.flatMap((f) => backends.map((backend) => ({ ...f, backend })))

function questions(hz: number): readonly string[] {
  // seconds · HZ is a little more than 2^32, and so about as much as nothing
  const wrapped = Math.ceil(2 ** 32 / hz)
  const seconds = [1, 2, 3, 4, 1000, wrapped, 4294967295]
  const counts = ['', ' --hitcount 1', ' --hitcount 2', ' --hitcount 3', ' --hitcount 4']
  return [
    ...seconds.flatMap((s) => counts.flatMap((count) => [`--rcheck --seconds ${s}${count}`, `! --rcheck --seconds ${s}${count}`])),
    ...counts.map((count) => `--rcheck${count}`),
  ]
}

describe.runIf(needs('root', 'ip', 'iptables-restore', 'python3'))('the age of entries of -m recent', () => {
  let ns: Namespace
  const clock = () => parseClock(ns.sh(READ_CLOCK), 'jiffies.txt')

  beforeAll(async () => {
    ns = makeNamespace()
    ns.sh('ip link set lo up')
    // five minutes after the machine's start it can't be told for some seconds
    while (clock().hz === undefined) await nap(1000)
    const { hz = 0 } = clock()
    for (const { iptables, backend } of cases) {
      const list = `${iptables}-${backend}`
      const rules = questions(hz).map((q) => `-A OUTPUT -p udp -m recent ${q} --name ${list} --rdest`)
      ns.sh(`${iptables}-${backend}-restore <<'.'\n*filter\n${rules.join('\n')}\nCOMMIT\n.`)
    }
    const see = () => {
      for (const { iptables, backend, address } of cases) ns.sh(`echo +${address} > /proc/net/xt_recent/${iptables}-${backend}`)
    }
    see()
    await nap(AGE_MS)
    see()
    see()
  })
  afterAll(() => ns.remove())

  test.each(cases)('$iptables-$backend', ({ family, iptables, backend, address }) => {
    const lists = parseRecent(ns.sh('head -n 1000 /dev/null /proc/net/xt_recent/*'))
    const stamps = lists.get(`${iptables}-${backend}`)?.get(address)
    expect(stamps).toHaveLength(3)
    ns.sh(`${iptables}-${backend} -Z OUTPUT`)
    const before = clock()
    ns.sh(`python3 -c 'from socket import *; socket(AF_INET${family === 6 ? 6 : ''}, SOCK_DGRAM).sendto(b"x", ("${address}", 7))'`)
    const after = clock()
    const dump = parseIptablesSave(ns.sh(`${iptables}-${backend}-save -c`), 'x', family)
    const rules = dump.tables[0]?.chains.get('OUTPUT')?.rules ?? []
    const asked = questions(before.hz ?? 0)
    expect(rules).toHaveLength(asked.length)
    const predicted = (at: typeof before) => {
      const { env, asked: doubts } = makeEnv({
        packet: udp({ from: address, to: address }),
        hook: 'OUTPUT',
        clock: { jiffies: at.jiffies, hz: at.hz ?? 0 },
        elapsed: AT_ONCE,
        recent: () => ({ stamps, now: 0 }),
      })
      const answers = rules.map((rule) => matches(rule, env))
      expect(doubts).toEqual({ unknown: [], chances: [], assumed: [] })
      return answers
    }
    const [early, late] = [predicted(before), predicted(after)]
    const wrong = rules.flatMap((rule, i) => {
      const matched = rule.counters?.packets === 1
      return matched === early[i] || matched === late[i] ? [] : [`${asked[i]}: ${matched}`]
    })
    expect(wrong).toEqual([])
  })
})
