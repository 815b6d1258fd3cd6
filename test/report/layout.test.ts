import { expect, test } from 'vitest'
import { lineWidth, wrap } from '../../src/report/layout.ts'
import { percent, targetName } from '../../src/report/names.ts'
import { makePen } from '../../src/report/pen.ts'
import { displayWidth, shortenMiddle } from '../../src/report/width.ts'
import { fc } from '../support/properties.ts'
import { droppedByRule } from './fixtures/others.ts'

const pen = makePen({ width: 80, colour: false, unicode: true })

test('wrapped lines fit, and no word is lost', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 4, max: 60 }), (text, room) => {
      const lines = wrap([pen.text(text), pen.text(' x ', 'dim'), pen.text(text)], room, pen)
      for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(room)
      const safe = `${pen.text(text).text} x ${pen.text(text).text}`
      expect(
        lines
          .flat()
          .map((s) => s.text)
          .join('')
          .replaceAll(' ', ''),
      ).toBe(safe.replaceAll(' ', ''))
    }),
  )
})

test('shortened text fits', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.integer({ min: 6, max: 60 }), (text, room) => {
      expect(displayWidth(shortenMiddle(text, room, '…'))).toBeLessThanOrEqual(room)
    }),
  )
})

test.each([
  [1, '100 %'],
  [0.9999, '99.9 %'],
  [0.67, '67 %'],
  [1 / 3, '33 %'],
  [0.005, '0.5 %'],
  [0.0001, '< 0.1 %'],
  [0, '0 %'],
])('percent(%d)', (p, text) => expect(percent(p)).toBe(text))

test.each([
  ['svc/web', 'svc/web:8080/tcp'],
  ['svc/web:http', 'svc/web:http/tcp'],
  ['svc/web:53/udp', 'svc/web:53/tcp'],
  ['fd00::5', '[fd00::5]:8080/tcp'],
  ['[fd00::5]:80', '[fd00::5]:80/tcp'],
  ['10.0.0.1', '10.0.0.1:8080/tcp'],
])('target %s', (to, name) => expect(targetName({ ...droppedByRule.flow, label: { from: 'x', to } })).toBe(name))
