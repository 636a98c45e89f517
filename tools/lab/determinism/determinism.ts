// npm run determinism: makes a chain of generated contracts in several places, and says what each comes to. --blocks N, --seed S,
// --in main, thread, restarts or chromium. It ends with 1 where two differ.

import { parseArgs } from "node:util";
import { findChromium, makeChainInChromium } from "./chromium.js";
import { type ChainSize, makeChainHere, makeChainInThread, makeChainWithRestarts } from "./places.js";

const { values } = parseArgs({
  options: {
    blocks: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    in: { type: "string", multiple: true, default: ["main", "thread", "restarts", "chromium"] },
  },
});

const say = (line: string) => void process.stdout.write(`${line}\n`);

const places: Readonly<Record<string, (size: ChainSize) => ReturnType<typeof makeChainHere> | undefined>> = {
  main: makeChainHere,
  thread: makeChainInThread,
  restarts: makeChainWithRestarts,
  chromium(size) {
    const chromium = findChromium();
    return chromium === undefined ? undefined : makeChainInChromium(chromium, size);
  },
};

const size = { seed: Number(values.seed), blocks: Number(values.blocks) };
const digests = new Set<string>();
for (const name of values.in) {
  const made = await places[name]?.(size);
  if (made === undefined) {
    say(`${name.padEnd(10)} is not here`);
    continue;
  }
  digests.add(made.digest);
  say(`${name.padEnd(10)} ${made.digest} ${JSON.stringify(made.outcomes)} node ${process.version}`);
}
if (digests.size > 1) {
  say("they differ");
  process.exitCode = 1;
}
