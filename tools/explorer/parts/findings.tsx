// Checks one below the other, each as it is made.

import { useEffect, useState } from "preact/hooks";
import { isTextKey, text } from "../texts.js";
import type { Finding } from "../verification/finding.js";
import { Mark } from "./mark.js";

/** The findings of a series of checks, as far as they have come; begun again where a key changes. */
export function useFindings(begin: () => AsyncIterable<Finding>, keys: readonly unknown[]): readonly Finding[] {
  const [findings, setFindings] = useState<readonly Finding[]>([]);
  useEffect(() => {
    let isWanted = true;
    const found: Finding[] = [];
    setFindings([]);
    const run = async () => {
      for await (const finding of begin()) {
        if (!isWanted) return;
        found.push(finding);
        setFindings([...found]);
      }
    };
    void run();
    return () => {
      isWanted = false;
    };
  }, keys);
  return findings;
}

export function Findings({ findings, awaited }: { readonly findings: readonly Finding[]; readonly awaited: number }) {
  return (
    <ol class="findings" aria-live="polite" data-done={findings.length}>
      {findings.map(({ name, state, facts, reason }) => {
        const key = `check.${name}`;
        return (
          <li key={name} class={state} data-check={name} data-state={state}>
            <Mark state={state} /> {isTextKey(key) && state === "verified" ? text(key, facts) : reason}
          </li>
        );
      })}
      {findings.length < awaited && !findings.some(({ state }) => state === "wrong") && (
        <li class="open">
          <Mark state="open" />
        </li>
      )}
    </ol>
  );
}
