// What a shared broker asks of a node when a client connects, publishes or subscribes, in the words of EMQX and VerneMQ (JSON) and of
// NanoMQ and the mosquitto plugin (a form). Each hook is judged by the session token; a question that is none is refused.

import { isObject } from "../../../src/agent/checks.js";
import { idFromText } from "../../../src/wire/key.js";
import type { Governance } from "../../ledger/governance.js";
import type { Holder, TokenVerdict } from "./token-judge.js";
import { mayUse, type TopicRule, topicRules } from "./topic-rules.js";

export interface HookPorts {
  readonly network: string;
  governance(): Governance;
  judge(token: string | undefined): Promise<TokenVerdict>;
}

export type HookAnswer =
  | { readonly type: "allowed"; readonly holder: Holder | undefined }
  | { readonly type: "refused"; readonly message: string };

export interface BrokerHooks {
  /** The answer of a question in JSON. */
  json(body: Uint8Array): Promise<unknown>;
  form(body: Uint8Array): Promise<HookAnswer>;
}

export function createBrokerHooks({ network, governance, judge }: HookPorts): BrokerHooks {
  const admit = async (username: string | undefined, password: string | undefined): Promise<HookAnswer> => {
    if (username === undefined && password === undefined) return { type: "allowed", holder: undefined };
    const verdict = await judge(password);
    if (verdict.type === "refused") return verdict;
    if (verdict.holder.id === username) return { type: "allowed", holder: verdict.holder };
    return { type: "refused", message: `the session token is of ${verdict.holder.id}` };
  };

  /** Of VerneMQ's later hooks: the broker has let this user in, so it is who its name says. */
  const rulesOf = (username: string | undefined): readonly TopicRule[] => {
    if (username === undefined) return topicRules(network, undefined);
    if (idFromText(username) === undefined) return [];
    const known = governance();
    if (known.revoked.has(username) || known.banned.has(username)) return [];
    return topicRules(network, { id: username, isNode: known.nodes.has(username) });
  };

  const vernemq = async (question: Fields): Promise<unknown> => {
    const { username, topic, topics } = question;
    const refused = { result: { error: "not_allowed" } };
    if (Array.isArray(topics)) {
      const rules = rulesOf(textOf(username));
      const filters = topics.map((one: unknown) => (isObject(one) ? textOf(one.topic) : textOf(one)));
      const isAllowed = filters.every((filter) => filter !== undefined && mayUse(rules, "subscribe", filter));
      return isAllowed ? { result: "ok" } : refused;
    }
    if (topic !== undefined) {
      return mayUse(rulesOf(textOf(username)), "publish", textOf(topic) ?? "") ? { result: "ok" } : refused;
    }
    const admitted = await admit(textOf(username), textOf(question.password));
    return admitted.type === "allowed" ? { result: "ok" } : refused;
  };

  const emqx = async ({ username, password }: Fields): Promise<unknown> => {
    const admitted = await admit(textOf(username), textOf(password));
    if (admitted.type === "refused") return { result: "deny" };
    const { holder } = admitted;
    const acl = topicRules(network, holder && { id: holder.id, isNode: holder.credential === undefined }).map(
      (rule) => ({ permission: "allow", ...rule }),
    );
    const expires_s = holder?.credential?.expires_s;
    return {
      result: "allow",
      is_superuser: false,
      ...(expires_s !== undefined && { expire_at: expires_s }),
      acl: [...acl, { permission: "deny", action: "all", topic: "#" }],
    };
  };

  return {
    async json(body) {
      const question = jsonOf(body);
      if (question === undefined) return { result: "deny" };
      return "client_id" in question ? vernemq(question) : emqx(question);
    },
    async form(body) {
      const fields = new URLSearchParams(Buffer.from(body).toString("latin1"));
      return admit(textOf(fields.get("username")), textOf(fields.get("password")));
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

function jsonOf(body: Uint8Array): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Brokers write what is not there as an empty text, null, or the word. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value !== "undefined" ? value : undefined;
}
