/** What the caller knows about the terminal. The report decides nothing about it: facts in, string out. */
export interface Terminal {
  /** columns; absent when the output is no terminal: laid out for 100 columns, and no name is ever cut */
  readonly width?: number | undefined
  readonly colour: boolean
  readonly unicode: boolean
}

/** How much to show. */
export interface TextOptions extends Terminal {
  /** everything, with the text of each piece of evidence */
  readonly wide?: boolean
  /** every rule tried, and the reply hop by hop */
  readonly verbose?: boolean
  /** flags that a suggested command needs to ask the same question again, as typed: `--snapshot examples/demo` */
  readonly flags?: string
  /** the command that keeps what was read of a running cluster */
  readonly keep?: string
}

/** Columns to lay out for. Anything under 40 is laid out as 40: a line then wraps in the terminal, which still reads. */
export const columnsOf = (terminal: Terminal): number => Math.max(40, terminal.width ?? 100)
