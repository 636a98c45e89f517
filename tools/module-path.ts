// Where the program's other modules are, built or not: beside this one, with the ending that this one has.

import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of a module, named relative to this folder and without its ending. */
export function modulePath(name: string): string {
  const here = fileURLToPath(import.meta.url);
  return fileURLToPath(new URL(`${name}${extname(here)}`, import.meta.url));
}
