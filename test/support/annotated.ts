/** Manifests that say themselves what is to be found in them: in a comment on the line that it must be found on. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export interface Annotated {
  /** `calico/types.yaml` */
  readonly file: string
  readonly text: string
  readonly expected: readonly Expectation[]
}

/** `#! WHAT: part of the text; another part`: a field and a reason, a code and a message */
export interface Expectation {
  readonly line: number
  readonly what: string
  readonly part: string
}

/** All manifests below a folder of test/. */
export function annotatedManifests(folder: string): readonly Annotated[] {
  const root = resolve(import.meta.dirname, '..', folder)
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      return { file, text, expected: expectations(text) }
    })
}

function expectations(text: string): readonly Expectation[] {
  return text.split('\n').flatMap((line, i) => {
    const [, what, part] = /#! (.*?): (.*)$/.exec(line) ?? []
    return what && part ? [{ line: i + 1, what, part }] : []
  })
}

/** What was found, in the same shape; `text` holds the part that is expected. */
export interface Found {
  readonly line: number
  readonly what: string
  readonly text: string
}

/** `12 spec.ingress`, sorted: compared first, so that what is missing and what is too much is seen at once. */
export const places = (list: readonly { readonly line: number; readonly what: string }[]): readonly string[] =>
  list.map(({ line, what }) => `${line} ${what}`).sort()

/** Expectations whose text does not stand where it should. */
export const unmet = (
  expected: readonly Expectation[],
  found: readonly Found[],
): readonly (Expectation & { readonly found: readonly string[] })[] =>
  expected.flatMap((one) => {
    const texts = found.filter(({ line, what }) => line === one.line && what === one.what).map(({ text }) => text)
    return texts.some((text) => one.part.split('; ').every((part) => text.includes(part))) ? [] : [{ ...one, found: texts }]
  })
