import { arr, rec, str } from '../cluster/items.ts'
import { LARGEST_OUTPUT, type RunScript } from '../system/run-script.ts'
import type { OpenContext } from './kubeconfig.ts'

/** A container that runs, and how a shell that reads a script from its stdin is started in it. */
export interface Container {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** the command for a script's arguments; no shell joins or splits its words */
  readonly command: (args: readonly string[]) => readonly string[]
}

/** First byte of a message (k8s.io/apimachinery/pkg/util/remotecommand). */
const STDIN = 0
const STDOUT = 1
const STDERR = 2
const STATUS = 3
/** v5 can close stdin, and v4 can't: here the script ends itself, so that both do */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const HANDSHAKE_MS = 30_000
/** servers send some 32 KiB at a time */
const LARGEST_MESSAGE = 16 * 2 ** 20
/** of what is sent: less than any server refuses */
const PIECE = 16 * 1024

/** A script in a container, by `pods/exec`. What came before the connection was cut is kept. */
export const runByExec =
  (open: OpenContext, at: Container): RunScript =>
  async (script, args, patienceMs, { heard, signal } = {}) => {
    let socket: Awaited<ReturnType<typeof connect>>
    try {
      socket = await connect(open, at, args)
    } catch (error) {
      return { output: Buffer.alloc(0), failure: `no connection to ${at.pod}: ${message(error)}` }
    }
    const pieces: Buffer[] = []
    let size = 0
    let said = Buffer.alloc(0)
    return new Promise((resolve) => {
      const end = (failure?: string): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', stop)
        socket.terminate()
        resolve({ output: Buffer.concat(pieces), ...(failure !== undefined && { failure }) })
      }
      const stop = (): void => end('stopped')
      const timer = setTimeout(() => end(`out of time after ${patienceMs / 1000} s`), patienceMs)
      signal?.addEventListener('abort', stop)
      let refused: Promise<string> | undefined
      socket.on('unexpected-response', (_, response) => {
        refused = refusal(at, response.statusCode ?? 0, response)
        void refused.then(end)
      })
      socket.on('error', (error) => refused ?? end(`no connection to ${at.pod}: ${message(error)}`))
      socket.on('close', () => refused ?? end(`the connection to ${at.pod} was cut`))
      socket.on('open', () => {
        const text = Buffer.from(`${script}\nexit\n`)
        for (let i = 0; i < text.length; i += PIECE) socket.send(Buffer.concat([Buffer.from([STDIN]), text.subarray(i, i + PIECE)]))
      })
      socket.on('message', (bytes) => {
        const data = bytes.subarray(1)
        // servers begin with one of each channel
        if (data.length === 0) return
        switch (bytes[0]) {
          case STDOUT:
            size += data.length
            if (size > LARGEST_OUTPUT) return end('more output than a node can have')
            pieces.push(data)
            return heard?.(data)
          case STDERR:
            said = Buffer.concat([said, data]).subarray(-4096)
            return
          case STATUS:
            return end(failureOf(data, said, at))
          default:
        }
      })
      if (signal?.aborted) stop()
    })
  }

async function connect({ config }: OpenContext, at: Container, args: readonly string[]) {
  const { default: WebSocket } = await import('ws')
  const options = { handshakeTimeout: HANDSHAKE_MS, maxPayload: LARGEST_MESSAGE }
  // credentials and certificates
  await config.applyToHTTPSOptions(options)
  const server = config.getCurrentCluster()?.server.replace(/\/+$/, '').replace(/^http/, 'ws')
  const query = new URLSearchParams({ container: at.container, stdin: 'true', stdout: 'true', stderr: 'true' })
  for (const word of at.command(args)) query.append('command', word)
  return new WebSocket(
    `${server}/api/v1/namespaces/${encodeURIComponent(at.namespace)}/pods/${encodeURIComponent(at.pod)}/exec?${query}`,
    PROTOCOLS,
    options,
  )
}

/** Why there is no connection: a Status of the API server, or what stands between. */
async function refusal({ namespace, pod }: Container, status: number, body: AsyncIterable<Buffer>): Promise<string> {
  // servers before 1.35 ask for `get` alone, since a websocket begins with a GET; later ones for `create` as well
  if (status === 403) return `the right lacks to get and create pods/exec in ${namespace}`
  let text = ''
  try {
    for await (const piece of body) if (text.length < 4096) text += piece
  } catch {
    // the status is enough
  }
  return `${pod} can't be entered: ${statusMessage(text) ?? `the API server answered with ${status}`}`
}

/** From the status that ends it: undefined if it went well. */
function failureOf(data: Buffer, stderr: Buffer, { pod, container }: Container): string | undefined {
  const status = rec(parsed(data.toString('utf8')))
  if (status.status === 'Success') return undefined
  const said = stderr.toString('utf8').trim().split('\n').at(-1)?.trim().slice(0, 300)
  const code = arr(rec(status.details).causes)
    .map(rec)
    .find((cause) => cause.reason === 'ExitCode')
  if (code !== undefined) return said || `sh ended with ${str(code.message)?.slice(0, 10)}`
  const why = str(status.message)?.replaceAll('\n', ' ') ?? 'the command failed'
  if (/executable file not found|no such file or directory/.test(why)) return `container ${container} of ${pod} has no shell`
  return `${pod}: ${why.slice(0, 300)}`
}

const statusMessage = (text: string): string | undefined =>
  str(rec(parsed(text)).message)
    ?.replaceAll('\n', ' ')
    .slice(0, 300)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
