// The version of the package that this runs from.

import { readFileSync } from "node:fs";

/** As package.json states it: the sources stand two folders below it, dist one more. */
export function packageVersion(): string {
  const isSource = import.meta.url.endsWith(".ts");
  const path = new URL(isSource ? "../../package.json" : "../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version;
}
