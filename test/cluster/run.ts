import { execa } from 'execa'

/** Runs a command to its end; its stdout. Rejects with what it said on stderr if it fails. */
export async function run([file = '', ...args]: readonly string[], input?: string): Promise<string> {
  const { stdout } = await execa(file, args, input === undefined ? { stdin: 'ignore' } : { input })
  return stdout
}
