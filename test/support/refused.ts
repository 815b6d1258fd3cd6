/** Bad manifests of test/policy/refused: what is wrong stands in a comment on the line that it must be found on. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const refusedFolder = resolve(import.meta.dirname, '../policy/refused')

export interface Refused {
  /** `calico/types.yaml` */
  readonly file: string
  readonly text: string
  readonly expected: readonly Expectation[]
}

/** `#! FIELD: part of the REASON`, or `#! FIELD: part of the REASON; part of the HINT` */
export interface Expectation {
  readonly line: number
  readonly field: string
  readonly reason: string
}

export function refusedManifests(): readonly Refused[] {
  return readdirSync(refusedFolder).flatMap((folder) =>
    readdirSync(join(refusedFolder, folder)).map((name) => {
      const file = `${folder}/${name}`
      const text = readFileSync(join(refusedFolder, file), 'utf8')
      return { file, text, expected: expectations(text) }
    }),
  )
}

function expectations(text: string): readonly Expectation[] {
  return text.split('\n').flatMap((line, i) => {
    const [, field, reason] = /#! (.*?): (.*)$/.exec(line) ?? []
    return field && reason ? [{ line: i + 1, field, reason }] : []
  })
}
