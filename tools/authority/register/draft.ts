// The register's next state in the making: changes are judged one upon the other, and nothing is written before all are.

import { applyChange, type Change } from "./changes.js";
import { type LogHead, nextEntry } from "./log.js";
import type { Put, RegisterView, TableName, Tables } from "./rows.js";

/** The register with what an update has changed so far. */
export interface Draft extends RegisterView {
  /** Applies the changes, all or none of them; why not where one does not apply. */
  attempt(changes: readonly Change[]): string | undefined;
}

export interface RegisterDraft extends Draft {
  readonly head: LogHead;
  /** new entries with their numbers, oldest first */
  readonly entries: readonly (readonly [number: number, bytes: Uint8Array])[];
  /** rows to write */
  readonly puts: Iterable<Put>;
}

/** A draft upon the register as it stands; `now_s` is the time of its entries. */
export function createDraft(base: RegisterView & { readonly head: LogHead }, now_s: number): RegisterDraft {
  const pending = new Map<string, Put>();
  const entries: (readonly [number, Uint8Array])[] = [];
  let { head, issued } = base;
  const view: RegisterView = {
    get issued() {
      return issued;
    },
    get: <Name extends TableName>(table: Name, id: string) =>
      (pending.get(`${table}/${id}`)?.row as Tables[Name] | undefined) ?? base.get(table, id),
  };

  const attempt = (changes: readonly Change[]): string | undefined => {
    const before = { head, issued, entries: entries.length };
    const undone: (readonly [string, Put | undefined])[] = [];
    for (const change of changes) {
      const outcome = applyChange(view, change, now_s);
      if (outcome.type === "refused") {
        for (const [key, put] of undone.reverse()) {
          if (put === undefined) pending.delete(key);
          else pending.set(key, put);
        }
        entries.length = before.entries;
        ({ head, issued } = before);
        return outcome.reason;
      }
      for (const put of outcome.puts) {
        const key = `${put.table}/${put.id}`;
        undone.push([key, pending.get(key)]);
        pending.set(key, put);
      }
      const next = nextEntry(head, change, now_s);
      entries.push([next.head.number, next.bytes]);
      ({ head, issued } = { head: next.head, issued: outcome.issued });
    }
    return undefined;
  };

  return {
    get issued() {
      return issued;
    },
    get head() {
      return head;
    },
    get: view.get,
    attempt,
    entries,
    puts: { [Symbol.iterator]: () => pending.values() },
  };
}
