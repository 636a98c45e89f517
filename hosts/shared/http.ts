// One GET of HTTP/1.1 (RFC 9112), read piece by piece: the head is bounded, the length of the body is announced and no more than was
// asked for. Pure; fetch.ts has the sockets. No redirects, no transfer codings: who serves firmware can do without.

const HEAD_BYTES_MAX = 4096;
const HOST_CHARACTERS_MAX = 253;
const PORT = 80;
const PORT_SECURE = 443;

export interface Place {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** begins with a slash */
  readonly path: string;
}

/** The parts of an http:// or https:// URL; undefined where it is none. */
export function placeOf(url: string): Place | undefined {
  const secure = url.startsWith("https://");
  if (!secure && !url.startsWith("http://")) return undefined;
  const rest = url.slice(secure ? 8 : 7);
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? "/" : rest.slice(slash);
  const colon = authority.lastIndexOf(":");
  const host = colon < 0 ? authority : authority.slice(0, colon);
  const port = colon < 0 ? (secure ? PORT_SECURE : PORT) : Number(authority.slice(colon + 1));
  if (!isHost(host) || !/^[\x21-\x7e]+$/.test(path)) return undefined;
  return Number.isInteger(port) && port > 0 && port <= 0xffff ? { secure, host, port, path } : undefined;
}

/** Whether a text has the characters and the length of a host's name or IPv4 address (RFC 1035 section 2.3.4). */
export function isHost(text: string): boolean {
  for (const character of text) {
    // One by one: on XS a regular expression's greedy loop takes memory for each character.
    if (!/[A-Za-z0-9.-]/.test(character)) return false;
  }
  return text.length > 0 && text.length <= HOST_CHARACTERS_MAX;
}

/** The request, ASCII. */
export function requestOf({ host, path }: Place): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nAccept-Encoding: identity\r\n\r\n`;
}

/** How far an answer has been read. */
export interface Answer {
  readonly bytesMax: number;
  head: string;
  /** bytes of the body that are still to come; undefined before the head has ended */
  left: number | undefined;
  failed: boolean;
}

export type Heard =
  /** the head is not complete, or nothing came */
  | { readonly kind: "more" }
  | { readonly kind: "body"; readonly bytes: Uint8Array; readonly last: boolean }
  | { readonly kind: "failed"; readonly reason: string };

const more: Heard = { kind: "more" };

export function beginAnswer(bytesMax: number): Answer {
  return { bytesMax, head: "", left: undefined, failed: false };
}

/** Takes the next bytes. After the last of the body, or a failure, whatever comes is not looked at. Never throws. */
export function hear(answer: Answer, bytes: Uint8Array): Heard {
  if (answer.failed || answer.left === 0) return more;
  if (answer.left !== undefined) return bodyOf(answer, bytes);
  let at = 0;
  for (; at < bytes.length; at += 1) {
    answer.head += String.fromCharCode(bytes[at]!);
    if (bytes[at] === 10 && answer.head.endsWith("\r\n\r\n")) break;
    if (answer.head.length >= HEAD_BYTES_MAX) return fail(answer, `the head has more than ${HEAD_BYTES_MAX} bytes`);
  }
  if (at === bytes.length) return more;
  const length = lengthOf(answer.head);
  if (typeof length === "string") return fail(answer, length);
  if (length > answer.bytesMax)
    return fail(answer, `the server announces ${length} bytes, ${answer.bytesMax} are taken`);
  answer.head = "";
  answer.left = length;
  return bodyOf(answer, bytes.subarray(at + 1));
}

function bodyOf(answer: Answer, bytes: Uint8Array): Heard {
  const left = answer.left!;
  const piece = bytes.length > left ? bytes.subarray(0, left) : bytes;
  answer.left = left - piece.length;
  return piece.length === 0 && left > 0 ? more : { kind: "body", bytes: piece, last: answer.left === 0 };
}

/** Content-Length of an answer with status 200, or what is wrong with its head. */
function lengthOf(head: string): number | string {
  const lines = head.split("\r\n");
  const status = /^HTTP\/1\.[01] ([0-9]{3})(?: |$)/.exec(lines[0]!)?.[1];
  if (status === undefined) return "the server does not speak HTTP/1.1";
  if (status !== "200") return `the server answers ${status}`;
  let length: number | undefined;
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (name === "transfer-encoding") return "the server uses a transfer coding";
    if (name !== "content-length") continue;
    const text = line.slice(colon + 1).trim();
    if (length !== undefined || !/^[0-9]{1,9}$/.test(text)) return "the server's Content-Length cannot be read";
    length = Number(text);
  }
  return length ?? "the server announces no length";
}

function fail(answer: Answer, reason: string): Heard {
  answer.failed = true;
  answer.head = "";
  return { kind: "failed", reason };
}
