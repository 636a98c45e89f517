// A passphrase from a person or a program: typed unseen, or read from a file descriptor that was opened for it. Never an argument,
// which every user of the machine can see.

import { fstatSync, readSync } from "node:fs";
import { GridsealError, reasonOf } from "../errors.js";

const BYTES_MAX = 1_024;
const [ENTER, RETURN, END, INTERRUPT, BACKSPACE, DELETE] = ["\n", "\r", "\u0004", "\u0003", "\b", "\u007f"];

export interface PassphraseOptions {
  readonly passphraseFd?: number;
}

/** Reads the passphrase. `twice` has a person type it again. Throws USAGE where there is nobody to ask, or nothing in the descriptor. */
export async function readPassphrase({ passphraseFd }: PassphraseOptions, twice = false): Promise<string> {
  if (passphraseFd !== undefined) return fromDescriptor(passphraseFd);
  if (!process.stdin.isTTY) {
    throw new GridsealError(
      "USAGE",
      "the authority's passphrase is asked for at a terminal: name --passphrase-fd here",
    );
  }
  const typed = await ask("passphrase of the authority: ");
  if (twice && (await ask("once more: ")) !== typed) throw new GridsealError("USAGE", "the two passphrases differ");
  return typed;
}

/** The first line of what the descriptor has. */
function fromDescriptor(descriptor: number): string {
  const bytes = Buffer.alloc(BYTES_MAX);
  let length = 0;
  try {
    fstatSync(descriptor);
    while (length < BYTES_MAX && !bytes.subarray(0, length).includes(ENTER)) {
      const read = readSync(descriptor, bytes, length, BYTES_MAX - length, null);
      if (read === 0) break;
      length += read;
    }
  } catch (cause) {
    const what = `no passphrase can be read from file descriptor ${descriptor}`;
    throw new GridsealError("USAGE", `${what}: ${reasonOf(cause)}`, { cause });
  }
  const line = bytes.toString("utf8", 0, length).split(/\r?\n/)[0]!;
  bytes.fill(0);
  if (line.length > 0 && length < BYTES_MAX) return line;
  throw new GridsealError("USAGE", `file descriptor ${descriptor} has no passphrase, or more than ${BYTES_MAX} bytes`);
}

function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  return new Promise((resolve, reject) => {
    let typed = "";
    const finish = (settle: () => void) => {
      stdin.off("data", hear).setRawMode(false).pause();
      stderr.write("\n");
      settle();
    };
    const hear = (text: string) => {
      for (const character of text) {
        if (character === ENTER || character === RETURN || character === END) return finish(() => resolve(typed));
        if (character === INTERRUPT) return finish(() => reject(new GridsealError("USAGE", "no passphrase was given")));
        if (character === BACKSPACE || character === DELETE) typed = typed.slice(0, -1);
        else if (typed.length < BYTES_MAX) typed += character;
      }
    };
    stdin.setRawMode(true).setEncoding("utf8").on("data", hear).resume();
  });
}
