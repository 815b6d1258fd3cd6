import type { FieldPath } from '../../cluster/manifest/types.ts'

/** Why an API server or Calico would refuse an object: where in it, and what to write instead. */
export interface ResourceProblem {
  /** steps into the object as it was read; the last may name a field that is missing */
  readonly path: FieldPath
  /** the same for people: `spec.ingress[0].ports[1].endPort`; empty for the object itself */
  readonly field: string
  /** in lower case, without a full stop */
  readonly message: string
  /** what to do, where that is not plain from the message */
  readonly hint?: string
}

/** `spec.ingress[0]`; keys that are no plain words (labels) go in brackets: `metadata.labels['a/b']`. */
export function fieldOf(path: FieldPath): string {
  let field = ''
  for (const step of path) {
    if (typeof step === 'number') field += `[${step}]`
    else if (/^[A-Za-z0-9_-]+$/.test(step)) field += field === '' ? step : `.${step}`
    else field += `['${step.slice(0, 100)}']`
  }
  return field
}

/** What is wrong at a path of fields; `hint`: what to write instead. */
export function problem(path: FieldPath, message: string, hint?: string): ResourceProblem {
  return { path, field: fieldOf(path), message, ...(hint && { hint }) }
}
