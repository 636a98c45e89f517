// What is denied because nobody may ask it: reported with the ID of who asked, counted, and told to everybody.

import type { Context, Operation } from "../../contracts/author.js";
import type { Row } from "./kept.js";

export function breach(context: Context, { participant }: Operation, rule: string, body: Row): void {
  context.deny(rule, body);
  context.violation(rule, participant, body);
}
