/** The smallest scenario that still disagrees in the same way: takes spaces and lines away, many at a time, as long as the difference stays. */
import { compareScenario, type Finding } from './compare.ts'
import type { Observation, Scenario, Space } from './scenario.ts'

const lists = [
  'ip',
  'ip6',
  'bridge',
  'sysctl',
  'ipset',
  'iptablesLegacy',
  'iptablesNft',
  'ip6tablesLegacy',
  'ip6tablesNft',
  'nft',
  'ipvsadm',
] as const

/** One line of one list of one space. */
interface Line {
  readonly space: string
  readonly list: (typeof lists)[number]
  readonly at: number
}

/** scenarios built and probed side by side */
const together = 10

type Run = (scenarios: readonly Scenario[]) => Promise<readonly Observation[]>

/** The difference that has to stay, and where to look for it. */
interface Like {
  readonly sort: string
  readonly run: Run
}

/** The scenario as small as it gets with the first probe that differs, as text for a person and as JSON for a test. */
export async function shrink(scenario: Scenario, findings: readonly Finding[], run: Run): Promise<string> {
  const at = findings.findIndex((f) => f.kind === 'differs')
  const probe = scenario.probes[at]
  const like = { sort: sortOf(findings[at]), run }
  if (!probe) return ''
  let small: Scenario = { ...scenario, probes: [probe] }
  if (!(await same([small], like))[0]) return `only beside the other probes:\n${JSON.stringify(scenario)}`
  small = await withoutSpaces(small, like)
  small = await withoutLines(small, like)
  return `smallest:\n${printScenario(small)}\n${await why(small, run)}`
}

async function withoutSpaces(scenario: Scenario, like: Like): Promise<Scenario> {
  let small = scenario
  for (const name of Object.keys(scenario.spaces)) {
    if (name === small.probes[0]?.from) continue
    const fewer = dropSpace(small, name)
    if ((await same([fewer], like))[0]) small = fewer
  }
  return small
}

/** Delta debugging: ever smaller pieces are left out; all pieces that can go one by one are tried together first. */
async function withoutLines(scenario: Scenario, like: Like): Promise<Scenario> {
  let lines = linesOf(scenario)
  for (let size = lines.length >> 1; size >= 1; ) {
    const pieces = chunks(lines, size)
    const spare: (readonly Line[])[] = []
    for (const group of chunks(pieces, together)) {
      const kept = await same(
        group.map((piece) => only(scenario, minus(lines, piece))),
        like,
      )
      spare.push(...group.filter((_, i) => kept[i]))
    }
    const without = minus(lines, spare.flat())
    if (spare.length > 1 && (await same([only(scenario, without)], like))[0]) lines = without
    else if (spare[0]) lines = minus(lines, spare[0])
    if (spare.length === 0) size = size === 1 ? 0 : size >> 1
    else size = Math.min(size, Math.max(1, lines.length >> 1))
  }
  return only(scenario, lines)
}

const linesOf = (s: Scenario): readonly Line[] =>
  Object.entries(s.spaces).flatMap(([space, it]) => lists.flatMap((list) => (it[list] ?? []).map((_, at) => ({ space, list, at }))))

const minus = (lines: readonly Line[], gone: readonly Line[]): readonly Line[] => {
  const out = new Set(gone)
  return lines.filter((l) => !out.has(l))
}

function chunks<T>(list: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}

/** The scenario with these lines alone. */
function only(s: Scenario, lines: readonly Line[]): Scenario {
  const kept = new Set(lines.map((l) => `${l.space} ${l.list} ${l.at}`))
  const spaces = Object.entries(s.spaces).map(([name, space]) => [
    name,
    mapLists(space, (list, line, at) => (kept.has(`${name} ${list} ${at}`) ? line : undefined)),
  ])
  return { ...s, spaces: Object.fromEntries(spaces) as Scenario['spaces'] }
}

function mapLists(space: Space, map: (list: Line['list'], line: string, at: number) => string | undefined): Space {
  const out: Record<string, unknown> = { ...space }
  for (const list of lists) {
    const kept = space[list]?.flatMap((line, at) => map(list, line, at) ?? [])
    if (kept && kept.length > 0) out[list] = kept
    else delete out[list]
  }
  return out as unknown as Space
}

/** Without the space, its cables, and what names the devices at their other ends. */
function dropSpace(s: Scenario, name: string): Scenario {
  const { [name]: _, ...spaces } = s.spaces
  const gone = s.wires.filter((w) => [w.a, w.b].some((end) => end.startsWith(`${name}/`)))
  const ends = gone.flatMap((w) => [w.a, w.b])
  const kept = Object.entries(spaces).map(([other, space]) => {
    const devices = ends.filter((end) => end.startsWith(`${other}/`)).map((end) => end.slice(end.indexOf('/') + 1))
    return [other, mapLists(space, (_list, line) => (devices.some((d) => line.split(/[\s=.]/).includes(d)) ? undefined : line))]
  })
  return { ...s, spaces: Object.fromEntries(kept) as Scenario['spaces'], wires: s.wires.filter((w) => !gone.includes(w)) }
}

const sortOf = (f: Finding | undefined): string => (f?.kind === 'differs' ? f.sort : '')

/** Which of these scenarios differ in that way? */
async function same(group: readonly Scenario[], { sort, run }: Like): Promise<readonly boolean[]> {
  const observed = await run(group)
  return group.map((s, i) => {
    const o = observed[i]
    return o !== undefined && 'files' in o && compareScenario(s, o).some((f) => sortOf(f) === sort)
  })
}

async function why(s: Scenario, run: Run): Promise<string> {
  const [o] = await run([s])
  if (!o || 'error' in o) return ''
  return compareScenario(s, o)
    .flatMap((f) => (f.kind === 'differs' ? [f.how] : []))
    .join('\n')
}

export function printScenario(s: Scenario): string {
  const text = Object.entries(s.spaces).flatMap(([name, space]) => [
    `  ${name} (${space.kind})`,
    ...lists.flatMap((list) => (space[list] ? [`    ${list}:`, ...space[list].map((line) => `      ${line}`)] : [])),
  ])
  return [...text, `  wires ${s.wires.map((w) => `${w.a} - ${w.b}`).join(', ')}`, JSON.stringify(s)].join('\n')
}
