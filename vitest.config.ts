import { defineConfig } from 'vitest/config'

/** real Calico, for who names a repository to build it from */
const handRun = process.env.NETCTL_CALICO ? [] : ['test/cluster/calico.test.ts']

export default defineConfig({
  test: {
    // oclif writes through process.stdout; vitest's own interception would swallow it
    disableConsoleIntercept: true,
    // a machine may be busy: these end what hangs, and hurry nothing
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'netctl', include: ['test/**/*.test.ts'], exclude: ['test/cluster/**'], sequence: { groupOrder: 0 } },
      },
      // after all else: it may still be built meanwhile, and its nodes keep a machine busy
      { extends: true, test: { name: 'cluster', include: ['test/cluster/**/*.test.ts'], exclude: handRun, sequence: { groupOrder: 1 } } },
    ],
  },
})
