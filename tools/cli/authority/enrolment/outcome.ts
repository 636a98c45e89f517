// How commands tell what has become of an enrolment, and the file that goes back to who has asked.

import type { EnrolmentOutcome } from "../../../authority/enrolment/take.js";
import { encodeAnswer } from "../../../authority/requests/answer.js";
import { createFile } from "../../../files/made-once.js";
import { countText, toJson } from "../../../terminal/output.js";

/** A line for people, or a JSON document. */
export function outcomeLine(
  outcome: EnrolmentOutcome,
  { network, json }: { readonly network: string; readonly json?: true },
): string {
  if (json) return toJson({ ...outcome, ...(outcome.type === "granted" && { credential: undefined }) });
  switch (outcome.type) {
    case "granted":
      return `key ${outcome.key} is participant ${outcome.id}`;
    case "waiting":
      return `key ${outcome.key} waits for ${countText(outcome.missing, "approval")}, ${outcome.approvals} are there; next: gridseal authority enrolment show ${outcome.key} --network ${network}, then gridseal authority enrolment approve ${outcome.key} --key FILE --network ${network}`;
    case "refused":
      return `${outcome.key === undefined ? "an enrolment" : `key ${outcome.key}`} is refused: ${outcome.reason}`;
  }
}

/** Makes the file of answers to enrolments that are granted or refused; one that waits has no answer. */
export async function writeAnswer(file: string, outcomes: readonly EnrolmentOutcome[]): Promise<void> {
  const answers = outcomes.flatMap((outcome, place) => {
    if (outcome.type === "waiting") return [];
    const line = place + 1;
    if (outcome.type === "refused") {
      const { key, reason } = outcome;
      return [encodeAnswer({ line, type: "refused", reason, ...(key !== undefined && { kid: key }) })];
    }
    const { key, id, credential } = outcome;
    return [encodeAnswer({ line, type: "issued", kid: key, id, credential })];
  });
  await createFile(file, Buffer.concat(answers));
}
