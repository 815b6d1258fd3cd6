/** Connections that stay open while rules change, for kernel tests: netns-talk.py, spoken to in JSON lines, one order after the other. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Talk {
  /** a server that answers every word with its name, on both protocols and families */
  listen(ns: string, name: string, port: number): Promise<void>
  /** opens a connection: `open`, or why not */
  begin(talk: {
    readonly talk: string
    readonly ns: string
    readonly proto: 'tcp' | 'udp'
    readonly dst: string
    readonly port: number
    readonly sport: number
    readonly timeout?: number
  }): Promise<string>
  /** sends a word and waits for an answer: who gave it, or what the socket says; `reset` and `close` ask the server to end it */
  say(talk: string, word?: string, timeout?: number): Promise<string>
  end(talk: string, reset?: boolean): Promise<void>
  stop(): void
}

export function startTalk(): Talk {
  const child = spawn('python3', ['-u', join(import.meta.dirname, 'netns-talk.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: ((line: string) => void)[] = []
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line))
  const ask = async (order: object): Promise<string> => {
    const line = await new Promise<string>((resolve) => {
      waiting.push(resolve)
      child.stdin.write(`${JSON.stringify(order)}\n`)
    })
    const { result, error } = JSON.parse(line) as { readonly result?: string; readonly error?: string }
    if (error !== undefined) throw new Error(`netns-talk.py: ${error}`)
    return result ?? ''
  }
  return {
    listen: async (ns, name, port) => void (await ask({ op: 'listen', ns, name, port })),
    begin: (talk) => ask({ op: 'begin', timeout: 4, ...talk }),
    say: (talk, word = 'word', timeout = 4) => ask({ op: 'say', talk, word, timeout }),
    end: async (talk, reset = false) => void (await ask({ op: 'end', talk, reset })),
    stop: () => child.stdin.end(),
  }
}
