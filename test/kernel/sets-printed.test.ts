/** Sets as recorded, and random ones, through the model and the kernel: read, printed, restored, saved, read again: the same. */
import { describe, expect, test } from 'vitest'
import { formatIpsetSave } from '../../src/kernel/ipset/format.ts'
import { parseIpsetSave } from '../../src/kernel/ipset/parse.ts'
import { dumps } from '../kernel-tables/dumps.ts'
import { needs } from '../support/needs.ts'
import { makeNamespace, type Namespace } from './namespace.ts'
import { makeRandom } from './random.ts'
import { randomSets } from './random-sets.ts'

/** The sets in a form that two dumps share: members in no order, as the kernel's hash gives none. */
function sets(text: string) {
  const { sets: all } = parseIpsetSave(text, 'ipset-save.txt')
  return [...all.values()]
    .map(({ name, type, family, options, members }) => ({
      create: `${name} ${type} ${family} ${grown(options).join(' ')}`,
      members: members.map((m) => `${m.parts.map((p) => p.text).join(',')} ${m.options.join(' ')}`).sort(),
    }))
    .sort((x, y) => (x.create < y.create ? -1 : 1))
}

/** A table grows as members come, to a size that their order decides. */
const grown = (options: readonly string[]) => options.filter((word, i) => word !== 'hashsize' && options[i - 1] !== 'hashsize')

function throughKernel(ns: Namespace, text: string): string {
  return ns.sh(`ipset destroy; ipset restore <<'END'\n${text}END\nipset save`)
}

const able = needs('root', 'ip', 'ipset')

describe.runIf(able && needs('captures'))('recorded sets through the kernel', () => {
  const texts = new Map(dumps('ipset-save.txt').map(({ file, text }) => [text, file]))
  test(`${texts.size} dumps`, () => {
    const ns = makeNamespace()
    try {
      for (const [text, file] of texts) {
        if (text.trim() === '') continue
        const again = throughKernel(ns, formatIpsetSave(parseIpsetSave(text, file)))
        expect(sets(again), file).toEqual(sets(text))
      }
    } finally {
      ns.remove()
    }
  })
})

describe.runIf(able)('random sets through the kernel', () => {
  test('40 dumps', () => {
    const ns = makeNamespace()
    try {
      for (let seed = 1; seed <= 40; seed++) {
        const { lines } = randomSets(makeRandom(seed), seed % 2 === 0 ? 4 : 6)
        const first = throughKernel(ns, `${lines.join('\n')}\n`)
        const again = throughKernel(ns, formatIpsetSave(parseIpsetSave(first, 'ipset-save.txt')))
        expect(sets(again), `seed ${seed}`).toEqual(sets(first))
      }
    } finally {
      ns.remove()
    }
  })
})
