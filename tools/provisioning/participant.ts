// A participant of a network on one machine: registered, certified, its folder filled, as for a demo. Elsewhere he makes his key himself and
// enrols (docs/enrolment.md).

import { join } from "node:path";
import type { Role } from "../../src/wire/credential.js";
import type { PublicKey } from "../../src/wire/key.js";
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
  /** one, or several */
  readonly role: Role | readonly Role[];
  readonly services: readonly number[];
  readonly algorithm: KeyAlgorithm;
  /** folder to make */
  readonly out: string;
}

const DAYS = 3_650;

/** Registers who has the key, in an organisation of its own, and resolves with the credential. Throws what registering and issuing throw. */
export async function certifyParticipant(
  { network, id, role, services }: Pick<ParticipantPlan, "network" | "id" | "role" | "services">,
  publicKey: PublicKey,
  now: Date,
): Promise<Uint8Array> {
  await withRegister(registerOf(join(network, "authority")), (register) =>
    register.update(Math.floor(now.getTime() / 1_000), () => [
      { type: "organisation", organisation: { id: `org-${id}`, name: id } },
      { type: "participant", participant: { id, organisation: `org-${id}` } },
    ]),
  );
  const asked = { network, id, roles: [role].flat(), services, publicKey, days: DAYS, force: false };
  return (await provisionMeter(asked, now)).credential;
}

/** Throws what registering, issuing and making the folder throw. */
export async function createParticipant(plan: ParticipantPlan, now: Date): Promise<void> {
  const { network, algorithm, out } = plan;
  const { bytes: genesis } = await readGenesisFile(join(network, "genesis.cbor"));
  await createFolder(out, async (folder) => {
    const { key } = await createKeyFile(join(folder, "key.json"), algorithm);
    await createFile(join(folder, "credential.cbor"), await certifyParticipant(plan, key, now));
    await createFile(join(folder, "genesis.cbor"), genesis);
  });
}
