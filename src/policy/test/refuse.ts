import { positionOf } from '../../cluster/manifest/position.ts'
import type { ManifestObject } from '../../cluster/manifest/types.ts'
import { NetctlError } from '../../error.ts'
import type { ResourceProblem } from '../resources/problem.ts'

/** Refuses a document of netctl's own kinds, with the line of everything that is wrong in it. */
export function refuseDocument(object: ManifestObject, problems: readonly ResourceProblem[]): never {
  const told = problems.map(({ path, field, message, hint }) => ({
    ...positionOf(object, path),
    text: `${field === '' ? object.kind : field}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
  }))
  const [first, ...more] = told
  throw new NetctlError({
    code: 'PTE001',
    message: first?.text ?? 'refused',
    file: object.file,
    ...(first && { line: first.line }),
    ...(more.length > 0 && { have: more.slice(0, 20).map((p) => `${p.file}:${p.line}: ${p.text}`) }),
    try: 'docs/policy-tests.md has every field',
  })
}
