// The mark beside a figure: whether this browser has proved it, has been told it, or has found it wrong. Never by colour alone.

import { text } from "../texts.js";
import type { FindingState } from "../verification/finding.js";

const signs: Readonly<Record<FindingState, string>> = { verified: "✓", told: "○", wrong: "✗", open: "…" };

export function Mark({ state, short = false }: { readonly state: FindingState; readonly short?: boolean }) {
  const label = text(`mark.${state}`);
  return (
    <span class={`mark ${state}`} title={label}>
      <span aria-hidden="true">{signs[state]}</span>
      <span class={short ? "spoken" : ""}>{label}</span>
    </span>
  );
}
