// The mark beside a figure: whether this browser has proved it, has been told it, or has found it wrong. Never by colour alone. Against
// which genesis it was proved is said with it.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { text } from "../texts.js";
import type { FindingState } from "../verification/finding.js";

const signs: Readonly<Record<FindingState, string>> = {
  verified: "✓",
  sealed: "◆",
  told: "○",
  wrong: "✗",
  open: "…",
};
const HASH_SHOWN = 12;

/** Hash in hex of the genesis that everything below is held against. */
export const GroundContext = createContext("");

export function Mark({ state, short = false }: { readonly state: FindingState; readonly short?: boolean }) {
  const ground = useContext(GroundContext).slice(0, HASH_SHOWN);
  const label = text(`mark.${state}`);
  const isProved = (state === "verified" || state === "sealed") && ground !== "";
  return (
    <span class={`mark ${state}`} title={isProved ? `${label}, ${text("mark.ground", { genesis: ground })}` : label}>
      <span aria-hidden="true">{signs[state]}</span>
      <span class={short ? "spoken" : ""}>{label}</span>
    </span>
  );
}
