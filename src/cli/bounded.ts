import { Script } from 'node:vm'
import { ExitCode, NetctlError } from '../error.ts'
import { Interrupted } from './interrupted.ts'

/**
 * Runs `work` within a limit. Two clocks, since one is not enough: a timer can't fire while a walk keeps the thread busy, so
 * the synchronous part runs under V8's own watchdog, which also hears ctrl-C; what comes after an `await` races a timer.
 */
export async function bounded<T>(what: string, timeoutMs: number | undefined, work: () => T | Promise<T>): Promise<T> {
  const started = performance.now()
  const first = watched(what, timeoutMs, work)
  if (!(first instanceof Promise) || timeoutMs === undefined) return first
  const left = Math.max(1, timeoutMs - (performance.now() - started))
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(outOfTime(what, timeoutMs)), left)
  })
  // a straggler that fails after the race was lost must not become an unhandled rejection
  first.catch(() => undefined)
  return Promise.race([first, late]).finally(() => clearTimeout(timer))
}

const KEY = '__netctlWork'
/** A vm script sees only globals, so the work is handed over as one. */
const CALL = new Script(`globalThis.${KEY}()`)

/** Calls `work` where V8 can break into it: after the time, or at ctrl-C. */
function watched<T>(what: string, timeoutMs: number | undefined, work: () => T): T {
  Object.defineProperty(globalThis, KEY, { value: work, configurable: true })
  try {
    return CALL.runInThisContext({ breakOnSigint: true, ...(timeoutMs === undefined ? {} : { timeout: Math.ceil(timeoutMs) }) }) as T
  } catch (error) {
    const code = (error as { code?: unknown } | undefined)?.code
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw outOfTime(what, timeoutMs ?? 0)
    if (code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw new Interrupted()
    throw error
  } finally {
    Reflect.deleteProperty(globalThis, KEY)
  }
}

function outOfTime(what: string, timeoutMs: number): NetctlError {
  return new NetctlError({
    code: 'TIM001',
    message: `${what} took longer than the ${timeoutMs / 1000} s that --timeout allows`,
    try: 'give it more time, or ask for less',
    exitCode: ExitCode.unknown,
  })
}
