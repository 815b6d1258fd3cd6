/** A text looks like a tool's output, and a line of it is not what the tool prints. */
export class NotUnderstood extends Error {
  /** from 1 */
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** JSON with an entry a line, so that evidence can point at one. */
export const entries = (list: readonly object[]): string =>
  list.length === 0 ? '[]\n' : `[\n${list.map((entry) => JSON.stringify(entry)).join(',\n')}\n]\n`
