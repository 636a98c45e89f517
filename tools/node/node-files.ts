// What a node opens before anything of it runs: its TLS material and its store. Who it is, is in identity.ts.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { GridsealError, reasonOf } from "../errors.js";
import { createFile, readWhole } from "../files/made-once.js";
import { refuseExposed, SECRET } from "../files/private-files.js";
import type { NodeConfiguration } from "./configuration.js";
import type { Identity } from "./identity.js";
import type { TlsMaterial } from "./network/peer-listener.js";
import { openStore } from "./store/open-store.js";
import { rewriteErased } from "./store/rewriting.js";
import type { Store } from "./store/store.js";

const PEM_BYTES_MAX = 65_536;

/** Beside a node's key: whether it has signed. */
export function markOf(key: string): string {
  return `${key}.used`;
}

/** The store, and beside the key the mark that it has signed: a store that is made anew afterwards has forgotten what. */
export async function openOwnStore(configuration: NodeConfiguration, { genesis, self }: Identity): Promise<Store> {
  const mark = markOf(configuration.key);
  const keyHasSigned = existsSync(mark);
  await rewriteErased(configuration.data);
  const store = await openStore(configuration.data, { node: self.id, genesisHash: genesis.hash }, keyHasSigned);
  if (!keyHasSigned) await createFile(mark, "This key has signed for its node: keep the node's data folder.\n", SECRET);
  return store;
}

/**
 * PEM files of the links between nodes, for the node `id`. Rejects with a GridsealError that names the file: what does not belong
 * together would be refused by every peer, one connection after the other.
 */
export async function readTls({ tls }: NodeConfiguration, id: string): Promise<TlsMaterial> {
  await refuseExposed(tls.key);
  const read = async (path: string) => new TextDecoder().decode(await readWhole(path, PEM_BYTES_MAX));
  const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.certificate), read(tls.key)]);
  const authority = parse(tls.ca, () => new X509Certificate(ca));
  const certificate = parse(tls.certificate, () => new X509Certificate(cert));
  const privateKey = parse(tls.key, () => createPrivateKey(key));
  const complain = (what: string) => {
    throw new GridsealError("CERTIFICATE_INVALID", what);
  };
  if (!certificate.checkPrivateKey(privateKey))
    complain(`${tls.key} is not the key of the certificate ${tls.certificate}`);
  if (!certificate.verify(authority.publicKey))
    complain(`${tls.certificate} is not signed by the authority in ${tls.ca}`);
  const subject = certificate.subject;
  if (subject !== `CN=${id}`) complain(`${tls.certificate} is for ${subject}, and this node's key has the id ${id}`);
  const { validFrom, validTo } = certificate;
  if (Date.parse(validFrom) > Date.now()) complain(`${tls.certificate} is not valid before ${validFrom}`);
  if (Date.parse(validTo) < Date.now()) complain(`${tls.certificate} has expired on ${validTo}`);
  return { ca, cert, key };
}

/** What the node's own broker speaks TLS with, where its configuration says so. Throws CERTIFICATE_INVALID or FILE_UNREADABLE. */
export async function readBrokerTls({ mqtt }: NodeConfiguration): Promise<{ cert: string; key: string } | undefined> {
  if (!("listen" in mqtt) || mqtt.tls === undefined) return undefined;
  const { key: keyPath, certificate: path } = mqtt.tls;
  await refuseExposed(keyPath);
  const read = async (from: string) => new TextDecoder().decode(await readWhole(from, PEM_BYTES_MAX));
  const [cert, key] = await Promise.all([read(path), read(keyPath)]);
  const certificate = parse(path, () => new X509Certificate(cert));
  const privateKey = parse(keyPath, () => createPrivateKey(key));
  if (certificate.checkPrivateKey(privateKey)) return { cert, key };
  throw new GridsealError("CERTIFICATE_INVALID", `${keyPath} is not the key of the certificate ${path}`);
}

function parse<Result>(path: string, parseIt: () => Result): Result {
  try {
    return parseIt();
  } catch (cause) {
    throw new GridsealError("CERTIFICATE_INVALID", `${path} is no PEM file of its kind: ${reasonOf(cause)}`, { cause });
  }
}
