// Scripts by which shells complete the command. Where no word fits they complete names of files.

import type { Completed, Word } from "./tree.js";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** The script for a shell. */
export function scriptFor(shell: Shell, completed: readonly Completed[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](completed);
}

function wordsOf(words: readonly Word[]): string {
  return words.map(({ word }) => word).join(" ");
}

/** Lines of a `case` over where the words so far lead. */
function cases(completed: readonly Completed[], line: (one: Completed) => string): string {
  return completed.map((one) => `    "${one.path}") ${line(one)} ;;`).join("\n");
}

/** A word belongs to the path where a command of that name is below it. */
function stepsOf(completed: readonly Completed[]): string {
  return completed
    .filter(({ path }) => path !== "")
    .map(({ path }) => `"${path}"`)
    .join("|");
}

/** Programmable completion of bash: `complete -F`. */
function bashScript(completed: readonly Completed[]): string {
  return `# gridseal: source <(gridseal completion bash)
_gridseal() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" next commands="" options="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    next="\${path:+$path }\${COMP_WORDS[index]}"
    case "$next" in
      ${stepsOf(completed)}) path="$next" ;;
    esac
  done
  case "$path" in
${cases(completed, ({ commands, options }) => `commands="${wordsOf(commands)}" options="${wordsOf(options)}"`)}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  fi
}
complete -o default -F _gridseal gridseal
`;
}

/** Completion system of zsh: `compdef`, `_describe`. */
function zshScript(completed: readonly Completed[]): string {
  const list = (words: readonly Word[]) =>
    words.map(({ word, about }) => `'${word}:${about.replaceAll(":", " ")}'`).join(" ");
  return `#compdef gridseal
# source <(gridseal completion zsh), or as _gridseal into a folder of $fpath
_gridseal() {
  local place="" next index
  local -a commands options
  for ((index = 2; index < CURRENT; index++)); do
    next="\${place:+$place }\${words[index]}"
    case "$next" in
      ${stepsOf(completed)}) place="$next" ;;
    esac
  done
  case "$place" in
${cases(completed, ({ commands, options }) => `commands=(${list(commands)}) options=(${list(options)})`)}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe option options
  elif ((\${#commands})); then
    _describe command commands
  else
    _files
  fi
}
compdef _gridseal gridseal
`;
}

/** A rule a word of fish: \`complete -n\`. */
function fishScript(completed: readonly Completed[]): string {
  const rule = (path: string, { word, about }: Word) => {
    const at = `-n '__gridseal_at "${path}"'`;
    const option = word.startsWith("--")
      ? `-l ${word.slice(2)}`
      : word.startsWith("-")
        ? `-o ${word.slice(1)}`
        : `-f -a ${word}`;
    return `complete -c gridseal ${at} ${option} -d '${about}'`;
  };
  const rules = completed.flatMap(({ path, commands, options }) =>
    [...commands, ...options].map((word) => rule(path, word)),
  );
  return `# gridseal completion fish > ~/.config/fish/completions/gridseal.fish
set -g __gridseal_paths ${completed
    .filter(({ path }) => path !== "")
    .map(({ path }) => `"${path}"`)
    .join(" ")}
function __gridseal_at
  set -l place ""
  for word in (commandline -opc)[2..]
    set -l next (string trim "$place $word")
    contains -- "$next" $__gridseal_paths; and set place "$next"
  end
  test "$place" = "$argv[1]"
end
${rules.join("\n")}
`;
}
