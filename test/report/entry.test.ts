import { expect, test } from 'vitest'
import { shortEntry } from '../../src/report/entry.ts'
import { makePen } from '../../src/report/pen.ts'

test.each([true, false])('an entry fits as it is written, also where an arrow takes two columns: unicode %s', (unicode) => {
  const pen = makePen({ width: 80, colour: false, unicode })
  for (const entry of ['a policy admits 10.0.0.1 → 10.0.0.2', `${'x'.repeat(39)} → y`, '-A FORWARD → → → → → → → → → → → → → → -j DROP'])
    for (const room of [16, 20, 34, 35, 36, 43]) expect(pen.text(shortEntry(entry, room, pen)).text.length).toBeLessThanOrEqual(room)
})
