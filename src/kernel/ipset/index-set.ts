import type { Member, MemberPart, SetIndex } from './types.ts'

/**
 * Index over members, in the order in which the kernel finds them: hash types with networks try the lengths that occur, longest
 * first, and take the first hit (ip_set_hash_gen.h, mtype_test_cidrs); with two networks the second goes from longest to shortest
 * within each length of the first.
 */
export function indexSet(members: readonly Member[]): SetIndex {
  const exact = new Map<string, Member[]>()
  const rest: Member[] = []
  let sorted = true
  for (const member of members) {
    const key = exactKey(member.parts[0])
    if (key === undefined) {
      rest.push(member)
      continue
    }
    const list = exact.get(key)
    if (list) {
      list.push(member)
      sorted = false
    } else exact.set(key, [member])
  }
  if (!sorted) for (const list of exact.values()) if (list.length > 1) list.sort(bySpecific)
  return { exact, rest: rest.sort(bySpecific) }
}

/** An address by its text, a port of bitmap:port by its number. */
function exactKey(part: MemberPart | undefined): string | undefined {
  if (part?.kind === 'net') return part.prefix.length === (part.prefix.ip.family === 4 ? 32 : 128) ? part.prefix.ip.text : undefined
  return part?.kind === 'port' && part.lo === part.hi ? String(part.lo) : undefined
}

function bySpecific(x: Member, y: Member): number {
  return lengthOf(y, 0) - lengthOf(x, 0) || secondLength(y) - secondLength(x)
}

function lengthOf(member: Member, at: number): number {
  const part = member.parts[at]
  return part?.kind === 'net' ? part.prefix.length : -1
}

/** The second network stands second (net,net) or third (net,port,net; ip,port,net). */
const secondLength = (member: Member): number => Math.max(lengthOf(member, 1), lengthOf(member, 2))
