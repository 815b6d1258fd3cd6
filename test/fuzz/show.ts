/** Prints the scenario of a seed: `node test/fuzz/show.ts SEED [4|6]`. */
import { makeScenario } from './generate.ts'

const [seed = '1', family] = process.argv.slice(2)
const s = makeScenario(Number(seed), { probes: 45, ...(family === '4' ? { family: 4 } : family === '6' ? { family: 6 } : {}) })
for (const [name, space] of Object.entries(s.spaces)) {
  console.log(`${name} ${space.kind}`)
  for (const [k, list] of Object.entries(space)) if (Array.isArray(list)) console.log(`  ${k}\n    ${list.join('\n    ')}`)
}
console.log(s.wires.map((w) => `${w.a} ${w.b}`).join('\n'), s.nominal)
console.log(s.probes.map((p) => JSON.stringify(p)).join('\n'))
