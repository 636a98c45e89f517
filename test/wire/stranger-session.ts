// Session tokens as section 24 of PROTOCOL.md has them, for who verifies one without Gridseal. It imports neither src nor tools.

import { independentDecode } from "./independent-cbor.js";
import { bounds, sizes } from "./stranger-bounds.js";
import { issuerOf } from "./stranger-disproof.js";
import type { StrangerGenesis } from "./stranger-genesis.js";
import { bytesOf, demand, hex, list, mapOf, numberOf, readKey, readSign1, signed } from "./stranger-proof.js";

export interface StrangerSession {
  /** id of the holder's key */
  readonly id: string;
  readonly audience: string;
  readonly issued_s: number;
  readonly expires_s: number;
}

export function verifyToken(genesis: StrangerGenesis, token: string): StrangerSession {
  const [shown, second, ...more] = token.split(".");
  demand(shown !== undefined && second !== undefined && more.length === 0, "token is not two parts");
  const message = readSign1(bytesOfText(second!), sizes.session);
  const [name, network, audience, issued, expires, random] = list(independentDecode(message.payload), 6);
  demand(name === "gs1/session", "token is no session's");
  demand(hex(bytesOf(network, 32)) === hex(genesis.hash), "token is of another network");
  demand(typeof audience === "string" && audience.length >= 1 && audience.length <= 256, "token has no audience");
  bytesOf(random, 8);
  const issued_s = numberOf(issued, bounds.time_s);
  const expires_s = numberOf(expires, bounds.time_s);
  demand(expires_s > issued_s && expires_s <= issued_s + 600, "token lasts too long");
  const id = shown === "" ? nodeOf(genesis, message) : holderOf(genesis, bytesOfText(shown!), message);
  return { id, audience: audience as string, issued_s, expires_s };
}

type Message = ReturnType<typeof readSign1>;

function holderOf(genesis: StrangerGenesis, shown: Uint8Array, message: Message): string {
  const credential = readSign1(shown, sizes.credential);
  const claims = mapOf(independentDecode(credential.payload));
  demand(signed(issuerOf(genesis, claims), credential), "credential is not signed by the authority");
  demand(claims.get(1) === `${genesis.issuing}/${genesis.authority.id}`, "credential is of another issuer");
  const key = readKey(mapOf(claims.get(8)).get(1));
  demand(message.header.size === 1, "token has a kid beside its credential");
  demand(signed(key, message), "token is not signed by the credential's key");
  return key.id;
}

function nodeOf(genesis: StrangerGenesis, message: Message): string {
  const id = hex(bytesOf(message.header.get(4), 8));
  const node = genesis.nodes.find((known) => known.id === id);
  demand(node !== undefined && signed(node.key, message), "token is no node's");
  return id;
}

function bytesOfText(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64url");
  demand(bytes.toString("base64url") === text, "token is no base64url");
  return bytes;
}
