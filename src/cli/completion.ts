/** Completion of commands, flags and their fixed values, and by `netctl names` of a cluster's names, for three shells. Data in, script out. */
import type { NameKind } from './names.ts'

export interface CompletionCommand {
  /** words: `snapshot show` */
  readonly path: string
  readonly summary: string
  readonly flags: readonly CompletionFlag[]
  /** fixed values of the first argument */
  readonly values: readonly string[]
  /** what arguments name */
  readonly args?: 'files' | 'endpoints' | undefined
}

export interface CompletionFlag {
  readonly name: string
  readonly char?: string | undefined
  readonly summary: string
  /** undefined: takes no value; `file`: a path; `any`: can't be completed; else one of these, or a name of the cluster */
  readonly value: undefined | 'file' | 'any' | readonly string[] | { readonly names: NameKind }
}

export type Shell = 'bash' | 'zsh' | 'fish'
export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish']

/** The script that `netctl completion SHELL` prints. */
export function completionScript(shell: Shell, commands: readonly CompletionCommand[]): string {
  const nodes = tree(commands)
  switch (shell) {
    case 'bash':
      return bash(nodes)
    case 'zsh':
      return zsh(nodes)
    case 'fish':
      return fish(nodes)
  }
}

/** A place in the command tree: what words, flags and values can follow it. */
interface Node {
  readonly path: string
  readonly words: readonly { readonly word: string; readonly summary: string }[]
  readonly flags: readonly CompletionFlag[]
  readonly args: CompletionCommand['args']
}

const HELP: CompletionFlag = { name: 'help', char: 'h', summary: 'how to use it', value: undefined }
const VERSION: CompletionFlag = { name: 'version', summary: 'which netctl this is', value: undefined }

function tree(commands: readonly CompletionCommand[]): Node[] {
  const byPath = new Map(commands.map((c) => [c.path, c]))
  const paths = new Set([''])
  for (const { path } of commands) path.split(' ').forEach((_, i, words) => void paths.add(words.slice(0, i + 1).join(' ')))
  return [...paths].sort().map((path) => {
    const own = byPath.get(path)
    const children = [...paths].filter((p) => p !== '' && p.split(' ').slice(0, -1).join(' ') === path).sort()
    return {
      path,
      words: [
        ...children.map((p) => ({ word: p.split(' ').at(-1) ?? p, summary: byPath.get(p)?.summary ?? '' })),
        ...(own?.values ?? []).map((word) => ({ word, summary: '' })),
      ],
      flags: [...(own?.flags ?? []), HELP, ...(path === '' ? [VERSION] : [])],
      args: own?.args,
    }
  })
}

const names = (flag: CompletionFlag): string[] => [...(flag.char ? [`-${flag.char}`] : []), `--${flag.name}`]
/** single quotes, for every one of the three shells but fish, which `quoteFish` serves */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
const quoteFish = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** What a shell does for a file, for anything, for one of fixed values, and for a name of the cluster. */
interface Replies {
  readonly file: string
  readonly any: string
  readonly of: (fixed: readonly string[]) => string
  readonly names: (kind: NameKind) => string
}

/** The arms of a `case "$path:$prev"`: what may follow each flag that takes a value. */
const valueCases = (nodes: readonly Node[], replies: Replies): string[] =>
  nodes.flatMap((node) =>
    node.flags.flatMap((flag) => {
      if (flag.value === undefined) return []
      const pattern = names(flag).map((name) => quote(`${node.path}:${name}`))
      const { value } = flag
      const reply = typeof value === 'string' ? replies[value] : 'names' in value ? replies.names(value.names) : replies.of(value)
      return [`    ${pattern.join('|')}) ${reply}; return ;;`]
    }),
  )

