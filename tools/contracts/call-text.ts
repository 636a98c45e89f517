// A call that a contract has made, as people read it: get "asked/1" -> 2.

import type { GuestCall } from "./engine.js";
import { fromGuest } from "./value.js";
import { valueToJson } from "./value-json.js";

/** The context's names of what the host calls otherwise. */
export function callText({ name, texts, answer, refused }: GuestCall): string {
  const said = `${wordsOf(name, texts)}${answer === undefined ? "" : ` -> ${valueText(answer)}`}`;
  return refused === undefined ? said : `${said}  REFUSED: ${refused}`;
}

function wordsOf(name: string, [first = "", second = "", third = "", fourth = ""]: readonly string[]): string {
  switch (name) {
    case "read":
      return `get ${JSON.stringify(first)}`;
    case "list":
      return `keys ${JSON.stringify(first)}`;
    case "write":
      return second === "" ? `remove ${JSON.stringify(first)}` : `put ${JSON.stringify(first)} ${valueText(second)}`;
    case "emit":
      return [
        first === "denial" ? "deny" : first,
        second,
        ...(fourth === "" ? [] : [`to ${fourth}`]),
        valueText(third),
      ].join(" ");
    default:
      return [name, ...[first, second].filter((text) => text !== "")].join(" ");
  }
}

/** What is no value, as a guest may write it, stands as it is. */
function valueText(text: string): string {
  try {
    return JSON.stringify(valueToJson(fromGuest(text)));
  } catch {
    return text;
  }
}
