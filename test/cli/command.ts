// The command as users have it, built when a test first needs it: from the sources each start would compile all of them. test/run.ts
// has built it for all.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const place = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

if (process.env.GRIDSEAL_BUILT === undefined)
  execFileSync(process.execPath, [place("tools/build.mjs")], { stdio: ["ignore", "ignore", "inherit"] });

/** Path of the built command, to be run by Node. */
export const command = place("dist/tools/cli/gridseal.js");
