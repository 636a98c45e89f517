// `npm run bench:services`: the table of services that `npm run bench` ends with, without a cluster.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { reasonOf } from "../../errors.js";
import { whole } from "../../terminal/arguments.js";
import { printLines } from "../../terminal/output.js";
import { faultsOf, measureServices, serviceLines } from "./market/services.js";

const program = new Command("bench:services")
  .description("measure shares of 1,000 and 10,000 points, the same in SQL where DuckDB is installed, and studies")
  .option("--slots <count>", "slots that are shared", whole(1, 10_000), 24)
  .exitOverride();

async function run(slots: number): Promise<void> {
  await mkdir(resolve("bench-results"), { recursive: true });
  const folder = await mkdtemp(join(resolve("bench-results"), "services-"));
  try {
    const measured = await measureServices(slots, folder, (text) => process.stderr.write(`${text} …\n`));
    printLines(serviceLines(measured));
    if (faultsOf(measured) > 0) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

try {
  program.parse();
  await run(program.opts<{ readonly slots: number }>().slots);
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`bench:services: ${reasonOf(thrown)}\n`);
    process.exitCode = 1;
  }
}
