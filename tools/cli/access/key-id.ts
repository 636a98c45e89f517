// A meter or participant as whoever signs for access names it: by the id of its key, which nobody is asked for, or by its ID.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { idFromText } from "../../../src/wire/key.js";
import { GridsealError } from "../../errors.js";
import { holderOnAny } from "../../sources/named-holder.js";
import { withNodeSource } from "../../sources/open.js";

export interface NamingOptions {
  /** folder of who asks */
  readonly as: string;
  /** of a node that knows IDs */
  readonly api?: string;
}

export function withNaming(command: Command): Command {
  return command.option("--api <url>", "API of a node, which has the key ids of those that are named by their IDs");
}

/** As hex. Rejects with USAGE where an ID is named and no node, with NOT_FOUND where the node does not know it. */
export async function keyIdOf(text: string, { as, api }: NamingOptions): Promise<string> {
  if (idFromText(text) !== undefined) return text;
  if (api !== undefined) return withNodeSource({ api, as }, async (source) => toHex(await holderOnAny(source, text)));
  throw new GridsealError(
    "USAGE",
    `${text} is no key id of 16 lower-case hex digits: for an ID name a node that knows it, --api URL`,
  );
}
