// `gridseal contract new`: a folder with a small contract, its vectors and the types it is written
// against. What it makes passes lint and test as it is.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import { createFile, createFolder } from "../../files/made-once.js";
import { printLines, toJson } from "../../terminal/output.js";

export function registerNew(contract: Command): void {
  contract
    .command("new")
    .description("make a folder with a small contract and its vectors")
    .argument("<folder>", "folder to make; its last part names the contract", folderName)
    .option("--json", "print JSON")
    .action(createContract);
}

function folderName(text: string): string {
  if (/(^|\/)[a-z][a-z0-9-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError("Its last part must be 1 to 32 of a-z, 0-9 and -, a letter first.");
}

async function createContract(folder: string, options: { readonly json?: true }): Promise<void> {
  const name = folder.split("/").at(-1)!;
  const author = await readFile(fileURLToPath(new URL("../../contracts/author.ts", import.meta.url)));
  await createFolder(folder, async (made) => {
    await createFile(join(made, `${name}.ts`), new TextEncoder().encode(starter));
    await createFile(
      join(made, `${name}.vectors.json`),
      new TextEncoder().encode(`${JSON.stringify(vectors, null, 2)}\n`),
    );
    await createFile(join(made, "author.ts"), author);
  });
  const source = join(folder, `${name}.ts`);
  printLines(
    options.json ? [toJson({ folder, source })] : [`${source} is made`, `next  gridseal contract test ${source}`],
  );
}

const starter = `// Counts what each participant has asked for, up to a limit that the jurisdiction sets.

import type { Context, Operation } from "./author.js";

export const reads: readonly string[] = [];
export const writes = ["asked/"];

export function operation(context: Context, operation: Operation): void {
  const key = \`asked/\${operation.participant}\`;
  const asked = Number(context.get(key) ?? 0) + 1;
  const limit = Number(context.parameters.limit ?? 0);
  if (asked > limit) {
    context.deny("limit-reached", { limit });
    return;
  }
  context.put(key, asked);
  context.effect("counted", { participant: operation.participant, asked });
}
`;

const participant = "d75a980182b10ab7";
const asking = { type: 1, participant, seq: 0, time_s: 1_700_000_000, body: null };
const vectors = [
  {
    name: "counts the first",
    parameters: { limit: 2 },
    argument: asking,
    expect: {
      writes: { [`asked/${participant}`]: 1 },
      emissions: [{ type: "effect", name: "counted", body: { participant, asked: 1 } }],
    },
  },
  {
    name: "denies what is beyond the limit",
    parameters: { limit: 2 },
    state: { [`asked/${participant}`]: 2 },
    argument: asking,
    expect: { writes: {}, emissions: [{ type: "denial", name: "limit-reached", body: { limit: 2 } }] },
  },
];
