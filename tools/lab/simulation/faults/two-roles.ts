// Who has one key certified both as a meter's and as a participant's: shows either to nodes, and signs readings and operations by turns.
// The chain goes by the credential that comes first. What others sealed with theirs in one temporary block must not suffer by it.

import { toHex } from "../../../../src/wire/bytes.js";
import { keyId } from "../../../../src/wire/key.js";
import { parseAnyRecord, signOperation } from "../../../../src/wire/operation.js";
import { signRecord } from "../../../../src/wire/record.js";
import { meterTopic, serviceTopic } from "../../../../src/wire/topics.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { createRandom, type Random } from "../../rig/random.js";
import { simulatedSigner } from "../world/keys.js";
import { credentialOf, type MeterWorld, reading } from "../world/meter.js";

/** Each signs so many records, under a key of its own. */
const RECORDS = 8;
/** The one in the place of the other where a node is shown both. */
const EXPIRES_S = 4_000_000_000;

/** One begins after the other, and the last ends with the faults. */
export function startTwoRoles(world: MeterWorld, seed: number): void {
  const random = createRandom(seed ^ 0x165667b1);
  let number = 0;
  const begin = () => {
    if (world.isCalm()) return;
    startPerson(world, `two roles ${number} of seed ${seed}`, random);
    number += 1;
    world.timeline.after(random.between(300, 1_500), begin);
  };
  world.timeline.after(random.between(0, 500), begin);
}

function startPerson(world: MeterWorld, name: string, random: Random): void {
  const { genesis, authority, timeline, nodes, coverage, blockChecks } = world;
  const services = genesis.chains.map(({ service }) => service).filter((service) => service !== CONTRACTS_SERVICE);
  const service = random.pick(services);
  const signer = simulatedSigner(name);
  const kid = keyId(signer.key);
  const later = random.pick(["meter", "customer"] as const);
  const credentialAs = (role: "meter" | "customer") =>
    credentialOf(genesis, authority, signer, {
      service,
      roles: [role],
      expires_s: EXPIRES_S + (role === later ? 1 : 0),
    });
  const credentials = { meter: credentialAs("meter"), customer: credentialAs("customer") };
  blockChecks.addMeter(toHex(kid), signer.key);
  world.membership.contracts.addParticipant(toHex(kid), undefined);
  let [seq, previous] = [0, new Uint8Array(0) as Uint8Array];

  const signed = (role: "meter" | "customer") => {
    const claims = reading(timeline, random, { service, seq, previous });
    if (role === "meter") return parseAnyRecord(signRecord(claims, [], signer, kid));
    const { registers: _, ...common } = claims;
    return parseAnyRecord(signOperation({ ...common, type: 1, body: null }, [], signer, kid));
  };

  const tick = () => {
    if (world.isCalm() || seq === RECORDS) return;
    timeline.after(random.between(10, 120), tick);
    const node = random.pick(nodes);
    if (!node.isUp) return;
    const role = random.pick(["meter", "customer"] as const);
    const record = signed(role);
    [seq, previous] = [seq + 1, record.hash];
    blockChecks.submit(record);
    coverage.twoRoles += 1;
    void node.onPublish(meterTopic(genesis.network, "birth", toHex(kid)), credentials[role]).then(() => {
      void node.onPublish(serviceTopic(genesis.network, service, "record", toHex(kid)), record.stripped);
    });
  };
  tick();
}
