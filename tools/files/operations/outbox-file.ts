// A participant's outbox on disk: what an operation rests on is durable before its bytes are handed out, so that a crash at any moment
// uses no number twice. A new outbox is written whole beside the old one and takes its name then.

import { WireError } from "../../../src/wire/error.js";
import { GridsealError } from "../../errors.js";
import { append, decodeOutbox, emptyOutbox, encodeOutbox, type Outbox, settle } from "./outbox.js";

/** A folder's files, as far as an outbox needs them. Each call is done when it resolves, durable only where it says so. */
export interface Disk {
  /** undefined where there is none */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Makes the file or replaces what is in it. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Makes durable what is in the file. */
  sync(name: string): Promise<void>;
  /** Gives it another name, in the place of what has that. */
  rename(name: string, to: string): Promise<void>;
  /** Makes names durable. */
  syncFolder(): Promise<void>;
}

export interface OutboxFile {
  readonly outbox: Outbox;
  /** Signs the next operation: `make` gets its number and link. Resolves to its bytes once they are durable. */
  sign(make: (place: Pick<Outbox, "next" | "previous">) => Uint8Array): Promise<Uint8Array>;
  /** The operation of this number is sealed. */
  settle(seq: number): Promise<void>;
}

/** Opens the outbox of a service. Throws OUTBOX_DAMAGED where it is not what was written. */
export async function openOutbox(disk: Disk, service: number): Promise<OutboxFile> {
  const name = `${service}.outbox`;
  let outbox = await readOutbox(disk, name);

  const replace = async (next: Outbox): Promise<void> => {
    const unfinished = `${name}.unfinished`;
    await disk.write(unfinished, encodeOutbox(next));
    await disk.sync(unfinished);
    await disk.rename(unfinished, name);
    await disk.syncFolder();
    outbox = next;
  };

  return {
    get outbox() {
      return outbox;
    },
    async sign(make) {
      const bytes = make(outbox);
      await replace(append(outbox, bytes));
      return bytes;
    },
    settle: (seq) => replace(settle(outbox, seq)),
  };
}

async function readOutbox(disk: Disk, name: string): Promise<Outbox> {
  const bytes = await disk.read(name);
  if (bytes === undefined) return emptyOutbox;
  try {
    return decodeOutbox(bytes);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("OUTBOX_DAMAGED", `${name} is not what was written: ${cause.message}`, { cause });
  }
}