function bash(nodes: readonly Node[]): string {
  const moves = nodes.filter((n) => n.path !== '').map((n) => quote(n.path))
  const values = valueCases(nodes, {
    file: 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")',
    any: ':',
    of: (fixed) => `mapfile -t COMPREPLY < <(compgen -W ${quote(fixed.join(' '))} -- "$cur")`,
    names: (kind) => `_netctl_names ${kind}`,
  })
  const follow = nodes.map(
    (n) =>
      `    ${quote(n.path)}) words=${quote(n.words.map((w) => w.word).join(' '))}; flags=${quote(n.flags.map((f) => `--${f.name}`).join(' '))}${n.args ? `; args=${n.args}` : ''} ;;`,
  )
  return `# netctl completion for bash. For this shell:  source <(netctl completion bash)
_netctl_names() {
  local typed word
  read -ra typed <<< "\${COMP_LINE:0:COMP_POINT}"
  [[ \${COMP_LINE:COMP_POINT-1:1} == ' ' ]] && typed+=('')
  mapfile -t COMPREPLY < <("\${COMP_WORDS[0]}" names "$1" -- "\${typed[@]:1}" 2> /dev/null < /dev/null)
  [[ \${COMPREPLY[*]} == *[/:] ]] && compopt -o nospace
  # readline has cut the word at its colons, and wants what is behind the last one
  word=\${typed[-1]}
  [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && COMPREPLY=("\${COMPREPLY[@]#"\${word%:*}:"}")
}
_netctl() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' flags='' args='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${path:+$path }\${COMP_WORDS[i]}" in
    ${moves.join('|')}) path="\${path:+$path }\${COMP_WORDS[i]}" ;;
    esac
  done
  # --flag=value comes as three words
  if [[ $cur == '=' ]]; then cur=''
  elif [[ $prev == '=' ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  case "$path:$prev" in
${values.join('\n')}
  esac
  case "$path" in
${follow.join('\n')}
  esac
  if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
  elif [[ $args == files ]]; then compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  elif [[ $args ]]; then _netctl_names "$args"
  else mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"); fi
}
complete -F _netctl netctl
`
}

function zsh(nodes: readonly Node[]): string {
  const moves = nodes.filter((n) => n.path !== '').map((n) => quote(n.path))
  const describe = (word: string, summary: string): string => quote(`${word.replaceAll(':', '\\:')}${summary ? `:${summary}` : ''}`)
  const values = valueCases(nodes, {
    file: '_files',
    any: '_message value',
    of: (fixed) => `compadd -- ${fixed.map(quote).join(' ')}`,
    names: (kind) => `_netctl_names ${kind}`,
  })
  const follow = nodes.map((n) => {
    const words = n.words.map((w) => describe(w.word, w.summary)).join(' ')
    const flags = n.flags.map((f) => describe(`--${f.name}`, f.summary)).join(' ')
    return `    ${quote(n.path)}) words_=(${words}); flags_=(${flags})${n.args ? `; args_=${n.args}` : ''} ;;`
  })
  return `#compdef netctl
# netctl completion for zsh. For this shell:  source <(netctl completion zsh)
_netctl_names() {
  local -a all_
  all_=(\${(f)"$("\${words[1]}" names $1 -- "\${(@)words[2,CURRENT]}" 2> /dev/null < /dev/null)"})
  compadd -S '' -- \${(M)all_:#*[/:]}
  compadd -- \${all_:#*[/:]}
}
_netctl() {
  local at='' i args_=''; local -a words_ flags_
  for ((i = 2; i < CURRENT; i++)); do
    case "\${at:+$at }\${words[i]}" in
    ${moves.join('|')}) at="\${at:+$at }\${words[i]}" ;;
    esac
  done
  case "$at:\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${follow.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then _describe flag flags_
  elif [[ $args_ == files ]]; then _files
  elif [[ -n $args_ ]]; then _netctl_names $args_
  else _describe command words_; fi
}
if [[ $funcstack[1] == _netctl ]]; then _netctl "$@"; else compdef _netctl netctl; fi
`
}

function fish(nodes: readonly Node[]): string {
  const moves = nodes.filter((n) => n.path !== '').map((n) => quoteFish(n.path))
  const lines = nodes.flatMap((node) => {
    const here = `complete -c netctl -n ${quoteFish(`__netctl_at "${node.path}"`)}`
    return [
      ...node.words.map((w) => `${here} -f -a ${quoteFish(w.word)} -d ${quoteFish(w.summary)}`),
      ...(node.args === 'files' ? [`${here} -F`] : []),
      ...(node.args === 'endpoints' ? [`${here} -f -a '(__netctl_names endpoints)'`] : []),
      ...node.flags.map((f) => {
        const value =
          f.value === undefined
            ? ' -f'
            : f.value === 'file'
              ? ' -r -F'
              : f.value === 'any'
                ? ' -x'
                : ` -x -a ${quoteFish('names' in f.value ? `(__netctl_names ${f.value.names})` : f.value.join(' '))}`
        return `${here}${f.char ? ` -s ${f.char}` : ''} -l ${f.name}${value} -d ${quoteFish(f.summary)}`
      }),
    ]
  })
  return `# netctl completion for fish. For this shell:  netctl completion fish | source
function __netctl_at
    set -l at ''
    for word in (commandline -opc)[2..]
        set -l next (string trim -- "$at $word")
        contains -- $next ${moves.join(' ')}; and set at $next
    end
    test "$at" = "$argv[1]"
end
function __netctl_names
    netctl names $argv[1] -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null </dev/null
end
complete -c netctl -f
${lines.join('\n')}
`
}
