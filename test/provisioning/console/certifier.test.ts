// Who certifies where the register is elsewhere: what lies in the bench's folder is what the meter asks for now.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readEndorsement, readRequest } from "../../../src/wire/request.js";
import { postedCertifier } from "../../../tools/provisioning/console/certifier.js";
import { newSigner, testAuthority } from "../../authority/authority.js";

const mac = "020000000001";

test("a request that asks for something else replaces the one before; one that asks for the same leaves it", async (t) => {
  const { request, fitter, genesis } = await testAuthority(t);
  const folder = await mkdtemp(join(tmpdir(), "gridseal-certifier-"));
  t.after(() => rm(folder, { recursive: true }));
  const meter = newSigner();
  const path = join(folder, `${mac}.request`);
  const ask = async (services: readonly number[], nonce: number, signer = fitter) => {
    const certifier = postedCertifier(folder, undefined, { genesisHash: genesis.hash, signer });
    const bytes = request("M-1", meter, { services, nonce: Uint8Array.of(nonce) });
    assert.deepEqual(await certifier.certify({ kind: "certify", id: "M-1", mac, request: bytes }), {
      kind: "waits",
      text: path,
    });
    const endorsement = readEndorsement(Uint8Array.from(await readFile(path)), genesis.hash);
    const kept = readRequest(endorsement.request, genesis.hash);
    return [kept.services, kept.nonce[0], endorsement.kid] as const;
  };
  assert.deepEqual((await ask([1, 2, 3], 1)).slice(0, 2), [[1, 2, 3], 1]);
  assert.deepEqual((await ask([1, 2, 3], 2)).slice(0, 2), [[1, 2, 3], 1]);
  const first = await ask([1, 3], 3);
  assert.deepEqual(first.slice(0, 2), [[1, 3], 3]);
  const other = await ask([1, 3], 4, newSigner());
  assert.equal(other[1], 4);
  assert.notDeepEqual(other[2], first[2], "another registrar answers for it");
  await writeFile(path, "no request");
  assert.equal((await ask([1, 3], 5))[1], 5);
});
