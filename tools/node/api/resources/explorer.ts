// GET /, the explorer's page, and GET /explorer/<file>, what the page names. They are read once, as the build has compressed them.

import { explorerFile, explorerPage } from "../../../routes/explorer.js";
import { type BuiltFile, builtExplorer } from "../explorer-files.js";
import { type Outcome, type Route, refused, route } from "../route.js";

/** Nothing but the page's own files runs in it or is asked by it, and no other page shows it (CSP Level 3). */
export const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
/** Of the worker that runs contracts again: it alone may compile the engine (CSP Level 3, section 4.4). */
const WORKER_POLICY = ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "connect-src 'self'"].join("; ");
const WORKER_FILE = /^replay-/;
/** A name has a hash of its file: what has the name never changes. */
const FOR_EVER = "public, max-age=31536000, immutable";

const always = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  vary: "accept-encoding",
};

export function explorerPageRoute(): Route {
  return route(explorerPage, async ({ encodings }) => {
    const page = (await builtExplorer()).get("index.html");
    if (page === undefined) return refused("not-built", "This node's program has no explorer.");
    return sent(page, encodings, { "content-security-policy": CONTENT_POLICY, "cache-control": "no-cache" });
  });
}

export function explorerFileRoute(): Route {
  return route(explorerFile, async ({ parameters: { file }, encodings }) => {
    const found = (await builtExplorer()).get(file);
    if (found === undefined) return refused("unknown-path", `The explorer has no file ${file}.`);
    const policy = WORKER_FILE.test(file) ? { "content-security-policy": WORKER_POLICY } : {};
    return sent(found, encodings, { "cache-control": FOR_EVER, ...policy });
  });
}

function sent(
  { type, bytes, compressed }: BuiltFile,
  encodings: readonly string[],
  headers: Readonly<Record<string, string>>,
): Outcome<never> {
  const encoding = (["br", "gzip"] as const).find((name) => encodings.includes(name));
  const body = encoding === undefined ? bytes : compressed[encoding];
  const own = { "content-type": type, ...(encoding !== undefined && { "content-encoding": encoding }) };
  return { type: "sent", bytes: body, headers: { ...always, ...headers, ...own } };
}
