import type { Terminal } from './terminal.ts'

/** What a command has besides its words. */
export interface Around {
  readonly terminal: Terminal
  /** folder that netctl is installed in */
  readonly root: string
  /** of netctl */
  readonly version: string
  /** to stderr */
  readonly tell: (text: string) => void
}
