/** Where in a dump an entry stands. `line` counts from 1. */
export interface Source {
  /** path inside the snapshot, with `/`: `nodes/n1/iptables-save.txt` */
  readonly file: string
  readonly line: number
}

/**
 * A dump that cannot be read as what it should be. Thrown by every parser; the rim turns it into one message with
 * file:line and exit code 2. `message` says what was wrong and what was expected, without the place.
 */
export class ParseError extends Error {
  readonly file: string
  readonly line: number
  constructor(file: string, line: number, message: string) {
    super(message)
    this.name = 'ParseError'
    this.file = file
    this.line = line
  }
}
