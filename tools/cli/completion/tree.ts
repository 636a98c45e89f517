// The commands as a shell completes them: names, what they are for, options. Read from commander's own tree, so that nothing is
// completed that is not there.

import type { Command } from "commander";

export interface Completed {
  /** the words that lead here, without `gridseal`: "authority order" */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly Word[];
}

export interface Word {
  readonly word: string;
  /** one line, without quotes of a shell */
  readonly about: string;
}

/** Every command with subcommands or options, the program itself first. */
export function completedOf(command: Command, path = ""): readonly Completed[] {
  const commands = command.commands.map((one) => ({ word: one.name(), about: plain(one.description()) }));
  const options = command.options.flatMap(({ long, short, description }) =>
    [long, short].flatMap((word) => (typeof word === "string" ? [{ word, about: plain(description) }] : [])),
  );
  const help = { word: "--help", about: "what it takes" };
  const below = command.commands.flatMap((one) => completedOf(one, path === "" ? one.name() : `${path} ${one.name()}`));
  return [{ path, commands, options: [...options, help] }, ...below];
}

/** What no shell takes for anything but text. */
function plain(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9 .,;:()/_-]/g, "");
}
