// Times, hashes and names as people read them, with what they are exactly beside.

import type { ComponentChildren } from "preact";
import { languageNow, text } from "../texts.js";

const HASH_SHOWN = 12;

/** In the reader's zone, with UTC beside. */
export function Time({ at_ms }: { readonly at_ms: number }) {
  const at = new Date(at_ms);
  const utc = at.toISOString();
  const local = at.toLocaleString(languageNow(), { dateStyle: "medium", timeStyle: "medium" });
  return (
    <time dateTime={utc} title={text("app.utc", { time: utc.slice(0, 19).replace("T", " ") })}>
      {local} <small>{text("app.utc", { time: utc.slice(11, 19) })}</small>
    </time>
  );
}

export function Hash({ hex }: { readonly hex: string }) {
  return (
    <code class="hash" title={hex}>
      {hex.slice(0, HASH_SHOWN)}
      <span class="rest">{hex.slice(HASH_SHOWN)}</span>
    </code>
  );
}

/** A name with its value, one of a list. */
export function Pair({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="pair">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
