// The session token that the monitor shows where a node asks for one: from a folder whose key makes it, from a file that somebody else
// writes anew, or from the environment. It never stands on a command line, where every process of the machine could read it.

import { readFileSync } from "node:fs";
import { GridsealError, reasonOf } from "../errors.js";
import { readHolderFolder, type TokenFor } from "../files/holder-folder.js";

export const TOKEN_VARIABLE = "GRIDSEAL_TOKEN";
const FILE_CHARACTERS_MAX = 65_536;

export interface TokenOptions {
  readonly as?: string;
  /** lines `URL TOKEN`, or one TOKEN for every node */
  readonly tokenFile?: string;
}

/** Undefined where none is to be shown. Throws USAGE where two ways are named, and what reading a folder throws. */
export async function tokenSource(
  { as, tokenFile }: TokenOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<TokenFor | undefined> {
  const token = environment[TOKEN_VARIABLE];
  const named = [as, tokenFile, token].filter((one) => one !== undefined);
  if (named.length > 1) throw new GridsealError("USAGE", `name one of --as, --token-file and ${TOKEN_VARIABLE}`);
  if (as !== undefined) return readHolderFolder(as);
  if (tokenFile !== undefined) return (url) => tokenIn(tokenFile, url);
  return token === undefined ? undefined : () => token;
}

/** Read each time: a token is good for some minutes. Throws FILE_UNREADABLE. */
function tokenIn(path: string, url: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").slice(0, FILE_CHARACTERS_MAX);
  } catch (cause) {
    throw new GridsealError("FILE_UNREADABLE", `${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  const rows = text.split("\n").map((line) => line.trim().split(/\s+/));
  const own = rows.find(([first, second]) => second !== undefined && first?.replace(/\/+$/, "") === url);
  const found = own?.[1] ?? rows.find(([first, second]) => first !== "" && second === undefined)?.[0];
  if (found === undefined) throw new GridsealError("FILE_UNREADABLE", `${path} has no token for ${url}`);
  return found;
}
