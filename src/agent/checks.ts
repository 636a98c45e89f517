// Checks of a JSON document, field by field: what is wrong, where, and what it must be. No check repeats a value, which may be a key.

/** Why a document is no configuration: the path of the field and what is wrong with it. */
export interface Complaint {
  readonly path: string;
  readonly reason: string;
}

/** A check of the value at `path`: a complaint, or undefined. */
export type Check = (value: unknown, path: string) => Complaint | undefined;
export type Fields = Readonly<Record<string, { readonly check: Check; readonly optional?: true }>>;

export function complaint(path: string, reason: string): Complaint {
  return { path, reason };
}

/** An object with exactly these fields. */
export function object(fields: Fields): Check {
  return (value, path) => {
    if (!isObject(value)) return complaint(path, "must be an object");
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(fields, name)) return complaint(`${path}.${name}`, "is no field of this document");
    }
    for (const [name, { check, optional }] of Object.entries(fields)) {
      if (!Object.hasOwn(value, name)) {
        if (optional) continue;
        return complaint(`${path}.${name}`, "is missing");
      }
      const refused = check(value[name], `${path}.${name}`);
      if (refused !== undefined) return refused;
    }
    return undefined;
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function list(item: Check, least: number, most: number): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) {
      return complaint(path, `must be a list of ${least} to ${most}`);
    }
    for (const [index, member] of value.entries()) {
      const refused = item(member, `${path}[${index}]`);
      if (refused !== undefined) return refused;
    }
    return undefined;
  };
}

export function integer(least: number, most: number): Check {
  return (value, path) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : complaint(path, `must be an integer from ${least} to ${most}`);
}

/** A text of 1 to `most` characters. */
export function text(most: number): Check {
  return matching((value) => value.length > 0 && value.length <= most, `must be a text of 1 to ${most} characters`);
}

export function matching(accepts: (value: string) => boolean, reason: string): Check {
  return (value, path) => (typeof value === "string" && accepts(value) ? undefined : complaint(path, reason));
}

export function oneOf(values: readonly unknown[]): Check {
  return (value, path) =>
    values.includes(value) ? undefined : complaint(path, `must be one of: ${values.join(", ")}`);
}
