// X.509 for TLS, and for nothing else (RFC 5280): a certification authority for one network, a certificate for each of its nodes, for
// brokers, and for the service of the authority. ECDSA on P-256, which every TLS 1.3
// stack must support (RFC 8446 section 9.1).

import { webcrypto } from "node:crypto";
import { isIP } from "node:net";

/** A certificate and its private key (PKCS #8), both PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

export interface NodeCertificateRequest {
  /**
   * The node's id as 16 lower-case hex digits; becomes the subject's common name, which peers
   * compare.
   */
  readonly id: string;
  /**
   * DNS names and IP addresses for the subject alternative names (RFC 5280 section 4.2.1.6); may be
   * empty.
   */
  readonly hosts: readonly string[];
}

/**
 * Both live as long as a network plausibly does: membership is decided on the chain, never by a
 * date in here.
 */
const validity_years = { authority: 20, node: 10 } as const;
const curve = { name: "ECDSA", namedCurve: "P-256" } as const;
const signature = { name: "ECDSA", hash: "SHA-256" } as const;

type Library = typeof import("@peculiar/x509");

/**
 * Makes the authority that signs the certificates of one network's nodes. Valid for 20 years from
 * `now`.
 */
export async function createNetworkAuthority(network: string, now: Date): Promise<TlsIdentity> {
  const x509 = await library();
  const keys = await generateKeys();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`gridseal ${network}`] }],
    keys,
    ...validity(now, validity_years.authority),
    signingAlgorithm: signature,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      // Not asked of a self-signed certificate (RFC 5280 section 4.2.1.1), but the TLS of meters
      // looks for it.
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pemFile(cert.toString("pem")), key: await exportKey(x509, keys.privateKey) };
}

/**
 * Makes a key and a certificate for one node, signed by the network's authority; good for both ends
 * of a connection. Valid for 10 years from `now`, and never beyond the authority. Throws where the
 * authority's PEM cannot be read.
 */
export async function createNodeCertificate(
  authority: TlsIdentity,
  { id, hosts }: NodeCertificateRequest,
  now: Date,
): Promise<TlsIdentity> {
  return createCertificate(authority, { name: id, hosts, isClient: true }, now);
}

/**
 * The same for a broker that meters reach by these names. It is good for servers alone, and its
 * common name is no node's id: nobody becomes a node with it. Throws a RangeError without a name.
 */
export async function createBrokerCertificate(
  authority: TlsIdentity,
  hosts: readonly string[],
  now: Date,
): Promise<TlsIdentity> {
  if (hosts.length === 0) throw new RangeError("a broker's certificate must have a name that meters reach it by");
  return createCertificate(authority, { name: "broker", hosts, isClient: false }, now);
}

/** The same for the authority's own enrolment service. */
export async function createServiceCertificate(
  authority: TlsIdentity,
  hosts: readonly string[],
  now: Date,
): Promise<TlsIdentity> {
  if (hosts.length === 0) throw new RangeError("a service's certificate must have a name that it is reached by");
  return createCertificate(authority, { name: "authority", hosts, isClient: false }, now);
}

interface CertificateRequest {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly isClient: boolean;
}

async function createCertificate(authority: TlsIdentity, request: CertificateRequest, now: Date): Promise<TlsIdentity> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.cert);
  const [pkcs8] = x509.PemConverter.decode(authority.key);
  if (!pkcs8) throw new TypeError("the network authority's key holds no PEM block");
  const signingKey = await webcrypto.subtle.importKey("pkcs8", pkcs8, curve, false, ["sign"]);
  const keys = await generateKeys();
  const dates = validity(now, validity_years.node);
  const names = request.hosts.map((host) => ({
    type: isIP(host) === 0 ? ("dns" as const) : ("ip" as const),
    value: host,
  }));
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const cert = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [request.name] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    notBefore: dates.notBefore,
    notAfter: new Date(Math.min(dates.notAfter.getTime(), issuer.notAfter.getTime())),
    signingAlgorithm: signature,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(request.isClient ? [serverAuth, clientAuth] : [serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { cert: pemFile(cert.toString("pem")), key: await exportKey(x509, keys.privateKey) };
}

/**
 * Loads @peculiar/x509. Its container (tsyringe) refuses to load without the metadata calls of
 * `Reflect`, of which it uses these three. They are put in place when a certificate is made, not
 * whenever a node starts.
 */
async function library(): Promise<Library> {
  if (!("getMetadata" in Reflect)) {
    const metadata = new WeakMap<object, Map<unknown, unknown>>();
    const read = (key: unknown, target: object): unknown => metadata.get(target)?.get(key);
    const write = (key: unknown, value: unknown, target: object): void => {
      const entries = metadata.get(target) ?? new Map<unknown, unknown>();
      metadata.set(target, entries.set(key, value));
    };
    Object.assign(Reflect, { getMetadata: read, getOwnMetadata: read, defineMetadata: write });
  }
  return import("@peculiar/x509");
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(curve, true, ["sign", "verify"]);
}

async function exportKey(x509: Library, key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", key);
  return pemFile(x509.PemConverter.encode(pkcs8, "PRIVATE KEY"));
}

/** A day of grace before `now`, for peers whose clock is behind. */
function validity(now: Date, years: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(now.getUTCFullYear() + years);
  return { notBefore: new Date(now.getTime() - 86_400_000), notAfter };
}

function pemFile(pem: string): string {
  return pem.endsWith("\n") ? pem : `${pem}\n`;
}
