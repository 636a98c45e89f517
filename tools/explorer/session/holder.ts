// Who is signed in here: a key of this browser, the credential that the authority gave it, and the numbers that it has signed. All of it
// stays in this browser's database; what a number rests on is there before its operation leaves.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
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
/** Each time another tab has signed meanwhile. */
const TRIES_MAX = 32;
const NOBODY = "nobody is signed in here";

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

/** Keeps a new key. Rejects where another tab has made one meanwhile: its numbers would be lost. */
export async function keepKey(genesis: Genesis, key: BrowserKey): Promise<void> {
  const holder: Holder = { key, credential: undefined, signed: {} };
  if (!(await change(genesis, (known) => (known === undefined ? holder : undefined))))
    throw new Error("another tab has made a key here: load the page again");
}

/** Keeps the credential of the key that is kept, as the authority signed it. Rejects where it is of another one. */
export async function keepCredential(genesis: Genesis, credential: Uint8Array): Promise<void> {
  const holder = await readHolder(genesis);
  if (holder === undefined) throw new Error(NOBODY);
  await checkedCredential(credential, holder.key, genesis);
  if (!(await change(genesis, (known) => (isSame(known, holder) ? { ...known, credential } : undefined))))
    throw new Error("another tab has changed who is signed in: load the page again");
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

export interface SignedOperation {
  readonly bytes: Uint8Array;
  readonly seq: number;
}

/**
 * The next operation. Its number is kept before this resolves, and no other tab has signed it: what was signed while one did is thrown
 * away and signed again under the next number.
 */
export async function signNext(genesis: Genesis, asked: AskedOperation): Promise<SignedOperation> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const holder = await readHolder(genesis);
    if (holder === undefined) throw new Error(NOBODY);
    const { hash, ...made } = await signAfter(holder, asked);
    const last = { [asked.service]: { seq: made.seq, hash } };
    const isKept = await change(genesis, (known) =>
      isSame(known, holder, asked.service) ? { ...known, signed: { ...known.signed, ...last } } : undefined,
    );
    if (isKept) return made;
  }
  throw new Error("other tabs sign all the time: try again");
}

async function signAfter(holder: Holder, { service, type, body, sealed }: AskedOperation) {
  const own = holder.signed[service];
  const last = own === undefined || (sealed !== undefined && sealed.seq > own.seq) ? sealed : own;
  const seq = last === undefined ? 0 : last.seq + 1;
  const claims = {
    ...{ service, serviceId: 0, seq, previous: last?.hash ?? new Uint8Array(0) },
    ...{ time_s: Math.floor(Date.now() / 1_000), quality: TIME_QUALITY, type, body },
  };
  const kid = keyId(await publicKeyOf(holder.key));
  const bytes = await signedBy(holder.key, (signer) => signOperation(claims, [], signer, kid));
  return { bytes, seq, hash: parseOperation(bytes).hash };
}

/** Whether nobody has changed it since it was read: who is signed in, and what was signed last for the service. */
function isSame(known: Holder | undefined, read: Holder, service?: number): known is Holder {
  if (known === undefined || !areEqual(known.credential, read.credential)) return false;
  return service === undefined || areEqual(known.signed[service]?.hash, read.signed[service]?.hash);
}

function areEqual(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : equalBytes(one, other);
}

/** Reads and writes in one transaction, which the browser lets no other tab come between; false where nothing was to be written. */
async function change(genesis: Genesis, next: (known: Holder | undefined) => Holder | undefined): Promise<boolean> {
  const name = toHex(genesis.hash);
  let isChanged = false;
  await transact("readwrite", (store) => {
    const reading: IDBRequest<Holder | undefined> = store.get(name);
    reading.onsuccess = () => {
      const holder = next(reading.result);
      isChanged = holder !== undefined;
      if (holder !== undefined) store.put(holder, name);
    };
    return reading;
  });
  return isChanged;
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
