/** Random native tables for `nft -f`, one command a line: base chains at all sorts of priorities, sets and maps, NAT, and rules that use them. */
import { features, makeRule } from './nft-rules.ts'
import { makeSets } from './nft-sets.ts'
import { add, type Hook, hooks, type Kind, type Place, type Table } from './nft-table.ts'
import type { Pool } from './values.ts'

export function makeNftables(pool: Pool): readonly string[] {
  const { r, net } = pool
  const lines: string[] = []
  for (let i = r.pick([1, 1, 2, 2, 3]); i > 0; i--) {
    const inet = r.chance(0.4)
    makeTable({ pool, name: `${inet ? 'inet' : net.family === 4 ? 'ip' : 'ip6'} t${i}`, inet, lines, sets: [], maps: [] })
  }
  return lines
}

function makeTable(t: Table): void {
  const { r } = t.pool
  t.lines.push(`add table ${t.name}`)
  const users: Readonly<Record<'filter' | 'dst' | 'src', readonly string[]>> = {
    filter: ['u1', 'u2', 'u3'],
    dst: ['d1', 'd2'],
    src: ['s1', 's2'],
  }
  for (const name of Object.values(users).flat()) t.lines.push(`add chain ${t.name} ${name}`)
  makeSets(t)
  for (const [group, names] of Object.entries(users)) {
    const kind = group as Kind
    for (const [i, name] of names.entries()) {
      const place: Place = { kind, hook: undefined, priority: 0, users: names.slice(i + 1) }
      for (let k = r.below(4); k > 0; k--) add(t, name, makeRule(t, place))
    }
  }
  for (const hook of hooks)
    if (r.chance(0.45)) addBase(t, `f-${hook}`, { kind: 'filter', hook, priority: priority(t, hook), users: users.filter })
  if (r.chance(0.2)) addBase(t, 'r-output', { kind: 'route', hook: 'output', priority: -150, users: users.filter })
  for (const hook of ['prerouting', 'output'] as const)
    if (r.chance(0.5)) addBase(t, `n-${hook}`, { kind: 'dst', hook, priority: r.pick([-100, -100, -90]), users: users.dst })
  if (r.chance(0.5)) addBase(t, 'n-postrouting', { kind: 'src', hook: 'postrouting', priority: r.pick([100, 100, 110]), users: users.src })
}

const priority = (t: Table, hook: Hook) =>
  t.pool.r.pick(hook === 'prerouting' || hook === 'output' ? [-300, -300, -150, -10, 0, 0, 10] : [-150, -10, 0, 0, 10, 50])

function addBase(t: Table, name: string, place: Place): void {
  const { r } = t.pool
  const type = place.kind === 'dst' || place.kind === 'src' ? 'nat' : place.kind
  const drops = type === 'filter' && ['input', 'forward', 'output'].includes(place.hook ?? '') && r.chance(0.1)
  t.lines.push(
    `add chain ${t.name} ${name} { type ${type} hook ${place.hook} priority ${place.priority} ; policy ${drops ? 'drop' : 'accept'} ; }`,
  )
  // neighbour discovery passes: what one side learns of the other from an earlier packet is in no dump
  if (t.pool.net.family === 6 && type !== 'nat' && place.hook !== 'forward')
    add(t, name, 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept')
  for (let k = r.pick([1, 2, 3, 4]); k > 0; k--) add(t, name, makeRule(t, place))
  if (!drops) return
  if (r.chance(0.8)) add(t, name, 'ct state established,related accept')
  add(t, name, `meta l4proto ${r.pick(['tcp', 'udp'])} accept`)
  for (let k = 0; k < 2; k++) add(t, name, `${features(t, 1).join(' ')} accept`)
}
