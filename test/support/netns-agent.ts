/** The process that serves and probes inside the namespaces of kernel tests: netns-agent.py, spoken to in JSON lines. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export type Seen =
  | { readonly kind: 'delivered'; readonly host?: string; readonly dst?: string; readonly port?: number; readonly src?: string }
  | { readonly kind: 'rst' }
  | { readonly kind: 'icmp'; readonly type: number; readonly code: number; readonly from: string }
  | { readonly kind: 'errno'; readonly name: string }
  | { readonly kind: 'dropped' }
  /** the server has ended a connection that was kept */
  | { readonly kind: 'closed' }

export interface Attempt {
  readonly ns: string
  readonly proto: 'tcp' | 'udp' | 'icmp'
  readonly dst: string
  readonly port?: number
  readonly source?: string
  readonly sport?: number
  /** bytes of data, sent with DF */
  readonly payload?: number
  /** the server waits for words of HTTP, and does not say what it sees */
  readonly ask?: true
  /** seconds after which silence counts as dropped */
  readonly timeout: number
  readonly times: number
}

interface Answer {
  readonly id: number
  readonly results?: readonly Seen[]
  readonly error?: string
}

export class Agent {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<number, { resolve(a: Answer): void; reject(e: Error): void }>()
  #next = 1
  #stderr = ''

  constructor() {
    this.#process = spawn('python3', ['-u', join(import.meta.dirname, 'netns-agent.py')])
    this.#process.stderr.on('data', (d: Buffer) => {
      this.#stderr += d.toString()
    })
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer
      const waiter = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if (answer.error === undefined) waiter?.resolve(answer)
      else waiter?.reject(new Error(`probe agent: ${answer.error}`))
    })
    this.#process.on('exit', () => {
      for (const w of this.#waiting.values()) w.reject(new Error(`the probe agent ended: ${this.#stderr}`))
    })
  }

  async serve(ns: string, host: string, tcp: readonly number[], udp: readonly number[]): Promise<void> {
    await this.#ask({ op: 'serve', ns, host, tcp, udp })
  }

  async probe(attempt: Attempt): Promise<readonly Seen[]> {
    return (await this.#ask({ op: 'probe', ...attempt })).results ?? []
  }

  /** One attempt whose socket stays open, under that name; with the address that it sends from. */
  async keep(key: string, attempt: Omit<Attempt, 'times'>): Promise<Seen & { readonly own: string }> {
    const { results } = await this.#ask({ op: 'keep', key, ...attempt })
    return (results as readonly [Seen & { readonly own: string }])[0]
  }

  /** What became of the next packet of a connection that was kept. */
  async again(key: string, timeout: number): Promise<readonly Seen[]> {
    return (await this.#ask({ op: 'again', key, timeout })).results ?? []
  }

  /** Closes all that were kept. */
  async letGo(): Promise<void> {
    await this.#ask({ op: 'let_go' })
  }

  async leave(namespaces: readonly string[]): Promise<void> {
    await this.#ask({ op: 'leave', namespaces })
  }

  end(): void {
    this.#process.stdin.end()
  }

  #ask(order: object): Promise<Answer> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#process.stdin.write(`${JSON.stringify({ id, ...order })}\n`)
    })
  }
}
