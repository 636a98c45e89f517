// What is asked for and may not be there yet, or not at all.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { WireError } from "../../../src/wire/error.js";
import { reasonOf } from "../../errors.js";
import { Refusal } from "../network/ask.js";
import { text } from "../texts.js";
import { Alert } from "./alert.js";

export type Asked<Value> =
  | { readonly type: "waiting" }
  | { readonly type: "here"; readonly value: Value }
  | { readonly type: "failed"; readonly error: unknown };

/**
 * Asks again where a key changes; an answer to what was asked before is dropped. `stays`: it is shown until the next one is there, so
 * that nothing moves.
 */
export function useAsked<Value>(ask: () => Promise<Value>, keys: readonly unknown[], stays = false): Asked<Value> {
  const [asked, setAsked] = useState<Asked<Value>>({ type: "waiting" });
  useEffect(() => {
    let isWanted = true;
    if (!stays) setAsked({ type: "waiting" });
    ask().then(
      (value) => isWanted && setAsked({ type: "here", value }),
      (error: unknown) => isWanted && setAsked({ type: "failed", error }),
    );
    return () => {
      isWanted = false;
    };
  }, keys);
  return asked;
}

/** Shows what came, or why nothing did. */
export function Shown<Value>({
  asked,
  children,
}: {
  readonly asked: Asked<Value>;
  readonly children: (value: Value) => ComponentChildren;
}) {
  if (asked.type === "waiting") return <p class="quiet">{text("app.loading")}</p>;
  if (asked.type === "here") return <>{children(asked.value)}</>;
  const remedy = asked.error instanceof Refusal ? asked.error.remedy : "";
  return (
    <Alert isWrong={asked.error instanceof WireError}>
      {text("app.failed", { reason: reasonOf(asked.error) })} {remedy}
    </Alert>
  );
}
