import { expect, test } from 'vitest'
import { parseSelector } from '../../../src/cluster/selector/parse.ts'
import { selectorWords } from '../../../src/cluster/selector/words.ts'

test.each([
  ["projectcalico.org/orchestrator == 'k8s'", 'any pod'],
  [
    "projectcalico.org/namespace == 'shop' && (projectcalico.org/orchestrator == 'k8s' && app == 'web')",
    'namespace == "shop" && app == "web"',
  ],
  ["pcns.kubernetes.io/metadata.name == 'shop' && (app == 'web' || has(tier))", 'namespace == "shop" && (app == "web" || has(tier))'],
  ["pcns.team in {'red', 'blue'} && !has(pcsa.role)", 'namespace label team in {"blue", "red"} && !has(service account label role)'],
  ["!(app == 'web' && has(pcns.a))", '!(app == "web" && has(namespace label a))'],
  ['has(projectcalico.org/namespace)', 'has(namespace)'],
  ['all()', 'all()'],
])('%s', (text, words) => {
  const selector = parseSelector(text)
  if (selector.kind === 'error') throw new Error(selector.message)
  expect(selectorWords(selector)).toBe(words)
})
