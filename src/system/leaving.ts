/** What was made outside and must be taken away before the process ends, whatever ends it but SIGKILL: that is for time limits. */
type Undo = () => Promise<readonly string[]>

const undos = new Set<Undo>()
/** an API server that is down must not keep anybody from leaving */
const PATIENCE_MS = 10_000
/** ctrl-C is main.ts's */
const SIGNALS = [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const
let listening = false
let leaving = false

/** Has these signals end the process as an exit does, so that what listens to `exit` hears of it. */
export function exitOnSignals(): void {
  if (listening) return
  listening = true
  for (const [signal, code] of SIGNALS) process.on(signal, () => void leave(code))
}

/** Has `undo` done if the process is ended before the answer is called. It answers with what it could not undo, for people. */
export function onLeaving(undo: Undo): () => void {
  exitOnSignals()
  undos.add(undo)
  return () => void undos.delete(undo)
}

/** From the first signal on nothing may be finished any more. */
export const isLeaving = (): boolean => leaving

/** Ends the process, having undone what there is to undo; asked a second time, at once. */
export async function leave(code: number): Promise<void> {
  if (leaving || undos.size === 0) process.exit(code)
  leaving = true
  const undone = Promise.all([...undos].map((undo) => undo()))
  const late = new Promise<readonly string[][]>((resolve) =>
    setTimeout(resolve, PATIENCE_MS, [['not everything could be taken away in time']]),
  )
  // what an API server said may be part of it
  for (const text of (await Promise.race([undone, late])).flat()) process.stderr.write(`${text.replace(/[\p{Cc}\p{Cf}]/gu, '?')}\n`)
  process.exit(code)
}
