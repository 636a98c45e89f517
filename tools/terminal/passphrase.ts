// A passphrase, or another secret, from a person or a program: typed unseen, or read from a file descriptor that was opened for it. Never
// an argument, which every user of the machine can see.

import { fstatSync, readSync } from "node:fs";
import { GridsealError, reasonOf } from "../errors.js";

const BYTES_MAX = 1_024;
const [ENTER, RETURN, END, INTERRUPT, BACKSPACE, DELETE] = ["\n", "\r", "\u0004", "\u0003", "\b", "\u007f"];

export interface PassphraseOptions {
  readonly passphraseFd?: number;
}

/** A secret that a command takes. */
export interface WantedSecret {
  /** what is asked for, as "passphrase of the authority" */
  readonly what: string;
  /** option that names a file descriptor */
  readonly option: string;
  readonly descriptor?: number | undefined;
}

/** Reads the passphrase. `twice` has a person type it again. Throws USAGE where there is nobody to ask, or nothing in the descriptor. */
export async function readPassphrase({ passphraseFd }: PassphraseOptions, twice = false): Promise<string> {
  const wanted = { what: "passphrase of the authority", option: "--passphrase-fd", descriptor: passphraseFd };
  const typed = await readSecretText(wanted);
  if (!twice || passphraseFd !== undefined) return typed;
  if ((await ask("once more: ")) !== typed) throw new GridsealError("USAGE", "the two passphrases differ");
  return typed;
}

/** Reads a line that nobody else is to see. Throws USAGE where there is nobody to ask, or nothing in the descriptor. */
export async function readSecretText({ what, option, descriptor }: WantedSecret): Promise<string> {
  if (descriptor !== undefined) return fromDescriptor(descriptor, what);
  if (process.stdin.isTTY) return ask(`${what}: `);
  throw new GridsealError("USAGE", `the ${what} is asked for at a terminal: name ${option} here`);
}

/** The first line of what the descriptor has. */
function fromDescriptor(descriptor: number, what: string): string {
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
    const problem = `no ${what} can be read from file descriptor ${descriptor}`;
    throw new GridsealError("USAGE", `${problem}: ${reasonOf(cause)}`, { cause });
  }
  const line = bytes.toString("utf8", 0, length).split(/\r?\n/)[0]!;
  bytes.fill(0);
  if (line.length > 0 && length < BYTES_MAX) return line;
  throw new GridsealError("USAGE", `file descriptor ${descriptor} has no ${what}, or more than ${BYTES_MAX} bytes`);
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
        if (character === INTERRUPT) return finish(() => reject(new GridsealError("USAGE", "nothing was given")));
        if (character === BACKSPACE || character === DELETE) typed = typed.slice(0, -1);
        else if (typed.length < BYTES_MAX) typed += character;
      }
    };
    stdin.setRawMode(true).setEncoding("utf8").on("data", hear).resume();
  });
}
