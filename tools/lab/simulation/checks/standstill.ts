// I16: one chain stands still in the middle of its work: its temporary blocks are accepted, and none
// of its votes and blocks arrives. All others go on as if it did not. The contracts chain is none of
// them: what it seals does govern the others, and no record comes there.

import { createRandom } from "../../rig/random.js";
import type { Cluster } from "../assembly.js";
import { isLevel, LIVENESS_MS, runUntilQuiet } from "./liveness.js";

const WAITS_FOR_NONE = "I16 no chain waits for another";
/** For the next block of the chain that is to stand still. */
const BEGIN_MS = 10_000;
/** Times that the others have records to seal meanwhile. */
const TIMES = 3;
/** Between two looks at whether they have, in events. */
const LOOK_EVERY = 16;

/** Of chains that take records; where there is one alone, nothing is checked. */
export async function checkStandstill(cluster: Cluster): Promise<void> {
  const { options, timeline, meters, agent, membership, blockChecks, network, coverage, fail, afterEach } = cluster;
  const measured = meters.filter((meter) => meter !== agent);
  const services = [...new Set(measured.map(({ service }) => service))].filter((one) =>
    membership.chains.some(({ service }) => service === one),
  );
  if (services.length < 2) return;
  const still = createRandom(options.seed ^ 0x27d4eb2f).pick(services);
  const others = services.filter((service) => service !== still);
  const measure = (of: readonly number[]) => {
    for (const meter of measured) if (of.includes(meter.service)) meter.measure();
  };

  const heightOf = () => blockChecks.heights.get(still) ?? 0;
  const before = heightOf();
  measure([still]);
  // Some nodes have its next block then, and others do not.
  await timeline.run(timeline.now_ms() + BEGIN_MS, afterEach, () => heightOf() > before);
  coverage.standstills += 1;
  cluster.trace(`chain ${still} stands still`);
  network.hold(still);
  const { rounds } = blockChecks;
  measure([still]);
  for (let time = 0; time < TIMES; time += 1) {
    measure(others);
    let looked = 0;
    const areLevel = () => others.every((service) => isLevel(cluster, service));
    const done = await timeline.run(timeline.now_ms() + LIVENESS_MS, afterEach, () => {
      looked += 1;
      return looked % LOOK_EVERY === 0 && areLevel();
    });
    if (done || areLevel()) continue;
    fail(WAITS_FOR_NONE, `chain ${still} stands still, and so does one of ${others.join(", ")}`);
    afterEach();
  }
  // Nothing but the chain that stands still is amiss, so each proposal of the others is good at once.
  if (options.fault === "none" && blockChecks.rounds > rounds) {
    fail(
      WAITS_FOR_NONE,
      `chain ${still} stands still, and blocks of others take ${blockChecks.rounds - rounds} rounds more`,
    );
    afterEach();
  }
  network.hold(undefined);
  await runUntilQuiet(cluster);
}
