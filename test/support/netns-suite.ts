/** Cases as tests: each for both families; the backends of iptables take turns, so that every kind of rule is seen through both. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from './needs.ts'
import { Agent } from './netns-agent.ts'
import { type Case, forFamily, parseFlows } from './netns-case.ts'
import { runCase } from './netns-run.ts'
import { twice } from './twice.ts'

export function walkSuite(name: string, cases: readonly Case[]): void {
  const able = needs('root', 'ip', 'python3', 'iptables-restore', 'ipset', 'nft')
  describe.runIf(able)(name, () => {
    let agent: Agent
    beforeAll(() => {
      agent = new Agent()
    })
    afterAll(() => {
      agent.end()
    })
    for (const [i, c] of cases.entries()) {
      for (const family of c.families ?? ([4, 6] as const)) {
        const backend = (i + family / 2) % 2 === 0 ? 'nft' : 'legacy'
        test.concurrent(`${c.name} (IPv${family}, ${backend})`, async () => {
          const flows = parseFlows(forFamily(c.flows, family))
          const wrong = [...(await twice(flows, (some) => runCase(agent, c, family, backend, some))).values()]
          expect(wrong, `\n  ${wrong.join('\n  ')}`).toEqual([])
        })
      }
    }
  })
}
