/** The small alphabets that random clusters are spelled with: few labels, addresses and ports, so that things often match. */
import type { Random } from '../../kernel/random.ts'

/** labels of pods, network sets and host endpoints */
export const podLabels = { app: ['a', 'b', 'ab'], role: ['x', 'y'] } as const
export const namespaceLabels = { env: ['dev', 'prod'], team: ['red', 'blue'] } as const
export const accountLabels = { grade: ['low', 'high'] } as const

export const namespaces = ['red', 'blue', 'green', 'grey'] as const
export const accounts = ['default', 'builder', 'reader'] as const
export const services = ['front', 'back'] as const
export const tiers = ['early', 'security', 'late'] as const
export const protocols = ['TCP', 'UDP', 'SCTP'] as const
export const portNumbers = [53, 80, 443, 8080] as const
export const portNames = ['http', 'dns', 'api'] as const

/** blocks that hold pods, nodes, outsiders, or all; each without host bits */
const cidrs4 = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.0.0.0/23',
  '10.0.1.0/24',
  '10.0.1.0/31',
  '10.0.1.2/32',
  '192.168.0.0/30',
  '203.0.113.0/24',
  '203.0.113.7/32',
  '128.0.0.0/1',
]
const cidrs6 = ['::/0', 'fd00::/16', 'fd00:0:0:1::/64', 'fd00:0:0:1::2/128', 'fd00:0:0:ff::/126', '2001:db8::/32', '8000::/1']
export const outsiders = ['203.0.113.7', '198.51.100.9', '2001:db8::7'] as const

export const cidr = (random: Random, family: 4 | 6): string => random.pick(family === 4 ? cidrs4 : cidrs6)

/** some items, at least `least`, each once, in the list's order */
export function some<T>(random: Random, list: readonly T[], least: number): T[] {
  const wanted = Math.max(least, random.below(list.length + 1))
  const left = [...list]
  const taken = new Set<T>()
  while (taken.size < wanted && left.length > 0) taken.add(left.splice(random.below(left.length), 1)[0] as T)
  return list.filter((item) => taken.has(item))
}

export function times<T>(random: Random, least: number, most: number, make: (index: number) => T): T[] {
  return Array.from({ length: least + random.below(most - least + 1) }, (_, index) => make(index))
}

/** The field with a chance of p; to be spread into an object. */
export function maybe<T extends object>(random: Random, p: number, make: () => T): T | Record<string, never> {
  return random.chance(p) ? make() : {}
}

/** some of the labels of an alphabet, any of them may lack */
export function labels(random: Random, alphabet: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  const chosen: Record<string, string> = {}
  for (const [key, values] of Object.entries(alphabet)) if (random.chance(0.75)) chosen[key] = random.pick(values)
  return chosen
}
