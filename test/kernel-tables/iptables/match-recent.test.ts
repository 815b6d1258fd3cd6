import { describe, expect, test } from 'vitest'
import type { RecentEntry } from '../../../src/kernel/iptables/env.ts'
import { matches } from '../../../src/kernel/iptables/match.ts'
import { ask, makeEnv, rule } from './packet-env.ts'

const check = '-m recent --rcheck --seconds 5 --reap --name KUBE-SEP-X --mask 255.255.255.255 --rsource'
const clock = { jiffies: 4306368662, hz: 250 }
/** who was seen so many seconds ago */
const seen = (address: string, ...ago: number[]) => ({
  clock,
  recent: (_: string, one: { readonly text: string }): RecentEntry | undefined =>
    one.text === address ? { stamps: ago.map((s) => clock.jiffies - s * clock.hz), now: 0 } : undefined,
})

describe('recent', () => {
  test('a list that was not dumped counts as empty', () => {
    expect(ask(check)).toBe('assumed no')
    expect(ask(check.replace('--rcheck', '! --rcheck'))).toBe('assumed yes')
    expect(ask('-m recent --set --name KUBE-SEP-X --mask 255.255.255.255 --rsource')).toBe(true)
    expect(ask('-m recent ! --set --name KUBE-SEP-X --mask 255.255.255.255 --rsource')).toBe(false)
  })

  test('a dumped list says who is in it, and the clock since when', () => {
    expect(ask(check, seen('10.244.0.9', 1))).toBe(false)
    expect(ask(check, seen('10.244.0.5', 1))).toBe(true)
    expect(ask(check, seen('10.244.0.5', 5))).toBe(true)
    expect(ask(check, seen('10.244.0.5', 5.004))).toBe(false)
    expect(ask(check, seen('10.244.0.5', 8, 6, 4))).toBe(true)
    expect(ask(check.replace('--rcheck', '! --rcheck'), seen('10.244.0.5', 6))).toBe(true)
    expect(ask('-m recent --rcheck --name x --mask 255.255.255.255 --rsource', seen('10.244.0.5', 1e6))).toBe(true)
  })

  test('without the clock, an entry may be of any age', () => {
    const entry = { recent: seen('10.244.0.5', 1).recent }
    expect(ask(check, entry)).toBe('unknown')
    expect(ask(check.replace('--rcheck', '! --rcheck'), entry)).toBe('unknown')
    expect(ask('-m recent --rcheck --name x --mask 255.255.255.255 --rsource', entry)).toBe(true)
    expect(ask(check, { recent: seen('10.244.0.9', 1).recent })).toBe(false)
  })

  test('a question some time after the dump', () => {
    expect(ask(check, { ...seen('10.244.0.5', 1), elapsed: { atLeast: 2, atMost: 4 } })).toBe(true)
    expect(ask(check, { ...seen('10.244.0.5', 1), elapsed: { atLeast: 5, atMost: 6 } })).toBe(false)
    expect(ask(check, { ...seen('10.244.0.5', 1), elapsed: { atLeast: 3, atMost: 5 } })).toBe('unknown')
  })

  test('how often, masks, the destination', () => {
    const update = '-m recent --update --hitcount 3 --name x --mask 255.255.255.255 --rsource'
    expect(ask(update, seen('10.244.0.5', 1, 2))).toBe(false)
    expect(ask(update, seen('10.244.0.5', 1, 2, 3))).toBe(true)
    const lately = update.replace('--hitcount', '--seconds 60 --hitcount')
    expect(ask(lately, seen('10.244.0.5', 70, 50, 40, 30))).toBe(true)
    expect(ask(lately, seen('10.244.0.5', 80, 70, 40, 30))).toBe(false)
    expect(ask('-m recent --rcheck --name x --mask 255.255.255.0 --rsource', seen('10.244.0.0', 1))).toBe(true)
    expect(ask('-m recent --remove --name x --mask 255.255.255.255 --rdest', seen('10.96.0.10', 1))).toBe(true)
    // what iptables prints of 4294967295 (UINT32_MAX)
    expect(rule(check.replace('5', '-1')).matches[0]).toMatchObject({ seconds: 4294967295 })
  })
})

describe('what a packet leaves behind', () => {
  const set = '-m recent --set --name x --mask 255.255.255.255 --rsource'
  const rcheck = '-m recent --rcheck --seconds 5 --name x --mask 255.255.255.255 --rsource'

  /** Which of the rules the packet matches, one after the other. */
  function all(words: readonly string[], dumped?: RecentEntry): (boolean | string)[] {
    const kept = new Map<string, RecentEntry | undefined>([['x 10.244.0.5', dumped]])
    const { env, asked } = makeEnv({
      clock,
      recent: (list, { text }) => kept.get(`${list} ${text}`),
      keepRecent: (list, { text }, entry) => void kept.set(`${list} ${text}`, entry),
    })
    const answers = words.map((w) => matches(rule(w), env))
    expect(asked.unknown).toEqual([])
    return answers
  }

  test('--set is seen by the rules behind it, if the matches before it held', () => {
    expect(all([rcheck, set, rcheck])).toEqual([false, true, true])
    expect(all([`-p tcp -m tcp --dport 81 ${set}`, rcheck])).toEqual([false, false])
    expect(all([`-p tcp ${set} -m tcp --dport 81`, rcheck])).toEqual([false, true])
    expect(all([set.replace('--set', '! --set'), rcheck])).toEqual([false, true])
  })

  test('it is one hit more', () => {
    const knock = rcheck.replace('--seconds 5', '--seconds 60 --hitcount 4')
    const young = { stamps: [0, 1, 2].map((s) => clock.jiffies - s), now: 0 }
    expect(all([knock, set, knock], young)).toEqual([false, true, true])
    expect(all([set, knock], { ...young, stamps: young.stamps.slice(1) })).toEqual([true, false])
  })

  test('--update counts if it matches, and makes no entry', () => {
    const update = rcheck.replace('--rcheck', '--update')
    const twice = rcheck.replace('--seconds 5', '--hitcount 2')
    expect(all([update, rcheck])).toEqual([false, false])
    expect(all([update, twice], { stamps: [clock.jiffies], now: 0 })).toEqual([true, true])
    // “info->check_set & XT_RECENT_UPDATE && ret”: inverted, it is the entry that is not young that is renewed
    const old = { stamps: [clock.jiffies - 5000], now: 0 }
    expect(all([update, rcheck], old)).toEqual([false, false])
    expect(all([update.replace('--update', '! --update'), rcheck], old)).toEqual([true, true])
  })

  test('--remove takes it out', () => {
    const remove = '-m recent --remove --name x --mask 255.255.255.255 --rsource'
    expect(all([set, remove, remove, rcheck])).toEqual([true, true, false, false])
  })
})
