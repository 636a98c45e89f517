// A participant of a network on one machine: registered, certified, its folder filled, as for a demo. Elsewhere he makes his key himself and
// enrols (docs/enrolment.md).

import { join } from "node:path";
import type { Role } from "../../src/wire/credential.js";
import { registerOf } from "../authority/folder.js";
import { withRegister } from "../authority/register/register.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { createKeyFile, type KeyAlgorithm } from "../files/key-file.js";
import { createFile, createFolder } from "../files/made-once.js";
import { provisionMeter } from "./provision.js";

export interface ParticipantPlan {
  /** folder that `gridseal init` made */
  readonly network: string;
  readonly id: string;
  readonly role: Role;
  readonly services: readonly number[];
  readonly algorithm: KeyAlgorithm;
  /** folder to make */
  readonly out: string;
}

const DAYS = 3_650;

/** Throws what registering, issuing and making the folder throw. */
export async function createParticipant(plan: ParticipantPlan, now: Date): Promise<void> {
  const { network, id, role, services, algorithm, out } = plan;
  const now_s = Math.floor(now.getTime() / 1_000);
  const { bytes: genesis } = await readGenesisFile(join(network, "genesis.cbor"));
  await withRegister(registerOf(join(network, "authority")), (register) =>
    register.update(now_s, () => [
      { type: "organisation", organisation: { id: `org-${id}`, name: id } },
      { type: "participant", participant: { id, organisation: `org-${id}` } },
    ]),
  );
  await createFolder(out, async (folder) => {
    const { key } = await createKeyFile(join(folder, "key.json"), algorithm);
    const asked = { network, id, roles: [role], services, publicKey: key, days: DAYS, force: false };
    const { credential } = await provisionMeter(asked, now);
    await createFile(join(folder, "credential.cbor"), credential);
    await createFile(join(folder, "genesis.cbor"), genesis);
  });
}
