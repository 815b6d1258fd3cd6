/**
 * fast-check with the same cases in every run: what CI finds is what a change has broken. NETCTL_SEED=2 tries others.
 */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env.NETCTL_SEED ?? 1) })

export { fc }
