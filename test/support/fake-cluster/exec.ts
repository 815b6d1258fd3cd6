/** `pods/exec` of a fake cluster: the remote command protocol over websockets, v5 and v4 of channel.k8s.io. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Json } from '../../../src/cluster/items.ts'

/** What is to be run, and where. */
export interface ExecAt {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly node: string
  readonly argv: readonly string[]
  readonly object: Json
}

/** What becomes of a command. */
export type Run =
  /** really run on this machine, in a process group of its own */
  | { readonly kind: 'run'; readonly argv: readonly string[]; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string }
  /** its output, without running anything; what is written to it is read and forgotten */
  | { readonly kind: 'stream'; readonly pieces: Iterable<Buffer> | AsyncIterable<Buffer>; readonly code?: number }
  /** could not be run: `exec: "sh": executable file not found in $PATH` */
  | { readonly kind: 'fail'; readonly message: string }

/** The connection is cut after so many bytes of output, or hangs from then on. */
export interface ExecFault {
  readonly kind: 'cut' | 'hang'
  readonly afterBytes: number
}

export interface Execs {
  /** `sent` hears of every piece of output. */
  accept(
    upgrade: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
    at: ExecAt,
    fault: ExecFault | undefined,
    sent: (bytes: number) => void,
  ): void
  /** Ends what runs in a pod, as the end of its container does. */
  end(namespace: string, pod: string): void
  /** A node that is gone says nothing any more, and closes nothing. */
  freeze(node: string): void
  close(): Promise<void>
}

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const STATUS = 3
const CLOSE = 255
/** as the kubelet copies */
const PIECE = 32 * 1024
const HIGH_WATER = 2 ** 20

interface Session {
  readonly at: ExecAt
  readonly socket: WebSocket
  child?: ChildProcess
  frozen: boolean
}

export function makeExecs(run: (at: ExecAt) => Run, protocols: readonly string[]): Execs {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => protocols.find((one) => offered.has(one)) ?? false,
  })
  const sessions = new Set<Session>()
  const kill = ({ child }: Session): void => {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // it has ended by itself
    }
  }
  const drop = (session: Session): void => {
    sessions.delete(session)
    kill(session)
  }
  return {
    accept({ request, socket, head }, at, fault, sent) {
      server.handleUpgrade(request, socket, head, (opened) => {
        const session: Session = { at, socket: opened, frozen: false }
        sessions.add(session)
        opened.on('close', () => drop(session))
        opened.on('error', () => drop(session))
        const send = sender(session, fault, sent)
        // tells the client that all is set up
        void send(STDOUT, Buffer.alloc(0))
        void talk(session, run(at), send)
      })
    },
    end(namespace, pod) {
      for (const session of sessions) if (session.at.namespace === namespace && session.at.pod === pod) kill(session)
    },
    freeze(node) {
      for (const session of sessions) if (session.at.node === node) session.frozen = true
    },
    async close() {
      for (const session of [...sessions]) {
        drop(session)
        session.socket.terminate()
      }
      await new Promise<void>((done) => server.close(() => done()))
    },
  }
}

type Send = (channel: number, bytes: Buffer) => Promise<void>

function sender(session: Session, fault: ExecFault | undefined, told: (bytes: number) => void): Send {
  let sent = 0
  return async (channel, bytes) => {
    if (session.frozen || session.socket.readyState !== session.socket.OPEN) return
    const left = fault ? fault.afterBytes - sent : Number.POSITIVE_INFINITY
    sent += bytes.length
    told(Math.min(bytes.length, left))
    for (let from = 0; from === 0 || from < Math.min(bytes.length, left); from += PIECE) {
      const piece = bytes.subarray(from, Math.min(from + PIECE, left))
      const written = new Promise<void>((done) => session.socket.send(Buffer.concat([Buffer.of(channel), piece]), () => done()))
      if (session.socket.bufferedAmount > HIGH_WATER) await written
    }
    if (bytes.length < left) return
    if (fault?.kind === 'hang') session.frozen = true
    else session.socket.terminate()
  }
}

async function talk(session: Session, run: Run, send: Send): Promise<void> {
  const finish = async (status: object): Promise<void> => {
    await send(STATUS, Buffer.from(JSON.stringify({ metadata: {}, ...status })))
    if (!session.frozen) session.socket.close(1000)
  }
  const exited = (code: number): Promise<void> => finish(code === 0 ? { status: 'Success' } : nonZero(code, session.at.argv))
  if (run.kind === 'fail') return finish({ status: 'Failure', message: run.message, reason: 'InternalError', code: 500 })
  if (run.kind === 'stream') {
    for await (const piece of run.pieces) await send(STDOUT, piece)
    return exited(run.code ?? 0)
  }
  const [file = '', ...args] = run.argv
  const child = spawn(file, args, { detached: true, env: run.env ?? {}, ...(run.cwd && { cwd: run.cwd }) })
  session.child = child
  // whoever ends without reading what was written to it
  child.stdin.on('error', () => undefined)
  session.socket.on('message', (data: Buffer) => {
    if (data[0] === STDIN) child.stdin.write(data.subarray(1))
    else if (data[0] === CLOSE && data[1] === STDIN) child.stdin.end()
  })
  const pump = async (channel: number, from: NodeJS.ReadableStream): Promise<void> => {
    for await (const piece of from) await send(channel, piece as Buffer)
  }
  const ended = new Promise<number>((done) => {
    child.on('error', () => done(127))
    child.on('close', (code) => done(code ?? 137))
  })
  const [code] = await Promise.all([ended, pump(STDOUT, child.stdout), pump(STDERR, child.stderr)])
  await exited(code)
}

const nonZero = (code: number, argv: readonly string[]) => ({
  status: 'Failure',
  message: `command terminated with non-zero exit code: error executing command [${argv.join(' ')}], exit code ${code}`,
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
})
