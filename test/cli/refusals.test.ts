/** Refusals of docs/errors.md that no other test asks for by their code. */
import { expect, test } from 'vitest'
import { netctl } from '../support/netctl.ts'

const flow = 'trace pod/shop/web-1 svc/shop/api:80 --snapshot examples/shop'
const manifests = '-f examples/policies/shop'

test.each([
  ['USE003', 'policy test'],
  ['USE008', `${flow} --source nowhere`],
  ['USE008', `${flow} --size 30`],
  ['USE008', `${flow} --entry-node n9`],
  ['USE008', `${flow} --entry-node n1`],
  ['USE009', 'trace pod/shop/web-1 --flows - --snapshot examples/shop'],
  ['USE012', `policy eval deploy/shop/web svc/shop/api:80 --port 80 ${manifests}`],
  ['USE015', `policy lint ${manifests} --skip LNT999`],
  ['NAM001', 'trace pod/shop/web-1 svc/shop/api:80:81 --snapshot examples/shop'],
  ['NAM004', `${flow} --family 6`],
  ['WHF001', `${flow} --node-down n9`],
  ['WHF002', `${flow} --replace patched.txt`],
  ['WHF003', `${flow} --sysctl net.core.somaxconn=1@n1`],
  ['WHF005', `${flow} --replace nodes/n1/nothing.txt=package.json`],
  ['PTE003', 'policy test examples/policies/shop'],
  ['PWH001', `policy eval deploy/shop/nobody deploy/shop/api:8080 ${manifests}`],
  ['PWH002', `policy eval external/ext deploy/shop/api:8080 ${manifests}`],
  ['PWH003', 'policy eval pod/shop/web-1 svc/shop/empty:80 --snapshot examples/shop'],
])('%s: netctl %s', async (code, line) => {
  const { code: exitCode, stdout, stderr } = await netctl(line.split(' '))
  expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringContaining(`(${code})`)])
})
