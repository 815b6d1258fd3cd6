import { parsePortSet, portSetText, without } from './port-set.ts'
import type { Recording } from './recording.ts'

/** The same change of the same ports, from every source to every destination. */
export interface RecordChange {
  readonly kind: 'opened' | 'closed' | 'unsure'
  /** of `unsure` both texts, as recorded and now */
  readonly ports: string
  readonly from: readonly string[]
  readonly to: readonly string[]
}

export interface RecordDiff {
  readonly changes: readonly RecordChange[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** What is allowed now and was not when it was recorded, and the other way round; among those that are in both. */
export function compareRecordings(before: Recording, now: Recording): RecordDiff {
  const [old, current] = [groupsByMember(before), groupsByMember(now)]
  const common = [...current.keys()].filter((name) => old.has(name)).sort()
  // those in one group before and in one now fare alike in both
  const parties = [...Map.groupBy(common, (name) => JSON.stringify([old.get(name), current.get(name)])).values()]
  const found: {
    readonly kind: RecordChange['kind']
    readonly ports: string
    readonly from: readonly string[]
    readonly to: readonly string[]
  }[] = []
  for (const from of parties) {
    for (const to of parties) {
      if (from === to && from.length === 1) continue
      const [was, is] = [textsOf(before, old, from, to), textsOf(now, current, from, to)]
      for (const change of changesBetween(was, is)) found.push({ ...change, from, to })
    }
  }
  return {
    changes: merged(found),
    added: [...current.keys()].filter((name) => !old.has(name)).sort(),
    removed: [...old.keys()].filter((name) => !current.has(name)).sort(),
  }
}

const groupsByMember = ({ groups }: Recording): ReadonlyMap<string, string> =>
  new Map([...groups].flatMap(([group, members]) => members.map((member) => [member, group] as const)))

interface Texts {
  readonly allowed: string
  readonly unsure: string
}

function textsOf(
  { allowed, unsure }: Recording,
  groups: ReadonlyMap<string, string>,
  from: readonly string[],
  to: readonly string[],
): Texts {
  const [source, destination] = [groups.get(from[0] ?? '') ?? '', groups.get(to[0] ?? '') ?? '']
  return { allowed: allowed.get(source)?.get(destination) ?? '', unsure: unsure.get(source)?.get(destination) ?? '' }
}

function changesBetween(was: Texts, is: Texts): { kind: RecordChange['kind']; ports: string }[] {
  const changes: { kind: RecordChange['kind']; ports: string }[] = []
  if (was.allowed !== is.allowed) {
    const [old, current] = [parsePortSet(was.allowed) ?? new Map(), parsePortSet(is.allowed) ?? new Map()]
    const [opened, closed] = [portSetText(without(current, old)), portSetText(without(old, current))]
    if (opened !== '') changes.push({ kind: 'opened', ports: opened })
    if (closed !== '') changes.push({ kind: 'closed', ports: closed })
  }
  if (was.unsure !== is.unsure) changes.push({ kind: 'unsure', ports: `${was.unsure || 'plain'} → ${is.unsure || 'plain'}` })
  return changes
}

/** Destinations of the same sources together, then sources of the same destinations. */
function merged(found: readonly RecordChange[]): readonly RecordChange[] {
  const byTo = [...Map.groupBy(found, ({ kind, ports, from }) => JSON.stringify([kind, ports, from])).values()].map((list) => ({
    ...(list[0] as RecordChange),
    to: list.flatMap(({ to }) => to).sort(),
  }))
  const merged = [...Map.groupBy(byTo, ({ kind, ports, to }) => JSON.stringify([kind, ports, to])).values()].map((list) => ({
    ...(list[0] as RecordChange),
    from: list.flatMap(({ from }) => from).sort(),
  }))
  return merged.toSorted((a, b) => ORDER[a.kind] - ORDER[b.kind])
}

const ORDER: Readonly<Record<RecordChange['kind'], number>> = { opened: 0, closed: 1, unsure: 2 }
