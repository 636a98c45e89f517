// Who is signed in here: a key of this browser, the credential that the authority gave it, and the numbers that it has signed. All of it
// stays in this browser's database; what a number rests on is there before its operation leaves.

import { toHex } from "../../../src/wire/bytes.js";
import { type Credential, verifyCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { equalKeys, keyId } from "../../../src/wire/key.js";
import { parseOperation, signOperation } from "../../../src/wire/operation.js";
import { SESSION_RANDOM_BYTES, sessionToken } from "../../../src/wire/session.js";
import type { Value } from "../../../src/wire/value.js";
import { browserVerify } from "../verification/signatures.js";
import { type BrowserKey, publicKeyOf, signedBy } from "./browser-key.js";

const DATABASE = "gridseal-holder";
const STORE = "holders";
/** How long a token is good: clocks are apart by some seconds. */
const TOKEN_S = 300;
const TIME_QUALITY = 2;

/** As it is kept, by the network's genesis hash. */
export interface Holder {
  readonly key: BrowserKey;
  /** as the authority signed it; undefined before that */
  readonly credential: Uint8Array | undefined;
  /** by service: the last operation that was signed */
  readonly signed: Readonly<Record<number, { readonly seq: number; readonly hash: Uint8Array }>>;
}

export async function readHolder(genesis: Genesis): Promise<Holder | undefined> {
  return transact<Holder | undefined>("readonly", (store) => store.get(toHex(genesis.hash)));
}

export async function keepHolder(genesis: Genesis, holder: Holder): Promise<void> {
  await transact("readwrite", (store) => store.put(holder, toHex(genesis.hash)));
}

export async function forgetHolder(genesis: Genesis): Promise<void> {
  await transact("readwrite", (store) => store.delete(toHex(genesis.hash)));
}

/** The credential of this key. Throws a WireError where it is another's, or not the authority's. */
export async function checkedCredential(bytes: Uint8Array, key: BrowserKey, genesis: Genesis): Promise<Credential> {
  const credential = verifyCredential(bytes, genesis, browserVerify);
  if (equalKeys(credential.key, await publicKeyOf(key))) return credential;
  throw new WireError("unproven", "the credential is of another key than this browser's");
}

/** A session token for the node that has served this page. */
export async function tokenOf({ key, credential }: Holder, genesis: Genesis): Promise<string> {
  if (credential === undefined) throw new Error("there is no credential of this key yet");
  const issued_s = Math.floor(Date.now() / 1_000);
  const random = crypto.getRandomValues(new Uint8Array(SESSION_RANDOM_BYTES));
  const claims = { genesis: genesis.hash, audience: location.host, issued_s, expires_s: issued_s + TOKEN_S, random };
  return signedBy(key, (signer) => sessionToken(credential, claims, signer));
}

export interface AskedOperation {
  readonly service: number;
  readonly type: number;
  readonly body: Value;
  /** the newest sealed one, as the node has it */
  readonly sealed: { readonly seq: number; readonly hash: Uint8Array } | undefined;
}

/** The next operation, whose number is kept before this resolves. */
export async function signNext(
  genesis: Genesis,
  { service, type, body, sealed }: AskedOperation,
): Promise<{ readonly bytes: Uint8Array; readonly seq: number }> {
  const holder = await readHolder(genesis);
  if (holder === undefined) throw new Error("nobody is signed in here");
  const own = holder.signed[service];
  const last = own === undefined || (sealed !== undefined && sealed.seq > own.seq) ? sealed : own;
  const seq = last === undefined ? 0 : last.seq + 1;
  const claims = {
    ...{ service, serviceId: 0, seq, previous: last?.hash ?? new Uint8Array(0) },
    ...{ time_s: Math.floor(Date.now() / 1_000), quality: TIME_QUALITY, type, body },
  };
  const kid = keyId(await publicKeyOf(holder.key));
  const bytes = await signedBy(holder.key, (signer) => signOperation(claims, [], signer, kid));
  const signed = { ...holder.signed, [service]: { seq, hash: parseOperation(bytes).hash } };
  await keepHolder(genesis, { ...holder, signed });
  return { bytes, seq };
}

function transact<Result>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest): Promise<Result> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode);
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => {
        database.close();
        resolve(request.result as Result);
      };
      transaction.onabort = () => {
        database.close();
        reject(transaction.error);
      };
    };
  });
}
