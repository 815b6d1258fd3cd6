/** What came of a shell script. */
export interface RanScript {
  readonly output: Buffer
  /** why it did not run to its end, in words */
  readonly failure?: string
}

/** To hear what a script prints as it prints it, and to end it early. */
export interface Listening {
  readonly heard?: (piece: Buffer) => void
  readonly signal?: AbortSignal
}

/** Runs the shell script somewhere, for so long at most, as root. Never rejects. */
export type RunScript = (script: string, args: readonly string[], patienceMs: number, listening?: Listening) => Promise<RanScript>

/** Bytes that a script may print: more of one node is no dump. */
export const LARGEST_OUTPUT = 512 * 2 ** 20

/** `sh` on this machine. */
export const runHere: RunScript = (script, args, patienceMs, listening) => run('sh', ['-s', '--', ...args], script, patienceMs, listening)

/**
 * `sh` on another machine, by the system's ssh and whatever ~/.ssh/config says; as root by `sudo -n` where the login is not root's. Never asks: no
 * password, no unknown host key. The remote command is ours alone; `host` is an argument of ssh, after `--`.
 */
export const runBySsh =
  (host: string): RunScript =>
  (script, args, patienceMs, listening) => {
    const sh = `sh -s -- ${args.map(quoted).join(' ')}`
    const remote = `sh -c 'if [ "$(id -u)" = 0 ]; then exec ${sh}; else exec sudo -n ${sh}; fi'`
    return run('ssh', ['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '--', host, remote], script, patienceMs, listening)
  }

/** Arguments are numbers and names as Kubernetes has them; anything else has no place inside the quotes. */
function quoted(word: string): string {
  if (!/^[a-z0-9._:/-]*$/.test(word)) throw new Error(`not a plain word: ${word}`)
  return word || '""'
}

async function run(
  file: string,
  args: readonly string[],
  input: string,
  patienceMs: number,
  { heard, signal }: Listening = {},
): Promise<RanScript> {
  const { execa } = await import('execa')
  const running = execa(file, args, {
    input,
    encoding: 'buffer',
    maxBuffer: LARGEST_OUTPUT,
    reject: false,
    stripFinalNewline: false,
    timeout: patienceMs,
    forceKillAfterDelay: 2000,
    ...(signal && { cancelSignal: signal }),
  })
  if (heard) running.stdout.on('data', heard)
  const ran = await running
  const output = Buffer.from(ran.stdout)
  if (!ran.failed) return { output }
  return { output, failure: failureOf(ran, file, patienceMs) }
}

interface Failed {
  readonly timedOut: boolean
  readonly isCanceled: boolean
  readonly isMaxBuffer: boolean
  readonly code?: string
  readonly exitCode?: number
  readonly signal?: string
  readonly stderr: Uint8Array
}

function failureOf(
  { timedOut, isCanceled, isMaxBuffer, code, exitCode, signal, stderr }: Failed,
  file: string,
  patienceMs: number,
): string {
  if (timedOut) return `out of time after ${patienceMs / 1000} s`
  if (isCanceled) return 'stopped'
  if (isMaxBuffer) return 'more output than a node can have'
  if (code === 'ENOENT') return `there is no ${file}`
  const said = Buffer.from(stderr).toString('utf8').trim().split('\n').at(-1)?.trim().slice(0, 300)
  return said || (exitCode === undefined ? `${file} was ended by ${signal ?? code}` : `${file} ended with ${exitCode}`)
}
