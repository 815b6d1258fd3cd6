/** The smallest form of a value that still has a property: whatever can be left out is, key by key and item by item. */

/** Tries to leave out each part of a plain value, the large ones first, until nothing more can go. */
export function shrink<T>(value: T, still: (smaller: T) => boolean): T {
  let best = value
  for (let found = true; found; ) {
    found = false
    for (const path of pathsOf(best)) {
      const smaller = without(best, path) as T
      if (!holds(smaller, still)) continue
      best = smaller
      found = true
      break
    }
  }
  return best
}

/** What throws (a refused object, an end that is gone) has not the property. */
function holds<T>(value: T, still: (smaller: T) => boolean): boolean {
  try {
    return still(value)
  } catch {
    return false
  }
}

type Path = readonly (string | number)[]

/** Ways to every part, a whole before its parts. */
function pathsOf(value: unknown): Path[] {
  const paths: Path[] = []
  const queue: Path[] = [[]]
  for (let path = queue.shift(); path; path = queue.shift()) {
    if (path.length > 0) paths.push(path)
    const part = at(value, path)
    if (Array.isArray(part)) for (const index of part.keys()) queue.push([...path, index])
    else if (typeof part === 'object' && part !== null) for (const key of Object.keys(part)) queue.push([...path, key])
  }
  return paths
}

function at(value: unknown, path: Path): unknown {
  let part = value
  for (const key of path) part = (part as Record<string | number, unknown>)[key]
  return part
}

function without(value: unknown, path: Path): unknown {
  const copy = structuredClone(value)
  const whole = at(copy, path.slice(0, -1))
  const key = path.at(-1)
  if (Array.isArray(whole)) whole.splice(Number(key), 1)
  else delete (whole as Record<string, unknown>)[String(key)]
  return copy
}
