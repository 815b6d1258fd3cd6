import type { PortSpec } from './types.ts'

/** One option of a match as printed: `! --dport 80` is {not, name: '--dport', args: ['80']}. */
export interface Option {
  readonly not: boolean
  readonly name: string
  readonly args: readonly string[]
}

/**
 * Groups words into options by the number of values that each option takes. Undefined when there is an option that `arity` doesn't
 * know, a value is missing, or the spacing is unusual: the caller then keeps the words as they are.
 */
export function readOptions(words: readonly string[], arity: Readonly<Record<string, number>>): Option[] | undefined {
  const options: Option[] = []
  let i = 0
  while (i < words.length) {
    const not = words[i] === '!'
    if (not) i++
    const name = words[i++]
    const n = name === undefined || !Object.hasOwn(arity, name) ? undefined : arity[name]
    if (name === undefined || n === undefined || i + n > words.length) return undefined
    const args = words.slice(i, i + n)
    if (args.includes('')) return undefined
    i += n
    options.push({ not, name, args })
  }
  return options
}

/** `80`, `80:90`, `80-90` (or open on one side, as ip(6)tables accepts it); undefined if it is none. */
export function parsePorts(text: string | undefined, separator = ':'): PortSpec | undefined {
  if (text === undefined) return undefined
  const at = text.indexOf(separator)
  if (at < 0) {
    const n = portNumber(text)
    return n === undefined ? undefined : { lo: n, hi: n }
  }
  const lo = at === 0 ? 0 : portNumber(text.slice(0, at))
  const hi = at === text.length - 1 ? 65535 : portNumber(text.slice(at + 1))
  return lo === undefined || hi === undefined ? undefined : { lo, hi }
}

function portNumber(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined
}

/** `80` or `80:90`, as iptables prints them. */
export const formatPorts = ({ lo, hi }: PortSpec): string => (lo === hi ? String(lo) : `${lo}:${hi}`)
