/** A network namespace of a test's own, under a name that nobody else has, and gone when the test ends. */
import { spawnSync } from 'node:child_process'

export interface Namespace {
  readonly name: string
  /** runs a shell script inside; its stdout. Throws if the script fails. */
  sh(script: string): string
  /** runs `ip -batch -force`: each line by itself, lines that the kernel refuses are left out */
  batch(lines: readonly string[], family?: 4 | 6): void
  remove(): void
}

let count = 0

export function makeNamespace(): Namespace {
  const name = `netctl-${process.pid}-${Date.now().toString(36)}-${count++}`
  run('ip', ['netns', 'add', name])
  return {
    name,
    sh: (script) => run('ip', ['netns', 'exec', name, 'sh', '-c', script]),
    batch: (lines, family) => {
      spawnSync('ip', [...(family === 6 ? ['-6'] : []), '-n', name, '-force', '-batch', '-'], { input: `${lines.join('\n')}\n` })
    },
    remove: () => {
      spawnSync('ip', ['netns', 'del', name])
    },
  }
}

function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ').slice(0, 200)}: ${result.stderr.slice(0, 500)}`)
  return result.stdout
}
