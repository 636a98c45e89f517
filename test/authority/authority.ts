// An authority with a register in a temporary folder, for tests.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { isDevice, type Role } from "../../src/wire/credential.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { type CredentialRequest, signEndorsement, signRequest } from "../../src/wire/request.js";
import { issueCredentials } from "../../tools/authority/issue.js";
import { createRegister } from "../../tools/authority/register/register.js";
import { generateSeed, signerFromSeed } from "../../tools/crypto/signatures.js";
import { testNetwork } from "../wire/network.js";

export const NOW_S = 1_790_000_000;

/** Organisation `works` with the participants `anna` and `fitter`, the latter a registrar of lot L1 for service 1 and three devices. */
export async function testAuthority(t: TestContext) {
  const { genesis, genesisBytes, authority: own } = testNetwork("alpha");
  const folder = await mkdtemp(join(tmpdir(), "gridseal-authority-"));
  const register = await createRegister(join(folder, "register"));
  t.after(async () => {
    await register.close();
    await rm(folder, { recursive: true });
  });
  const authority = { issuing: { signer: own }, genesis, genesisBytes };
  const [anna, fitter] = [newSigner(), newSigner()];
  register.update(NOW_S, () => [
    { type: "organisation", organisation: { id: "works", name: "Works" } },
    { type: "participant", participant: { id: "anna", organisation: "works" } },
    { type: "participant", participant: { id: "fitter", organisation: "works" } },
    {
      type: "registrar",
      id: "fitter",
      limits: { lots: ["L1"], services: [1], devices_max: 3, until_s: NOW_S + 1_000 },
    },
  ]);
  const terms = { services: [], days: 10 } as const;
  issueCredentials(
    authority,
    register,
    [
      { terms: { ...terms, id: "anna", roles: ["supplier"] }, key: anna.key },
      { terms: { ...terms, id: "fitter", roles: ["registrar"] }, key: fitter.key },
    ],
    NOW_S,
  );
  const request = (id: string, signer: Signer, more: Partial<Omit<CredentialRequest, "id" | "key">> = {}) => {
    const roles: readonly Role[] = more.roles ?? ["meter"];
    const origin = isDevice({ roles }) ? { origin: { key: "device", lot: "L1" } as const } : {};
    const asked = { id, services: [1], roles, nonce: new Uint8Array(0), ...origin, ...more };
    return signRequest(asked, genesis.hash, signer);
  };
  const endorsed = (bytes: Uint8Array, by: Signer) => signEndorsement(bytes, genesis.hash, by);
  return { folder, register, authority, genesis, own, anna, fitter, request, endorsed };
}

export function newSigner(): Signer {
  return signerFromSeed(generateSeed());
}

export function kidOf({ key }: Signer): string {
  return toHex(keyId(key));
}
