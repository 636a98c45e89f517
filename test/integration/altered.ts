// The built command with other text in it: another version, or the code of somebody who lies.

import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Alteration {
  readonly version?: string;
  /** what stands once in the built program, and what stands there instead */
  readonly edits?: readonly (readonly [text: string, instead: string])[];
}

/** A copy of the built command in a new folder; the file to run. */
export async function alteredCommand(folder: string, { version, edits = [] }: Alteration): Promise<string> {
  await mkdir(folder);
  await cp(join(root, "dist"), join(folder, "dist"), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const text = await readFile(join(root, "package.json"), "utf8");
  const described = JSON.parse(text) as { readonly version: string };
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ ...described, version: version ?? described.version }),
  );
  const program = join(folder, "dist/program");
  const files = (await readdir(program)).filter((name) => name.endsWith(".js"));
  for (const [from, to] of edits) {
    let count = 0;
    for (const name of files) {
      const file = join(program, name);
      const before = await readFile(file, "utf8");
      count += before.split(from).length - 1;
      if (before.includes(from))
        await writeFile(
          file,
          before.replaceAll(from, () => to),
        );
    }
    assert.equal(count, 1, `the built program has once: ${from}`);
  }
  return join(folder, "dist/tools/cli/gridseal.js");
}
