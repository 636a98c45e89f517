// Asks an authority's enrolment service, by HTTPS alone. node:https takes the certificate of a private authority for one request, which
// fetch does not.

import { type RequestOptions, request } from "node:https";
import type { Static } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import { fromHex } from "../../../src/wire/bytes.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { enrolmentNonce, submitEnrolment } from "../../routes/enrolments.js";
import { RefusalAnswer } from "../../routes/refusals.js";
import type { RouteShape } from "../../routes/shape.js";

const PATIENCE_MS = 30_000;
const ANSWER_BYTES_MAX = 65_536;

export type SubmitAnswer = Static<(typeof submitEnrolment)["answer"]["schema"]>;

export interface ServiceClient {
  nonce(): Promise<Uint8Array>;
  /** Throws ENROLMENT_REFUSED where the service refuses. */
  submit(enrolment: Uint8Array): Promise<SubmitAnswer>;
}

/** Throws USAGE for what is no https URL; its calls throw AUTHORITY_UNREACHABLE. */
export function connectService(url: string, ca: Uint8Array | undefined): ServiceClient {
  if (!/^https:\/\//.test(url) || !URL.canParse(url)) {
    throw new GridsealError("USAGE", `--url must be https://host:port, not ${url}`);
  }
  const base = url.replace(/\/+$/, "");
  const trusted = ca === undefined ? {} : { ca: Buffer.from(ca) };
  const ask = (shape: RouteShape, body?: Uint8Array) => askOnce(base, shape, { trusted, body });
  return {
    async nonce() {
      const answer = await ask(enrolmentNonce);
      if (Check(enrolmentNonce.answer.schema, answer)) return fromHex(answer.nonce)!;
      throw unreachable(base, "it gives no nonce");
    },
    async submit(enrolment) {
      const answer = await ask(submitEnrolment, enrolment);
      if (Check(submitEnrolment.answer.schema, answer)) return answer;
      throw unreachable(base, "its answer is none to an enrolment");
    },
  };
}

interface Sending {
  readonly trusted: RequestOptions;
  readonly body: Uint8Array | undefined;
}

async function askOnce(base: string, { method, path, body: form, statuses }: RouteShape, { trusted, body }: Sending) {
  const headers = body === undefined ? {} : { "content-type": form!.type, "content-length": body.length };
  const { status, text } = await exchange(`${base}${path}`, { ...trusted, method, headers, agent: false }, body).catch(
    (cause: unknown) => {
      throw unreachable(base, reasonOf(cause), cause);
    },
  );
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw unreachable(base, `it answers ${status} without JSON`, cause);
  }
  if (statuses.includes(status)) return answer;
  if (!Check(RefusalAnswer, answer)) throw unreachable(base, `it answers ${status}`);
  throw new GridsealError("ENROLMENT_REFUSED", `${base}: ${answer.message} ${answer.remedy}`);
}

function exchange(
  url: string,
  options: RequestOptions,
  body: Uint8Array | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { ...options, timeout: PATIENCE_MS }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > ANSWER_BYTES_MAX) asking.destroy(new Error(`its answer has more than ${ANSWER_BYTES_MAX} bytes`));
        else chunks.push(chunk);
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
      response.on("error", reject);
    });
    asking.on("timeout", () => asking.destroy(new Error(`it says nothing for ${PATIENCE_MS / 1_000} s`)));
    asking.on("error", reject);
    asking.end(body);
  });
}

function unreachable(base: string, reason: string, cause?: unknown): GridsealError {
  return new GridsealError("AUTHORITY_UNREACHABLE", `${base} does not answer as an enrolment service: ${reason}`, {
    cause,
  });
}
