import { Chalk, type ChalkInstance } from 'chalk'
import { sanitize } from './sanitize.ts'
import { columnsOf, type Terminal } from './terminal.ts'

/** What a piece of text means; the palette gives it a colour. Meaning never hangs on colour alone: a mark or a word says the same. */
export type Style = 'plain' | 'strong' | 'dim' | 'good' | 'bad' | 'warn' | 'calico' | 'kube-proxy' | 'kernel' | 'netctl' | 'other'

/** Text of one style, safe to print: made by `Pen.text` only. */
export interface Span {
  readonly text: string
  readonly style: Style
}

/** One line of output, or a text still to be wrapped into lines. */
export type Line = readonly Span[]

/** Makes and paints text for one terminal. */
export interface Pen {
  readonly columns: number
  /** is it laid out for a screen, where a name may be cut to fit? */
  readonly fits: boolean
  readonly ellipsis: string
  /** the one way from data to output: control characters are made visible, and without Unicode the ASCII twins stand in */
  text(text: string, style?: Style): Span
  paint(lines: readonly Line[]): string
}

const palette: Readonly<Record<Style, (chalk: ChalkInstance) => (text: string) => string>> = {
  plain: () => (text) => text,
  strong: (chalk) => chalk.bold,
  dim: (chalk) => chalk.dim,
  good: (chalk) => chalk.green,
  bad: (chalk) => chalk.red.bold,
  warn: (chalk) => chalk.yellow,
  calico: (chalk) => chalk.magenta,
  'kube-proxy': (chalk) => chalk.blueBright,
  kernel: (chalk) => chalk.cyan,
  netctl: (chalk) => chalk.green,
  other: (chalk) => chalk.yellow,
}

const twins: Readonly<Record<string, string>> = {
  '✓': '+',
  '✗': 'x',
  '·': '-',
  '→': '->',
  '←': '<-',
  '…': '...',
  '×': 'x',
  '–': '-',
  '—': '-',
  '▸': '>',
  '“': '"',
  '”': '"',
  '‘': "'",
  '’': "'",
  '≤': '<=',
  '≥': '>=',
  '↔': '<->',
}

/** Every mark and arrow that we print has an ASCII twin; a character of a dump that has none is written as `?`. */
const toAscii = (text: string): string => text.replace(/[^\x00-\x7f]/gu, (char) => twins[char] ?? '?')

/** What writes for this terminal. */
export function makePen(terminal: Terminal): Pen {
  const chalk = new Chalk({ level: terminal.colour ? 1 : 0 })
  const styles = Object.fromEntries(Object.entries(palette).map(([name, make]) => [name, make(chalk)])) as Record<
    Style,
    (text: string) => string
  >
  const text = (raw: string, style: Style = 'plain'): Span => {
    const safe = sanitize(raw)
    return { text: terminal.unicode ? safe : toAscii(safe), style }
  }
  const paint = (lines: readonly Line[]): string =>
    `${lines
      .map((line) =>
        trimEnd(line)
          .map((s) => styles[s.style](s.text))
          .join(''),
      )
      .join('\n')}\n`
  return { columns: columnsOf(terminal), fits: terminal.width !== undefined, ellipsis: terminal.unicode ? '…' : '...', text, paint }
}

/** A line without the blanks that padding left at its end. */
function trimEnd(line: Line): Line {
  const out = [...line]
  while (out.length > 0) {
    const last = out.pop() as Span
    const text = last.text.trimEnd()
    if (text !== '') return [...out, { ...last, text }]
  }
  return out
}
