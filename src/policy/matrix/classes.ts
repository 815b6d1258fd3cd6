/** Endpoints in classes that nothing tells apart so far. */
export interface Classes {
  /** by endpoint: the class it is in; -1: in none */
  readonly of: Int32Array
  /** by class: its first member, which stands for all */
  readonly first: readonly number[]
}

/** All of them in one class. */
export function oneClass(size: number, members: readonly number[]): Classes {
  const of = new Int32Array(size).fill(-1)
  for (const member of members) of[member] = 0
  return { of, first: members.slice(0, 1) }
}

/** Splits classes where members have different numbers. */
export function splitBy({ of }: Classes, numbers: Int32Array): Classes {
  const next = new Int32Array(of.length).fill(-1)
  const first: number[] = []
  const known = new Map<number, number>()
  for (let index = 0; index < of.length; index++) {
    if (of[index] === -1) continue
    // both are below the number of endpoints, so that no two pairs give one key
    const key = (of[index] as number) * of.length + (numbers[index] as number)
    let found = known.get(key)
    if (found === undefined) known.set(key, (found = first.push(index) - 1))
    next[index] = found
  }
  return { of: next, first }
}

/** Endpoints that are in one class by both. */
export const crossed = (x: Classes, y: Classes): Int32Array => splitBy(x, y.of).of
