/** The time of a fake cluster: it goes as ours does, and can be moved on. */
export interface Clock {
  now(): number
  /** `ms` from now; the answer calls it off */
  after(ms: number, what: () => void): () => void
  /** What was due meanwhile has happened when it returns. */
  advance(ms: number): void
  stop(): void
}

export function makeClock(): Clock {
  let ahead = 0
  let due: { readonly at: number; readonly what: () => void }[] = []
  let timer: NodeJS.Timeout | undefined
  const now = () => Date.now() + ahead
  const next = () => due.toSorted((a, b) => a.at - b.at)[0]
  const set = (): void => {
    clearTimeout(timer)
    const first = next()
    if (first) timer = setTimeout(run, Math.min(Math.max(0, first.at - now()), 2 ** 30)).unref()
  }
  const run = (): void => {
    for (let first = next(); first && first.at <= now(); first = next()) {
      due = due.filter((one) => one !== first)
      first.what()
    }
    set()
  }
  return {
    now,
    after(ms, what) {
      const one = { at: now() + ms, what }
      due.push(one)
      set()
      return () => {
        due = due.filter((other) => other !== one)
      }
    },
    advance(ms) {
      const until = now() + ms
      // one after the other, each at its own time: what happens may make more happen
      for (let first = next(); first && first.at <= until; first = next()) {
        ahead += Math.max(0, first.at - now())
        run()
      }
      ahead += Math.max(0, until - now())
      run()
    },
    stop() {
      due = []
      clearTimeout(timer)
    },
  }
}
