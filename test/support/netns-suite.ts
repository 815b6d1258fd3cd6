/** Cases as tests: each for both families; the backends of iptables take turns, so that every kind of rule is seen through both. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from './needs.ts'
import { Agent } from './netns-agent.ts'
import type { Case } from './netns-case.ts'
import { runCase } from './netns-run.ts'

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
        // a busy machine may lose a packet: what differs is asked once more, in a lab made anew
        test.concurrent(`${c.name} (IPv${family}, ${backend})`, { retry: 1 }, async () => {
          const wrong = await runCase(agent, c, family, backend)
          expect(wrong, `\n  ${wrong.join('\n  ')}`).toEqual([])
        })
      }
    }
  })
}
