import type { Json } from '../cluster/items.ts'

/** What a short-lived pod on a node is made of. */
export interface NodeJob {
  /** of this run of netctl, and of no other: letters and digits */
  readonly run: string
  readonly name: string
  readonly namespace: string
  readonly node: string
  readonly image: string
  /** after these the cluster takes it away, whatever became of netctl */
  readonly seconds: number
}

export const MANAGED_BY = 'app.kubernetes.io/managed-by'
export const RUN = 'netctl.dev/run'
export const CONTAINER = 'node'

/**
 * The Job that keeps one pod on one node for so long at most. A Job rather than a pod, since it ends and is removed by the cluster's own controllers
 * (activeDeadlineSeconds, ttlSecondsAfterFinished), and its pod with it, if netctl is killed; and the container ends by itself where those are down too.
 * What it may: everything that root on the node may (privileged, host's processes and network). What it has: no token, no volume, no environment.
 */
export function nodeJob({ run, name, namespace, node, image, seconds }: NodeJob): Json {
  const labels = { [MANAGED_BY]: 'netctl', [RUN]: run }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, labels },
    spec: {
      activeDeadlineSeconds: seconds,
      ttlSecondsAfterFinished: 10,
      // a second pod would come when netctl is no longer waiting
      backoffLimit: 0,
      template: {
        metadata: { labels },
        spec: {
          // not by the scheduler: nodes that are full, cordoned or tainted are the ones with trouble
          nodeName: node,
          tolerations: [{ operator: 'Exists' }],
          restartPolicy: 'Never',
          hostNetwork: true,
          hostPID: true,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: CONTAINER,
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['sleep', String(seconds)],
              securityContext: { privileged: true },
            },
          ],
        },
      },
    },
  }
}

/**
 * Starts a shell on the node itself from inside such a pod: in the mount namespace of process 1, so with the host's tools and files; where the image lacks
 * nsenter, in the host's root; and where the host has no shell (Talos, Bottlerocket), with the image's tools, which are told where the host's root is.
 * Temporary files stay in the pod either way, and go with it: its own root is seen from the host through /proc/PID/root, as long as this very shell
 * stays where it is. The `exit` after it all is for that: shells do not fork for their last command, but become it.
 */
const ON_NODE = `TMPDIR=/proc/$$/root/tmp; mkdir -p /tmp; export TMPDIR
if nsenter -t 1 -m -- sh -c : 2> /dev/null; then nsenter -t 1 -m -- sh -s -- "$@"
elif chroot /proc/1/root sh -c : 2> /dev/null; then chroot /proc/1/root sh -s -- "$@"
else limit=$1 node=$2; [ $# -gt 3 ] && shift 3 || set --; TMPDIR=/tmp sh -s -- "$limit" "$node" /proc/1/root "$@"; fi
exit $?`

/** The command that runs a script of stdin, with these arguments, on the node. */
export const onNode = (args: readonly string[]): readonly string[] => ['sh', '-c', ON_NODE, 'sh', ...args]
