// Whom a request is for: its target and its Host, as RFC 9112, section 3.2, has them. What is in the target counts before the header.

import type { IncomingMessage } from "node:http";

export interface RequestTarget {
  /** path and query */
  readonly url: string;
  /** absent where an old client sends none */
  readonly host: string | undefined;
}

/** An address in brackets, or a registered name (RFC 3986, section 3.2.2), and perhaps a port. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+,;=%-]*)(?::\d*)?$/i;
/** What proxies are sent, and servers must take; its user information is refused with the host that it would stand in. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/** The target of a request, or why it is none. */
export function targetOf({ url = "", method, rawHeaders }: IncomingMessage): RequestTarget | string {
  const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === "host");
  if (hosts.length > 1) return "A request has one Host.";
  const [, authority, rest] = ABSOLUTE.exec(url) ?? [];
  const host = authority ?? hosts[0];
  if (host !== undefined && !HOST.test(host)) return "The Host is none.";
  if (authority !== undefined) {
    if (authority === "") return "The request's target names no host.";
    return { url: rest!.startsWith("/") ? rest! : `/${rest}`, host };
  }
  const isPath = url.startsWith("/") || (method === "OPTIONS" && url === "*");
  return isPath ? { url, host } : "The request's target is neither a path nor an http URL.";
}
