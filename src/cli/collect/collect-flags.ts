import { boolean, string } from '@oclif/core/flags'
import { eachTimeoutFlag, inputFlag, outputFlag, wayFlags } from '../flags.ts'

/** What `netctl collect` takes. */
export const collectFlags = {
  context: string({
    summary: 'objects of this kubeconfig context; of the current one if there is no --local or --ssh',
    helpValue: 'NAME',
    helpGroup: 'SOURCE',
  }),
  kubeconfig: string({ summary: 'objects by this kubeconfig', helpValue: 'PATH', helpGroup: 'SOURCE' }),
  nodes: string({
    summary: 'these nodes only, with commas between them',
    helpValue: 'NAMES',
    helpGroup: 'NODES',
    multiple: true,
    delimiter: ',',
    exclusive: ['local', 'ssh'],
  }),
  ...wayFlags,
  local: boolean({ summary: 'this machine, as root', helpGroup: 'NODES', exclusive: ['ssh'] }),
  node: string({
    summary: "this machine's name in the cluster, if the kubelet's is not it",
    helpValue: 'NAME',
    helpGroup: 'NODES',
    dependsOn: ['local'],
  }),
  ssh: string({
    summary: 'these nodes, as ssh calls them; as root, or with sudo that asks nothing',
    helpValue: 'HOST',
    helpGroup: 'NODES',
    multiple: true,
  }),
  from: string({
    summary: 'what is recorded already: a folder of what tools and kubectl printed, each told by its content, or a snapshot',
    helpValue: 'PATH',
    helpGroup: 'SOURCE',
    exclusive: ['context', 'kubeconfig', 'nodes', 'via', 'local', 'ssh'],
  }),
  redact: boolean({
    summary:
      'names and addresses replaced, the same ones by the same ones: packets take the same ways, and nobody can tell whose cluster it was',
    helpGroup: 'OUTPUT',
  }),
  out: string({ char: 'O', summary: 'folder, or .tar.gz; netctl-TIME.tar.gz if not said', helpValue: 'PATH', helpGroup: 'OUTPUT' }),
  ...eachTimeoutFlag,
  ...inputFlag,
  quiet: boolean({ char: 'q', summary: 'no progress', helpGroup: 'OUTPUT' }),
  ...outputFlag(['text', 'json']),
}
