/** `netctl trace --verify` and `--catch`: from a running cluster and flows to what came of it. */
import { randomBytes } from 'node:crypto'
import { ExitCode, NetctlError } from '../../error.ts'
import { verifyPlanLines } from '../../report/verify-plan-text.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import { isLeaving, onLeaving } from '../../system/leaving.ts'
import { verifyTexts } from '../../system/node-scripts.ts'
import type { Plan } from '../../verify/plan.ts'
import { MOST_FLOWS } from '../../verify/ports.ts'
import { probeScript, type ScriptTexts, watchScript } from '../../verify/scripts.ts'
import type { Around } from '../around.ts'
import { consentBy } from '../consent.ts'
import type { LiveCluster } from '../live-cluster.ts'
import { needsConsent, notAgreed, type VerifyFlags } from './verify-flags.ts'
import { type AskedFlow, type Catching, type Ground, predict, type Verified, verifyFlows } from './verify-flows.ts'

export interface Verifying extends VerifyFlags {
  readonly yes?: boolean | undefined
  readonly quiet?: boolean | undefined
  readonly timeout?: number | undefined
}

/** `--catch` without `--timeout` */
export const CATCH_MS = 60_000

/** What nodes would be asked to do (`--dry-run`), or what came of asking them. Throws NetctlError VER003 to VER005. */
export async function verifying(
  live: LiveCluster,
  snapshot: Snapshot,
  asked: readonly AskedFlow[],
  flags: Verifying,
  around: Around,
): Promise<{ readonly scripts: string } | Verified> {
  const { tell, root, terminal } = around
  const stop = new AbortController()
  const catching: Catching | undefined = flags.catch
    ? { patienceMs: flags.timeout ?? CATCH_MS, dropped: flags['only-dropped'] === true }
    : undefined
  const texts = verifyTexts(root)
  const ground: Ground = {
    snapshot,
    again: () => live.fresh(asked.map((a) => a.flow)),
    async to(node) {
      const way = await live.way()
      return 'missing' in way ? way : way.to(node)
    },
    texts,
    signal: stop.signal,
    ...(catching && !flags.quiet && { armed: (nodes) => tell(`${nodes.join(', ')} watch now; ctrl-C ends it`) }),
    chance: randomBytes(4).readUInt32LE() / 2 ** 32,
    newId: () => randomBytes(6).toString('hex'),
  }
  if (asked.length > MOST_FLOWS) throw tooMany(asked.length)
  const plan = predict(ground, snapshot, asked, catching)
  expectSomething(plan, live)
  if (flags['dry-run']) return { scripts: scriptsOf(plan, texts) }
  const agreed = await consentBy({
    yes: flags.yes === true,
    canPrompt: terminal.canPrompt,
    tell,
    question: catching ? 'Watch for it?' : 'Watch, and send?',
  })(verifyPlanLines(plan, catching !== undefined))
  if (!agreed) throw notAgreed()
  const running = verifyFlows(ground, asked, plan, catching)
  const forget = onLeaving(async () => {
    stop.abort()
    return (await running.catch(() => undefined))?.left ?? ['what was put on nodes ends by itself']
  })
  try {
    const done = await running
    // ctrl-C: who ends the process tells what is left
    if (isLeaving()) return await new Promise(() => undefined)
    return done
  } finally {
    forget()
  }
}

/** Asks nothing where nobody could answer: before the cluster is read. */
export function expectAnswer(flags: Verifying, { terminal }: Around): void {
  if (!flags.yes && !flags['dry-run'] && !terminal.canPrompt) throw needsConsent(flags.verify ? '--verify' : '--catch')
}

function expectSomething({ nodes, flows }: Plan, live: LiveCluster): void {
  if (nodes.length > 0) return
  const [why] = flows.flatMap((f) => f.unable ?? [])
  const unread = [...live.nodes.values()].filter((piece) => typeof piece === 'string')
  throw new NetctlError({
    code: 'VER005',
    message: `there is nothing to watch: ${why ?? 'no packet of these flows is predicted to meet a node that could be read'}`,
    have: unread,
    ...(unread.length === 0 && { try: 'the same without --verify: it shows what is predicted' }),
    exitCode: ExitCode.unknown,
  })
}

const tooMany = (count: number): NetctlError =>
  new NetctlError({
    code: 'VER004',
    message: `${count} flows are too many to be watched at once`,
    try: `${MOST_FLOWS} at most: split the file`,
  })

/** The scripts as nodes would get them. */
const scriptsOf = ({ id, nodes }: Plan, texts: ScriptTexts): string =>
  nodes
    .flatMap(({ node, order, probes }) => [
      `# ---- ${node}: watches\n${watchScript(order, texts)}`,
      ...(probes.length > 0 ? [`# ---- ${node}: sends\n${probeScript(id, probes, texts)}`] : []),
    ])
    .join('\n')
