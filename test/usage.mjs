// Notes what a test's process has taken of the processor, the processes that it has started and awaited among it: loaded by test/run.ts
// into each. Other processes do nothing here.

import { appendFileSync, readFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const file = process.env.GRIDSEAL_TESTS_USAGE;
// What it starts is its own.
delete process.env.GRIDSEAL_TESTS_USAGE;
/** USER_HZ, in which /proc counts time: 100 on every architecture that Node runs on. */
const TICKS_PER_S = 100;

/** Fields 14 to 17 of /proc/self/stat (proc(5)): its user and system time, and those of its children. The name in field 2 may hold anything. */
function cpuSeconds() {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_S;
}

if (file !== undefined && isMainThread) {
  process.once("exit", () => {
    // Where the system has no /proc nothing is noted.
    try {
      appendFileSync(file, `${JSON.stringify([process.argv[1], cpuSeconds()])}\n`);
    } catch {}
  });
}
