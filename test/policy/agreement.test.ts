/**
 * The compiled engine and the naive evaluator give the same answer to random questions on random clusters: verdict, both directions, and
 * every step on the way. `node test/policy/agree.ts` asks for longer, and shrinks what differs.
 */
import { describe, expect, test } from 'vitest'
import { differences } from './agreement.ts'
import { randomCluster } from './random/cluster.ts'

const clusters = 2_600
const flows = 20
/** one test each, so that a failure names few seeds */
const slices = 13

describe(`${clusters * flows} random questions`, () => {
  test.each(Array.from({ length: slices }, (_, slice) => slice))('slice %i', (slice) => {
    const size = clusters / slices
    for (let seed = slice * size; seed < (slice + 1) * size; seed++) {
      const cluster = randomCluster(seed, flows)
      expect(differences(cluster.objects, cluster.flows), `node test/policy/agree.ts --clusters 1 --seed ${seed}`).toEqual([])
    }
  })
})
