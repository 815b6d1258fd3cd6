/** Text in which `*` stands for any characters, also none. */
export interface Glob {
  /** as typed */
  readonly text: string
  readonly matches: (text: string) => boolean
}

/** `shop*`, `*-db`, `a*b*c`: parts in their order. Linear: each part is looked for once, from where the last one ended. */
export function glob(text: string): Glob {
  const parts = text.split('*')
  if (parts.length === 1) return { text, matches: (tried) => tried === text }
  const [first = ''] = parts
  const last = parts.at(-1) as string
  const middle = parts.slice(1, -1)
  return {
    text,
    matches: (tried) => {
      if (tried.length < first.length + last.length || !tried.startsWith(first) || !tried.endsWith(last)) return false
      let at = first.length
      const end = tried.length - last.length
      for (const part of middle) {
        const found = tried.indexOf(part, at)
        if (found < 0 || found + part.length > end) return false
        at = found + part.length
      }
      return true
    },
  }
}
