import { NetctlError } from '../../error.ts'
import type { Source } from '../../kernel/source.ts'
import type { Document } from './types.ts'

/** A text that is no YAML or JSON as Kubernetes reads it: `MAN001`, with the place and what to do. */
export function refuseText(document: Document, offset: number, message: string, advice: string): never {
  const { file, text, lineAt } = document.source
  const at = Math.max(0, Math.min(offset, text.length))
  const column = at - (text.lastIndexOf('\n', at - 1) + 1) + 1
  throw new NetctlError({ code: 'MAN001', message: `${message} (column ${column})`, try: advice, file, line: lineAt(at) })
}

/** An object that Kubernetes would refuse, or that netctl can't take for what it says it is: `MAN002`. */
export function objectRefusal({ file, line }: Source, message: string, advice: string): NetctlError {
  return new NetctlError({ code: 'MAN002', message, try: advice, file, line })
}

/** Throws `objectRefusal`. */
export function refuseObject(at: Source, message: string, advice: string): never {
  throw objectRefusal(at, message, advice)
}
