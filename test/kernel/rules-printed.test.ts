/** The kernel's own tools print rules back: what they print is read and printed again, and the list of the unit tests is what they print. */
import { describe, expect, test } from 'vitest'
import { formatIptablesSave } from '../../src/kernel/iptables/format.ts'
import { parseIptablesSave } from '../../src/kernel/iptables/parse.ts'
import { printed, printed6 } from '../kernel-tables/iptables/printed-rules.ts'
import { needs } from '../support/needs.ts'
import { makeNamespace } from './namespace.ts'

const tables = ['filter', 'mangle', 'nat', 'raw']
const hooks = ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING', 'FORWARD']

describe.runIf(needs('root', 'ip', 'iptables-save', 'ipset'))('rules through the kernel', () => {
  const cases = ([4, 6] as const).flatMap((family) => ['nft', 'legacy'].map((backend) => ({ family, backend })))
  test.each(cases)('IPv$family, iptables-$backend', ({ family, backend }) => {
    const ns = makeNamespace()
    const command = `${family === 4 ? 'iptables' : 'ip6tables'}-${backend}`
    const list = family === 4 ? printed : printed6
    try {
      ns.sh(`ipset create x hash:ip,port,ip family ${family === 4 ? 'inet' : 'inet6'}; ipset create cali40s:7zNBQN-x_ hash:ip counters`)
      for (const table of tables) ns.sh(`${command} -t ${table} -N X`)
      // a rule goes where it may: the first table and hook that take it
      const quoted = (words: string) => words.replaceAll('$', '\\$')
      const attempts = list.map((words) =>
        tables.flatMap((t) => hooks.map((h) => `${command} -t ${t} -A ${h} ${quoted(words)} 2>/dev/null`)).join(' || '),
      )
      // one by one: all together are too long for a command line
      for (const attempt of attempts) ns.sh(`${attempt} || true`)
      for (const counters of ['', ' -c']) {
        const text = ns.sh(`${command}-save${counters}`)
        const dump = parseIptablesSave(text, 'save', family)
        expect(formatIptablesSave(dump)).toBe(text)
        if (counters !== '') continue
        const lines = text
          .split('\n')
          .filter((l) => l.startsWith('-A '))
          .map((l) => l.replace(/^-A \S+ /, ''))
        // what the tools print otherwise than the list says, the list has wrong
        expect(lines.filter((l) => !list.includes(l))).toEqual([])
        expect(lines.length).toBeGreaterThan(family === 4 ? 40 : 5)
      }
    } finally {
      ns.remove()
    }
  })
})
