// Checks one below the other, each as it is made.

import { useEffect, useState } from "preact/hooks";
import { isTextKey, text } from "../texts.js";
import type { Finding } from "../verification/finding.js";
import { Mark } from "./mark.js";

/** Keeps the line of how long they took, so that nothing moves when it comes. */
const NO_BREAK_SPACE = "\u00a0";

/** Findings as far as they have come, and how long they took together once all are there. */
export interface Found {
  readonly findings: readonly Finding[];
  readonly took_ms: number | undefined;
}

const nothingFound: Found = { findings: [], took_ms: undefined };

/** The findings of a series of checks; begun again where a key changes. */
export function useFindings(begin: () => AsyncIterable<Finding>, keys: readonly unknown[]): Found {
  const [found, setFound] = useState(nothingFound);
  useEffect(() => {
    let isWanted = true;
    const findings: Finding[] = [];
    setFound(nothingFound);
    const run = async () => {
      const began_ms = performance.now();
      for await (const finding of begin()) {
        if (!isWanted) return;
        findings.push(finding);
        setFound({ findings: [...findings], took_ms: undefined });
      }
      if (isWanted) setFound({ findings, took_ms: performance.now() - began_ms });
    };
    void run();
    return () => {
      isWanted = false;
    };
  }, keys);
  return found;
}

export function Findings({ found, awaited }: { readonly found: Found; readonly awaited: number }) {
  const { findings, took_ms } = found;
  return (
    <>
      <List findings={findings} awaited={awaited} />
      <p class="quiet" data-took={took_ms?.toFixed(1)}>
        {took_ms === undefined || findings.length === 0
          ? NO_BREAK_SPACE
          : text("check.took", { count: findings.length, duration: Math.ceil(took_ms) })}
      </p>
    </>
  );
}

function List({ findings, awaited }: { readonly findings: readonly Finding[]; readonly awaited: number }) {
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
      {Array.from({ length: Math.max(0, awaited - findings.length) }, (_, index) => (
        <li key={`awaited ${index}`} class="open">
          <Mark state="open" />
        </li>
      ))}
    </ol>
  );
}
