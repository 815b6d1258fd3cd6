import { globSync, readFileSync, writeFileSync } from 'node:fs'

/** The licences of the packages that went into the bundle: most of them ask to be passed on with the code. */
export function writeNotices(file: string, inputs: readonly string[]): void {
  const folders = new Set(inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []))
  const notices = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Record<string, unknown>
    const [text] = globSync(`${folder}/{LICENSE,LICENCE,license,licence}*`)
    return `${name} ${version}\n\n${text === undefined ? `Licence: ${license}` : readFileSync(text, 'utf8').trim()}\n`
  })
  writeFileSync(file, notices.join(`\n${'-'.repeat(80)}\n\n`))
}
