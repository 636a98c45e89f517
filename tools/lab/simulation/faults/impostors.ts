// Who would be a meter and is none: each has a key and a credential with one thing wrong, shows it to nodes, and offers readings that it
// has signed well. Nobody submits them, so that the checks find any that is sealed (I7).

import { toHex } from "../../../../src/wire/bytes.js";
import { keyId } from "../../../../src/wire/key.js";
import { parseAnyRecord } from "../../../../src/wire/operation.js";
import { signRecord } from "../../../../src/wire/record.js";
import { meterTopic, serviceTopic } from "../../../../src/wire/topics.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { createRandom, type Random } from "../../rig/random.js";
import { simulatedSigner } from "../world/keys.js";
import { credentialOf, type MeterWorld, reading } from "../world/meter.js";
import { EPOCH_MS } from "../world/timeline.js";

/**
 * `foreign`: the authority issued it in another network · `forged`: somebody else signed it in the authority's name · `expired`: it ended
 * before the run · `wrongService`: it permits another chain · `wrongRole`: it is a participant's
 */
const impostures = ["foreign", "forged", "expired", "wrongService", "wrongRole"] as const;
type Imposture = (typeof impostures)[number];

const YEAR_S = 31_536_000;

/** They begin at once, and end with the faults. */
export function startImpostors(world: MeterWorld, seed: number): void {
  const random = createRandom(seed ^ 0x27d4eb2f);
  for (const imposture of impostures) startImpostor(world, imposture, { seed, random });
}

function startImpostor(
  world: MeterWorld,
  imposture: Imposture,
  { seed, random }: { readonly seed: number; readonly random: Random },
): void {
  const { genesis, timeline, nodes, coverage } = world;
  const services = genesis.chains.map(({ service }) => service).filter((service) => service !== CONTRACTS_SERVICE);
  const service = random.pick(services);
  const signer = simulatedSigner(`${imposture} impostor of seed ${seed}`);
  const kid = keyId(signer.key);
  const credential = credentialFor(world, imposture, { service, signer });
  let [seq, previous] = [0, new Uint8Array(0) as Uint8Array];

  const tick = () => {
    if (world.isCalm()) return;
    timeline.after(random.between(200, 900), tick);
    const node = random.pick(nodes);
    if (!node.isUp) return;
    const record = parseAnyRecord(signRecord(reading(timeline, random, { service, seq, previous }), [], signer, kid));
    coverage.impostures += 1;
    void node.onPublish(meterTopic(genesis.network, "birth", toHex(kid)), credential).then(() => {
      void node.onPublish(serviceTopic(genesis.network, service, "record", toHex(kid)), record.stripped);
    });
    if (random.chance(0.3)) [seq, previous] = [seq + 1, record.hash];
  };
  timeline.after(random.between(0, 900), tick);
}

function credentialFor(
  { genesis, authority }: MeterWorld,
  imposture: Imposture,
  { service, signer }: { readonly service: number; readonly signer: ReturnType<typeof simulatedSigner> },
): Uint8Array {
  const good = { service, roles: ["meter"] as const };
  switch (imposture) {
    case "foreign":
      return credentialOf({ ...genesis, network: "elsewhere" }, authority, signer, good);
    case "forged":
      return credentialOf(genesis, simulatedSigner("who would be the authority"), signer, good);
    case "expired":
      return credentialOf(genesis, authority, signer, { ...good, expires_s: EPOCH_MS / 1_000 - YEAR_S });
    case "wrongService":
      return credentialOf(genesis, authority, signer, { ...good, service: service + 1_000 });
    case "wrongRole":
      return credentialOf(genesis, authority, signer, { service, roles: ["customer"] });
  }
}
