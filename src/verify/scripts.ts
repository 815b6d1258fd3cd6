import { rulesText } from './rules.ts'
import type { Probe, Tuple, WatchOrder } from './types.ts'
import { addressWord, hexWord, idWord, numberWord, probeWord, spaceWords } from './words.ts'

/** What our package ships of the scripts (bin/node). */
export interface ScriptTexts {
  /** of the shell: `watch`, `stop`, `probe` and what they need */
  readonly functions: string
  /** probe.pl */
  readonly perlProber: string
  /** probe.py */
  readonly pythonProber: string
}

/** Watches packets on a node; says `armed` when it does. Its output is for `readWatch`. */
export function watchScript(order: WatchOrder, texts: ScriptTexts): string {
  const { rules, elements } = rulesText(order)
  return [
    ...common(order.id, texts),
    `seconds=${numberWord(order.seconds, 86400)}`,
    fed('spaces', order.spaces.map((space, i) => `${i} ${spaceWords(space)}\n`).join('')),
    fed('rules', rules),
    fed('elements', elements),
    fed('patterns', `${patterns(order.tuples).join('\n')}\n`),
    'watch\n',
  ].join('\n')
}

/** Ends the watch of this id on a node. */
export const stopScript = (id: string, texts: ScriptTexts): string => [...common(id, texts), 'stop\n'].join('\n')

/** Sends probes from a node, side by side. Its output is for `readProbes`. */
export function probeScript(id: string, probes: readonly Probe[], texts: ScriptTexts): string {
  const spaces = [...new Set(probes.map((probe) => spaceWords(probe.space)))]
  const longest = Math.max(0, ...probes.map((probe) => probe.patienceMs))
  const lines = probes.map((probe) => `${spaces.indexOf(spaceWords(probe.space))} ${probeLine(probe)}\n`)
  // eight at a time in a space, four spaces at a time, and some time to begin
  const seconds = 20 + Math.ceil((Math.ceil(probes.length / 8) * Math.ceil(spaces.length / 4) * longest) / 1000)
  return [
    ...common(id, texts),
    `seconds=${numberWord(seconds, 86400)}`,
    fed('spaces', spaces.map((space, i) => `${i} ${space}\n`).join('')),
    fed('probes', lines.join('')),
    fed('perl_prober', texts.perlProber),
    fed('python_prober', texts.pythonProber),
    'probe\n',
  ].join('\n')
}

/** `-` is what is absent. */
function probeLine({ id, proto, src, dst, sport, dport, data, size, patienceMs }: Probe): string {
  const or = <T>(value: T | undefined, word: (value: T) => string) => (value === undefined ? '-' : word(value) || '-')
  const upTo = (most: number) => (n: number) => numberWord(n, most)
  return [
    probeWord(id),
    proto,
    or(src, addressWord),
    addressWord(dst),
    numberWord(sport, 65535),
    or(dport, upTo(65535)),
    or(data, hexWord),
    or(size, upTo(65507)),
    numberWord(patienceMs, 60_000),
  ].join(' ')
}

const common = (id: string, { functions }: ScriptTexts): readonly string[] => [`id=${idWord(id)}`, functions]

/** A shell function that prints a text as it is. */
const fed = (name: string, text: string): string => {
  if (/^END$/m.test(text)) throw new TypeError(`${name} can't be fed`)
  return `${name}() { cat <<'END'\n${text}END\n}`
}

/** How conntrack prints what is known of each tuple, as far as it goes without a gap; more is told apart where it is read. */
function patterns(tuples: readonly Tuple[]): readonly string[] {
  return [
    ...new Set(
      tuples.flatMap(({ src, dst, sport, dport, inside }) => {
        if (inside) return []
        const known = [
          src && `src=${addressWord(src)}`,
          dst && `dst=${addressWord(dst)}`,
          sport === undefined ? undefined : `sport=${numberWord(sport, 65535)}`,
          dport === undefined ? undefined : `dport=${numberWord(dport, 65535)}`,
        ]
        const first = known.findIndex((word) => word !== undefined)
        const gap = known.findIndex((word, i) => i > first && word === undefined)
        return [`${known.slice(first, gap < 0 ? known.length : gap).join(' ')} `]
      }),
    ),
  ]
}
